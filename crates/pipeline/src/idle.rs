//! How long a polling thread sleeps when it finds nothing to do.

use std::thread;
use std::time::Duration;

/// Short sleeps at first, longer ones the longer nothing comes: a busy thread is quick and an idle one costs nothing.
#[derive(Default)]
pub(crate) struct Idle {
    waits: u32,
}

impl Idle {
    /// Sleeps; only the stop of the worker cuts it short.
    pub(crate) fn wait(&mut self) {
        thread::park_timeout(pause(self.waits));
        self.waits = self.waits.saturating_add(1);
    }

    /// There was something to do.
    pub(crate) fn reset(&mut self) {
        self.waits = 0;
    }
}

fn pause(waits: u32) -> Duration {
    Duration::from_micros(match waits {
        0..10 => 200,
        10..20 => 1_000,
        20..40 => 5_000,
        _ => 20_000,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_twenty_milliseconds() {
        assert_eq!(pause(0), Duration::from_micros(200));
        assert!((1..100).all(|n| pause(n) >= pause(n - 1)));
        assert_eq!(pause(u32::MAX), Duration::from_millis(20));
    }
}
