//! Makes events out of a verdict: attribution, masking of secrets, caps.

use std::borrow::Cow;
use std::net::IpAddr;

use wallarm_detect::{Header, Hit, Request, Verdict};

use crate::clock::rfc3339;
use crate::event::{Event, VERSION};
use crate::job::{Meta, Peer};
use crate::text::Text;

/// Longest texts in events, in bytes of UTF-8.
const URI: usize = 4096;
const HOST: usize = 256;
const WORD: usize = 64;
const REQUEST_ID: usize = 128;
const REQUEST_HEAD: usize = 8192;
const ITEM: usize = 1024;
/// Longest lists in events.
const ITEMS: usize = 32;

/// What an event says besides the request and the verdict.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    pub node: &'a str,
    pub start_id: u64,
    /// Number of the worker's slot.
    pub slot: u32,
    /// Number of the request in its worker.
    pub seq: u64,
    pub meta: &'a Meta,
    pub host: &'a [u8],
    pub request_id: &'a [u8],
    /// Milliseconds between capture and scan.
    pub queue_ms: u64,
    /// Microseconds of the scan.
    pub scan_us: u64,
}

/// One event for each hit of a verdict.
pub fn events(origin: &Origin<'_>, request: &Request<'_>, verdict: &Verdict) -> Vec<Event> {
    if verdict.hits.is_empty() {
        return Vec::new();
    }
    let common = common(origin, request, verdict);
    let part = match request.scope {
        wallarm_detect::Scope::Whole => "",
        wallarm_detect::Scope::Body => "b",
    };
    let event = |(n, hit)| {
        let mut event = common.clone();
        event.event_id =
            format!("{:016x}-{}-{}-{part}{n}", origin.start_id, origin.slot, origin.seq);
        describe(&mut event, hit);
        event
    };
    verdict.hits.iter().enumerate().map(event).collect()
}

/// Marks the headers that the mirror set, if the request came to a node from a peer that is trusted. Anywhere else they
/// are the client's: a trusted proxy passes on what it was sent in X-Forwarded-For.
pub(crate) fn flag_helpers(meta: &Meta, headers: &mut [Header<'_>]) {
    let policy = &meta.policy;
    let trusts = || policy.real_ip.as_ref().is_some_and(|real_ip| real_ip.trusts(&meta.peer));
    let helped = meta.from_mirror && !policy.helpers.is_empty();
    if !helped || !(meta.peer_rewritten || trusts()) {
        return;
    }
    for header in headers {
        header.helper = policy.helpers.iter().any(|name| header.name.eq_ignore_ascii_case(name));
    }
}

/// What all hits of a request have in common.
fn common(origin: &Origin<'_>, request: &Request<'_>, verdict: &Verdict) -> Event {
    let meta = origin.meta;
    let (remote_addr, remote_port) = client(meta, request.headers);
    let (server_addr, server_port) = server(meta);
    let mut truncated = Vec::new();
    let mut text = |bytes: &[u8], cap, name| {
        let mut text = Text::new(cap);
        text.push(bytes);
        note(&mut truncated, text.is_cut(), name);
        text.into_string()
    };
    let mut event = Event {
        v: VERSION,
        event_id: String::new(),
        node: origin.node.to_owned(),
        startid: origin.start_id,
        time: rfc3339(meta.time_ms),
        request_id: text(origin.request_id, REQUEST_ID, "request_id"),
        remote_addr,
        remote_port,
        server_addr,
        server_port,
        host: text(origin.host, HOST, "host"),
        method: text(request.method, WORD, "method"),
        uri: text(request.uri, URI, "uri"),
        protocol: text(request.protocol, WORD, "protocol"),
        application: meta.application,
        kind: Cow::Borrowed(""),
        cwe: Vec::new(),
        points: Vec::new(),
        payloads: Vec::new(),
        decoders: Vec::new(),
        rules: Vec::new(),
        indicators: Vec::new(),
        score: 0.0,
        threshold: 0.0,
        request_head: String::new(),
        body_bytes: request.body.len() as u64,
        queue_ms: origin.queue_ms,
        scan_us: origin.scan_us,
        truncated: Vec::new(),
        limits: verdict.limits.names().map(Cow::Borrowed).collect(),
        wallarm_mode: Cow::Borrowed("monitoring"),
        response_status: meta.forced.response_status,
        response_time: meta.forced.response_time,
        response_size: meta.forced.response_size,
    };
    let head = request_head(request);
    note(&mut truncated, head.is_cut(), "request_head");
    event.request_head = head.into_string();
    note(&mut truncated, request.body_truncated, "body");
    note(&mut truncated, meta.body_absent, "body_absent");
    event.truncated = truncated;
    event
}

/// What one hit says.
fn describe(event: &mut Event, hit: &Hit) {
    event.kind = Cow::Borrowed(hit.attack.name());
    event.cwe = hit.attack.cwe().to_vec();
    event.points = texts(event, hit.points.iter().map(String::as_bytes), "points");
    event.payloads = texts(event, hit.payloads.iter().map(Vec::as_slice), "payloads");
    note(&mut event.truncated, hit.points_cut, "points");
    note(&mut event.truncated, hit.payloads_cut, "payloads");
    event.decoders = hit.decoders.iter().take(ITEMS).map(|name| Cow::Borrowed(*name)).collect();
    note(&mut event.truncated, hit.decoders.len() > ITEMS, "decoders");
    event.rules = hit.rules.iter().take(ITEMS).copied().collect();
    note(&mut event.truncated, hit.rules.len() > ITEMS, "rules");
    let indicators = hit.indicators.iter().take(ITEMS);
    event.indicators = indicators.map(|(name, weight)| format!("{name}:{weight}")).collect();
    note(&mut event.truncated, hit.indicators.len() > ITEMS, "indicators");
    event.score = hit.score;
    event.threshold = hit.threshold;
}

/// At most [`ITEMS`] texts of at most [`ITEM`] bytes each.
fn texts<'a>(
    event: &mut Event,
    items: impl ExactSizeIterator<Item = &'a [u8]>,
    name: &'static str,
) -> Vec<String> {
    let mut cut = items.len() > ITEMS;
    let item = |bytes: &[u8]| {
        let mut text = Text::new(ITEM);
        text.push(bytes);
        cut |= text.is_cut();
        text.into_string()
    };
    let texts = items.take(ITEMS).map(item).collect();
    note(&mut event.truncated, cut, name);
    texts
}

