//! Which processes have threads, and how each of them ends.

use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::harness::{
    alive, children, get, is_single_threaded, load, named_threads, title, wait_for, Conf, Nginx,
    Wedge, SQLI_TARGET,
};

/// The number behind `name` in the line of totals that an exiting worker logs.
fn total(nginx: &Nginx, name: &str) -> u64 {
    let log = nginx.error_log();
    let line = log.lines().rev().find(|line| line.contains("wallarm: ") && line.contains("seen"));
    let line = line.unwrap_or_else(|| panic!("no totals in the error log"));
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let at = words.iter().position(|word| *word == name);
    let at = at.unwrap_or_else(|| panic!("no {name:?} in {line:?}"));
    words[at + 1].parse().unwrap()
}

/// Stops under load and checks that the worker's last line accounts for every answered request.
fn stops_under_load(signal: Signal) {
    let mut nginx = Conf::same_instance().http("wallarm_queue_size 64;").start();
    let port = nginx.port("FRONT");
    let answered = std::thread::scope(|scope| {
        let clients = scope.spawn(|| load(port, 8, 5000, &get(SQLI_TARGET)));
        let busy = wait_for(|| (nginx.status().count("seen") > 200).then_some(()));
        assert!(busy.is_some());
        nginx.stop(signal);
        clients.join().unwrap()
    });
    let seen = total(&nginx, "seen");
    assert!(seen >= answered as u64, "{answered} answered, {seen} seen");
    assert_eq!(seen, total(&nginx, "scanned") + total(&nginx, "dropped"));
}

#[test]
fn quits_under_load_with_every_request_counted() {
    stops_under_load(Signal::SIGQUIT);
}

#[test]
fn terminates_under_load_with_every_request_counted() {
    stops_under_load(Signal::SIGTERM);
}

/// A worker waits half a second for threads that do not end; a loaded machine may add as much again, and more.
const IN_TIME: Duration = Duration::from_millis(1500);

/// How long the one worker lives on after `signal`; returns when the master has ended, too.
fn time_to_end(nginx: &mut Nginx, signal: Signal) -> Duration {
    let worker = nginx.worker();
    let start = Instant::now();
    nginx.signal(signal);
    let ended = wait_for(|| (!alive(worker)).then(|| start.elapsed()));
    nginx.wait_for_exit();
    ended.expect("the worker does not end")
}

#[test]
fn exits_in_time_when_a_scan_thread_stands_still() {
    for signal in [Signal::SIGQUIT, Signal::SIGTERM] {
        let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
        let wedge = Wedge::hold(nginx.thread("wallarm-scan"));
        for _ in 0..10 {
            nginx.get("FRONT", SQLI_TARGET);
        }
        let took = time_to_end(&mut nginx, signal);
        assert!(took < IN_TIME, "{signal} took {took:?}");
        assert_eq!(total(&nginx, "seen"), 10);
        assert_eq!(total(&nginx, "scanned") + total(&nginx, "dropped"), 10);
        drop(wedge);
    }
}

#[test]
fn exits_in_time_when_the_writer_stands_still() {
    let mut nginx = Conf::same_instance().start();
    let wedge = Wedge::hold(nginx.thread("wallarm-log"));
    nginx.get("FRONT", SQLI_TARGET);
    let took = time_to_end(&mut nginx, Signal::SIGTERM);
    assert!(took < IN_TIME, "took {took:?}");
    drop(wedge);
}

#[test]
fn writes_what_is_queued_before_it_quits() {
    let mut nginx = Conf::same_instance().start();
    let port = nginx.port("FRONT");
    assert_eq!(load(port, 1, 20, &get(SQLI_TARGET)), 20);
    nginx.stop(Signal::SIGQUIT);
    assert_eq!(nginx.events().len() as u64, total(&nginx, "scanned"));
}

