//! The table of weights as text: one line each, `attack  weight  gram`, separated by tabs.

use super::grams::UNKNOWN;
use super::{Gram, Grams, Model, ModelError};
use crate::attack::AttackType;
use crate::score::{to_points, Points};
use crate::tokens::Words;

/// Weights beyond this are a mistake.
const LARGEST: f32 = 100.0;

pub(super) fn parse(text: &str, words: Words) -> Result<Model, ModelError> {
    let mut grams = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fault = |message| ModelError { line: number, message };
        if grams.len() == usize::from(UNKNOWN) {
            return Err(fault(format!("more than {UNKNOWN} grams")));
        }
        grams.push(entry(line, &words).map_err(fault)?);
    }
    let grams = Grams::new(grams).map_err(|twice| ModelError {
        line: text.lines().count(),
        message: format!("gram \"{}\" twice", twice.spell(&words)),
    })?;
    Ok(Model { words, grams })
}

fn entry(line: &str, words: &Words) -> Result<(Gram, AttackType, Points), String> {
    let mut cells = line.splitn(3, '\t');
    let mut cell = || cells.next().ok_or("fewer than three cells");
    let (attack, weight, name) = (cell()?, cell()?, cell()?);
    let known = AttackType::parse(attack).ok_or_else(|| format!("unknown attack type {attack}"))?;
    Ok((Gram::parse(name, words)?, known, points(weight)?))
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
        let model =
            Model::parse("# comment\n\nsqli\t1.5\t' logic bit\nxss\t-0.25\t< tag\n").unwrap();
        let gram = Gram::parse("' logic bit", &model.words).unwrap();
        let index = model.grams.find(gram).unwrap();
        assert_eq!(model.grams.weight(index), 150);
        assert_eq!(model.grams.attack(index), Some(AttackType::Sqli));
        assert_eq!(gram.spell(&model.words), "' logic bit");
        assert_eq!(model.len(), 2);
    }

    #[test]
    fn a_broken_line_is_named() {
        let refused = |text: &str, line: usize, why: &str| {
            let error = Model::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(why), "{error}");
        };
        refused("sqli\t1", 1, "three cells");
        refused("#\nsql\t1\t' '", 2, "unknown attack type sql");
        refused("sqli\tone\t' '", 1, "one is no number");
        refused("sqli\tNaN\t' '", 1, "beyond");
        refused("sqli\t1000\t' '", 1, "beyond");
        refused("sqli\t1\t' verb", 1, "unknown token verb");
        refused("sqli\t1\t'", 1, "two or three tokens");
        refused("sqli\t1\t' ' ' '", 1, "two or three tokens");
        refused(&"sqli\t1\t' '\n".repeat(65_536), 65_536, "more than 65535 grams");
        refused("sqli\t1\t' '\nxss\t2\t' '", 2, "gram \"' '\" twice");
    }
}
