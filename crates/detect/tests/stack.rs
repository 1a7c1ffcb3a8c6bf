//! However deep a request is nested, a scan needs little stack: nothing recurses over input.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "common/sample.rs"]
mod sample;

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::Compression;
use sample::Sample;
use wallarm_detect::{Engine, Limits, LimitsHit, Scratch};

/// An eighth of what a scan thread has.
const STACK: usize = 128 << 10;

/// Scans in a thread that has little stack; an overflow ends the process.
fn scan(engine: &Engine, kind: &str, coding: &str, uri: &str, body: Vec<u8>) -> LimitsHit {
    let headers = vec![("Content-Type", kind.to_owned()), ("Content-Encoding", coding.to_owned())];
    Sample { uri: uri.to_owned(), headers, body }.with(|request| {
        let run = || engine.scan(request, &Limits::default(), &mut Scratch::default()).limits;
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
            thread.unwrap().join().unwrap()
        })
    })
}

fn base64(text: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = text.to_vec();
    text.resize(text.len().next_multiple_of(3), b' ');
    let letters = text.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| LETTERS.get((bits >> shift) as usize & 63).copied().unwrap())
    });
    letters.map(char::from).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// `text` wrapped this often.
fn nested(text: &str, times: usize, wrap: impl Fn(&str) -> String) -> String {
    (0..times).fold(text.to_owned(), |text, _| wrap(&text))
}

#[test]
fn the_deepest_nesting_fits_into_a_small_stack() {
    let engine = Engine::builtin().unwrap_or_else(|error| panic!("{error}"));
    let json =
        |text: &str| format!("{{\"a\":[\"{}\"]}}", text.replace('\\', "\\\\").replace('"', "\\\""));
    let levels = usize::from(Limits::default().nesting) / 2;
    let depth = usize::from(Limits::default().depth);
    let cases: Vec<(&str, &str, &str, Vec<u8>, bool)> = vec![
        (
            "application/json",
            "",
            "/",
            format!("{}\"x'\"{}", "[{\"a\":".repeat(levels), "}]".repeat(levels)).into(),
            false,
        ),
        ("application/json", "", "/", "[".repeat(1 << 20).into(), true),
        ("application/json", "", "/", "{\"a\":".repeat(1 << 18).into(), true),
        ("application/json", "", "/", nested("x' or 1", depth, json).into(), false),
        ("application/json", "", "/", nested("x' or 1", depth + 3, json).into(), true),
        (
            "text/xml",
            "",
            "/",
            format!("{}x'{}", "<a b='c'>".repeat(levels * 2), "</a>".repeat(levels * 2)).into(),
            false,
        ),
        ("text/xml", "", "/", "<a>".repeat(1 << 18).into(), true),
        (
            "text/xml",
            "",
            "/",
            format!("<!DOCTYPE a [{}", "<!ENTITY a '<!ENTITY ".repeat(1 << 12)).into(),
            false,
        ),
        (
            "text/plain",
            "",
            "/",
            nested("x' or 1", depth + 3, |text| base64(text.as_bytes())).into(),
            true,
        ),
        ("text/plain", "gzip,gzip,gzip", "/", gzip(&gzip(&gzip(b"[\"x'\"]"))), false),
        (
            "text/plain",
            "",
            "/",
            nested("x'", depth + 3, |text| base64(&gzip(text.as_bytes()))).into(),
            true,
        ),
        ("application/x-www-form-urlencoded", "", "/", nested("x'", 7, percent).into(), false),
        (
            "application/x-www-form-urlencoded",
            "",
            "/",
            nested("a=b+c", depth + 3, |text| format!("a={}", percent(&text.replace(' ', "+"))))
                .into(),
            false,
        ),
        ("application/graphql", "", "/", "{a".repeat(1 << 17).into(), true),
        (
            "application/json",
            "",
            "/",
            format!("{{\"query\":\"{}\"}}", "{a(b:[{c:".repeat(1 << 14)).into(),
            false,
        ),
        ("application/grpc", "", "/", [0, 0, 0, 0xFF, 0].repeat(1 << 14), false),
        (
            "multipart/form-data; boundary=cut",
            "",
            "/",
            "--cut\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n".repeat(1 << 10).into(),
            false,
        ),
    ];
    for (kind, coding, uri, body, too_deep) in cases {
        let start = body.get(..body.len().min(40)).unwrap_or_default().escape_ascii().to_string();
        let hit = scan(&engine, kind, coding, uri, body);
        assert!(hit.depth == too_deep, "{kind} {start}: {hit:?}");
    }
}
