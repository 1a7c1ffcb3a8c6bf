//! Splits containers (target, query, form, cookie, multipart, JSON) into names and values.
//!
//! Every parser borrows from its input, reads it once and never fails: what is malformed yields the pieces that a lenient application
//! might see, and a note that it was malformed.

pub(crate) mod content_type;
pub(crate) mod entities;
pub(crate) mod graphql;
pub(crate) mod java;
pub(crate) mod json;
pub(crate) mod multipart;
pub(crate) mod pairs;
pub(crate) mod php;
pub(crate) mod protobuf;
pub(crate) mod structured;
pub(crate) mod target;
pub(crate) mod viewstate;
pub(crate) mod xml;

#[cfg(test)]
mod tests;
