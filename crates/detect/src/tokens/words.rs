//! The vocabulary: which class a word belongs to. Read from `model/words.toml`.

use serde::Deserialize;

use super::{code, Code, NAMES, OPERATORS};

const FILE: &str = include_str!("../../model/words.toml");

/// Words longer than this are in no class.
const LONGEST: usize = 32;

/// The classes of words, and the names of all tokens.
#[derive(Debug)]
pub(crate) struct Words {
    /// Slots of an open hash table, at most half of them taken; the length is a power of two.
    slots: Vec<Slot>,
    /// All words, back to back.
    text: Vec<u8>,
    classes: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    start: u32,
    length: u8,
    /// [`code::NONE`]: the slot is free.
    code: Code,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    class: Vec<Class>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    /// Separated by white space.
    words: String,
}

impl Words {
    /// The vocabulary that is compiled into the crate.
    ///
    /// # Errors
    ///
    /// When the file is broken, which the tests of this crate rule out.
    pub(crate) fn builtin() -> Result<Words, String> {
        Self::parse(FILE)
    }

    fn parse(text: &str) -> Result<Words, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let most = usize::from(Code::MAX - code::FIRST_CLASS) + 1;
        if file.class.len() > most {
            return Err(format!("more than {most} classes"));
        }
        let count: usize =
            file.class.iter().map(|class| class.words.split_whitespace().count()).sum();
        let slots = vec![Slot::default(); (count * 2).next_power_of_two()];
        let mut words = Words { slots, text: Vec::new(), classes: Vec::new() };
        for (class, code) in file.class.into_iter().zip(code::FIRST_CLASS..=Code::MAX) {
            for word in class.words.split_whitespace() {
                words
                    .add(word, code)
                    .map_err(|fault| format!("class {}: {word}: {fault}", class.name))?;
            }
            words.classes.push(class.name);
        }
        Ok(words)
    }

    fn add(&mut self, word: &str, code: Code) -> Result<(), &'static str> {
        if word.len() > LONGEST {
            return Err("too long");
        }
        if self.find(word.as_bytes()).is_some() {
            return Err("is in a class already");
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(word.as_bytes());
        let mask = self.slots.len() - 1;
        let mut at = hash(word.as_bytes()) & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.code == code::NONE {
                *slot = Slot { start, length: word.len() as u8, code };
                break;
            }
            at = (at + 1) & mask;
        }
        Ok(())
    }

    /// The class of a word in lower case.
    pub(crate) fn find(&self, word: &[u8]) -> Option<Code> {
        if word.len() > LONGEST {
            return None;
        }
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(word) & mask;
        loop {
            let slot = self.slots.get(at)?;
            if slot.code == code::NONE {
                return None;
            }
            let start = slot.start as usize;
            if self.text.get(start..start + usize::from(slot.length)) == Some(word) {
                return Some(slot.code);
            }
            at = (at + 1) & mask;
        }
    }

    /// How a token is spelled in a gram; empty for a code that is not in use.
    pub(crate) fn name(&self, code: Code) -> &str {
        if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == code) {
            return name;
        }
        if code >= code::FIRST_CLASS {
            return self
                .classes
                .get(usize::from(code - code::FIRST_CLASS))
                .map_or("", String::as_str);
        }
        if code >= code::FIRST_OPERATOR {
            return OPERATORS
                .get(usize::from(code - code::FIRST_OPERATOR))
                .copied()
                .unwrap_or_default();
        }
        let at = usize::from(code).checked_sub(usize::from(b'!'));
        at.and_then(|at| PUNCTUATION.get(at..=at)).filter(|name| *name != "a").unwrap_or_default()
    }

    /// The token spelled `name`.
    pub(crate) fn code(&self, name: &str) -> Option<Code> {
        (1..=Code::MAX).find(|code| self.name(*code) == name && !name.is_empty())
    }
}

/// From `!` on; letters, digits and the underscore are no tokens.
const PUNCTUATION: &str =
    "!\"#$%&'()*+,-./aaaaaaaaaa:;<=>?@aaaaaaaaaaaaaaaaaaaaaaaaaa[\\]^a`aaaaaaaaaaaaaaaaaaaaaaaaaa{|}~";

/// Words are hashed as they are looked up; the table is fixed, so hostile words cannot fill it.
fn hash(word: &[u8]) -> usize {
    let mixed = word
        .iter()
        .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (mixed ^ mixed >> 15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_and_others_are_not() {
        let words = Words::builtin().unwrap();
        assert_eq!(words.find(b"select"), words.code("select"));
        assert_eq!(words.find(b"selec"), None);
        assert_eq!(words.find(&[b'x'; 4096]), None);
        assert_eq!(words.find(b""), None);
    }

    #[test]
    fn a_broken_vocabulary_is_refused() {
        let refused = |text: &str, why: &str| {
            let error = Words::parse(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        };
        refused("[[class]]\nname = 'a'\nwords = 'x x'", "class a: x: is in a class already");
        refused("[[class]]\nname = 'a'", "words");
        refused(&format!("[[class]]\nname = 'a'\nwords = '{}'", "x".repeat(33)), "too long");
    }
}
