//! The numbered request files that are shared with the NGINX tests and the fuzzers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::{json, run};

fn request_files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "req"));
    files.sort();
    files
}

#[test]
fn each_request_file_has_exactly_the_expected_attacks() {
    let files = request_files();
    assert!(files.len() >= 25, "only {} request files", files.len());
    let arguments = files.iter().map(|path| path.to_str().unwrap());
    let outcome = run(&["scan"].into_iter().chain(arguments).collect::<Vec<_>>(), b"");
    let errors = outcome.stderr.lines().filter(|line| !line.ends_with(": suspect, no attack"));
    assert_eq!((outcome.status, errors.collect::<Vec<_>>()), (0, vec![]));

    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in outcome.stdout.lines().map(json) {
        let text = |name: &str| event[name].as_str().unwrap().to_owned();
        found.entry(text("request_id")).or_default().insert(text("type"));
    }
    let mut wrong = Vec::new();
    for path in files {
        let expected = std::fs::read_to_string(path.with_extension("expect")).unwrap();
        let expected: BTreeSet<String> = expected.lines().map(str::to_owned).collect();
        let found = found.remove(&format!("{}:1", path.display())).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}: {found:?}, expected {expected:?}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found.is_empty(), "more than one request in a file: {found:?}");
}

#[test]
fn request_files_are_numbered_without_gaps() {
    for (path, number) in request_files().iter().zip(1..) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{number:02}-")), "{name} is not number {number}");
    }
}
