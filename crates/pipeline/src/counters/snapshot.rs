//! The counters at one moment, summed over workers, and their JSON text.

use std::ops::{AddAssign, Sub};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::Slot;

/// Requests that were not scanned, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    pub queue_full: u64,
    pub no_arena: u64,
    pub exit: u64,
    pub worker_died: u64,
    pub panic: u64,
}

impl Dropped {
    /// Requests dropped for any reason.
    pub fn total(&self) -> u64 {
        self.queue_full + self.no_arena + self.exit + self.worker_died + self.panic
    }
}

/// Events that were not written, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventsLost {
    pub queue_full: u64,
    pub rate: u64,
    pub disk: u64,
    pub write: u64,
    pub exit: u64,
}

impl EventsLost {
    /// Events lost for any reason.
    pub fn total(&self) -> u64 {
        self.queue_full + self.rate + self.disk + self.write + self.exit
    }
}

/// Counters of one worker or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub seen: u64,
    pub scanned: u64,
    pub dropped: Dropped,
    pub body_dropped: u64,
    pub truncated: u64,
    pub attacks: u64,
    pub suspects: u64,
    pub events: u64,
    pub events_written: u64,
    pub events_lost: EventsLost,
    pub bytes: u64,
    /// CPU time of the scan threads, nanoseconds.
    pub detect_ns: u64,
    pub panics: u64,
    pub bad_values: u64,
    pub completions: u64,
    /// Slots that a process owns.
    pub workers: u64,
}

/// What the status says besides the counters.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub node: &'a str,
    pub version: &'a str,
    pub start_id: u64,
    /// Now, seconds since the epoch.
    pub timestamp: u64,
}

#[derive(Serialize)]
struct Status<'a> {
    seen: u64,
    scanned: u64,
    dropped: Dropped,
    in_flight: u64,
    body_dropped: u64,
    truncated: u64,
    attacks: u64,
    suspects: u64,
    events: u64,
    events_written: u64,
    events_lost: EventsLost,
    bytes: u64,
    time_detect: f64,
    panics: u64,
    bad_values: u64,
    completions: u64,
    startid: u64,
    node: &'a str,
    version: &'a str,
    workers: u64,
    timestamp: u64,
}

impl Snapshot {
    /// The counters of one slot. Ends are read before beginnings, so that nothing seems to end twice.
    pub fn of(slot: &Slot) -> Self {
        let events_lost = EventsLost {
            queue_full: get(&slot.scan.lost_queue_full),
            rate: get(&slot.log.lost_rate),
            disk: get(&slot.log.lost_disk),
            write: get(&slot.log.lost_write),
            exit: get(&slot.log.lost_exit),
        };
        let events_written = get(&slot.log.written);
        let dropped = Dropped {
            queue_full: get(&slot.front.queue_full),
            no_arena: get(&slot.front.no_arena),
            exit: get(&slot.front.exit),
            worker_died: get(&slot.front.worker_died),
            panic: get(&slot.scan.panic),
        };
        let scanned = get(&slot.scan.scanned);
        Snapshot {
            seen: get(&slot.front.seen),
            scanned,
            dropped,
            body_dropped: get(&slot.front.body_dropped),
            truncated: get(&slot.front.truncated),
            attacks: get(&slot.scan.attacks),
            suspects: get(&slot.scan.suspects),
            events: get(&slot.scan.events),
            events_written,
            events_lost,
            bytes: get(&slot.scan.bytes),
            detect_ns: get(&slot.scan.detect_ns),
            panics: get(&slot.scan.panics),
            bad_values: get(&slot.front.bad_values),
            completions: get(&slot.scan.completions),
            workers: u64::from(get(&slot.pid) != 0),
        }
    }

    /// The counters of all workers together.
    pub fn sum(slots: &[Slot]) -> Self {
        let mut sum = Snapshot::default();
        for slot in slots {
            sum += Snapshot::of(slot);
        }
        sum
    }

    /// Requests that are captured and have not ended.
    pub fn in_flight(&self) -> u64 {
        self.seen.saturating_sub(self.scanned + self.dropped.total())
    }

    /// Events that wait for the writer.
    pub fn events_queued(&self) -> u64 {
        self.events.saturating_sub(self.events_written + self.events_lost.total())
    }

