//! What events say, and what they must not say.

use std::sync::Arc;

use wallarm_detect::{AttackType, LimitsHit, Scope};

use super::*;
use crate::job::Forced;
use crate::policy::{Policy, RealIp, RealIpHeader};

fn meta() -> Meta {
    Meta {
        time_ms: 1_709_251_199_999,
        queued_ms: 0,
        peer: Peer::Ip("10.0.0.1".parse().unwrap(), 4711),
        peer_rewritten: false,
        proxy_protocol: None,
        server: Peer::Ip("192.0.2.1".parse().unwrap(), 443),
        forced: Forced::default(),
        application: -1,
        body_absent: false,
        from_mirror: true,
        policy: Arc::new(Policy::default()),
    }
}

fn origin(meta: &Meta) -> Origin<'_> {
    Origin {
        node: "edge",
        start_id: 0xabc,
        slot: 3,
        seq: 17,
        meta,
        host: b"shop.example",
        request_id: b"",
        queue_ms: 2,
        scan_us: 40,
    }
}

fn header<'a>(name: &'a str, value: &'a [u8]) -> Header<'a> {
    Header { name: name.as_bytes(), value, helper: false }
}

fn request<'a>(headers: &'a [Header<'a>]) -> Request<'a> {
    Request {
        method: b"GET",
        uri: b"/a?b=c",
        protocol: b"HTTP/1.1",
        headers,
        body: b"body",
        body_truncated: false,
        scope: Scope::Whole,
    }
}

fn hit(attack: AttackType) -> Hit {
    Hit {
        attack,
        points: vec!["[get, 'b']".to_owned()],
        payloads: vec![b"c".to_vec()],
        points_cut: false,
        payloads_cut: false,
        decoders: vec!["percent"],
        rules: vec![1101, 1102],
        indicators: vec![("one".to_owned(), 7.0), ("two".to_owned(), 3.5)],
        score: 10.5,
        threshold: 10.0,
    }
}

fn verdict(hits: Vec<Hit>) -> Verdict {
    Verdict { hits, ..Verdict::default() }
}

/// The one event of a request with one hit.
fn event(meta: &Meta, request: &Request<'_>) -> Event {
    let mut events = events(&origin(meta), request, &verdict(vec![hit(AttackType::Sqli)]));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn line(event: &Event) -> String {
    let mut line = Vec::new();
    event.encode(&mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line.find('\n'), Some(line.len() - 1), "one line");
    line
}

#[test]
fn an_event_is_one_flat_line() {
    let headers = [header("Host", b"shop.example")];
    let text = line(&event(&meta(), &request(&headers)));
    let expected = serde_json::json!({
        "v": 1, "event_id": "0000000000000abc-3-17-0", "node": "edge", "startid": 0xabc,
        "time": "2024-02-29T23:59:59.999Z", "remote_addr": "10.0.0.1", "remote_port": 4711,
        "server_addr": "192.0.2.1", "server_port": 443, "host": "shop.example", "method": "GET",
        "uri": "/a?b=c", "protocol": "HTTP/1.1", "application": -1, "type": "sqli", "cwe": [89],
        "points": ["[get, 'b']"], "payloads": ["c"], "decoders": ["percent"], "rules": [1101, 1102],
        "indicators": ["one:7", "two:3.5"], "score": 10.5, "threshold": 10.0,
        "request_head": "GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\n", "body_bytes": 4,
        "queue_ms": 2, "scan_us": 40, "truncated": [], "limits": [], "wallarm_mode": "monitoring"
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), expected);
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event(&meta(), &request(&headers)));
}

#[test]
fn every_hit_is_an_event_with_an_id_of_its_own() {
    let meta = meta();
    let verdict = verdict(vec![hit(AttackType::Sqli), hit(AttackType::Xss)]);
    let ids = |scope| {
        let request = Request { scope, ..request(&[]) };
        let events = events(&origin(&meta), &request, &verdict);
        events.into_iter().map(|e| format!("{} {}", e.event_id, e.kind)).collect::<Vec<_>>()
    };
    assert_eq!(ids(Scope::Whole), ["0000000000000abc-3-17-0 sqli", "0000000000000abc-3-17-1 xss"]);
    assert_eq!(ids(Scope::Body), ["0000000000000abc-3-17-b0 sqli", "0000000000000abc-3-17-b1 xss"]);
}

#[test]
fn secrets_are_masked() {
    let headers = [
        header("AUTHORIZATION", b"Basic c2VjcmV0"),
        header("Proxy-Authorization", b"Bearer secret"),
        header("cookie", b"session=secret; theme = secret;secret; =secret;a=b=secret"),
        header("Cookie", b""),
        header("User-Agent", b"curl"),
    ];
    let head = event(&meta(), &request(&headers)).request_head;
    assert_eq!(
        head,
        "GET /a?b=c HTTP/1.1\r\nAUTHORIZATION: ***\r\nProxy-Authorization: ***\r\n\
         cookie: session=***; theme =***; ***; =***; a=***\r\nCookie: ***\r\nUser-Agent: curl\r\n"
    );
}

fn trusting(helpers: &[&str]) -> Arc<Policy> {
    let real_ip = RealIp {
        trusted: ["10.0.0.0/8".parse().unwrap()].into(),
        header: RealIpHeader::parse(b"X-Real-IP"),
        recursive: false,
    };
    let helpers = helpers.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(Policy { real_ip: Some(real_ip), helpers, ..Policy::default() })
}

#[test]
fn headers_of_the_mirror_are_left_out_if_the_peer_is_trusted() {
    let flagged = |meta: &Meta| {
        let mut headers = [
            header("X-REAL-IP", b"203.0.113.7"),
            header("x-server-addr", b"198.51.100.1"),
            header("X-Other", b"1"),
        ];
        flag_helpers(meta, &mut headers);
        let event = event(meta, &request(&headers));
        (headers.map(|h| h.helper), event.remote_addr, event.request_head)
    };
    let helpers = ["x-real-ip", "x-server-addr"];
    let mut meta = Meta { policy: trusting(&helpers), ..meta() };
    let (helper, addr, head) = flagged(&meta);
    assert_eq!(helper, [true, true, false]);
    assert_eq!(addr, "203.0.113.7", "a helper header still names the client");
    assert_eq!(head, "GET /a?b=c HTTP/1.1\r\nX-Other: 1\r\n");

    meta.peer = Peer::Ip("192.0.2.9".parse().unwrap(), 1);
    let (helper, addr, head) = flagged(&meta);
    assert_eq!(helper, [false; 3], "a client cannot hide its headers");
    assert_eq!(addr, "192.0.2.9");
    assert!(head.contains("X-REAL-IP: 203.0.113.7\r\n"));

    meta.peer_rewritten = true;
    let (helper, addr, _) = flagged(&meta);
    assert_eq!(helper, [true, true, false], "stock realip trusted the peer");
    assert_eq!(addr, "192.0.2.9");

    meta.peer = Peer::Ip("10.9.9.9".parse().unwrap(), 1);
    assert_eq!(flagged(&meta).1, "10.9.9.9", "an address that stock realip set is final");
}

#[test]
fn forced_values_replace_local_ones() {
    let mut meta = meta();
    meta.peer = Peer::Unix;
    meta.server = Peer::Unix;
    meta.application = 12;
    let event_before = event(&meta, &request(&[]));
    assert_eq!(event_before.remote_addr, "unix:");
    assert_eq!((event_before.server_addr.as_str(), event_before.server_port), ("unix:", None));
    meta.forced = Forced {
        server_addr: Some("::ffff:198.51.100.1".parse().unwrap()),
        server_port: Some(8443),
        response_status: Some(404),
        response_time: None,
        response_size: Some(17),
    };
    let event = event(&meta, &request(&[]));
    assert_eq!(event.application, 12);
    assert_eq!((event.server_addr.as_str(), event.server_port), ("198.51.100.1", Some(8443)));
    let text = line(&event);
    assert!(text.contains(r#""response_status":404,"response_size":17"#), "{text}");
}

#[test]
fn bytes_that_are_no_text_stay_valid_json() {
    let headers = [Header { name: b"X-\xe9", value: b"\xff\x00\n\"\\", helper: false }];
    let mut request = request(&headers);
    request.uri = b"/\xc0\xaf\xe2\x82\xac\x7f";
    let mut bad = hit(AttackType::Ptrav);
    bad.payloads = vec![b"..\xc0\xaf".to_vec()];
    let meta = meta();
    let events = events(&origin(&meta), &request, &verdict(vec![bad]));
    let back: Event = serde_json::from_str(&line(&events[0])).unwrap();
    assert_eq!(back.uri, "/\u{c0}\u{af}\u{20ac}\u{7f}");
    assert_eq!(back.payloads, ["..\u{c0}\u{af}"]);
    assert!(back.request_head.ends_with("X-\u{e9}: \u{ff}\0\n\"\\\r\n"));
}

#[test]
fn whatever_is_cut_is_named() {
    let long = vec![b'a'; 100_000];
    let headers = [header("X-Long", &long)];
    let mut request = request(&headers);
    request.uri = &long;
    request.method = &long;
    request.body_truncated = true;
    let mut big = hit(AttackType::Sqli);
    big.points = vec!["[uri]".to_owned(); 40];
    big.payloads = vec![long.clone()];
    big.rules = (0..100).collect();
    big.indicators = vec![("i".to_owned(), 1.0); 100];
    let meta = Meta { body_absent: true, ..meta() };
    let origin = Origin { host: &long, request_id: &long, ..origin(&meta) };
    let limits = LimitsHit { depth: true, ..LimitsHit::default() };
    let verdict = Verdict { hits: vec![big], limits, ..Verdict::default() };
    let event = events(&origin, &request, &verdict).remove(0);
    let mut truncated = event.truncated.clone();
    truncated.sort();
    assert_eq!(
        truncated,
        [
            "body",
            "body_absent",
            "host",
            "indicators",
            "method",
            "payloads",
            "points",
            "request_head",
            "request_id",
            "rules",
            "uri"
        ]
    );
    assert_eq!(event.limits, ["depth"]);
    assert_eq!((event.uri.len(), event.request_head.len()), (URI, REQUEST_HEAD));
    assert_eq!((event.points.len(), event.rules.len()), (ITEMS, ITEMS));
    assert!(line(&event).len() < 20_000);
}

#[test]
fn what_the_scan_left_out_of_a_hit_is_named() {
    let meta = meta();
    for (points, payloads, expected) in [
        (false, false, &[][..]),
        (false, true, &["payloads"]),
        (true, true, &["points", "payloads"]),
    ] {
        let hit = Hit { points_cut: points, payloads_cut: payloads, ..hit(AttackType::Sqli) };
        let event = events(&origin(&meta), &request(&[]), &verdict(vec![hit])).remove(0);
        assert_eq!(event.truncated, expected);
    }
}

#[test]
fn a_clean_request_makes_no_event() {
    let meta = meta();
    assert!(events(&origin(&meta), &request(&[]), &verdict(Vec::new())).is_empty());
}
