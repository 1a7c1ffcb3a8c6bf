//! The densest window of a value: where the grams of its tokens weigh most.

use std::ops::Range;

use super::grams::{Index, UNKNOWN};
use super::{Gram, Model};
use crate::attack::AttackType;
use crate::score::{Points, Sums};
use crate::tokens::{code, lex, Code, Context, Tokens};

/// Tokens that are judged together, the ends of the value included; longer values are cut into windows that overlap by half.
pub(crate) const WINDOW: usize = 34;

/// What a window of a value weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Best {
    pub(crate) points: Points,
    /// The window, as tokens.
    start: usize,
    end: usize,
}

/// The tokens of one value and the entries of its grams; reused from value to value.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    tokens: Tokens,
    /// The grams of two and three tokens that begin at each token.
    entries: Vec<[Index; 2]>,
    /// Number of the window in which an entry was counted last.
    seen: Vec<u32>,
    number: u32,
}

impl Windows {
    /// Reads the tokens of `text`, a value in lower case.
    pub(crate) fn read(&mut self, model: &Model, context: Context, text: &[u8]) {
        self.tokens.clear();
        self.tokens.codes.push(context as Code);
        self.tokens.starts.push(0);
        lex(&model.words, text, &mut self.tokens);
        self.tokens.codes.push(code::END);
        self.tokens.starts.push(text.len() as u32);
    }

    /// The distinct grams of each window.
    pub(crate) fn grams(&self) -> impl Iterator<Item = Vec<Gram>> + '_ {
        self.ranges().map(|range| {
            let codes = self.tokens.codes.get(range).unwrap_or_default();
            let mut grams: Vec<Gram> =
                (0..codes.len()).flat_map(|at| grams_at(codes, at)).flatten().collect();
            grams.sort_unstable();
            grams.dedup();
            grams
        })
    }

    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let length = self.tokens.codes.len();
        let starts = (0..length).step_by(WINDOW / 2);
        // The last window holds the end; what would start behind its middle has nothing new.
        let overlap = WINDOW - WINDOW / 2;
        starts
            .filter(move |start| *start == 0 || start + overlap < length)
            .map(move |start| start..(start + WINDOW).min(length))
    }

    /// The window that weighs most; nothing if no gram of the value is known.
    pub(crate) fn best(&mut self, model: &Model) -> Option<Best> {
        self.look_up(model)?;
        let mut best: Option<Best> = None;
        for range in self.ranges() {
            let points = self.sum(model, range.clone());
            if best.is_none_or(|best| points > best.points) {
                best = Some(Best { points, start: range.start, end: range.end });
            }
        }
        best
    }

    /// Looks every gram up; nothing if none is known.
    fn look_up(&mut self, model: &Model) -> Option<()> {
        self.seen.resize(model.grams.len(), 0);
        self.entries.clear();
        let codes = &self.tokens.codes;
        let mut known = false;
        self.entries.extend((0..codes.len()).map(|at| {
            grams_at(codes, at).map(|gram| {
                let index = gram.map_or(UNKNOWN, |gram| model.grams.index(gram));
                known |= index != UNKNOWN;
                index
            })
        }));
        known.then_some(())
    }

    fn sum(&mut self, model: &Model, range: Range<usize>) -> Points {
        let mut points = 0;
        self.each(range, |index| points += model.grams.weight(index));
        points
    }

    /// Calls `visit` once for every distinct entry within `range`.
    fn each(&mut self, range: Range<usize>, mut visit: impl FnMut(Index)) {
        if self.number == u32::MAX {
            self.seen.fill(0);
            self.number = 0;
        }
        self.number += 1;
        let end = range.end;
        let entries = self.entries.get(range.clone()).unwrap_or_default();
        for (entry, at) in entries.iter().zip(range) {
            for (&index, length) in entry.iter().zip(2..) {
                let Some(seen) = self.seen.get_mut(usize::from(index)) else { continue };
                if at + length <= end && *seen != self.number {
                    *seen = self.number;
                    visit(index);
                }
            }
        }
    }

    /// The grams of a window, as returned by [`Self::best`], with their weights.
    pub(crate) fn contributions(
        &mut self,
        model: &Model,
        best: Best,
    ) -> Vec<(Gram, AttackType, Points)> {
        let mut found = Vec::new();
        self.each(best.start..best.end, |index| {
            if let (Some(gram), Some(attack)) = (model.grams.gram(index), model.grams.attack(index))
            {
                found.push((gram, attack, model.grams.weight(index)));
            }
        });
        found.sort_by_key(|(gram, _, points)| (-points.abs(), *gram));
        found
    }

    /// What speaks for each attack type in a window.
    pub(crate) fn support(&mut self, model: &Model, best: Best) -> Sums {
        let mut sums = Sums::default();
        self.each(best.start..best.end, |index| {
            let attack = model.grams.attack(index);
            if let Some(sum) = attack.and_then(|attack| sums.get_mut(attack.index())) {
                *sum += model.grams.weight(index).max(0);
            }
        });
        sums
    }

    /// The bytes of the value that a window covers.
    pub(crate) fn bytes(&self, best: Best) -> Range<u32> {
        let start = |at: usize| self.tokens.starts.get(at).copied().unwrap_or_default();
        let end = self.tokens.starts.get(best.end).or(self.tokens.starts.last());
        start(best.start)..end.copied().unwrap_or_default()
    }
}

