//! Names of parameters and keys: shown joined, named by brackets, and compared with each other.

use super::extract::Extractor;
use super::value::{How, Value};
use super::{Anomalies, DecoderSet, Group, PointId, PointKind, Reading};
use crate::parse::pairs;

/// Where the names of a container are shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) point: PointId,
    pub(super) group: Group,
    /// Parsers between the request and the names.
    pub(super) depth: u8,
    /// The object inside the container that the names belong to; only names of the same one repeat each other.
    pub(super) scope: u32,
}

/// Brackets of one name that become elements of a point; what follows stays in the last one.
const MOST_BRACKETS: usize = 8;

/// Different names with empty brackets that are counted.
const MOST_ARRAYS: usize = 32;

impl Extractor<'_> {
    /// Collects a plain name, or emits an odd one as a view of its own. True if it was plain. The name of a parameter is kept, decoded, for
    /// [`Self::pair_point`].
    pub(super) fn name(&mut self, raw: &[u8], how: How, names: Names) -> bool {
        let mut name = std::mem::take(&mut self.work.name);
        name.clear();
        // Headers and cookies are repeated by honest clients too.
        let told = !matches!(names.group, Group::HeaderName | Group::CookieName);
        let changed = how.decode(raw, &mut name).changed();
        if told && !changed {
            name.clear();
            name.extend_from_slice(raw);
        }
        let bytes = if told || changed { name.as_slice() } else { raw };
        let plain = pairs::is_plain_name(bytes);
        if plain && !bytes.is_empty() {
            self.work.names.extend_from_slice(bytes);
            self.work.names.push(b'&');
        }
        if told && !bytes.ends_with(b"[]") {
            self.work.keys.push(hash(bytes, names.scope));
        }
        self.work.name = name;
        if !plain {
            let point = if self.room_for_point() {
                self.views.points.twin(names.point)
            } else {
                names.point
            };
            let Names { group, depth, .. } = names;
            self.value(Value { point, group, raw, how, depth, decoders: DecoderSet::NONE });
        }
        plain
    }

    /// Emits the names that were collected as one view. True if one of them was there before.
    pub(super) fn joined_names(&mut self, names: Names) -> bool {
        let mut joined = std::mem::take(&mut self.work.names);
        let text = joined.strip_suffix(b"&").unwrap_or(&joined);
        let field = self.lone_view(names.point, names.group, text, DecoderSet::NONE);
        // Neither plain names nor what joins them would make the model read them.
        self.mute(field, Reading::Elsewhere);
        joined.clear();
        self.work.names = joined;
        let mut keys = std::mem::take(&mut self.work.keys);
        if keys.len() < 2 {
            keys.clear();
            self.work.keys = keys;
            return false;
        }
        let _ = self.pay(keys.len() * 8);
        keys.sort_unstable();
        let repeated = keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        keys.clear();
        self.work.keys = keys;
        if repeated {
            let field = field.or(self.views.fields.len().checked_sub(1));
            self.annotate(field, Anomalies::DUPLICATE_NAME, 0);
        }
        repeated
    }

    /// The point of the parameter whose name was read last: `[get, 'a']`, of `a[b][]` `[get, 'a', hash, 'b', array, 0]`.
    pub(super) fn pair_point(&mut self, whole: PointId, kind: PointKind) -> PointId {
        let name = std::mem::take(&mut self.work.name);
        let open = match name.last() {
            Some(b']') => memchr::memchr(b'[', &name).filter(|at| *at > 0),
            _ => None,
        };
        let (base, mut brackets) = name.split_at(open.unwrap_or(name.len()));
        let mut point = if kind == PointKind::Get {
            self.top_point(whole, kind, base)
        } else {
            self.named_point(whole, kind, base)
        };
        for last in (0..MOST_BRACKETS).rev() {
            let Some(inner) = brackets.strip_prefix(b"[") else { break };
            let end = match last {
                0 => inner.len().saturating_sub(1),
                _ => memchr::memchr(b']', inner).unwrap_or(inner.len()),
            };
            let (key, rest) = inner.split_at(end);
            brackets = rest.get(1..).unwrap_or_default();
            point = match index(key) {
                _ if key.is_empty() => {
                    let next = self.next_index(&name);
                    self.index_point(point, PointKind::Array, next)
                }
                Some(i) => self.index_point(point, PointKind::Array, i),
                None => self.named_point(point, PointKind::Hash, key),
            };
        }
        self.work.name = name;
        point
    }

    /// How often a name with empty brackets was seen before.
    fn next_index(&mut self, name: &[u8]) -> u32 {
        let key = hash(name, 0);
        let arrays = &mut self.work.arrays;
        if let Some((_, next)) = arrays.iter_mut().rev().find(|(known, _)| *known == key) {
            *next = next.saturating_add(1);
            return *next;
        }
        if arrays.len() < MOST_ARRAYS {
            arrays.push((key, 0));
        }
        0
    }

    /// Emits the values of each repeated name joined by commas, as some frameworks hand them to the application.
    pub(super) fn pollution(&mut self, whole: Value<'_>, kind: PointKind) {
        let mut named = std::mem::take(&mut self.work.named);
        named.clear();
        let mut end = 0;
        for part in whole.raw.split(|byte| *byte == b'&') {
            let range = end..end + part.len();
            end = range.end + 1;
            if !part.is_empty() {
                self.decode_name(pairs::pair(part).name);
                named.push((hash(&self.work.name, 0), range.start as u32, range.end as u32));
            }
        }
        let _ = self.pay(whole.raw.len() + named.len() * 16);
        named.sort_unstable();
        for same in named.chunk_by(|(a, ..), (b, ..)| a == b).filter(|same| same.len() > 1) {
            if self.done() {
                break;
            }
            self.joined_values(same, whole, kind);
        }
        self.work.named = named;
    }

    /// Emits the values of pairs of one name, joined.
    fn joined_values(&mut self, same: &[(u64, u32, u32)], whole: Value<'_>, kind: PointKind) {
        let pair = |(_, start, end): &(u64, u32, u32)| {
            pairs::pair(whole.raw.get(*start as usize..*end as usize).unwrap_or_default())
        };
        let mut joined = std::mem::take(&mut self.work.joined);
        joined.clear();
        for value in same.iter().map(|place| pair(place).value.unwrap_or_default()) {
            joined.extend_from_slice(value);
            joined.push(b',');
        }
        joined.pop();
        self.decode_name(same.first().map_or(&b""[..], |first| pair(first).name));
        let point = self.pair_point(whole.point, kind);
        let point = self.plain_point(point, PointKind::Pollution);
        let first = self.views.fields.len();
        self.value(Value { point, raw: &joined, how: How::Form, ..whole });
        self.annotate(Some(first), Anomalies::DUPLICATE_NAME, 0);
        self.work.joined = joined;
    }

    /// Makes this the name read last.
    fn decode_name(&mut self, raw: &[u8]) {
        let name = &mut self.work.name;
        name.clear();
        if !How::Form.decode(raw, name).changed() {
            name.clear();
            name.extend_from_slice(raw);
        }
    }
}

/// FNV-1a. Names that collide on purpose are taken for the same, which hides nothing.
fn hash(name: &[u8], scope: u32) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ u64::from(scope).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    name.iter()
        .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The number in brackets.
fn index(key: &[u8]) -> Option<u32> {
    if key.len() > 9 || key.is_empty() {
        return None;
    }
    key.iter().try_fold(0, |value: u32, digit| Some(value * 10 + (*digit as char).to_digit(10)?))
}
