//! HUP: a good configuration takes over, a bad one changes nothing, and no counter forgets.

use nix::sys::signal::Signal;

use crate::harness::{get, is_single_threaded, load, named_threads, Conf, SQLI_TARGET};

#[test]
fn a_changed_configuration_takes_over_and_counters_go_on() {
    let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
    nginx.get("FRONT", SQLI_TARGET);
    let before = nginx.settled_after(1);
    for (round, (from, to)) in [(1, 2), (2, 3), (3, 2)].into_iter().enumerate() {
        let (from, to) =
            (format!("wallarm_scan_threads {from};"), format!("wallarm_scan_threads {to};"));
        nginx.reload(&from, &to);
        assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
        let status = nginx.settled_after(round as u64 + 2);
        assert_eq!(status.0["startid"], before.0["startid"]);
    }
    named_threads(nginx.worker(), "wallarm-scan", 2);
    nginx.hits("sqli", 4);
}

#[test]
fn a_reload_can_turn_the_analysis_off_and_on() {
    let mut nginx = Conf::same_instance().http("wallarm_mode monitoring;").start();
    nginx.get("FRONT", "/");
    nginx.settled_after(1);
    nginx.reload("wallarm_mode monitoring;", "wallarm_mode off;");
    assert!(is_single_threaded(nginx.worker()));
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    nginx.reload("wallarm_mode off;", "wallarm_mode monitoring;");
    nginx.get("FRONT", SQLI_TARGET);
    nginx.settled_after(2);
    nginx.hit("sqli");
}

#[test]
fn a_bad_configuration_leaves_the_old_one_at_work() {
    let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
    let worker = nginx.worker();
    nginx.expect_in_error_log("wallarm_scan_threads");
    nginx.change("wallarm_scan_threads 1;", "wallarm_scan_threads many;");
    nginx.wait_for_error("invalid value \"many\" in \"wallarm_scan_threads\"");
    nginx.get("FRONT", SQLI_TARGET);
    nginx.hit("sqli");
    assert_eq!(nginx.worker(), worker);
    nginx.reload("wallarm_scan_threads many;", "wallarm_scan_threads 2;");
    nginx.get("FRONT", "/");
    nginx.settled_after(2);
}

#[test]
fn reloads_under_load_lose_nothing_uncounted() {
    let mut nginx = Conf::same_instance().workers(2).start();
    let port = nginx.port("FRONT");
    let answered = std::thread::scope(|scope| {
        let clients = scope.spawn(|| (0..60).map(|_| load(port, 4, 25, &get("/"))).sum::<usize>());
        for _ in 0..3 {
            nginx.reload("wallarm_sink;", "wallarm_sink;");
        }
        clients.join().unwrap()
    });
    let status = nginx.settled();
    assert!(
        answered > 0 && status.count("seen") >= answered as u64,
        "{answered} answered, {status:?}"
    );
    nginx.stop(Signal::SIGTERM);
}

#[test]
fn an_upload_that_outlives_its_configuration_is_still_seen() {
    let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
    let old = nginx.worker();
    let body = crate::mirror_sink::FORM;
    let (first, rest) = body.split_at(10);
    let mut client = nginx.client("FRONT");
    let head = format!(
        "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{first}",
        body.len()
    );
    client.send(head.as_bytes());
    nginx.get("FRONT", "/");
    nginx.change("wallarm_scan_threads 1;", "wallarm_scan_threads 2;");
    let replaced =
        crate::harness::wait_for(|| nginx.workers().iter().any(|pid| *pid != old).then_some(()));
    assert!(replaced.is_some(), "no new worker");
    client.send(rest.as_bytes());
    assert_eq!(client.response().text(), "app");
    assert_eq!(nginx.hit("sqli").str("uri"), "/slow");
    let gone = crate::harness::wait_for(|| (!crate::harness::alive(old)).then_some(()));
    assert!(gone.is_some(), "the old worker stays");
    nginx.settled_after(2);
}

#[test]
fn event_ids_never_repeat() {
    let mut nginx = Conf::same_instance().start();
    for round in 0..3 {
        nginx.get("FRONT", SQLI_TARGET);
        nginx.get("FRONT", SQLI_TARGET);
        nginx.settled_after(2 * round + 2);
        nginx.reload("wallarm_sink;", "wallarm_sink;");
    }
    let mut ids: Vec<String> =
        nginx.hits("sqli", 6).iter().map(|event| event.str("event_id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "{ids:?}");
}
