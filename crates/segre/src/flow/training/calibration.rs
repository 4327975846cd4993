//! The gain of the context: how far the network's word is to be taken, measured on the validation rows.

use rayon::prelude::*;

use super::Trainer;
use super::validation::mean_difference;
use crate::data::Dataset;
use crate::flow::error::Result;
use crate::flow::head::{Minibatch, told};
use crate::flow::likelihood::LevelDistribution;
use crate::flow::model::Model;
use crate::learning::DataOrder;
use crate::learning::parameters::host_values;
use crate::random::{Purpose, generator};

/// Rows for each row of a validation: they are evaluated once, in a validation eight times.
const ROWS: usize = 16;
/// Rows of an evaluation.
const BATCH: usize = 512;
/// Gains at which the slope of the loss is measured; it is monotone and read linearly between them. None is above 1: a
/// network that says too little is only trained too short, and validation rows that depend more than others by chance
/// would make all samples too certain (2 binary columns, 400 rows: gain 1.48, KL of conditionals 0.001 → 0.04).
const GAINS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Where the gain 1 stands among them.
const ONE: usize = GAINS.len() - 1;
/// Standard errors by which the slope at 1 must be above 0. A gain below 1 makes all samples more random: that is
/// worth it only for what is certainly noise.
const ERRORS: f64 = 3.0;

/// The rows that a gain is measured on.
pub(super) fn rows(validation: &Dataset, validation_rows: usize) -> Dataset {
    validation.spread(ROWS * validation_rows)
}

impl Trainer {
    /// The gain `s ≤ 1` that minimises the mean cross-entropy of `evidence + log marginals + s g` over the rows, or 1
    /// if that is no worse beyond its error.
    ///
    /// A network that was told nothing of use still says something: noise of many parameters, which a gain near 0
    /// silences; one that has learned its rows by heart says too much. The loss is convex in `s`.
    pub(super) fn calibrate(&self, rows: &Dataset) -> Result<f32> {
        let mut model = self.best_model()?;
        model.context_gain = 1.0;
        // What a table with numbers is fitted for are samples like its rows, and a gain draws less of what the rows have in common
        // (Magic: gain 0.86, a classifier tells samples from rows with a score of 0.84, with 1 of 0.94, for 0.1 % of the bound).
        if !model.config.head.has_context() || model.network.of_labels().is_some() {
            return Ok(1.0);
        }
        // Shuffled: levels are stratified over a batch, and rows of a file are often sorted.
        let size = BATCH.min(rows.rows());
        let mut order =
            DataOrder::new(self.config.seed, rows.rows(), size).weighted(rows.weights());
        let mut slopes = Vec::with_capacity(rows.rows());
        for step in 0..(rows.rows() / size) as u64 {
            let members = order.rows(step).into_iter().map(|row| rows.row(row));
            let noise = generator(self.config.seed, Purpose::Score, step);
            let conditional = self.config.conditional;
            let batch = Minibatch::new(
                &model,
                members.collect(),
                &LevelDistribution::uniform(),
                conditional,
                noise.clone(),
                noise,
            );
            slopes.extend(slopes_of(&model, &batch));
        }
        let at_one: Vec<f64> = slopes.iter().map(|row| row[ONE]).collect();
        let (mean, error) = mean_difference(&at_one, &vec![0.0; at_one.len()], None);
        if mean <= ERRORS * error {
            return Ok(1.0);
        }
        // Summed in order, so that threads change nothing.
        let total = slopes.iter().fold([0.0; GAINS.len()], |sums, row| {
            std::array::from_fn(|k| sums[k] + row[k])
        });
        Ok(root(&total) as f32)
    }
}

