//! Properties of scanning with the built-in rules, on inputs made of random bytes and of pieces of attacks.
#![expect(clippy::panic, reason = "helpers of tests may fail as tests do")]

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use wallarm_detect::{AttackType, Engine, Header, Limits, Request, Scope, Scratch, Verdict};

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::builtin().unwrap_or_else(|error| panic!("{error}")));

/// Pieces that rules and decoders react to.
const PIECES: &[&str] = &[
    "union select",
    "' or 1=1 -- ",
    "<script>",
    "<img src=x onerror=alert(1)>",
    "../../etc/passwd",
    "; cat /etc/passwd",
    "${jndi:ldap://x/y}",
    "{{7*7}}",
    "%27",
    "%2527",
    "%u0027",
    "%c0%af",
    "&#x27;",
    "\\u0027",
    "+",
    "&",
    "=",
    "?",
    "/",
    ";",
    "%",
    "%%",
    "\0",
    "\r\n",
    "{\"a\":[1,",
    "\"}",
    "<!DOCTYPE x [<!ENTITY y SYSTEM",
    "PHNjcmlwdD4=",
    "select",
    "from",
    "(",
    ")",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    "a",
    "0",
    " ",
    "é",
    "<?php",
    "--limit\r\n",
];

/// Media types that choose the body's parser.
const KINDS: &[&str] = &[
    "",
    "application/x-www-form-urlencoded",
    "application/json",
    "text/xml",
    "multipart/form-data; boundary=limit",
    "text/plain",
];

/// The parts of a request.
#[derive(Clone, Debug)]
struct Parts {
    uri: Vec<u8>,
    kind: &'static str,
    header: Vec<u8>,
    body: Vec<u8>,
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..most).prop_map(|pieces| pieces.concat())
}

fn parts() -> impl Strategy<Value = Parts> {
    (bytes(24), proptest::sample::select(KINDS), bytes(12), bytes(40))
        .prop_map(|(uri, kind, header, body)| Parts { uri, kind, header, body })
}

fn scan(parts: &Parts, limits: &Limits, scratch: &mut Scratch) -> Verdict {
    let headers = [
        Header { name: b"Host", value: b"www.example.com", helper: false },
        Header { name: b"Content-Type", value: parts.kind.as_bytes(), helper: false },
        Header { name: b"Cookie", value: &parts.header, helper: false },
    ];
    let request = Request {
        method: b"POST",
        uri: &parts.uri,
        protocol: b"HTTP/1.1",
        headers: &headers,
        body: &parts.body,
        body_truncated: false,
        scope: Scope::Whole,
    };
    ENGINE.scan(&request, limits, scratch)
}

/// What a verdict says, without the order of equal things.
fn summary(verdict: &Verdict) -> String {
    format!("{:?} {:?} {}", verdict.hits, verdict.limits, verdict.steps)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_input_is_scanned_within_its_budget(parts in parts()) {
        let limits = Limits::default();
        let length = parts.uri.len() + parts.kind.len() + parts.header.len() + parts.body.len() + 64;
        let verdict = scan(&parts, &limits, &mut Scratch::default());
        prop_assert!(verdict.steps <= limits.steps + length as u64 * u64::from(limits.steps_per_byte));
        for hit in &verdict.hits {
            prop_assert!(hit.score >= hit.threshold);
            let of_limit = matches!(hit.attack, AttackType::OverlimitRes | AttackType::DataBomb);
            let shown = if of_limit { 0 } else { hit.points.len() };
            prop_assert!(!hit.points.is_empty() && hit.payloads.len() == shown);
            prop_assert!(hit.rules.len() <= hit.indicators.len() && !hit.indicators.is_empty());
            prop_assert!(hit.payloads.iter().all(|payload| payload.len() <= limits.payload));
        }
    }

    #[test]
    fn small_budgets_end_scans_and_say_so(parts in parts(), steps in 0_u64..5000) {
        let limits = Limits { steps, steps_per_byte: 0, ..Limits::default() };
        let cut = scan(&parts, &limits, &mut Scratch::default());
        prop_assert!(cut.steps <= steps);
        let full = scan(&parts, &Limits::default(), &mut Scratch::default());
        prop_assert!(cut.limits.overlimit_res || full.steps <= steps);
        prop_assert!(!cut.limits.overlimit_res || full.steps * 2 >= steps);
    }

    #[test]
    fn verdicts_depend_on_the_request_alone(one in parts(), two in parts()) {
        let limits = Limits::default();
        let fresh = scan(&two, &limits, &mut Scratch::default());
        let mut used = Scratch::default();
        scan(&one, &limits, &mut used);
        prop_assert_eq!(summary(&scan(&two, &limits, &mut used)), summary(&fresh));
    }

    /// Not for what depends on the case: base64 and `\u`.
    #[test]
    fn letter_case_hides_nothing(pieces in vec(0..PIECES.len(), 1..8), upper in any::<u64>()) {
        let pieces = pieces.iter().map(|&piece| PIECES[piece]);
        let value: String =
            pieces.filter(|piece| !piece.starts_with('\\') && !piece.starts_with("PHN")).collect();
        let swapped: String = value
            .chars()
            .enumerate()
            .map(|(at, c)| if upper >> (at % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let attacks = |value: &str| {
            let coded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let parts = Parts {
                uri: format!("/?q={coded}").into_bytes(),
                kind: "",
                header: Vec::new(),
                body: Vec::new(),
            };
            let verdict = scan(&parts, &Limits::default(), &mut Scratch::default());
            verdict.hits.iter().map(|hit| hit.attack).collect::<Vec<_>>()
        };
        let plain = attacks(&value);
        let mixed = attacks(&swapped);
        prop_assert!(plain.iter().all(|attack| mixed.contains(attack)), "{value:?} {plain:?} {mixed:?}");
    }
}
