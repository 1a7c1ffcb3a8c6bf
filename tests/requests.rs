//! The numbered requests of tests/data, through NGINX: the same types as the engine gives without it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::{wait_for, Conf, Event, Nginx, SQLI_TARGET as MARKER};

#[test]
fn numbered_requests_give_their_types() {
    let mut nginx = Conf::same_instance().http("wallarm_scan_threads 1;").start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|name| name == "req"));
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    let mut wrong = Vec::new();
    let mut known = 0;
    for file in &files {
        let status = nginx.ask("FRONT", &std::fs::read(file).unwrap()).status;
        let events = events_until_marker(&mut nginx, known);
        let found: BTreeSet<&str> =
            events.iter().filter(|e| e.str("uri") != MARKER).map(|e| e.str("type")).collect();
        known += events.len();
        let expected = std::fs::read_to_string(file.with_extension("expect")).unwrap();
        let expected: BTreeSet<&str> = expected.split_whitespace().collect();
        if found != expected || status != 200 {
            wrong.push(format!("{}: {status}, {found:?} instead of {expected:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The events after the first `known`, up to that of a marker: one scan thread keeps the order, so they are complete.
fn events_until_marker(nginx: &mut Nginx, known: usize) -> Vec<Event> {
    assert_eq!(nginx.get("FRONT", MARKER).status, 200);
    let events = wait_for(|| {
        let events = nginx.events().split_off(known);
        events.iter().any(|event| event.str("uri") == MARKER).then_some(events)
    });
    events.expect("the marker's event")
}