/// `d/ds Σ_i −log p_s(β_i | x) = Σ_i E_{p_s}[g_i] − g_i(β_i)` of every row at every gain.
fn slopes_of(model: &Model, batch: &Minibatch<'_>) -> Vec<[f64; GAINS.len()]> {
    let cardinalities = model.manifold.cardinalities();
    let rows = 0..batch.rows.len();
    let known = batch.known(&rows, cardinalities.len());
    let places = known.unknown();
    if let Some([local, context]) = model.context_at(&known, &places) {
        let mut slopes = vec![[0.0; GAINS.len()]; rows.len()];
        for (at, place) in places.iter().enumerate() {
            let label = batch.rows[place.row][place.column];
            let own = slopes_at(local.of(at), context.of(at), label);
            let sums = slopes[place.row].iter_mut().zip(own);
            sums.for_each(|(sum, own)| *sum += own);
        }
        return slopes;
    }
    let told = told(model, batch, rows);
    let (local, context) = model.local_and_context(told.evidence, told.level, None, None);
    let (local, context) = (host_values(local), host_values(context));
    let categories = model.manifold.categories();
    let slopes = |(number, row): (usize, &&[u16])| {
        let mut slopes = [0.0; GAINS.len()];
        for (site, &label) in row.iter().enumerate() {
            let from = (number * row.len() + site) * categories;
            let own = from..from + cardinalities[site];
            let own = slopes_at(&local[own.clone()], &context[own], label);
            slopes
                .iter_mut()
                .zip(own)
                .for_each(|(sum, own)| *sum += own);
        }
        slopes
    };
    batch.rows.par_iter().enumerate().map(slopes).collect()
}

/// Those of one site.
fn slopes_at(local: &[f32], context: &[f32], label: u16) -> [f64; GAINS.len()] {
    let own = f64::from(context[usize::from(label)]);
    GAINS.map(|gain| mean_context(local, context, gain) - own)
}

/// `E_p[g]` for `p ∝ exp(local + gain · g)`.
fn mean_context(local: &[f32], context: &[f32], gain: f64) -> f64 {
    let logit = |(l, g): (&f32, &f32)| f64::from(*l) + gain * f64::from(*g);
    let logits = || local.iter().zip(context).map(logit);
    let largest = logits().fold(f64::NEG_INFINITY, f64::max);
    let (mut total, mut mean) = (0.0, 0.0);
    for (logit, g) in logits().zip(context) {
        let weight = (logit - largest).exp();
        total += weight;
        mean += weight * f64::from(*g);
    }
    mean / total
}

/// Where increasing slopes vanish; the end beyond which they do, and 1 if there is no context at all.
fn root(slopes: &[f64; GAINS.len()]) -> f64 {
    if slopes.iter().all(|slope| *slope == 0.0) {
        return 1.0;
    }
    let Some(above) = slopes.iter().position(|slope| *slope >= 0.0) else {
        return GAINS[GAINS.len() - 1];
    };
    if above == 0 {
        return GAINS[0];
    }
    let (low, high) = (slopes[above - 1], slopes[above]);
    let step = GAINS[above] - GAINS[above - 1];
    GAINS[above - 1] + step * low / (low - high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_read_linearly_and_kept_within_the_gains() {
        let slopes = GAINS.map(|gain| 3.0 * (gain - 0.6));
        assert!((root(&slopes) - 0.6).abs() < 1e-12);
        assert_eq!(root(&GAINS.map(|gain| gain + 1.0)), 0.0);
        assert_eq!(root(&GAINS.map(|gain| gain - 2.0)), 1.0);
        assert_eq!(root(&[0.0; GAINS.len()]), 1.0);
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_cross_entropy() {
        let (local, context) = ([0.3_f32, -1.2, 0.5], [2.0_f32, -0.4, 0.1]);
        let loss = |gain: f64| {
            let logits = [0, 1, 2].map(|j| f64::from(local[j]) + gain * f64::from(context[j]));
            logits.iter().map(|l| l.exp()).sum::<f64>().ln() - logits[1]
        };
        for gain in GAINS {
            let slope = mean_context(&local, &context, gain) - f64::from(context[1]);
            let numeric = (loss(gain + 1e-5) - loss(gain - 1e-5)) / 2e-5;
            assert!((slope - numeric).abs() < 1e-9, "{gain}: {slope} {numeric}");
        }
    }
}
