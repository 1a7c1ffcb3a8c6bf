//! Text that a query or script spells as numbers: `0x616263`, `x'616263'`, `char(97,98)`, `chr(97)||chr(98)`, `unhex('6162')`.
//!
//! A view of its own, since rules look for these calls as well. Only what becomes printable ASCII counts: most numbers in hexadecimal are
//! just that.

use super::{hex_byte, Step};
use crate::views::{Anomalies, DecoderSet};

/// Fewest hexadecimal digits: three characters.
const SHORTEST: usize = 6;

/// Names of functions that make text of numbers.
const CALLS: [&[u8]; 4] = [b"char", b"chr", b"nchar", b"unhex"];

/// True if [`decode`] may change the value.
pub(crate) fn may_occur(value: &[u8]) -> bool {
    let digits = |from: usize| {
        let digits = value.get(from..).unwrap_or_default();
        digits.iter().take(SHORTEST).filter(|byte| byte.is_ascii_hexdigit()).count() == SHORTEST
    };
    memchr::memchr3_iter(b'x', b'X', b'(', value).any(|at| {
        let before = at.checked_sub(1).and_then(|before| value.get(before));
        match (before, value.get(at..at + 2)) {
            (_, Some([b'(', _])) => call_before(value, at).is_some(),
            (Some(b'0'), _) => digits(at + 1),
            (_, Some([_, b'\''])) => digits(at + 2),
            _ => false,
        }
    })
}

/// Where the name of a function stands whose parenthesis is at `at`.
fn call_before(value: &[u8], at: usize) -> Option<usize> {
    let name = value.get(..at)?.trim_ascii_end();
    if !matches!(name.last(), Some(b'r' | b'R' | b'x' | b'X')) {
        return None;
    }
    CALLS.iter().find_map(|call| {
        let start = name.len().checked_sub(call.len())?;
        let known = name.get(start..)?.eq_ignore_ascii_case(call);
        (known && !follows_word(name, start)).then_some(start)
    })
}

fn follows_word(text: &[u8], at: usize) -> bool {
    let previous = at.checked_sub(1).and_then(|before| text.get(before));
    previous.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Replaces every literal by its text. Joined calls become one text.
pub(crate) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut at = 0;
    // Where the last call ended, in the output.
    let mut joined = None;
    while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
        let before = out.len();
        if let Some(length) = number(input, at, out) {
            step.note(DecoderSet::SQL_LITERAL, Anomalies::NONE);
            at += length;
        } else if let Some(length) = call(input, at, out) {
            if let Some(end) = joined {
                join(out, end, before);
            }
            step.note(DecoderSet::SQL_LITERAL, Anomalies::SQL_LITERAL);
            joined = Some(out.len());
            at += length;
        } else {
            out.extend(rest.first());
            at += 1;
        }
    }
    step
}

/// Removes what stood between two calls if it only joins them.
fn join(out: &mut Vec<u8>, end: usize, start: usize) {
    let between = out.get(end..start).unwrap_or_default();
    if between.len() <= 8 && between.iter().all(|byte| b"|+.&, ".contains(byte)) {
        out.drain(end..start);
    }
}

/// `0x…` and `x'…'` at `at`, if no word runs into it; the bytes read.
fn number(input: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    if follows_word(input, at) {
        return None;
    }
    let rest = input.get(at..)?;
    let (digits, frame) = match rest {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 2),
        [b'x' | b'X', b'\'', digits @ ..] => (digits, 3),
        _ => return None,
    };
    let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if length < SHORTEST || (frame == 3 && digits.get(length) != Some(&b'\'')) {
        return None;
    }
    text(digits.get(..length)?, out).then_some(frame + length)
}

/// Appends what pairs of digits stand for, if that is text.
fn text(digits: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    if digits.len() % 2 != 0 {
        return false;
    }
    for pair in digits.chunks_exact(2) {
        let byte = match pair {
            [high, low] => hex_byte(*high, *low),
            _ => None,
        };
        let Some(byte) = byte.filter(|byte| is_text(u32::from(*byte))) else {
            out.truncate(start);
            return false;
        };
        out.push(byte);
    }
    true
}

fn is_text(value: u32) -> bool {
    matches!(value, 0x20..=0x7E | 0x09 | 0x0A | 0x0D)
}

/// A call at `at`, if no word runs into it; the bytes read.
fn call(input: &[u8], at: usize, out: &mut Vec<u8>) -> Option<usize> {
    let rest = input.get(at..)?;
    let starts = matches!(rest.first(), Some(b'c' | b'C' | b'n' | b'N' | b'u' | b'U'));
    if !starts || follows_word(input, at) {
        return None;
    }
    let letters = rest.iter().take(6).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = rest.get(..letters)?;
    let known = CALLS.iter().find(|call| name.eq_ignore_ascii_case(call))?;
    let after = rest.get(letters..)?;
    let inner = after.trim_ascii_start().strip_prefix(b"(")?;
    let end = memchr::memchr(b')', inner.get(..inner.len().min(4096))?)?;
    let arguments = inner.get(..end)?;
    let start = out.len();
    let read = if *known == b"unhex" {
        let digits = arguments.trim_ascii();
        let digits = digits.strip_prefix(b"'").and_then(|d| d.strip_suffix(b"'")).unwrap_or(digits);
        text(digits, out)
    } else {
        characters(arguments, out)
    };
    if !read || out.len() == start {
        out.truncate(start);
        return None;
    }
    Some(rest.len() - inner.len() + end + 1)
}

/// Appends the characters whose numbers stand between commas.
fn characters(arguments: &[u8], out: &mut Vec<u8>) -> bool {
    arguments.split(|byte| *byte == b',').all(|argument| {
        // What follows a space names a character set: `char(97 using utf8)`.
        let argument = argument.trim_ascii();
        let number = argument.split(|byte| *byte == b' ').next().unwrap_or_default();
        let value = std::str::from_utf8(number).ok().and_then(|text| {
            match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            }
        });
        match value.filter(|value| is_text(*value)) {
            Some(value) => {
                out.push(value as u8);
                true
            }
            None => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_become_text() {
        let table: [(&str, &str); 13] = [
            ("select 0x61646d696e", "select admin"),
            ("0X3c623E", "<b>"),
            ("x'61626364' or X'656667'", "abcd or efg"),
            ("char(97,98)", "ab"),
            ("CHR(97)||chr(98) || Chr( 99 )", "abc"),
            ("char (0x3c)+char(62)", "<>"),
            ("nchar(39)&nchar(34)", "'\""),
            ("unhex('616263')", "abc"),
            ("UNHEX(3c3e)", "<>"),
            ("chr(97).chr(98)", "ab"),
            ("char(97 using utf8)", "a"),
            ("concat(char(97),'x',char(98))", "concat(a,'x',b)"),
            ("=0x616263,0x646566", "=abc,def"),
        ];
        for (value, expected) in table {
            assert!(may_occur(value.as_bytes()), "{value}");
            let mut out = Vec::new();
            let step = decode(value.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
            assert!(step.changed());
        }
    }

    #[test]
    fn numbers_and_words_stay() {
        for value in [
            "0x6162",
            "0xdeadbeefcafe",
            "0x61626",
            "foo0x616263",
            "char(5)",
            "char(97,300)",
            "char(",
            "char()",
            "varchar(97)",
            "a chart (97)",
            "chr(x)",
            "unhex('zz')",
            "x'6162",
            "plain (text) here",
            "",
        ] {
            let mut out = Vec::new();
            assert!(!decode(value.as_bytes(), &mut out).changed(), "{value}");
            assert_eq!(out, value.as_bytes());
        }
    }
}
