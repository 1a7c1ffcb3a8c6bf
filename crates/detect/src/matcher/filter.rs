//! Tells in a few instructions that no literal has its window at a position, which is so at nearly every position of ordinary text.
//!
//! Three tables are asked at each position: the exact pair of bytes there, and hashes of the next three and four bytes. A byte of a table
//! holds one bit per kind of window, and what all three agree on is a window, or rarely a collision. The lookups of one position do not
//! depend on those of another, so the processor overlaps them; an automaton waits for each of its lookups before the next.

use std::ops::Range;

use super::window::{Kind, Window};

/// Positions that are looked at together.
const GROUP: usize = 8;

/// Bytes whose groups are sorted out before any is looked at again.
const STRETCH: usize = 1 << 10;

/// Bytes that the windows of a group reach over.
const REACH: usize = GROUP + 3;

/// Stands behind the end of the text: no UTF-8 literal contains it.
const PADDING: u8 = 0xFF;

/// From this many windows on, the small tables let too much through.
const MANY: usize = 6000;

/// Tables of two sizes. The sizes are constants so that a hash needs no check against the table's end.
#[derive(Debug)]
pub(super) enum Filter {
    Small(Tables<{ 1 << 16 }, { 1 << 17 }>),
    Large(Tables<{ 1 << 17 }, { 1 << 18 }>),
}

impl Filter {
    pub(super) fn new(windows: &[Window]) -> Self {
        if windows.len() < MANY {
            Filter::Small(Tables::new(windows))
        } else {
            Filter::Large(Tables::new(windows))
        }
    }

    /// Calls `hit` with every position of `range`, in ascending order, that may be the start of a window, with the bits of the kinds that
    /// it may be of and the four bytes there.
    pub(super) fn scan(&self, text: &[u8], range: Range<usize>, hit: impl FnMut(usize, u8, u32)) {
        match self {
            Filter::Small(tables) => tables.scan(text, range, hit),
            Filter::Large(tables) => tables.scan(text, range, hit),
        }
    }

