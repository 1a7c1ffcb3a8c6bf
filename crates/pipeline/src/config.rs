//! Sizes of a worker's pipeline and what it is started with.

use std::fs::File;
use std::sync::Arc;

use wallarm_detect::{Engine, Limits};

use crate::counters::Slot;

/// Pool sizes and limits of one worker process.
#[derive(Clone, Debug)]
pub struct Config {
    /// Scan threads, each with a lane of its own. At least 1.
    pub scan_threads: usize,
    /// Requests that may wait in one lane. At least 1.
    pub queue_size: usize,
    /// Bytes of one arena. At least 256.
    pub arena_size: usize,
    /// Arenas of the slab, for all lanes together. At least 1. Memory is touched only as it is used.
    pub arenas: usize,
    /// Bytes of a body that are captured and scanned; what follows is cut off.
    pub body_limit: usize,
    /// Temp-file bodies in flight at once, each of which holds a descriptor.
    pub body_files: usize,
    /// Bytes of temp-file bodies in flight at once. A longer file passes only while none is in flight.
    pub body_file_bytes: u64,
    /// Events that may wait for the writer.
    pub event_queue: usize,
    /// Events written per second; the excess is counted as lost. 0: no limit.
    pub event_rate: u32,
    /// Percentage of the log's file system that must stay free; below it events are counted as lost. 0: no check.
    pub min_free_percent: u8,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            scan_threads: 1,
            queue_size: 4096,
            arena_size: 8 << 10,
            arenas: 2048,
            body_limit: 1 << 20,
            body_files: 64,
            body_file_bytes: 256 << 20,
            event_queue: 512,
            event_rate: 1000,
            min_free_percent: 5,
        }
    }
}

/// What the threads of one worker work with.
pub struct Context {
    pub engine: Arc<Engine>,
    pub limits: Limits,
    /// Name of this node in events.
    pub node: String,
    /// Random number of this start, part of every event id.
    pub start_id: u64,
    /// This worker's counters; claimed with [`crate::counters::claim`].
    pub slot: &'static Slot,
    pub slot_index: u32,
    /// The attack log, opened for appending. None: attacks are counted, but no event is made.
    pub log: Option<File>,
}

/// What a thread is for; its name is `wallarm-scan-N` or `wallarm-log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadKind {
    Scan,
    Writer,
}
