//! Rows of a model with weights that make them samples of an energy model.

use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

use crate::data::Dataset;
use crate::energy::EnergyModel;
use crate::estimate::Estimate;
use crate::flow::Model;
use crate::flow::sampling::{Sampler, SamplingOptions, sample};
use crate::neural::error::{NeuralError, Result};
use crate::progress::Observer;
use crate::random::{Purpose, generator};

/// Halvings of the interval in which the next inverse temperature lies.
const HALVINGS: usize = 40;

/// What importance weights say of an energy model, and of the model that proposed the rows; in nats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportanceEstimate {
    /// `log Z = log mean w`; the mean of the weights is unbiased, and the error is that of its logarithm to first order.
    pub log_z: Estimate,
    /// `E_q[log w] ≤ log Z`, the variational bound: `log Z` minus the mean of `KL(q(·|σ) : P*)` over the orders. Minus
    /// infinity if a row is impossible.
    pub bound: Estimate,
    /// Kish's effective sample size as a share of the rows, `(Σ w)² / (M Σ w²)`.
    pub effective_share: f64,
    /// `⟨E⟩`, self-normalised.
    pub energy: Estimate,
    /// `H = ⟨E⟩ + log Z`.
    pub entropy: f64,
    /// `p(x_i)`, self-normalised, `[variables][states]`.
    pub marginals: Vec<Vec<f64>>,
}

/// Rows with the logarithms of the probabilities they were drawn with, and their energies.
#[derive(Clone, Debug)]
pub struct WeightedRows {
    data: Dataset,
    log_probabilities: Vec<f64>,
    energies: Vec<f64>,
}

impl WeightedRows {
    /// Draws rows of a model in random orders, `steps` evaluations each: one for every site if there are as many.
    ///
    /// # Errors
    /// As [`sample`] with [`Sampler::Sequential`].
    ///
    /// # Panics
    /// If the model has not the variables of the energy model.
    pub fn draw(
        model: &Model,
        energy: &EnergyModel,
        count: usize,
        steps: usize,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let options = SamplingOptions {
            sampler: Some(Sampler::Sequential),
            steps: Some(steps),
            seed,
            ..SamplingOptions::default()
        };
        let drawn = sample(model, count, &options, observer)?;
        Ok(Self::new(drawn.data, drawn.log_probabilities, energy))
    }

    /// Rows that are there already.
    ///
    /// # Panics
    /// Without rows, with another number of probabilities, or if the rows have other variables than the energy model.
    pub fn new(data: Dataset, log_probabilities: Vec<f64>, energy: &EnergyModel) -> Self {
        assert!(data.rows() > 0, "weights need rows");
        assert_eq!(
            data.rows(),
            log_probabilities.len(),
            "one probability for every row"
        );
        assert_eq!(
            data.schema.cardinalities(),
            energy.cardinalities(),
            "variables"
        );
        let of_row = |row: &[u16]| {
            let labels: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
            energy.energy(&labels)
        };
        let energies = data.labels().par_chunks(data.sites()).map(of_row).collect();
        Self {
            data,
            log_probabilities,
            energies,
        }
    }

    /// The rows.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Takes the rows as drawn from `P_λ`: `log q = −λ E` up to a constant, which no share and no resampling sees.
    pub(super) fn drawn_at(&mut self, inverse_temperature: f64) {
        let log_q = |energy: &f64| match *energy {
            f64::INFINITY => 0.0,
            energy => -inverse_temperature * energy,
        };
        self.log_probabilities = self.energies.iter().map(log_q).collect();
    }

    /// Energies of the rows, nats.
    pub fn energies(&self) -> &[f64] {
        &self.energies
    }

    /// `log w = −λ E − log q` of every row; minus infinity for what is impossible, even at `λ = 0`.
    pub fn log_weights(&self, inverse_temperature: f64) -> Vec<f64> {
        let weight = |(energy, log_q): (&f64, &f64)| match *energy {
            f64::INFINITY => f64::NEG_INFINITY,
            energy => -inverse_temperature * energy - log_q,
        };
        let pairs = self.energies.iter().zip(&self.log_probabilities);
        pairs.map(weight).collect()
    }

