//! Sizes of a worker's pipeline and what it is started with.

use std::fs::File;
use std::sync::Arc;

use wallarm_detect::{Engine, Limits};

use crate::counters::Slot;
use crate::job::Job;

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
            queue_size: 2048,
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

/// Most bytes of all arenas of a worker.
const ARENA_BYTES: usize = 4 << 30;
/// Most bytes of all lanes of a worker, which are resident from the start.
const LANE_BYTES: usize = 256 << 20;

impl Config {
    /// What is wrong with the sizes, worded to follow the names of the directives: a worker could not start with them.
    pub fn check(&self) -> Result<(), String> {
        let product = |a: usize, b: usize| a.saturating_mul(b);
        if product(self.arenas, self.arena_size) > ARENA_BYTES {
            return Err("\"wallarm_arenas\" times \"wallarm_arena_size\" exceeds 4 GiB".into());
        }
        let places = product(self.scan_threads, self.queue_size);
        if product(places, size_of::<Job>()) > LANE_BYTES {
            let most = LANE_BYTES / size_of::<Job>();
            return Err(format!(
                "\"wallarm_scan_threads\" times \"wallarm_queue_size\" exceeds {most}"
            ));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_a_worker_could_not_start_with_are_refused() {
        assert_eq!(Config::default().check(), Ok(()));
        let much = Config { arenas: 1 << 20, arena_size: 1 << 20, ..Config::default() };
        assert!(much.check().unwrap_err().contains("wallarm_arenas"));
        let long = Config { scan_threads: 64, queue_size: 1 << 20, ..Config::default() };
        assert!(long.check().unwrap_err().contains("wallarm_queue_size"));
        let absurd = Config { arenas: usize::MAX, ..Config::default() };
        assert!(absurd.check().is_err());
    }
}
