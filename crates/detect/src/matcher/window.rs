//! Chooses the few bytes of each literal that the filter looks for: those that are rarest in ordinary requests.
//!
//! What is ordinary is learned from a sample, `ordinary.txt`: typical targets, headers, cookies and bodies, written for this purpose.

use std::collections::HashMap;

/// Ordinary requests.
const SAMPLE: &str = include_str!("ordinary.txt");

/// What an occurrence of a whole window in the sample costs, against the rarity of its pairs.
const SEEN: u32 = 64;

/// What each further literal with the same window costs: it makes an occurrence dearer.
const SHARED: u32 = 2;

/// How many bytes of a window count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Two,
    Three,
    Four,
}

impl Kind {
    pub(super) const ALL: [Kind; 3] = [Kind::Two, Kind::Three, Kind::Four];

    fn of(length: usize) -> Self {
        match length {
            0..=2 => Kind::Two,
            3 => Kind::Three,
            _ => Kind::Four,
        }
    }

    fn len(self) -> usize {
        self as usize + 2
    }

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The bytes of `word` that count.
    pub(super) fn cut(self, word: u32) -> u32 {
        word & u32::MAX >> (u32::BITS - 8 * self.len() as u32)
    }
}

/// A part of a literal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub kind: Kind,
    /// The bytes, the first the lowest.
    pub bytes: u32,
    /// Bytes of the literal before the window.
    pub before: u32,
}

/// How often what occurs in ordinary requests, and which windows are taken.
pub(super) struct Choice {
    quads: HashMap<u32, u32>,
    /// Number of binary digits of the count of each pair.
    pairs: Vec<u8>,
    taken: HashMap<u32, u32>,
}

impl Choice {
    pub(super) fn new() -> Self {
        let sample = SAMPLE.to_ascii_lowercase();
        let mut quads = HashMap::new();
        for window in sample.as_bytes().windows(4) {
            *quads.entry(word(window)).or_default() += 1;
        }
        let mut counts = vec![0_u16; 1 << 16];
        for window in sample.as_bytes().windows(2) {
            if let Some(count) = counts.get_mut(word(window) as usize) {
                *count += 1;
            }
        }
        let pairs = counts.iter().map(|count| (u16::BITS - count.leading_zeros()) as u8).collect();
        Self { quads, pairs, taken: HashMap::new() }
    }

    /// The best window of a literal of two or more bytes.
    pub(super) fn take(&mut self, literal: &[u8]) -> Window {
        let kind = Kind::of(literal.len());
        let windows = literal.windows(kind.len()).zip(0..);
        let best = windows.min_by_key(|(window, _)| self.cost(window));
        let (bytes, before) = best.map_or((0, 0), |(window, before)| (word(window), before));
        *self.taken.entry(bytes).or_default() += 1;
        Window { kind, bytes, before }
    }

    fn cost(&self, window: &[u8]) -> u32 {
        let count = |counts: &HashMap<u32, u32>| counts.get(&word(window)).copied().unwrap_or(0);
        let pairs = window.windows(2).map(|pair| {
            let digits = self.pairs.get(word(pair) as usize);
            u32::from(digits.copied().unwrap_or_default())
        });
        count(&self.quads) * SEEN + count(&self.taken) * SHARED + pairs.sum::<u32>()
    }
}

/// Up to four bytes, the first the lowest.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(literal: &str) -> String {
        let Window { kind, before, .. } = Choice::new().take(literal.as_bytes());
        literal[before as usize..][..kind.len()].to_owned()
    }

    #[test]
    fn the_part_that_ordinary_requests_lack_is_chosen() {
        assert_eq!(chosen("text/html<<"), "ml<<");
        assert_eq!(chosen("application/x\u{0}"), "n/x\u{0}");
        assert_ne!(chosen("script src"), "scri");
    }

    #[test]
    fn short_literals_are_their_own_window() {
        assert_eq!(chosen("||"), "||");
        assert_eq!(chosen("../"), "../");
        assert_eq!(chosen("eval"), "eval");
    }

    #[test]
    fn literals_with_much_in_common_get_different_windows() {
        let mut choice = Choice::new();
        let windows = ["a", "b", "c", "d", "e", "f"].map(|end| {
            let literal = format!("zqzwzxzvzkzjz{end}");
            choice.take(literal.as_bytes()).bytes
        });
        for (at, window) in windows.iter().enumerate() {
            assert!(windows[at + 1..].iter().filter(|other| *other == window).count() < 3);
        }
    }

    #[test]
    fn bytes_behind_a_window_do_not_count() {
        assert_eq!(Kind::Two.cut(0x4433_2211), 0x2211);
        assert_eq!(Kind::Three.cut(0x4433_2211), 0x33_2211);
        assert_eq!(Kind::Four.cut(0x4433_2211), 0x4433_2211);
    }
}