    /// Weights relative to the largest one, and its logarithm.
    fn relative_weights(&self, inverse_temperature: f64) -> (Vec<f64>, f64) {
        let logs = self.log_weights(inverse_temperature);
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return (vec![0.0; logs.len()], largest);
        }
        let weights = logs.iter().map(|log| (log - largest).exp());
        (weights.collect(), largest)
    }

    /// Kish's effective sample size at an inverse temperature, as a share of the rows; 0 if all are impossible.
    pub fn effective_share(&self, inverse_temperature: f64) -> f64 {
        let (weights, _) = self.relative_weights(inverse_temperature);
        let sum: f64 = weights.iter().sum();
        let squares: f64 = weights.iter().map(|w| w * w).sum();
        match squares > 0.0 {
            true => sum * sum / squares / weights.len() as f64,
            false => 0.0,
        }
    }

    /// The largest inverse temperature of an interval that leaves an effective share, found by bisection; its start if
    /// none does.
    pub fn next_inverse_temperature(&self, from: f64, to: f64, share: f64) -> f64 {
        let enough = |at: f64| self.effective_share(at) >= share;
        if enough(to) {
            return to;
        }
        if !enough(from) {
            return from;
        }
        let (mut low, mut high) = (from, to);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            match enough(middle) {
                true => low = middle,
                false => high = middle,
            }
        }
        low
    }

    /// What the weights at an inverse temperature say of `P ∝ exp(−λ E)`; energies are those of `λ = 1`.
    pub fn estimate(&self, inverse_temperature: f64) -> ImportanceEstimate {
        let count = self.data.rows() as f64;
        let samples = self.data.rows() as u64;
        let (weights, largest) = self.relative_weights(inverse_temperature);
        let sum: f64 = weights.iter().sum();
        let mean = sum / count;
        let share: Vec<f64> = weights.iter().map(|w| w / sum).collect();
        let variance = weights
            .iter()
            .map(|w| (w / mean - 1.0).powi(2))
            .sum::<f64>()
            / (count - 1.0).max(1.0);
        let log_z = Estimate {
            value: largest + mean.ln(),
            std_error: (variance / count).sqrt(),
            samples,
        };
        let bound = mean_of(&self.log_weights(inverse_temperature));
        let possible = || {
            let pairs = share.iter().zip(&self.energies);
            pairs.filter(|(share, _)| **share > 0.0)
        };
        let value: f64 = possible().map(|(share, energy)| share * energy).sum();
        let squares = possible().map(|(share, energy)| (share * (energy - value)).powi(2));
        let energy = Estimate {
            value,
            std_error: squares.sum::<f64>().sqrt(),
            samples,
        };
        let mut marginals: Vec<Vec<f64>> = self
            .data
            .schema
            .cardinalities()
            .into_iter()
            .map(|states| vec![0.0; states])
            .collect();
        for (row, share) in self.data.iter().zip(&share) {
            for (marginal, label) in marginals.iter_mut().zip(row) {
                marginal[usize::from(*label)] += share;
            }
        }
        ImportanceEstimate {
            log_z,
            bound,
            effective_share: self.effective_share(inverse_temperature),
            energy,
            entropy: inverse_temperature * value + log_z.value,
            marginals,
        }
    }

    /// `count` rows in proportion to their weights, by systematic resampling: a row with share `s` comes `⌊count s⌋` or
    /// `⌈count s⌉` times. Their labels, flat.
    ///
    /// # Errors
    /// [`NeuralError::NoPossibleRow`] if all rows are impossible.
    ///
    /// Source: Carpenter, Clifford & Fearnhead 1999.
    pub fn resample(&self, inverse_temperature: f64, count: usize, seed: u64) -> Result<Vec<u16>> {
        let (weights, largest) = self.relative_weights(inverse_temperature);
        if largest == f64::NEG_INFINITY {
            let rows = self.data.rows();
            return Err(NeuralError::NoPossibleRow { rows });
        }
        let total: f64 = weights.iter().sum();
        let offset: f64 = generator(seed, Purpose::Importance, 0).random();
        let mut labels = Vec::with_capacity(count * self.data.sites());
        let (mut reached, mut taken) = (0.0, 0);
        for (row, weight) in self.data.iter().zip(&weights) {
            reached += weight / total * count as f64;
            while taken < count && (taken as f64) + offset < reached {
                labels.extend_from_slice(row);
                taken += 1;
            }
        }
        // Rounding may leave the last one out.
        let last = weights.iter().rposition(|weight| *weight > 0.0);
        for _ in taken..count {
            labels.extend_from_slice(self.data.row(last.unwrap_or(0)));
        }
        Ok(labels)
    }
}

