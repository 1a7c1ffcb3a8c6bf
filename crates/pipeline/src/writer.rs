//! The writer thread: takes events from the scan threads, encodes them and appends them to the attack log.
//!
//! It polls, as the scan threads do, and is the only one that a slow disk can stop.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, TryRecvError};
use crossbeam_utils::atomic::AtomicCell;

use crate::event::Event;
use crate::idle::Idle;
use crate::log::Log;
use crate::shared::{EventEnd, Phase, Shared};

/// A reopened log on its way to the writer. The event loop only swaps it in.
pub(crate) type Reopened = Arc<AtomicCell<Option<File>>>;

pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) events: Receiver<Box<Event>>,
    pub(crate) log: Log,
    pub(crate) reopened: Reopened,
    pub(crate) rate: Rate,
}

impl Writer {
    /// Works until the scan threads are gone and nothing is left to write, or until it is told to leave.
    pub(crate) fn run(mut self) {
        let mut idle = Idle::default();
        let mut line = Vec::new();
        while !self.shared.reached(Phase::Leave) {
            let next = self.events.try_recv();
            // After the event was taken: one of a request after the reopening must not go to the old file.
            if let Some(file) = self.reopened.take() {
                self.log.replace(file);
            }
            match next {
                Ok(event) => {
                    let end = self.write(&event, &mut line);
                    self.shared.end_event(end);
                    idle.reset();
                }
                Err(TryRecvError::Empty) => idle.wait(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    }

    fn write(&mut self, event: &Event, line: &mut Vec<u8>) -> EventEnd {
        if !self.rate.take(Instant::now()) {
            return EventEnd::Rate;
        }
        line.clear();
        match event.encode(line) {
            Ok(()) => self.log.append(line),
            Err(_) => EventEnd::Write,
        }
    }
}

/// Lets so many events pass each second, and as many at once after a quiet second.
pub(crate) struct Rate {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Rate {
    /// 0: no limit.
    pub(crate) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Rate { per_second, left: per_second, at: now }
    }

    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if self.per_second == 0.0 {
            return true;
        }
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + passed * self.per_second).min(self.per_second);
        let pass = self.left >= 1.0;
        if pass {
            self.left -= 1.0;
        }
        pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_rate_is_kept_over_any_time() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        let passed = |rate: &mut Rate, ms: u64, tries: usize| {
            let now = start + Duration::from_millis(ms);
            (0..tries).filter(|_| rate.take(now)).count()
        };
        assert_eq!(passed(&mut rate, 0, 100), 10, "a full second at once");
        assert_eq!(passed(&mut rate, 0, 100), 0);
        assert_eq!(passed(&mut rate, 550, 100), 5);
        assert_eq!(passed(&mut rate, 650, 100), 1);
        assert_eq!(passed(&mut rate, 60_000, 100), 10, "a pause saves up no more than a second");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let now = Instant::now();
        let mut rate = Rate::new(0, now);
        assert!((0..1000).all(|_| rate.take(now)));
    }

    #[test]
    fn a_reopened_log_is_swapped_without_a_lock() {
        assert!(AtomicCell::<Option<File>>::is_lock_free());
    }
}
