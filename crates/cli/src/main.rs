//! `wallarm-mirror`: the engine of the module, offline.
#![forbid(unsafe_code)]

fn main() {}
