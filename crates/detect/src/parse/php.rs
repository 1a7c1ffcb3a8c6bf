//! What PHP's `serialize` writes: tokens, whether or not they fit together.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An array or object opens.
    Open,
    Close,
    /// The class of the object that opens next, or the case of an enumeration.
    Class(&'a [u8]),
    Text(&'a [u8]),
    Integer(u32),
    /// Any other value.
    Scalar,
}

/// True if the value begins and ends like something serialised.
pub(crate) fn is_announced(value: &[u8]) -> bool {
    let ([b'a' | b'O' | b'C' | b's' | b'E', b':', rest @ ..], [.., b'}' | b';']) = (value, value)
    else {
        return false;
    };
    let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(rest.get(digits..), Some([b':', b'{' | b'"', ..]))
}

/// The tokens of a value.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    /// Something that PHP would not read was read.
    pub(crate) odd: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Scanner { rest: value, odd: false }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// The number before the next `:` or `;`, which is skipped.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let value =
            self.take(digits).iter().fold(0, |value, digit| value * 10 + usize::from(digit - b'0'));
        let ended = matches!(self.rest, [b':' | b';', ..]);
        self.take(usize::from(ended));
        (digits > 0 && ended).then_some(value)
    }

    /// A string of a given length in quotes; up to the next quote if that is not where the string ends.
    fn quoted(&mut self) -> &'a [u8] {
        let length = self.number();
        if !self.rest.starts_with(b"\"") {
            self.odd = true;
            return &[];
        }
        self.take(1);
        let fits = length.filter(|length| self.rest.get(*length) == Some(&b'"'));
        self.odd |= fits.is_none();
        let found = fits.or_else(|| memchr::memchr(b'"', self.rest));
        let text = self.take(found.unwrap_or(self.rest.len()));
        self.take(1);
        text
    }

    /// Skips up to and with the next `;`.
    fn scalar(&mut self) -> Token<'a> {
        let end = memchr::memchr2(b';', b'}', self.rest);
        self.odd |= end.is_none();
        self.take(end.map_or(self.rest.len(), |at| at + 1));
        Token::Scalar
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            match self.rest {
                [] => return None,
                [b'{', ..] => {
                    self.take(1);
                    return Some(Token::Open);
                }
                [b'}', ..] => {
                    self.take(1);
                    return Some(Token::Close);
                }
                [b's' | b'S', b':', ..] => {
                    self.take(2);
                    return Some(Token::Text(self.quoted()));
                }
                [b'O' | b'C' | b'E', b':', ..] => {
                    self.take(2);
                    return Some(Token::Class(self.quoted()));
                }
                [b'a', b':', ..] => {
                    self.take(2);
                    self.odd |= self.number().is_none();
                }
                [b'i', b':', ..] => {
                    self.take(2);
                    return Some(match self.number().and_then(|value| u32::try_from(value).ok()) {
                        Some(value) => Token::Integer(value),
                        None => self.scalar(),
                    });
                }
                [b'N' | b'd' | b'b' | b'r' | b'R', ..] => return Some(self.scalar()),
                // What is between a class and its brace.
                [b':' | b';' | b'0'..=b'9', ..] => {
                    self.take(1);
                }
                _ => {
                    self.odd = true;
                    self.take(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_out_in_order() {
        let value = br#"a:2:{i:0;s:3:"x"y";s:1:"k";O:3:"A\B":1:{s:1:"p";d:0.5;}}"#;
        let mut scanner = Scanner::new(value);
        let found: Vec<Token<'_>> = scanner.by_ref().collect();
        assert!(!scanner.odd);
        let expected = [
            Token::Open,
            Token::Integer(0),
            Token::Text(br#"x"y"#),
            Token::Text(b"k"),
            Token::Class(br"A\B"),
            Token::Open,
            Token::Text(b"p"),
            Token::Scalar,
            Token::Close,
            Token::Close,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn wrong_lengths_and_ends_are_odd_and_still_read() {
        let table: [(&[u8], &[u8]); 4] = [
            (br#"s:9:"x' or";"#, b"x' or"),
            (br#"s:3:"x' or"#, b"x' or"),
            (br#"a:1:{s:+5:"x' or";}"#, b""),
            (br#"s:99999999999:"y";"#, b""),
        ];
        for (value, text) in table {
            let mut scanner = Scanner::new(value);
            let found: Vec<Token<'_>> = scanner.by_ref().collect();
            assert!(scanner.odd, "{}", value.escape_ascii());
            assert!(found.contains(&Token::Text(text)), "{found:?}");
        }
    }

    #[test]
    fn values_are_told_by_beginning_and_end() {
        for value in [r#"a:1:{i:0;i:1;}"#, r#"O:8:"stdClass":0:{}"#, r#"s:1:"a";"#] {
            assert!(is_announced(value.as_bytes()), "{value}");
        }
        for value in ["a:b;", "s:1", "a: 1:{}", "O:1:x;", "size:1:{}", "", "a:1:{"] {
            assert!(!is_announced(value.as_bytes()), "{value}");
        }
    }
}
