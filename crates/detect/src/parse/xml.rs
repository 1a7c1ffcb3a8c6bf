//! A scanner for XML, and for what looks like it.
//!
//! It keeps no state but its position and never fails; nothing is ever expanded.

use crate::decode::{entity, Step};
use crate::views::DecoderSet;

/// True if a text that begins with a tag holds what only a parser of XML understands.
pub(crate) fn is_announced(text: &[u8]) -> bool {
    let holds = |sign: &[u8]| memchr::memmem::find(text, sign).is_some();
    holds(b"<![CDATA[") || holds(b"<!ENTITY")
}

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
    /// Text, or the content of a CDATA section.
    Text(&'a [u8]),
    Comment(&'a [u8]),
    /// A processing instruction, the XML declaration among them.
    Instruction(&'a [u8]),
    /// A document type up to its internal subset: the root's name, and what is outside.
    Doctype(&'a [u8]),
    /// An entity of the internal subset: its name, with `%` before that of a parameter entity, and its text with quotes, or where to find it.
    Entity {
        name: &'a [u8],
        value: &'a [u8],
    },
}

/// The tokens of a document.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    in_tag: bool,
    /// Inside the internal subset of a document type.
    in_subset: bool,
    /// Something that is no XML was read.
    pub(crate) odd: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        let rest = input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input);
        Scanner { rest, in_tag: false, in_subset: false, odd: false }
    }

    /// Takes `length` bytes.
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Takes up to `end` and skips it; everything if it does not come.
    fn take_until(&mut self, end: &[u8]) -> &'a [u8] {
        let at = memchr::memmem::find(self.rest, end);
        self.odd |= at.is_none();
        let taken = self.take(at.unwrap_or(self.rest.len()));
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
            [] | [b'<', ..] => {
                self.odd = true;
                self.in_tag = false;
            }
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
            self.odd = true;
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
                self.odd = true;
                let ends = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
                self.take(self.rest.iter().position(ends).unwrap_or(self.rest.len()))
            }
        };
        Token::Attribute { name, value }
    }

    /// Reads what begins with `<`.
    fn markup(&mut self) -> Option<Token<'a>> {
        type Make<'a> = fn(&'a [u8]) -> Token<'a>;
        let marks: [(&[u8], &[u8], Make<'a>); 3] = [
            (b"<![CDATA[", b"]]>", Token::Text),
            (b"<!--", b"-->", Token::Comment),
            (b"<?", b"?>", Token::Instruction),
        ];
        for (open, close, make) in marks {
            if self.rest.starts_with(open) {
                self.take(open.len());
                return Some(make(self.take_until(close)));
            }
        }
        self.take(1);
        match self.rest {
            [b'!', ..] => self.declaration(),
            [b'/', ..] => {
                self.take_until(b">");
                Some(Token::Close)
            }
            _ if self.in_subset => None,
            _ => {
                let name = self.take_name();
                self.in_tag = true;
                Some(Token::Open(name))
            }
        }
    }
}

impl<'a> Scanner<'a> {
    /// Reads a declaration from its `!` on.
    fn declaration(&mut self) -> Option<Token<'a>> {
        self.take(1);
        let word = self.take(self.rest.iter().take_while(|b| b.is_ascii_alphabetic()).count());
        if word.eq_ignore_ascii_case(b"doctype") {
            let text = self.take(unquoted(self.rest, b'['));
            self.in_subset = self.rest.starts_with(b"[");
            self.take(1);
            return Some(Token::Doctype(text.trim_ascii()));
        }
        let text = self.take(unquoted(self.rest, b'>'));
        self.odd |= self.rest.is_empty();
        self.take(1);
        word.eq_ignore_ascii_case(b"entity").then(|| entity(text))
    }

    /// Reads on between the declarations of an internal subset.
    fn subset(&mut self) -> Option<Token<'a>> {
        let at = memchr::memchr2(b'<', b']', self.rest).unwrap_or(self.rest.len());
        self.take(at);
        if self.rest.starts_with(b"<") {
            return self.markup();
        }
        self.take_until(b">");
        self.in_subset = false;
        None
    }
}

/// Where the first `end`, or else `>`, stands outside quotes; the end of the text if nowhere.
fn unquoted(text: &[u8], end: u8) -> usize {
    let mut quote = None;
    for (at, byte) in text.iter().enumerate() {
        match (quote, *byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, byte) if byte == end || byte == b'>' => return at,
            _ => {}
        }
    }
    text.len()
}

/// Splits what follows `<!ENTITY`.
fn entity(text: &[u8]) -> Token<'_> {
    let text = text.trim_ascii();
    let sign = usize::from(text.starts_with(b"%"));
    let space = text.get(sign..).unwrap_or_default();
    let skipped = sign + space.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let name = text.get(skipped..).unwrap_or_default();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let end = skipped + name.iter().position(ends).unwrap_or(name.len());
    let (name, value) = text.split_at(end);
    Token::Entity { name, value: value.trim_ascii() }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while !self.rest.is_empty() {
            let token = if self.in_tag {
                self.attribute()
            } else if self.in_subset {
                self.subset()
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

/// The encoding that the XML declaration at the start of a document names.
pub(crate) fn encoding(document: &[u8]) -> Option<&[u8]> {
    const LONGEST: usize = 1024;
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document).trim_ascii_start();
    let declaration = document.strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..declaration.len().min(LONGEST))?;
    let end = memchr::memmem::find(declaration, b"?>").unwrap_or(declaration.len());
    let declaration = declaration.get(..end)?;
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let value = declaration.get(at + b"encoding".len()..)?.trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    let end = memchr::memchr(*quote, value)?;
    value.get(..end).filter(|name| !name.is_empty())
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
