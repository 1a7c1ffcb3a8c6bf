//! The numbered requests of tests/data, through NGINX: the same types as the engine gives without it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::Conf;

#[test]
fn numbered_requests_give_their_types() {
    let mut nginx = Conf::same_instance().start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|name| name == "req"));
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    let mut wrong = Vec::new();
    let mut known = 0;
    for (number, file) in files.iter().enumerate() {
        let status = nginx.ask("FRONT", &std::fs::read(file).unwrap()).status;
        nginx.settled_after(number as u64 + 1);
        let events = nginx.events();
        let found: BTreeSet<String> =
            events[known..].iter().map(|event| event.str("type").into()).collect();
        known = events.len();
        let expected = std::fs::read_to_string(file.with_extension("expect")).unwrap();
        let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
        if found != expected || status != 200 {
            wrong.push(format!("{}: {status}, {found:?} instead of {expected:?}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
