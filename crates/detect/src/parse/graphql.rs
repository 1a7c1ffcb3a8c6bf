//! Tokens of a GraphQL document. Keeps no state but its position and never fails.

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A name without the `$` or `@` before it.
    Name(&'a [u8]),
    /// A string without its quotes, escapes as they stand.
    Text(&'a [u8]),
    Comment(&'a [u8]),
    /// One of `{ } ( ) [ ] : ! = |`, `$`, `@` or `&`.
    Sign(u8),
    /// `...`
    Spread,
    Number,
}

/// The tokens of a document.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    /// Something that is no GraphQL was read.
    pub(crate) odd: bool,
}

/// True if the text begins like a document that names its operation.
pub(crate) fn is_announced(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let word = text.iter().take_while(|byte| is_name(**byte)).count();
    matches!(text.get(..word), Some(b"query" | b"mutation" | b"subscription" | b"fragment"))
        && memchr::memchr(b'{', text).is_some()
}

/// True if the text begins with a selection: a brace and a name, which in JSON would be quoted.
pub(crate) fn is_selection(text: &[u8]) -> bool {
    match text.trim_ascii_start() {
        [b'{', after @ ..] => match after.trim_ascii_start() {
            [b'.', b'.', b'.', ..] | [b'#', ..] => true,
            [first, ..] => is_name(*first) && !first.is_ascii_digit(),
            [] => false,
        },
        _ => false,
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Scanner { rest: input.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(input), odd: false }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, part: impl Fn(u8) -> bool) -> &'a [u8] {
        self.take(self.rest.iter().take_while(|byte| part(**byte)).count())
    }

    fn string(&mut self) -> &'a [u8] {
        if self.rest.starts_with(b"\"\"\"") {
            self.take(3);
            let end = memchr::memmem::find(self.rest, b"\"\"\"");
            self.odd |= end.is_none();
            let text = self.take(end.unwrap_or(self.rest.len()));
            self.take(3);
            return text;
        }
        self.take(1);
        let mut length = 0;
        while let Some(tail) = self.rest.get(length..) {
            match memchr::memchr2(b'"', b'\\', tail) {
                Some(at) if tail.get(at) == Some(&b'\\') => length += at + 2,
                Some(at) => {
                    let text = self.take(length + at);
                    self.take(1);
                    return text;
                }
                None => break,
            }
        }
        self.odd = true;
        self.take(self.rest.len())
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == b',');
            let first = *self.rest.first()?;
            return Some(match first {
                b'"' => Token::Text(self.string()),
                b'#' => {
                    self.take(1);
                    Token::Comment(self.take_while(|byte| byte != b'\n' && byte != b'\r'))
                }
                b'.' if self.rest.starts_with(b"...") => {
                    self.take(3);
                    Token::Spread
                }
                b'-' | b'0'..=b'9' => {
                    self.take(1);
                    self.take_while(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte));
                    Token::Number
                }
                byte if is_name(byte) => Token::Name(self.take_while(is_name)),
                byte if b"{}()[]:!=|$@&".contains(&byte) => {
                    self.take(1);
                    Token::Sign(byte)
                }
                _ => {
                    self.odd = true;
                    self.take(1);
                    continue;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_apart() {
        let text = br#"query Q($a:[I!]=-1.5e3){b:c(d:"x\"y",e:"""f"g""")@i ...F #h
        }"#;
        let mut scanner = Scanner::new(text);
        let tokens: Vec<Token<'_>> = scanner.by_ref().collect();
        assert!(!scanner.odd);
        let texts: Vec<&[u8]> = tokens
            .iter()
            .filter_map(|token| match token {
                Token::Text(text) | Token::Comment(text) => Some(*text),
                _ => None,
            })
            .collect();
        assert_eq!(texts, [&br#"x\"y"#[..], br#"f"g"#, b"h"]);
        let names = tokens.iter().filter(|token| matches!(token, Token::Name(_))).count();
        assert_eq!(names, 10);
        assert!(tokens.contains(&Token::Spread) && tokens.contains(&Token::Number));
    }

    #[test]
    fn documents_are_told_by_their_beginning() {
        for text in
            ["query{a}", " mutation M {a}", "fragment F on T {a}", "subscription S($a:B){c}"]
        {
            assert!(is_announced(text.as_bytes()), "{text}");
        }
        for text in ["queryx{a}", "query the union", "{a}", "", "querying {"] {
            assert!(!is_announced(text.as_bytes()), "{text}");
        }
        for (text, expected) in
            [("{ a }", true), ("{...F}", true), ("{\"a\":1}", false), ("{}", false)]
        {
            assert_eq!(is_selection(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn broken_documents_end() {
        for text in ["{a(b:\"x", "{a(b:\"\"\"x", "{a ; b}", "\"\\", "..", "\\"] {
            let mut scanner = Scanner::new(text.as_bytes());
            scanner.by_ref().for_each(drop);
            assert!(scanner.odd, "{text}");
        }
    }
}
