//! Learning without knowing which value of an attack is the payload.
//!
//! A request is as bad as its worst row. So each round takes, of every attack, the row that the weights so far find worst, and of every
//! benign request all rows, and fits the weights anew.

use super::data::{Data, Labelled, Row};
use super::fit::{Example, Problem};

/// Score points per unit of the logit.
pub(super) const UNIT: f64 = 1.5;

/// The score at which a request is flagged.
const THRESHOLD: f64 = wallarm_detect::rules::THRESHOLD as f64;

/// The logit of what rules convict: little is left to learn from it.
const CONVICTED: f64 = 4.0;

/// Rounds, and steps of the fit in each but the last.
const ROUNDS: usize = 3;
const STEPS: usize = 80;
const LAST_STEPS: usize = 200;

/// What a weight costs: the more, the fewer and the smaller the weights. Chosen by leaving sources out.
const PENALTY: f64 = 2.0;

/// How much more a benign row counts than an attack: a false alarm is worse than a miss.
const BENIGN: f64 = 3.0;

/// Rows seen more often than this count no more, so that long lists of one kind do not decide alone.
pub(super) const MOST: f64 = 20.0;

/// Features in fewer attacks than this are left alone.
const LEAST_ATTACKS: u32 = 4;

/// The weights, in logits, learned from the requests that `chosen` picks.
pub(super) fn train(data: &Data, chosen: impl Fn(&Labelled) -> bool) -> Vec<f64> {
    let requests: Vec<&Labelled> = data.requests.iter().filter(|one| chosen(one)).collect();
    let benign = benign(data, &requests);
    let free = free(data, &requests);
    let mut weights = vec![0.0; data.features.len()];
    for round in 0..ROUNDS {
        let attacks = worst(data, &requests, |at, row| {
            let seen = benign.get(at).is_some_and(|count| *count > 0.0);
            match round {
                // Nothing is known yet: what benign requests never show, and most of it.
                0 => offset(row) + 0.02 * row.features.len() as f64 - if seen { 5.0 } else { 0.0 },
                _ => logit(row, &weights),
            }
        });
        let rows = examples(data, &attacks, &benign);
        let problem =
            Problem { rows, features: weights.len(), free: free.clone(), penalty: PENALTY };
        let steps = if round + 1 < ROUNDS { STEPS } else { LAST_STEPS };
        weights = problem.solve(weights, steps);
    }
    weights
}

/// How often each row is the worst of an attack.
fn worst(data: &Data, requests: &[&Labelled], rate: impl Fn(usize, &Row) -> f64) -> Vec<f64> {
    let mut counts = vec![0.0; data.rows.len()];
    for request in requests.iter().filter(|request| request.attack) {
        let worst = worst_of(data, request, &rate);
        if let Some(count) = worst.and_then(|at| counts.get_mut(at)) {
            *count += 1.0;
        }
    }
    counts
}

/// The row of a request that rates highest.
pub(super) fn worst_of(
    data: &Data,
    request: &Labelled,
    rate: impl Fn(usize, &Row) -> f64,
) -> Option<usize> {
    let rated = request.rows.iter().filter_map(|at| {
        let at = *at as usize;
        Some((rate(at, data.rows.get(at)?), at))
    });
    rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at)
}

/// How often each row stands in benign requests.
fn benign(data: &Data, requests: &[&Labelled]) -> Vec<f64> {
    let mut counts = vec![0.0; data.rows.len()];
    for at in requests.iter().filter(|request| !request.attack).flat_map(|request| &request.rows) {
        if let Some(count) = counts.get_mut(*at as usize) {
            *count += 1.0;
        }
    }
    counts
}

/// The features that stand in enough attacks to be learned.
fn free(data: &Data, requests: &[&Labelled]) -> Vec<bool> {
    let mut attacks = vec![0; data.features.len()];
    let mut last = vec![usize::MAX; data.features.len()];
    for (number, request) in requests.iter().enumerate().filter(|(_, request)| request.attack) {
        let rows = request.rows.iter().filter_map(|at| data.rows.get(*at as usize));
        for feature in rows.flat_map(|row| &row.features) {
            let at = *feature as usize;
            let (Some(count), Some(last)) = (attacks.get_mut(at), last.get_mut(at)) else {
                continue;
            };
            if *last != number {
                (*count, *last) = (*count + 1, number);
            }
        }
    }
    attacks.into_iter().map(|count| count >= LEAST_ATTACKS).collect()
}

fn examples<'d>(data: &'d Data, attacks: &[f64], benign: &[f64]) -> Vec<Example<'d>> {
    let counts = attacks.iter().zip(benign);
    let rows = data.rows.iter().zip(counts).filter(|(_, (a, b))| **a + **b > 0.0);
    rows.map(|(row, (attacks, benign))| Example {
        features: &row.features,
        offset: offset(row),
        attacks: attacks.min(MOST),
        // Nothing is learned from false alarms of rules: no weight acquits what they convict.
        benign: if convicted(row) { 0.0 } else { benign.min(MOST) * BENIGN },
    })
    .collect()
}

/// What the rules say, as a logit.
fn offset(row: &Row) -> f64 {
    match convicted(row) {
        true => CONVICTED,
        false => (f64::from(row.base) - THRESHOLD) / UNIT,
    }
}

/// True if the rules alone convict.
fn convicted(row: &Row) -> bool {
    f64::from(row.base) >= THRESHOLD
}

pub(super) fn logit(row: &Row, weights: &[f64]) -> f64 {
    let sum: f64 = row.features.iter().filter_map(|at| weights.get(*at as usize)).sum();
    offset(row) + sum
}

/// True if the weights flag the request.
pub(super) fn flags(data: &Data, weights: &[f64], request: &Labelled) -> bool {
    let mut rows = request.rows.iter().filter_map(|at| data.rows.get(*at as usize));
    rows.any(|row| convicted(row) || !row.plain && logit(row, weights) >= 0.0)
}
