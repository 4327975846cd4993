//! Simple models beside the model, row by row.

use std::f64::consts::LN_2;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::evaluation::baseline::{Baseline, Baselines};
use crate::flow::likelihood::Scores;

/// A simple model, and how far it is behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// What it is called.
    pub name: String,
    /// What it takes into account.
    pub meaning: String,
    /// Bits per dimension of the rows: exact.
    pub bits_per_dim: f64,
    /// Mean over the rows of what it takes more than the model, bits per dimension, and the standard error of that over rows: both
    /// see the same ones, so what rows have in common cancels.
    pub behind: Option<[f64; 2]>,
}

/// The simple models that there are, the best kinds first.
pub(super) fn all(baselines: &Baselines, rows: &Dataset, scores: Option<&Scores>) -> Vec<Beside> {
    let own: Option<Vec<f64>> = scores.map(|own| own.rows.iter().map(|row| row.value).collect());
    let beside = |(name, model): (&str, &dyn Baseline)| {
        let rows_of: Vec<&[u16]> = rows.iter().collect();
        let nats: Vec<f64> = rows_of.par_iter().map(|row| -model.log_prob(row)).collect();
        let unit = LN_2 * rows.sites() as f64;
        Beside {
            name: name.to_owned(),
            meaning: model.meaning().to_owned(),
            bits_per_dim: model.bits_per_dim(rows),
            behind: own.as_ref().map(|own| {
                let more = nats.iter().zip(own).map(|(theirs, own)| theirs - own);
                mean(&more.collect::<Vec<_>>(), rows.weights().as_deref()).map(|value| value / unit)
            }),
        }
    };
    baselines.named().into_iter().map(beside).collect()
}

/// Mean and its standard error, each value as often as it weighs.
fn mean(values: &[f64], weights: Option<&[f64]>) -> [f64; 2] {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let sum = |of: &dyn Fn(usize) -> f64| (0..values.len()).map(of).sum::<f64>();
    let all = sum(&weight);
    let mean = sum(&|row| weight(row) * values[row]) / all;
    // Of few rows the usual n − 1.
    let few = values.len() as f64 / (values.len() as f64 - 1.0).max(1.0);
    let square = sum(&|row| (weight(row) * (values[row] - mean)).powi(2));
    [mean, (few * square).sqrt() / all]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_that_of_a_mean() {
        let found = mean(&[1.0, 3.0], None);
        assert_eq!(found, [2.0, 1.0]);
        assert_eq!(mean(&[1.0, 3.0], Some(&[2.0, 2.0])), found);
        assert_eq!(mean(&[1.0, 3.0], Some(&[1.0, 0.0]))[0], 1.0);
    }
}