    /// The status page: one JSON object on one line, without a line end.
    pub fn to_json(&self, about: &About<'_>) -> String {
        let status = Status {
            seen: self.seen,
            scanned: self.scanned,
            dropped: self.dropped,
            in_flight: self.in_flight(),
            body_dropped: self.body_dropped,
            truncated: self.truncated,
            attacks: self.attacks,
            suspects: self.suspects,
            events: self.events,
            events_written: self.events_written,
            events_lost: self.events_lost,
            bytes: self.bytes,
            time_detect: self.detect_ns as f64 / 1e9,
            panics: self.panics,
            bad_values: self.bad_values,
            completions: self.completions,
            startid: about.start_id,
            node: about.node,
            version: about.version,
            workers: self.workers,
            timestamp: about.timestamp,
        };
        // Numbers and strings alone cannot fail to serialise.
        serde_json::to_string(&status).unwrap_or_default()
    }
}

impl AddAssign for Snapshot {
    fn add_assign(&mut self, other: Self) {
        *self = self.merge(&other, u64::wrapping_add);
    }
}

/// What was counted since `base`, which was taken of the same slot.
impl Sub for Snapshot {
    type Output = Self;

    fn sub(self, base: Self) -> Self {
        self.merge(&base, u64::saturating_sub)
    }
}

impl Snapshot {
    fn merge(&self, other: &Self, f: fn(u64, u64) -> u64) -> Self {
        let (a, b) = (&self.dropped, &other.dropped);
        let (x, y) = (&self.events_lost, &other.events_lost);
        Snapshot {
            seen: f(self.seen, other.seen),
            scanned: f(self.scanned, other.scanned),
            dropped: Dropped {
                queue_full: f(a.queue_full, b.queue_full),
                no_arena: f(a.no_arena, b.no_arena),
                exit: f(a.exit, b.exit),
                worker_died: f(a.worker_died, b.worker_died),
                panic: f(a.panic, b.panic),
            },
            body_dropped: f(self.body_dropped, other.body_dropped),
            truncated: f(self.truncated, other.truncated),
            attacks: f(self.attacks, other.attacks),
            suspects: f(self.suspects, other.suspects),
            events: f(self.events, other.events),
            events_written: f(self.events_written, other.events_written),
            events_lost: EventsLost {
                queue_full: f(x.queue_full, y.queue_full),
                rate: f(x.rate, y.rate),
                disk: f(x.disk, y.disk),
                write: f(x.write, y.write),
                exit: f(x.exit, y.exit),
            },
            bytes: f(self.bytes, other.bytes),
            detect_ns: f(self.detect_ns, other.detect_ns),
            panics: f(self.panics, other.panics),
            bad_values: f(self.bad_values, other.bad_values),
            completions: f(self.completions, other.completions),
            workers: f(self.workers, other.workers),
        }
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::add;

    #[test]
    fn status_names_every_counter() {
        let slots = [Slot::default(), Slot::default()];
        slots[1].pid.store(5, Ordering::Relaxed);
        for slot in &slots {
            add(&slot.front.seen, 9);
            add(&slot.scan.scanned, 5);
            add(&slot.front.queue_full, 1);
            add(&slot.scan.detect_ns, 250_000_000);
            add(&slot.scan.suspects, 3);
            add(&slot.scan.events, 2);
            add(&slot.log.lost_rate, 1);
            slot.count_bad_value();
        }
        let about = About { node: "edge \"1\"", version: "0.1.0", start_id: 7, timestamp: 1 };
        let status: serde_json::Value =
            serde_json::from_str(&Snapshot::sum(&slots).to_json(&about)).unwrap();
        let expected = serde_json::json!({
            "seen": 18, "scanned": 10, "in_flight": 6,
            "dropped": {"queue_full": 2, "no_arena": 0, "exit": 0, "worker_died": 0, "panic": 0},
            "body_dropped": 0, "truncated": 0, "attacks": 0, "suspects": 6, "events": 4, "events_written": 0,
            "events_lost": {"queue_full": 0, "rate": 2, "disk": 0, "write": 0, "exit": 0},
            "bytes": 0, "time_detect": 0.5, "panics": 0, "bad_values": 2, "completions": 0,
            "startid": 7, "node": "edge \"1\"", "version": "0.1.0", "workers": 1, "timestamp": 1
        });
        assert_eq!(status, expected);
    }

    #[test]
    fn a_reading_between_two_counters_never_goes_below_zero() {
        let snapshot = Snapshot { seen: 1, scanned: 2, ..Snapshot::default() };
        assert_eq!(snapshot.in_flight(), 0);
    }
}
