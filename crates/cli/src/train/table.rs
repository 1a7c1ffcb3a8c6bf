//! The learned weights as the table that the engine reads.

use std::io::{self, Write};

use wallarm_detect::AttackType;

use super::data::{attack_of, Data};
use super::rounds::{logit, worst_of, MOST, UNIT};

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

/// How often something was seen, by attack type.
type ByType = [f64; AttackType::ALL.len()];

/// The attack type in whose payloads each feature stands most.
fn types(data: &Data, weights: &[f64]) -> Vec<AttackType> {
    let mut counts = vec![ByType::default(); data.features.len()];
    for (row, seen) in data.rows.iter().zip(payloads(data, weights)) {
        for feature in &row.features {
            let cells = counts.get_mut(*feature as usize).into_iter().flatten();
            cells.zip(seen).for_each(|(cell, seen)| *cell += seen.min(MOST));
        }
    }
    let most = |row: ByType| {
        let cells = AttackType::ALL.into_iter().zip(row);
        cells.rev().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(AttackType::Rce, |(attack, _)| attack)
    };
    counts.into_iter().map(most).collect()
}

/// How often each row is the payload of an attack of each type.
fn payloads(data: &Data, weights: &[f64]) -> Vec<ByType> {
    let mut seen = vec![ByType::default(); data.rows.len()];
    for request in data.requests.iter().filter(|request| request.attack) {
        let attack = attack_of(request.labels.class.as_deref());
        let worst = worst_of(data, request, |_, row| logit(row, weights));
        let cells = worst.and_then(|at| seen.get_mut(at)).into_iter().flatten();
        for (cell, of) in cells.zip(AttackType::ALL) {
            *cell += f64::from(u8::from(of == attack));
        }
    }
    seen
}
