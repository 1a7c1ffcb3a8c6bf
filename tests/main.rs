//! Starts real NGINX binaries with the module and checks what clients, operators and readers of the attack log see.
//! `scripts/build` makes the binaries; WALLARM_NGINX, WALLARM_MODULE, WALLARM_SYSTEM_NGINX and WALLARM_SYSTEM_MODULE
//! name others. One file per behaviour.

// A test reports by panicking.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod accounting;
mod conf_files;
mod descriptors;
mod directives;
mod guard;
mod harness;
mod keepalive;
mod lifecycle;
mod log;
mod mirror_sink;
mod node;
mod package;
mod parser_disable;
mod phases;
mod protocols;
mod realip;
mod reload;
mod requests;
mod scheduling;
mod seed_config;
mod status;
mod streaming;
mod system_nginx;
mod without_realip;
