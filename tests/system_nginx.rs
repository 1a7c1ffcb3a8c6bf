//! The same source, built for the distribution's NGINX. These tests fail where there is none: `scripts/test` leaves
//! them out then.

use crate::harness::Binaries;
use crate::{mirror_sink, node};

fn check(behaviours: &[fn(Binaries)]) {
    let binaries = Binaries::system();
    behaviours.iter().for_each(|behaviour| behaviour(binaries.clone()));
}

#[test]
fn a_sink_of_the_same_instance_works() {
    check(&[
        mirror_sink::query,
        mirror_sink::memory_body,
        mirror_sink::temp_file_body,
        mirror_sink::chunked_body,
    ]);
}

#[test]
fn a_node_works() {
    check(&[node::attributes_to_the_client, node::reads_bodies]);
}
