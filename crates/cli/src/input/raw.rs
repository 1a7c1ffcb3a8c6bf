//! Raw HTTP/1.x request messages, one or several behind one another.
//!
//! Files are often written by hand, so lines may end in LF alone, the version may be missing and
//! a body without a length reaches to the end of the file. What remains ambiguous is an error
//! with its line, never a guess that could hide a request.

use super::{Fault, Message, ParseError, Place};

/// Iterates over the requests of a file; ends after the first error.
pub(crate) struct Requests<'a> {
    rest: &'a [u8],
    /// Number of the next line.
    line: u64,
}

impl<'a> Requests<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, line: 1 }
    }

    fn request(&mut self) -> Result<Message, ParseError> {
        let mut message = Message::at(Place::Line(self.line));
        let start = self.take_line();
        let (method, uri, protocol) =
            split_request_line(start).ok_or(ParseError::line(self.line - 1, Fault::RequestLine))?;
        message.method = method.to_vec();
        message.uri = uri.to_vec();
        message.protocol = protocol.to_vec();
        self.headers(&mut message)?;
        self.body(&mut message)?;
        Ok(message)
    }

    fn headers(&mut self, message: &mut Message) -> Result<(), ParseError> {
        while !self.rest.is_empty() {
            let line = self.take_line();
            if line.is_empty() {
                break;
            }
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            if let (true, Some((_, value))) = (folded, message.headers.last_mut()) {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
                continue;
            }
            let (name, value) =
                split_at(line, b':').ok_or(ParseError::line(self.line - 1, Fault::HeaderLine))?;
            message.headers.push((name.to_vec(), value.trim_ascii().to_vec()));
        }
        Ok(())
    }

    fn body(&mut self, message: &mut Message) -> Result<(), ParseError> {
        let chunked = message.header("transfer-encoding").is_some_and(|value| {
            value.to_ascii_lowercase().windows(7).any(|part| part == b"chunked")
        });
        if chunked {
            return self.chunks(message);
        }
        let Some(length) = message.header("content-length") else {
            if !self.at_request() {
                message.body = self.take(self.rest.len()).to_vec();
            }
            return Ok(());
        };
        let length = number(length, 10)
            .ok_or_else(|| ParseError::line(self.line - 1, Fault::ContentLength))?;
        message.body_truncated = length > self.rest.len();
        message.body = self.take(length).to_vec();
        Ok(())
    }

    fn chunks(&mut self, message: &mut Message) -> Result<(), ParseError> {
        while !self.rest.is_empty() {
            let line = self.take_line();
            let size = line.split(|&b| b == b';').next().unwrap_or_default();
            let bad = ParseError::line(self.line - 1, Fault::Chunk);
            let Some(size) = number(size.trim_ascii(), 16) else { return Err(bad) };
            if size == 0 {
                self.trailers();
                return Ok(());
            }
            message.body_truncated = size > self.rest.len();
            message.body.extend_from_slice(self.take(size));
            if !self.rest.is_empty() && !self.take_line().is_empty() {
                return Err(bad);
            }
        }
        message.body_truncated = true;
        Ok(())
    }

    fn trailers(&mut self) {
        while !self.rest.is_empty() && !self.take_line().is_empty() {}
    }

    /// Whether the next line that is not empty starts a request; true at the end of the file.
    fn at_request(&self) -> bool {
        let text = skip_blank_lines(self.rest);
        let line = text.split(|&b| b == b'\n').next().unwrap_or_default();
        text.is_empty()
            || split_request_line(line.trim_ascii_end()).is_some_and(|(_, _, p)| p != NO_VERSION)
    }

    /// The next line without its end.
    fn take_line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|&b| b == b'\n').map_or(self.rest.len(), |at| at + 1);
        let line = self.take(end);
        if !line.ends_with(b"\n") {
            self.line += 1;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The next `length` bytes, or what there is of them.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        self.line += taken.iter().filter(|&&b| b == b'\n').count() as u64;
        taken
    }
}

impl Iterator for Requests<'_> {
    type Item = Result<Message, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take(self.rest.len() - skip_blank_lines(self.rest).len());
        if self.rest.is_empty() {
            return None;
        }
        let request = self.request();
        if request.is_err() {
            self.rest = &[];
        }
        Some(request)
    }
}

