//! The table of weights as text: one line each, `kind  attack  weight  name`, separated by tabs.

use std::collections::HashMap;

use super::{Gram, Grams, Model, ModelError};
use crate::attack::AttackType;
use crate::score::{to_points, Points};
use crate::tokens::Words;

/// Weights beyond this are a mistake.
const LARGEST: f32 = 100.0;

pub(super) fn parse(text: &str, words: Words) -> Result<Model, ModelError> {
    let (mut grams, mut rules) = (Vec::new(), HashMap::new());
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = entry(line, &words).map_err(|message| ModelError { line: number, message })?;
        match entry {
            Entry::Gram(gram, attack, points) => grams.push((gram, attack, points)),
            Entry::Rule(name, points) => {
                if rules.insert(name, points).is_some() {
                    return Err(ModelError { line: number, message: "rule twice".into() });
                }
            }
        }
    }
    let grams = Grams::new(grams).map_err(|twice| ModelError {
        line: text.lines().count(),
        message: format!("gram \"{}\" twice", twice.spell(&words)),
    })?;
    Ok(Model { words, grams, rules })
}

enum Entry {
    Gram(Gram, AttackType, Points),
    Rule(String, Points),
}

fn entry(line: &str, words: &Words) -> Result<Entry, String> {
    let mut cells = line.splitn(4, '\t');
    let mut cell = || cells.next().ok_or("fewer than four cells");
    let (kind, attack, weight, name) = (cell()?, cell()?, cell()?, cell()?);
    let points = points(weight)?;
    match kind {
        "gram" => {
            let attack =
                AttackType::parse(attack).ok_or_else(|| format!("unknown attack type {attack}"))?;
            Ok(Entry::Gram(Gram::parse(name, words)?, attack, points))
        }
        "rule" => Ok(Entry::Rule(name.to_owned(), points)),
        _ => Err(format!("unknown kind {kind}: gram or rule")),
    }
}

fn points(weight: &str) -> Result<Points, String> {
    let number: f32 = weight.parse().map_err(|_| format!("{weight} is no number"))?;
    if number.abs() <= LARGEST {
        Ok(to_points(number))
    } else {
        Err(format!("weight {weight} is beyond {LARGEST}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_line_by_line() {
        let text = "# comment\n\ngram\tsqli\t1.5\t' logic bit\nrule\t-\t-0.25\tunion-select\n";
        let model = Model::parse(text).unwrap();
        let gram = Gram::parse("' logic bit", &model.words).unwrap();
        let index = model.grams.find(gram).unwrap();
        assert_eq!(model.grams.weight(index), 150);
        assert_eq!(model.grams.attack(index), Some(AttackType::Sqli));
        assert_eq!(gram.spell(&model.words), "' logic bit");
        assert_eq!(model.rules.get("union-select"), Some(&-25));
        assert_eq!(model.len(), 2);
    }

    #[test]
    fn a_broken_line_is_named() {
        let refused = |text: &str, line: usize, why: &str| {
            let error = Model::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(why), "{error}");
        };
        refused("gram\tsqli\t1", 1, "four cells");
        refused("#\nword\tsqli\t1\tx", 2, "unknown kind word");
        refused("gram\tsql\t1\t'", 1, "unknown attack type sql");
        refused("gram\tsqli\tone\t'", 1, "one is no number");
        refused("gram\tsqli\tNaN\t'", 1, "beyond");
        refused("gram\tsqli\t1000\t'", 1, "beyond");
        refused("gram\tsqli\t1\t' verb", 1, "unknown token verb");
        refused("gram\tsqli\t1\t' ' ' '", 1, "one to three tokens");
        refused("gram\tsqli\t1\t'\ngram\txss\t2\t'", 2, "gram \"'\" twice");
        refused("rule\t-\t1\ta\nrule\t-\t1\ta", 2, "rule twice");
    }
}
