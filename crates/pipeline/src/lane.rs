//! The lanes between the event loop and the scan threads: one bounded channel for each thread.
//!
//! The loop is the only sender. It never sends into the last two places of a channel, where it might have to wait for a
//! preempted receiver, and nobody ever blocks in `recv`, so that no send wakes a thread.

use crossbeam_channel::{bounded, Receiver, Sender};

use crate::job::Job;

pub(crate) struct Lanes {
    lanes: Vec<Sender<Job>>,
    /// Jobs that may wait in a lane.
    size: usize,
    /// Where the search for the least loaded lane begins, so that idle lanes take turns.
    turn: usize,
}

impl Lanes {
    pub(crate) fn new(lanes: usize, size: usize) -> (Self, Vec<Receiver<Job>>) {
        let (lanes, receivers) = (0..lanes).map(|_| bounded(size.saturating_add(2))).unzip();
        (Lanes { lanes, size, turn: 0 }, receivers)
    }

    /// True if no lane would take a job now.
    pub(crate) fn full(&self) -> bool {
        self.lanes.iter().all(|lane| lane.len() >= self.size)
    }

    /// The lane of `key`, or the least loaded one. None: it is full.
    pub(crate) fn choose(&mut self, key: Option<u64>) -> Option<&Sender<Job>> {
        let size = self.size;
        let lane = match key {
            Some(key) => self.lanes.get((key % self.lanes.len().max(1) as u64) as usize),
            None => self.least_loaded(),
        };
        lane.filter(|lane| lane.len() < size)
    }

    fn least_loaded(&mut self) -> Option<&Sender<Job>> {
        self.turn = if self.turn + 1 < self.lanes.len() { self.turn + 1 } else { 0 };
        let (before, after) = self.lanes.split_at_checked(self.turn)?;
        after.iter().chain(before).min_by_key(|lane| lane.len())
    }
}
