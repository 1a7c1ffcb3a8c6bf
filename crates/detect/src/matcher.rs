//! Finds every literal of every rule in one pass over the lower-cased views.
//!
//! One Aho-Corasick automaton, always as a DFA: a table lookup per byte, whatever the number of rules.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, MatchKind, StartKind};
use std::collections::HashMap;

/// A literal that ends before the byte `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub literal: u32,
    pub end: u32,
}

/// The automaton over all literals, and who wants to know about each.
#[derive(Debug)]
pub(crate) struct Matcher {
    dfa: DFA,
    start: StateID,
    literals: Vec<Literal>,
    /// Indexes of rules, grouped by literal.
    rules: Vec<u32>,
}

#[derive(Debug)]
struct Literal {
    length: u32,
    /// Range of `Matcher::rules`.
    first: u32,
    last: u32,
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
        let mut ids: HashMap<&str, usize> = HashMap::new();
        let mut users: Vec<(&str, Vec<u32>)> = Vec::new();
        for &(literal, rule) in pairs {
            let id = *ids.entry(literal).or_insert(users.len());
            match users.get_mut(id) {
                Some((_, rules)) if rules.contains(&rule) => {}
                Some((_, rules)) => rules.push(rule),
                None => users.push((literal, vec![rule])),
            }
        }
        let dfa = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .prefilter(false)
            .build(users.iter().map(|(literal, _)| literal))?;
        // An unanchored automaton always has an unanchored start state.
        let start = dfa.start_state(Anchored::No).unwrap_or_default();
        let (mut literals, mut rules) = (Vec::new(), Vec::new());
        for (literal, users) in users {
            let first = rules.len() as u32;
            rules.extend(users);
            let last = rules.len() as u32;
            literals.push(Literal { length: literal.len() as u32, first, last });
        }
        Ok(Self { dfa, start, literals, rules })
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
            let literal = self.dfa.match_pattern(state, index).as_u32();
            found.push(Occurrence { literal, end: end as u32 });
        }
    }

    /// Length of a literal in bytes, and the rules that it triggers.
    pub(crate) fn literal(&self, literal: u32) -> (u32, &[u32]) {
        match self.literals.get(literal as usize) {
            Some(found) => {
                let rules = self.rules.get(found.first as usize..found.last as usize);
                (found.length, rules.unwrap_or_default())
            }
            None => (0, &[]),
        }
    }

    /// Bytes of the automaton.
    pub(crate) fn memory(&self) -> usize {
        self.dfa.memory_usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_literals_are_all_found_across_blocks() {
        let matcher = Matcher::new(&[("she", 0), ("he", 1), ("hers", 2), ("he", 3)]).unwrap();
        let mut found = Vec::new();
        let mut position = matcher.begin();
        matcher.advance(&mut position, b"ush", &mut found);
        assert_eq!(found, []);
        matcher.advance(&mut position, b"ers", &mut found);
        let spelled: Vec<_> = found
            .iter()
            .map(|hit| (hit.end, matcher.literal(hit.literal).0, matcher.literal(hit.literal).1))
            .collect();
        assert_eq!(spelled, [(4, 3, &[0][..]), (4, 2, &[1, 3][..]), (6, 4, &[2][..])]);
    }
}
