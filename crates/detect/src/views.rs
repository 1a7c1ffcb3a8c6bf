//! What the matcher looks at: every value of a request as a run of bytes with its place and its decoders.
//!
//! All views lie back to back in one buffer, so that one automaton pass covers them; between two of them stands [`SEPARATOR`], a byte
//! that no UTF-8 text contains and therefore no literal of a rule. A value yields up to three views: as the application would get it after
//! the container's own decoding (one percent decoding for a query or form, string unescaping for JSON), fully decoded, if that
//! differs, and with literals of SQL or dot segments resolved, if it has any. The wire form of the target and of the body are views of
//! their own ([`Group::Uri`], [`Group::RawBody`]).
//!
//! Names that consist of letters, digits and `_ - . [ ] $ :` are joined into one view per container, separated by `&`; others stand alone.

mod binary;
mod bits;
mod body;
mod document;
mod extract;
mod graphql;
mod head;
mod markup;
mod names;
mod nested;
mod php;
mod points;
#[cfg(test)]
mod tests;
mod value;

pub use bits::{Anomalies, DecoderSet, ParserSet};
pub use points::{PointId, PointKind, Points};

use crate::limits::{Budget, Limits, LimitsHit};
use crate::request::Request;

/// The byte between two views: not part of any UTF-8 text, so no literal can match across it.
pub const SEPARATOR: u8 = 0xFF;

/// Bytes of each buffer that are kept from one request to the next.
const MOST_KEPT: usize = 2 << 20;

/// The part of the request that a view comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Group {
    /// The whole target as it stood in the request line.
    Uri,
    /// The path, whole and by segment.
    Path,
    QueryName,
    Query,
    HeaderName,
    Header,
    CookieName,
    Cookie,
    BodyName,
    Body,
    /// File name of a multipart part.
    FileName,
    /// Content of a multipart file.
    File,
    /// The whole body as sent.
    RawBody,
    Method,
}

impl Group {
    /// All groups, in the order of their numbers.
    pub const ALL: [Group; 14] = [
        Group::Uri,
        Group::Path,
        Group::QueryName,
        Group::Query,
        Group::HeaderName,
        Group::Header,
        Group::CookieName,
        Group::Cookie,
        Group::BodyName,
        Group::Body,
        Group::FileName,
        Group::File,
        Group::RawBody,
        Group::Method,
    ];

    /// The group's bit in a set of groups.
    pub fn bit(self) -> u16 {
        1 << self as u16
    }

    /// True for the wire form of what is taken apart into values as well.
    pub(crate) fn is_wire(self) -> bool {
        matches!(self, Group::Uri | Group::RawBody)
    }

    /// The group that names found inside a value of this group belong to.
    pub(crate) fn names(self) -> Group {
        match self {
            Group::Uri | Group::Path | Group::QueryName | Group::Query => Group::QueryName,
            Group::HeaderName | Group::Header | Group::Method => Group::HeaderName,
            Group::CookieName | Group::Cookie => Group::CookieName,
            Group::BodyName | Group::Body | Group::FileName | Group::File | Group::RawBody => {
                Group::BodyName
            }
        }
    }
}

/// One view: a range of [`Views::text`] and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub point: PointId,
    pub start: u32,
    pub end: u32,
    /// Decoders that changed the value on its way from the wire.
    pub decoders: DecoderSet,
    /// What was odd about the value. On every view of the value.
    pub anomalies: Anomalies,
    pub group: Group,
    /// Number of the value that this is a view of, from 1, ascending. Views of one value are neighbours.
    pub value: u32,
    /// Rounds of decoding that changed something.
    pub rounds: u8,
    pub(crate) reading: Reading,
}

/// Whether the model reads a view; known from decoding it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reading {
    #[default]
    Read,
    /// Nothing in it tells anything. Training learns from it what is ordinary.
    Plain,
    /// Values of their own repeat it: the strings of a JSON document, plain names.
    Elsewhere,
}

impl Field {
    /// The view's place in [`Views::text`] and [`Views::lower`].
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The views of one request. Made once per thread and reused: extraction clears it without giving memory back.
#[derive(Debug, Default)]
pub struct Views {
    /// All views, each followed by [`SEPARATOR`].
    pub text: Vec<u8>,
    /// The same in lower case (ASCII), byte for byte.
    pub lower: Vec<u8>,
    /// In the order of their place in `text`.
    pub fields: Vec<Field>,
    points: Points,
    /// What was made to grow too much.
    bomb: Option<PointId>,
    work: extract::Work,
}

impl Views {
    /// Replaces the content by the views of `request`.
    ///
    /// Never fails: what a limit keeps out is left out, and `hit` says which limit it was.
    pub fn extract(
        &mut self,
        request: &Request<'_>,
        limits: &Limits,
        spent: &mut Budget,
        hit: &mut LimitsHit,
    ) {
        self.clear();
        hit.body_truncated |= request.body_truncated;
        extract::extract(self, request, limits, spent, hit);
        self.lower.extend_from_slice(&self.text);
        self.lower.make_ascii_lowercase();
    }

    fn clear(&mut self) {
        self.text.clear();
        self.lower.clear();
        self.fields.clear();
        // One large request must not bind memory for good.
        self.text.shrink_to(MOST_KEPT);
        self.lower.shrink_to(MOST_KEPT);
        self.fields.shrink_to(MOST_KEPT / size_of::<Field>());
        self.points.clear();
        self.bomb = None;
    }

    /// The places of the request.
    pub fn points(&self) -> &Points {
        &self.points
    }

    /// Where the first data bomb lies.
    pub(crate) fn bomb(&self) -> Option<PointId> {
        self.bomb
    }

    /// The spelling of a place: `[get, 'id']`.
    pub fn point_name(&self, id: PointId) -> String {
        self.points.spell(id)
    }

    /// The innermost name of a place: parameter, cookie, header (upper case).
    pub fn point_key(&self, id: PointId) -> Option<&[u8]> {
        self.points.key(id)
    }

    /// The header, in upper case, that a place lies in.
    pub fn header_name(&self, id: PointId) -> Option<&[u8]> {
        self.points.header(id)
    }

    /// The bytes of a view.
    pub fn bytes(&self, field: &Field) -> &[u8] {
        self.text.get(field.range()).unwrap_or_default()
    }

    /// The bytes of a view in lower case.
    pub fn lower_bytes(&self, field: &Field) -> &[u8] {
        self.lower.get(field.range()).unwrap_or_default()
    }
}
