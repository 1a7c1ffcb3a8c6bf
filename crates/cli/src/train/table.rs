//! The learned weights as the table that the engine reads.

use std::io::{self, Write};

use wallarm_detect::AttackType;

use super::data::{attack_of, Data, Labelled};
use super::rounds::{logit, worst, MOST, UNIT};

/// Smaller weights, in score points, are left out.
const LEAST: f64 = 0.1;

const HEAD: &str = "\
# Learned weights; docs/model.md describes them. Written by \"wallarm-mirror train\", not by hand.
# attack\tweight\tgram
";

pub(super) fn write(data: &Data, weights: &[f64], out: &mut impl Write) -> io::Result<()> {
    let types = types(data, weights);
    let mut lines: Vec<(&str, String, f64)> = Vec::new();
    for ((gram, weight), attack) in data.features.iter().zip(weights).zip(types) {
        let points = (weight * UNIT * 100.0).round() / 100.0;
        if points.abs() >= LEAST {
            lines.push((attack.name(), data.engine.model().spell(*gram), points));
        }
    }
    lines.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    out.write_all(HEAD.as_bytes())?;
    for (attack, gram, points) in lines {
        writeln!(out, "{attack}\t{points}\t{gram}")?;
    }
    Ok(())
}

/// The attack type in whose payloads each feature stands most.
fn types(data: &Data, weights: &[f64]) -> Vec<AttackType> {
    let mut counts = vec![[0.0; AttackType::ALL.len()]; data.features.len()];
    for (attack, index) in AttackType::ALL.into_iter().zip(0..) {
        let of = |one: &&Labelled| attack_of(one.labels.class.as_deref()) == attack;
        let requests: Vec<&Labelled> = data.requests.iter().filter(of).collect();
        let worst = worst(data, &requests, |_, row| logit(row, weights));
        for (row, count) in data.rows.iter().zip(worst).filter(|(_, count)| *count > 0.0) {
            for feature in &row.features {
                let cell = counts.get_mut(*feature as usize).and_then(|row| row.get_mut(index));
                if let Some(cell) = cell {
                    *cell += count.min(MOST);
                }
            }
        }
    }
    let most = |row: [f64; AttackType::ALL.len()]| {
        let cells = AttackType::ALL.into_iter().zip(row);
        cells.rev().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(AttackType::Rce, |(attack, _)| attack)
    };
    counts.into_iter().map(most).collect()
}
