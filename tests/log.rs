//! The attack log as a file: its lines, its rotation, and what it may not be.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::harness::{form, get, load, request, wait_for, Conf, Event, SQLI_TARGET, XSS};

/// Every field that an event has.
const TEXTS: &[&str] = &[
    "event_id",
    "node",
    "time",
    "request_id",
    "remote_addr",
    "server_addr",
    "host",
    "method",
    "uri",
    "protocol",
    "type",
    "request_head",
    "wallarm_mode",
];
const NUMBERS: &[&str] = &[
    "v",
    "startid",
    "remote_port",
    "server_port",
    "application",
    "score",
    "threshold",
    "body_bytes",
    "queue_ms",
    "scan_us",
];
const LISTS: &[&str] =
    &["points", "payloads", "decoders", "rules", "indicators", "truncated", "limits", "cwe"];

#[test]
fn an_event_is_one_flat_object_with_every_field() {
    let mut nginx = Conf::same_instance()
        .http("wallarm_application 7; wallarm_request_id $request_id;")
        .start();
    nginx.get("FRONT", SQLI_TARGET);
    let event = nginx.hit("sqli");
    let object = event.0.as_object().unwrap();
    for name in TEXTS {
        assert!(object[*name].is_string(), "{name}: {event:#?}");
    }
    for name in NUMBERS {
        assert!(object[*name].is_number(), "{name}: {event:#?}");
    }
    for name in LISTS {
        let list = object[*name].as_array().unwrap_or_else(|| panic!("{name}: {event:#?}"));
        assert!(list.iter().all(|item| item.is_string() || item.is_number()), "{name}: {event:#?}");
    }
    let known: BTreeSet<&str> = TEXTS.iter().chain(NUMBERS).chain(LISTS).copied().collect();
    let found: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    assert_eq!(found, known);
    assert_eq!(event.num("application"), 7);
    assert_eq!(event.str("wallarm_mode"), "monitoring");
    assert!(event.list("indicators").iter().all(|pair| pair.contains(':')), "{event:#?}");
}

#[test]
fn bytes_that_are_no_text_give_valid_lines() {
    let mut nginx = Conf::same_instance().start();
    let mut odd = b"GET /\xff\xfe?id=1'%20union%20select%20\x80password%20from%20users--%20- HTTP/1.1\r\nHost: \xc3\x28\r\n".to_vec();
    odd.extend_from_slice(b"User-Agent: \"\\\x01\xe2\x28\xa1\r\n\r\n");
    assert_eq!(nginx.ask("FRONT", &odd).status, 200);
    let event = nginx.hit("sqli");
    assert!(event.str("uri").starts_with("/\u{ff}\u{fe}?id=1'"), "{event:#?}");
    assert!(event.str("uri").contains("select%20\u{80}password"), "{event:#?}");
    nginx.get("FRONT", SQLI_TARGET);
    nginx.hits("sqli", 2);
}

#[test]
fn one_request_gives_one_event_per_type() {
    let mut nginx = Conf::same_instance().start();
    let target = format!(
        "{SQLI_TARGET}&a={}&b={}",
        "%3Cscript%3Ealert(document.cookie)%3C/script%3E",
        "1%27%20union%20select%20password%20from%20users--%20-"
    );
    nginx.ask("FRONT", &request("GET", &target, &[("X-Note", XSS)], b""));
    let (sqli, xss) = (nginx.hit("sqli"), nginx.hit("xss"));
    assert_eq!(sqli.request(), xss.request());
    for (event, point) in [
        (&sqli, "[get, 'id']"),
        (&sqli, "[get, 'b']"),
        (&xss, "[get, 'a']"),
        (&xss, "[header, 'X-NOTE']"),
    ] {
        assert!(event.list("points").contains(&point), "{event:#?}");
    }
    let status = nginx.settled_after(1);
    assert_eq!((status.count("attacks"), status.count("events")), (1, 2), "{status:?}");
}

