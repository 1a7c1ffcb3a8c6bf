//! Logistic regression with a penalty on the square of the weights, by L-BFGS.

/// Rows as lists of features, with an offset and how often each was seen in attacks and in benign requests.
pub(super) struct Problem<'d> {
    pub(super) rows: Vec<Example<'d>>,
    pub(super) features: usize,
    /// Features that may have a weight.
    pub(super) free: Vec<bool>,
    pub(super) penalty: f64,
}

pub(super) struct Example<'d> {
    pub(super) features: &'d [u32],
    pub(super) offset: f64,
    pub(super) attacks: f64,
    pub(super) benign: f64,
}

/// Pairs of steps and changes of the gradient that approximate the curvature.
const MEMORY: usize = 8;

impl Problem<'_> {
    /// The weights with the least loss after at most `rounds` steps from `start`.
    pub(super) fn solve(&self, start: Vec<f64>, rounds: usize) -> Vec<f64> {
        let mut weights = start;
        let (mut loss, mut gradient) = self.loss(&weights);
        let mut history: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
        for _ in 0..rounds {
            let direction = descend(&gradient, &history);
            let slope = dot(&direction, &gradient);
            let Some((next, next_loss, next_gradient)) =
                self.step(&weights, loss, &direction, slope)
            else {
                break;
            };
            let step = difference(&next, &weights);
            let change = difference(&next_gradient, &gradient);
            let curvature = dot(&step, &change);
            if curvature > 1e-12 {
                if history.len() == MEMORY {
                    history.remove(0);
                }
                history.push((step, change, curvature));
            }
            let gain = (loss - next_loss) / loss.max(1.0);
            (weights, loss, gradient) = (next, next_loss, next_gradient);
            if gain < 1e-7 {
                break;
            }
        }
        weights
    }

    /// The first of ever shorter steps that lowers the loss enough.
    fn step(
        &self,
        weights: &[f64],
        loss: f64,
        direction: &[f64],
        slope: f64,
    ) -> Option<(Vec<f64>, f64, Vec<f64>)> {
        let mut length = 1.0;
        for _ in 0..30 {
            let next: Vec<f64> =
                weights.iter().zip(direction).map(|(w, d)| w + length * d).collect();
            let (next_loss, gradient) = self.loss(&next);
            if next_loss <= loss + 1e-4 * length * slope {
                return Some((next, next_loss, gradient));
            }
            length *= 0.5;
        }
        None
    }

    /// The loss and its gradient.
    fn loss(&self, weights: &[f64]) -> (f64, Vec<f64>) {
        let mut loss = 0.0;
        let mut gradient = vec![0.0; self.features];
        for row in &self.rows {
            let sum: f64 = row.features.iter().filter_map(|at| weights.get(*at as usize)).sum();
            let logit = row.offset + sum;
            loss += row.attacks * softplus(-logit) + row.benign * softplus(logit);
            let slope = row.benign * sigmoid(logit) - row.attacks * sigmoid(-logit);
            for at in row.features {
                if let Some(partial) = gradient.get_mut(*at as usize) {
                    *partial += slope;
                }
            }
        }
        for ((partial, weight), free) in gradient.iter_mut().zip(weights).zip(&self.free) {
            loss += 0.5 * self.penalty * weight * weight;
            *partial = if *free { *partial + self.penalty * weight } else { 0.0 };
        }
        (loss, gradient)
    }
}

/// The direction to go, by the two-loop recursion.
fn descend(gradient: &[f64], history: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|partial| -partial).collect();
    let mut factors = Vec::new();
    for (step, change, curvature) in history.iter().rev() {
        let factor = dot(step, &direction) / curvature;
        add(&mut direction, change, -factor);
        factors.push(factor);
    }
    let scale = match history.last() {
        Some((_, change, curvature)) => curvature / dot(change, change),
        None => 1.0 / dot(gradient, gradient).sqrt().max(1.0),
    };
    direction.iter_mut().for_each(|partial| *partial *= scale);
    for ((step, change, curvature), factor) in history.iter().zip(factors.into_iter().rev()) {
        let back = dot(change, &direction) / curvature;
        add(&mut direction, step, factor - back);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], what: &[f64], factor: f64) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += factor * what);
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_vanishes_at_the_solution() {
        let (a, b, c) = ([0, 1], [1, 2], [0, 2]);
        let example =
            |features, attacks, benign| Example { features, offset: -1.0, attacks, benign };
        let rows = vec![example(&a[..], 5.0, 1.0), example(&b, 0.0, 3.0), example(&c, 2.0, 2.0)];
        let problem =
            Problem { rows, features: 4, free: vec![true, true, false, true], penalty: 0.5 };
        let weights = problem.solve(vec![0.0; 4], 200);
        let (_, gradient) = problem.loss(&weights);
        assert!(gradient.iter().all(|partial| partial.abs() < 1e-2), "{gradient:?}");
        assert_eq!((weights[2], weights[3]), (0.0, 0.0));
        assert!(weights[0] > 1.0 && weights[1] < weights[0] / 2.0, "{weights:?}");
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        assert_eq!(softplus(1e6), 1e6);
        assert_eq!(softplus(-1e6), 0.0);
        assert_eq!((sigmoid(-1e6), sigmoid(1e6)), (0.0, 1.0));
    }
}
