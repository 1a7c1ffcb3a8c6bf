//! The bodies of the fuzz targets. They panic when something does not hold that must hold for every input.
//!
//! The tests of `crates/detect` include this file and run each target over seeds, so it may use nothing but that crate's public
//! interface and what both manifests name.
#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    reason = "a library here and a module of tests there; a panic is a finding"
)]

mod bodies;
mod check;
mod requests;
mod values;

pub use bodies::{compressed, json, multipart, xml};
pub use requests::engine;
pub use values::{decode, values};

/// A target: takes any bytes.
pub type Target = fn(&[u8]);
