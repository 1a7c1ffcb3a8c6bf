//! Walks through a request and emits its views: the pieces that all parts of a request share.
//!
//! Containers found inside a value are not entered at once but noted as [`Pending`], by their place in the text, and taken up after the
//! value's own container, in the order in which they stand, each with all that it holds. So there is no recursion, the outer values, which
//! most applications read, get the room first, and what follows a container cannot take its share.

use super::{
    Anomalies, DecoderSet, Field, Group, ParserSet, PointId, PointKind, Reading, Views, SEPARATOR,
};
use crate::decode::{inflate::Inflater, Buffers};
use crate::limits::{Budget, Limits, LimitsHit, MOST_VIEW_BYTES};
use crate::request::{Request, Scope};

/// Steps for a value or a view, whatever its length.
const VALUE_STEPS: usize = 48;

/// How many times its size something compressed may grow to and still be granted steps for every byte.
const PAID_RATIO: usize = 8;

pub(super) fn extract(
    views: &mut Views,
    request: &Request<'_>,
    limits: &Limits,
    spent: &mut Budget,
    hit: &mut LimitsHit,
) {
    let most_bytes = limits.view_budget(request.len());
    let work = std::mem::take(&mut views.work);
    let inflated_left = limits.inflated_bytes as usize;
    let mut extractor =
        Extractor { views, work, limits, spent, hit, most_bytes, inflated_left, values: 0 };
    extractor.work.clear();
    if request.scope == Scope::Whole {
        extractor.target(request.method, request.uri);
        extractor.headers(request.headers);
    }
    extractor.body(request);
    let Extractor { views, work, .. } = extractor;
    views.work = work;
}

/// Buffers of an extraction, kept from request to request.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The value being emitted, after its container's own decoding.
    pub(super) base: Vec<u8>,
    pub(super) buffers: Buffers,
    /// Plain names of the container being read, joined.
    pub(super) names: Vec<u8>,
    /// The name read last, decoded.
    pub(super) name: Vec<u8>,
    /// Hashes of the names of the container being read.
    pub(super) keys: Vec<u64>,
    /// The names of a form by hash, and where their pairs stand in it.
    pub(super) named: Vec<(u64, u32, u32)>,
    /// The values of one name.
    pub(super) joined: Vec<u8>,
    /// Names with empty brackets, by hash, and the number of each.
    pub(super) arrays: Vec<(u64, u32)>,
    /// The next one to be read last.
    pub(super) pending: Vec<Pending>,
    /// The pending container being read.
    pub(super) input: Vec<u8>,
    pub(super) unpacked: Vec<u8>,
    /// What came out of base64 and is compressed.
    pub(super) packed: Vec<u8>,
    pub(super) inflater: Inflater,
    /// The body without its content coding.
    pub(super) inflated: Vec<u8>,
    /// A third view of a value.
    pub(super) third: Vec<u8>,
    /// The body in UTF-8.
    pub(super) recoded: Vec<u8>,
    pub(super) levels: Vec<super::document::Level>,
}

impl Work {
    fn clear(&mut self) {
        self.names.clear();
        self.keys.clear();
        self.arrays.clear();
        self.pending.clear();
        self.levels.clear();
    }
}

/// A container found inside a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// Its place in the text.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The view that it was found in.
    pub(super) field: u32,
    pub(super) point: PointId,
    pub(super) group: Group,
    /// Parsers between the request and this one.
    pub(super) depth: u8,
    pub(super) decoders: DecoderSet,
    pub(super) format: super::nested::Nested,
}

pub(super) struct Extractor<'v> {
    pub(super) views: &'v mut Views,
    pub(super) work: Work,
    pub(super) limits: &'v Limits,
    pub(super) spent: &'v mut Budget,
    pub(super) hit: &'v mut LimitsHit,
    most_bytes: usize,
    /// What may still come out of compressed streams.
    pub(super) inflated_left: usize,
    /// Values so far.
    values: u32,
}

