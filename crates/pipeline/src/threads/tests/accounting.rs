//! Every request and every event ends in exactly one counter.

use super::*;
use crate::counters::claim;
use crate::CaptureId;

#[test]
fn under_stress_every_request_is_counted_once() {
    let config = Config { queue_size: 3, arenas: 5, event_queue: 2, ..config() };
    let mut bench = bench("stress", &config);
    let mut rng = 0x2545_f491_4f6c_dd1d_u64;
    for n in 0..20_000_u64 {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        let uri = match rng % 8 {
            0 => format!("/panic/{n}"),
            1 => format!("/attack/{n}"),
            _ => format!("/{n}"),
        };
        if n % 64 == 0 {
            thread::sleep(Duration::from_micros(300));
            bench.rules.seen.lock().unwrap().clear();
        }
        let Some(mut draft) = bench.intake.begin(Kind::Whole) else { continue };
        if draft.line(line(&uri)).is_err() || draft.header(b"a", &[b'x'; 200]).is_err() {
            continue;
        }
        if rng % 3 == 0 {
            draft.body(&vec![b'b'; (rng >> 20) as usize % 1500]);
        }
        let key = (rng % 5 == 0).then_some(rng >> 8);
        let _ = draft.submit(meta(), key);
    }
    let settled = bench.settle();
    assert_eq!(settled.seen, 20_000);
    assert!(settled.scanned > 0 && settled.dropped.panic > 0, "{settled:?}");
    assert!(settled.dropped.queue_full + settled.dropped.no_arena > 0, "{settled:?}");
    assert_eq!(settled.panics, settled.dropped.panic);
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.threads_left, totals.counted.dropped.exit), (0, 0));
    assert_eq!(totals.counted.events, 2 * totals.counted.attacks);
    assert_eq!(totals.counted.events_written, events.len() as u64);
}

#[test]
fn suspect_requests_are_scanned_and_make_no_event() {
    let mut bench = bench("suspect", &config());
    ["/", "/suspect/1", "/attack", "/suspect/2"].iter().for_each(|uri| bench.insist(uri));
    assert!(bench.send_kind("/suspect/body", Kind::Body(CaptureId { seq: 0 })));
    let (totals, events) = bench.stop(LONG);
    let counted = totals.counted;
    assert_eq!((counted.scanned, counted.completions), (4, 1));
    assert_eq!((counted.suspects, counted.attacks, events.len()), (3, 1, 2));
    assert!(totals.to_string().contains("attacks 1, suspects 3, "), "{totals}");
}

#[test]
fn arenas_come_back_after_panics() {
    let config = Config { scan_threads: 1, arenas: 9, ..config() };
    let mut bench = bench("panics", &config);
    for n in 0..200 {
        bench.insist(&format!("/panic/{n}"));
        bench.insist(&format!("/{n}"));
    }
    let settled = bench.settle();
    assert_eq!((settled.scanned, settled.panics, settled.dropped.panic), (200, 200, 200));
    bench.stop(LONG);
}

#[test]
fn a_full_lane_drops_and_says_so() {
    let config = Config { scan_threads: 1, queue_size: 4, ..config() };
    let mut bench = bench("full", &config);
    let rules = Arc::clone(&bench.rules);
    let closed = rules.gate.lock().unwrap();
    assert!(bench.send("/wedge"));
    bench.wait_for_scan("/wedge");
    let taken = (0..10).filter(|n| bench.send(&format!("/{n}"))).count();
    assert_eq!(taken, 4);
    assert_eq!(bench.now().dropped.queue_full, 6);
    assert_eq!(bench.now().in_flight(), 5);
    drop(closed);
    assert_eq!(bench.settle().scanned, 5);
    bench.stop(LONG);
}

#[test]
fn a_client_key_keeps_to_its_lane() {
    let config = Config { queue_size: 2, ..config() };
    let mut bench = bench("key", &config);
    let rules = Arc::clone(&bench.rules);
    let closed = rules.gate.lock().unwrap();
    let send = |bench: &mut Bench, uri: &str, key| {
        let mut draft = bench.intake.begin(Kind::Whole).unwrap();
        draft.line(line(uri)).unwrap();
        draft.submit(meta(), key).is_some()
    };
    assert!(send(&mut bench, "/wedge", Some(7)));
    bench.wait_for_scan("/wedge");
    assert!(send(&mut bench, "/1", Some(7)) && send(&mut bench, "/2", Some(9)));
    for _ in 0..2 * config.arenas {
        assert!(!send(&mut bench, "/3", Some(5)), "the lane of odd keys is full");
    }
    assert!(send(&mut bench, "/4", Some(8)), "the other lane is not");
    bench.wait_for_scan("/4");
    assert!(send(&mut bench, "/5", None), "without a key the emptier lane is taken");
    bench.wait_for_scan("/5");
    drop(closed);
    bench.settle();
    bench.stop(LONG);
}

#[test]
fn a_draft_that_is_given_up_counts_as_dropped() {
    let mut bench = bench("draft", &Config { arenas: 4, ..config() });
    for _ in 0..50 {
        let mut draft = bench.intake.begin(Kind::Head).unwrap();
        assert!(draft.header(b"a", &[0; 5000]).is_err(), "more than the slab holds");
    }
    assert_eq!(bench.intake.seq, 50);
    assert_eq!(bench.now().dropped.no_arena, 50);
    assert_eq!(bench.now().in_flight(), 0);
    assert!(bench.send("/"), "the arenas are back");
    bench.settle();
    bench.stop(LONG);
}

