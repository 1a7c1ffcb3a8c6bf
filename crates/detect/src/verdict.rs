//! What a scan found.

use crate::attack::AttackType;
use crate::limits::LimitsHit;
use crate::rules::THRESHOLD;

/// The score from which a value is suspect; from [`THRESHOLD`] on it is an attack.
pub const SUSPECT: f32 = 6.0;

/// The result of one scan.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// One per attack type that reached the threshold, and one per limit that a request is made to hit; empty for a clean request.
    pub hits: Vec<Hit>,
    /// No hits, but a value scored at least [`SUSPECT`]: worth counting, not worth an alarm.
    pub suspect: bool,
    /// Limits that kept the scan from being complete.
    pub limits: LimitsHit,
    /// Steps spent; about nanoseconds.
    pub steps: u64,
}

/// One attack type in one request.
#[derive(Clone, Debug)]
pub struct Hit {
    pub attack: AttackType,
    /// The values that reached the threshold (`[get, 'id']`), at most [`Hit::MOST_POINTS`].
    pub points: Vec<String>,
    /// Excerpt of each of these values around its strongest indicator, at most `Limits::payload` bytes.
    pub payloads: Vec<Vec<u8>>,
    /// More values reached the threshold than are named.
    pub points_cut: bool,
    /// Excerpts are missing, or do not show the whole value.
    pub payloads_cut: bool,
    /// Decoders without which the indicators would not have been seen.
    pub decoders: Vec<&'static str>,
    /// Ids of the rules that counted, ascending.
    pub rules: Vec<u32>,
    /// The names of these rules, and the grams that spoke for an attack (`gram ' logic bit`), with their weights.
    pub indicators: Vec<(String, f32)>,
    /// The highest sum of weights in any of the values.
    pub score: f32,
    /// The sum that makes a value an attack.
    pub threshold: f32,
}

impl Hit {
    /// Values named in one hit; more of the same are left out.
    pub const MOST_POINTS: usize = 32;

    /// A hit in which nothing was found yet.
    pub(crate) fn empty(attack: AttackType) -> Hit {
        Hit {
            attack,
            points: Vec::new(),
            payloads: Vec::new(),
            points_cut: false,
            payloads_cut: false,
            decoders: Vec::new(),
            rules: Vec::new(),
            indicators: Vec::new(),
            score: 0.0,
            threshold: THRESHOLD,
        }
    }

    /// Names an indicator, once.
    pub(crate) fn indicator(&mut self, name: String, weight: f32) {
        if !self.indicators.iter().any(|(known, _)| *known == name) {
            self.indicators.push((name, weight));
        }
    }

    /// Names a decoder, once.
    pub(crate) fn decoder(&mut self, name: &'static str) {
        if !self.decoders.contains(&name) {
            self.decoders.push(name);
        }
    }

    /// What used up a limit: no rule, and a score that just reaches the threshold. `point` is where the scan stood.
    pub(crate) fn of_limit(attack: AttackType, used_up: &str, point: Option<String>) -> Hit {
        Hit {
            points: point.into_iter().collect(),
            indicators: vec![(used_up.to_owned(), THRESHOLD)],
            score: THRESHOLD,
            ..Hit::empty(attack)
        }
    }
}

/// At most `most` bytes of `text` around `range`, with two thirds of what is to spare behind it; cut between UTF-8 characters.
pub(crate) fn excerpt(text: &[u8], range: std::ops::Range<usize>, most: usize) -> &[u8] {
    let length = range.len().min(most);
    let before = ((most - length) / 3).min(range.start);
    let start = range.start - before;
    let end = start.saturating_add(most).min(text.len());
    let start = end.saturating_sub(most).min(start);
    let (start, end) = (first_boundary(text, start, end), last_boundary(text, start, end));
    text.get(start..end).unwrap_or_default()
}

/// The first character boundary from `start` on; `start` if there is none near, as in bytes that are no UTF-8.
fn first_boundary(text: &[u8], start: usize, end: usize) -> usize {
    if start == 0 {
        return start;
    }
    let near = (start..end.min(start + 4)).find(|&at| !continues(text, at));
    near.unwrap_or(start)
}

fn last_boundary(text: &[u8], start: usize, end: usize) -> usize {
    if end >= text.len() {
        return end;
    }
    let near = (start.max(end.saturating_sub(3))..=end).rev().find(|&at| !continues(text, at));
    near.unwrap_or(end)
}

/// True if the byte is not the first of its UTF-8 character.
fn continues(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_keep_the_match_and_the_cap() {
        let text = b"0123456789abcdefghij";
        assert_eq!(excerpt(text, 10..12, 100), text);
        assert_eq!(excerpt(text, 10..12, 8), b"89abcdef");
        assert_eq!(excerpt(text, 0..2, 8), b"01234567");
        assert_eq!(excerpt(text, 18..20, 8), b"cdefghij");
        assert_eq!(excerpt(text, 2..20, 4), b"2345");
        assert_eq!(excerpt(b"", 0..0, 4), b"");
    }

    #[test]
    fn excerpts_do_not_split_characters() {
        let text = "ääääabcöööö".as_bytes();
        for most in 3..text.len() {
            let cut = excerpt(text, 8..11, most);
            assert!(cut.len() <= most);
            let cut = std::str::from_utf8(cut).unwrap();
            assert!(cut.contains("abc"), "{most}: {cut}");
        }
        assert_eq!(excerpt(&[0x80; 20], 8..9, 4), [0x80; 4]);
    }
}
