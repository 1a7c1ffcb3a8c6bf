//! Finds every literal of every rule in one pass over the lower-cased views.
//!
//! Of each literal a window of four bytes is looked for, the one that is rarest in ordinary requests (`window`); of a literal of two or
//! three bytes, all of it. A filter of small tables rules out nearly all positions, an index yields the literals whose window stands
//! at one that is left, and those are compared with the text.
//!
//! `cargo bench -p wallarm-detect --bench matcher` compares it with automata. Those wait for each byte before they look at the next, their
//! states take megabytes, and the fragments that keep them small end at one byte in thirty; here bytes do not wait for each other, the
//! tables take a few hundred KiB, and one position in eighty is left. Hence one set of tables and not one per group of views: what a
//! smaller set would find less often is already rare, and several would compete for the processor's caches.
//!
//! Work is linear: a position costs three lookups and as many comparisons as literals share its window, which the choice of windows
//! keeps few. [`Matcher::find`] says how many there were.

mod filter;
mod window;

use std::collections::HashMap;
use std::ops::Range;

use filter::Filter;
use window::{Choice, Kind, Window};

/// A literal that stands somewhere in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    literal: u32,
    /// Where its window is: a byte of the literal.
    pub at: u32,
}

/// The literals, and who wants to know about each.
#[derive(Debug)]
pub struct Matcher {
    filter: Filter,
    /// Number of the lowest bits of a hash that the index ignores.
    shift: u32,
    /// Where the entries with each hash begin, and behind the last one the end.
    starts: Vec<u32>,
    /// Ordered by hash.
    entries: Vec<Entry>,
    literals: Vec<Literal>,
    /// Bytes of all literals.
    bytes: Vec<u8>,
    /// Indexes of rules, grouped by literal.
    rules: Vec<u32>,
}

/// A window, and the literal that it is part of.
#[derive(Clone, Copy, Debug)]
struct Entry {
    window: Window,
    literal: u32,
}

#[derive(Debug)]
struct Literal {
    /// Range of `Matcher::bytes`.
    bytes: Range<u32>,
    /// Its first eight bytes, the first the lowest, and the bits of those that it has.
    head: u64,
    mask: u64,
    /// Bytes before the window.
    before: u32,
    /// Range of `Matcher::rules`.
    rules: Range<u32>,
}

