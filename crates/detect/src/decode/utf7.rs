//! UTF-7, which some browsers and converters took for text: `+ADw-script+AD4-`.

use super::{base64::six_bits, push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// True if [`decode`] may change the value.
pub(super) fn has_shift(value: &[u8]) -> bool {
    memchr::memchr_iter(b'+', value).any(|at| {
        let start = value.get(at + 1..at + 4).unwrap_or_default();
        matches!(start, [b'A', b'A'..=b'H', _])
    })
}

/// Replaces runs that stand for ASCII, a sign that is no letter or digit among them; anything else stays as it is, since `+` means
/// many things.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'+', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let before = out.len();
        let coded = tail.get(1..).unwrap_or_default();
        // The first character of every run of ASCII is an A: anything else is not read to its end.
        let length = match coded.first() {
            Some(b'A') => coded.iter().take_while(|byte| is_coded(**byte)).count(),
            _ => 0,
        };
        let (run, after) = coded.split_at(length);
        if ascii(run, out) {
            step.note(DecoderSet::UTF7, Anomalies::UTF7);
            rest = after.strip_prefix(b"-").unwrap_or(after);
        } else {
            out.truncate(before);
            out.extend_from_slice(tail.get(..=length).unwrap_or_default());
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    step
}

fn is_coded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Appends the characters of a run; false if one of them is not ASCII, or none is a sign.
fn ascii(run: &[u8], out: &mut Vec<u8>) -> bool {
    let (mut bits, mut filled, mut sign) = (0u32, 0, false);
    for byte in run {
        let Some(six) = six_bits(*byte) else { return false };
        bits = bits << 6 | six;
        filled += 6;
        if filled >= 16 {
            filled -= 16;
            let unit = bits >> filled;
            bits &= (1 << filled) - 1;
            if !matches!(unit, 0x20..=0x7E | 0x09 | 0x0A | 0x0D) {
                return false;
            }
            sign |= !u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphanumeric());
            push_code_point(out, unit);
        }
    }
    sign && bits == 0 && filled < 6
}