    /// Bytes of the tables.
    pub(super) fn memory(&self) -> usize {
        match self {
            Filter::Small(tables) => tables.memory(),
            Filter::Large(tables) => tables.memory(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Tables<const TRIPLES: usize, const QUADS: usize> {
    /// By the first two bytes.
    pairs: Box<[u8; 1 << 16]>,
    /// By a hash of three bytes. Windows of two bytes pass.
    triples: Box<[u8; TRIPLES]>,
    /// By a hash of four bytes. Windows of two or three bytes pass.
    quads: Box<[u8; QUADS]>,
}

impl<const TRIPLES: usize, const QUADS: usize> Tables<TRIPLES, QUADS> {
    fn new(windows: &[Window]) -> Self {
        let (two, three) = (Kind::Two.bit(), Kind::Three.bit());
        let mut tables = Self {
            pairs: Box::new([0; 1 << 16]),
            triples: Box::new([two; TRIPLES]),
            quads: Box::new([two | three; QUADS]),
        };
        for window in windows {
            let (bit, bytes) = (window.kind.bit(), window.bytes);
            let entries = [
                tables.pairs.get_mut(pair(bytes)),
                tables.triples.get_mut(triple::<TRIPLES>(bytes)),
                tables.quads.get_mut(quad::<QUADS>(bytes)),
            ];
            entries.into_iter().flatten().for_each(|entry| *entry |= bit);
        }
        tables
    }

    fn scan(&self, text: &[u8], range: Range<usize>, mut hit: impl FnMut(usize, u8, u32)) {
        let mut list = [0; STRETCH / GROUP];
        let mut start = range.start;
        while start < range.end {
            let end = text.len().min(range.end + REACH).min(start + STRETCH);
            let stretch = text.get(start..end).unwrap_or_default();
            for &at in self.groups(stretch, &mut list) {
                if let Some(bytes) = stretch.get(at as usize..).and_then(<[u8]>::first_chunk) {
                    self.report(bytes, start + at as usize..range.end, &mut hit);
                }
            }
            let whole = (stretch.len() + GROUP).saturating_sub(REACH) / GROUP;
            if whole == 0 {
                let mut bytes = [PADDING; REACH];
                bytes.iter_mut().zip(stretch).for_each(|(to, from)| *to = *from);
                self.report(&bytes, start..range.end, &mut hit);
            }
            start += whole.max(1) * GROUP;
        }
    }

    /// Where in `stretch` the groups are that something may be in. Listing one takes no branch, which the processor could not predict.
    fn groups<'l>(&self, stretch: &[u8], list: &'l mut [u32; STRETCH / GROUP]) -> &'l [u32] {
        let mut count = 0;
        for (bytes, group) in stretch.windows(REACH).step_by(GROUP).zip(0_u32..) {
            if let (Some(entry), Some(bytes)) = (list.get_mut(count), bytes.first_chunk()) {
                *entry = group * GROUP as u32;
                count += usize::from(self.kinds_of_all(bytes) != 0);
            }
        }
        list.get(..count).unwrap_or_default()
    }

    /// Calls `hit` with what may stand in a group, whose first position is the start of `within`.
    fn report(
        &self,
        bytes: &[u8; REACH],
        within: Range<usize>,
        hit: &mut impl FnMut(usize, u8, u32),
    ) {
        let mut all = self.kinds_of_each(bytes);
        while all != 0 {
            let index = all.trailing_zeros() / u8::BITS;
            let at = within.start + index as usize;
            if at < within.end {
                hit(at, (all >> (index * u8::BITS)) as u8, word(bytes, index as usize));
            }
            all &= !(0xFF << (index * u8::BITS));
        }
    }

    /// The bits of all kinds of windows that may stand in the group.
    #[inline(always)]
    fn kinds_of_all(&self, bytes: &[u8; REACH]) -> u8 {
        (0..GROUP).fold(0, |kinds, index| kinds | self.kinds(bytes, index))
    }

    /// The same for each position: a byte each, the first the lowest.
    fn kinds_of_each(&self, bytes: &[u8; REACH]) -> u64 {
        (0..GROUP).rev().fold(0, |all, index| all << u8::BITS | u64::from(self.kinds(bytes, index)))
    }

    /// The bits of the kinds of windows that may stand at `index`.
    #[inline(always)]
    fn kinds(&self, bytes: &[u8; REACH], index: usize) -> u8 {
        let word = word(bytes, index);
        let kinds = |table: &[u8], at: usize| table.get(at).copied().unwrap_or_default();
        kinds(&*self.pairs, pair(word))
            & kinds(&*self.triples, triple::<TRIPLES>(word))
            & kinds(&*self.quads, quad::<QUADS>(word))
    }

    fn memory(&self) -> usize {
        self.pairs.len() + self.triples.len() + self.quads.len()
    }
}

/// Four bytes, the first the lowest.
#[inline(always)]
fn word(bytes: &[u8; REACH], index: usize) -> u32 {
    let bytes = bytes.get(index..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[inline(always)]
fn pair(word: u32) -> usize {
    (word & 0xFFFF) as usize
}

/// Any odd number with well mixed bits.
const FACTOR: u32 = 0x9E37_79B1;

/// A hash of the lowest three bytes: the shift of the factor moves the highest out.
#[inline(always)]
fn triple<const N: usize>(word: u32) -> usize {
    top::<N>(word.wrapping_mul(FACTOR << 8))
}

#[inline(always)]
fn quad<const N: usize>(word: u32) -> usize {
    top::<N>(word.wrapping_mul(FACTOR))
}

/// The highest bits of a product, those that depend on all of its factors' bits.
#[inline(always)]
fn top<const N: usize>(product: u32) -> usize {
    (product >> (u32::BITS - N.trailing_zeros())) as usize & (N - 1)
}
