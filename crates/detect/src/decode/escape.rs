//! String escapes of JavaScript, JSON, C, CSS and shells: `\uXXXX`, `\u{X}`, `\xHH`, `\NNN`, `\HH`, and escaped punctuation.
//!
//! Of the escapes of one letter only line ends are read, and only where they cannot be the start of a name in a Windows path.

use super::{hex_byte, hex_value, is_alnum, push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// One pass over all escapes.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let after = tail.get(1..).unwrap_or_default();
        rest = match escape(after).or_else(|| line_end(after, out)) {
            Some((value, after_escape)) => {
                step.note(DecoderSet::ESCAPE, Anomalies::NONE);
                if is_alnum(value) {
                    step.anomalies.insert(Anomalies::ESCAPED_ALNUM);
                }
                push_code_point(out, value);
                after_escape
            }
            None => {
                out.push(b'\\');
                after
            }
        };
    }
    out.extend_from_slice(rest);
    step
}

/// `\r\n`, or one of them after what ends no name of a directory.
fn line_end<'a>(after: &'a [u8], out: &[u8]) -> Option<(u32, &'a [u8])> {
    let (value, rest) = match after {
        [b'r', rest @ ..] => (b'\r', rest),
        [b'n', rest @ ..] => (b'\n', rest),
        _ => return None,
    };
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-\\/:%".contains(byte);
    let pair = value == b'\r' && rest.starts_with(b"\\n");
    (pair || !out.last().is_some_and(in_name)).then_some((u32::from(value), rest))
}

/// The code point that the text after a backslash stands for, and what follows it.
fn escape(after: &[u8]) -> Option<(u32, &[u8])> {
    match after {
        [b'u', b'{', rest @ ..] => {
            let length = memchr::memchr(b'}', rest.get(..8.min(rest.len()))?)?;
            let value = hex_value(rest.get(..length)?).filter(|_| length > 0)?;
            Some((value, rest.get(length + 1..)?))
        }
        [b'u' | b'U', a, b, c, d, rest @ ..] => Some((hex_value(&[*a, *b, *c, *d])?, rest)),
        [b'x' | b'X', a, b, rest @ ..] => Some((u32::from(hex_byte(*a, *b)?), rest)),
        [a @ b'0'..=b'1', b @ b'0'..=b'7', c @ b'0'..=b'7', rest @ ..]
            if matches!((a, b), (b'1', _) | (_, b'1'..)) =>
        {
            let value = u32::from(a - b'0') << 6 | u32::from(b - b'0') << 3 | u32::from(c - b'0');
            Some((value, rest))
        }
        [b'0', rest @ ..] if !matches!(rest, [b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]) => {
            Some((0, rest))
        }
        [byte @ (b'\'' | b'"' | b'/' | b'\\' | b'`' | b'<' | b'>'), rest @ ..] => {
            Some((u32::from(*byte), rest))
        }
        _ => css(after),
    }
}

/// An escape of CSS: two to six digits for a printable ASCII character, and the space that may end them.
fn css(after: &[u8]) -> Option<(u32, &[u8])> {
    let length = after.iter().take(6).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = after.split_at_checked(length)?;
    // Longer ones without leading zeros are rather names in a path.
    let short = length == 2 || (length >= 4 && digits.starts_with(b"00"));
    let value = hex_value(digits).filter(|value| short && (0x20..0x7F).contains(value))?;
    Some((value, rest.strip_prefix(b" ").unwrap_or(rest)))
}
