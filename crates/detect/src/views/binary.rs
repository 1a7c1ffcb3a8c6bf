//! Binary formats: protocol buffers and gRPC, the view state of ASP.NET, object streams of Java.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, DecoderSet, ParserSet, PointId, PointKind};
use crate::decode::inflate::Inflated;
use crate::parse::java;
use crate::parse::protobuf::{self, Fields};
use crate::parse::viewstate::{Kind, Scanner, Token};

/// Messages in one another; honest ones are flat, and each level is read once more to tell it from text.
const MOST_MESSAGES: usize = 16;

impl Extractor<'_> {
    /// Reads the frames of a gRPC body. False if there are none.
    pub(super) fn grpc(&mut self, body: Value<'_>) -> bool {
        let mut index = 0;
        for frame in protobuf::frames(body.raw) {
            if self.done() {
                break;
            }
            if index == self.limits.fan_out {
                self.too_many();
                break;
            }
            let point = self.index_point(body.point, PointKind::Grpc, index);
            index += 1;
            let first = self.views.fields.len();
            let message = Value { point, raw: frame.message, ..body };
            if frame.compressed {
                self.grpc_compressed(message);
            } else if frame.trailers || self.off(ParserSet::PROTOBUF) {
                self.value(message);
            } else {
                self.protobuf(message);
            }
            if frame.cut {
                self.annotate(Some(first), Anomalies::BAD_BINARY, 0);
            }
        }
        index > 0
    }

    fn grpc_compressed(&mut self, message: Value<'_>) {
        let mut unpacked = std::mem::take(&mut self.work.unpacked);
        let mut outcome = Inflated::Nothing;
        if !self.off(ParserSet::ZLIB) {
            let (limit, inflater) = (self.inflated_left, &mut self.work.inflater);
            outcome = inflater.undeclared(message.raw, false, limit, &mut unpacked);
            self.inflated(message.point, message.raw.len(), &mut unpacked, outcome);
        }
        if outcome == Inflated::Nothing {
            self.value(message);
        } else {
            let point = self.plain_point(message.point, PointKind::Gzip);
            let decoders = message.decoders.union(DecoderSet::GZIP);
            self.protobuf(Value { point, decoders, raw: &unpacked, ..message });
        }
        self.work.unpacked = unpacked;
    }

    /// Emits the strings of a message and of those in it. What is no message is a value.
    pub(super) fn protobuf(&mut self, message: Value<'_>) {
        if !self.pay(message.raw.len()) {
            return;
        }
        if !protobuf::is_message(message.raw) {
            let first = self.views.fields.len();
            self.value(message);
            if !message.raw.is_empty() {
                self.annotate(Some(first), Anomalies::BAD_BINARY, 0);
            }
            return;
        }
        let decoders = message.decoders.union(DecoderSet::PROTOBUF);
        let mut open = vec![(Fields::new(message.raw), message.point)];
        while let Some((fields, parent)) = open.last_mut() {
            let Some(field) = fields.next() else {
                open.pop();
                continue;
            };
            let (parent, Some(raw)) = (*parent, field.bytes) else { continue };
            if !self.pay(raw.len()) {
                return;
            }
            let point = self.index_point(parent, PointKind::Protobuf, field.number);
            if is_text(raw) || !protobuf::is_message(raw) {
                self.value(Value { point, raw, decoders, ..message });
            } else if open.len() < MOST_MESSAGES {
                open.push((Fields::new(raw), point));
            } else {
                self.value(Value { point, raw, decoders, ..message });
                self.too_deep();
            }
        }
    }

    /// Emits the strings of an object stream. `stream.point` is its `java`.
    pub(super) fn java(&mut self, stream: Value<'_>) {
        let point = self.plain_point(stream.point, PointKind::JavaClass);
        let names = Names { point, group: stream.group, depth: stream.depth, scope: 0 };
        for token in java::strings(stream.raw) {
            if !self.pay(0) {
                break;
            }
            match token {
                java::Token::Class(name) => {
                    self.work.names.extend_from_slice(name);
                    self.work.names.push(b'&');
                }
                java::Token::Text(raw) => {
                    self.value(Value { raw, how: How::Plain, ..stream });
                }
            }
        }
        self.joined_names(names);
    }

    /// Emits the strings of a view state. `state.point` is its `viewstate`.
    pub(super) fn viewstate(&mut self, state: Value<'_>) {
        let mut scanner = Scanner::new(state.raw);
        let mut open: Vec<Level> = Vec::new();
        loop {
            if open.last().is_some_and(|level| level.kind == Kind::Sparse) && !scanner.announced() {
                scanner.skip_index();
            }
            let Some(token) = scanner.next() else { break };
            if !self.pay(0) {
                return;
            }
            let point = match open.last() {
                Some(level) => self.viewstate_point(*level),
                None => state.point,
            };
            let (Token::Text(raw) | Token::Type(raw) | Token::Binary(raw)) = token else {
                self.viewstate_container(&mut open, token, point);
                if open.is_empty() {
                    break;
                }
                continue;
            };
            match token {
                Token::Binary(_) => self.binary(Value { point, raw, ..state }),
                _ => self.value(Value { point, raw, ..state }),
            }
            if !scanner.announced() {
                count_element(&mut open);
                if open.is_empty() {
                    break;
                }
            }
        }
        if scanner.odd {
            let last = self.views.fields.len().checked_sub(1);
            self.annotate(last, Anomalies::BAD_BINARY, 0);
        }
    }

    fn viewstate_container(&mut self, open: &mut Vec<Level>, token: Token<'_>, point: PointId) {
        count_one(open);
        match token {
            Token::Open(kind, left) if left > 0 => {
                if open.len() < usize::from(self.limits.nesting) {
                    open.push(Level { kind, point, left, index: 0 });
                } else {
                    self.too_deep();
                }
            }
            _ => {}
        }
        close(open);
    }

    fn viewstate_point(&mut self, level: Level) -> PointId {
        let Level { kind, point, index, .. } = level;
        match kind {
            Kind::Pair => self.index_point(point, PointKind::ViewstatePair, index),
            Kind::Triplet => self.index_point(point, PointKind::ViewstateTriplet, index),
            Kind::Array => self.index_point(point, PointKind::ViewstateArray, index),
            Kind::Sparse => self.index_point(point, PointKind::ViewstateSparseArray, index),
            Kind::Dictionary if index % 2 == 0 => {
                self.plain_point(point, PointKind::ViewstateDictKey)
            }
            Kind::Dictionary => self.plain_point(point, PointKind::ViewstateDictValue),
        }
    }
}

/// A container of a view state that is being read.
#[derive(Clone, Copy)]
struct Level {
    kind: Kind,
    point: PointId,
    left: u32,
    index: u32,
}

fn count_element(open: &mut Vec<Level>) {
    count_one(open);
    close(open);
}

fn count_one(open: &mut [Level]) {
    if let Some(level) = open.last_mut() {
        level.left = level.left.saturating_sub(1);
        level.index = level.index.saturating_add(1);
    }
}

fn close(open: &mut Vec<Level>) {
    while open.last().is_some_and(|level| level.left == 0) {
        open.pop();
    }
}

/// True for text in UTF-8 without control characters; a message begins with one, or with a letter that is no length.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_ok_and(|text| text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\r' | '\n')))
}
