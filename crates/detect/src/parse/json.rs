//! A scanner for JSON, and for what lenient parsers take for JSON.
//!
//! It keeps no state but its position: objects, arrays and strings come out as they stand, whether or not they fit together, so that a
//! mistake on purpose hides nothing. A string counts as a key if a colon follows.

use crate::decode::{push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// One token; strings without quotes and with their escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Object,
    Array,
    /// `}` or `]`.
    Close,
    Key(&'a [u8]),
    Text(&'a [u8]),
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// Anything else that stands without quotes.
    Bare(&'a [u8]),
}

/// The tokens of a document.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    /// Something that is no JSON was read.
    pub(crate) odd: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Scanner { rest: input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input), odd: false }
    }

    /// Reads up to the closing quote and past it.
    fn string(&mut self, quote: u8) -> &'a [u8] {
        let text = self.rest.get(1..).unwrap_or_default();
        let mut from = 0;
        while let Some(tail) = text.get(from..) {
            match memchr::memchr2(quote, b'\\', tail) {
                Some(at) if tail.get(at) == Some(&b'\\') => from += at + 2,
                Some(at) => {
                    self.rest = tail.get(at + 1..).unwrap_or_default();
                    return text.get(..from + at).unwrap_or_default();
                }
                None => break,
            }
        }
        self.odd = true;
        self.rest = &[];
        text
    }

    /// Words without quotes, all up to the next sign of JSON: what they say, they say together.
    fn bare(&mut self) -> &'a [u8] {
        let ends = |byte: &u8| matches!(byte, b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"');
        let length = self.rest.iter().position(ends).unwrap_or(self.rest.len()).max(1);
        let (words, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        words.trim_ascii_end()
    }

    fn colon_follows(&self) -> bool {
        self.rest.trim_ascii_start().starts_with(b":")
    }

    fn skip_separators(&mut self) {
        let skipped =
            |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | 0x1E | 0);
        let length = self.rest.iter().take_while(|byte| skipped(byte)).count();
        self.rest = self.rest.get(length..).unwrap_or_default();
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_separators();
        let first = *self.rest.first()?;
        let text = match first {
            b'{' | b'[' | b'}' | b']' => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                return Some(match first {
                    b'{' => Token::Object,
                    b'[' => Token::Array,
                    _ => Token::Close,
                });
            }
            b'"' => self.string(first),
            b'\'' => {
                self.odd = true;
                self.string(first)
            }
            _ => {
                let word = self.bare();
                if is_scalar(word) && !self.colon_follows() {
                    return Some(Token::Scalar);
                }
                self.odd = true;
                return Some(if self.colon_follows() {
                    Token::Key(word)
                } else {
                    Token::Bare(word)
                });
            }
        };
        Some(if self.colon_follows() { Token::Key(text) } else { Token::Text(text) })
    }
}

fn is_scalar(word: &[u8]) -> bool {
    matches!(word, b"true" | b"false" | b"null")
        || word.iter().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
}

/// Decodes the escapes of a JSON string; an escape that JSON does not know stays as it is.
pub(crate) fn unescape(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let (value, length) = match tail {
            [_, b'u', a, b, c, d, ..] => (unit([*a, *b, *c, *d]), 6),
            [_, byte, ..] => (letter(*byte).map(u32::from), 2),
            _ => (None, 1),
        };
        match value {
            Some(value) => {
                step.decoders.insert(DecoderSet::JSON);
                if length == 6 && u8::try_from(value).is_ok_and(|b| b.is_ascii_alphanumeric()) {
                    step.anomalies.insert(Anomalies::ESCAPED_ALNUM);
                }
                push_code_point(out, value);
                rest = tail.get(length..).unwrap_or_default();
            }
            None => {
                out.push(b'\\');
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    step
}

fn unit(digits: [u8; 4]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | (*digit as char).to_digit(16)?))
}

fn letter(byte: u8) -> Option<u8> {
    Some(match byte {
        b'"' | b'\\' | b'/' => byte,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        _ => return None,
    })
}
