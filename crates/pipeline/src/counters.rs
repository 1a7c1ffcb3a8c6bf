//! The counters of one worker process, in memory that all workers share.
//!
//! Each process owns one [`Slot`] by its pid and only ever adds to it, so a slot may pass from process to process. What
//! is in flight is never stored: it is what was seen and has not ended. After a process died, that difference is what
//! died with it, and [`claim`] counts it so.

mod prometheus;
mod snapshot;

use std::sync::atomic::{AtomicU64, Ordering};

pub use snapshot::{About, Dropped, EventsLost, Snapshot};

/// Counters of one worker. All zero is a free slot with nothing counted. Aligned so that the event loop, the scan
/// threads and the writer do not write to the same or to adjacent cache lines.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub struct Slot {
    /// Owner of the slot; 0: none.
    pub pid: AtomicU64,
    pub(crate) front: Front,
    pub(crate) scan: Scan,
    pub(crate) log: Log,
}

/// Written by the event loop, at exit and by [`claim`].
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub(crate) struct Front {
    pub(crate) seen: AtomicU64,
    pub(crate) queue_full: AtomicU64,
    pub(crate) no_arena: AtomicU64,
    pub(crate) exit: AtomicU64,
    pub(crate) worker_died: AtomicU64,
    pub(crate) body_dropped: AtomicU64,
    pub(crate) truncated: AtomicU64,
    pub(crate) bad_values: AtomicU64,
}

/// Written by the scan threads.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) scanned: AtomicU64,
    pub(crate) panic: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) completions: AtomicU64,
    pub(crate) attacks: AtomicU64,
    pub(crate) suspects: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) lost_queue_full: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) detect_ns: AtomicU64,
}

/// Written by the writer thread, at exit and by [`claim`].
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) written: AtomicU64,
    pub(crate) lost_rate: AtomicU64,
    pub(crate) lost_disk: AtomicU64,
    pub(crate) lost_write: AtomicU64,
    pub(crate) lost_exit: AtomicU64,
}

impl Slot {
    /// Counts an empty or bad run-time value of a directive, for which a local one was taken.
    pub fn count_bad_value(&self) {
        add(&self.front.bad_values, 1);
    }

    /// Requests that all owners of this slot have seen.
    pub(crate) fn seen(&self) -> u64 {
        self.front.seen.load(Ordering::Acquire)
    }

    /// Gives the slot up. For its owner alone, once nothing of it counts any more.
    pub(crate) fn release(&self) {
        self.pid.store(0, Ordering::Release);
    }

    /// Takes the slot for `pid` if its owner `may_go`, and counts what that owner left in flight.
    fn take(&self, pid: u64, may_go: impl Fn(u64) -> bool) -> bool {
        let owner = self.pid.load(Ordering::Acquire);
        let taken = may_go(owner)
            && self.pid.compare_exchange(owner, pid, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if taken {
            self.fold();
        }
        taken
    }

    fn fold(&self) {
        let left = Snapshot::of(self);
        add(&self.front.worker_died, left.in_flight());
        add(&self.log.lost_exit, left.events_queued());
    }
}

/// Adds to a counter. Release: whoever reads the end of something has seen its beginning, too.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Release);
}

/// Claims a slot for the process `pid`, which calls this once, and folds what dead owners left in flight, in every slot,
/// into `dropped{worker_died}` and `events_lost{exit}`. `alive` tells whether a process exists. None: all slots belong
/// to living processes.
pub fn claim(slots: &[Slot], pid: u64, alive: impl Fn(u64) -> bool) -> Option<usize> {
    // A slot with our own pid is left from a dead process whose number was given to us.
    let stale = |owner: u64| owner != 0 && (owner == pid || !alive(owner));
    // Another process may hold a dead slot for a moment, to fold it.
    const TRIES: usize = 100;
    let index = (0..TRIES).find_map(|_| {
        let index = slots.iter().position(|slot| slot.take(pid, |o| o == 0 || stale(o)));
        index.or_else(|| {
            std::thread::yield_now();
            None
        })
    })?;
    for (other, slot) in slots.iter().enumerate() {
        if other != index && slot.take(pid, stale) {
            slot.release();
        }
    }
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(n: usize) -> Vec<Slot> {
        (0..n).map(|_| Slot::default()).collect()
    }

    fn check(slot: &Slot, died: u64) {
        let now = Snapshot::of(slot);
        assert_eq!(now.in_flight(), 0);
        assert_eq!(now.dropped.worker_died, died);
        assert_eq!(now.seen, now.scanned + now.dropped.total());
    }

    #[test]
    fn writers_do_not_share_cache_lines() {
        assert_eq!(size_of::<Slot>(), 512);
        assert_eq!(align_of::<Slot>(), 128);
    }

    #[test]
    fn free_slots_are_claimed_one_by_one() {
        let slots = slots(2);
        assert_eq!(claim(&slots, 10, |_| true), Some(0));
        assert_eq!(claim(&slots, 11, |_| true), Some(1));
        assert_eq!(claim(&slots, 12, |_| true), None);
        assert_eq!(slots[0].pid.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn what_a_dead_owner_left_is_counted_once() {
        let slots = slots(3);
        for (index, pid) in [(0, 20), (1, 21), (2, 22)] {
            slots[index].pid.store(pid, Ordering::Relaxed);
            add(&slots[index].front.seen, 10);
            add(&slots[index].scan.scanned, 4);
            add(&slots[index].front.queue_full, 1);
            add(&slots[index].scan.events, 3);
            add(&slots[index].log.written, 1);
        }
        assert_eq!(claim(&slots, 30, |pid| pid == 20), Some(1));
        assert_eq!(Snapshot::of(&slots[0]).in_flight(), 5, "a living worker keeps its own");
        check(&slots[1], 5);
        check(&slots[2], 5);
        assert_eq!(Snapshot::of(&slots[1]).events_lost.exit, 2);
        assert_eq!(slots[2].pid.load(Ordering::Relaxed), 0);
        assert_eq!(claim(&slots, 31, |_| true), Some(2));
        check(&slots[2], 5);
    }

    #[test]
    fn a_slot_of_the_own_pid_is_left_from_a_dead_process() {
        let slots = slots(1);
        slots[0].pid.store(7, Ordering::Relaxed);
        add(&slots[0].front.seen, 3);
        assert_eq!(claim(&slots, 7, |_| true), Some(0));
        check(&slots[0], 3);
    }

    #[test]
    fn racing_claims_get_different_slots_and_fold_once() {
        let slots = slots(8);
        for slot in &slots {
            slot.pid.store(1, Ordering::Relaxed);
            add(&slot.front.seen, 2);
        }
        let slots = &slots;
        let mut got: Vec<Option<usize>> = std::thread::scope(|scope| {
            let claims: Vec<_> = (100..108)
                .map(|pid| scope.spawn(move || claim(slots, pid, |owner| owner != 1)))
                .collect();
            claims.into_iter().map(|claim| claim.join().unwrap()).collect()
        });
        assert!(got.iter().all(Option::is_some), "there is a slot for each");
        got.sort_unstable();
        let claims = got.len();
        got.dedup();
        assert_eq!(got.len(), claims, "two processes own one slot");
        for slot in slots {
            check(slot, 2);
        }
    }
}
