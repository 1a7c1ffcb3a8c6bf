//! A scanner for XML, and for what looks like it.
//!
//! It keeps no state but its position and never fails; nothing is ever expanded. A document type is left to those who look at the whole
//! document.

use crate::decode::{entity, Step};
use crate::views::DecoderSet;

/// One token; references in text and values are not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// The name of a start tag.
    Open(&'a [u8]),
    /// An end tag, or the end of an empty element.
    Close,
    Attribute {
        name: &'a [u8],
        value: &'a [u8],
    },
    /// Text, the content of a CDATA section, of a comment or of an instruction.
    Text(&'a [u8]),
}

/// The tokens of a document.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    in_tag: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Scanner { rest: input, in_tag: false }
    }

    /// Takes `length` bytes.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes up to `end` and skips it; everything if it does not come.
    fn take_until(&mut self, end: &[u8]) -> &'a [u8] {
        let at = memchr::memmem::find(self.rest, end).unwrap_or(self.rest.len());
        let taken = self.take(at);
        self.take(end.len());
        taken
    }

    fn take_name(&mut self) -> &'a [u8] {
        let ends = |byte: &u8| {
            byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/' | b'<' | b'"' | b'\'')
        };
        self.take(self.rest.iter().position(ends).unwrap_or(self.rest.len()))
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Reads on inside a start tag; `None` at its end.
    fn attribute(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        match self.rest {
            [] | [b'<', ..] => self.in_tag = false,
            [b'>', ..] => {
                self.take(1);
                self.in_tag = false;
            }
            [b'/', ..] => {
                self.take(1);
                if self.rest.starts_with(b">") {
                    self.take(1);
                    self.in_tag = false;
                    return Some(Token::Close);
                }
            }
            _ => return Some(self.name_and_value()),
        }
        None
    }

    fn name_and_value(&mut self) -> Token<'a> {
        let name = self.take_name();
        self.skip_space();
        if self.rest.starts_with(b"=") {
            self.take(1);
            self.skip_space();
        } else if !name.is_empty() {
            return Token::Attribute { name, value: &[] };
        }
        let value = match self.rest {
            [b'"', ..] => {
                self.take(1);
                self.take_until(b"\"")
            }
            [b'\'', ..] => {
                self.take(1);
                self.take_until(b"'")
            }
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
                self.take(self.rest.iter().position(ends).unwrap_or(self.rest.len()))
            }
        };
        Token::Attribute { name, value }
    }

    /// Reads what begins with `<`.
    fn markup(&mut self) -> Option<Token<'a>> {
        let marks: [(&[u8], &[u8]); 3] =
            [(b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>")];
        for (open, close) in marks {
            if self.rest.starts_with(open) {
                self.take(open.len());
                return Some(Token::Text(self.take_until(close)));
            }
        }
        self.take(1);
        match self.rest {
            [b'!', ..] => {
                self.take_until(b">");
                None
            }
            [b'/', ..] => {
                self.take_until(b">");
                Some(Token::Close)
            }
            _ => {
                let name = self.take_name();
                self.in_tag = true;
                Some(Token::Open(name))
            }
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            let token = if self.in_tag {
                self.attribute()
            } else if self.rest.starts_with(b"<") {
                self.markup()
            } else {
                let end = memchr::memchr(b'<', self.rest).unwrap_or(self.rest.len());
                Some(Token::Text(self.take(end)))
            };
            match token {
                Some(Token::Text(text)) if text.trim_ascii().is_empty() => {}
                Some(token) => return Some(token),
                None => {}
            }
        }
        None
    }
}

/// Decodes the references in text or an attribute.
pub(crate) fn unescape(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = entity::decode(input, out);
    if step.changed() {
        step.decoders = DecoderSet::XML;
    }
    step
}

/// Removes the marks of CDATA sections and keeps what they hold.
pub(crate) fn unwrap_cdata(input: &[u8], out: &mut Vec<u8>) -> Step {
    const OPEN: &[u8] = b"<![CDATA[";
    const CLOSE: &[u8] = b"]]>";
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memmem::find(rest, OPEN) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let tail = tail.get(OPEN.len()..).unwrap_or_default();
        let end = memchr::memmem::find(tail, CLOSE).unwrap_or(tail.len());
        let (text, tail) = tail.split_at(end);
        out.extend_from_slice(text);
        rest = tail.strip_prefix(CLOSE).unwrap_or(tail);
        step.decoders.insert(DecoderSet::XML);
    }
    out.extend_from_slice(rest);
    step
}
