//! Starts real NGINX binaries with the module and checks what clients, operators and readers of the attack log see.
//! `scripts/build` makes the binaries; WALLARM_NGINX, WALLARM_MODULE, WALLARM_SYSTEM_NGINX, WALLARM_SYSTEM_MODULE and
//! WALLARM_CLI name others. One file per behaviour.

// A test reports by panicking.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod harness;