impl Extractor<'_> {
    /// Pays for a value of `bytes`: for reading it, and for all that is done once whatever its length.
    pub(super) fn pay_value(&mut self, bytes: usize) -> bool {
        self.pay(bytes + VALUE_STEPS)
    }

    /// Pays for `bytes` read once; false if the budget is used up.
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        let paid = self.spent.spend(bytes + 1);
        self.hit.overlimit_res |= !paid;
        paid
    }

    /// Makes room for `bytes` that came out of `from` bytes of the request. Steps are granted for no more than text grows to: else a
    /// few bytes on the wire would buy a thousand times their share.
    pub(super) fn grow(&mut self, bytes: usize, from: usize) {
        let paid = bytes.min(from.saturating_mul(PAID_RATIO)) as u64;
        self.spent.grant(paid.saturating_mul(u64::from(self.limits.steps_per_byte)));
        let more = bytes.saturating_mul(self.limits.view_bytes_per_byte as usize);
        self.most_bytes = self.most_bytes.saturating_add(more).min(MOST_VIEW_BYTES);
    }

    /// True if any of these parsers is switched off.
    pub(super) fn off(&self, parser: ParserSet) -> bool {
        self.limits.disabled.intersects(parser)
    }

    /// True once the scan is to end.
    pub(super) fn done(&self) -> bool {
        self.hit.overlimit_res
    }

    pub(super) fn plain_point(&mut self, parent: PointId, kind: PointKind) -> PointId {
        if self.room_for_point() {
            self.views.points.plain(Some(parent), kind)
        } else {
            parent
        }
    }

    pub(super) fn index_point(&mut self, parent: PointId, kind: PointKind, i: u32) -> PointId {
        if self.room_for_point() {
            self.views.points.index(Some(parent), kind, i)
        } else {
            parent
        }
    }

    pub(super) fn named_point(&mut self, parent: PointId, kind: PointKind, name: &[u8]) -> PointId {
        if self.room_for_point() {
            self.views.points.named(Some(parent), kind, name)
        } else {
            parent
        }
    }

    /// A named point at the top of the tree; beyond the limit `instead`.
    pub(super) fn top_point(&mut self, instead: PointId, kind: PointKind, name: &[u8]) -> PointId {
        if self.room_for_point() {
            self.views.points.named(None, kind, name)
        } else {
            instead
        }
    }

    pub(super) fn room_for_point(&mut self) -> bool {
        let room = self.views.points.len() < self.limits.points as usize;
        if !room && !self.hit.points {
            self.hit.points = true;
            self.over_limit();
        }
        room
    }

    /// Notes that parsers, or levels of a document, are nested too deeply.
    pub(super) fn too_deep(&mut self) {
        self.hit.depth = true;
        self.over_limit();
    }

    /// Notes that there are too many of something.
    pub(super) fn too_many(&mut self) {
        self.hit.fan_out = true;
        self.over_limit();
    }

    /// Marks the view emitted last as the place where a limit was hit.
    pub(super) fn over_limit(&mut self) {
        self.annotate(self.views.fields.len().checked_sub(1), Anomalies::OVER_LIMIT, 0);
    }

    /// Begins a value: the views that follow belong to it.
    pub(super) fn begin_value(&mut self) {
        self.values = self.values.saturating_add(1);
    }

    /// Appends one view, as a value of its own.
    pub(super) fn lone_view(
        &mut self,
        point: PointId,
        group: Group,
        bytes: &[u8],
        decoders: DecoderSet,
    ) -> Option<usize> {
        self.begin_value();
        self.view(point, group, bytes, decoders)
    }

    /// Appends one view of the current value and returns its number; `None` if it is empty or there is no room.
    pub(super) fn view(
        &mut self,
        point: PointId,
        group: Group,
        bytes: &[u8],
        decoders: DecoderSet,
    ) -> Option<usize> {
        if bytes.is_empty() || !self.pay_value(bytes.len()) {
            return None;
        }
        let start = self.views.text.len();
        let room = self.most_bytes.saturating_sub(start + 1);
        if bytes.len() > room {
            self.hit.view_bytes = true;
            self.over_limit();
        }
        let bytes = bytes.get(..room).unwrap_or(bytes);
        if bytes.is_empty() {
            return None;
        }
        self.views.text.extend_from_slice(bytes);
        let (start, end) = (start as u32, self.views.text.len() as u32);
        self.views.text.push(SEPARATOR);
        let (anomalies, rounds, value) = (Anomalies::NONE, 0, self.values);
        let reading = Reading::Read;
        let field = Field { point, start, end, decoders, anomalies, group, value, rounds, reading };
        self.views.fields.push(field);
        self.views.fields.len().checked_sub(1)
    }

    /// Notes that the model has nothing to read in a view.
    pub(super) fn mute(&mut self, field: Option<usize>, reading: Reading) {
        if let Some(field) = field.and_then(|field| self.views.fields.get_mut(field)) {
            field.reading = reading;
        }
    }

    /// Adds to what a view says about itself.
    pub(super) fn annotate(&mut self, field: Option<usize>, anomalies: Anomalies, rounds: u8) {
        if let Some(field) = field.and_then(|field| self.views.fields.get_mut(field)) {
            field.anomalies.insert(anomalies);
            field.rounds = field.rounds.max(rounds);
        }
    }
}
