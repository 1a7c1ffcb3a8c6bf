//! What holds for every request: budgets, the order of views, equal verdicts of equal scans.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use wallarm_detect::views::SEPARATOR;
use wallarm_detect::{
    AttackType, DecoderSet, Engine, Header, Limits, LimitsHit, Request, Scope, Scratch, Verdict,
    Views,
};

pub static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::builtin().unwrap_or_else(|error| panic!("{error}")));

/// Steps and bytes of views for a request without a byte.
const FLAT: u64 = 4096;

/// Steps for each byte of a request in which nothing is compressed, if no budget ends the scan.
const STEPS_PER_BYTE: u64 = 4000;

/// Bytes of views for each byte of such a request.
const VIEWS_PER_BYTE: u64 = 32;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Calls `call` with the buffers that every scan here uses.
pub fn with_scratch<T>(call: impl FnOnce(&mut Scratch) -> T) -> T {
    SCRATCH.with_borrow_mut(call)
}

/// A request with a body of one type.
pub fn post<'a>(headers: &'a [Header<'a>], body: &'a [u8]) -> Request<'a> {
    Request {
        method: b"POST",
        uri: b"/",
        protocol: b"HTTP/1.1",
        headers,
        body,
        body_truncated: false,
        scope: Scope::Whole,
    }
}

pub fn header<'a>(name: &'static str, value: &'a [u8]) -> Header<'a> {
    Header { name: name.as_bytes(), value, helper: false }
}

/// Scans `request`, with enough steps and with too few. Panics if the bounds or the verdict are not what they must be.
pub fn scan(request: &Request<'_>) -> Verdict {
    let limits = Limits::default();
    let verdict = scan_with(request, &limits);
    let again = scan_with(request, &limits);
    assert_eq!(summary(&verdict), summary(&again), "two scans differ");
    // Ends anywhere, in the parsers or while matching.
    let steps = verdict.steps * (1 + request.len() as u64 % 9) / 10;
    let cut = scan_with(request, &Limits { steps, steps_per_byte: 0, ..limits });
    assert!(cut.steps <= steps, "{} steps of {steps}", cut.steps);
    verdict
}

fn scan_with(request: &Request<'_>, limits: &Limits) -> Verdict {
    let verdict = with_scratch(|scratch| ENGINE.scan(request, limits, scratch));
    let most = limits.budget(request.len()).left()
        + u64::from(limits.inflated_bytes) * u64::from(limits.steps_per_byte);
    assert!(verdict.steps <= most, "{} steps of {most}", verdict.steps);
    for hit in &verdict.hits {
        assert!(hit.score >= hit.threshold, "{hit:?}");
        assert!(!hit.indicators.is_empty(), "{hit:?}");
        assert!(is_of_limit(hit.attack) || hit.points.len() == hit.payloads.len(), "{hit:?}");
        assert!(hit.payloads.iter().all(|payload| payload.len() <= limits.payload), "{hit:?}");
    }
    verdict
}

/// What must be the same in two scans of one request.
fn summary(verdict: &Verdict) -> impl PartialEq + std::fmt::Debug {
    let hits: Vec<_> = verdict
        .hits
        .iter()
        .map(|hit| (hit.attack, hit.rules.clone(), hit.points.clone()))
        .collect();
    (hits, verdict.suspect, verdict.limits, verdict.steps)
}

/// The attack types that were found in values, as opposed to limits.
fn attacks(verdict: &Verdict) -> BTreeSet<AttackType> {
    verdict.hits.iter().map(|hit| hit.attack).filter(|attack| !is_of_limit(*attack)).collect()
}

/// True for attacks on a limit, as opposed to those in a value.
pub fn is_of_limit(attack: AttackType) -> bool {
    matches!(attack, AttackType::OverlimitRes | AttackType::DataBomb)
}

/// Extracts and scans `request`. Panics if views are not in order, or if steps or views grow faster than the request.
pub fn request(request: &Request<'_>) -> Extracted {
    let mut extracted = extract(request);
    let verdict = scan(request);
    extracted.attacks = attacks(&verdict);
    let views = &extracted.views;
    let grown = views.fields.iter().any(|field| field.decoders.contains(DecoderSet::GZIP));
    // What ended the extraction may have been inflated and not yet shown.
    if !grown && !extracted.hit.overlimit_res {
        let bytes = request.len() as u64;
        let steps = FLAT + bytes * STEPS_PER_BYTE;
        let verdict = scan_with(request, &Limits { steps, steps_per_byte: 0, ..Limits::default() });
        let text = views.text.len() as u64;
        assert!(!verdict.limits.overlimit_res, "more than {steps} steps for {bytes} bytes");
        assert!(text <= FLAT + bytes * VIEWS_PER_BYTE, "{text} bytes of views for {bytes} bytes");
    }
    extracted
}

/// The views of a request, and the attacks in them.
pub struct Extracted {
    pub views: Views,
    pub hit: LimitsHit,
    pub attacks: BTreeSet<AttackType>,
}

impl Extracted {
    /// True if one view is exactly `bytes`.
    pub fn shows(&self, bytes: &[u8]) -> bool {
        self.views.fields.iter().any(|field| self.views.bytes(field) == bytes)
    }
}

fn extract(request: &Request<'_>) -> Extracted {
    let limits = Limits::default();
    let (mut views, mut hit) = (Views::default(), LimitsHit::default());
    let mut spent = limits.budget(request.len());
    views.extract(request, &limits, &mut spent, &mut hit);
    in_order(&views);
    Extracted { views, hit, attacks: BTreeSet::new() }
}

fn in_order(views: &Views) {
    assert_eq!(views.text.to_ascii_lowercase(), views.lower);
    let (mut start, mut value) = (0, 1);
    for field in &views.fields {
        assert_eq!(field.start, start, "views have gaps");
        assert!(field.end > field.start && field.value >= value, "{field:?}");
        assert_eq!(views.text.get(field.end as usize), Some(&SEPARATOR));
        assert!((field.point.0 as usize) < views.points().len());
        (start, value) = (field.end + 1, field.value);
    }
    assert_eq!(start as usize, views.text.len());
    let most = Limits::default().points as usize;
    assert!(views.points().len() <= most + 16, "{} points", views.points().len());
    for field in views.fields.iter().step_by(1 + views.fields.len() / 16) {
        assert!(views.point_name(field.point).starts_with('['));
    }
}
