//! Lints rules and runs their examples through the real engine.

use std::collections::HashMap;

use super::{Problem, Rule, RuleSet, Trigger};
use crate::confirm::Pattern;
use crate::engine::Engine;
use crate::limits::Limits;
use crate::request::{Header, Request, Scope};
use crate::views::Group;

/// Ids that one file may use share everything above their last three digits.
const RANGE: u32 = 1000;

/// Everything wrong with `set`: faults that keep an engine from being built, rules without examples, and examples that fail.
///
/// Faulty rules are left out when the examples of the others are run.
pub fn check(set: &RuleSet) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rules = set.rules().to_vec();
    let engine = loop {
        match Engine::new(RuleSet { rules: rules.clone() }) {
            Ok(engine) => break engine,
            Err(error) => {
                let before = rules.len();
                rules.retain(|rule| !error.problems.iter().any(|p| p.origin == rule.origin));
                let stuck = rules.len() == before;
                problems.extend(error.problems);
                if stuck {
                    return problems;
                }
            }
        }
    };
    problems.extend(ranges(set.rules()));
    for rule in &rules {
        inspect(&engine, rule, &mut problems);
    }
    problems
}

/// Files that share a range of ids, and ids outside of their file's range.
fn ranges(rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut files: HashMap<&str, u32> = HashMap::new();
    let mut owners: HashMap<u32, &str> = HashMap::new();
    for rule in rules {
        let (file, range) = (&*rule.origin.file, rule.id / RANGE);
        let first = *files.entry(file).or_insert(range);
        if first != range {
            let (from, to) = (first * RANGE, first * RANGE + RANGE - 1);
            problems.push(Problem::of(
                rule,
                format!("id is not within {from} and {to}, this file's range"),
            ));
            continue;
        }
        let owner = *owners.entry(range).or_insert(file);
        if owner != file {
            problems.push(Problem::of(rule, format!("id lies in the range of {owner}")));
        }
    }
    problems
}

fn inspect(engine: &Engine, rule: &Rule, problems: &mut Vec<Problem>) {
    let mut report = |message: String| problems.push(Problem::of(rule, message));
    if let Trigger::Literals { regex: Some(regex), .. } = &rule.trigger {
        Pattern::size_fault(regex).into_iter().for_each(&mut report);
    }
    if rule.examples.hit.is_empty() {
        report("has no \"match\" example".into());
    }
    if rule.examples.miss.is_empty() {
        report("has no \"no_match\" example".into());
    }
    for value in &rule.examples.hit {
        if !counts(engine, rule, value) {
            report(format!("does not match {value:?}"));
        }
    }
    for value in &rule.examples.miss {
        if counts(engine, rule, value) {
            report(format!("matches {value:?}"));
        }
    }
}

/// True if `rule` counts somewhere in a request that carries `value`.
fn counts(engine: &Engine, rule: &Rule, value: &str) -> bool {
    let raw = matches!(rule.trigger, Trigger::Anomaly(_));
    let (group, header) = rule.places.example();
    let carrier = Carrier::new(group, header, value, raw);
    let explanation = engine.explain(&carrier.request(&carrier.headers()), &Limits::default());
    let mut indicators = explanation.values.iter().flat_map(|value| &value.indicators);
    indicators.any(|found| found.rule == rule.id)
}

/// The parts of a request that carries one example.
struct Carrier {
    method: String,
    uri: String,
    headers: Vec<(Vec<u8>, String)>,
    body: String,
}

impl Carrier {
    /// `raw` values go in as they are, others encoded as the place wants it.
    fn new(group: Group, header: Option<&[u8]>, value: &str, raw: bool) -> Self {
        let coded = if raw { value.to_owned() } else { encode(value, b"") };
        let mut carrier = Self {
            method: "GET".into(),
            uri: "/".into(),
            headers: vec![(b"Host".to_vec(), "www.example.com".into())],
            body: String::new(),
        };
        match group {
            Group::Uri => carrier.uri = value.into(),
            Group::Path if raw => carrier.uri = format!("/{value}"),
            Group::Path => carrier.uri = format!("/{}", encode(value, b"/")),
            Group::QueryName => carrier.uri = format!("/?{coded}=1"),
            Group::Query => carrier.uri = format!("/?q={coded}"),
            Group::HeaderName => carrier.header(value.as_bytes(), "1"),
            Group::Header => carrier.header(header.unwrap_or(b"X-Example"), value),
            Group::CookieName => carrier.header(b"Cookie", &format!("{coded}=1")),
            Group::Cookie => carrier.header(b"Cookie", &format!("q={coded}")),
            Group::BodyName => carrier.form(&format!("{coded}=1")),
            Group::Body => carrier.form(&format!("q={coded}")),
            Group::FileName => carrier.upload(value, "text"),
            Group::File => carrier.upload("example.txt", value),
            Group::RawBody => carrier.post("text/plain", value),
            Group::Method => carrier.method = value.into(),
        }
        carrier
    }

    fn header(&mut self, name: &[u8], value: &str) {
        self.headers.push((name.to_vec(), value.to_owned()));
    }

    fn form(&mut self, body: &str) {
        self.post("application/x-www-form-urlencoded", body);
    }

    fn upload(&mut self, name: &str, content: &str) {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let body = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n{content}\r\n--limit--\r\n"
        );
        self.post("multipart/form-data; boundary=limit", &body);
    }

    fn post(&mut self, kind: &str, body: &str) {
        self.method = "POST".into();
        self.header(b"Content-Type", kind);
        self.body = body.into();
    }

    fn headers(&self) -> Vec<Header<'_>> {
        self.headers
            .iter()
            .map(|(name, value)| Header { name, value: value.as_bytes(), helper: false })
            .collect()
    }

    fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request {
            method: self.method.as_bytes(),
            uri: self.uri.as_bytes(),
            protocol: b"HTTP/1.1",
            headers,
            body: self.body.as_bytes(),
            body_truncated: false,
            scope: Scope::Whole,
        }
    }
}

/// Percent-encodes all bytes but letters, digits, `-._~` and `keep`.
fn encode(value: &str, keep: &[u8]) -> String {
    let mut coded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_rules_are_free_of_problems() {
        let problems = check(&RuleSet::builtin().unwrap_or_else(|error| panic!("{error}")));
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{} problems\n{}", lines.len(), lines.join("\n"));
    }

    #[test]
    fn reports_missing_and_failing_examples_and_stray_ids() {
        let text = "
            [[rule]]
            id = 1001
            name = 'plain'
            attack = 'sqli'
            weight = 10
            literals = ['drop table']
            match = ['x; drop table t', 'dropping']
            no_match = ['a drop', 'DROP TABLE t']
            [[rule]]
            id = 2001
            name = 'bare'
            attack = 'sqli'
            weight = 10
            literals = ['drop table']";
        let messages: Vec<String> =
            check(&RuleSet::parse("f", text).unwrap()).iter().map(|p| p.message.clone()).collect();
        assert_eq!(
            messages,
            [
                "id is not within 1000 and 1999, this file's range",
                "does not match \"dropping\"",
                "matches \"DROP TABLE t\"",
                "has no \"match\" example",
                "has no \"no_match\" example",
            ]
        );
    }
}
