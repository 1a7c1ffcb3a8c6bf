//! What the threads of a worker share, and the books they keep.
//!
//! `seen = scanned + dropped + in flight` and `events = written + lost + queued` hold at any time, because whatever ends
//! is entered in a [`Ledger`] first: [`Shared::close`] counts everything under way as dropped at exit, and a thread that was
//! left behind finds the books closed.

use std::sync::atomic::{AtomicU8, Ordering};

use crossbeam_channel::{Sender, TrySendError};

use crate::counters::{add, Slot};
use crate::event::Event;
use crate::job::Kind;
use crate::ledger::Ledger;

/// How far the stop of a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    Run,
    /// Scan threads leave once their lane is empty.
    Drain,
    /// Scan threads leave after the job at hand; the writer works on until they are gone and its queue is empty.
    Quit,
    /// Everybody leaves.
    Leave,
}

pub(crate) struct Shared {
    phase: AtomicU8,
    pub(crate) slot: &'static Slot,
    requests: Ledger,
    completions: Ledger,
    events_made: Ledger,
    events_ended: Ledger,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventEnd {
    Written,
    QueueFull,
    Rate,
    Disk,
    Write,
}

impl Shared {
    pub(crate) fn new(slot: &'static Slot) -> Self {
        Shared {
            phase: AtomicU8::new(Phase::Run as u8),
            slot,
            requests: Ledger::default(),
            completions: Ledger::default(),
            events_made: Ledger::default(),
            events_ended: Ledger::default(),
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    pub(crate) fn reached(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Acquire) >= phase as u8
    }

    /// Counts the end of a job. False: it was counted at exit already; count nothing more of it.
    #[must_use]
    pub(crate) fn end_job(&self, kind: Kind, panicked: bool) -> bool {
        let ledger = if kind.is_request() { &self.requests } else { &self.completions };
        if !ledger.enter() {
            return false;
        }
        let slot = self.slot;
        add(
            match (kind.is_request(), panicked) {
                (true, false) => &slot.scan.scanned,
                (true, true) => &slot.scan.panic,
                (false, false) => &slot.scan.completions,
                (false, true) => &slot.front.body_dropped,
            },
            1,
        );
        if panicked {
            add(&slot.scan.panics, 1);
        }
        true
    }

    /// Sends an event of a job that [`Shared::end_job`] counted.
    pub(crate) fn send(&self, writer: &Sender<Box<Event>>, event: Event) {
        add(&self.slot.scan.events, 1);
        if !self.events_made.enter() {
            add(&self.slot.log.lost_exit, 1);
            return;
        }
        match writer.try_send(Box::new(event)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.end_event(EventEnd::QueueFull),
            Err(TrySendError::Disconnected(_)) => self.end_event(EventEnd::Write),
        }
    }

    /// Counts the end of an event.
    pub(crate) fn end_event(&self, end: EventEnd) {
        if !self.events_ended.enter() {
            return;
        }
        let slot = self.slot;
        add(
            match end {
                EventEnd::Written => &slot.log.written,
                EventEnd::QueueFull => &slot.scan.lost_queue_full,
                EventEnd::Rate => &slot.log.lost_rate,
                EventEnd::Disk => &slot.log.lost_disk,
                EventEnd::Write => &slot.log.lost_write,
            },
            1,
        );
    }

    /// Counts everything that has not ended as dropped by the exit: of the jobs submitted (requests and completions) and of
    /// the events made.
    pub(crate) fn close(&self, submitted: u64, completions: u64) {
        let slot = self.slot;
        add(&slot.front.exit, submitted.saturating_sub(self.requests.close()));
        add(&slot.front.body_dropped, completions.saturating_sub(self.completions.close()));
        let made = self.events_made.close();
        add(&slot.log.lost_exit, made.saturating_sub(self.events_ended.close()));
    }
}
