//! Characters that applications, databases or browsers turn into ASCII, or that nobody sees.

/// What becomes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Keep,
    Ascii(u8),
    TwoDots,
    /// Invisible. `odd`: not needed by any script or emoji.
    Drop {
        odd: bool,
    },
}

/// The fold of one code point above 0x7F.
pub(super) fn fold(value: u32) -> Fold {
    match value {
        0x00A0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => Fold::Ascii(b' '),
        0x2028 | 0x2029 => Fold::Ascii(b'\n'),
        0x200C | 0x200D | 0xFEFF | 0xFE00..=0xFE0F => Fold::Drop { odd: false },
        0x00AD | 0x200B | 0x200E | 0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0x180E => {
            Fold::Drop { odd: true }
        }
        0x2025 => Fold::TwoDots,
        0xFF01..=0xFF5E => Fold::Ascii((value - 0xFF01) as u8 + b'!'),
        0x1D400..=0x1D6A3 => letter((value - 0x1D400) % 52),
        0x1D7CE..=0x1D7FF => Fold::Ascii(((value - 0x1D7CE) % 10) as u8 + b'0'),
        0x24B6..=0x24E9 => letter(value - 0x24B6),
        0x2460..=0x2468 => Fold::Ascii((value - 0x2460) as u8 + b'1'),
        0x24EA => Fold::Ascii(b'0'),
        _ => look_alike(value).map_or(Fold::Keep, Fold::Ascii),
    }
}

/// The n-th letter of A–Z, a–z.
fn letter(n: u32) -> Fold {
    let n = n as u8;
    Fold::Ascii(if n < 26 { b'A' + n } else { b'a' + n - 26 })
}

/// Single characters that a best-fit conversion or a case mapping makes ASCII.
fn look_alike(value: u32) -> Option<u8> {
    Some(match value {
        // The bytes 0xBC and 0xBE without their eighth bit, as a client with seven of them reads.
        0x00BC => b'<',
        0x00BE => b'>',
        0x0131 => b'i',
        0x017F => b's',
        0x212A => b'K',
        0x02B9 | 0x02BC | 0x02C8 | 0x2032 => b'\'',
        0x02BA | 0x2033 | 0x301D..=0x301F => b'"',
        0x2024 | 0xFE52 => b'.',
        0x2044 | 0x2215 | 0x29F8 | 0xF025 => b'/',
        0x2216 | 0x29F5 | 0x29F9 | 0xFE68 | 0xEFC8 => b'\\',
        0x2039 | 0x2329 | 0x3008 | 0x27E8 | 0xFE64 => b'<',
        0x203A | 0x232A | 0x3009 | 0x27E9 | 0xFE65 => b'>',
        0xFE59 => b'(',
        0xFE5A => b')',
        0xFE5B => b'{',
        0xFE5C => b'}',
        0xFE66 => b'=',
        0xFE50 => b',',
        0xFE54 => b';',
        0xFE55 | 0xA789 => b':',
        0xFE69 => b'$',
        0xFE6A => b'%',
        0xFE60 => b'&',
        0xFE61 | 0x2217 => b'*',
        0x2223 => b'|',
        _ => return None,
    })
}
