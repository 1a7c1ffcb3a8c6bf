//! Base64 that was not announced: accepted only if the result is text.
//!
//! Session keys, hashes and words use the same alphabet. Random bytes are printable at 37 %, so nine in ten bytes of a short result must
//! be, and two in three of a longer one: serialised objects are text with some binary between.

use super::{gzip::is_gzip, inflate::is_zlib};

/// Fewest characters that are taken for base64.
const SHORTEST: usize = 8;

/// Results of this length or more may contain many bytes that are not printable.
const LENIENT: usize = 48;

/// Decodes `value`, in the common or the URL alphabet, padded or not, into `out`. False: it is no base64, or no text.
pub(crate) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let value = strip_padding(value);
    if value.len() < SHORTEST {
        return false;
    }
    let mut bits = 0u32;
    let mut filled = 0u32;
    for byte in value {
        let Some(six) = six_bits(*byte) else {
            if matches!(byte, b'\r' | b'\n') {
                continue;
            }
            return false;
        };
        bits = bits << 6 | six;
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            out.push((bits >> filled) as u8);
            bits &= (1 << filled) - 1;
            if (out.len() == 3 || out.len() == 12) && !plausible(out) {
                return false;
            }
        }
    }
    // Six bits alone cannot be the end of anything.
    filled < 6 && (is_binary(out) || is_text(out))
}

/// Decodes what is declared to be base64, whatever comes out, up to the first character that is none. Padding may stand in the middle:
/// parts that were coded one by one.
pub(crate) fn decode_any(value: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let (mut bits, mut filled) = (0u32, 0u32);
    for byte in value {
        match six_bits(*byte) {
            Some(six) => {
                bits = bits << 6 | six;
                filled += 6;
                if filled >= 8 {
                    filled -= 8;
                    out.push((bits >> filled) as u8);
                    bits &= (1 << filled) - 1;
                }
            }
            None if *byte == b'=' => (bits, filled) = (0, 0),
            None if byte.is_ascii_whitespace() => {}
            None => return,
        }
    }
}

/// True if the first characters decode to something that [`decode`] would not turn down at once.
pub(crate) fn may_be_text(value: &[u8]) -> bool {
    let mut bits = 0u32;
    for byte in value.iter().take(4) {
        let Some(six) = six_bits(*byte) else { return false };
        bits = bits << 6 | six;
    }
    let [_, start @ ..] = bits.to_be_bytes();
    value.len() >= SHORTEST && plausible(&start)
}

fn strip_padding(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii_end();
    let value = value.strip_suffix(b"=").unwrap_or(value);
    value.strip_suffix(b"=").unwrap_or(value)
}

pub(super) fn six_bits(byte: u8) -> Option<u32> {
    SIX_BITS.get(usize::from(byte)).copied().filter(|six| *six < 64).map(u32::from)
}

/// The value of each character; 0xFF for those outside both alphabets.
const SIX_BITS: [u8; 256] = six_bit_table();

const fn six_bit_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((entry, after)) = rest.split_first_mut() {
        *entry = six_bits_of(byte);
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

const fn six_bits_of(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        // A `+` that stood unencoded in a query has become a space.
        b'+' | b'-' | b' ' => 62,
        b'/' | b'_' => 63,
        _ => 0xFF,
    }
}

/// True for the characters of both alphabets, padding and line ends.
pub(super) const fn is_part(byte: u8) -> bool {
    matches!(byte, b'=' | b'\r' | b'\n') || six_bits_of(byte) != 0xFF
}

fn printable(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count()
}

/// True for a binary format that has a parser: Java's object streams, the view state of ASP.NET, compressed streams.
pub(crate) fn is_binary(decoded: &[u8]) -> bool {
    matches!(decoded, [0xAC, 0xED, 0, ..] | [0xFF, 1, ..]) || is_gzip(decoded) || is_zlib(decoded)
}

/// An early way out for what is clearly something else. Text in any script passes, and the first bytes of binary formats.
fn plausible(start: &[u8]) -> bool {
    let text = || match std::str::from_utf8(start) {
        Ok(_) => true,
        // Valid up to a character that is cut off.
        Err(error) => error.error_len().is_none(),
    };
    printable(start) * 2 >= start.len() || text() || is_binary(start)
}

fn is_text(decoded: &[u8]) -> bool {
    let odd = decoded.len() - printable(decoded);
    if decoded.len() >= LENIENT && odd * 100 <= decoded.len() * 35 {
        return true;
    }
    let control = decoded.iter().filter(|byte| byte.is_ascii_control()).count();
    odd * 10 <= decoded.len()
        || (control * 10 <= decoded.len() && std::str::from_utf8(decoded).is_ok())
}
