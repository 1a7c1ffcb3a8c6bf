//! UTF-8 as lenient decoders read it: overlong sequences, surrogate pairs written as two characters, look-alikes of ASCII.

use super::fold::{fold, Fold};
use super::{push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// One pass over all bytes above 0x7F.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    loop {
        let plain = rest.iter().take_while(|byte| byte.is_ascii()).count();
        let (head, tail) = rest.split_at(plain);
        out.extend_from_slice(head);
        if tail.is_empty() {
            return step;
        }
        let used = one(tail, out, &mut step);
        rest = tail.get(used..).unwrap_or_default();
    }
}

/// Reads one character at the start of `tail` and returns the number of bytes used, at least 1.
fn one(tail: &[u8], out: &mut Vec<u8>, step: &mut Step) -> usize {
    if let Some((value, used)) = surrogate_pair(tail) {
        step.note(DecoderSet::OVERLONG, Anomalies::NONE);
        push_code_point(out, value);
        return used;
    }
    let Some(sequence) = Sequence::read(tail) else { return stray(tail, out, step) };
    let bytes = tail.get(..sequence.used).unwrap_or_default();
    if sequence.overlong {
        step.note(DecoderSet::OVERLONG, Anomalies::OVERLONG_UTF8);
        push_code_point(out, sequence.value);
        return sequence.used;
    }
    match fold(sequence.value) {
        Fold::Keep => out.extend_from_slice(bytes),
        Fold::Ascii(byte) => {
            out.push(byte);
            let anomaly = match sequence.value {
                0xE000..0xF900 => Anomalies::BEST_FIT,
                0xFF01..=0xFF5E | 0x2024 | 0x2215 | 0x2216 => Anomalies::FULL_WIDTH,
                _ => Anomalies::NONE,
            };
            step.note(DecoderSet::WIDTH, anomaly);
        }
        Fold::TwoDots => {
            out.extend_from_slice(b"..");
            step.note(DecoderSet::WIDTH, Anomalies::FULL_WIDTH);
        }
        Fold::Drop { odd } => {
            let anomaly = if odd { Anomalies::INVISIBLE } else { Anomalies::NONE };
            step.note(DecoderSet::INVISIBLE, anomaly);
        }
    }
    sequence.used
}

/// A byte that starts no sequence.
fn stray(tail: &[u8], out: &mut Vec<u8>, step: &mut Step) -> usize {
    match tail {
        // Decoders that do not check the second byte make ASCII of it. Only punctuation is of interest: in Latin-1 text these
        // are letters with an accent.
        [lead @ (0xC0 | 0xC1), next, ..] => {
            let value = (lead & 1) << 6 | next & 0x3F;
            if matches!(value, b'.' | b'/' | b'\\' | b'<' | b'>' | b'\'' | b'"') {
                step.note(DecoderSet::OVERLONG, Anomalies::OVERLONG_UTF8);
                out.push(value);
                return 2;
            }
            out.push(*lead);
        }
        // A no-break space in Latin-1, which databases take for a space.
        [0xA0, ..] => {
            step.note(DecoderSet::WIDTH, Anomalies::NONE);
            out.push(b' ');
        }
        // Angle brackets to a client that ignores the eighth bit.
        [byte @ (0xBC | 0xBE), ..] => {
            step.note(DecoderSet::WIDTH, Anomalies::NONE);
            out.push(byte & 0x7F);
        }
        [byte, ..] => out.push(*byte),
        [] => {}
    }
    1
}

/// One multi-byte sequence in the original scheme of up to six bytes.
struct Sequence {
    value: u32,
    used: usize,
    overlong: bool,
}

impl Sequence {
    fn read(tail: &[u8]) -> Option<Sequence> {
        let (lead, rest) = tail.split_first()?;
        let (more, bits) = match lead {
            0xC0..=0xDF => (1, lead & 0x1F),
            0xE0..=0xEF => (2, lead & 0x0F),
            0xF0..=0xF7 => (3, lead & 0x07),
            0xF8..=0xFB => (4, lead & 0x03),
            0xFC..=0xFD => (5, lead & 0x01),
            _ => return None,
        };
        let mut value = u32::from(bits);
        for byte in rest.get(..more)? {
            if byte & 0xC0 != 0x80 {
                return None;
            }
            value = value << 6 | u32::from(byte & 0x3F);
        }
        let least = [0, 0x80, 0x800, 0x1_0000, 0x20_0000, 0x400_0000].get(more).copied()?;
        (value <= 0x10_FFFF).then_some(Sequence { value, used: more + 1, overlong: value < least })
    }
}

/// Two surrogates, each written as if it were a character: what `\uD83D\uDE00` decodes to at first.
fn surrogate_pair(tail: &[u8]) -> Option<(u32, usize)> {
    let [0xED, a @ 0xA0..=0xAF, b @ 0x80..=0xBF, 0xED, c @ 0xB0..=0xBF, d @ 0x80..=0xBF, ..] = tail
    else {
        return None;
    };
    let half = |high: u8, low: u8| u32::from(high & 0x0F) << 6 | u32::from(low & 0x3F);
    Some((0x1_0000 + (half(*a, *b) << 10 | half(*c, *d)), 6))
}
