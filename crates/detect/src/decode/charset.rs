//! Bodies in a character set whose text is not ASCII as it stands: UTF-16, UTF-32, EBCDIC, UTF-7.
//!
//! What a body says of itself, by a byte order mark or by the NUL bytes of its first characters, counts more than what is declared.

use super::{push_code_point, utf7};

/// A character set that has to be undone before anything can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf16 { big: bool },
    Utf32 { big: bool },
    Ebcdic,
    Utf7,
}

/// Characters that show how wide all are.
const SAMPLE: usize = 32;

impl Charset {
    /// What the first bytes say.
    pub(crate) fn sniff(body: &[u8]) -> Option<Charset> {
        match body {
            [0xFF, 0xFE, 0, 0, ..] => Some(Charset::Utf32 { big: false }),
            [0, 0, 0xFE, 0xFF, ..] => Some(Charset::Utf32 { big: true }),
            [0xFF, 0xFE, ..] => Some(Charset::Utf16 { big: false }),
            [0xFE, 0xFF, ..] => Some(Charset::Utf16 { big: true }),
            // `<?xm` in EBCDIC.
            [0x4C, 0x6F, 0xA7, 0x94, ..] => Some(Charset::Ebcdic),
            [0, ..] | [_, 0, ..] => wide(body),
            _ => None,
        }
    }

    /// What a declared name says; only of those that need no look at the body.
    pub(crate) fn named(name: &[u8]) -> Option<Charset> {
        if name.eq_ignore_ascii_case(b"utf-7") || name.eq_ignore_ascii_case(b"unicode-1-1-utf-7") {
            return Some(Charset::Utf7);
        }
        is_ebcdic(name).then_some(Charset::Ebcdic)
    }

    /// Appends `body` as UTF-8. A rest that is no whole character is left out.
    pub(crate) fn decode(self, body: &[u8], out: &mut Vec<u8>) {
        match self {
            Charset::Utf16 { big } => {
                for pair in body.chunks_exact(2) {
                    if let [a, b] = *pair {
                        let unit = if big { [a, b] } else { [b, a] };
                        push_code_point(out, u32::from(u16::from_be_bytes(unit)));
                    }
                }
            }
            Charset::Utf32 { big } => {
                for four in body.chunks_exact(4) {
                    if let [a, b, c, d] = *four {
                        let unit = if big { [a, b, c, d] } else { [d, c, b, a] };
                        push_code_point(out, u32::from_be_bytes(unit) & 0x1F_FFFF);
                    }
                }
            }
            Charset::Ebcdic => out.extend(
                body.iter().map(|byte| EBCDIC.get(usize::from(*byte)).copied().unwrap_or_default()),
            ),
            Charset::Utf7 => {
                if !utf7::decode(body, out).changed() {
                    out.clear();
                    out.extend_from_slice(body);
                }
            }
        }
    }
}

/// True for a declared character set that no ordinary client uses.
pub(crate) fn is_odd(name: &[u8]) -> bool {
    Charset::named(name).is_some()
        || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"utf-32"))
}

