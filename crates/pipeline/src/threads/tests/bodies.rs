//! Requests arrive at the rules as they were captured; what is cut or lost shows.

use std::io::Write;

use super::*;
use crate::CaptureId;

/// A body in which every position looks different from its neighbours.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 256) as u8).collect()
}

fn temp_file(name: &str, bytes: &[u8]) -> File {
    let path = path(name);
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(bytes).unwrap();
    file
}

impl Bench {
    fn seen(&self, uri: &str) -> Seen {
        self.settle();
        self.rules.seen.lock().unwrap().get(uri).unwrap().clone()
    }

    /// Captures a request with this body in memory; false if it was cut.
    fn send_body(&mut self, uri: &str, chunks: &[&[u8]]) -> bool {
        let mut draft = self.intake.begin(Kind::Whole).unwrap();
        draft.line(line(uri)).unwrap();
        let cut = chunks.iter().filter(|chunk| !draft.body(chunk)).count();
        draft.submit(meta(), None).unwrap();
        cut == 0
    }

    /// Captures a request with a body of which the first part is in memory. A permit must be free.
    fn send_file(&mut self, uri: &str, memory: &[u8], file: File, len: u64) {
        let mut draft = self.intake.begin(Kind::Whole).unwrap();
        draft.line(line(uri)).unwrap();
        assert!(draft.body(memory));
        let permit = draft.file_permit(len).expect("a permit is free");
        draft.body_file(file, len, permit);
        draft.submit(meta(), None).unwrap();
    }
}

#[test]
fn any_size_of_head_and_body_arrives_byte_for_byte() {
    let mut bench = bench("exact", &config());
    // From one byte on, the value ends at every place of its arena.
    let sizes = (0..300).map(|n| (n, n % 7)).chain([(1000, 1000), (3000, 4096), (0, 4096)]);
    for (seq, (value_len, body_len)) in sizes.enumerate() {
        let uri = format!("/{seq}");
        let (value, body) = (pattern(value_len), pattern(body_len));
        let mut draft = bench.intake.begin(Kind::Whole).unwrap();
        draft.line(line(&uri)).unwrap();
        draft.header(b"Empty", b"").unwrap();
        draft.header(b"Value", &value).unwrap();
        draft.header(b"", b"nameless").unwrap();
        assert!(body.chunks(17).all(|chunk| draft.body(chunk)));
        assert_eq!(draft.submit(meta(), None), Some(CaptureId { seq: seq as u64 }));
        let headers = vec![
            (b"Empty".to_vec(), Vec::new()),
            (b"Value".to_vec(), value),
            (Vec::new(), b"nameless".to_vec()),
        ];
        let expected = Seen { method: b"GET".to_vec(), headers, body, truncated: false };
        assert_eq!(bench.seen(&uri), expected, "{value_len} {body_len}");
    }
    assert_eq!(bench.settle().truncated, 0);
    bench.stop(LONG);
}

#[test]
fn a_body_is_cut_at_the_limit_and_counted_once() {
    let mut bench = bench("limit", &config());
    let body = pattern(5000);
    assert!(!bench.send_body("/cut", &[&body[..4000], &body[4000..4500], &body[4500..]]));
    let seen = bench.seen("/cut");
    assert_eq!((seen.body.as_slice(), seen.truncated), (&body[..4096], true));
    assert_eq!(bench.now().truncated, 1);

    assert!(bench.send_body("/whole", &[&body[..4096]]), "the limit itself fits");
    let seen = bench.seen("/whole");
    assert_eq!((seen.body.len(), seen.truncated), (4096, false));
    assert_eq!(bench.now().truncated, 1);
    bench.stop(LONG);
}

#[test]
fn a_body_is_cut_where_few_arenas_are_left() {
    let config = Config { arenas: 8, body_limit: 1 << 20, ..config() };
    let mut bench = bench("slab", &config);
    let body = pattern(10_000);
    assert!(!bench.send_body("/cut", &[&body]));
    let seen = bench.seen("/cut");
    assert!(seen.truncated && seen.body.len() > 1000, "{}", seen.body.len());
    assert_eq!(seen.body, body[..seen.body.len()]);
    assert_eq!(bench.now().truncated, 1);
    bench.stop(LONG);
}

#[test]
fn a_body_in_a_file_is_read_and_its_permit_given_back() {
    let mut bench = bench("file", &Config { body_files: 1, ..config() });
    let body = pattern(4500);
    for n in 0..20 {
        for (name, memory, file, truncated) in
            [("file", 0, 3000, false), ("both", 700, 3396, false), ("long", 700, 3800, true)]
        {
            let uri = format!("/{name}/{n}");
            let content = temp_file(&format!("body-{name}"), &body[memory..memory + file]);
            bench.send_file(&uri, &body[..memory], content, file as u64);
            let seen = bench.seen(&uri);
            let expected = &body[..(memory + file).min(4096)];
            assert_eq!((seen.body.as_slice(), seen.truncated), (expected, truncated), "{uri}");
        }
    }
    let now = bench.settle();
    assert_eq!((now.truncated, now.body_dropped), (20, 0));
    bench.stop(LONG);
}

