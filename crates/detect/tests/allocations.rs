//! A thread that scans clean requests takes no memory once its buffers have grown: the allocator would be what threads share.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]
#![allow(
    unsafe_code,
    reason = "an allocator that counts can only be had by implementing GlobalAlloc"
)]

#[path = "common/sample.rs"]
mod sample;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::Compression;
use wallarm_detect::{Engine, Limits, Model, RuleSet, Scratch, Verdict};

use sample::Sample;

thread_local! {
    static TAKEN: Cell<u32> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that ends may allocate after its counter is gone.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator with the arguments it came with; counting in a constant thread-local
// without a destructor neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above; the memory came from the system's allocator.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above; the memory came from the system's allocator.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A request, and what it is called.
type Named = (&'static str, Sample);

fn sample(name: &'static str, uri: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Named {
    let browser = [
        ("Host", "shop.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Referer", "https://shop.example.com/catalog/garden?page=2&sort=price"),
        (
            "Cookie",
            "session=4f1d9a7b2c6e48d0; cart=%7B%22items%22%3A3%2C%22total%22%3A%227.90%22%7D",
        ),
    ];
    let headers = browser.iter().chain(headers).map(|(name, value)| (*name, (*value).to_owned()));
    (name, Sample { uri: uri.to_owned(), headers: headers.collect(), body: body.to_vec() })
}

fn post(name: &'static str, kind: &str, body: &[u8]) -> Named {
    sample(name, "/account/comments", &[("Content-Type", kind)], body)
}

fn coded(name: &'static str, coding: &str, body: &[u8]) -> Named {
    let headers = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
    sample(name, "/api/v2/import", &headers, body)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Requests of many kinds in which nothing is wrong.
fn samples() -> Vec<Named> {
    let form = "application/x-www-form-urlencoded";
    let json = br#"{"id":17,"tags":["garden","tools"],"text":"I selected the best of both: thanks!","nested":{"a":true}}"#;
    let xml = b"<?xml version=\"1.0\"?><order id=\"7\"><!-- gift --><item n=\"2\">Spade &amp; fork</item><note><![CDATA[ring twice]]></note></order>";
    let multipart = b"--cut\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMy summer\r\n--cut\r\n\
        Content-Disposition: form-data; name=\"photo\"; filename=\"garden.png\"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\0\0\0\rIHDR\r\n--cut--\r\n";
    let token = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkFubiBFeGFtcGxlIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r";
    let nested = r#"{"payload":"{\"filter\":\"{\\\"name\\\":\\\"spade\\\"}\"}","next":"%252Fcatalog%252Fgarden","b64":"aGVsbG8gZ2FyZGVuIHdvcmxk"}"#;
    let soap = "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><a>1</a></soap:Body></soap:Envelope>";
    // Base64 of a document that was compressed without a frame.
    let saml =
        "/sso?SAMLRequest=s7GvyM1RKEstKs7Mz7NVMtQzULK3s0m0s3EsKSnKTCotSVVItFVPUtcnTkQ%2F0Q4A";
    vec![
        sample("a page", "/catalog/garden/spade?colour=green&page=3&q=long+handled+spade", &[], b""),
        sample("a repeated parameter", "/search?tag=garden&tag=tools&size=4&ids[]=1&ids[]=2", &[], b""),
        sample("an encoded path", "/caf%C3%A9/r%C3%A9sum%C3%A9%20final.pdf", &[], b""),
        sample("a token", "/api/v1/me", &[("Authorization", token)], b""),
        sample("credentials", "/api/v1/me", &[("Authorization", "Basic YW5uOmdhcmRlbi1zcGFkZS03")], b""),
        sample("a SAML request", saml, &[], b""),
        sample("an odd method", "/calendar/ann", &[("Depth", "1")], b""),
        post("a form", form, b"name=Ann+Example&mail=ann%40example.com&text=See+you+at+5%3A30%2C+ok%3F&tag=a&tag=b"),
        post("JSON", "application/json", json),
        post("nested JSON", "application/json", nested.as_bytes()),
        post("undeclared JSON", "text/plain", json),
        post("XML", "application/xml", xml),
        post("SOAP", "text/xml; charset=utf-8", soap.as_bytes()),
        post("multipart", "multipart/form-data; boundary=cut", multipart),
        post("text", "text/plain; charset=utf-8", "Grüße aus dem Garten – bis bald!".as_bytes()),
        post("UTF-16", "text/plain", &"\u{feff}hello garden".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
        coded("gzip", "gzip", &gzip(json)),
        coded("zlib", "deflate", &zlib(json)),
        coded("undeclared gzip", "identity", &gzip(json)),
        coded("raw deflate", "deflate", zlib(json).get(2..).unwrap()),
        post("GraphQL", "application/json", br#"{"query":"query Item($id: ID!) { item(id: $id) { name price } }","variables":{"id":"7"}}"#),
    ]
}

fn scan(engine: &Engine, sample: &Sample, scratch: &mut Scratch) -> (Verdict, u32) {
    let limits = Limits::default();
    sample.with(|request| {
        let before = TAKEN.get();
        let verdict = engine.scan(request, &limits, scratch);
        (verdict, TAKEN.get() - before)
    })
}

#[test]
fn clean_requests_take_no_memory_once_buffers_have_grown() {
    let engine = Engine::builtin().unwrap_or_else(|error| panic!("{error}"));
    let (samples, mut scratch) = (samples(), Scratch::default());
    let (_, first) = scan(&engine, &samples[0].1, &mut scratch);
    assert!(first > 0, "nothing is counted");
    // What one request has grown is used by the next, in any order.
    for (_, sample) in samples.iter().chain(samples.iter().rev()) {
        scan(&engine, sample, &mut scratch);
    }
    let mut wrong = Vec::new();
    for (name, sample) in &samples {
        let (verdict, taken) = scan(&engine, sample, &mut scratch);
        let attacks: Vec<_> = verdict.hits.iter().map(|hit| &hit.indicators).collect();
        if taken > 0 || !attacks.is_empty() || verdict.limits.any() {
            wrong.push(format!("{name}: {taken} allocations, {attacks:?}, {:?}", verdict.limits));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn suspect_requests_take_no_memory_either() {
    let rules = "[[rule]]\nid = 1\nname = 'r1'\nattack = 'sqli'\nweight = 7\nliterals = ['spade']\nregex = 'spade[^z]*fork'\n";
    let (rules, model) = (RuleSet::parse("test", rules).unwrap(), Model::empty().unwrap());
    let engine = Engine::with_model(rules, model).unwrap_or_else(|error| panic!("{error}"));
    let mut scratch = Scratch::default();
    let (_, sample) = sample("suspect", "/?a=a+spade+and+a+fork", &[], b"");
    for _ in 0..3 {
        scan(&engine, &sample, &mut scratch);
    }
    let (verdict, taken) = scan(&engine, &sample, &mut scratch);
    assert!(verdict.suspect && verdict.hits.is_empty(), "{verdict:?}");
    assert_eq!(taken, 0);
}
