//! Undoes the encodings of one value until nothing changes any more.
//!
//! A round applies every decoder once, each only if the bytes that can start it occur at all; rounds are repeated up to a limit. Every
//! decoder is one linear pass that never yields more bytes than it read, so a value costs at most rounds × decoders × length.

pub(crate) mod base64;
pub(crate) mod charset;
pub(crate) mod entity;
mod escape;
mod fold;
pub(crate) mod gzip;
pub(crate) mod inflate;
pub(crate) mod literal;
pub(crate) mod path;
pub(crate) mod percent;
pub(crate) mod quoted;
mod strip;
mod unicode;
mod utf7;

use crate::limits::Budget;
use crate::views::{Anomalies, DecoderSet, Group, ParserSet};

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

/// Which classes of bytes occur in a value: what starts a decoding, and what tells containers apart.
#[derive(Clone, Copy)]
pub(crate) struct Classes(u16);

impl Classes {
    const PERCENT: u16 = 1;
    const AMPERSAND: u16 = 2;
    const BACKSLASH: u16 = 4;
    const HIGH: u16 = 8;
    /// Control characters, NUL among them.
    const LOW: u16 = 16;
    const ASTERISK: u16 = 32;
    const LETTER_X: u16 = 64;
    pub(crate) const PLUS: u16 = 128;
    pub(crate) const EQUALS: u16 = 256;
    pub(crate) const COMMA: u16 = 512;
    /// Anything that is not part of base64 text.
    pub(crate) const NOT_BASE64: u16 = 1024;
    const PARENTHESIS: u16 = 2048;
    /// Zero and the apostrophe, which stand beside the x of a number in hexadecimal.
    const BESIDE_X: u16 = 4096;
    /// What the model may learn something from, in any value and in any but a header: see [`Self::tells`].
    const TELLING: u16 = 8192;
    const TELLING_APART: u16 = 16384;
    const DECODABLE: u16 = Self::EQUALS - 1;
    /// Those that stand in many a value and mostly mean nothing.
    const WEAK: u16 = Self::LOW | Self::ASTERISK | Self::LETTER_X | Self::PLUS;

    pub(crate) fn of(value: &[u8]) -> Classes {
        let class = |byte: u8| CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
        Classes(value.iter().fold(0, |bits, byte| bits | class(*byte)))
    }

    /// What there is to decode in `value`.
    fn left(value: &[u8], disabled: ParserSet) -> Classes {
        Classes::of(value).without(disabled).confirmed(value)
    }

    /// Without those that start what `disabled` switches off.
    fn without(self, disabled: ParserSet) -> Classes {
        let mut bits = self.0;
        if disabled.is_empty() {
            return self;
        }
        for (parser, classes) in [
            (ParserSet::PERCENT, Self::PERCENT),
            (ParserSet::HTMLJS, Self::AMPERSAND | Self::BACKSLASH),
        ] {
            if disabled.contains(parser) {
                bits &= !classes;
            }
        }
        Classes(bits)
    }

    /// True if what a literal of SQL that hides text cannot do without occurs.
    pub(crate) fn may_hold_literal(self) -> bool {
        self.has(Self::PARENTHESIS) || (self.has(Self::LETTER_X) && self.has(Self::BESIDE_X))
    }

    /// True if nothing occurs that a decoder would look at, or that is odd.
    pub(crate) fn is_plain(self) -> bool {
        !self.has(Self::DECODABLE)
    }

    /// False if nothing occurs that makes a value of `group` worth reading for the model, which looks closer.
    pub(crate) fn tells(self, group: Group) -> bool {
        match group {
            Group::Header | Group::Method => self.has(Self::TELLING),
            _ => self.has(Self::TELLING | Self::TELLING_APART),
        }
    }

    /// True if any of the classes occurs.
    pub(crate) fn has(self, class: u16) -> bool {
        self.0 & class != 0
    }

    /// Takes back the weak ones whose decoder would change nothing: in most values that leaves none.
    fn confirmed(self, value: &[u8]) -> Classes {
        if !self.has(Self::WEAK) {
            return self;
        }
        let mut bits = self.0;
        let mut check = |class: u16, confirmed: fn(&[u8]) -> bool| {
            if bits & class != 0 && !confirmed(value) {
                bits &= !class;
            }
        };
        check(Classes::LOW, |value| memchr::memchr(0, value).is_some());
        check(Classes::ASTERISK, strip::has_comment);
        check(Classes::LETTER_X, strip::has_hex_path);
        check(Classes::PLUS, |value| strip::has_plus(value) || utf7::has_shift(value));
        Classes(bits)
    }
}

