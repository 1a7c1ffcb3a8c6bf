//! Emits the views of one value: as the application gets it, and fully decoded.

use super::extract::{Extractor, Pending};
use super::nested::Nested;
use super::{Anomalies, DecoderSet, Group, ParserSet, PointId, PointKind, Reading};
use crate::decode::{fully, literal, path, percent, quoted, Classes, Rounds, Step};
use crate::parse::{graphql, json, structured, xml};

/// The decoding that a value's container prescribes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// None: a header, a part of a multipart body.
    Plain,
    /// Percent-encoding: a path, a cookie.
    Url,
    /// Percent-encoding, and `+` for a space: a query, a form.
    Form,
    /// Quoted-printable: a part of a multipart body that declares it.
    Quoted,
    /// The escapes of a JSON string.
    Json,
    /// A whole XML document.
    Xml,
    /// Text or an attribute of an XML document.
    XmlText,
    /// None, and the value is not entered again: it is what a parser already read.
    Document,
}

impl How {
    /// Decodes once. If the step changed nothing, `out` holds nothing of use.
    pub(super) fn decode(self, raw: &[u8], out: &mut Vec<u8>) -> Step {
        match self {
            How::Plain | How::Document => Step::default(),
            How::Url => percent::once(raw, out, false),
            How::Form => percent::once(raw, out, true),
            How::Quoted => quoted::printable(raw, out),
            How::Json if memchr::memchr(b'\\', raw).is_some() => json::unescape(raw, out),
            How::Json => Step::default(),
            How::Xml => xml::unwrap_cdata(raw, out),
            How::XmlText if memchr::memchr(b'&', raw).is_some() => xml::unescape(raw, out),
            How::XmlText => Step::default(),
        }
    }

    fn is_percent(self) -> bool {
        matches!(self, How::Url | How::Form)
    }
}

/// A value to be emitted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) point: PointId,
    pub(super) group: Group,
    pub(super) raw: &'a [u8],
    pub(super) how: How,
    /// Parsers between the request and this value.
    pub(super) depth: u8,
    /// Decoders of the containers around it.
    pub(super) decoders: DecoderSet,
}

