//! Time of one scan on one core, for ordinary and for hostile requests. `cargo bench -p wallarm-detect -- [PART OF A NAME]`; not a
//! test.
//!
//! A plain loop: what counts is the mean and the spread over many scans of a few requests, and the share of each stage.

#[path = "../tests/common/sample.rs"]
mod sample;

use std::hint::black_box;
use std::time::{Duration, Instant};

use wallarm_detect::rules::{Rule, Trigger};
use wallarm_detect::{Engine, Limits, LimitsHit, Request, Scratch, Views};

use sample::Sample;

const RUN: Duration = Duration::from_millis(400);

/// A request, and what it is called.
type Named = (&'static str, Sample);

fn main() {
    let start = Instant::now();
    let engine = match Engine::builtin() {
        Ok(engine) => engine,
        Err(error) => {
            eprintln!("{error}");
            return;
        }
    };
    println!(
        "{} rules, {} KiB of automata, built in {:?}\n",
        engine.rules().len(),
        engine.memory() >> 10,
        start.elapsed()
    );
    println!(
        "{:28} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}",
        "request", "bytes", "cpu µs", "p50 µs", "p99 µs", "extract", "cpu/KB", "steps/B"
    );
    let wanted =
        std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, sample) in samples().into_iter().chain(soups(&engine)) {
        if name.contains(&wanted) {
            sample.with(|request| measure(&engine, name, request));
        }
    }
}

fn measure(engine: &Engine, name: &str, request: &Request<'_>) {
    let limits = Limits::default();
    let mut scratch = Scratch::default();
    let verdict = engine.scan(request, &limits, &mut scratch);
    let [cpu, p50, p99] = time(|| {
        black_box(engine.scan(black_box(request), &limits, &mut scratch));
    });
    let mut views = Views::default();
    let [extract, ..] = time(|| {
        let mut spent = limits.budget(request.len());
        views.extract(black_box(request), &limits, &mut spent, &mut LimitsHit::default());
        black_box(&views);
    });
    let length = request.len();
    let found: Vec<&str> = verdict.hits.iter().map(|hit| hit.attack.name()).collect();
    println!(
        "{name:28} {length:>7} {cpu:>9.2} {p50:>9.2} {p99:>9.2} {extract:>9.2} {:>9.2} {:>8} {}",
        cpu * 1024.0 / length as f64,
        verdict.steps / length as u64,
        found.join(" ")
    );
}

/// Mean processor time, median and 99th percentile of one call, in microseconds.
fn time(mut call: impl FnMut()) -> [f64; 3] {
    let mut times = Vec::new();
    let (start, end) = (processor_time(), Instant::now() + RUN);
    while Instant::now() < end {
        let start = Instant::now();
        call();
        times.push(start.elapsed());
    }
    let mean = (processor_time() - start) * 1e6 / times.len() as f64;
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    [mean, at(0.5), at(0.99)]
}

/// Seconds that this thread has run; does not count the time that other processes took from it. Linux only, 0 elsewhere.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    spent.unwrap_or_default() / 1e9
}

fn browser() -> Vec<(&'static str, String)> {
    [
        ("Host", "shop.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "en-US,en;q=0.9,de;q=0.8"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", "https://shop.example.com/catalog/garden/tools?page=2&sort=price"),
        ("Cookie", "session=4f1d9a7b2c6e48d0a3f5; consent=analytics%3Dyes%26ads%3Dno; lang=en; cart=%7B%22items%22%3A3%2C%22total%22%3A%2274.90%22%7D; _visit=GA1.1.1287349871.1718003372"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Upgrade-Insecure-Requests", "1"),
        ("Connection", "keep-alive"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn post(uri: &str, kind: &str, body: String) -> Sample {
    let mut headers = browser();
    headers.push(("Content-Type", kind.to_owned()));
    Sample { uri: uri.into(), headers, body: body.into() }
}

/// Everything that rules react to, as JSON strings so that it arrives unchanged: all literals, and all examples.
fn soups(engine: &Engine) -> Vec<Named> {
    let literals = |rule: &Rule| match &rule.trigger {
        Trigger::Literals { literals, .. } => literals.join(" "),
        Trigger::Anomaly(_) => String::new(),
    };
    let examples = |rule: &Rule| rule.examples.miss.join(" ");
    let soup = |text: &dyn Fn(&Rule) -> String| {
        let texts: Vec<String> = engine.rules().iter().map(text).collect();
        let value = texts.join(" ").replace(['"', '\\'], "'").replace(char::is_control, " ");
        post("/", "application/json", format!("{{\"a\":\"{value}\"}}"))
    };
    vec![("hostile, all literals", soup(&literals)), ("hostile, near misses", soup(&examples))]
}

fn samples() -> Vec<Named> {
    let form = "application/x-www-form-urlencoded";
    let comment =
        "I selected the union of both sets, and it works: thanks for the update! ".repeat(5);
    let ordinary = [
        (
            "get, browser",
            "/catalog/garden/tools/spade?colour=green&page=3&sort=price&q=long+handled+spade",
            browser(),
        ),
        (
            "get, api",
            "/api/v1/orders/18273645?fields=id,total,currency",
            vec![("Host", "api.example.com".to_owned()), ("Accept", "application/json".to_owned())],
        ),
    ];
    let bodies = [
        ("post, form with text", form, format!("name=Ann+Example&mail=ann%40example.com&text={}", comment.replace(' ', "+"))),
        ("post, json", "application/json", format!("{{\"id\":17,\"tags\":[\"garden\",\"tools\"],\"text\":\"{comment}\",\"nested\":{{\"a\":true,\"b\":null}}}}")),
        ("attack, sqli in a form", form, "user=admin%27+or+1%3D1+--+&password=x".to_owned()),
        ("hostile, repeated words", form, format!("a={}", "select from union where or and ".repeat(512).replace(' ', "+"))),
        ("hostile, quotes", form, format!("a={}", "' or 1=1 || 'x'='".repeat(1024).replace(' ', "+"))),
        ("hostile, percent signs", form, format!("a={}", "%25".repeat(8192))),
        ("hostile, tags", form, format!("a={}", "<a onx= style=x script ".repeat(1024))),
        ("hostile, many fields", form, "a=1&".repeat(8192)),
        ("hostile, json arrays", "application/json", "[".repeat(16384)),
    ];
    let get = |(name, uri, headers): (_, &str, _)| {
        (name, Sample { uri: uri.into(), headers, body: Vec::new() })
    };
    let with_body = |(name, kind, body)| (name, post("/account/comments", kind, body));
    ordinary.into_iter().map(get).chain(bodies.into_iter().map(with_body)).collect()
}
