//! The NGINX module.
mod extra;
mod layout;
mod package;
