//! A wedged scanner and a full queue cost a client nothing: the next request of its connection is read at once.

use std::time::{Duration, Instant};

use crate::harness::{form, get, load, Client, Conf, Wedge};

/// Far above what a request takes, far below what waiting for a scanner that stands still would.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The time for two requests on one connection.
fn pair(port: u16, request: &[u8]) -> Duration {
    let mut client = Client::connect(port);
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(client.ask(request).status, 200);
    }
    start.elapsed()
}

#[test]
fn a_full_queue_delays_nothing() {
    let settings = "wallarm_scan_threads 1; wallarm_queue_size 64;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let port = nginx.port("FRONT");
    let wedge = Wedge::hold(nginx.thread("wallarm-scan-0"));
    assert_eq!(load(port, 2, 200, &get("/")), 400);
    let status = nginx.status();
    assert!(status.count("dropped.queue_full") > 0, "the queue is not full: {status:?}");
    assert!(status.count("in_flight") > 0 && status.count("in_flight") <= 66, "{status:?}");
    status.assert_identity();

    let big = form("/", &format!("a={}", "b".repeat(50_000)));
    for request in [get("/"), form("/", "a=b"), big] {
        let fastest = (0..5).map(|_| pair(port, &request)).min().unwrap();
        assert!(fastest < AT_ONCE, "two requests took {fastest:?}");
    }
    drop(wedge);
    nginx.settled_after(400 + 3 * 5 * 2);
}

#[test]
fn an_empty_slab_delays_nothing() {
    let settings = "wallarm_scan_threads 1; wallarm_queue_size 1024; wallarm_arenas 32;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let port = nginx.port("FRONT");
    let wedge = Wedge::hold(nginx.thread("wallarm-scan-0"));
    assert_eq!(load(port, 2, 100, &get("/")), 200);
    let status = nginx.status();
    assert!(status.count("dropped.no_arena") > 0, "arenas are left: {status:?}");
    let fastest = (0..5).map(|_| pair(port, &form("/", "a=b"))).min().unwrap();
    assert!(fastest < AT_ONCE, "two requests took {fastest:?}");
    drop(wedge);
    nginx.settled_after(210);
}

#[test]
fn the_other_scanner_goes_on() {
    let settings = "wallarm_scan_threads 2; wallarm_queue_size 64;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let port = nginx.port("FRONT");
    let wedge = Wedge::hold(nginx.thread("wallarm-scan-0"));
    assert_eq!(load(port, 1, 100, &get("/")), 100);
    let moved = crate::harness::wait_for(|| (nginx.status().count("scanned") > 0).then_some(()));
    assert!(moved.is_some(), "{:?}", nginx.status());
    drop(wedge);
    nginx.settled_after(100);
}

#[test]
fn a_log_that_stands_still_delays_neither_clients_nor_scanners() {
    let mut nginx = Conf::same_instance().start();
    let port = nginx.port("FRONT");
    let wedge = Wedge::hold(nginx.thread("wallarm-log"));
    let attack = get(crate::harness::SQLI_TARGET);
    let mut answered = 0;
    for _ in 0..15 {
        answered += load(port, 2, 100, &attack) as u64;
    }
    assert_eq!(answered, 3000);
    let scanned = crate::harness::wait_for(|| {
        let status = nginx.status();
        (status.count("in_flight") == 0).then_some(())
    });
    assert!(scanned.is_some(), "the scanners wait for the log: {:?}", nginx.status());
    let fastest = (0..5).map(|_| pair(port, &attack)).min().unwrap();
    assert!(fastest < AT_ONCE, "two requests took {fastest:?}");
    drop(wedge);
    nginx.settled_after(answered + 10);
}