/// The grams of two and three tokens that begin at `at`.
fn grams_at(codes: &[Code], at: usize) -> [Option<Gram>; 2] {
    match codes.get(at..).unwrap_or_default() {
        [a, b, c, ..] => [Some(Gram::of(*a, *b, code::NONE)), Some(Gram::of(*a, *b, *c))],
        [a, b] => [Some(Gram::of(*a, *b, code::NONE)), None],
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "sqli\t3\t' logic\nsqli\t2\tlogic bit\nxss\t1\t' logic bit\nsqli\t-4\tword word\n";

    fn best(text: &str) -> Option<(Points, Range<u32>)> {
        let model = Model::parse(TABLE).unwrap();
        let mut windows = Windows::default();
        windows.read(&model, Context::Args, text.as_bytes());
        let best = windows.best(&model)?;
        Some((best.points, windows.bytes(best)))
    }

    #[test]
    fn each_gram_counts_once() {
        assert_eq!(best("1' or 1").unwrap().0, 600);
        assert_eq!(best("1' or 1' or 1' or 1").unwrap().0, 600);
        assert_eq!(best("%%"), None);
    }

    #[test]
    fn padding_neither_hides_nor_builds_up() {
        let apart = "x; ".repeat(40);
        let padding = "lorem ipsum ".repeat(4096);
        let (points, range) = best(&format!("{padding}; {apart}1' or 1;{apart}{padding}")).unwrap();
        assert_eq!(points, 600);
        assert!(range.start as usize > padding.len() && range.len() < 200, "{range:?}");
        assert!(best(&padding).unwrap().0 < 0);
    }

    #[test]
    fn windows_cover_every_gram() {
        let model = Model::parse(TABLE).unwrap();
        let mut windows = Windows::default();
        for words in 1..120 {
            let text = format!("{}1' or 1{}", "x ".repeat(words), " y".repeat(120 - words));
            windows.read(&model, Context::Args, text.as_bytes());
            assert_eq!(windows.best(&model).unwrap().points, 600, "{words}");
            let ranges: Vec<_> = windows.ranges().collect();
            assert_eq!(ranges.last().unwrap().end, windows.tokens.codes.len());
        }
    }

    #[test]
    fn support_is_by_attack_type() {
        let model = Model::parse(TABLE).unwrap();
        let mut windows = Windows::default();
        windows.read(&model, Context::Args, b"' or 1");
        let best = windows.best(&model).unwrap();
        let sums = windows.support(&model, best);
        assert_eq!((sums[AttackType::Sqli.index()], sums[AttackType::Xss.index()]), (500, 100));
        let names: Vec<String> = windows
            .contributions(&model, best)
            .iter()
            .map(|(gram, ..)| gram.spell(&model.words))
            .collect();
        assert_eq!(names, ["' logic", "logic bit", "' logic bit"]);
    }
}
