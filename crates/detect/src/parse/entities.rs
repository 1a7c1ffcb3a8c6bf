//! What the entities of a document type would become if somebody expanded them. Nobody does here: only lengths are added up.

/// Rounds in which the lengths of entities that stand in one another are found; deeper ones are taken for endless.
const MOST_ROUNDS: usize = 32;

/// The entities of one document with the lengths of their expansions.
#[derive(Debug, Default)]
pub(crate) struct Entities<'a> {
    /// Ordered by name once they are complete.
    list: Vec<Entity<'a>>,
}

#[derive(Debug)]
struct Entity<'a> {
    name: &'a [u8],
    text: &'a [u8],
    length: u64,
}

impl<'a> Entities<'a> {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds a declared entity if it has a text of its own. `name` may begin with the sign of a parameter entity.
    pub(crate) fn declare(&mut self, name: &'a [u8], value: &'a [u8]) {
        let name = name.strip_prefix(b"%").unwrap_or(name).trim_ascii_start();
        let (Some(quote @ (b'"' | b'\'')), Some(text)) = (value.first(), value.get(1..)) else {
            return;
        };
        let text = text.strip_suffix(&[*quote]).unwrap_or(text);
        self.list.push(Entity { name, text, length: 0 });
    }

    /// Finds the length of every entity. `pay` is called with the bytes of each round and ends the search when it says so. False: some
    /// entity contains itself, or its expansion is longer than `most`.
    pub(crate) fn measure(&mut self, most: u64, mut pay: impl FnMut(usize) -> bool) -> bool {
        // The first declaration of a name counts.
        self.list.sort_by_key(|entity| entity.name);
        self.list.dedup_by_key(|entity| entity.name);
        let bytes = self.list.iter().map(|entity| entity.text.len()).sum();
        for _ in 0..MOST_ROUNDS {
            if !pay(bytes) {
                return true;
            }
            let lengths: Vec<u64> =
                self.list.iter().map(|entity| self.expanded(entity.text)).collect();
            let mut changed = false;
            for (entity, length) in self.list.iter_mut().zip(lengths) {
                changed |= entity.length != length;
                entity.length = length;
            }
            if self.list.iter().any(|entity| entity.length > most) {
                return false;
            }
            if !changed {
                return true;
            }
        }
        false
    }

    /// The length of `text` with every known reference replaced.
    pub(crate) fn expanded(&self, text: &[u8]) -> u64 {
        let references = memchr::memchr2_iter(b'&', b'%', text).filter_map(|at| {
            let name = text.get(at + 1..)?;
            let end = name.iter().take(64).position(|byte| *byte == b';')?;
            let name = name.get(..end)?;
            let found = self.list.binary_search_by_key(&name, |entity| entity.name).ok()?;
            self.list.get(found).map(|entity| entity.length)
        });
        references.fold(text.len() as u64, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(declared: &[(&str, &str)], most: u64) -> bool {
        let quoted: Vec<String> = declared.iter().map(|(_, text)| format!("'{text}'")).collect();
        let mut entities = Entities::default();
        for ((name, _), value) in declared.iter().zip(&quoted) {
            entities.declare(name.as_bytes(), value.as_bytes());
        }
        entities.measure(most, |_| true)
    }

    #[test]
    fn expansions_are_measured_in_any_order() {
        let up = [("a", "xxxx"), ("b", "&a;&a;&a;"), ("c", "&b;&b;&b;&b;")];
        let down: Vec<(&str, &str)> = up.iter().rev().copied().collect();
        for declared in [&up[..], &down] {
            assert!(fits(declared, 100), "{declared:?}");
            assert!(!fits(declared, 60), "{declared:?}");
        }
    }

    #[test]
    fn entities_in_themselves_do_not_fit() {
        assert!(!fits(&[("a", "&a;")], 1 << 40));
        assert!(!fits(&[("a", "x&b;"), ("b", "y&a;")], 1 << 40));
        assert!(!fits(&[("% a", "%b;%b;"), ("% b", "%a;")], 1 << 20));
    }

    #[test]
    fn ordinary_entities_fit() {
        assert!(fits(&[("copyright", "(c) &#169; Example & Co"), ("a", "&unknown;")], 100));
        let mut entities = Entities::default();
        entities.declare(b"x", b"SYSTEM 'x.dtd'");
        assert_eq!(entities.len(), 0);
    }
}
