//! HTML character references: numeric ones, and the named ones that stand for ASCII.

use super::{is_alnum, push_code_point, Step};
use crate::views::{Anomalies, DecoderSet};

/// Names that count with and without the closing semicolon.
const LEGACY: &[(&[u8], u8)] =
    &[(b"lt", b'<'), (b"gt", b'>'), (b"amp", b'&'), (b"quot", b'"'), (b"nbsp", b' ')];

/// Names that need the semicolon.
const NAMED: &[(&[u8], u8)] = &[
    (b"apos", b'\''),
    (b"tab", b'\t'),
    (b"newline", b'\n'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"period", b'.'),
    (b"comma", b','),
    (b"equals", b'='),
    (b"excl", b'!'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"ast", b'*'),
    (b"midast", b'*'),
    (b"plus", b'+'),
    (b"grave", b'`'),
    (b"diacriticalgrave", b'`'),
    (b"lsqb", b'['),
    (b"lbrack", b'['),
    (b"rsqb", b']'),
    (b"rbrack", b']'),
    (b"lcub", b'{'),
    (b"lbrace", b'{'),
    (b"rcub", b'}'),
    (b"rbrace", b'}'),
    (b"verbar", b'|'),
    (b"vert", b'|'),
    (b"lowbar", b'_'),
    (b"hat", b'^'),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"hyphen", b'-'),
    (b"dash", b'-'),
];

/// Longest name in [`NAMED`].
const LONGEST: usize = 16;

/// One pass over all character references.
pub(crate) fn decode(input: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let after = tail.get(1..).unwrap_or_default();
        let found = match after {
            [b'#', b'x' | b'X', digits @ ..] => numeric(digits, 16),
            [b'#', digits @ ..] => numeric(digits, 10),
            _ => named(after).map(|(byte, after)| (u32::from(byte), after)),
        };
        rest = match found {
            Some((value, after_reference)) => {
                step.note(DecoderSet::HTML, Anomalies::NONE);
                if is_alnum(value) {
                    step.anomalies.insert(Anomalies::ESCAPED_ALNUM);
                }
                push_code_point(out, value);
                after_reference
            }
            None => {
                out.push(b'&');
                after
            }
        };
    }
    out.extend_from_slice(rest);
    step
}

/// Digits, any number of leading zeros, and the optional semicolon.
fn numeric(digits: &[u8], radix: u32) -> Option<(u32, &[u8])> {
    let mut value = 0u32;
    let mut length = 0;
    for digit in digits {
        let Some(digit) = (*digit as char).to_digit(radix) else { break };
        value = value * radix + digit;
        length += 1;
        if value > 0x10_FFFF {
            return None;
        }
    }
    if length == 0 {
        return None;
    }
    let after = digits.get(length..).unwrap_or_default();
    Some((value, after.strip_prefix(b";").unwrap_or(after)))
}

fn named(after: &[u8]) -> Option<(u8, &[u8])> {
    let length = after.iter().take(LONGEST + 1).take_while(|b| b.is_ascii_alphabetic()).count();
    let (name, rest) = after.split_at_checked(length)?;
    if let [b';', rest @ ..] = rest {
        let all = LEGACY.iter().chain(NAMED);
        return find(all, name).map(|byte| (byte, rest));
    }
    // Without the semicolon `&lt=1` is rather a parameter of a URL, and `&ltfoo` a word.
    if matches!(rest, [b'=' | b'0'..=b'9', ..]) {
        return None;
    }
    find(LEGACY.iter(), name).map(|byte| (byte, rest))
}

fn find<'t>(mut table: impl Iterator<Item = &'t (&'t [u8], u8)>, name: &[u8]) -> Option<u8> {
    table.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, byte)| *byte)
}
