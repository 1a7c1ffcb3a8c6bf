//! The scan threads: take jobs in batches, run the engine, count, give the arenas back.

use std::os::unix::fs::FileExt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use crate::arena::Return;
use crate::clock::{coarse_ms, thread_cpu_ns};
use crate::counters::add;
use crate::detect::{Header, Inspect, Request, Scope, Scratch};
use crate::event::Event;
use crate::idle::Idle;
use crate::job::{BodyFile, Job, Kind};
use crate::record;
use crate::report::{events, flag_helpers, Origin};
use crate::shared::{Phase, Shared};

/// Jobs between two looks at the clock.
const BATCH: usize = 64;
/// A buffer that grew beyond this is not kept.
const KEPT_BUFFER: usize = 1 << 20;

/// What is the same for all scan threads of a worker.
pub(crate) struct Station {
    pub(crate) shared: Arc<Shared>,
    pub(crate) rules: Box<dyn Inspect>,
    pub(crate) node: String,
    pub(crate) start_id: u64,
    pub(crate) slot_index: u32,
    pub(crate) body_limit: usize,
}

pub(crate) struct Scanner {
    station: Arc<Station>,
    jobs: Receiver<Job>,
    arenas: Return,
    /// None: nobody reads events.
    writer: Option<Sender<Box<Event>>>,
    desk: Desk,
}

/// What a scan thread works with from job to job.
#[derive(Default)]
struct Desk {
    /// Records that are not in one piece.
    bytes: Vec<u8>,
    headers: Vec<Header<'static>>,
    scratch: Scratch,
}

/// What a scan found, besides the events.
#[derive(Default)]
struct Found {
    events: Vec<Event>,
    attack: bool,
    suspect: bool,
    bytes: u64,
    body_lost: bool,
}

impl Scanner {
    pub(crate) fn new(
        station: Arc<Station>,
        jobs: Receiver<Job>,
        arenas: Return,
        writer: Option<Sender<Box<Event>>>,
    ) -> Self {
        Scanner { station, jobs, arenas, writer, desk: Desk::default() }
    }

    /// Works until the worker stops. Never blocks in the channel: a waiting receiver would have to be woken by the event
    /// loop, at a hundred times the price of a send.
    pub(crate) fn run(mut self) {
        let mut idle = Idle::default();
        while !self.reached(Phase::Quit) {
            match self.jobs.try_recv() {
                Ok(job) => {
                    idle.reset();
                    self.batch(job);
                }
                Err(TryRecvError::Empty) if !self.reached(Phase::Drain) => idle.wait(),
                Err(_) => return,
            }
        }
    }

    fn batch(&mut self, first: Job) {
        let begun = thread_cpu_ns();
        self.process(first);
        for _ in 1..BATCH {
            if self.reached(Phase::Quit) {
                break;
            }
            let Ok(job) = self.jobs.try_recv() else { break };
            self.process(job);
        }
        add(&self.station.shared.slot.scan.detect_ns, thread_cpu_ns().saturating_sub(begun));
    }

    fn reached(&self, phase: Phase) -> bool {
        self.station.shared.reached(phase)
    }

    fn process(&mut self, mut job: Job) {
        let file = job.file.take();
        let (station, desk) = (&self.station, &mut self.desk);
        let reports = self.writer.is_some();
        let found = catch_unwind(AssertUnwindSafe(|| station.scan(desk, &job, file, reports)));
        self.arenas.give_back(job.chain);
        if found.is_err() {
            // Whatever the scan was in the middle of stays behind.
            self.desk = Desk::default();
        }
        let shared = &station.shared;
        if !shared.end_job(job.kind, found.is_err()) {
            return;
        }
        let Ok(found) = found else { return };
        let slot = shared.slot;
        add(&slot.scan.bytes, found.bytes);
        add(&slot.scan.attacks, u64::from(found.attack));
        add(&slot.scan.suspects, u64::from(found.suspect));
        add(&slot.front.body_dropped, u64::from(found.body_lost));
        if let Some(writer) = &self.writer {
            found.events.into_iter().for_each(|event| shared.send(writer, event));
        }
    }
}