#[test]
fn a_thread_that_hangs_is_left_behind_and_counts_nothing_twice() {
    let config = Config { scan_threads: 1, ..config() };
    let mut bench = bench("wedge", &config);
    let rules = Arc::clone(&bench.rules);
    let slot = bench.slot;
    let closed = rules.gate.lock().unwrap();
    bench.insist("/attack/before");
    wait_until(slot, |now| now.events_written == 2);
    bench.insist("/wedge");
    bench.wait_for_scan("/wedge");
    (0..5).for_each(|n| bench.insist(&format!("/attack/{n}")));
    assert!(bench.send_kind("/body", Kind::Body(CaptureId { seq: 0 })));
    let shared = Arc::downgrade(&bench.threads.shared);
    let (totals, events) = bench.stop(Duration::from_millis(50));
    let counted = totals.counted;
    assert_eq!((counted.seen, counted.scanned, counted.dropped.exit), (7, 1, 6));
    assert_eq!((counted.body_dropped, events.len()), (1, 2));
    assert!(totals.threads_left > 0);
    assert!(totals.to_string().contains("threads left behind"), "{totals}");

    drop(closed);
    wait_until(slot, |_| shared.strong_count() == 0);
    let mut later = Snapshot::of(slot);
    later.detect_ns = counted.detect_ns;
    assert_eq!(later.workers, 1, "the next owner settles the slot");
    later.workers = counted.workers;
    assert_eq!(later, counted, "the thread counted after the stop");
}

#[test]
fn a_stop_without_time_counts_what_is_left() {
    for round in 0..30 {
        let mut bench = bench("hurry", &config());
        for n in 0..round * 4 {
            bench.send(&format!("/attack/{n}"));
        }
        let Bench { slot, intake, threads, log, .. } = bench;
        let shared = Arc::downgrade(&threads.shared);
        threads.stop(intake, Duration::ZERO);
        // Threads that were left behind may be between the ledger and the counter: nothing is asked before they are gone.
        wait_until(slot, |_| shared.strong_count() == 0);
        let now = Snapshot::of(slot);
        assert_eq!(now.seen, round * 4);
        assert_eq!(now.seen, now.scanned + now.dropped.total(), "{now:?}");
        assert_eq!(now.events, now.events_written + now.events_lost.total(), "{now:?}");
        let lines = std::fs::read_to_string(&log).unwrap().lines().count() as u64;
        assert!((now.events_written..=now.events).contains(&lines), "{lines} {now:?}");
        std::fs::remove_file(&log).unwrap();
    }
}

#[test]
fn a_stop_with_time_scans_and_writes_everything() {
    let mut bench = bench("drain", &config());
    (0..60).for_each(|n| bench.insist(&format!("/attack/{n}")));
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.scanned, totals.counted.dropped.exit), (60, 0));
    assert_eq!((totals.counted.attacks, events.len()), (60, 120));
    assert_eq!(totals.threads_left, 0);
}

#[test]
fn what_a_killed_worker_left_is_folded_by_the_next() {
    let mut bench = bench("killed", &Config { scan_threads: 1, ..config() });
    let rules = Arc::clone(&bench.rules);
    let closed = rules.gate.lock().unwrap();
    bench.insist("/attack");
    wait_until(bench.slot, |now| now.events_written == 2);
    bench.insist("/wedge");
    (0..3).for_each(|n| bench.insist(&format!("/{n}")));
    // The worker is dead now: nothing of it counts any more.
    bench.threads.shared.close(0, 0);
    assert_eq!(claim(std::slice::from_ref(bench.slot), 2, |_| false), Some(0));
    let now = bench.now();
    assert_eq!((now.seen, now.scanned, now.dropped.worker_died), (5, 1, 4));
    assert_eq!((now.in_flight(), now.events_queued()), (0, 0));
    drop(closed);
    let Bench { intake, threads, log, .. } = bench;
    threads.stop(intake, LONG);
    std::fs::remove_file(log).unwrap();
}

#[test]
fn totals_leave_out_what_former_owners_counted() {
    let slot: &'static Slot = Box::leak(Box::default());
    crate::counters::add(&slot.front.seen, 100);
    crate::counters::add(&slot.scan.scanned, 100);
    let mut bench = bench_on(slot, &config(), path("totals"), None);
    bench.insist("/attack");
    bench.settle();
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.seen, totals.counted.scanned), (1, 1));
    assert_eq!((totals.counted.attacks, totals.counted.events), (1, 0), "no log, no events");
    assert!(events.is_empty());
}

#[test]
fn every_thread_is_set_up_first() {
    static SET_UP: Mutex<Vec<ThreadKind>> = Mutex::new(Vec::new());
    let setup = |kind| {
        let name = thread::current().name().unwrap().to_owned();
        let expected = if kind == ThreadKind::Scan { "wallarm-scan-" } else { "wallarm-log" };
        assert!(name.starts_with(expected), "{name}");
        SET_UP.lock().unwrap().push(kind);
    };
    let context = Context {
        engine: Arc::new(wallarm_detect::Engine::builtin().unwrap()),
        limits: wallarm_detect::Limits::default(),
        node: "n".to_owned(),
        start_id: 1,
        slot: Box::leak(Box::default()),
        slot_index: 0,
        log: Some(append(&PathBuf::from("/dev/null"))),
    };
    let (intake, threads) = start(&config(), context, setup).unwrap();
    threads.stop(intake, LONG);
    let set_up = SET_UP.lock().unwrap();
    assert_eq!(set_up.iter().filter(|kind| **kind == ThreadKind::Scan).count(), 2);
    assert_eq!(set_up.iter().filter(|kind| **kind == ThreadKind::Writer).count(), 1);
}

#[test]
fn sizes_beyond_the_address_space_are_an_error() {
    let config = Config { arenas: usize::MAX / 256, ..config() };
    let shared = Arc::new(Shared::new(Box::leak(Box::default())));
    assert!(intake(&config, &shared).is_err());
}
