//! Text of bounded length out of bytes that an attacker chose.

/// Collects bytes as valid UTF-8 up to a cap.
pub(crate) struct Text {
    out: String,
    cap: usize,
    cut: bool,
}

impl Text {
    /// `cap`: bytes of the text, as UTF-8.
    pub(crate) fn new(cap: usize) -> Self {
        Text { out: String::new(), cap, cut: false }
    }

    /// Appends bytes; one that is no UTF-8 becomes the character of the same number. After the first character that does
    /// not fit nothing is appended any more.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // No byte becomes shorter, so that what stands further behind cannot fit; four more keep a character whole.
        let end = (self.cap - self.out.len()).saturating_add(4);
        for chunk in bytes.get(..end).unwrap_or(bytes).utf8_chunks() {
            chunk.valid().chars().for_each(|c| self.push_char(c));
            chunk.invalid().iter().for_each(|b| self.push_char(char::from(*b)));
        }
    }

    fn push_char(&mut self, c: char) {
        self.cut |= self.out.len() + c.len_utf8() > self.cap;
        if !self.cut {
            self.out.push(c);
        }
    }

    /// True once something did not fit.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn into_string(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], cap: usize) -> (String, bool) {
        let mut text = Text::new(cap);
        text.push(bytes);
        let cut = text.is_cut();
        (text.into_string(), cut)
    }

    #[test]
    fn bytes_become_valid_text() {
        for (bytes, expected) in [
            (&b"plain"[..], "plain"),
            ("gr\u{fc}n \u{20ac} \u{1f600}".as_bytes(), "gr\u{fc}n \u{20ac} \u{1f600}"),
            (b"\xff\xfe", "\u{ff}\u{fe}"),
            (b"a\xc0\xafb", "a\u{c0}\u{af}b"),
            (b"\xe2\x82", "\u{e2}\u{82}"),
            (b"\xed\xa0\x80", "\u{ed}\u{a0}\u{80}"),
        ] {
            assert_eq!(text(bytes, 100), (expected.to_string(), false));
        }
    }

    #[test]
    fn the_cap_cuts_between_characters_and_shows() {
        for (bytes, cap, expected, cut) in [
            (&b"abcdef"[..], 6, "abcdef", false),
            (b"abcdefg", 6, "abcdef", true),
            ("ab\u{20ac}".as_bytes(), 5, "ab\u{20ac}", false),
            ("ab\u{20ac}".as_bytes(), 4, "ab", true),
            (b"abc\xff\xffd", 6, "abc\u{ff}", true),
            (b"", 0, "", false),
            (b"a", 0, "", true),
        ] {
            assert_eq!(text(bytes, cap), (expected.to_string(), cut), "{bytes:?}");
        }
    }

    #[test]
    fn no_prefix_of_a_character_survives_at_any_cap() {
        let bytes = "a\u{e9}\u{20ac}\u{1f600}".repeat(3);
        for cap in 0..=bytes.len() {
            let (out, cut) = text(bytes.as_bytes(), cap);
            assert!(bytes.starts_with(&out), "{cap}: {out}");
            assert!(out.len() <= cap);
            assert_eq!(cut, cap < bytes.len());
        }
    }

    #[test]
    fn nothing_follows_a_gap() {
        let mut text = Text::new(3);
        for piece in [&b"ab"[..], "\u{20ac}".as_bytes(), b"c"] {
            text.push(piece);
        }
        assert!(text.is_cut());
        assert_eq!(text.into_string(), "ab");
    }
}
