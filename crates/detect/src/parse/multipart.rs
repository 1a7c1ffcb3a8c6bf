//! The parts of a multipart body, read as leniently as the most lenient application.
//!
//! A boundary counts at the start of a line, with CRLF or LF; header lines may be folded; a missing end is the end of the body. What a
//! strict parser would refuse, or read as something else, is noted.

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
    /// What stands before the first boundary, without the line ends.
    pub(crate) preamble: &'a [u8],
    /// Something that a strict parser would refuse was read.
    pub(crate) odd: bool,
}

impl<'a> Parts<'a> {
    /// `None` if the boundary does not occur.
    pub(crate) fn new(body: &'a [u8], boundary: &'a [u8]) -> Option<Self> {
        if boundary.is_empty() {
            return None;
        }
        let (before, after, strict) = delimiter(body, boundary)?;
        let preamble = before.trim_ascii();
        Some(Parts { rest: after, boundary, preamble, odd: !strict || !preamble.is_empty() })
    }

    /// What stands behind the last boundary, for those who read on.
    pub(crate) fn epilogue(&self) -> &'a [u8] {
        self.rest.strip_prefix(b"--").unwrap_or_default().trim_ascii()
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        // `--` after the boundary ends the body.
        if self.rest.is_empty() || self.rest.starts_with(b"--") {
            self.odd |= !self.epilogue().is_empty();
            return None;
        }
        let line_end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        self.odd |= !self.rest.starts_with(b"\r\n");
        let part = self.rest.get(line_end..).unwrap_or_default();
        let raw = match delimiter(part, self.boundary) {
            Some((before, after, strict)) => {
                self.rest = after;
                self.odd |= !strict;
                before
            }
            None => {
                self.odd = true;
                self.rest = &[];
                part
            }
        };
        let (head, content) = split_head(raw);
        self.odd |= !is_strict_head(head);
        Some(Part { head, content })
    }
}

/// True for headers as a strict parser wants them: one disposition with one name, each line with a colon and a CRLF, none folded.
fn is_strict_head(head: &[u8]) -> bool {
    let lines = head.strip_suffix(b"\r\n").unwrap_or_default().split(|byte| *byte == b'\n');
    let mut count = 0;
    let lines_fit = lines.enumerate().all(|(i, line)| {
        count = i + 1;
        let name = memchr::memchr(b':', line).and_then(|at| line.get(..at)).unwrap_or_default();
        let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        !name.is_empty() && name.iter().all(token) && memchr::memchr(0, line).is_none()
    });
    let returns = memchr::memchr_iter(b'\r', head).count();
    let mut dispositions = dispositions(head);
    let one = dispositions.next().is_some_and(|disposition| {
        let names = parameters(disposition, "name").count();
        let files = parameters(disposition, "filename").count();
        names <= 1 && files <= 1 && names + files > 0
    });
    lines_fit && returns == count && one && dispositions.next().is_none()
}

/// The values of all Content-Disposition headers.
pub(crate) fn dispositions(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    headers(head)
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-disposition"))
        .map(|(_, value)| value)
}

/// What stands before the next boundary line, without its line end, and what follows the boundary. False: the line end is no CRLF.
fn delimiter<'a>(body: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8], bool)> {
    let mut finder = memchr::memmem::find_iter(body, boundary);
    finder.find_map(|at| {
        let before = body.get(..at)?.strip_suffix(b"--")?;
        let after = body.get(at + boundary.len()..)?;
        if before.is_empty() {
            return Some((before, after, true));
        }
        let before = before.strip_suffix(b"\n")?;
        let strict = before.strip_suffix(b"\r");
        Some((strict.unwrap_or(before), after, strict.is_some()))
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

/// The first parameter of that name.
pub(crate) fn parameter<'a>(value: &'a [u8], name: &'static str) -> Option<&'a [u8]> {
    parameters(value, name).next()
}

/// The parameters of Content-Disposition that have one name: quoted, unquoted, or in the extended form `name*=UTF-8''value`.
pub(crate) fn parameters<'a>(
    value: &'a [u8],
    name: &'static str,
) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        while let Some(at) = find_ignore_case(rest, name.as_bytes()) {
            let before = rest.get(..at).unwrap_or_default().trim_ascii_end();
            let after = rest.get(at + name.len()..)?;
            rest = after;
            let starts = before.is_empty() || before.ends_with(b";") || before.ends_with(b",");
            let after = after.strip_prefix(b"*").unwrap_or(after).trim_ascii_start();
            if let (true, Some(text)) = (starts, after.strip_prefix(b"=")) {
                let text = text.trim_ascii_start();
                let value = parameter_value(text);
                // A quoted value may contain the name again.
                rest = text.get(value.len()..)?;
                return Some(value);
            }
        }
        None
    })
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
