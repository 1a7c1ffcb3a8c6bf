//! Text into tokens: one pass, every byte looked at a bounded number of times.

use super::{code, Code, Tokens, Words, OPERATORS, STOPS};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Space,
    Line,
    Control,
    Digit,
    /// Letters, the underscore, and everything outside ASCII.
    Letter,
    Punctuation,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Control; 256];
    let mut rest: &mut [Class] = &mut table;
    let mut byte = 0u8;
    while let Some((entry, after)) = rest.split_first_mut() {
        *entry = match byte {
            b' ' | b'\t' => Class::Space,
            b'\n' | b'\r' | 0x0B | 0x0C => Class::Line,
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Letter,
            b'!'..=b'~' => Class::Punctuation,
            _ => Class::Control,
        };
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Control)
}

/// Appends the tokens of `text`, which is in lower case.
pub(crate) fn lex(words: &Words, text: &[u8], tokens: &mut Tokens) {
    let mut lexer = Lexer { words, text, tokens, at: 0, space: false };
    while let Some(&byte) = text.get(lexer.at) {
        let start = lexer.at;
        let class = class(byte);
        match class {
            Class::Space => lexer.at += 1,
            Class::Line => lexer.single(code::LINE),
            Class::Control => lexer.single(code::CONTROL),
            Class::Digit => lexer.number(),
            Class::Letter => lexer.word(),
            Class::Punctuation => lexer.punctuation(byte),
        }
        debug_assert!(lexer.at > start);
        lexer.space = matches!(class, Class::Space | Class::Line);
    }
}

struct Lexer<'a> {
    words: &'a Words,
    text: &'a [u8],
    tokens: &'a mut Tokens,
    at: usize,
    /// White space stands before.
    space: bool,
}

impl Lexer<'_> {
    fn single(&mut self, code: Code) {
        self.tokens.push(code, self.at);
        self.at += 1;
    }

    /// Bytes from `from` on that fulfil `part`.
    fn run(&self, from: usize, part: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        rest.iter().position(|byte| !part(*byte)).unwrap_or(rest.len())
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or_default()
    }

    fn number(&mut self) {
        let start = self.at;
        let digit = |byte: u8| byte.is_ascii_digit();
        if self.byte(start) == b'0' && self.byte(start + 1) == b'x' {
            let digits = self.run(start + 2, |byte| byte.is_ascii_hexdigit());
            if digits > 0 {
                self.at += 2 + digits;
                return self.tokens.push(code::HEX, start);
            }
        }
        let mut end = start + self.run(start, digit);
        if self.byte(end) == b'.' && digit(self.byte(end + 1)) {
            end += 1 + self.run(end + 1, digit);
        }
        end = self.exponent(end);
        let letters = self.run(end, |byte| class(byte) == Class::Letter);
        let known = self.text.get(end..end + letters).and_then(|word| self.words.find(word));
        if letters > 0 && known.is_none() {
            self.at = end + self.run(end, is_word);
            return self.tokens.push(code::ALNUM, start);
        }
        self.at = end;
        let code = match self.text.get(start..end).unwrap_or_default() {
            b"0" | b"1" => code::BIT,
            digits if digits.len() < 6 => code::NUMBER,
            _ => code::LONG_NUMBER,
        };
        self.tokens.push(code, start);
    }

    /// The end of the number, whose exponent, if it has one, begins at `end`.
    fn exponent(&self, end: usize) -> usize {
        let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
        let digits = self.run(end + 1 + sign, |byte| byte.is_ascii_digit());
        if self.byte(end) == b'e' && digits > 0 {
            end + 1 + sign + digits
        } else {
            end
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let length = self.run(start, is_word);
        self.at = start + length;
        let word = self.text.get(start..self.at).unwrap_or_default();
        let code = if self.is_event(word) {
            code::EVENT
        } else if let Some(known) = self.words.find(word) {
            known
        } else if length == 1 {
            code::LETTER
        } else if word.iter().any(|byte| byte.is_ascii_digit() || *byte == b'_') {
            code::NAME
        } else {
            code::WORD
        };
        self.tokens.push(code, start);
    }

    /// `on` and at least three letters, with an equals sign after it.
    fn is_event(&self, word: &[u8]) -> bool {
        const MOST_SPACE: usize = 64;
        let named =
            word.len() >= 5 && word.starts_with(b"on") && word.iter().all(u8::is_ascii_alphabetic);
        if !named {
            return false;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let next = rest.iter().take(MOST_SPACE).find(|byte| !byte.is_ascii_whitespace());
        next == Some(&b'=')
    }

    fn punctuation(&mut self, byte: u8) {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let found = OPERATORS_FROM.get(usize::from(byte)).and_then(|from| {
            let same = |(operator, _): &(&&str, Code)| operator.as_bytes().first() == Some(&byte);
            let operators = OPERATORS.iter().zip(code::FIRST_OPERATOR..).skip(usize::from(*from));
            operators.take_while(same).find(|(operator, _)| rest.starts_with(operator.as_bytes()))
        });
        if let Some((operator, code)) = found {
            self.at += operator.len();
            return self.tokens.push(code, start);
        }
        let next = rest.get(1).copied();
        self.single(match byte {
            b'\'' if self.between_letters(next) => code::APOSTROPHE,
            b'(' if self.space => code::APART,
            _ => match STOPS.iter().position(|stop| *stop == byte) {
                Some(at) if next.is_none_or(|next| next.is_ascii_whitespace()) => {
                    code::STOPS + at as Code
                }
                _ => byte,
            },
        });
    }

    fn between_letters(&self, next: Option<u8>) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.text.get(at));
        let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
        before.is_some_and(letter) && next.as_ref().is_some_and(letter)
    }
}

fn is_word(byte: u8) -> bool {
    matches!(class(byte), Class::Letter | Class::Digit)
}

/// Where the operators that begin with each byte stand in [`OPERATORS`]; its length for bytes that begin none.
const OPERATORS_FROM: [u8; 128] = operators_from();

const fn operators_from() -> [u8; 128] {
    let mut table = [OPERATORS.len() as u8; 128];
    let mut rest: &[&str] = &OPERATORS;
    while let Some((operator, before)) = rest.split_last() {
        if let Some((first, _)) = operator.as_bytes().split_first() {
            let (_, from) = table.split_at_mut(*first as usize);
            if let Some((entry, _)) = from.split_first_mut() {
                *entry = before.len() as u8;
            }
        }
        rest = before;
    }
    table
}
