//! The attack log through rotation, full disks and floods.

use super::*;

fn events(path: &Path) -> Vec<Event> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn after_a_reopen_events_go_to_the_new_file() {
    let mut bench = bench("reopen", &config());
    let old = path("reopen-old");
    bench.insist("/attack/1");
    wait_until(bench.slot, |now| now.events_written == 2);
    std::fs::rename(&bench.log, &old).unwrap();
    bench.insist("/attack/2");
    wait_until(bench.slot, |now| now.events_written == 4);
    bench.threads.reopen(append(&bench.log));
    bench.insist("/attack/3");
    wait_until(bench.slot, |now| now.events_written == 6);
    assert_eq!(events(&old).len(), 4, "a renamed file is written to until it is reopened");
    std::fs::remove_file(&old).unwrap();
    let (_, after) = bench.stop(LONG);
    let uris: Vec<_> = after.iter().map(|event| event.uri.as_str()).collect();
    assert_eq!(uris, ["/attack/3", "/attack/3"]);
}

#[test]
fn the_last_of_several_reopens_wins() {
    let mut bench = bench("reopens", &config());
    let others: Vec<_> = (0..20).map(|n| path(&format!("reopens-{n}"))).collect();
    others.iter().for_each(|other| bench.threads.reopen(append(other)));
    bench.threads.reopen(append(&bench.log));
    bench.insist("/attack");
    wait_until(bench.slot, |now| now.events_written == 2);
    assert_eq!(events(&bench.log).len(), 2);
    others.iter().for_each(|other| std::fs::remove_file(other).unwrap());
    bench.stop(LONG);
}

#[test]
fn a_full_disk_loses_events_and_nothing_else() {
    let full = append(Path::new("/dev/full"));
    let mut bench = bench_with(&config(), path("full-disk"), Some(full));
    bench.insist("/attack");
    wait_until(bench.slot, |now| now.events_lost.disk == 2);
    bench.threads.reopen(append(&bench.log));
    bench.insist("/attack");
    wait_until(bench.slot, |now| now.events_written == 2);
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.scanned, totals.counted.attacks, events.len()), (2, 2, 2));
}

#[test]
fn too_little_free_space_pauses_the_log() {
    let mut bench = bench("low", &Config { min_free_percent: 101, ..config() });
    bench.insist("/attack");
    wait_until(bench.slot, |now| now.events_lost.disk == 2);
    let (_, events) = bench.stop(LONG);
    assert!(events.is_empty());
}

#[test]
fn a_flood_of_events_is_cut_to_the_rate() {
    let mut bench = bench("rate", &Config { event_rate: 1, ..config() });
    (0..50).for_each(|n| bench.insist(&format!("/attack/{n}")));
    let (totals, events) = bench.stop(LONG);
    let counted = totals.counted;
    assert_eq!((counted.attacks, counted.events), (50, 100));
    assert!(counted.events_lost.rate > 0, "{counted:?}");
    assert_eq!(events.len() as u64, counted.events_written);
}

#[test]
fn two_workers_append_whole_lines_to_one_file() {
    let log = path("shared");
    let work = |log: PathBuf| {
        let mut bench = bench_with(&config(), path("shared-none"), Some(append(&log)));
        (0..200).for_each(|n| bench.insist(&format!("/attack/{n}")));
        bench.stop(LONG).0.counted.events_written
    };
    let workers = [log.clone(), log.clone()].map(|log| thread::spawn(move || work(log)));
    let written: u64 = workers.map(|worker| worker.join().unwrap()).iter().sum();
    assert_eq!(events(&log).len() as u64, written);
    std::fs::remove_file(&log).unwrap();
}
