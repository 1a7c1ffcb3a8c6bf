//! Searches for the requests that cost most per byte:
//! `cargo bench -p wallarm-detect --bench hostile -- [--seconds N] [--seed N] [--kib N]`, the last for requests of that size and more.
//!
//! A request is made of a few pieces, repeated up to a length, encoded and put into a container. Hill-climbing changes one of these at a
//! time and keeps what costs more.

#[path = "../tests/common/sample.rs"]
mod sample;

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use rustix::time::{clock_gettime, ClockId};
use wallarm_detect::rules::Trigger;
use wallarm_detect::{Engine, Limits, LimitsHit, Request, Scratch, Views};

use sample::Sample;

/// Requests that are kept and changed further.
const KEPT: usize = 48;

/// Requests that are shown.
const SHOWN: usize = 10;

const LENGTHS: [usize; 7] = [1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];

/// Between two pieces.
const SEPARATORS: [&str; 12] = ["", " ", "+", "&", "=", "\",\"", "'", "/", ";", "\n", ",", "&a="];

const ENCODINGS: [&str; 7] =
    ["plain", "percent", "percent twice", "entities", "\\u", "base64", "upper case"];

const CONTAINERS: [&str; 11] = [
    "query",
    "path",
    "cookie",
    "header",
    "form",
    "json string",
    "json document",
    "xml text",
    "xml document",
    "multipart",
    "text",
];

/// What parsers and decoders react to; the literals of the rules are added.
const PIECES: [&str; 34] = [
    "a",
    "1",
    "'",
    "\"",
    "(",
    ")",
    "<",
    ">",
    "[",
    "{",
    "}",
    "%",
    "\\",
    "&#",
    "--",
    "/*",
    "*/",
    "%u0027",
    "&#x27;",
    "+ADw-",
    "\\u0027",
    "eyJhIjoiYiJ9.",
    "H4sIAAAAAAAAA0sEAEO+t+gBAAAA",
    "PHNjcmlwdD4g",
    "[\"",
    "{\"a\":",
    "<a b='c'>",
    "<!--",
    "<![CDATA[",
    "--cut\r\n",
    "a[b]=",
    "user",
    "%25",
    "=",
];

#[derive(Clone, PartialEq)]
struct Case {
    pieces: Vec<String>,
    separator: usize,
    encoding: usize,
    container: usize,
    length: usize,
}

/// Microseconds per KiB, of the whole scan and of extraction alone.
#[derive(Clone, Copy)]
struct Cost {
    scan: f64,
    extract: f64,
    bytes: usize,
    steps: u64,
    cut: bool,
}

fn main() {
    let (seconds, mut random, least) = match arguments() {
        Ok((seconds, seed, kib)) => (seconds, Random(seed | 1), (kib as usize) << 10),
        Err(message) => return eprintln!("{message}"),
    };
    let engine = match Engine::builtin() {
        Ok(engine) => engine,
        Err(error) => return eprintln!("{error}"),
    };
    let pieces = pieces(&engine);
    let mut scratch = Scratch::default();
    let mut kept: Vec<(Cost, Case)> = Vec::new();
    let (end, mut tried) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < end {
        let parent = kept.get(random.below(KEPT * 5 / 4)).map(|(_, case)| case.clone());
        let case = match parent {
            Some(case) => changed(case, &pieces, &mut random),
            None => fresh(&pieces, &mut random),
        };
        if LENGTHS.get(case.length).is_none_or(|length| *length < least) {
            continue;
        }
        tried += 1;
        let cost = case.sample().with(|request| measure(&engine, request, &mut scratch));
        keep(&mut kept, cost, case);
    }
    println!("{tried} requests tried; µs/KB, of which extraction\n");
    for (cost, case) in kept.iter().take(SHOWN) {
        let Cost { scan, extract, bytes, steps, cut } = cost;
        let (per_byte, cut) = (steps / *bytes as u64, if *cut { ", cut" } else { "" });
        let price = scan * *bytes as f64 / 1.024 / (*steps).max(1) as f64;
        println!("{scan:>8.1} {extract:>8.1}  {bytes} bytes, {per_byte} steps/B of {price:.2} ns{cut}, {case}");
    }
}

/// Seconds, seed, and the least size in KiB.
fn arguments() -> Result<(u64, u64, u64), String> {
    let (mut seconds, mut seed, mut kib) = (60, 1, 1);
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let target = match name.as_str() {
            "--seconds" => &mut seconds,
            "--seed" => &mut seed,
            "--kib" => &mut kib,
            _ => {
                return Err(format!("unknown option {name}: --seconds, --seed and --kib are known"))
            }
        };
        let number = arguments.next().and_then(|text| text.parse().ok());
        *target = number.ok_or(format!("{name} takes a number"))?;
    }
    Ok((seconds, seed, kib))
}

fn pieces(engine: &Engine) -> Vec<String> {
    let literals = engine.rules().iter().flat_map(|rule| match &rule.trigger {
        Trigger::Literals { literals, .. } => literals.as_slice(),
        Trigger::Anomaly(_) => &[],
    });
    let examples = engine.rules().iter().flat_map(|rule| &rule.examples.miss);
    let fixed = PIECES.iter().map(|piece| (*piece).to_owned());
    fixed.chain(literals.cloned()).chain(examples.cloned()).collect()
}

fn fresh(pieces: &[String], random: &mut Random) -> Case {
    Case {
        pieces: (0..=random.below(4)).map(|_| random.one_of(pieces)).collect(),
        separator: random.below(SEPARATORS.len()),
        // Half of them as they are.
        encoding: random.below(2 * ENCODINGS.len()) % (1 + random.below(ENCODINGS.len())),
        container: random.below(CONTAINERS.len()),
        length: random.below(LENGTHS.len()),
    }
}

