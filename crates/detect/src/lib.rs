//! Attack detection in one HTTP request: parse, decode, match, confirm, score. No I/O, no threads.
#![forbid(unsafe_code)]

pub mod attack;
mod confirm;
mod decode;
mod engine;
mod evidence;
mod explain;
mod judge;
pub mod limits;
pub mod matcher;
mod model;
mod parse;
pub mod request;
pub mod rules;
mod score;
mod tokens;
mod verdict;
pub mod views;

pub use attack::AttackType;
pub use engine::{Engine, Scratch};
pub use evidence::Evidence;
pub use explain::Explanation;
pub use limits::{Budget, Limits, LimitsHit};
pub use model::{Gram, Model, ModelError};
pub use request::{Header, Request, Scope};
pub use rules::{RuleError, RuleSet};
pub use verdict::{Hit, Verdict, SUSPECT};
pub use views::{Anomalies, DecoderSet, Field, Group, ParserSet, PointId, Views};
