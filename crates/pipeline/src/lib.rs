//! What happens to a captured request between the event loop and the attack log.
//!
//! The event loop owns an [`Intake`]: it copies a request into arenas of a fixed slab and pushes it into the lane of
//! a scan thread. Scan threads poll their lanes, run the engine, count, give the arenas back and hand events to one
//! writer thread. No call of the loop's side allocates, locks, enters the kernel or wakes a thread; no request is
//! ever lost without a counter saying why.
#![forbid(unsafe_code)]

mod arena;
mod budget;
mod clock;
mod config;
pub mod counters;
mod detect;
pub mod event;
mod idle;
mod intake;
mod job;
mod lane;
mod ledger;
mod log;
pub mod policy;
mod real_ip;
mod record;
pub mod report;
mod scan;
mod shared;
mod text;
mod threads;
mod writer;

pub use budget::FilePermit;
pub use config::{Config, Context, ThreadKind};
pub use intake::{Draft, Intake, NoArena};
pub use job::{CaptureId, Forced, Kind, Line, Meta, Peer};
pub use policy::{Cidr, CidrError, Policy, RealIp, RealIpHeader, Trusted};
pub use threads::{start, Threads, Totals};
