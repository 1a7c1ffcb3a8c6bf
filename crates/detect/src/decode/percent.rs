//! Percent-encoding as browsers, IIS and sloppy parsers read it.

use super::{hex, hex_byte, hex_value, is_alnum, push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// One pass of `%XX` and `%uXXXX`; anything else stays as it is.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        rest = one(tail, out, &mut step);
    }
    out.extend_from_slice(rest);
    step
}

/// The one decoding that a query, path or form has by definition: `%XX`, and `+` for a space if `plus`.
///
/// `%` without two digits is an anomaly here.
pub(crate) fn once(input: &[u8], out: &mut Vec<u8>, plus: bool) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    let other = if plus { b'+' } else { b'%' };
    while let Some(at) = memchr::memchr2(b'%', other, rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        rest = match tail {
            [b'+', after @ ..] => {
                out.push(b' ');
                step.note(DecoderSet::PLUS, Anomalies::NONE);
                after
            }
            [b'%', b'u' | b'U', ..] => unchanged(tail, out),
            [b'%', ..] => {
                let after = one(tail, out, &mut step);
                if after.len() + 1 == tail.len() {
                    step.anomalies.insert(Anomalies::BAD_PERCENT);
                }
                after
            }
            _ => unchanged(tail, out),
        };
    }
    out.extend_from_slice(rest);
    step
}

/// Decodes what stands at the start of `tail`, which begins with `%`, and returns what follows.
fn one<'a>(tail: &'a [u8], out: &mut Vec<u8>, step: &mut Step) -> &'a [u8] {
    match tail {
        [_, b'u' | b'U', a, b, c, d, after @ ..] => {
            let Some(value) = hex_value(&[*a, *b, *c, *d]) else { return unchanged(tail, out) };
            step.note(DecoderSet::PERCENT_U, Anomalies::PERCENT_U);
            note_value(value, step);
            push_code_point(out, value);
            after
        }
        [_, high, low, after @ ..] => {
            let sloppy = || sloppy(*high, *low).filter(|byte| overlong(*byte, out, after));
            let Some(byte) = hex_byte(*high, *low).or_else(sloppy) else {
                return unchanged(tail, out);
            };
            step.note(DecoderSet::PERCENT, Anomalies::NONE);
            if byte.is_ascii_alphanumeric() {
                step.anomalies.insert(Anomalies::PERCENT_ALNUM);
            }
            out.push(byte);
            after
        }
        _ => unchanged(tail, out),
    }
}

fn note_value(value: u32, step: &mut Step) {
    if is_alnum(value) {
        step.anomalies.insert(Anomalies::ESCAPED_ALNUM);
    }
    // IIS mapped parts of the private use area to path separators.
    if (0xE000..0xF900).contains(&value) {
        step.anomalies.insert(Anomalies::BEST_FIT);
    }
}

/// Digits beyond `f`, which old IIS computed with as if they were digits.
fn sloppy(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| match digit.to_ascii_lowercase() {
        letter @ b'g'..=b'z' => Some(u32::from(letter - b'a') + 10),
        _ => hex(digit),
    };
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

/// True if the byte is part of an overlong sequence. Elsewhere sloppy digits would turn plain text into something else.
fn overlong(byte: u8, out: &[u8], after: &[u8]) -> bool {
    let lead = |byte: u8| matches!(byte, 0xC0 | 0xC1);
    let continued = || match after {
        [b'%', high, low, ..] => sloppy(*high, *low).is_some(),
        _ => false,
    };
    out.last().is_some_and(|last| lead(*last)) || lead(byte) && continued()
}

fn unchanged<'a>(tail: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match tail {
        [first, after @ ..] => {
            out.push(*first);
            after
        }
        [] => tail,
    }
}
