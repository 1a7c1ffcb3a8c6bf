//! The second look at a literal's surroundings: word boundaries, and a regex in a window.
//!
//! A regex runs as a DFA that is built while it runs and kept per thread: loading hundreds of them takes milliseconds, and a byte soon
//! costs about a nanosecond whatever it is. [`Pattern::size_fault`] refuses patterns that have so many states that hostile input could
//! keep a thread building them.

use std::ops::Range;

use regex_automata::dfa::dense;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind};

use crate::rules::Word;

/// Most bytes that the states of one regex take in one thread; a regex of the permitted size stays below.
const LARGEST_CACHE: usize = 4 << 20;

/// Most bytes of the states of one regex, all of them built.
const LARGEST_DFA: usize = 1 << 20;

/// Bytes of states that a thread keeps from one scan to the next, for all regexes together.
const MOST_KEPT: usize = 16 << 20;

/// A regex that answers only whether it matches.
#[derive(Debug)]
pub(crate) struct Pattern(DFA);

impl Pattern {
    /// Compiles a pattern for lower-cased bytes; `.` matches every byte.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        if let Some(letter) = upper_case(pattern) {
            return Err(format!("regex: '{letter}' can never match, values are in lower case"));
        }
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(LARGEST_CACHE)
            .skip_cache_capacity_check(true);
        let built = DFA::builder()
            .configure(config)
            .syntax(syntax())
            .thompson(thompson())
            .build(pattern)
            .map_err(|error| fault(&error))?;
        if built.get_nfa().has_empty() {
            return Err("regex: matches nothing at all, so it confirms everything".into());
        }
        Ok(Self(built))
    }

    /// True if the pattern matches anywhere in `window` of `value`; anchors and word boundaries see the bytes around the window.
    fn matches(&self, cache: &mut Cache, value: &[u8], window: Range<usize>) -> bool {
        let input = Input::new(value).range(window).earliest(true);
        // Fails only on quit bytes and on giving up, neither of which is configured.
        matches!(self.0.try_search_fwd(cache, &input), Ok(Some(_)))
    }

    /// Why `pattern` has too many states, if it has. Takes up to a second.
    pub(crate) fn size_fault(pattern: &str) -> Option<String> {
        let config = dense::Config::new()
            .match_kind(MatchKind::All)
            .start_kind(regex_automata::dfa::StartKind::Unanchored)
            .dfa_size_limit(Some(LARGEST_DFA))
            .determinize_size_limit(Some(16 * LARGEST_DFA));
        let mut builder = dense::Builder::new();
        builder.configure(config).syntax(syntax()).thompson(thompson());
        let error = builder.build(pattern).err().filter(dense::BuildError::is_size_limit_exceeded);
        error.map(|_| {
            format!(
                "regex: its states take more than {} KiB; replace counted gaps (.{{0,64}}) by open ones, \
                 and repeated groups with comments in them by one character class",
                LARGEST_DFA >> 10
            )
        })
    }
}

fn syntax() -> syntax::Config {
    syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true)
}

fn thompson() -> thompson::Config {
    thompson::Config::new().utf8(false)
}

fn fault(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    // A parser's error shows the pattern on lines of its own before it says what is wrong.
    let text = cause.to_string();
    let line = text.lines().next_back().unwrap_or_default();
    format!("regex: {}", line.trim_start_matches("error: "))
}

/// The states of all patterns that one thread has built so far, by the index of the rule.
#[derive(Debug, Default)]
pub(crate) struct States {
    caches: Vec<Option<Cache>>,
    bytes: usize,
}

impl States {
    /// Forgets everything: the patterns are others now.
    pub(crate) fn clear(&mut self) {
        self.caches.clear();
        self.bytes = 0;
    }

    /// Makes room before a scan.
    pub(crate) fn trim(&mut self) {
        if self.bytes > MOST_KEPT {
            self.clear();
        }
    }

    /// [`Pattern::matches`] for the pattern of rule `index`.
    pub(crate) fn confirm(
        &mut self,
        index: u32,
        pattern: &Pattern,
        value: &[u8],
        window: Range<usize>,
    ) -> bool {
        let index = index as usize;
        if self.caches.len() <= index {
            self.caches.resize_with(index + 1, || None);
        }
        let Some(slot) = self.caches.get_mut(index) else { return false };
        let before = slot.as_ref().map_or(0, Cache::memory_usage);
        let cache = slot.get_or_insert_with(|| pattern.0.create_cache());
        let found = pattern.matches(cache, value, window);
        self.bytes = (self.bytes + cache.memory_usage()).saturating_sub(before);
        found
    }
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
pub(crate) fn stands_alone(word: Word, value: &[u8], range: &Range<usize>) -> bool {
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
