//! Quoted-printable, as a part of a multipart body may declare it.

use super::{hex_byte, Step};
use crate::views::{Anomalies, DecoderSet};

/// Undoes `=XX` and removes soft line breaks; anything else stays as it is.
pub(crate) fn printable(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let (byte, after) = match tail {
            [_, b'\r', b'\n', after @ ..] | [_, b'\n', after @ ..] => (None, after),
            [_, high, low, after @ ..] => match hex_byte(*high, *low) {
                Some(byte) => (Some(byte), after),
                None => (Some(b'='), tail.get(1..).unwrap_or_default()),
            },
            _ => (Some(b'='), tail.get(1..).unwrap_or_default()),
        };
        if byte.is_none() || after.len() + 3 == tail.len() {
            step.note(DecoderSet::QUOTED, Anomalies::NONE);
        }
        out.extend(byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_soft_breaks_are_undone() {
        let cases: [(&[u8], &[u8], bool); 6] = [
            (b"=27 or=20=\r\n1=3D1", b"' or 1=1", true),
            (b"a=\nb=3c", b"ab<", true),
            (b"a=b", b"a=b", false),
            (b"a=", b"a=", false),
            (b"==27=2", b"='=2", true),
            (b"plain", b"plain", false),
        ];
        for (input, expected, changed) in cases {
            let mut out = Vec::new();
            let step = printable(input, &mut out);
            assert_eq!(out, expected, "{}", input.escape_ascii());
            assert_eq!(step.changed(), changed, "{}", input.escape_ascii());
        }
    }
}