impl Extractor<'_> {
    /// Emits the views of a value and notes the container that it may hold.
    pub(super) fn value(&mut self, value: Value<'_>) {
        if value.raw.is_empty() || !self.pay_value(value.raw.len()) {
            return;
        }
        self.begin_value();
        let how = if value.how.is_percent() && self.off(ParserSet::PERCENT) {
            How::Plain
        } else {
            value.how
        };
        let mut base = std::mem::take(&mut self.work.base);
        base.clear();
        let mut step = how.decode(value.raw, &mut base);
        let bytes = if step.changed() { base.as_slice() } else { value.raw };
        if step.changed() && !matches!(value.group, Group::Body | Group::BodyName | Group::File) {
            step.anomalies.insert(encoded_newline(bytes, value.raw));
        }
        self.decoded(
            &Value { decoders: value.decoders.union(step.decoders), ..value },
            bytes,
            step,
        );
        self.work.base = base;
    }

    /// The second half of [`Self::value`]: `bytes` is the value after its container's decoding.
    fn decoded(&mut self, value: &Value<'_>, bytes: &[u8], step: Step) {
        let first = self.view(value.point, value.group, bytes, value.decoders);
        let classes = Classes::of(bytes);
        self.mute_plain(first, value.group, bytes, classes);
        if classes.is_plain() {
            self.annotate(first, step.anomalies, u8::from(step.changed()));
            self.note_nested(value, bytes, classes, first);
            return self.further(value, bytes, classes);
        }
        let mut buffers = std::mem::take(&mut self.work.buffers);
        let before = value.how.is_percent() && step.decoders.contains(DecoderSet::PERCENT);
        let rounds = Rounds {
            most: self.limits.rounds,
            encoded_before: before,
            disabled: self.limits.disabled,
        };
        match fully(bytes, classes, &mut buffers, rounds, self.spent) {
            Some(outcome) => {
                let anomalies = step.anomalies.union(outcome.anomalies);
                let rounds = u8::from(step.changed()) + outcome.rounds;
                self.annotate(first, anomalies, rounds);
                let found = self.note_nested(value, bytes, classes, first);
                if outcome.decoders.is_empty() {
                    self.further(value, bytes, classes);
                } else {
                    let decoders = value.decoders.union(outcome.decoders);
                    let last = self.view(value.point, value.group, buffers.decoded(), decoders);
                    self.annotate(last, anomalies, rounds);
                    let classes = Classes::of(buffers.decoded());
                    self.mute_plain(last, value.group, buffers.decoded(), classes);
                    if !found {
                        self.note_nested(value, buffers.decoded(), classes, last);
                    }
                    self.further(&Value { decoders, ..*value }, buffers.decoded(), classes);
                }
            }
            None => self.hit.overlimit_res = true,
        }
        self.work.buffers = buffers;
    }

    /// Notes that the model has nothing to read in a view: letters and digits, or a header's list as browsers write it.
    fn mute_plain(&mut self, field: Option<usize>, group: Group, bytes: &[u8], classes: Classes) {
        let plain = !classes.tells(group) || group == Group::Header && structured::is_plain(bytes);
        if plain {
            self.mute(field, Reading::Plain);
        }
    }

    /// Emits a third view of a decoded value, where it hides text in literals of SQL, or is a path that resolves to another.
    fn further(&mut self, value: &Value<'_>, bytes: &[u8], classes: Classes) {
        let literal =
            classes.may_hold_literal() && literal::may_occur(bytes) && !self.off(ParserSet::HEX);
        let path = value.group == Group::Path
            && path::may_change(bytes)
            && self.views.points.kind(value.point) == Some(PointKind::Uri);
        if !(literal || path) || !self.pay(bytes.len()) {
            return;
        }
        let mut text = std::mem::take(&mut self.work.third);
        text.clear();
        let step = match path {
            true => path::normalise(bytes, &mut text),
            false => literal::decode(bytes, &mut text),
        };
        if step.changed() {
            let decoders = value.decoders.union(step.decoders);
            let field = self.view(value.point, value.group, &text, decoders);
            self.annotate(field, step.anomalies, 0);
            self.mute_plain(field, value.group, &text, Classes::of(&text));
        }
        self.work.third = text;
    }

    /// Emits a value that is no text: as it is, since decoding would only double it. A container in it is noted.
    pub(super) fn binary(&mut self, value: Value<'_>) {
        let field = self.lone_view(value.point, value.group, value.raw, value.decoders);
        self.note_nested(&value, value.raw, Classes::of(value.raw), field);
    }

    /// True for an anonymous GraphQL document, which only its parameter's name tells from other text in braces.
    fn is_query(&self, bytes: &[u8], value: &Value<'_>) -> bool {
        let may_open = |byte: &u8| *byte == b'{' || byte.is_ascii_whitespace();
        bytes.first().is_some_and(may_open)
            && graphql::is_selection(bytes)
            && !matches!(value.how, How::Document | How::Xml)
            && self.views.points.key(value.point) == Some(b"query")
    }

    /// Notes the container that a view holds, if any. `bytes` is what `field`, the view emitted last, shows.
    fn note_nested(
        &mut self,
        value: &Value<'_>,
        bytes: &[u8],
        classes: Classes,
        field: Option<usize>,
    ) -> bool {
        let found = match self.is_query(bytes, value) {
            true => Some((Nested::Gql, 0..bytes.len())),
            false => Nested::find(bytes, classes, value)
                .or_else(|| self.find_deflated(bytes, classes, value)),
        };
        let Some((format, range)) = found else { return false };
        // The body itself has been through its content codings.
        let coded =
            format == Nested::Zlib && self.views.points.kind(value.point) == Some(PointKind::Post);
        if coded || self.off(format.parser()) {
            return false;
        }
        let Some((index, field)) =
            field.and_then(|index| Some((index, self.views.fields.get(index)?)))
        else {
            return false;
        };
        let text = self.views.text.len();
        let whole = field.range().len() == bytes.len();
        let Some(at) = text.checked_sub(bytes.len() + 1).filter(|_| whole) else {
            return false;
        };
        if value.depth >= self.limits.depth {
            self.too_deep();
            return false;
        }
        self.work.pending.push(Pending {
            start: (at + range.start) as u32,
            end: (at + range.end) as u32,
            field: index as u32,
            point: value.point,
            group: value.group,
            depth: value.depth + 1,
            decoders: field.decoders,
            format,
        });
        true
    }
}

/// A line end that only came to light by decoding.
fn encoded_newline(decoded: &[u8], raw: &[u8]) -> Anomalies {
    let newline = |bytes: &[u8]| memchr::memchr2(b'\r', b'\n', bytes).is_some();
    if newline(decoded) && !newline(raw) {
        Anomalies::ENCODED_NEWLINE
    } else {
        Anomalies::NONE
    }
}
