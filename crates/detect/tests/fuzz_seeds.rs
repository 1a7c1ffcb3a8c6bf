//! Every fuzz target over the numbered requests and over pieces of them, so that what the targets assert holds and keeps compiling.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

/// The numbered requests, whole and without their heads. Bombs are left out: without optimisation they take a minute.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let small = |name: &str| name.ends_with(".req") && !name.contains("bomb");
    let requests = entries.filter(|path| path.to_str().is_some_and(small));
    let mut seeds = vec![Vec::new()];
    for path in requests {
        let request = std::fs::read(path).unwrap();
        if let Some(at) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            seeds.push(request[at + 4..].to_vec());
        }
        seeds.push(request);
    }
    assert!(seeds.len() > 50, "only {} seeds", seeds.len());
    seeds.sort();
    seeds.dedup();
    seeds
}

fn each_seed(target: fuzz::Target) {
    for seed in seeds() {
        target(&seed);
        // Broken off: what is open stays open.
        target(&seed[..seed.len() / 2]);
    }
}

#[test]
fn whole_requests_hold_what_is_asserted() {
    each_seed(fuzz::engine);
}

#[test]
fn json_documents_hold_what_is_asserted() {
    each_seed(fuzz::json);
}

#[test]
fn xml_documents_hold_what_is_asserted() {
    each_seed(fuzz::xml);
}

#[test]
fn multipart_bodies_hold_what_is_asserted() {
    each_seed(fuzz::multipart);
}

#[test]
fn compressed_bodies_hold_what_is_asserted() {
    each_seed(fuzz::compressed);
}

#[test]
fn encoded_values_hold_what_is_asserted() {
    each_seed(fuzz::decode);
}

#[test]
fn values_hold_what_is_asserted() {
    each_seed(fuzz::values);
}