/// The classes of each byte.
const CLASSES: [u16; 256] = class_table();

const fn class_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut byte = 0u8;
    while let Some((entry, after)) = rest.split_first_mut() {
        *entry = match byte {
            b'%' => Classes::PERCENT,
            b'&' => Classes::AMPERSAND,
            b'\\' => Classes::BACKSLASH,
            b'*' => Classes::ASTERISK,
            b'x' | b'X' => Classes::LETTER_X,
            b'+' => Classes::PLUS,
            b'=' => Classes::EQUALS,
            b',' => Classes::COMMA,
            b'(' => Classes::PARENTHESIS,
            b'0' | b'\'' => Classes::BESIDE_X,
            0x80.. => Classes::HIGH,
            _ if strip::is_control(byte) => Classes::LOW,
            _ => 0,
        };
        if !base64::is_part(byte) {
            *entry |= Classes::NOT_BASE64;
        }
        *entry |= match byte {
            b'\'' | b'"' | b'<' | b'>' | b'`' | b'$' | b'\\' | b'{' | b'}' | b'|' | b'^' | b'['
            | b']' | b'#' => Classes::TELLING,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => 0,
            b'_' | b'.' | b'/' | b':' | b',' | b'@' | b'~' | b'-' | b'%' => 0,
            _ => Classes::TELLING_APART,
        };
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

/// How to decode to the fixpoint.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    /// At most so many.
    pub(crate) most: u8,
    /// The value has been percent-decoded already.
    pub(crate) encoded_before: bool,
    pub(crate) disabled: ParserSet,
}

/// Decodes `value`, whose classes are given, until nothing changes. After the last round one more is tried, to tell whether something was
/// left. If the outcome names no decoder the value is its own decoded form, and the buffers hold nothing of use. `None`: the step budget is
/// used up.
pub(crate) fn fully(
    value: &[u8],
    classes: Classes,
    buffers: &mut Buffers,
    how: Rounds,
    spent: &mut Budget,
) -> Option<Outcome> {
    let mut outcome = Outcome::default();
    if classes.has(Classes::LOW) && value.iter().any(|b| *b != 0 && strip::is_control(*b)) {
        outcome.anomalies.insert(Anomalies::CONTROL);
    }
    if classes.has(Classes::HIGH) && std::str::from_utf8(value).is_err() {
        outcome.anomalies.insert(Anomalies::INVALID_UTF8);
    }
    let mut classes = classes.without(how.disabled).confirmed(value);
    if !classes.has(Classes::DECODABLE) {
        return Some(outcome);
    }
    buffers.current.clear();
    buffers.current.extend_from_slice(value);
    loop {
        let again = how.encoded_before || outcome.decoders.contains(DecoderSet::PERCENT);
        let (step, passes) = round(buffers, classes, again, how.disabled);
        outcome.anomalies.insert(step.anomalies);
        if !spent.spend(buffers.current.len() * passes) {
            return None;
        }
        if !step.changed() {
            return Some(outcome);
        }
        outcome.decoders.insert(step.decoders);
        if outcome.rounds >= how.most {
            outcome.anomalies.insert(Anomalies::DEEP_ENCODING);
            return Some(outcome);
        }
        outcome.rounds += 1;
        classes = Classes::left(&buffers.current, how.disabled);
    }
}

/// One round: every decoder that has something to do, once. The second value is the number of passes made.
fn round(
    buffers: &mut Buffers,
    classes: Classes,
    again: bool,
    disabled: ParserSet,
) -> (Step, usize) {
    let mut total = Step::default();
    let mut classes = classes;
    let mut passes = 1;
    let mut apply = |needed: u16, decoder: fn(&[u8], &mut Vec<u8>) -> Step| {
        if !classes.has(needed) {
            return;
        }
        passes += 2;
        buffers.next.clear();
        let step = decoder(&buffers.current, &mut buffers.next);
        total.note(step.decoders, step.anomalies);
        if step.changed() {
            std::mem::swap(&mut buffers.current, &mut buffers.next);
            classes = Classes::left(&buffers.current, disabled);
        }
    };
    apply(Classes::PERCENT, percent::decode);
    apply(Classes::AMPERSAND, entity::decode);
    apply(Classes::BACKSLASH, escape::decode);
    apply(Classes::HIGH, unicode::decode);
    apply(Classes::LOW, strip::nul);
    apply(Classes::LETTER_X, strip::hex_path);
    apply(Classes::ASTERISK, strip::comments);
    apply(Classes::PLUS, |input, out| match utf7::has_shift(input) {
        true => utf7::decode(input, out),
        false => strip::plus(input, out),
    });
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
