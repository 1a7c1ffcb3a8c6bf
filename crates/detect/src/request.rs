//! The request as the scanner sees it: borrowed bytes, nothing parsed yet.
//!
//! Everything is bytes, because an attacker chooses them; no field is assumed to be valid UTF-8 or valid HTTP.

/// One header field as received.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Field name in any letter case.
    pub name: &'a [u8],
    /// Field value without the surrounding white space and the line end.
    pub value: &'a [u8],
    /// Set by the mirror and not by the client: used for attribution alone, never scanned.
    pub helper: bool,
}

/// Which part of a request is to be scanned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Request line, headers and body.
    #[default]
    Whole,
    /// The body alone: the head was scanned before, its headers only choose the body's parsers.
    Body,
}

/// One request, or what is left of it after capture.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a [u8],
    /// The request target exactly as it stood in the request line.
    pub uri: &'a [u8],
    pub protocol: &'a [u8],
    pub headers: &'a [Header<'a>],
    pub body: &'a [u8],
    /// The body is longer than what was captured.
    pub body_truncated: bool,
    pub scope: Scope,
}

impl<'a> Request<'a> {
    /// The first header named `name` (lower-case), helper headers included.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|header| header.value)
    }

    /// Bytes of everything that can be scanned.
    pub fn len(&self) -> usize {
        let headers: usize = self.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
        self.method.len() + self.uri.len() + headers + self.body.len()
    }

    /// True for a request that carries no byte at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
