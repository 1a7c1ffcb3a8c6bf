//! The pass that finds literals, against automata over the same literals. `cargo bench -p wallarm-detect --bench matcher`; not a test.
//!
//! Four ways to look for the literals of the built-in rules, and for ten times as many that ordinary text contains no more often, in
//! generated requests of browsers (many different ones, since repeating one lets the processor learn its branches) and in text made of
//! pieces of literals.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex_automata::meta::Regex;
use regex_automata::{Input, PatternSet};
use wallarm_detect::matcher::Matcher;
use wallarm_detect::rules::{RuleSet, Trigger};

/// Time given to each measurement.
const RUN: Duration = Duration::from_millis(500);

/// Bytes of each kind of text.
const BYTES: usize = 1 << 20;

fn main() {
    let Ok(rules) = RuleSet::builtin() else { return };
    let mut literals: Vec<String> = Vec::new();
    for rule in rules.rules() {
        if let Trigger::Literals { literals: own, .. } = &rule.trigger {
            literals.extend(own.iter().cloned());
        }
        literals.extend(rule.all.iter().cloned());
    }
    literals.sort();
    literals.dedup();
    for literals in [literals.clone(), ten_times(&literals)] {
        let texts =
            [("browser", requests()), ("hostile", soup(&literals)), ("no literals", noise())];
        println!("\n{} literals", literals.len());
        println!(
            "{:24} {:12} {:>8} {:>8} {:>9} {:>9} {:>9}",
            "engine", "text", "ns/KiB", "MB/s", "found/KiB", "KiB", "build"
        );
        matcher(&literals, &texts);
        automata(&literals, &texts);
        if literals.len() < 10_000 {
            regex_set(&literals, &texts);
        }
    }
}

type Texts = [(&'static str, Vec<String>); 3];

/// Measures `find`, which says how many literals it found.
fn measure(
    name: &str,
    texts: &Texts,
    (memory, build): (usize, Duration),
    mut find: impl FnMut(&[u8]) -> usize,
) {
    for (kind, parts) in texts {
        let bytes: usize = parts.iter().map(String::len).sum();
        let mut found = 0;
        let mut best = Duration::MAX;
        let end = Instant::now() + RUN;
        while Instant::now() < end {
            let start = Instant::now();
            found = parts.iter().map(|part| black_box(find(black_box(part.as_bytes())))).sum();
            best = best.min(start.elapsed());
        }
        let kib = bytes as f64 / 1024.0;
        println!(
            "{name:24} {kind:12} {:>8.0} {:>8.0} {:>9.1} {:>9} {build:>9.1?}",
            best.as_secs_f64() * 1e9 / kib,
            bytes as f64 / best.as_secs_f64() / 1e6,
            found as f64 / kib,
            memory >> 10,
        );
    }
}

fn matcher(literals: &[String], texts: &Texts) {
    let start = Instant::now();
    let pairs: Vec<(&str, u32)> = literals.iter().map(String::as_str).zip(0..).collect();
    let matcher = Matcher::new(&pairs);
    let mut found = Vec::new();
    measure("ours", texts, (matcher.memory(), start.elapsed()), |text| {
        found.clear();
        matcher.find(text, 0..text.len(), &mut found);
        found.len()
    });
}

fn automata(literals: &[String], texts: &Texts) {
    let kinds = [("AhoCorasick::new", None), ("AhoCorasick, one DFA", Some(AhoCorasickKind::DFA))];
    for (name, kind) in kinds {
        let start = Instant::now();
        let Ok(automaton) = AhoCorasick::builder().kind(kind).build(literals) else { continue };
        measure(name, texts, (automaton.memory_usage(), start.elapsed()), |text| {
            automaton.find_overlapping_iter(text).count()
        });
    }
}

/// Which of the literals occur, as one regex each.
fn regex_set(literals: &[String], texts: &Texts) {
    let start = Instant::now();
    let escape =
        |literal: &String| literal.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let patterns: Vec<String> = literals.iter().map(escape).collect();
    let syntax = regex_automata::util::syntax::Config::new().unicode(false).utf8(false);
    let kind = regex_automata::MatchKind::All;
    let config = Regex::config().match_kind(kind).utf8_empty(false).nfa_size_limit(None);
    let built = Regex::builder().syntax(syntax).configure(config).build_many(&patterns);
    let Ok(regex) = built else { return };
    let mut set = PatternSet::new(regex.pattern_len());
    let cost = (regex.memory_usage(), start.elapsed());
    measure("regexes, which of them", texts, cost, |text| {
        set.clear();
        regex.which_overlapping_matches(&Input::new(text), &mut set);
        set.len()
    });
}

/// The literals, and nine times as many of the same lengths whose letters are shifted in the alphabet.
fn ten_times(literals: &[String]) -> Vec<String> {
    let shifted = |literal: &String, by: u8| -> String {
        let shift = |byte: u8| match byte {
            b'a'..=b'z' => (b'a' + (byte - b'a' + 5 * by + byte % 3) % 26) as char,
            b'0'..=b'9' => (b'0' + (byte - b'0' + by) % 10) as char,
            _ => byte as char,
        };
        literal.bytes().map(shift).collect()
    };
    let mut all = literals.to_vec();
    for by in 1..10 {
        // Short ones would hit ordinary text by chance, which literals of rules are chosen not to do.
        all.extend(literals.iter().map(|literal| shifted(literal, by)).filter(|l| l.len() > 3));
    }
    all.sort();
    all.dedup();
    all
}

/// Numbers that look random and are the same every time.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 7_u64;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    }
}

fn pick<'w>(next: &mut impl FnMut(usize) -> usize, words: &[&'w str]) -> &'w str {
    words.get(next(words.len())).copied().unwrap_or_default()
}

