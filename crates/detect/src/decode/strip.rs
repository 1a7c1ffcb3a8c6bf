//! Things that are there to be ignored or read as something else: NUL bytes, comments, `0x2f`, `+`.

use super::Step;
use crate::views::{Anomalies, DecoderSet};

/// True for a control character other than white space.
pub(super) const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, 9..=13)
}

/// Removes NUL bytes. With them goes the difference between ASCII and UTF-16.
pub(super) fn nul(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    let mut count = 0usize;
    while let Some(at) = memchr::memchr(0, rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        count += 1;
    }
    out.extend_from_slice(rest);
    if count > 0 {
        step.note(DecoderSet::INVISIBLE, Anomalies::NUL);
        if count * 5 >= input.len() * 2 {
            step.note(DecoderSet::UTF16, Anomalies::UTF16);
        }
    }
    step
}

/// True if [`hex_path`] may change the value.
pub(super) fn has_hex_path(value: &[u8]) -> bool {
    memchr::memchr2_iter(b'x', b'X', value).any(|at| {
        at.checked_sub(1).and_then(|before| value.get(before)) == Some(&b'0')
            && matches!(value.get(at + 1), Some(b'2' | b'5'))
    })
}

/// Replaces `0x2e`, `0x2f` and `0x5c` by what they stand for.
pub(super) fn hex_path(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr2(b'x', b'X', rest) {
        let (head, tail) = rest.split_at(at);
        let byte = match tail {
            [_, b'2', b'e' | b'E', ..] => Some(b'.'),
            [_, b'2', b'f' | b'F', ..] => Some(b'/'),
            [_, b'5', b'c' | b'C', ..] => Some(b'\\'),
            _ => None,
        };
        match (byte, head.strip_suffix(b"0")) {
            (Some(byte), Some(head)) => {
                step.note(DecoderSet::ESCAPE, Anomalies::HEX_PATH);
                out.extend_from_slice(head);
                out.push(byte);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                out.extend_from_slice(head);
                out.extend(tail.first());
                rest = tail.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    step
}

/// True if [`comments`] may change the value.
pub(super) fn has_comment(value: &[u8]) -> bool {
    memchr::memchr_iter(b'*', value).any(|at| {
        at.checked_sub(1).and_then(|before| value.get(before)) == Some(&b'/')
            && value.len() > at + 1
    })
}

/// Replaces `/* … */` by a space; of MySQL's `/*!50000 … */`, which is executed, only the marks.
pub(super) fn comments(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    let mut executed = false;
    // Looked for once more after every find, and never again after it was not found: one pass in all.
    let mut closes = true;
    while let Some(at) = memchr::memchr(b'*', rest) {
        let (head, tail) = rest.split_at(at);
        let after = tail.get(1..).unwrap_or_default();
        let opened = head.strip_suffix(b"/");
        let replaced = match (opened, after) {
            (Some(head), [b'!', code @ ..]) => {
                executed = true;
                Some((head, skip_version(code)))
            }
            (Some(head), _) if closes => match memchr::memmem::find(after, b"*/") {
                Some(end) => Some((head, after.get(end + 2..).unwrap_or_default())),
                None => {
                    closes = false;
                    None
                }
            },
            (None, [b'/', code @ ..]) if executed => {
                executed = false;
                Some((head, code))
            }
            _ => None,
        };
        match replaced {
            Some((head, after)) => {
                step.note(DecoderSet::COMMENT, Anomalies::NONE);
                out.extend_from_slice(head);
                out.push(b' ');
                rest = after;
            }
            None => {
                out.extend_from_slice(head);
                out.push(b'*');
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest);
    step
}

/// What follows the version number of an executed comment.
fn skip_version(code: &[u8]) -> &[u8] {
    let digits = code.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    code.get(digits..).unwrap_or_default()
}

/// True if [`plus`] may change the value.
pub(super) fn has_plus(value: &[u8]) -> bool {
    memchr::memchr_iter(b'+', value).take(2).count() == 2
        && !value.iter().any(u8::is_ascii_whitespace)
}

/// Replaces `+` by a space in a value without any space and with two `+` or more: it was form-encoded once more than its container
/// says. A `+` next to a quote joins strings and stays.
pub(super) fn plus(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    if !has_plus(input) {
        out.extend_from_slice(input);
        return step;
    }
    let quote = |byte: Option<&u8>| matches!(byte, Some(b'\'' | b'"' | b'`' | b'+'));
    let mut previous = None;
    for (i, byte) in input.iter().enumerate() {
        if *byte == b'+' && !quote(previous) && !quote(input.get(i + 1)) {
            step.note(DecoderSet::PLUS, Anomalies::NONE);
            out.push(b' ');
        } else {
            out.push(*byte);
        }
        previous = Some(byte);
    }
    step
}
