//! `explain`

use crate::{file, run, HARMLESS, HOSTILE, SUSPECT};

#[test]
fn every_request_is_explained() {
    let path = file("explain.req", format!("{HOSTILE}{HARMLESS}"));
    let outcome = run(&["explain", &path], b"");
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""));
    assert!(outcome.stdout.contains("request 1: GET /item?id=1\\'+union"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("request 2: GET /item?id=1&page=2"), "{}", outcome.stdout);
    let (first, second) = outcome.stdout.split_once("request 2:").unwrap();
    assert!(first.contains("sqli") && first.contains("[get, 'id']"), "{first}");
    assert!(!second.contains("sqli"), "{second}");
    assert!(first.contains("verdict: sqli;") && second.contains("verdict: clean;"), "{second}");
    let suspect = run(&["explain", "-"], SUSPECT.as_bytes()).stdout;
    assert!(suspect.contains("verdict: suspect, no attack;"), "{suspect}");
}

#[test]
fn standard_input_is_a_file_too() {
    let outcome = run(&["explain", "-"], HARMLESS.as_bytes());
    assert_eq!(outcome.status, 0);
    assert!(outcome.stdout.starts_with("request 1: GET "));
}

#[test]
fn bad_input_is_an_error_with_its_line() {
    let path = file("explain-bad.req", "GET / HTTP/1.1\r\nno colon\r\n\r\n");
    let outcome = run(&["explain", &path], b"");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.starts_with(&format!("wallarm-mirror: {path}:2: ")));
}
