//! Containers inside values: JSON in a parameter, base64, tokens, forms in strings.

use std::ops::Range;

use super::extract::{Extractor, Pending};
use super::value::{How, Value};
use super::{DecoderSet, Group, ParserSet, PointId, PointKind, Reading};
use crate::decode::inflate::{self, Inflated};
use crate::decode::{base64, gzip, Classes};
use crate::parse::{graphql, java, pairs, php, viewstate, xml};

/// What a value turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    Json,
    Base64,
    /// Three base64 parts separated by dots.
    Jwt,
    /// `a=b+c&d=e`.
    Form,
    /// A document that begins with an XML declaration.
    Xml,
    /// A gzip or zlib stream.
    Zlib,
    Gql,
    Viewstate,
    Php,
    Java,
}

impl Nested {
    /// What switches it off.
    pub(super) fn parser(self) -> ParserSet {
        match self {
            Nested::Json => ParserSet::JSON,
            Nested::Base64 => ParserSet::BASE64,
            Nested::Jwt => ParserSet::JWT,
            Nested::Form => ParserSet::URLENC,
            Nested::Xml => ParserSet::XML,
            Nested::Zlib => ParserSet::ZLIB,
            Nested::Gql => ParserSet::GQL,
            Nested::Viewstate => ParserSet::VIEWSTATE,
            Nested::Php => ParserSet::PHP,
            Nested::Java => ParserSet::JAVA,
        }
    }

    /// Looks for a container; the range is its place in `bytes`.
    pub(super) fn find(
        bytes: &[u8],
        classes: Classes,
        value: &Value<'_>,
    ) -> Option<(Nested, Range<usize>)> {
        let whole = 0..bytes.len();
        if bytes.len() < 4 || value.how == How::Document || value.group == Group::Method {
            return None;
        }
        match bytes.trim_ascii() {
            [b'{', .., b'}'] | [b'[', .., b']'] if value.how != How::Xml => {
                return memchr::memchr2(b'"', b':', bytes).map(|_| (Nested::Json, whole));
            }
            [b'<', b'?', b'x' | b'X', b'm' | b'M', b'l' | b'L', ..] if value.how != How::Xml => {
                return Some((Nested::Xml, whole));
            }
            [b'<', ..] if value.how != How::Xml && xml::is_announced(bytes) => {
                return Some((Nested::Xml, whole));
            }
            [b'{' | b'[' | b'<', ..] => return data_url(bytes),
            [b'e', b'y', b'J', ..] => return Some((jwt_or_base64(bytes), whole)),
            [0x1F | 0x78 | 0xAC | 0xFF, ..] => {
                if let Some(format) = Nested::binary(bytes, value) {
                    return Some((format, whole));
                }
            }
            text @ [b'a' | b'O' | b'C' | b's' | b'E', b':', ..] if php::is_announced(text) => {
                return Some((Nested::Php, whole));
            }
            text @ [b'q' | b'm' | b's' | b'f', ..] if graphql::is_announced(text) => {
                return Some((Nested::Gql, whole));
            }
            _ => {}
        }
        if value.group == Group::Header {
            if let Some(at) = credentials(bytes) {
                return Some(match jwt_or_base64(bytes.get(at..)?) {
                    Nested::Jwt => (Nested::Jwt, whole),
                    format => (format, at..bytes.len()),
                });
            }
        }
        // The path as a whole, since base64 may contain slashes.
        let lead = usize::from(value.group == Group::Path && bytes.starts_with(b"/"));
        if !classes.has(Classes::NOT_BASE64) && base64::may_be_text(bytes.get(lead..)?) {
            return Some((Nested::Base64, lead..bytes.len()));
        }
        if classes.has(Classes::COMMA) {
            if let Some(found) = data_url(bytes) {
                return Some(found);
            }
        }
        let form = classes.has(Classes::EQUALS) && classes.has(Classes::PLUS);
        let parsed = matches!(value.how, How::Form | How::Xml);
        let form = form && !parsed && looks_like_form(bytes);
        form.then_some((Nested::Form, whole))
    }
}

impl Nested {
    /// A binary format by its first bytes. Those of a zlib stream count only where they came out of base64: they are ordinary letters.
    fn binary(bytes: &[u8], value: &Value<'_>) -> Option<Nested> {
        let zlib = inflate::is_zlib(bytes) && value.decoders.contains(DecoderSet::BASE64);
        match bytes {
            _ if zlib || gzip::is_gzip(bytes) => Some(Nested::Zlib),
            _ if bytes.starts_with(java::MAGIC) => Some(Nested::Java),
            _ if bytes.starts_with(viewstate::MAGIC) => Some(Nested::Viewstate),
            _ => None,
        }
    }
}

