//! Labelled corpus lines: one JSON object a line.
//!
//! `{"id","source","label","class","method","uri","headers":[[name,value],…],"body_b64","sub"}`.
//! `method`, `uri` and header strings are wire bytes decoded as Latin-1; the body is base64.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde::Deserialize;

use super::{Fault, Message, ParseError, Place};

/// One corpus line. Scanning needs the request alone, so everything else may be missing.
#[derive(Deserialize)]
struct Line {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    #[serde(default)]
    body_b64: Option<String>,
    #[serde(flatten)]
    label: Labels,
}

/// What a corpus line tells about its request.
#[derive(Deserialize)]
pub(crate) struct Labels {
    pub(crate) label: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) seen: Option<bool>,
}

impl Labels {
    /// Every label other than `attack` is benign.
    pub(crate) fn is_attack(&self) -> bool {
        self.label.as_deref() == Some("attack")
    }
}

/// Iterates over the requests of a corpus; a bad line does not end it.
pub(crate) struct Lines<'a> {
    lines: std::slice::Split<'a, u8, fn(&u8) -> bool>,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { lines: bytes.split(|&b| b == b'\n'), number: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Message, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.lines.next()?.trim_ascii();
            self.number += 1;
            if !line.is_empty() {
                let place = Place::Line(self.number);
                let parsed = parse_line(line, place).map(|(message, _)| message);
                return Some(parsed.map_err(|fault| ParseError { place, fault }));
            }
        }
    }
}

/// The request and the labels of one line, which stands at `place`.
pub(crate) fn parse_line(line: &[u8], place: Place) -> Result<(Message, Labels), Fault> {
    let line: Line = serde_json::from_slice(line).map_err(|error| Fault::Json(plain(&error)))?;
    let mut headers = Vec::with_capacity(line.headers.len());
    for (name, value) in &line.headers {
        headers.push((latin1(name, "headers")?, latin1(value, "headers")?));
    }
    let body = line.body_b64.unwrap_or_default();
    let message = Message {
        method: latin1(&line.method, "method")?,
        uri: latin1(&line.uri, "uri")?,
        protocol: b"HTTP/1.1".to_vec(),
        headers,
        body: STANDARD.decode(body).map_err(|_| Fault::Base64)?,
        ..Message::at(place)
    };
    Ok((message, line.label))
}

/// The bytes that `text` stands for.
fn latin1(text: &str, field: &'static str) -> Result<Vec<u8>, Fault> {
    text.chars().map(|c| u8::try_from(c).map_err(|_| Fault::NotLatin1(field))).collect()
}

/// The message without the line that serde_json counts inside the one line it was given.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    format!("{}, column {}", text.get(..end).unwrap_or(&text), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_wire_bytes() {
        let line =
            r#"{"method":"PUT","uri":"/\u00e9?","headers":[["A","\u00ff"]],"body_b64":"AP8="}"#;
        let (message, labels) = parse_line(line.as_bytes(), Place::Line(1)).unwrap();
        assert_eq!(message.uri, b"/\xe9?");
        assert_eq!(message.headers, [(b"A".to_vec(), b"\xff".to_vec())]);
        assert_eq!(message.body, b"\x00\xff");
        assert!(labels.label.is_none());
    }

    #[test]
    fn labels_may_be_null() {
        let line = r#"{"label":"benign","class":null,"source":"s","sub":null,"id":"1",
            "method":"GET","uri":"/","headers":[],"body_b64":null}"#;
        let (message, labels) = parse_line(line.as_bytes(), Place::Line(1)).unwrap();
        assert!(message.body.is_empty());
        assert_eq!(labels.label.as_deref(), Some("benign"));
        assert!(labels.class.is_none());
    }

    #[test]
    fn bad_lines_are_reported_and_skipped() {
        let good = r#"{"method":"GET","uri":"/","headers":[]}"#;
        let wide = r#"{"method":"GET","uri":"/\u2028","headers":[]}"#;
        let body = r#"{"method":"GET","uri":"/","headers":[],"body_b64":"?"}"#;
        let text = format!("{good}\n\n{{\"method\":1}}\n{wide}\n{body}\n{good}\n");
        let results: Vec<_> = Lines::new(text.as_bytes()).collect();
        assert_eq!(results.len(), 5);
        assert!(results[0].is_ok() && results[4].is_ok());
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.place, Place::Line(3));
        assert!(matches!(&error.fault, Fault::Json(what) if what.contains("expected a string")));
        assert_eq!(results[2], Err(ParseError::line(4, Fault::NotLatin1("uri"))));
        assert_eq!(results[3], Err(ParseError::line(5, Fault::Base64)));
    }
}
