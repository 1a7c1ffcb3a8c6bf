//! Finds every literal of every rule in one pass over the lower-cased views.
//!
//! One Aho-Corasick automaton, always as a DFA: a table lookup per byte, whatever the number of rules. The automaton knows only a fragment of
//! each literal, the four bytes that are rarest in ordinary requests; the rest is compared where the fragment is found. That keeps the table
//! at a few bytes per literal, since a table that does not fit the processor's caches costs a memory access per byte of hostile input.

use std::collections::HashMap;
use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, MatchKind, StartKind};

/// Bytes of a literal that the automaton looks for.
const FRAGMENT: usize = 4;

/// Bytes of ordinary requests, the most frequent first. Others are rare.
const COMMON: &[u8] = b"e taoinsrlcdh/.mpu-=gfbw1y0v,k;2x\":_3j5q4z6&78%9?+()";

/// A fragment that ends before the byte `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    fragment: u32,
    pub end: u32,
}

/// The automaton over all fragments, the literals behind them, and who wants to know about each.
#[derive(Debug)]
pub(crate) struct Matcher {
    dfa: DFA,
    start: StateID,
    /// Range of `candidates` of each fragment.
    fragments: Vec<Range<u32>>,
    candidates: Vec<Literal>,
    /// Indexes of rules, grouped by literal.
    rules: Vec<u32>,
}

#[derive(Debug)]
struct Literal {
    bytes: Box<[u8]>,
    /// Bytes behind the fragment.
    behind: u32,
    /// Range of `Matcher::rules`.
    rules: Range<u32>,
}

/// Where a scan stands between two blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    state: StateID,
    offset: usize,
}

impl Matcher {
    /// Compiles pairs of a literal and the rule that it triggers.
    pub(crate) fn new(pairs: &[(&str, u32)]) -> Result<Self, BuildError> {
        let (mut fragments, mut candidates, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        let groups = by_fragment(pairs);
        for (_, literals) in &groups {
            let first = candidates.len() as u32;
            for (literal, behind, users) in literals {
                let start = rules.len() as u32;
                rules.extend(users);
                let rules = start..rules.len() as u32;
                candidates.push(Literal {
                    bytes: literal.as_bytes().into(),
                    behind: *behind,
                    rules,
                });
            }
            fragments.push(first..candidates.len() as u32);
        }
        let dfa = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .build(groups.iter().map(|(fragment, _)| fragment))?;
        // An unanchored automaton always has an unanchored start state.
        let start = dfa.start_state(Anchored::No).unwrap_or_default();
        Ok(Self { dfa, start, fragments, candidates, rules })
    }

    pub(crate) fn begin(&self) -> Position {
        Position { state: self.start, offset: 0 }
    }

    /// Walks through `block`, which continues where the last one ended, and appends what it finds in the order of the ends.
    pub(crate) fn advance(
        &self,
        position: &mut Position,
        block: &[u8],
        found: &mut Vec<Occurrence>,
    ) {
        let mut state = position.state;
        for (at, &byte) in block.iter().enumerate() {
            state = self.dfa.next_state(Anchored::No, state, byte);
            if self.dfa.is_special(state) {
                self.collect(state, position.offset + at + 1, found);
            }
        }
        position.state = state;
        position.offset += block.len();
    }

    #[cold]
    fn collect(&self, state: StateID, end: usize, found: &mut Vec<Occurrence>) {
        if !self.dfa.is_match(state) {
            return;
        }
        for index in 0..self.dfa.match_len(state) {
            let fragment = self.dfa.match_pattern(state, index).as_u32();
            found.push(Occurrence { fragment, end: end as u32 });
        }
    }

    /// How many literals have the fragment.
    pub(crate) fn candidates(&self, occurrence: Occurrence) -> usize {
        self.fragments.get(occurrence.fragment as usize).map_or(0, ExactSizeIterator::len)
    }

    /// The literals that stand around the fragment within `view`, a range of `text`, with the rules that they trigger.
    pub(crate) fn literals<'m>(
        &'m self,
        occurrence: Occurrence,
        text: &'m [u8],
        view: Range<u32>,
    ) -> impl Iterator<Item = (Range<u32>, &'m [u32])> {
        let range = self.fragments.get(occurrence.fragment as usize).cloned().unwrap_or_default();
        let candidates = self.candidates.get(range.start as usize..range.end as usize);
        candidates.unwrap_or_default().iter().filter_map(move |literal| {
            let end = occurrence.end.checked_add(literal.behind)?;
            let start = end.checked_sub(literal.bytes.len() as u32)?;
            let inside = view.start <= start && end <= view.end;
            if !inside || text.get(start as usize..end as usize)? != &*literal.bytes {
                return None;
            }
            let rules = self.rules.get(literal.rules.start as usize..literal.rules.end as usize)?;
            Some((start..end, rules))
        })
    }