fn note(truncated: &mut Vec<Cow<'static, str>>, cut: bool, name: &'static str) {
    if cut && !truncated.iter().any(|known| known == name) {
        truncated.push(Cow::Borrowed(name));
    }
}

fn client(meta: &Meta, headers: &[Header<'_>]) -> (String, Option<u16>) {
    // Stock realip decides once: the address that it set is not looked at again.
    let real_ip = meta.policy.real_ip.as_ref().filter(|_| !meta.peer_rewritten);
    let named = real_ip.and_then(|r| r.resolve(&meta.peer, meta.proxy_protocol, headers));
    match named {
        Some((addr, port)) => (address(addr), port),
        None => peer(&meta.peer),
    }
}

fn server(meta: &Meta) -> (String, Option<u16>) {
    let (addr, port) = peer(&meta.server);
    (meta.forced.server_addr.map_or(addr, address), meta.forced.server_port.or(port))
}

fn peer(peer: &Peer) -> (String, Option<u16>) {
    match peer {
        Peer::Ip(addr, port) => (address(*addr), (*port != 0).then_some(*port)),
        Peer::Unix => ("unix:".to_owned(), None),
    }
}

/// IPv4 mapped into IPv6 is written as IPv4: one client, one address.
fn address(addr: IpAddr) -> String {
    addr.to_canonical().to_string()
}

/// Request line and headers as they were sent, without what the mirror added and without secrets.
fn request_head(request: &Request<'_>) -> Text {
    let mut head = Text::new(REQUEST_HEAD);
    for part in [request.method, b" ", request.uri, b" ", request.protocol, b"\r\n"] {
        head.push(part);
    }
    for header in request.headers.iter().filter(|header| !header.helper) {
        head.push(header.name);
        head.push(b": ");
        if is(header, b"authorization") || is(header, b"proxy-authorization") {
            head.push(b"***");
        } else if is(header, b"cookie") {
            push_cookies(&mut head, header.value);
        } else {
            head.push(header.value);
        }
        head.push(b"\r\n");
    }
    head
}

fn is(header: &Header<'_>, name: &[u8]) -> bool {
    header.name.eq_ignore_ascii_case(name)
}

/// The names of the cookies; what has no name is all value.
fn push_cookies(head: &mut Text, cookies: &[u8]) {
    for (n, cookie) in cookies.split(|b| *b == b';').enumerate() {
        if n > 0 {
            head.push(b"; ");
        }
        if let Some(at) = cookie.iter().position(|b| *b == b'=') {
            head.push(cookie.get(..=at).unwrap_or_default().trim_ascii());
        }
        head.push(b"***");
    }
}

#[cfg(test)]
mod tests;
