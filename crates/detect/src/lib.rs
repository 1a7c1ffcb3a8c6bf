//! Attack detection in one HTTP request: parse, decode, match, confirm, score. No I/O, no threads.
#![forbid(unsafe_code)]

pub mod limits;
pub mod request;
pub mod views;

pub use limits::{Budget, Limits, LimitsHit};
pub use request::{Header, Request, Scope};
pub use views::{Anomalies, DecoderSet, Field, Group, PointId, Views};
