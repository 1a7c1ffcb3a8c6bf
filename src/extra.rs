//! Bindings for what nginx-sys leaves out; declared in `build/extra.h`.

#![allow(unreachable_pub)] // bindgen declares everything `pub`

#[allow(dead_code, unused_imports)] // what is needed depends on NGINX's features and modules
mod generated {
    include!(concat!(env!("OUT_DIR"), "/extra.rs"));
}

#[allow(unused_imports)] // without the features concerned there is nothing in it
pub(crate) use generated::*;
