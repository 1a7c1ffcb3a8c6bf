//! The parts of a multipart body, read as leniently as the most lenient application.
//!
//! A boundary counts at the start of a line, with CRLF or LF; header lines may be folded; a missing end is the end of the body.

use super::content_type::find_ignore_case;

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The header lines, line ends included.
    pub(crate) head: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// The parts between the boundaries.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    rest: &'a [u8],
    boundary: &'a [u8],
    /// Something that a strict parser would refuse was read.
    pub(crate) odd: bool,
}

impl<'a> Parts<'a> {
    /// `None` if the boundary does not occur.
    pub(crate) fn new(body: &'a [u8], boundary: &'a [u8]) -> Option<Self> {
        if boundary.is_empty() {
            return None;
        }
        let (_, after) = delimiter(body, boundary)?;
        Some(Parts { rest: after, boundary, odd: false })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        // `--` after the boundary ends the body; what may follow is for nobody.
        if self.rest.is_empty() || self.rest.starts_with(b"--") {
            return None;
        }
        let line_end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        let part = self.rest.get(line_end..).unwrap_or_default();
        let raw = match delimiter(part, self.boundary) {
            Some((before, after)) => {
                self.rest = after;
                before
            }
            None => {
                self.odd = true;
                self.rest = &[];
                part
            }
        };
        let (head, content) = split_head(raw);
        self.odd |= head.is_empty();
        Some(Part { head, content })
    }
}

/// What stands before the next boundary line, without its line end, and what follows the boundary.
fn delimiter<'a>(body: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut finder = memchr::memmem::find_iter(body, boundary);
    finder.find_map(|at| {
        let before = body.get(..at)?.strip_suffix(b"--")?;
        let after = body.get(at + boundary.len()..)?;
        if before.is_empty() {
            return Some((before, after));
        }
        let before = before.strip_suffix(b"\n")?;
        Some((before.strip_suffix(b"\r").unwrap_or(before), after))
    })
}

/// Splits a part at its first empty line. A part without one is all content, unless it begins with a header.
fn split_head(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(at) = raw.get(from..).and_then(|tail| memchr::memchr(b'\n', tail)) {
        let line = raw.get(from..from + at).unwrap_or_default();
        let next = from + at + 1;
        if line.trim_ascii_end().is_empty() {
            return (raw.get(..from).unwrap_or_default(), raw.get(next..).unwrap_or_default());
        }
        from = next;
    }
    let is_head = raw.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
    if is_head {
        (raw, &[])
    } else {
        (&[], raw)
    }
}

/// The header lines of a part: name and value, folded lines as they stand.
pub(crate) fn headers(head: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = head;
    std::iter::from_fn(move || loop {
        if rest.is_empty() {
            return None;
        }
        let length = line_length(rest);
        let (line, after) = rest.split_at_checked(length)?;
        rest = after;
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let at = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, value) = line.split_at_checked(at)?;
        return Some((name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii()));
    })
}

/// Length of a line with its folded continuations and the line end.
fn line_length(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|tail| memchr::memchr(b'\n', tail)) {
        from += at + 1;
        if !matches!(text.get(from), Some(b' ' | b'\t')) {
            return from;
        }
    }
    text.len()
}

/// A parameter of Content-Disposition: quoted, unquoted, or in the extended form `name*=UTF-8''value`.
pub(crate) fn parameter<'a>(value: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = value;
    while let Some(at) = find_ignore_case(rest, name.as_bytes()) {
        let before = rest.get(..at).unwrap_or_default().trim_ascii_end();
        let after = rest.get(at + name.len()..)?;
        rest = after;
        let starts = before.is_empty() || before.ends_with(b";") || before.ends_with(b",");
        let after = after.strip_prefix(b"*").unwrap_or(after).trim_ascii_start();
        if let (true, Some(text)) = (starts, after.strip_prefix(b"=")) {
            return Some(parameter_value(text.trim_ascii_start()));
        }
    }
    None
}

fn parameter_value(text: &[u8]) -> &[u8] {
    let end = match text.first() {
        Some(quote @ (b'"' | b'\'')) => {
            let inner = text.get(1..).unwrap_or_default();
            let end = closing_quote(inner, *quote);
            return inner.get(..end).unwrap_or_default();
        }
        _ => memchr::memchr3(b';', b'\r', b'\n', text).unwrap_or(text.len()),
    };
    text.get(..end).unwrap_or_default().trim_ascii_end()
}

/// The quote that ends the value: a quote inside, as in an unescaped payload, is followed by something else than `;`.
fn closing_quote(inner: &[u8], quote: u8) -> usize {
    let mut from = 0;
    while let Some(at) = inner.get(from..).and_then(|tail| memchr::memchr(quote, tail)) {
        let after = inner.get(from + at + 1..).unwrap_or_default().trim_ascii_start();
        if after.is_empty() || after.starts_with(b";") {
            return from + at;
        }
        from += at + 1;
    }
    inner.len()
}