/// True for a name of UTF-16 or UTF-32 in any byte order.
pub(crate) fn is_wide(name: &[u8]) -> bool {
    let starts = |start: &[u8]| {
        name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    [&b"utf-16"[..], b"utf-32", b"ucs-2", b"ucs-4", b"iso-10646-ucs", b"unicode"]
        .into_iter()
        .any(starts)
}

/// True for a name of the EBCDIC family.
pub(crate) fn is_ebcdic(name: &[u8]) -> bool {
    const NUMBERS: [&[u8]; 8] = [b"037", b"273", b"280", b"285", b"500", b"1047", b"1140", b"1148"];
    let behind = |start: &[u8]| {
        let (begin, rest) = name.split_at_checked(start.len())?;
        begin.eq_ignore_ascii_case(start).then_some(rest)
    };
    behind(b"ebcdic").is_some()
        || [&b"ibm"[..], b"cp", b"x-ibm", b"csibm"].into_iter().any(|start| {
            let number = behind(start).unwrap_or_default();
            let number = number.strip_prefix(b"-").unwrap_or(number);
            NUMBERS.contains(&number) || number == b"37" || number == b"01140"
        })
}

/// Wide characters without a mark: ASCII, with NUL bytes in every other place.
fn wide(body: &[u8]) -> Option<Charset> {
    let all = |width: usize, at: usize| {
        let mut units = body.chunks_exact(width).take(SAMPLE);
        body.len() >= 2 * width
            && units.all(|unit| {
                let zeros = unit.iter().enumerate().all(|(i, byte)| (*byte == 0) == (i != at));
                zeros && unit.get(at).is_some_and(u8::is_ascii)
            })
    };
    let found = [
        (2, 0, Charset::Utf16 { big: false }),
        (2, 1, Charset::Utf16 { big: true }),
        (4, 0, Charset::Utf32 { big: false }),
        (4, 3, Charset::Utf32 { big: true }),
    ];
    found.into_iter().find(|(width, at, _)| all(*width, *at)).map(|(.., charset)| charset)
}

/// Code page 037, as far as it is ASCII; everything else becomes a space.
const EBCDIC: [u8; 256] = ebcdic();

const fn ebcdic() -> [u8; 256] {
    let mut table = [b' '; 256];
    // Where runs of letters and digits start.
    let runs: [(usize, u8, u8); 10] = [
        (0x81, b'a', 9),
        (0x91, b'j', 9),
        (0xA2, b's', 8),
        (0xC1, b'A', 9),
        (0xD1, b'J', 9),
        (0xE2, b'S', 8),
        (0xF0, b'0', 10),
        (0x7A, b':', 1),
        (0x05, b'\t', 1),
        (0x0D, b'\r', 1),
    ];
    let signs: [(usize, u8); 33] = [
        (0x15, b'\n'),
        (0x25, b'\n'),
        (0x4B, b'.'),
        (0x4C, b'<'),
        (0x4D, b'('),
        (0x4E, b'+'),
        (0x4F, b'|'),
        (0x50, b'&'),
        (0x5A, b'!'),
        (0x5B, b'$'),
        (0x5C, b'*'),
        (0x5D, b')'),
        (0x5E, b';'),
        (0x60, b'-'),
        (0x61, b'/'),
        (0x6B, b','),
        (0x6C, b'%'),
        (0x6D, b'_'),
        (0x6E, b'>'),
        (0x6F, b'?'),
        (0x79, b'`'),
        (0x7B, b'#'),
        (0x7C, b'@'),
        (0x7D, b'\''),
        (0x7E, b'='),
        (0x7F, b'"'),
        (0xA1, b'~'),
        (0xB0, b'^'),
        (0xBA, b'['),
        (0xBB, b']'),
        (0xC0, b'{'),
        (0xD0, b'}'),
        (0xE0, b'\\'),
    ];
    let mut i = 0;
    while i < runs.len() {
        #[expect(clippy::indexing_slicing, reason = "constants, checked by the compiler")]
        let (at, first, length) = runs[i];
        let mut n = 0;
        while n < length {
            #[expect(clippy::indexing_slicing, reason = "constants, checked by the compiler")]
            {
                table[at + n as usize] = first + n;
            }
            n += 1;
        }
        i += 1;
    }
    let mut i = 0;
    while i < signs.len() {
        #[expect(clippy::indexing_slicing, reason = "constants, checked by the compiler")]
        {
            table[signs[i].0] = signs[i].1;
        }
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide_text(text: &str, before: usize, after: usize) -> Vec<u8> {
        let unit = |byte: u8| [vec![0; before], vec![byte], vec![0; after]].concat();
        text.bytes().flat_map(unit).collect()
    }

    #[test]
    fn character_sets_are_told_from_the_first_bytes() {
        let table: [(Vec<u8>, Option<Charset>); 10] = [
            (b"\xFF\xFEa\0".to_vec(), Some(Charset::Utf16 { big: false })),
            (b"\xFE\xFF\0a".to_vec(), Some(Charset::Utf16 { big: true })),
            (b"\xFF\xFE\0\0a\0\0\0".to_vec(), Some(Charset::Utf32 { big: false })),
            (wide_text("{\"a\":1}", 0, 1), Some(Charset::Utf16 { big: false })),
            (wide_text("{\"a\":1}", 1, 0), Some(Charset::Utf16 { big: true })),
            (wide_text("{\"a\":1}", 0, 3), Some(Charset::Utf32 { big: false })),
            (wide_text("{\"a\":1}", 3, 0), Some(Charset::Utf32 { big: true })),
            (b"a\0bc".to_vec(), None),
            (b"\0\0\0\0\0\x01".to_vec(), None),
            (b"plain".to_vec(), None),
        ];
        for (body, expected) in table {
            assert_eq!(Charset::sniff(&body), expected, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn text_is_decoded() {
        let table: [(Charset, &[u8], &str); 5] = [
            (Charset::Utf16 { big: true }, b"\0<\x20\xAC\xD8\x3D\xDE\0\0", "<€"),
            (Charset::Utf16 { big: false }, b"<\0a\0x", "<a"),
            (Charset::Utf32 { big: true }, b"\0\0\0<\0\x01\xF6\0", "<\u{1F600}"),
            (Charset::Ebcdic, b"\x4C\x6F\xA7\x94\x93\x40\xF1\x7E\x7D\xC1\x7D\x6E", "<?xml 1='A'>"),
            (Charset::Utf7, b"a+ADw-b", "a<b"),
        ];
        for (charset, body, expected) in table {
            let mut out = Vec::new();
            charset.decode(body, &mut out);
            assert!(out.starts_with(expected.as_bytes()), "{charset:?} {}", out.escape_ascii());
        }
    }

    #[test]
    fn odd_names_are_known() {
        for name in
            ["UTF-7", "ibm037", "IBM-037", "cp037", "cp37", "ibm500", "EBCDIC-CP-US", "utf-32"]
        {
            assert!(is_odd(name.as_bytes()), "{name}");
        }
        for name in ["utf-8", "iso-8859-1", "windows-1252", "utf-16", "cp1252", "ibm850", "", "x"] {
            assert!(!is_odd(name.as_bytes()), "{name}");
        }
    }
}
