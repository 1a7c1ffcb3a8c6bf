//! A value as a sequence of token classes, one byte each: the alphabet of the grams that the model weighs.
//!
//! One lexer serves all languages. An injected payload mixes them, and what tells it from text is which classes follow each other: a quote,
//! a Boolean operator, a number. So punctuation and operators stand for themselves, words of known languages for their class, and other words,
//! numbers and names for what they are.

mod lexer;
mod words;

pub(crate) use lexer::lex;
pub(crate) use words::Words;

use crate::views::Group;

/// A token class. Printable ASCII codes are the punctuation itself; [`Words`] hands out those from [`code::FIRST_CLASS`] on.
pub(crate) type Code = u8;

/// Codes that are neither punctuation nor a class of words.
pub(crate) mod code {
    use super::Code;

    /// Not a token.
    pub(crate) const NONE: Code = 0;
    /// The end of a value.
    pub(crate) const END: Code = 6;
    pub(crate) const LINE: Code = 7;
    pub(crate) const CONTROL: Code = 8;
    /// 0 or 1.
    pub(crate) const BIT: Code = 9;
    pub(crate) const NUMBER: Code = 10;
    /// A number of six or more characters.
    pub(crate) const LONG_NUMBER: Code = 11;
    pub(crate) const HEX: Code = 12;
    /// Letters after digits.
    pub(crate) const ALNUM: Code = 13;
    pub(crate) const LETTER: Code = 14;
    pub(crate) const WORD: Code = 15;
    /// A word with digits or underscores.
    pub(crate) const NAME: Code = 16;
    /// The name of an event handler before `=`.
    pub(crate) const EVENT: Code = 17;
    /// An apostrophe between letters.
    pub(crate) const APOSTROPHE: Code = 18;
    /// An opening parenthesis after white space.
    pub(crate) const APART: Code = 19;
    /// Punctuation before white space or the end: `, . : ; ? !`.
    pub(crate) const STOPS: Code = 20;
    /// The first of the operators that have several characters.
    pub(crate) const FIRST_OPERATOR: Code = 128;
    /// The first class of words.
    pub(crate) const FIRST_CLASS: Code = 180;
}

/// The part of a request that a value stands in, as far as the model tells them apart. Begins each sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Context {
    Path = 1,
    /// Query, form and document values, and their names.
    Args = 2,
    Header = 3,
    Cookie = 4,
    /// Content and names of uploaded files.
    File = 5,
}

impl Context {
    /// The context of a group; none for the wire forms, which repeat what other values show.
    pub(crate) fn of(group: Group) -> Option<Context> {
        Some(match group {
            Group::Uri | Group::RawBody => return None,
            Group::Path => Context::Path,
            Group::Query | Group::QueryName | Group::Body | Group::BodyName => Context::Args,
            Group::Header | Group::HeaderName | Group::Method => Context::Header,
            Group::Cookie | Group::CookieName => Context::Cookie,
            Group::File | Group::FileName => Context::File,
        })
    }
}

/// Operators of more than one character: those of one first character together, longer ones before their beginnings. At most [`code::FIRST_CLASS`] - [`code::FIRST_OPERATOR`].
pub(crate) const OPERATORS: [&str; 46] = [
    "<!--", "<=>", "<<", "<>", "<=", "<%", "</", "<!", "<?", "-->", "--", "->", "..\\", "../",
    "/*", "/>", "*/", "*{", "||", "&&", ">>", ">=", "==", "=>", "!=", "!!", "::", ":=", "://",
    "${", "$(", "$$", "{{", "{%", "}}", "%}", "%>", "#{", "?>", "@@", "@{", "++", "\\x", "\\u",
    "~{", "[[",
];

