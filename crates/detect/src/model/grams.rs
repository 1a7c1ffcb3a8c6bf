//! The weights of grams, for looking up at every token.

use crate::attack::AttackType;
use crate::score::Points;
use crate::tokens::{code, Code, Words};

/// Two or three neighbouring tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gram(u32);

impl Gram {
    pub(crate) fn of(first: Code, second: Code, third: Code) -> Gram {
        Gram(u32::from_le_bytes([first, second, third, 0]))
    }

    pub(crate) fn parse(name: &str, words: &Words) -> Result<Gram, String> {
        let mut codes = [code::NONE; 3];
        let mut places = codes.iter_mut();
        for token in name.split(' ') {
            let place = places.next().ok_or("a gram has two or three tokens")?;
            *place = words.code(token).ok_or_else(|| format!("unknown token {token}"))?;
        }
        let [first, second, third] = codes;
        if second == code::NONE {
            return Err("a gram has two or three tokens".into());
        }
        Ok(Gram::of(first, second, third))
    }

    pub(crate) fn spell(self, words: &Words) -> String {
        let codes = self.0.to_le_bytes();
        let names: Vec<&str> = codes
            .iter()
            .take_while(|code| **code != code::NONE)
            .map(|code| words.name(*code))
            .collect();
        names.join(" ")
    }
}

/// An index into the table.
pub(crate) type Index = u16;

/// Where no gram is known.
pub(crate) const UNKNOWN: Index = Index::MAX;

/// Weights by gram.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    /// Slots of an open hash table, at most a quarter of them taken; the length is a power of two.
    slots: Vec<(u32, Index)>,
    entries: Vec<(Gram, AttackType, Points)>,
}

impl Grams {
    /// At most [`UNKNOWN`] entries.
    ///
    /// # Errors
    ///
    /// With a gram that occurs twice.
    pub(crate) fn new(entries: Vec<(Gram, AttackType, Points)>) -> Result<Grams, Gram> {
        let slots = vec![(0, UNKNOWN); (entries.len() * 4).next_power_of_two()];
        let mut grams = Grams { slots, entries: Vec::new() };
        for entry in entries {
            if grams.find(entry.0).is_some() {
                return Err(entry.0);
            }
            let index = grams.entries.len() as Index;
            let mut at = grams.slot(entry.0);
            while let Some(slot) = grams.slots.get_mut(at) {
                if slot.1 == UNKNOWN {
                    *slot = (entry.0 .0, index);
                    break;
                }
                at = (at + 1) & (grams.slots.len() - 1);
            }
            grams.entries.push(entry);
        }
        Ok(grams)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn slot(&self, gram: Gram) -> usize {
        let mixed = gram.0.wrapping_mul(0x9E37_79B1);
        (mixed ^ mixed >> 16) as usize & self.slots.len().wrapping_sub(1)
    }

    /// The entry of a gram, [`UNKNOWN`] if it has none.
    pub(crate) fn index(&self, gram: Gram) -> Index {
        let mut at = self.slot(gram);
        while let Some(&(key, index)) = self.slots.get(at) {
            if index == UNKNOWN || key == gram.0 {
                return index;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        UNKNOWN
    }

    pub(crate) fn find(&self, gram: Gram) -> Option<Index> {
        Some(self.index(gram)).filter(|index| *index != UNKNOWN)
    }

    pub(crate) fn weight(&self, index: Index) -> Points {
        self.entries.get(usize::from(index)).map_or(0, |entry| entry.2)
    }

    pub(crate) fn attack(&self, index: Index) -> Option<AttackType> {
        self.entries.get(usize::from(index)).map(|entry| entry.1)
    }

    pub(crate) fn gram(&self, index: Index) -> Option<Gram> {
        self.entries.get(usize::from(index)).map(|entry| entry.0)
    }
}