fn mean_of(values: &[f64]) -> Estimate {
    let count = values.len() as f64;
    let value = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - value).powi(2)).sum();
    Estimate {
        value,
        std_error: (squares / (count - 1.0).max(1.0) / count).sqrt(),
        samples: values.len() as u64,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::energy::GridModel;
    use crate::energy::exact::ExactPlan;
    use crate::randomized::schema_of;

    /// Uniform rows of a small grid.
    fn uniform(count: usize) -> (EnergyModel, WeightedRows) {
        let grid = GridModel::parse("ising:2x3,coupling=0.5,field=0.3").unwrap();
        let grid = grid.unwrap();
        let model = grid.build();
        let mut rng = generator(3, Purpose::Importance, 9);
        let labels = (0..6 * count).map(|_| rng.random_range(0..2_u16));
        let data = Dataset::new(schema_of(&model, Some(&grid)).unwrap(), labels.collect()).unwrap();
        let rows = WeightedRows::new(data, vec![-6.0 * 2_f64.ln(); count], &model);
        (model, rows)
    }

    #[test]
    fn weights_of_uniform_rows_give_the_exact_values() {
        let (model, rows) = uniform(40_000);
        let exact = ExactPlan::new(&model)
            .unwrap()
            .infer(&mut crate::progress::Silent)
            .unwrap();
        let found = rows.estimate(1.0);
        let near = |found: Estimate, exact: f64| {
            let error = (found.value - exact) / found.std_error;
            assert!(error.abs() < 4.0, "{found:?}, exact {exact}");
        };
        near(found.log_z, exact.log_z.unwrap());
        near(found.energy, exact.energy.unwrap());
        assert!(found.bound.value < found.log_z.value);
        assert!((found.entropy - exact.entropy.unwrap()).abs() < 0.05);
        for (found, exact) in found.marginals.iter().zip(&exact.marginals) {
            assert!((found[1] - exact[1]).abs() < 0.02);
        }
        // At λ = 0 the proposal is the target.
        let flat = rows.estimate(0.0);
        assert!((flat.effective_share - 1.0).abs() < 1e-12);
        assert!((flat.log_z.value - 6.0 * 2_f64.ln()).abs() < 1e-12);
        assert!((flat.bound.value - flat.log_z.value).abs() < 1e-12);
    }

    #[test]
    fn the_next_inverse_temperature_leaves_the_wanted_share() {
        let (_, rows) = uniform(2000);
        let next = rows.next_inverse_temperature(0.0, 5.0, 0.5);
        assert!((rows.effective_share(next) - 0.5).abs() < 1e-6, "{next}");
        assert_eq!(rows.next_inverse_temperature(0.0, 0.01, 0.5), 0.01);
        assert_eq!(rows.next_inverse_temperature(5.0, 6.0, 0.9), 5.0);
    }

    #[test]
    fn resampled_rows_have_the_weighted_mean_energy() {
        let (model, rows) = uniform(5000);
        let labels = rows.resample(1.0, 20_000, 7).unwrap();
        assert_eq!(labels.len(), 6 * 20_000);
        let data = Dataset::new(rows.data().schema.clone(), labels).unwrap();
        let again = WeightedRows::new(data, vec![0.0; 20_000], &model);
        let mean = again.energies().iter().sum::<f64>() / 20_000.0;
        // Systematic resampling adds next to no variance.
        assert!((mean - rows.estimate(1.0).energy.value).abs() < 2e-3);
    }
}