/// Views of requests as browsers send them, in lower case; names, numbers and identifiers differ.
fn requests() -> Vec<String> {
    let mut next = numbers();
    let mut all = Vec::new();
    let mut bytes = 0;
    while bytes < BYTES {
        let request = request(&mut next);
        bytes += request.len();
        all.push(request);
    }
    all
}

const WORDS: &[&str] = &[
    "catalog", "garden", "tools", "spade", "green", "price", "account", "orders", "profile",
    "news", "article", "weather", "london", "paris", "travel", "music", "video", "images",
    "static", "main", "search", "review", "summer", "winter", "shoes", "jacket", "kitchen",
    "recipe", "football",
];

const AGENTS: &[&str] = &[
    "mozilla/5.0 (x11; linux x86_64) applewebkit/537.36 (khtml, like gecko) chrome/130.0.0.0 safari/537.36",
    "mozilla/5.0 (windows nt 10.0; win64; x64; rv:127.0) gecko/20100101 firefox/127.0",
    "mozilla/5.0 (iphone; cpu iphone os 17_5 like mac os x) applewebkit/605.1.15 (khtml, like gecko) version/17.5 mobile/15e148 safari/604.1",
];

const ACCEPTS: &[&str] = &[
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "*/*",
    "application/json, text/plain, */*",
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
];

fn request(next: &mut impl FnMut(usize) -> usize) -> String {
    let separator = '\u{80}'; // stands for the byte between two views: a string has no 0xff
    let [first, second, third] = [0; 3].map(|_| pick(next, WORDS));
    let path = format!("/{first}/{second}/{third}-{}", next(100_000));
    let query =
        format!("page={}&sort={third}&q={first}+{second}&ref={:x}", next(50), next(1 << 30));
    let cookie = format!(
        "session={:x}{:x}; lang=en; theme={second}; _visit=ga1.1.{}.{}; cart=%7b%22{first}%22%3a{}%7d",
        next(1 << 30), next(1 << 30), next(1 << 30), next(1 << 30), next(9)
    );
    let body = format!(
        "{{\"id\":{},\"name\":\"{first} {second}\",\"tags\":[\"{third}\",\"{first}\"],\"count\":{},\"text\":\"a {first} for the {second} in {third}\"}}",
        next(100_000), next(100)
    );
    let header = format!("host&user-agent&accept&accept-language&accept-encoding&referer&cookie&sec-fetch-dest&{first}");
    let parts = [
        format!("{path}?{query}"),
        path,
        query,
        header,
        "shop.example.com".to_owned(),
        pick(next, AGENTS).to_owned(),
        pick(next, ACCEPTS).to_owned(),
        "en-us,en;q=0.9,de;q=0.8".to_owned(),
        "gzip, deflate, br, zstd".to_owned(),
        format!("https://shop.example.com/{second}/{third}"),
        cookie,
        body,
    ];
    parts.join(&separator.to_string())
}

/// Literals, whole and in part, one behind the other.
fn soup(literals: &[String]) -> Vec<String> {
    let mut next = numbers();
    parts(|| {
        let literal = literals.get(next(literals.len())).map_or("", String::as_str);
        let end = if next(2) == 0 { literal.len() } else { next(literal.len()) };
        literal.get(..end).unwrap_or_default().to_owned()
    })
}

/// What nothing reacts to.
fn noise() -> Vec<String> {
    let mut next = numbers();
    parts(|| char::from_digit(next(16) as u32, 16).unwrap_or_default().to_string())
}

/// Texts of 4 KiB made of pieces; fewer than of requests, since the slowest engine takes milliseconds for each.
fn parts(mut piece: impl FnMut() -> String) -> Vec<String> {
    let mut part = || {
        let mut text = String::new();
        while text.len() < 4 << 10 {
            text.push_str(&piece());
        }
        text
    };
    (0..BYTES >> 15).map(|_| part()).collect()
}