/// Names of the codes that are no punctuation, operator or class of words.
const NAMES: [(Code, &str); 25] = [
    (Context::Path as Code, "^path"),
    (Context::Args as Code, "^args"),
    (Context::Header as Code, "^header"),
    (Context::Cookie as Code, "^cookie"),
    (Context::File as Code, "^file"),
    (code::END, "$end"),
    (code::LINE, "line"),
    (code::CONTROL, "control"),
    (code::BIT, "bit"),
    (code::NUMBER, "number"),
    (code::LONG_NUMBER, "long-number"),
    (code::HEX, "hex"),
    (code::ALNUM, "alnum"),
    (code::LETTER, "letter"),
    (code::WORD, "word"),
    (code::NAME, "name"),
    (code::EVENT, "event="),
    (code::APOSTROPHE, "n't"),
    (code::APART, "_("),
    (code::STOPS, ",_"),
    (code::STOPS + 1, "._"),
    (code::STOPS + 2, ":_"),
    (code::STOPS + 3, ";_"),
    (code::STOPS + 4, "?_"),
    (code::STOPS + 5, "!_"),
];

/// The bytes behind the codes from [`code::STOPS`] on.
const STOPS: &[u8; 6] = b",.:;?!";

/// A sequence of tokens and where each begins in the text.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    pub(crate) codes: Vec<Code>,
    pub(crate) starts: Vec<u32>,
}

impl Tokens {
    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.starts.clear();
    }

    /// Appends a token. Long runs of one token are cut to two: they say no more.
    fn push(&mut self, code: Code, start: usize) {
        if let [.., a, b] = *self.codes.as_slice() {
            if a == code && b == code {
                return;
            }
        }
        self.codes.push(code);
        self.starts.push(start as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> String {
        let words = Words::builtin().unwrap();
        let mut tokens = Tokens::default();
        lex(&words, text.as_bytes(), &mut tokens);
        assert_eq!(tokens.codes.len(), tokens.starts.len());
        let names: Vec<&str> = tokens.codes.iter().map(|code| words.name(*code)).collect();
        names.join(" ")
    }

    #[test]
    fn quotes_operators_and_keywords_keep_their_order() {
        assert_eq!(spelled("1' or '1'='1"), "bit ' logic ' bit ' = ' bit");
        assert_eq!(
            spelled("-2 union/*x*/select null--"),
            "- number union /* letter */ select null --"
        );
        assert_eq!(spelled("a;cat ../etc/hosts"), "letter ; command ../ file / file");
    }

    #[test]
    fn an_apostrophe_inside_a_word_is_no_quote() {
        assert_eq!(spelled("don't 'quote'"), "word n't letter ' word '");
    }

    #[test]
    fn a_parenthesis_after_a_space_is_not_a_call() {
        assert_eq!(spelled("sleep(5)"), "sqlfunc ( number )");
        assert_eq!(spelled("well (really), yes."), "word _( word ) ,_ word ._");
    }

    #[test]
    fn numbers_end_where_a_known_word_begins() {
        assert_eq!(
            spelled("1or 2e0union 0x1f 3rd 1.5e3 123456"),
            "bit logic number union hex alnum number long-number"
        );
    }

    #[test]
    fn event_handlers_are_known_by_the_equals_sign() {
        assert_eq!(
            spelled("<img src=x onerror =alert(1)>"),
            "< tag attribute = letter event= = jsfunc ( bit ) >"
        );
        assert_eq!(spelled("onwards and"), "word logic");
    }

    #[test]
    fn every_operator_is_a_token() {
        for operator in OPERATORS {
            assert_eq!(spelled(&format!("a {operator} b")), format!("letter {operator} letter"));
        }
    }

    #[test]
    fn runs_are_cut_to_two() {
        assert_eq!(spelled("((((((1))))))"), "( ( bit ) )");
        assert_eq!(spelled("\u{1}\u{1}\u{1}\r\n\n"), "control control line line");
    }

    #[test]
    fn every_code_has_a_name_of_its_own() {
        let words = Words::builtin().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for code in (0..=255).filter(|code| !words.name(*code).is_empty()) {
            assert!(names.insert(words.name(code)), "{} twice", words.name(code));
            assert_eq!(words.code(words.name(code)), Some(code));
        }
        for byte in (b'!'..=b'~').filter(|byte| byte.is_ascii_punctuation() && *byte != b'_') {
            assert_eq!(words.name(byte), char::from(byte).to_string());
        }
    }
}
