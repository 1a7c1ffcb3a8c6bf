//! The body: as it was sent, and parsed as what it is declared to be and as what it looks like.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, DecoderSet, Group, ParserSet, PointId, PointKind};
use crate::decode::base64;
use crate::decode::charset::{self, Charset};
use crate::decode::inflate::Inflated;
use crate::parse::content_type::{self, Declared, Format};
use crate::parse::graphql;
use crate::parse::multipart::{self, Part, Parts};
use crate::parse::xml;
use crate::request::{Header, Request};

/// Text shrinks to a tenth; what grows by more than this was made to.
pub(super) const BOMB_RATIO: usize = 50;

/// Steps for opening a compressed stream: its tables are made anew each time.
const STREAM_STEPS: usize = 2000;

impl Extractor<'_> {
    pub(super) fn body(&mut self, request: &Request<'_>) {
        if request.body.is_empty() || self.done() {
            return;
        }
        let point = self.views.points.plain(None, PointKind::Post);
        let mut inflated = std::mem::take(&mut self.work.inflated);
        let (group, how, depth) = (Group::Body, How::Plain, 0);
        let outcome = match self.off(ParserSet::ZLIB) {
            true => Inflated::Nothing,
            false => self.inflate(request, point, &mut inflated),
        };
        if outcome != Inflated::Nothing {
            let point = self.plain_point(point, PointKind::Gzip);
            let decoders = DecoderSet::GZIP;
            self.content(Value { point, group, raw: &inflated, how, depth, decoders }, request);
        }
        // An application that does not inflate, or reads on behind the stream, sees the body as it was sent.
        if outcome != Inflated::Whole {
            let (raw, decoders) = (request.body, DecoderSet::NONE);
            self.content(Value { point, group, raw, how, depth, decoders }, request);
        }
        self.work.inflated = inflated;
    }

    /// Removes the content codings.
    fn inflate(
        &mut self,
        request: &Request<'_>,
        point: PointId,
        inflated: &mut Vec<u8>,
    ) -> Inflated {
        let named = |header: &&Header<'_>| header.name.eq_ignore_ascii_case(b"content-encoding");
        let codings = request.headers.iter().filter(named).map(|header| header.value);
        let limit = self.inflated_left;
        let outcome = self.work.inflater.inflate(request.body, codings, limit, inflated);
        self.inflated(point, request.body.len(), inflated, outcome);
        outcome
    }

    /// Notes something that was made to grow.
    pub(super) fn bomb(&mut self, point: PointId) {
        self.hit.data_bomb = true;
        self.views.bomb.get_or_insert(point);
        self.over_limit();
    }

    /// Accounts for a stream of `from` bytes at `point` that became `out`, of which a bomb keeps the beginning.
    pub(super) fn inflated(
        &mut self,
        point: PointId,
        from: usize,
        out: &mut Vec<u8>,
        outcome: Inflated,
    ) {
        let to = out.len();
        if outcome == Inflated::Cut && from.saturating_mul(BOMB_RATIO) < self.inflated_left {
            self.bomb(point);
            out.truncate(from.saturating_mul(BOMB_RATIO));
        } else if outcome == Inflated::Cut {
            self.hit.view_bytes = true;
            self.over_limit();
        }
        self.inflated_left = self.inflated_left.saturating_sub(to);
        self.grow(out.len(), from);
        // What comes out is bounded for the whole request; broken streams are paid for one by one.
        let _ = self.pay(from + STREAM_STEPS);
    }

    /// Undoes a character set that hides everything, and reads the body.
    fn content(&mut self, body: Value<'_>, request: &Request<'_>) {
        let declared = declared_charset(request);
        let found = match self.off(ParserSet::CHARSET) {
            true => None,
            false => Charset::sniff(body.raw).or_else(|| declared.and_then(Charset::named)),
        };
        let raw = self.lone_view(body.point, Group::RawBody, body.raw, body.decoders);
        if declared
            .is_some_and(|name| charset::is_odd(name) || charset::is_wide(name) && found.is_none())
        {
            self.annotate(raw, Anomalies::ODD_CHARSET, 0);
        }
        let Some(charset) = found else {
            return self.text_body(body, raw, request);
        };
        if let Some(text) = self.recode(charset, body.raw) {
            let wide = !matches!(charset, Charset::Ebcdic | Charset::Utf7);
            let odd = if wide { Anomalies::UTF16 } else { Anomalies::ODD_CHARSET };
            self.annotate(raw, odd, 0);
            let (decoders, raw) = (body.decoders.union(DecoderSet::CHARSET), text.as_slice());
            let recoded = Value { raw, decoders, ..body };
            let field = self.lone_view(body.point, Group::RawBody, raw, decoders);
            self.text_body(recoded, field, request);
            self.work.recoded = text;
        }
        if Charset::sniff(body.raw).is_none() {
            // Only the declaration says so: an application may not heed it.
            self.text_body(body, raw, request);
        }
    }

    /// `raw` in UTF-8, in a buffer to be put back into `work.recoded`; nothing if the budget is used up.
    fn recode(&mut self, charset: Charset, raw: &[u8]) -> Option<Vec<u8>> {
        if !self.pay(raw.len()) {
            return None;
        }
        let mut text = std::mem::take(&mut self.work.recoded);
        text.clear();
        charset.decode(raw, &mut text);
        Some(text)
    }

    /// Reads the body as what it is declared to be and as what it looks like. `raw` is its view.
    fn text_body(&mut self, body: Value<'_>, raw: Option<usize>, request: &Request<'_>) {
        let declared = declared(request);
        let mut parsed = false;
        if let Declared::Format(format) = declared {
            parsed = self.parse(format, body);
        }
        let multipart = matches!(declared, Declared::Format(Format::Multipart(_)));
        if multipart && request.header("content-type").is_some_and(content_type::is_odd_boundary) {
            self.annotate(raw, Anomalies::BAD_MULTIPART, 0);
        }
        // An anonymous GraphQL document looks like JSON that lacks its quotes.
        let selection = declared == Declared::Format(Format::Graphql)
            && parsed
            && graphql::is_selection(body.raw);
        if let Some(format) = content_type::sniff(body.raw).filter(|_| !selection) {
            let same = matches!(declared, Declared::Format(known) if known.same(format));
            if !(same && parsed) {
                let mismatch = matches!(declared, Declared::Format(_));
                parsed |= self.parse(format, body);
                if mismatch {
                    self.annotate(raw, Anomalies::BODY_MISMATCH, 0);
                }
            }
        }
        let is_xml = !self.off(ParserSet::XML);
        if is_xml && xml::encoding(body.raw).is_some_and(|name| is_other(name, body.decoders)) {
            self.annotate(raw, Anomalies::XML_ENCODING, 0);
        }
        if !parsed {
            let group = if declared == Declared::Binary { Group::File } else { Group::Body };
            self.value(Value { group, ..body });
        }
        self.read_pending();
    }

    /// Reads the body as one format; false if it is none of it at all.
    fn parse(&mut self, format: Format<'_>, body: Value<'_>) -> bool {
        if self.off(format.parser()) {
            return false;
        }
        if !self.pay(body.raw.len()) {
            return true;
        }
        match format {
            Format::Form => self.form(body),
            Format::Json => {
                let point = self.plain_point(body.point, PointKind::JsonDoc);
                self.json(Value { point, ..body });
            }
            Format::Xml if memchr::memchr(b'<', body.raw).is_none() => return false,
            Format::Xml => {
                let point = self.plain_point(body.point, PointKind::Xml);
                self.xml(Value { point, ..body });
            }
            Format::Graphql => {
                let point = self.plain_point(body.point, PointKind::Gql);
                let decoders = body.decoders.union(DecoderSet::GRAPHQL);
                self.graphql(Value { point, decoders, ..body });
            }
            Format::Protobuf => self.protobuf(body),
            Format::Grpc { text: false } => return self.grpc(body),
            Format::Grpc { text: true } => {
                let mut unpacked = std::mem::take(&mut self.work.unpacked);
                base64::decode_any(body.raw, &mut unpacked);
                let point = self.plain_point(body.point, PointKind::Base64);
                let found = self.grpc(Value { point, raw: &unpacked, ..body });
                self.work.unpacked = unpacked;
                return found;
            }
            Format::Multipart(boundary) => return self.multipart(boundary, body),
        }
        true
    }

    /// Reads the parts between the declared boundary, and those between the one that the body itself begins with, if that is another.
    fn multipart(&mut self, boundary: &[u8], body: Value<'_>) -> bool {
        let declared = Parts::new(body.raw, boundary);
        let own = content_type::sniff_boundary(body.raw.trim_ascii_start());
        let own = own.filter(|own| *own != boundary).and_then(|own| Parts::new(body.raw, own));
        let mut found = false;
        for parts in [declared, own].into_iter().flatten() {
            self.parts(parts, body, found);
            found = true;
        }
        found
    }

    fn parts(&mut self, mut parts: Parts<'_>, body: Value<'_>, again: bool) {
        let point = self.plain_point(body.point, PointKind::MultipartName);
        let names = Names { point, group: Group::BodyName, depth: 0, scope: 0 };
        let start = self.views.fields.len();
        for part in parts.by_ref() {
            if self.done() {
                break;
            }
            self.part(part, body, names);
        }
        let rest = [parts.preamble, parts.epilogue()];
        for raw in rest.into_iter().filter(|raw| !raw.is_empty()) {
            self.value(Value { raw, ..body });
        }
        let first = self.views.fields.len();
        self.joined_names(names);
        if parts.odd || again {
            let names = (first < self.views.fields.len()).then_some(first);
            self.annotate(names.or(Some(start)), Anomalies::BAD_MULTIPART, 0);
        }
    }

    fn part(&mut self, part: Part<'_>, body: Value<'_>, names: Names) {
        // Applications differ in which of several names they take: the first one names the point, all are shown.
        let disposition = multipart::dispositions(part.head);
        let mut all = disposition.flat_map(|value| multipart::parameters(value, "name"));
        let name = all.next().unwrap_or_default();
        self.name(name, How::Plain, names);
        for further in all {
            self.name(further, How::Plain, names);
        }
        let point = self.named_point(body.point, PointKind::Multipart, name);
        self.part_headers(part.head, point, body);
        if quoted_printable(part.head) {
            // Few applications heed it, so the content counts as it stands as well.
            self.value(Value { point, raw: part.content, how: How::Quoted, ..body });
        }
        let mut is_file = false;
        let disposition = multipart::dispositions(part.head);
        for raw in disposition.flat_map(|value| multipart::parameters(value, "filename")) {
            is_file = true;
            let point = self.named_point(point, PointKind::ContentDisp, b"filename");
            self.value(Value { point, group: Group::FileName, raw, ..body });
        }
        if is_file {
            let point = self.plain_point(point, PointKind::File);
            self.file(Value { point, group: Group::File, raw: part.content, ..body });
        } else {
            self.value(Value { point, raw: part.content, ..body });
        }
    }

    fn file(&mut self, file: Value<'_>) {
        let charset = Charset::sniff(file.raw).filter(|_| !self.off(ParserSet::CHARSET));
        if let Some(text) = charset.and_then(|charset| self.recode(charset, file.raw)) {
            let decoders = file.decoders.union(DecoderSet::CHARSET);
            self.value(Value { raw: &text, decoders, ..file });
            self.work.recoded = text;
        }
        let start = file.raw.get(..file.raw.len().min(512)).unwrap_or_default();
        if memchr::memchr(0, start).is_some() {
            self.binary(file);
        } else {
            self.value(file);
        }
    }

    fn part_headers(&mut self, head: &[u8], part: PointId, body: Value<'_>) {
        for (name, value) in multipart::headers(head) {
            let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || b"/-+.".contains(b));
            if plain || name.eq_ignore_ascii_case(b"content-disposition") || self.done() {
                continue;
            }
            let point = self.named_point(part, PointKind::Header, name);
            self.value(Value { point, raw: value, ..body });
        }
    }
}

/// True if a part's headers say that its content is quoted-printable.
fn quoted_printable(head: &[u8]) -> bool {
    multipart::headers(head).any(|(name, value)| {
        name.eq_ignore_ascii_case(b"content-transfer-encoding")
            && value.trim_ascii().eq_ignore_ascii_case(b"quoted-printable")
    })
}

/// True if a document that was read with `decoders` is not in the encoding that it declares.
fn is_other(encoding: &[u8], decoders: DecoderSet) -> bool {
    let ascii = !decoders.contains(DecoderSet::CHARSET);
    ascii == (charset::is_wide(encoding) || charset::is_ebcdic(encoding))
}

fn declared_charset<'a>(request: &Request<'a>) -> Option<&'a [u8]> {
    request.header("content-type").and_then(content_type::charset)
}

/// The first declared type that names a format, else the first one at all.
fn declared<'a>(request: &Request<'a>) -> Declared<'a> {
    let mut types = request
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(b"content-type"))
        .map(|header| content_type::declared(header.value));
    let first = types.next().unwrap_or(Declared::Other);
    if matches!(first, Declared::Format(_)) {
        return first;
    }
    types.find(|declared| matches!(declared, Declared::Format(_))).unwrap_or(first)
}
