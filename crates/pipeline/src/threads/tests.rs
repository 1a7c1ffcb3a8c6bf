//! The whole pipeline, with rules that do what the request target says.

mod accounting;
mod bodies;
mod log;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use wallarm_detect::{AttackType, Hit, ParserSet, Request, Scratch, Verdict};

use super::*;
use crate::counters::Slot;
use crate::event::Event;
use crate::job::{Forced, Kind, Line, Meta, Peer};

/// Long enough for any machine; no test waits for it to pass unless it fails.
const LONG: Duration = Duration::from_secs(60);

/// What the rules saw of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    method: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    truncated: bool,
}

/// Rules that hit, panic or hang, as the request target says.
#[derive(Default)]
struct Puppet {
    /// By request target.
    seen: Mutex<HashMap<String, Seen>>,
    /// Held by a test while `/wedge` shall hang.
    gate: Mutex<()>,
}

impl Inspect for Arc<Puppet> {
    fn inspect(&self, request: &Request<'_>, _: ParserSet, _: &mut Scratch) -> Verdict {
        let uri = String::from_utf8(request.uri.to_vec()).unwrap();
        let headers = request.headers.iter().map(|h| (h.name.to_vec(), h.value.to_vec())).collect();
        let seen = Seen {
            method: request.method.to_vec(),
            headers,
            body: request.body.to_vec(),
            truncated: request.body_truncated,
        };
        self.seen.lock().unwrap().insert(uri.clone(), seen);
        if uri.starts_with("/panic") {
            std::panic::resume_unwind(Box::new("a scan panics"));
        }
        if uri.starts_with("/wedge") {
            let _open = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        }
        let mut verdict = Verdict::default();
        if uri.starts_with("/attack") {
            verdict.hits = vec![hit(AttackType::Sqli), hit(AttackType::Xss)];
        }
        verdict.suspect = uri.starts_with("/suspect");
        verdict
    }
}

fn hit(attack: AttackType) -> Hit {
    Hit {
        attack,
        points: Vec::new(),
        payloads: Vec::new(),
        points_cut: false,
        payloads_cut: false,
        decoders: Vec::new(),
        rules: Vec::new(),
        indicators: Vec::new(),
        score: 10.0,
        threshold: 10.0,
    }
}

/// A worker's pipeline under test.
struct Bench {
    slot: &'static Slot,
    rules: Arc<Puppet>,
    intake: Intake,
    threads: Threads,
    log: PathBuf,
}

fn config() -> Config {
    Config {
        scan_threads: 2,
        queue_size: 64,
        arena_size: 256,
        arenas: 64,
        body_limit: 4096,
        body_files: 4,
        event_rate: 0,
        min_free_percent: 0,
        ..Config::default()
    }
}

fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

/// A path of its own for each test.
fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("wallarm-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn bench(name: &str, config: &Config) -> Bench {
    let log = path(name);
    let file = append(&log);
    bench_with(config, log, Some(file))
}

fn bench_with(config: &Config, log: PathBuf, file: Option<File>) -> Bench {
    bench_on(Box::leak(Box::default()), config, log, file)
}

fn bench_on(slot: &'static Slot, config: &Config, log: PathBuf, file: Option<File>) -> Bench {
    slot.pid.store(1, Ordering::Relaxed);
    let rules = Arc::new(Puppet::default());
    let station = Station {
        shared: Arc::new(Shared::new(slot)),
        rules: Box::new(Arc::clone(&rules)),
        node: "test".to_owned(),
        start_id: 1,
        slot_index: 0,
        body_limit: config.body_limit,
    };
    let (intake, threads) = start_with(config, station, file, |_| {}).unwrap();
    Bench { slot, rules, intake, threads, log }
}

fn meta() -> Meta {
    Meta {
        time_ms: 0,
        queued_ms: 0,
        peer: Peer::Unix,
        peer_rewritten: false,
        proxy_protocol: None,
        server: Peer::Unix,
        forced: Forced::default(),
        application: -1,
        body_absent: false,
        from_mirror: true,
        policy: Arc::default(),
    }
}

fn line(uri: &str) -> Line<'_> {
    Line {
        method: b"GET",
        uri: uri.as_bytes(),
        protocol: b"HTTP/1.1",
        host: b"h",
        request_id: b"r",
    }
}

impl Bench {
    /// Hands in a request line alone; true if it was taken.
    fn send(&mut self, uri: &str) -> bool {
        self.send_kind(uri, Kind::Whole)
    }

    fn send_kind(&mut self, uri: &str, kind: Kind) -> bool {
        let Some(mut draft) = self.intake.begin(kind) else { return false };
        draft.line(line(uri)).is_ok() && draft.submit(meta(), None).is_some()
    }

    /// Hands a request in as soon as there is room for it.
    fn insist(&mut self, uri: &str) {
        wait_until(self.slot, |now| now.in_flight() < 8);
        assert!(self.send(uri), "{uri}: {:?}", self.now());
    }

    /// Waits until the rules have seen a request.
    fn wait_for_scan(&self, uri: &str) {
        wait_until(self.slot, |_| self.rules.seen.lock().unwrap().contains_key(uri));
    }

    fn now(&self) -> Snapshot {
        Snapshot::of(self.slot)
    }

    /// Waits until nothing is in flight.
    fn settle(&self) -> Snapshot {
        wait_until(self.slot, |now| now.in_flight() == 0);
        self.now()
    }

    /// Stops and checks the books. Returns the events of the log as well.
    fn stop(self, wait: Duration) -> (Totals, Vec<Event>) {
        let Bench { slot, intake, threads, log, .. } = self;
        let totals = threads.stop(intake, wait);
        let counted = totals.counted;
        assert_eq!(counted.seen, counted.scanned + counted.dropped.total(), "{counted:?}");
        assert_eq!(counted.events, counted.events_written + counted.events_lost.total());
        assert_eq!(slot.pid.load(Ordering::Relaxed) == 0, totals.threads_left == 0);
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let _ = std::fs::remove_file(&log);
        (totals, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

fn wait_until(slot: &Slot, mut done: impl FnMut(&Snapshot) -> bool) {
    let end = Instant::now() + LONG;
    while !done(&Snapshot::of(slot)) {
        assert!(Instant::now() < end, "never happened: {:?}", Snapshot::of(slot));
        thread::sleep(Duration::from_micros(200));
    }
}
