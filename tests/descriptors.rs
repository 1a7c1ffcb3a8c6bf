//! Bodies in temporary files never take the descriptors that accepting connections needs.

use crate::harness::{form, get, load, Conf, Wedge};

#[test]
fn large_posts_leave_room_to_accept() {
    let mut nginx = Conf::same_instance()
        .main("worker_rlimit_nofile 128;")
        .http("client_max_body_size 2m; wallarm_scan_threads 1;")
        .start();
    let port = nginx.port("FRONT");
    let body = format!("text={}", "plain+words+".repeat(85_000));
    assert!(body.len() > 1_000_000);
    let wedge = Wedge::hold(nginx.thread("wallarm-scan"));
    // Everything that is handed over now stays in the queue, with its descriptor.
    assert_eq!(load(port, 4, 25, &form("/", &body)), 100);
    let status = nginx.status();
    assert!(status.count("body_dropped") > 0, "no body was left out: {status:?}");
    assert_eq!(load(port, 16, 4, &get("/")), 64, "connections were refused");
    drop(wedge);
    let status = nginx.settled_after(164);
    assert_eq!(status.count("scanned"), 164, "heads are scanned without their bodies: {status:?}");
    assert!(!nginx.error_log().contains("accept4"), "accept failed");
}

#[test]
fn no_body_file_is_kept_where_none_are_allowed() {
    let mut nginx = Conf::same_instance().http("wallarm_body_files 0;").start();
    let body = format!("text={}", "plain+words+".repeat(10_000));
    assert_eq!(nginx.ask("FRONT", &form(crate::harness::SQLI_TARGET, &body)).text(), "app");
    let event = nginx.hit("sqli");
    assert!(!event.list("truncated").is_empty(), "the missing body must show: {event:#?}");
    assert_eq!(nginx.settled_after(1).count("body_dropped"), 1);
}