/// What a request line without a version means.
const NO_VERSION: &[u8] = b"HTTP/0.9";

/// Method, target and version. A target pasted without encoding may hold spaces.
fn split_request_line(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (method, rest) = split_at(line, b' ')?;
    let token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if method.is_empty() || !method.iter().all(token) {
        return None;
    }
    let rest = rest.trim_ascii();
    let last_word = rest.iter().rposition(|&b| b == b' ').map(|at| rest.split_at(at));
    let (target, version) = match last_word {
        Some((target, version)) if version.starts_with(b" HTTP/") => (target, version),
        _ => (rest, NO_VERSION),
    };
    (!target.is_empty()).then_some((method, target.trim_ascii(), version.trim_ascii()))
}

fn split_at(line: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&b| b == byte)?;
    Some((line.get(..at)?, line.get(at + 1..)?))
}

fn skip_blank_lines(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

fn number(digits: &[u8], radix: u32) -> Option<usize> {
    let text = std::str::from_utf8(digits).ok()?;
    // from_str_radix takes a sign, HTTP does not
    text.bytes().all(|b| b.is_ascii_hexdigit()).then(|| usize::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Message> {
        Requests::new(text.as_bytes()).map(|message| message.unwrap()).collect()
    }

    fn error(text: &str) -> ParseError {
        Requests::new(text.as_bytes()).find_map(|message| message.err()).unwrap()
    }

    #[test]
    fn pipelined_requests_are_separated() {
        let messages = all("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx=1\
             GET /b?q HTTP/1.1\r\nHost:h \r\n\r\n\r\nPUT /c HTTP/1.0\r\n\r\n");
        let lines: Vec<_> = messages
            .iter()
            .map(|m| [&m.method, &m.uri, &m.protocol, &m.body].map(|b| String::from_utf8_lossy(b)))
            .collect();
        assert_eq!(lines[0], ["POST", "/a", "HTTP/1.1", "x=1"]);
        assert_eq!(lines[1], ["GET", "/b?q", "HTTP/1.1", ""]);
        assert_eq!(lines[2], ["PUT", "/c", "HTTP/1.0", ""]);
        assert_eq!(messages[1].headers, [(b"Host".to_vec(), b"h".to_vec())]);
        assert_eq!([1, 2].map(|n: usize| messages[n].place), [5, 9].map(Place::Line));
    }

    #[test]
    fn hand_written_requests_are_understood() {
        let messages = all("GET /a?b=c d");
        assert_eq!((&*messages[0].uri, &*messages[0].protocol), (&b"/a?b=c d"[..], NO_VERSION));
        let messages = all("POST / HTTP/1.1\nA: b\n c\n\nbody\nto the end\n");
        assert_eq!(messages[0].headers[0].1, b"b c");
        assert_eq!(messages[0].body, b"body\nto the end\n");
        assert!(!messages[0].body_truncated);
        assert!(all(" \r\n".trim_start()).is_empty());
    }

    #[test]
    fn a_short_file_marks_the_body_as_truncated() {
        let messages = all("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
        assert_eq!((&*messages[0].body, messages[0].body_truncated), (&b"abc"[..], true));
        let messages = all("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        assert_eq!((&*messages[0].body, messages[0].body_truncated), (&b"ab"[..], true));
    }

    #[test]
    fn chunks_are_joined_and_the_next_request_follows() {
        let messages = all("POST / HTTP/1.1\r\ntransfer-encoding: gzip, Chunked\r\n\r\n\
             3\r\na\nb\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /n HTTP/1.1\r\n\r\n");
        assert_eq!(messages[0].body, b"a\nb0123456789");
        assert!(!messages[0].body_truncated);
        assert_eq!(messages[1].uri, b"/n");
    }

    #[test]
    fn errors_name_the_line() {
        let cases = [
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 2, Fault::HeaderLine),
            ("\r\n{}", 2, Fault::RequestLine),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nab=\r\n", 4, Fault::RequestLine),
            ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na", 3, Fault::ContentLength),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 4, Fault::Chunk),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 4, Fault::Chunk),
        ];
        for (text, line, fault) in cases {
            assert_eq!(error(text), ParseError::line(line, fault), "{text}");
        }
    }
}