fn jwt_or_base64(bytes: &[u8]) -> Nested {
    if memchr::memchr(b'.', bytes).is_some() {
        Nested::Jwt
    } else {
        Nested::Base64
    }
}

/// Where the credentials of an Authorization header start: behind its first word. What looks like a token may follow any word.
fn credentials(bytes: &[u8]) -> Option<usize> {
    const LONGEST: usize = 64;
    let at = memchr::memchr(b' ', bytes.get(..bytes.len().min(LONGEST))?)? + 1;
    let (scheme, rest) = bytes.split_at_checked(at)?;
    let known = || [&b"basic "[..], b"bearer "].iter().any(|s| s.eq_ignore_ascii_case(scheme));
    (rest.starts_with(b"eyJ") || known()).then_some(at)
}

/// The content of the first `data:…;base64,` URL.
fn data_url(bytes: &[u8]) -> Option<(Nested, Range<usize>)> {
    let announced = |at: &usize| bytes.get(..*at).is_some_and(|head| head.ends_with(b"base64"));
    let start = memchr::memchr_iter(b',', bytes).find(announced)? + 1;
    let content = bytes.get(start..)?;
    let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    let length = content.iter().take_while(|byte| known(byte)).count();
    Some((Nested::Base64, start..start + length))
}

/// Plain name, `=`, and a `+` somewhere: without one, splitting shows nothing that the whole value does not.
fn looks_like_form(bytes: &[u8]) -> bool {
    const LONGEST_NAME: usize = 64;
    let start = bytes.get(..bytes.len().min(LONGEST_NAME)).unwrap_or_default();
    let Some(at) = memchr::memchr(b'=', start) else { return false };
    let (name, value) = bytes.split_at(at);
    at > 0 && pairs::is_plain_name(name) && memchr::memchr(b'+', value).is_some()
}