impl Station {
    fn scan(&self, desk: &mut Desk, job: &Job, file: Option<BodyFile>, reports: bool) -> Found {
        let queue_ms = coarse_ms().saturating_sub(job.meta.queued_ms);
        let begun = Instant::now();
        let (bytes, body_lost) = self.record(&mut desk.bytes, job, file);
        let (head, body) = bytes.split_at_checked(job.head_len).unwrap_or((bytes, &[]));
        let (line, rest) = record::read_line(head);
        let mut headers = recycle(std::mem::take(&mut desk.headers));
        headers.extend(record::headers(rest));
        flag_helpers(&job.meta, &mut headers);
        let request = Request {
            method: line.method,
            uri: line.uri,
            protocol: line.protocol,
            headers: &headers,
            body,
            body_truncated: job.body_cut || body_lost,
            scope: match job.kind {
                Kind::Body(_) => Scope::Body,
                Kind::Head | Kind::Whole => Scope::Whole,
            },
        };
        let disabled = job.meta.policy.disabled;
        let verdict = self.rules.inspect(&request, disabled, &mut desk.scratch);
        let mut found = Found {
            attack: !verdict.hits.is_empty(),
            suspect: verdict.suspect,
            bytes: request.len() as u64,
            body_lost,
            ..Found::default()
        };
        if found.attack && reports {
            let origin = Origin {
                node: &self.node,
                start_id: self.start_id,
                slot: self.slot_index,
                seq: job.seq,
                meta: &job.meta,
                host: line.host,
                request_id: line.request_id,
                queue_ms,
                scan_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            };
            found.events = events(&origin, &request, &verdict);
        }
        desk.headers = recycle(headers);
        found
    }

    /// The record in one piece, and whether a part of the body could not be read. One arena is read in place.
    fn record<'a>(
        &self,
        buffer: &'a mut Vec<u8>,
        job: &'a Job,
        file: Option<BodyFile>,
    ) -> (&'a [u8], bool) {
        if let (None, Some(bytes)) = (&file, job.chain.single()) {
            return (bytes, false);
        }
        buffer.clear();
        buffer.shrink_to(KEPT_BUFFER);
        if !extend(buffer, job.chain.len()) {
            return (&[], true);
        }
        job.chain.copy_to(buffer);
        let room = self.body_limit.saturating_sub(buffer.len() - job.head_len);
        let lost = file.is_some_and(|file| !read(&file, room, buffer));
        (buffer, lost)
    }
}

/// Appends `n` zero bytes; false if memory is out, which must not end the worker.
fn extend(buffer: &mut Vec<u8>, n: usize) -> bool {
    let fits = buffer.try_reserve_exact(n).is_ok();
    if fits {
        buffer.resize(buffer.len() + n, 0);
    }
    fits
}

/// Appends at most `room` bytes of a body's file. False: some are missing.
fn read(body: &BodyFile, room: usize, buffer: &mut Vec<u8>) -> bool {
    let start = buffer.len();
    let want = usize::try_from(body.len).unwrap_or(usize::MAX).min(room);
    if !extend(buffer, want) {
        return false;
    }
    let mut got = 0;
    while let Some(place) = buffer.get_mut(start + got..).filter(|place| !place.is_empty()) {
        match body.file.read_at(place, got as u64) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    buffer.truncate(start + got);
    got == want
}

/// An empty vector for headers of another lifetime that keeps its memory.
fn recycle<'a>(mut headers: Vec<Header<'_>>) -> Vec<Header<'a>> {
    headers.clear();
    headers.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_recycled_with_their_memory() {
        let mut headers = Vec::with_capacity(100);
        headers.push(Header { name: b"a", value: b"b", helper: false });
        let place = headers.as_ptr() as usize;
        let recycled = recycle(headers);
        assert!(recycled.is_empty());
        assert_eq!((recycled.as_ptr() as usize, recycled.capacity()), (place, 100));
    }
}
