//! `seen = scanned + dropped + in_flight`, after whatever has happened.

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::harness::{alive, form, load, request, wait_for, Conf, Nginx, SQLI_TARGET};
use crate::mirror_sink::FORM;

const SETTINGS: &str = "wallarm_scan_threads 2; wallarm_queue_size 64; wallarm_arenas 256;";

/// Sends from many connections at once and gives the number of answers.
fn burst(nginx: &mut Nginx) -> u64 {
    let port = nginx.port("FRONT");
    load(port, 8, 50, &form(SQLI_TARGET, FORM)) as u64
}

#[test]
fn holds_after_load_reload_and_a_killed_worker() {
    let mut nginx = Conf::same_instance().http(SETTINGS).workers(2).start();
    let mut answered = burst(&mut nginx);
    assert_eq!(nginx.settled().count("seen"), answered);

    nginx.reload("wallarm_sink;", "wallarm_sink;");
    answered += burst(&mut nginx);
    assert_eq!(nginx.settled().count("seen"), answered);

    let worker = nginx.workers()[0];
    nginx.expect_in_error_log("exited on signal 9");
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let replaced = wait_for(|| (!alive(worker) && nginx.workers().len() == 2).then_some(()));
    assert!(replaced.is_some(), "no new worker");
    assert_eq!(nginx.settled().count("seen"), answered);

    answered += burst(&mut nginx);
    let status = nginx.settled();
    assert_eq!(status.count("seen"), answered);
    assert_eq!(status.count("panics"), 0);
    assert_eq!(status.count("events_written"), nginx.events().len() as u64);
}

#[test]
fn holds_when_workers_are_killed_under_load() {
    let mut nginx = Conf::same_instance().http(SETTINGS).workers(2).start();
    nginx.expect_in_error_log("exited on signal 9");
    let port = nginx.port("FRONT");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10 {
                load(port, 4, 50, &form(SQLI_TARGET, FORM));
            }
        });
        for _ in 0..3 {
            let worker = nginx.workers()[0];
            kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
            let replaced =
                wait_for(|| (!alive(worker) && nginx.workers().len() == 2).then_some(()));
            assert!(replaced.is_some(), "no new worker");
        }
    });
    let before = nginx.settled().count("seen");
    let answered = burst(&mut nginx);
    let status = nginx.settled();
    assert_eq!(status.count("seen"), before + answered);
}

#[test]
fn counts_suspect_requests_as_scanned_and_not_as_attacks() {
    let mut conf = Conf::same_instance();
    conf.replace(
        "location = /wallarm {",
        "location = /metrics { wallarm_status format=prometheus; } location = /wallarm {",
    );
    let mut nginx = conf.start();
    let suspect = request("GET", "/", &[("X-Note", "the file /etc/passwd")], b"");
    nginx.ask("FRONT", &suspect);
    nginx.get("FRONT", SQLI_TARGET);
    nginx.get("FRONT", "/");
    let status = nginx.settled_after(3);
    assert_eq!((status.count("scanned"), status.count("suspects")), (3, 1), "{status:?}");
    assert_eq!((status.count("attacks"), nginx.events().len()), (1, 1), "{status:?}");
    let text = nginx.get("FRONT", "/metrics").text();
    assert!(text.lines().any(|line| line == "wallarm_suspects_total 1"), "{text}");
}

#[test]
fn counts_bytes_attacks_and_time() {
    let mut nginx = Conf::same_instance().start();
    let answered = burst(&mut nginx);
    let status = nginx.settled_after(answered);
    assert_eq!(status.count("attacks"), status.count("scanned"));
    assert!(status.count("events") >= status.count("attacks"), "{status:?}");
    assert!(status.count("bytes") >= status.count("scanned") * FORM.len() as u64, "{status:?}");
    assert!(status.0["time_detect"].as_f64().unwrap() > 0.0, "{status:?}");
    assert!(status.count("timestamp") > 1_600_000_000, "{status:?}");
    for name in ["node", "version"] {
        assert!(status.0[name].is_string(), "{name}: {status:?}");
    }
}