#[test]
fn long_heads_are_cut_visibly() {
    let mut nginx = Conf::same_instance().http("large_client_header_buffers 4 32k;").start();
    let long = "a".repeat(20_000);
    nginx.ask("FRONT", &request("GET", SQLI_TARGET, &[("X-Long", &long)], b""));
    let event = nginx.hit("sqli");
    assert!(event.str("request_head").len() < 20_000);
    assert!(!event.list("truncated").is_empty(), "{event:#?}");
}

#[test]
fn usr1_moves_to_the_new_file() {
    let mut nginx = Conf::same_instance().workers(2).start();
    nginx.get("FRONT", SQLI_TARGET);
    nginx.hit("sqli");
    let old = nginx.dir().join("logs/attacks.1");
    std::fs::rename(nginx.attack_log(), &old).unwrap();
    nginx.signal(Signal::SIGUSR1);
    let reopened = wait_for(|| nginx.attack_log().exists().then_some(()));
    assert!(reopened.is_some(), "the log was not reopened");
    // Workers are told by the master one after the other: ask until each has moved.
    let port = nginx.port("FRONT");
    let moved = wait_for(|| {
        let before = Event::read(&old).len();
        load(port, 4, 5, &get(SQLI_TARGET));
        nginx.settled();
        (Event::read(&old).len() == before).then_some(())
    });
    assert!(moved.is_some(), "the old file still grows");
    let status = nginx.settled();
    let written = Event::read(&old).len() + nginx.events().len();
    assert_eq!(written as u64, status.count("events_written"));
    assert_eq!(status.sum("events_lost"), 0, "{status:?}");
}

#[test]
fn paths_that_could_block_are_refused() {
    let mut conf = Conf::same_instance();
    let fifo = conf.dir().join("logs/attacks.log");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let (passed, output) = conf.test();
    assert!(!passed);
    assert!(output.contains("wallarm_attack_log") && output.contains("regular file"), "{output}");
}

#[test]
fn a_rate_bounds_the_events_and_counts_the_rest() {
    let mut conf = Conf::same_instance();
    conf.replace("logs/attacks.log;", "logs/attacks.log rate=5/s;");
    let mut nginx = conf.start();
    let port = nginx.port("FRONT");
    assert_eq!(load(port, 2, 100, &get(SQLI_TARGET)), 200);
    let status = nginx.settled_after(200);
    assert!(status.count("events_lost.rate") > 0, "{status:?}");
    assert_eq!(status.count("events_written"), nginx.events().len() as u64);
}

#[test]
fn attacks_are_counted_where_the_log_is_off() {
    let mut conf = Conf::same_instance();
    conf.replace("wallarm_attack_log logs/attacks.log;", "wallarm_attack_log off;");
    let mut nginx = conf.start();
    nginx.get("FRONT", SQLI_TARGET);
    let status = nginx.settled_after(1);
    assert_eq!(status.count("attacks"), 1, "{status:?}");
    assert!(!nginx.attack_log().exists());
}

#[test]
fn workers_share_the_file_without_mixing_lines() {
    let mut nginx = Conf::same_instance().workers(4).http("wallarm_scan_threads 2;").start();
    let port = nginx.port("FRONT");
    let request = form(SQLI_TARGET, "comment=%3Cscript%3Ealert(document.cookie)%3C/script%3E");
    assert_eq!(load(port, 8, 40, &request), 320);
    let status = nginx.settled_after(320);
    let events = nginx.events();
    assert_eq!(events.len() as u64, status.count("events_written"));
    let ids: BTreeSet<&str> = events.iter().map(|event| event.str("event_id")).collect();
    assert_eq!(ids.len(), events.len(), "every event has an id of its own");
    assert!(events.iter().all(|event| matches!(event.0, Value::Object(_))));
}

#[test]
fn events_that_a_full_disk_refuses_are_counted() {
    let mut conf = Conf::same_instance();
    conf.replace("logs/attacks.log", "/dev/full");
    let mut nginx = conf.start();
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    let status = nginx.settled_after(1);
    assert_eq!((status.count("events"), status.count("events_written")), (1, 0), "{status:?}");
    assert_eq!(status.sum("events_lost"), 1, "{status:?}");
}
