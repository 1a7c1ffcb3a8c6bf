//! The second look at a literal's surroundings: word boundaries, and a regex in a window.
//!
//! A regex is compiled to a complete DFA ahead of time, so that confirming costs about a nanosecond a byte whatever the bytes are and
//! allocates nothing. Patterns whose DFA would be large (counted gaps such as `.{0,64}`) are refused: the window bounds a gap anyway.

use regex_automata::dfa::{dense, Automaton, StartKind};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use crate::rules::Word;

/// Most bytes of one compiled regex.
const LARGEST_DFA: usize = 512 << 10;

/// Most bytes used while compiling one regex.
const LARGEST_BUILD: usize = 8 << 20;

/// A compiled regex; answers only whether it matches.
#[derive(Debug)]
pub(crate) struct Pattern(dense::DFA<Vec<u32>>);

impl Pattern {
    /// Compiles a pattern for lower-cased bytes; `.` matches every byte.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        if let Some(letter) = upper_case(pattern) {
            return Err(format!("regex: '{letter}' can never match, values are in lower case"));
        }
        let dfa = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Unanchored)
                    .match_kind(MatchKind::All)
                    .dfa_size_limit(Some(LARGEST_DFA))
                    .determinize_size_limit(Some(LARGEST_BUILD)),
            )
            .syntax(syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true))
            .thompson(thompson::Config::new().utf8(false))
            .build(pattern)
            .map_err(|error| fault(&error))?;
        let empty =
            dfa.try_search_fwd(&Input::new(b"")).map_err(|error| format!("regex: {error}"))?;
        if empty.is_some() {
            return Err("regex: matches nothing at all, so it confirms everything".into());
        }
        Ok(Self(dfa))
    }

    /// True if the pattern matches anywhere in `window` of `value`; anchors and word boundaries see the bytes around the window.
    pub(crate) fn matches(&self, value: &[u8], window: std::ops::Range<usize>) -> bool {
        let input = Input::new(value).range(window).earliest(true);
        // The search can only fail on quit bytes, which need Unicode word boundaries; those are switched off.
        matches!(self.0.try_search_fwd(&input), Ok(Some(_)))
    }

    /// Bytes of the automaton.
    pub(crate) fn memory(&self) -> usize {
        self.0.memory_usage()
    }
}

fn fault(error: &dense::BuildError) -> String {
    if error.is_size_limit_exceeded() {
        return format!(
            "regex: its automaton is larger than {} KiB; replace counted gaps (.{{0,64}}) by open ones, \
             and repeated groups with comments in them by one character class",
            LARGEST_DFA >> 10
        );
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // A parser's error shows the pattern on lines of its own before it says what is wrong.
    let text = cause.to_string();
    let line = text.lines().next_back().unwrap_or_default();
    format!("regex: {}", line.trim_start_matches("error: "))
}

/// The first upper-case letter that stands for itself.
fn upper_case(pattern: &str) -> Option<char> {
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next() == Some('x') => {
                letters.nth(1);
            }
            '\\' => {}
            '[' if letters.as_str().starts_with("[:") => {}
            letter if letter.is_ascii_uppercase() => return Some(letter),
            _ => {}
        }
    }
    None
}

/// True if the literal at `range` ends at word boundaries where `word` asks for them.
pub(crate) fn stands_alone(word: Word, value: &[u8], range: &std::ops::Range<usize>) -> bool {
    let before = || range.start.checked_sub(1).and_then(|at| value.get(at)).copied();
    let after = || value.get(range.end).copied();
    let open = |byte: Option<u8>| !byte.is_some_and(is_word);
    match word {
        Word::None => true,
        Word::Start => open(before()),
        Word::End => open(after()),
        Word::Both => open(before()) && open(after()),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