impl Matcher {
    /// Compiles pairs of a literal and the rule that it triggers. Literals have two bytes at least.
    pub fn new(pairs: &[(&str, u32)]) -> Self {
        let (mut choice, mut windows) = (Choice::new(), Vec::new());
        let (mut literals, mut bytes, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        for (literal, users) in by_literal(pairs) {
            let window = choice.take(literal.as_bytes());
            let (head, mask) = head(literal.as_bytes());
            literals.push(Literal {
                bytes: extend(&mut bytes, literal.as_bytes()),
                head,
                mask,
                before: window.before,
                rules: extend(&mut rules, &users),
            });
            windows.push(window);
        }
        let filter = Filter::new(&windows);
        let (shift, starts, entries) = index(&windows);
        Self { filter, shift, starts, entries, literals, bytes, rules }
    }

    /// Appends the literals whose windows begin in `range` of `text`, in the order of the windows; says how many literals were compared.
    pub fn find(&self, text: &[u8], range: Range<usize>, found: &mut Vec<Occurrence>) -> usize {
        let mut compared = 0;
        self.filter.scan(text, range, |at, kinds, word| {
            for kind in Kind::ALL {
                if kinds & kind.bit() != 0 {
                    compared += self.compare(text, at, kind, kind.cut(word), found);
                }
            }
        });
        compared
    }

    /// Compares the literals whose window is `bytes`, which stand at `at`; says how many.
    fn compare(
        &self,
        text: &[u8],
        at: usize,
        kind: Kind,
        bytes: u32,
        found: &mut Vec<Occurrence>,
    ) -> usize {
        let entries = self.entries(bytes);
        for entry in entries {
            if entry.window.bytes != bytes || entry.window.kind != kind {
                continue;
            }
            let occurrence = Occurrence { literal: entry.literal, at: at as u32 };
            if self.stands(text, occurrence) == Some(true) {
                found.push(occurrence);
            }
        }
        entries.len()
    }

    /// Those with the same hash as `bytes`.
    fn entries(&self, bytes: u32) -> &[Entry] {
        let hash = hash(bytes, self.shift);
        let start = self.starts.get(hash).copied().unwrap_or_default();
        let end = self.starts.get(hash + 1).copied().unwrap_or_default();
        self.entries.get(start as usize..end as usize).unwrap_or_default()
    }

    /// True if the other bytes of the literal are there too.
    fn stands(&self, text: &[u8], occurrence: Occurrence) -> Option<bool> {
        let literal = self.literals.get(occurrence.literal as usize)?;
        let text = text.get(occurrence.at.checked_sub(literal.before)? as usize..)?;
        let eight = text.first_chunk().map(|eight| u64::from_le_bytes(*eight));
        if (eight.unwrap_or_else(|| head(text).0) ^ literal.head) & literal.mask != 0 {
            return Some(false);
        }
        let range = literal.bytes.start as usize..literal.bytes.end as usize;
        let text = text.get(..range.len())?;
        Some(range.len() <= 8 || text == self.bytes.get(range)?)
    }

    /// The place of an occurrence, and the rules that its literal triggers.
    pub fn rules(&self, occurrence: Occurrence) -> Option<(Range<u32>, &[u32])> {
        let literal = self.literals.get(occurrence.literal as usize)?;
        let start = occurrence.at.checked_sub(literal.before)?;
        let rules = self.rules.get(literal.rules.start as usize..literal.rules.end as usize)?;
        Some((start..start + literal.bytes.len() as u32, rules))
    }

    /// Bytes of the tables, the index and the literals.
    pub fn memory(&self) -> usize {
        self.filter.memory()
            + self.bytes.len()
            + size_of_val(&*self.starts)
            + size_of_val(&*self.entries)
            + size_of_val(&*self.literals)
            + size_of_val(&*self.rules)
    }
}

/// The rules of each literal, everything in the order of first appearance.
fn by_literal<'p>(pairs: &[(&'p str, u32)]) -> Vec<(&'p str, Vec<u32>)> {
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut literals: Vec<(&str, Vec<u32>)> = Vec::new();
    for &(literal, rule) in pairs {
        let at = *index.entry(literal).or_insert(literals.len());
        match literals.get_mut(at) {
            None => literals.push((literal, vec![rule])),
            Some((_, rules)) if rules.contains(&rule) => {}
            Some((_, rules)) => rules.push(rule),
        }
    }
    literals
}

/// Appends `more` to `all`, and says where.
fn extend<T: Copy>(all: &mut Vec<T>, more: &[T]) -> Range<u32> {
    let start = all.len() as u32;
    all.extend_from_slice(more);
    start..all.len() as u32
}

/// The first eight bytes, the first the lowest, and the bits of those that there are.
fn head(bytes: &[u8]) -> (u64, u64) {
    let shifts = (0..u64::BITS).step_by(8);
    bytes.iter().zip(shifts).fold((0, 0), |(head, mask), (&byte, shift)| {
        (head | u64::from(byte) << shift, mask | 0xFF << shift)
    })
}

/// The shift of the hashes, where each hash begins, and the entries.
fn index(windows: &[Window]) -> (u32, Vec<u32>, Vec<Entry>) {
    let size = (2 * windows.len()).next_power_of_two().max(2);
    let shift = u32::BITS - size.trailing_zeros();
    let entry = |(&window, literal)| Entry { window, literal };
    let mut entries: Vec<Entry> = windows.iter().zip(0..).map(entry).collect();
    entries.sort_by_key(|entry| hash(entry.window.bytes, shift));
    let before = |bound| entries.partition_point(|entry| hash(entry.window.bytes, shift) < bound);
    let starts = (0..=size).map(|bound| before(bound) as u32).collect();
    (shift, starts, entries)
}

/// A hash of a window. Not the filter's, so that what collides there does not collide here.
fn hash(bytes: u32, shift: u32) -> usize {
    (bytes.wrapping_mul(0x85EB_CA6B) >> shift) as usize
}

#[cfg(test)]
mod tests;
