//! The NGINX module.