    /// Bytes of the automaton.
    pub(crate) fn memory(&self) -> usize {
        self.dfa.memory_usage()
    }
}

/// A literal, the bytes behind its fragment, and the rules that it triggers.
type User<'p> = (&'p str, u32, Vec<u32>);

/// The literals of each fragment, everything in the order of first appearance.
fn by_fragment<'p>(pairs: &[(&'p str, u32)]) -> Vec<(&'p [u8], Vec<User<'p>>)> {
    let mut index: HashMap<&[u8], usize> = HashMap::new();
    let mut groups: Vec<(&[u8], Vec<User<'_>>)> = Vec::new();
    for &(literal, rule) in pairs {
        let (fragment, behind) = rarest(literal.as_bytes());
        let at = *index.entry(fragment).or_insert(groups.len());
        if at == groups.len() {
            groups.push((fragment, Vec::new()));
        }
        let Some((_, users)) = groups.get_mut(at) else { continue };
        match users.iter_mut().find(|(known, _, _)| *known == literal) {
            Some((_, _, rules)) if rules.contains(&rule) => {}
            Some((_, _, rules)) => rules.push(rule),
            None => users.push((literal, behind, vec![rule])),
        }
    }
    groups
}

/// The rarest fragment of a literal, and how many bytes are behind it.
fn rarest(literal: &[u8]) -> (&[u8], u32) {
    let cost = |byte: &u8| {
        let place = COMMON.iter().position(|common| common == byte);
        place.map_or(0, |place| COMMON.len() - place)
    };
    let windows = literal.windows(FRAGMENT.min(literal.len()).max(1)).enumerate();
    let best = windows.min_by_key(|(_, window)| window.iter().map(cost).sum::<usize>());
    best.map_or((literal, 0), |(at, window)| (window, (literal.len() - at - window.len()) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(matcher: &Matcher, blocks: &[&str]) -> Vec<(u32, u32, Vec<u32>)> {
        let text = blocks.concat();
        let (mut position, mut occurrences, mut found) = (matcher.begin(), Vec::new(), Vec::new());
        for block in blocks {
            matcher.advance(&mut position, block.as_bytes(), &mut occurrences);
        }
        for occurrence in occurrences {
            for (range, rules) in
                matcher.literals(occurrence, text.as_bytes(), 0..text.len() as u32)
            {
                found.push((range.start, range.end, rules.to_vec()));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn overlapping_literals_are_all_found_across_blocks() {
        let matcher = Matcher::new(&[("she", 0), ("he", 1), ("hers", 2), ("he", 3)]).unwrap();
        let expected = [(1, 4, vec![0]), (2, 4, vec![1, 3]), (2, 6, vec![2])];
        assert_eq!(found(&matcher, &["ush", "ers"]), expected);
        assert_eq!(found(&matcher, &["ushers"]), expected);
    }

    #[test]
    fn literals_with_a_common_fragment_are_told_apart() {
        let words = ["<script>", "</script>", "javascript:", "script", "crip"];
        let pairs: Vec<(&str, u32)> = words.into_iter().zip(0..).collect();
        let matcher = Matcher::new(&pairs).unwrap();
        for (word, rule) in pairs {
            let all = found(&matcher, &["x", word, "y"]);
            assert!(all.contains(&(1, 1 + word.len() as u32, vec![rule])), "{word}: {all:?}");
            assert_eq!(
                found(&matcher, &[&word[..word.len() - 1]])
                    .iter()
                    .filter(|hit| hit.2 == [rule])
                    .count(),
                0
            );
        }
    }

    #[test]
    fn literals_do_not_leave_the_view() {
        let matcher = Matcher::new(&[("abc{{def", 0)]).unwrap();
        let text = b"abc{{def";
        let mut occurrences = Vec::new();
        matcher.advance(&mut matcher.begin(), text, &mut occurrences);
        assert_eq!(occurrences.len(), 1);
        assert_eq!(matcher.literals(occurrences[0], text, 0..8).count(), 1);
        assert_eq!(matcher.literals(occurrences[0], text, 1..8).count(), 0);
        assert_eq!(matcher.literals(occurrences[0], text, 0..7).count(), 0);
    }
}
