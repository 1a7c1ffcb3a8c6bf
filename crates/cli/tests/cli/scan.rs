//! `scan`

use serde_json::Value;

use crate::{file, json, run, HARMLESS, HOSTILE, SUSPECT};

fn events(stdout: &str) -> Vec<Value> {
    stdout.lines().map(json).collect()
}

fn has_point(event: &Value, point: &str) -> bool {
    event["points"].as_array().unwrap().iter().any(|known| known == point)
}

/// A HAR archive with a harmless and a hostile entry.
fn archive() -> String {
    let entry = |url: &str, more: &str| {
        format!(
            r#"{{"startedDateTime":"2024-05-06T07:08:09.010+02:00",{more}
            "request":{{"method":"POST","url":"https://a.example{url}","httpVersion":"HTTP/2",
            "headers":[{{"name":"content-type","value":"application/x-www-form-urlencoded"}}],
            "postData":{{"mimeType":"application/x-www-form-urlencoded",
            "text":"id=1'+union+select+password+from+users--+"}}}}}}"#
        )
    };
    let harmless = entry("/", "").replace("1'+union+select+password+from+users--+", "1");
    let hostile = entry("/b", r#""clientIPAddress":"203.0.113.9","#);
    format!("{{\"log\":{{\"entries\":[{harmless},{hostile}]}}}}")
}

#[test]
fn an_attack_is_an_event_with_what_is_known_offline() {
    let path = file("scan.req", HOSTILE);
    let outcome = run(&["scan", &path], b"");
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""));
    let events = events(&outcome.stdout);
    assert_eq!(events.len(), 1);
    let event = &events[0];
    for (name, expected) in [
        ("v", "1"),
        ("type", "\"sqli\""),
        ("cwe", "[89]"),
        ("host", "\"a.example\""),
        ("method", "\"GET\""),
        ("uri", "\"/item?id=1'+union+select+password+from+users--+\""),
        ("protocol", "\"HTTP/1.1\""),
        ("application", "-1"),
        ("body_bytes", "0"),
        ("queue_ms", "0"),
        ("truncated", "[]"),
        ("node", "\"wallarm-mirror\""),
    ] {
        assert_eq!(event[name], json(expected), "{name}");
    }
    assert!(has_point(event, "[get, 'id']"), "{}", event["points"]);
    assert_eq!(event["request_id"], format!("{path}:1"));
    assert!(event.get("remote_addr").is_none());
    assert!(event.get("response_status").is_none());
    assert!(event["score"].as_f64() >= event["threshold"].as_f64());
}

#[test]
fn exit_codes_are_those_of_grep() {
    let (hostile, harmless) = (file("hostile.req", HOSTILE), file("harmless.req", HARMLESS));
    let missing = "/nonexistent.req";
    let cases: [(&[&str], i32, usize); 6] = [
        (&[&hostile], 0, 1),
        (&[&harmless], 1, 0),
        (&[&harmless, &hostile], 0, 1),
        (&[missing], 2, 0),
        (&[missing, &hostile], 2, 1),
        (&[&harmless, missing], 2, 0),
    ];
    for (files, status, events) in cases {
        let outcome = run(&[&["scan"], files].concat(), b"");
        assert_eq!((outcome.status, outcome.stdout.lines().count()), (status, events), "{files:?}");
        let complaint = format!("wallarm-mirror: {missing}: ");
        assert_eq!(outcome.stderr.contains(&complaint), files.contains(&missing), "{files:?}");
    }
}

#[test]
fn suspect_requests_are_noted_without_an_event() {
    let path = file("suspect.req", [HARMLESS, SUSPECT].concat());
    let outcome = run(&["scan", &path], b"");
    assert_eq!((outcome.status, &*outcome.stdout), (1, ""));
    assert_eq!(outcome.stderr, format!("wallarm-mirror: {path}:4: suspect, no attack\n"));
}