impl Extractor<'_> {
    /// Reads the containers noted so far, and those found on the way.
    pub(super) fn read_pending(&mut self) {
        self.work.pending.reverse();
        while let Some(pending) = self.work.pending.pop() {
            if self.done() {
                return;
            }
            let mut input = std::mem::take(&mut self.work.input);
            input.clear();
            let range = pending.start as usize..pending.end as usize;
            input.extend_from_slice(self.views.text.get(range).unwrap_or_default());
            let known = self.work.pending.len();
            if self.pay(input.len()) {
                self.read_nested(&pending, &input);
            }
            self.work.pending.get_mut(known..).unwrap_or_default().reverse();
            self.work.input = input;
        }
    }

    fn read_nested(&mut self, pending: &Pending, input: &[u8]) {
        match pending.format {
            Nested::Json => {
                let point = self.plain_point(pending.point, PointKind::JsonDoc);
                if self.json(Value { point, ..pending.value(input, How::Json) }) {
                    self.told_elsewhere(pending.field as usize);
                }
            }
            Nested::Base64 => self.base64(pending, input),
            Nested::Jwt => self.jwt(pending, input),
            Nested::Xml => {
                let point = self.plain_point(pending.point, PointKind::Xml);
                self.xml(Value { point, ..pending.value(input, How::Xml) });
            }
            Nested::Form => self.form(pending.value(input, How::Form)),
            Nested::Zlib => self.unzip(pending, input, false),
            Nested::Gql => {
                let point = self.plain_point(pending.point, PointKind::Gql);
                let decoders = pending.decoders.union(DecoderSet::GRAPHQL);
                self.graphql(Value { point, decoders, ..pending.value(input, How::Plain) });
            }
            Nested::Viewstate => {
                let point = self.plain_point(pending.point, PointKind::Viewstate);
                let decoders = pending.decoders.union(DecoderSet::VIEWSTATE);
                self.viewstate(Value { point, decoders, ..pending.value(input, How::Plain) });
            }
            Nested::Php => {
                let point = self.plain_point(pending.point, PointKind::Php);
                let decoders = pending.decoders.union(DecoderSet::PHP);
                self.php(Value { point, decoders, ..pending.value(input, How::Plain) });
            }
            Nested::Java => {
                let point = self.plain_point(pending.point, PointKind::Java);
                let decoders = pending.decoders.union(DecoderSet::JAVA);
                self.java(Value { point, decoders, ..pending.value(input, How::Plain) });
            }
        }
    }

    /// The strings of a whole document are values of their own now, so the model need not read it from view `first` of its value on.
    fn told_elsewhere(&mut self, first: usize) {
        let fields = self.views.fields.get_mut(first..).unwrap_or_default();
        let value = fields.first().map(|field| field.value);
        for field in fields.iter_mut().take_while(|field| Some(field.value) == value) {
            field.reading = Reading::Elsewhere;
        }
    }

    /// Header and payload of a token, and the word before it.
    fn jwt(&mut self, pending: &Pending, input: &[u8]) {
        let at = if pending.group == Group::Header { credentials(input) } else { None };
        let (prefix, token) = input.split_at_checked(at.unwrap_or(0)).unwrap_or((&[], input));
        if !prefix.is_empty() {
            let point = self.named_point(pending.point, PointKind::Jwt, b"jwt_prefix");
            let raw = prefix.trim_ascii_end();
            self.value(Value { point, ..pending.value(raw, How::Document) });
        }
        let decoders = pending.decoders.union(DecoderSet::JWT);
        let parts = token.split(|byte| *byte == b'.');
        for (part, name) in parts.zip([&b"jwt_header"[..], b"jwt_payload"]) {
            let point = self.named_point(pending.point, PointKind::Jwt, name);
            self.base64(&Pending { point, decoders, ..*pending }, part);
        }
    }

    fn base64(&mut self, pending: &Pending, input: &[u8]) {
        let mut unpacked = std::mem::take(&mut self.work.unpacked);
        if base64::decode(input, &mut unpacked) {
            let point = self.plain_point(pending.point, PointKind::Base64);
            let decoders = pending.decoders.union(DecoderSet::BASE64);
            let value = Value { point, decoders, ..pending.value(&unpacked, How::Plain) };
            if base64::is_binary(&unpacked) {
                self.binary(value);
            } else {
                self.value(value);
            }
        } else if self.may_be_deflated(pending.point) {
            let mut packed = std::mem::take(&mut self.work.packed);
            base64::decode_any(input, &mut packed);
            self.work.unpacked = unpacked;
            let point = self.plain_point(pending.point, PointKind::Base64);
            let decoders = pending.decoders.union(DecoderSet::BASE64);
            self.unzip(&Pending { point, decoders, ..*pending }, &packed, true);
            self.work.packed = packed;
            return;
        }
        self.work.unpacked = unpacked;
    }

    /// Looks for base64 that is no text because it was compressed.
    pub(super) fn find_deflated(
        &self,
        bytes: &[u8],
        classes: Classes,
        value: &Value<'_>,
    ) -> Option<(Nested, Range<usize>)> {
        const SHORTEST: usize = 8;
        let base64 = bytes.len() >= SHORTEST && !classes.has(Classes::NOT_BASE64);
        let found = base64 && value.how != How::Document && self.may_be_deflated(value.point);
        found.then_some((Nested::Base64, 0..bytes.len()))
    }

    /// True for a parameter of SAML's redirect binding: base64 of a stream without any frame, which only the name tells from a key.
    fn may_be_deflated(&self, point: PointId) -> bool {
        let start = self.views.points.key(point).and_then(|name| name.get(..4));
        start.is_some_and(|start| start.eq_ignore_ascii_case(b"saml"))
            && !self.off(ParserSet::ZLIB.union(ParserSet::BASE64))
    }

    /// Reads a compressed stream, which may do without a frame if it is `bare`.
    fn unzip(&mut self, pending: &Pending, input: &[u8], bare: bool) {
        let mut unpacked = std::mem::take(&mut self.work.unpacked);
        let (limit, inflater) = (self.inflated_left, &mut self.work.inflater);
        let outcome = inflater.undeclared(input, bare, limit, &mut unpacked);
        self.inflated(pending.point, input.len(), &mut unpacked, outcome);
        if outcome != Inflated::Nothing {
            let point = self.plain_point(pending.point, PointKind::Gzip);
            let decoders = pending.decoders.union(DecoderSet::GZIP);
            self.value(Value { point, decoders, ..pending.value(&unpacked, How::Plain) });
        }
        self.work.unpacked = unpacked;
    }
}

impl Pending {
    fn value<'a>(&self, raw: &'a [u8], how: How) -> Value<'a> {
        let Pending { point, group, depth, decoders, .. } = *self;
        Value { point, group, raw, how, depth, decoders }
    }
}
