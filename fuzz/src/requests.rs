//! Whole requests, written as they stand on the wire, so that the numbered request files are seeds and findings become some.

use wallarm_detect::{Header, Request, Scope};

use super::check;

/// A request message: request line, headers, empty line, body. What lacks the lines has only a body.
pub fn engine(data: &[u8]) {
    let mut rest = data;
    let mut words = line(&mut rest).splitn(3, |byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    let (method, uri, protocol) = (word(), word(), word());
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let line = line(&mut rest);
        if line.is_empty() {
            break;
        }
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(at);
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        headers.push(Header { name, value, helper: name.starts_with(b"X-Helper") });
    }
    let whole = Request {
        method,
        uri,
        protocol,
        headers: &headers,
        body: rest,
        body_truncated: data.len() % 7 == 0,
        scope: Scope::Whole,
    };
    let extracted = check::request(&whole);
    assert_eq!(extracted.hit.body_truncated, whole.body_truncated);
    check::scan(&Request { scope: Scope::Body, ..whole });
}

/// Takes a line off the front, without its end.
fn line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let at = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (line, after) = rest.split_at(at);
    *rest = after.get(1..).unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}
