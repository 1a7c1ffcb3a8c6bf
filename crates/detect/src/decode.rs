//! Undoes the encodings of one value until nothing changes any more.
//!
//! A round applies every decoder once, each only if the bytes that can start it occur at all; rounds are repeated up to a limit. Every
//! decoder is one linear pass that never yields more bytes than it read, so a value costs at most rounds × decoders × length.

pub(crate) mod base64;
pub(crate) mod entity;
mod escape;
mod fold;
pub(crate) mod percent;
mod strip;
mod unicode;

use crate::limits::Budget;
use crate::views::{Anomalies, DecoderSet};

/// What one pass did. A pass that changed anything names its decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) decoders: DecoderSet,
    pub(crate) anomalies: Anomalies,
}

impl Step {
    fn note(&mut self, decoder: DecoderSet, anomaly: Anomalies) {
        self.decoders.insert(decoder);
        self.anomalies.insert(anomaly);
    }

    pub(crate) fn changed(self) -> bool {
        !self.decoders.is_empty()
    }
}

/// The result of decoding to the fixpoint; the bytes are in [`Buffers::decoded`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) decoders: DecoderSet,
    pub(crate) anomalies: Anomalies,
    /// Rounds that changed something.
    pub(crate) rounds: u8,
}

/// Two buffers that decoders write to in turn.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    current: Vec<u8>,
    next: Vec<u8>,
}

impl Buffers {
    /// The result of the last call of [`fully`], if it changed the value.
    pub(crate) fn decoded(&self) -> &[u8] {
        &self.current
    }
}

/// Which of the bytes that start a decoding occur in a value.
#[derive(Clone, Copy)]
struct Triggers(u16);

impl Triggers {
    const PERCENT: u16 = 1;
    const AMPERSAND: u16 = 2;
    const BACKSLASH: u16 = 4;
    const HIGH: u16 = 8;
    const NUL: u16 = 16;
    const CONTROL: u16 = 32;
    const ASTERISK: u16 = 64;
    const LETTER_X: u16 = 128;
    const PLUS: u16 = 256;

    /// One pass without branches, which the compiler vectorises.
    fn of(value: &[u8]) -> Triggers {
        let bits = value.iter().fold(0u16, |bits, &byte| {
            let space = (9..=13).contains(&byte);
            let control = (byte < 0x20) & !space & (byte != 0) | (byte == 0x7F);
            bits | u16::from(byte == b'%')
                | u16::from(byte == b'&') << 1
                | u16::from(byte == b'\\') << 2
                | u16::from(byte >= 0x80) << 3
                | u16::from(byte == 0) << 4
                | u16::from(control) << 5
                | u16::from(byte == b'*') << 6
                | u16::from(byte | 0x20 == b'x') << 7
                | u16::from(byte == b'+') << 8
        });
        Triggers(bits)
    }

    fn has(self, trigger: u16) -> bool {
        self.0 & trigger != 0
    }
}

/// Decodes `value` until nothing changes, at most `rounds` times.
///
/// `encoded_before`: the value has been percent-decoded already. After the last round one more is tried, to tell whether something was
/// left. If the outcome names no decoder the value is its own decoded form, and the buffers hold nothing of use. `None`: the step budget is
/// used up.
pub(crate) fn fully(
    value: &[u8],
    buffers: &mut Buffers,
    rounds: u8,
    encoded_before: bool,
    spent: &mut Budget,
) -> Option<Outcome> {
    let mut outcome = Outcome::default();
    let mut triggers = Triggers::of(value);
    if triggers.has(Triggers::CONTROL) {
        outcome.anomalies.insert(Anomalies::CONTROL);
    }
    if triggers.has(Triggers::HIGH) && std::str::from_utf8(value).is_err() {
        outcome.anomalies.insert(Anomalies::INVALID_UTF8);
    }
    if triggers.0 & !Triggers::CONTROL == 0 {
        return Some(outcome);
    }
    buffers.current.clear();
    buffers.current.extend_from_slice(value);
    loop {
        let again = encoded_before || outcome.decoders.contains(DecoderSet::PERCENT);
        let (step, passes) = round(buffers, triggers, again);
        outcome.anomalies.insert(step.anomalies);
        if !spent.spend(buffers.current.len() * passes) {
            return None;
        }
        if !step.changed() {
            return Some(outcome);
        }
        outcome.decoders.insert(step.decoders);
        if outcome.rounds >= rounds {
            outcome.anomalies.insert(Anomalies::DEEP_ENCODING);
            return Some(outcome);
        }
        outcome.rounds += 1;
        triggers = Triggers::of(&buffers.current);
    }
}

/// One round: every decoder once. The second value is the number of passes made.
fn round(buffers: &mut Buffers, triggers: Triggers, again: bool) -> (Step, usize) {
    let mut total = Step::default();
    let mut passes = 1;
    let mut apply = |needed: u16, decoder: fn(&[u8], &mut Vec<u8>) -> Step| {
        // A decoder may bring forth bytes that start the next one: after a change all of them run.
        if !triggers.has(needed) && !total.changed() {
            return;
        }
        passes += 1;
        buffers.next.clear();
        let step = decoder(&buffers.current, &mut buffers.next);
        total.note(step.decoders, step.anomalies);
        if step.changed() {
            std::mem::swap(&mut buffers.current, &mut buffers.next);
        }
    };
    apply(Triggers::PERCENT, percent::decode);
    apply(Triggers::AMPERSAND, entity::decode);
    apply(Triggers::BACKSLASH, escape::decode);
    apply(Triggers::HIGH, unicode::decode);
    apply(Triggers::NUL, strip::nul);
    apply(Triggers::LETTER_X, strip::hex_path);
    apply(Triggers::ASTERISK, strip::comments);
    apply(Triggers::PLUS, strip::plus);
    if again && total.decoders.contains(DecoderSet::PERCENT) {
        total.anomalies.insert(Anomalies::DOUBLE_ENCODED);
    }
    (total, passes)
}

/// The value of one hexadecimal digit.
fn hex(digit: u8) -> Option<u32> {
    (digit as char).to_digit(16)
}

/// The value of two hexadecimal digits.
fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let value = hex(high)? << 4 | hex(low)?;
    u8::try_from(value).ok()
}

/// The value of hexadecimal digits; `None` if one is something else, or the value is no code point.
fn hex_value(digits: &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for digit in digits {
        value = value << 4 | hex(*digit)?;
        if value > 0x10_FFFF {
            return None;
        }
    }
    Some(value)
}

/// Appends a code point as UTF-8; a lone surrogate in the same scheme, since the other half may follow.
pub(crate) fn push_code_point(out: &mut Vec<u8>, value: u32) {
    let tail = |shift: u32| 0x80 | ((value >> shift) & 0x3F) as u8;
    match value {
        0..0x80 => out.push(value as u8),
        0x80..0x800 => out.extend([0xC0 | (value >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => out.extend([0xE0 | (value >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend([0xF0 | ((value >> 18) & 7) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// True for an ASCII letter or digit, which no ordinary client writes in an encoded form.
fn is_alnum(value: u32) -> bool {
    u8::try_from(value).is_ok_and(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