#[test]
fn pipelined_requests_come_from_standard_input() {
    let stdin = [HARMLESS, HOSTILE, HARMLESS, HOSTILE].concat();
    for arguments in [&["scan"][..], &["scan", "-"], &["scan", "-f", "raw"]] {
        let outcome = run(arguments, stdin.as_bytes());
        assert_eq!(outcome.status, 0);
        let ids: Vec<_> = events(&outcome.stdout).iter().map(|e| e["request_id"].clone()).collect();
        assert_eq!(ids, ["(standard input):4", "(standard input):10"]);
    }
    let outcome = run(&["scan"], b"");
    assert_eq!((outcome.status, &*outcome.stdout), (1, ""));
}

#[test]
fn har_entries_carry_addresses_and_times() {
    let path = file("scan.har", archive());
    let outcome = run(&["scan", &path], b"");
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""));
    let events = events(&outcome.stdout);
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["request_id"], format!("{path}: entry 2"));
    assert_eq!(event["remote_addr"], "203.0.113.9");
    assert_eq!(event["time"], "2024-05-06T05:08:09.010Z");
    assert_eq!(event["host"], "a.example");
    assert_eq!(event["protocol"], "HTTP/2.0");
    assert_eq!(event["uri"], "/b");
    assert!(has_point(event, "[post, form_urlencoded, 'id']"), "{}", event["points"]);
    assert_eq!(event["body_bytes"], 41);
}

#[test]
fn corpus_lines_are_requests() {
    let line = |uri: &str| {
        format!(
            r#"{{"id":"x","label":"benign","method":"GET","uri":"{uri}","headers":[["Host","h"]],"body_b64":""}}"#
        )
    };
    let lines = format!("{}\n{}\n", line("/"), line("/?id=1'+union+select+password+from+users--+"));
    let path = file("scan.jsonl", lines);
    let outcome = run(&["scan", &path], b"");
    assert_eq!(outcome.status, 0);
    assert_eq!(events(&outcome.stdout)[0]["request_id"], format!("{path}:2"));
    let forced = run(&["scan", "--format", "raw", &path], b"");
    assert_eq!(forced.status, 2);
    assert!(forced.stderr.starts_with(&format!("wallarm-mirror: {path}:1: ")));
}

#[test]
fn chunked_bodies_are_scanned_without_their_chunks() {
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Transfer-Encoding: chunked\r\n\r\n7\r\nid=1'+u\r\n5\r\nnion+\r\n1c\r\nselect+password+from+users--\r\n0\r\n\r\n";
    let outcome = run(&["scan"], request.as_bytes());
    let events = events(&outcome.stdout);
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    assert_eq!(events[0]["body_bytes"], 40);
    assert!(has_point(&events[0], "[post, form_urlencoded, 'id']"), "{}", events[0]["points"]);
}

#[test]
fn cut_bodies_show_in_the_event() {
    let request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: 4000\r\n\r\nid=1'+union+select+password+from+users--+";
    let outcome = run(&["scan"], request.as_bytes());
    assert_eq!(outcome.status, 0);
    let truncated = events(&outcome.stdout)[0]["truncated"].clone();
    assert!(truncated.as_array().unwrap().contains(&json("\"body\"")), "{truncated}");
}

#[test]
fn errors_name_the_line_and_do_not_hide_events() {
    let path = file("broken.req", format!("{HOSTILE}GET / HTTP/1.1\r\nno colon\r\n\r\n"));
    let outcome = run(&["scan", &path], b"");
    assert_eq!((outcome.status, outcome.stdout.lines().count()), (2, 1));
    assert!(outcome.stderr.starts_with(&format!("wallarm-mirror: {path}:5: ")));
}

#[test]
fn own_rules_can_be_tried() {
    let rules = r#"
[[rule]]
id = 990001
name = "test-word"
attack = "scanner"
weight = 10
literals = ["zyxwvutsr"]
match = ["a zyxwvutsr b"]
no_match = ["zyxwvuts"]
"#;
    let own = file("own.toml", rules);
    let request = "GET /?a=zyxwvutsr HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(run(&["scan"], request.as_bytes()).status, 1);
    let outcome = run(&["scan", "--rules", &own], request.as_bytes());
    assert_eq!(events(&outcome.stdout)[0]["rules"], json("[990001]"));
    let bad = file("own-bad.toml", "[[rule]]\nid = 1\n");
    let outcome = run(&["scan", "--rules", &bad], request.as_bytes());
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.contains(&format!("{bad}:1: ")), "{}", outcome.stderr);
}