#[test]
fn files_beyond_the_budget_are_refused_until_one_is_closed() {
    let mut bench = bench("permits", &Config { scan_threads: 1, body_files: 1, ..config() });
    let rules = Arc::clone(&bench.rules);
    let closed = rules.gate.lock().unwrap();
    bench.insist("/wedge");
    bench.wait_for_scan("/wedge");
    bench.send_file("/file", b"", temp_file("permit", b"0123456789"), 10);
    let mut draft = bench.intake.begin(Kind::Whole).unwrap();
    assert!(draft.file_permit(10).is_none(), "the file waits behind the request that hangs");
    draft.body_lost();
    draft.submit(meta(), None).unwrap();
    assert_eq!(bench.now().body_dropped, 1);
    drop(closed);
    bench.settle();
    assert!(bench.intake.begin(Kind::Whole).unwrap().file_permit(10).is_some());
    bench.stop(LONG);
}

#[test]
fn permits_come_back_from_panics_and_drafts_given_up() {
    let mut bench = bench("permits-back", &Config { body_files: 1, ..config() });
    for _ in 0..3 {
        bench.send_file("/panic", b"", temp_file("permit-back", b"abc"), 3);
        bench.settle();
        let mut draft = bench.intake.begin(Kind::Whole).unwrap();
        let permit = draft.file_permit(3).expect("given back by the scan");
        draft.body_file(temp_file("permit-back", b"abc"), 3, permit);
    }
    let now = bench.now();
    assert_eq!((now.panics, now.dropped.no_arena, now.body_dropped), (3, 3, 0));
    bench.stop(LONG);
}

#[test]
fn a_file_that_cannot_be_read_shows_in_the_event() {
    let mut bench = bench("unreadable", &config());
    bench.send_file("/attack/short", b"", temp_file("short", b"abc"), 10);
    bench.send_file("/attack/directory", b"ab", File::open("/").unwrap(), 10);
    assert_eq!(bench.seen("/attack/short").body, b"abc");
    assert_eq!(bench.seen("/attack/directory").body, b"ab");
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.body_dropped, events.len()), (2, 4));
    assert!(events.iter().all(|event| event.truncated == ["body"]));
}

#[test]
fn a_body_that_was_not_captured_shows_in_the_event() {
    let mut bench = bench("lost", &config());
    let mut draft = bench.intake.begin(Kind::Whole).unwrap();
    draft.line(line("/attack")).unwrap();
    draft.body_lost();
    draft.submit(meta(), None).unwrap();
    bench.settle();
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.truncated, totals.counted.body_dropped), (0, 1));
    assert_eq!(events[0].truncated, ["body"]);
}

#[test]
fn the_body_of_a_head_is_a_completion_under_its_id() {
    let mut bench = bench("completion", &config());
    bench.insist("/first");
    let mut draft = bench.intake.begin(Kind::Head).unwrap();
    draft.line(line("/head")).unwrap();
    let id = draft.submit(meta(), None).unwrap();
    let mut draft = bench.intake.begin(Kind::Body(id)).unwrap();
    draft.line(line("/attack/body")).unwrap();
    draft.header(b"Content-Type", b"text/plain").unwrap();
    assert!(draft.body(b"the body"));
    assert_eq!(draft.submit(meta(), None), Some(id));
    assert!(bench.send_kind("/panic/body", Kind::Body(id)));
    wait_until(bench.slot, |now| now.completions == 1 && now.panics == 1);
    assert_eq!(bench.seen("/attack/body").body, b"the body");
    assert_eq!(bench.intake.seq, id.seq + 1, "a completion takes no number");
    let (totals, events) = bench.stop(LONG);
    assert_eq!((totals.counted.seen, totals.counted.scanned), (2, 2));
    assert_eq!((totals.counted.completions, totals.counted.body_dropped), (1, 1));
    let ids: Vec<_> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids, ["0000000000000001-0-1-b0", "0000000000000001-0-1-b1"]);
}

#[test]
fn a_request_without_a_line_is_scanned_all_the_same() {
    let mut bench = bench("no-line", &config());
    let mut draft = bench.intake.begin(Kind::Whole).unwrap();
    draft.header(b"a", b"b").unwrap();
    draft.submit(meta(), None).unwrap();
    assert_eq!(bench.seen("").headers, [(b"a".to_vec(), b"b".to_vec())]);
    bench.stop(LONG);
}