#[test]
fn a_killed_workers_requests_are_counted_as_dropped() {
    let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
    let port = nginx.port("FRONT");
    nginx.get("FRONT", SQLI_TARGET);
    nginx.settled_after(1);
    let worker = nginx.worker();
    let wedge = Wedge::hold(nginx.thread("wallarm-scan"));
    assert_eq!(load(port, 1, 20, &get("/")), 20);
    nginx.expect_in_error_log("exited on signal 9");
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let replaced = wait_for(|| (!alive(worker) && nginx.workers().len() == 1).then_some(()));
    assert!(replaced.is_some(), "no new worker");
    drop(wedge);
    let status = nginx.settled_after(21);
    let died = status.count("dropped.worker_died");
    assert!(died > 0 && died <= 20, "{status:?}");
    nginx.get("FRONT", SQLI_TARGET);
    nginx.settled_after(22);
    nginx.hits("sqli", 2);
}

#[test]
fn helper_processes_have_no_threads() {
    let cache = "proxy_cache_path @DIR@/cache keys_zone=shop:1m;";
    let mut nginx = Conf::same_instance().http(cache).workers(2).start();
    let is_helper = |pid: &i32| title(*pid).is_some_and(|title| title.contains("cache"));
    let helpers = wait_for(|| {
        let found: Vec<i32> = children(nginx.pid()).into_iter().filter(is_helper).collect();
        (found.len() == 2).then_some(found)
    });
    let helpers = helpers.expect("a cache manager and a cache loader");
    for pid in helpers.into_iter().chain([nginx.pid()]) {
        assert!(is_single_threaded(pid), "{:?}", title(pid));
    }
    for pid in nginx.workers() {
        named_threads(pid, "wallarm-scan-", 1);
        named_threads(pid, "wallarm-log", 1);
    }
    nginx.get("FRONT", SQLI_TARGET);
    nginx.hit("sqli");
}

#[test]
fn starts_as_many_scan_threads_as_asked() {
    let nginx = Conf::same_instance().http("wallarm_scan_threads 3;").start();
    let names = ["wallarm-scan-0", "wallarm-scan-1", "wallarm-scan-2", "wallarm-log"];
    for name in names {
        named_threads(nginx.worker(), name, 1);
    }
    named_threads(nginx.worker(), "wallarm", names.len());
}

#[test]
fn works_in_a_single_process() {
    let mut nginx = Conf::same_instance().single_process().start();
    nginx.get("FRONT", SQLI_TARGET);
    nginx.hit("sqli");
    nginx.settled_after(1);
    named_threads(nginx.pid(), "wallarm-log", 1);
    nginx.stop(Signal::SIGQUIT);
    assert_eq!(total(&nginx, "seen"), 1);
}

#[test]
fn starts_without_an_http_block() {
    let mut nginx = Conf::without_http().start();
    assert!(is_single_threaded(nginx.worker()));
    nginx.signal(Signal::SIGHUP);
    nginx.wait_for_error("reconfiguring");
    nginx.stop(Signal::SIGTERM);
}

#[test]
fn has_no_threads_where_every_mode_is_off() {
    let server = "server { listen 127.0.0.1:@FRONT@; location / { return 200 app; } }
        server { listen 127.0.0.1:@NODE@; wallarm_mode off; location / { wallarm_sink; } }";
    let mut nginx = Conf::new(server).start();
    assert!(is_single_threaded(nginx.worker()));
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    assert_eq!(nginx.get("NODE", SQLI_TARGET).status, 204);
    assert_eq!(nginx.status().count("seen"), 0);
}

#[test]
fn serves_clients_where_the_memory_asked_for_is_not_to_be_had() {
    let settings = "wallarm_arenas 3000; wallarm_arena_size 1m;";
    let mut nginx = Conf::same_instance().http(settings).memory(1 << 30).start();
    nginx.expect_in_error_log("requests are not analysed by this process");
    let worker = nginx.worker();
    for _ in 0..3 {
        assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    }
    assert_eq!(nginx.worker(), worker, "the worker died");
    nginx.wait_for_error("requests are not analysed by this process");
}
