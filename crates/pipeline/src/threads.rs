//! Start and stop of a worker's threads.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use crate::arena::{Return, Slab};
use crate::budget::FileBudget;
use crate::config::{Config, Context, ThreadKind};
use crate::counters::Snapshot;
use crate::detect::{Inspect, Rules};
use crate::intake::Intake;
use crate::lane::Lanes;
use crate::log::Log;
use crate::scan::{Scanner, Station};
use crate::shared::{Phase, Shared};
use crate::writer::{Rate, Reopened, Writer};

/// Neither the engine nor the encoder needs more, and an unbounded recursion ends sooner.
const STACK: usize = 1 << 20;
/// How often a stop looks whether threads have finished.
const POLL: Duration = Duration::from_millis(1);

/// The threads of a worker. Dropped without [`Threads::stop`] they go on until the intake is dropped, too.
pub struct Threads {
    shared: Arc<Shared>,
    scanners: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<()>>,
    reopened: Reopened,
    /// What the slot said at the start.
    base: Snapshot,
}

/// What this process did, from start to stop, for one line in the error log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    pub counted: Snapshot,
    /// Threads that did not finish in time and were left behind.
    pub threads_left: usize,
}

/// Starts the scan threads and, if there is a log, the writer. `setup` runs first in each of them.
///
/// # Errors
///
/// The sizes are too big for the address space, or a thread could not be started; those started before leave again.
pub fn start(
    config: &Config,
    context: Context,
    setup: fn(ThreadKind),
) -> io::Result<(Intake, Threads)> {
    let Context { engine, limits, node, start_id, slot, slot_index, log } = context;
    let shared = Arc::new(Shared::new(slot));
    let station = Station {
        shared: Arc::clone(&shared),
        rules: Box::new(Rules { engine, limits }) as Box<dyn Inspect>,
        node,
        start_id,
        slot_index,
        body_limit: config.body_limit,
    };
    start_with(config, station, log, setup)
}

/// [`start`] with any rules.
pub(crate) fn start_with(
    config: &Config,
    station: Station,
    log: Option<File>,
    setup: fn(ThreadKind),
) -> io::Result<(Intake, Threads)> {
    let shared = Arc::clone(&station.shared);
    let (intake, ends) = intake(config, &shared)?;
    let mut threads = Threads {
        base: Snapshot::of(shared.slot),
        shared,
        scanners: Vec::new(),
        writer: None,
        reopened: Reopened::default(),
    };
    let started = threads.spawn_all(config, station, ends, log, setup);
    if let Err(error) = started {
        threads.shared.enter(Phase::Leave);
        return Err(error);
    }
    Ok((intake, threads))
}

/// A scan thread's ends of its lane and of its return ring.
type End = (crossbeam_channel::Receiver<crate::job::Job>, Return);

fn intake(config: &Config, shared: &Arc<Shared>) -> io::Result<(Intake, Vec<End>)> {
    let lanes = config.scan_threads.max(1);
    let arenas = config.arenas.max(1);
    let size = config.arena_size.max(256);
    let bytes = arenas.checked_add(lanes).and_then(|n| n.checked_mul(size));
    // Only asks: the slab itself is taken zeroed, which does not touch it, but aborts if it fails.
    if bytes.is_none_or(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_err()) {
        return Err(io::Error::new(io::ErrorKind::OutOfMemory, "the arenas exceed the memory"));
    }
    let (slab, returns) = Slab::new(arenas, size, lanes);
    let (lanes, jobs) = Lanes::new(lanes, config.queue_size.max(1));
    let intake = Intake {
        slab,
        lanes,
        files: FileBudget::new(config.body_files, config.body_file_bytes),
        body_limit: config.body_limit,
        slot: shared.slot,
        // Never the same twice in a slot, which passes from process to process.
        seq: shared.slot.seen(),
        submitted: 0,
        completions: 0,
    };
    Ok((intake, jobs.into_iter().zip(returns).collect()))
}

impl Threads {
    fn spawn_all(
        &mut self,
        config: &Config,
        station: Station,
        ends: Vec<End>,
        log: Option<File>,
        setup: fn(ThreadKind),
    ) -> io::Result<()> {
        let station = Arc::new(station);
        let (to_writer, events) = bounded(config.event_queue.max(1));
        let reports = log.is_some();
        for (n, (jobs, arenas)) in ends.into_iter().enumerate() {
            let writer = reports.then(|| to_writer.clone());
            let scanner = Scanner::new(Arc::clone(&station), jobs, arenas, writer);
            let name = format!("wallarm-scan-{n}");
            self.scanners.push(spawn(name, ThreadKind::Scan, setup, move || scanner.run())?);
        }
        drop(to_writer);
        if let Some(file) = log {
            let writer = Writer {
                shared: Arc::clone(&self.shared),
                events,
                log: Log::new(file, config.min_free_percent),
                reopened: Arc::clone(&self.reopened),
                rate: Rate::new(config.event_rate, Instant::now()),
            };
            let name = "wallarm-log".to_owned();
            self.writer = Some(spawn(name, ThreadKind::Writer, setup, move || writer.run())?);
        }
        Ok(())
    }

    /// Hands the reopened log to the writer, which takes it before its next line and closes the old one.
    pub fn reopen(&self, log: File) {
        self.reopened.store(Some(log));
    }

    /// Stops the threads: they scan and write what is left as long as `wait` allows. Those that have finished are joined, the
    /// others are left behind; what did not end is counted as `dropped{exit}`, `events_lost{exit}` or `body_dropped`.
    pub fn stop(self, intake: Intake, wait: Duration) -> Totals {
        let end = Instant::now() + wait;
        self.enter(Phase::Drain);
        // A fifth of the time is the writer's.
        wait_for(end - wait / 5, || self.scanners.iter().all(JoinHandle::is_finished));
        self.enter(Phase::Quit);
        wait_for(end, || self.handles().all(JoinHandle::is_finished));
        self.enter(Phase::Leave);
        self.shared.close(intake.submitted, intake.completions);
        let Threads { shared, scanners, writer, base, .. } = self;
        let mut threads_left = 0;
        for handle in scanners.into_iter().chain(writer) {
            if handle.is_finished() {
                // It does not matter here whether it panicked.
                let _ = handle.join();
            } else {
                threads_left += 1;
            }
        }
        let counted = Snapshot::of(shared.slot) - base;
        if threads_left == 0 {
            // A thread that was left behind may still count: then the next owner settles the slot.
            shared.slot.release();
        }
        Totals { counted, threads_left }
    }

    fn enter(&self, phase: Phase) {
        self.shared.enter(phase);
        self.handles().for_each(|handle| handle.thread().unpark());
    }

    fn handles(&self) -> impl Iterator<Item = &JoinHandle<()>> {
        self.scanners.iter().chain(&self.writer)
    }
}

fn spawn(
    name: String,
    kind: ThreadKind,
    setup: fn(ThreadKind),
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).stack_size(STACK).spawn(move || {
        setup(kind);
        work();
    })
}

fn wait_for(end: Instant, done: impl Fn() -> bool) {
    while !done() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::sleep(left.min(POLL));
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { seen, scanned, attacks, suspects, events, events_written, .. } =
            self.counted;
        let (dropped, lost) = (self.counted.dropped.total(), self.counted.events_lost.total());
        write!(f, "seen {seen}, scanned {scanned}, dropped {dropped}, attacks {attacks}, ")?;
        write!(f, "suspects {suspects}, events {events}, written {events_written}, lost {lost}")?;
        if self.threads_left > 0 {
            write!(f, ", threads left behind {}", self.threads_left)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
