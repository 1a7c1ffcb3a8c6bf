//! Requests from files: raw HTTP messages, HAR archives and labelled corpus lines.
//!
//! All formats end in a [`Message`], which holds what NGINX would hand to the module: the raw
//! target, the header fields in wire order and the body without its transfer coding. Nothing is
//! decoded, corrected or added here, because that is what the engine is to be tried with.

pub(crate) mod corpus;
pub(crate) mod har;
pub(crate) mod raw;

use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;

use serde::Deserialize;
use wallarm_detect::{Header, Request, Scope};

use crate::args::{Format, Source};

/// One request as read from a file.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// Where it starts.
    pub(crate) place: Place,
    pub(crate) method: Vec<u8>,
    /// The raw request target.
    pub(crate) uri: Vec<u8>,
    pub(crate) protocol: Vec<u8>,
    /// Names and values in wire order.
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body without its transfer coding.
    pub(crate) body: Vec<u8>,
    /// The file ends before the body does.
    pub(crate) body_truncated: bool,
    /// Where the file tells who sent the request.
    pub(crate) client: Option<IpAddr>,
    /// Where the file tells who received the request.
    pub(crate) server: Option<IpAddr>,
    /// Milliseconds since the epoch, where the file tells when the request was sent.
    pub(crate) time_ms: Option<u64>,
}

impl Message {
    /// A request of which nothing is known yet.
    pub(crate) fn at(place: Place) -> Self {
        Self {
            place,
            method: Vec::new(),
            uri: Vec::new(),
            protocol: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            body_truncated: false,
            client: None,
            server: None,
            time_ms: None,
        }
    }

    /// The header fields in the engine's form; the mirror's helper headers are unknown offline.
    pub(crate) fn headers(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| Header { name, value, helper: false }).collect()
    }

    pub(crate) fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request {
            method: &self.method,
            uri: &self.uri,
            protocol: &self.protocol,
            headers,
            body: &self.body,
            body_truncated: self.body_truncated,
            scope: Scope::Whole,
        }
    }

    /// The first value of the header `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_slice())
    }
}

/// What is wrong with an input, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct ParseError {
    pub(crate) place: Place,
    pub(crate) fault: Fault,
}

impl ParseError {
    pub(crate) fn line(line: u64, fault: Fault) -> Self {
        Self { place: Place::Line(line), fault }
    }
}

/// A place in an input file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Line(u64),
    /// An entry of a HAR archive, whose lines mean nothing.
    Entry(u64),
}

impl Place {
    /// The place in the file `name`, as `name:line` or `name: entry n`.
    pub(crate) fn within(self, name: &str) -> String {
        match self {
            Self::Line(line) => format!("{name}:{line}"),
            Self::Entry(entry) => format!("{name}: entry {entry}"),
        }
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    RequestLine,
    HeaderLine,
    ContentLength,
    Chunk,
    Json(String),
    Unlabelled,
    Base64,
    Escape,
    /// The named field holds a character above U+00FF, so it is no wire bytes.
    NotLatin1(&'static str),
    Time,
    /// A multipart form of which only the decoded fields were recorded.
    FormFields,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestLine => f.write_str(
                "expected a request line, \"METHOD TARGET HTTP/1.1\"; \
                 a Content-Length above that is too small has this effect too",
            ),
            Self::HeaderLine => f.write_str("expected a header line, \"Name: value\""),
            Self::ContentLength => f.write_str("Content-Length is not a number"),
            Self::Chunk => f.write_str("bad chunk in a body with Transfer-Encoding: chunked"),
            Self::Json(what) => f.write_str(what),
            Self::Unlabelled => f.write_str("the line has no \"label\""),
            Self::Base64 => f.write_str("the body is not valid base64"),
            Self::Escape => f.write_str("unknown escape: \\n \\r \\t \\0 \\xHH and \\\\ are known"),
            Self::NotLatin1(field) => {
                write!(f, "{field} holds a character above U+00FF, but stands for wire bytes")
            }
            Self::Time => f.write_str("startedDateTime is not an RFC 3339 time"),
            Self::FormFields => f.write_str(
                "the archive holds only the fields of a form, not its body (postData.text)",
            ),
        }
    }
}

/// The requests of one input; after an error some formats go on with the next request.
pub(crate) type Messages<'a> = Box<dyn Iterator<Item = Result<Message, ParseError>> + 'a>;

/// Reads `source` to its end.
pub(crate) fn read(source: &Source) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match source {
        Source::Stdin => io::stdin().lock().read_to_end(&mut bytes)?,
        Source::File(path) => std::fs::File::open(path)?.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

/// Splits `bytes` into requests, as `format` or as what they look like.
pub(crate) fn parse(bytes: &[u8], format: Option<Format>) -> Messages<'_> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match format.unwrap_or_else(|| detect(bytes)) {
        Format::Raw => Box::new(raw::Requests::new(bytes)),
        Format::Har => har::parse(bytes),
        Format::Jsonl => Box::new(corpus::Lines::new(bytes)),
    }
}

/// JSON starts with a brace, which no method does. A corpus line stands alone and has a `uri`;
/// a HAR archive is one object, often over many lines.
fn detect(bytes: &[u8]) -> Format {
    #[derive(Deserialize)]
    struct Probe {
        uri: Option<serde::de::IgnoredAny>,
    }
    let text = bytes.trim_ascii_start();
    if !text.starts_with(b"{") {
        return Format::Raw;
    }
    let first = text.split(|&b| b == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<Probe>(first) {
        Ok(Probe { uri: Some(_) }) => Format::Jsonl,
        _ => Format::Har,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_content() {
        let cases: [(&[u8], Format); 6] = [
            (b"GET / HTTP/1.1\r\n\r\n", Format::Raw),
            (b"", Format::Raw),
            (b"{\"method\":\"GET\",\"uri\":\"/\",\"headers\":[]}\n{", Format::Jsonl),
            (b"{\"log\":{\"entries\":[]}}", Format::Har),
            (b"\n{\n \"log\": {}\n}", Format::Har),
            (b"{\"uri\":", Format::Har),
        ];
        for (bytes, expected) in cases {
            assert_eq!(detect(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_request() {
        let messages: Vec<_> = parse(b"\xef\xbb\xbfGET /a HTTP/1.1\r\n\r\n", None).collect();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].as_ref().unwrap().method, b"GET");
    }
}