fn changed(mut case: Case, pieces: &[String], random: &mut Random) -> Case {
    for _ in 0..=random.below(2) {
        let count = case.pieces.len();
        match random.below(8) {
            0 => case.separator = random.below(SEPARATORS.len()),
            1 => case.encoding = random.below(ENCODINGS.len()),
            2 => case.container = random.below(CONTAINERS.len()),
            3 => case.length = random.below(LENGTHS.len()),
            4 if count > 1 => drop(case.pieces.remove(random.below(count))),
            5 | 6 if count < 24 => case.pieces.insert(random.below(count), random.one_of(pieces)),
            _ => {
                if let Some(piece) = case.pieces.get_mut(random.below(count)) {
                    *piece = random.one_of(pieces);
                }
            }
        }
    }
    case
}

/// Keeps the costliest, and of those that differ in pieces alone at most four.
fn keep(kept: &mut Vec<(Cost, Case)>, cost: Cost, case: Case) {
    let kind = |case: &Case| (case.container, case.encoding, case.separator);
    if kept.iter().any(|(_, known)| *known == case) {
        return;
    }
    let at = kept.partition_point(|(known, _)| known.scan >= cost.scan);
    kept.insert(at, (cost, case.clone()));
    let alike = |(i, (_, known)): (usize, &(Cost, Case))| (kind(known) == kind(&case)).then_some(i);
    let of_kind: Vec<usize> = kept.iter().enumerate().filter_map(alike).collect();
    if let (true, Some(last)) = (of_kind.len() > 4, of_kind.last()) {
        kept.remove(*last);
    }
    kept.truncate(KEPT);
}

fn measure(engine: &Engine, request: &Request<'_>, scratch: &mut Scratch) -> Cost {
    let limits = Limits::default();
    let verdict = engine.scan(request, &limits, scratch);
    let bytes = request.len();
    let per_kib = |time: Duration| time.as_secs_f64() * 1e6 * 1024.0 / bytes as f64;
    let scan = fastest(|| drop(black_box(engine.scan(black_box(request), &limits, scratch))));
    let mut views = Views::default();
    let extract = fastest(|| {
        let mut spent = limits.budget(bytes);
        views.extract(black_box(request), &limits, &mut spent, &mut LimitsHit::default());
    });
    let (scan, extract) = (per_kib(scan), per_kib(extract));
    Cost { scan, extract, bytes, steps: verdict.steps, cut: verdict.limits.overlimit_res }
}

/// The fastest of three calls, in the time that this thread had the processor.
fn fastest(mut call: impl FnMut()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
    };
    let once = |_| {
        let start = now();
        call();
        now().saturating_sub(start)
    };
    (0..3).map(once).min().unwrap_or_default()
}

impl Case {
    /// Target, headers and body.
    fn sample(&self) -> Sample {
        let value = self.value();
        let get = |uri: String| Sample { uri, ..Sample::default() };
        let with = |name, value| Sample {
            uri: "/".into(),
            headers: vec![(name, value)],
            body: Vec::new(),
        };
        let post = |kind: &str, body: String| Sample {
            body: body.into(),
            ..with("Content-Type", kind.into())
        };
        match self.name(&CONTAINERS, self.container) {
            "query" => get(format!("/?q={value}")),
            "path" => get(format!("/{value}")),
            "cookie" => with("Cookie", format!("a={value}")),
            "header" => with("X-Value", value),
            "form" => post("application/x-www-form-urlencoded", format!("a={value}")),
            "json string" => post("application/json", format!("[\"{value}\"]")),
            "json document" => post("application/json", value),
            "xml text" => post("text/xml", format!("<a>{value}</a>")),
            "xml document" => post("text/xml", value),
            "multipart" => {
                let head = "--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
                post("multipart/form-data; boundary=cut", format!("{head}{value}\r\n--cut--"))
            }
            _ => post("text/plain", value),
        }
    }

    fn value(&self) -> String {
        let length = LENGTHS.get(self.length).copied().unwrap_or_default();
        let separator = self.name(&SEPARATORS, self.separator);
        let unit = self.pieces.join(separator) + separator;
        let encoded = encode(&unit, self.name(&ENCODINGS, self.encoding));
        match encoded.len() {
            0 => String::new(),
            size => encoded.repeat(length.div_ceil(size)),
        }
    }

    fn name<'a>(&self, names: &[&'a str], index: usize) -> &'a str {
        names.get(index).copied().unwrap_or_default()
    }
}

fn encode(text: &str, encoding: &str) -> String {
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    match encoding {
        "percent" => percent(text),
        "percent twice" => percent(&percent(text)),
        "entities" => text.bytes().map(|byte| format!("&#{byte};")).collect(),
        "\\u" => text.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        "base64" => base64(text.as_bytes()),
        "upper case" => text.to_ascii_uppercase(),
        _ => text.to_owned(),
    }
}

fn base64(text: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter =
        |bits: u32| LETTERS.get(bits as usize & 63).map_or('A', |letter| char::from(*letter));
    let letters = text.chunks(3).flat_map(|three| {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(b' '));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        [18, 12, 6, 0].map(|shift| letter(bits >> shift))
    });
    letters.collect()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = self.name(&CONTAINERS, self.container);
        let encoding = self.name(&ENCODINGS, self.encoding);
        let separator = self.name(&SEPARATORS, self.separator);
        write!(f, "{container}, {encoding}, separated by {separator:?}: {:?}", self.pieces)
    }
}

/// Xorshift.
struct Random(u64);

impl Random {
    /// From 0 up to `end`, which it is not.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    fn one_of(&mut self, pieces: &[String]) -> String {
        let index = self.below(pieces.len());
        pieces.get(index).cloned().unwrap_or_default()
    }
}
