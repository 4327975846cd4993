//! How far samples are from an energy model.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::entropy::EntropyEstimate;
use crate::data::Dataset;
use crate::energy::EnergyModel;

/// Samples of some model beside an energy model: divergence, energy, entropy and marginals; in nats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// `KL(P : P*) = ⟨E⟩ − H(P) + log Z` with the Miller–Madow entropy, as published; infinite if a sample is
    /// impossible, none without `log Z`. It errs upwards where much of the support is unseen.
    pub kl: Option<f64>,
    /// Standard error of it, from the spread of `ln p̂(α) + E(α)` over the samples.
    pub kl_std_error: Option<f64>,
    /// The same with the entropy by Chao, Wang & Jost, which counts what was not seen.
    pub kl_unseen: Option<f64>,
    /// `⟨E⟩`.
    pub energy: f64,
    /// Standard error of it.
    pub energy_std_error: f64,
    /// The Miller–Madow entropy.
    pub entropy: f64,
    /// Different labelings, and other estimates of the entropy.
    pub entropy_estimates: EntropyEstimate,
    /// Mean over sites and labels of the absolute error of the marginals.
    pub marginal_error: f64,
    /// The largest of these errors.
    pub largest_marginal_error: f64,
    /// Samples.
    pub samples: usize,
}

impl Comparison {
    /// Of independent samples with the model's `log Z`, if it is known, and marginals.
    ///
    /// # Panics
    /// Without samples, or if they have other variables.
    pub fn of(
        samples: &Dataset,
        model: &EnergyModel,
        log_z: Option<f64>,
        marginals: &[Vec<f64>],
    ) -> Self {
        assert_eq!(
            samples.schema.cardinalities(),
            model.cardinalities(),
            "variables"
        );
        let mut counts: HashMap<&[u16], u64> = HashMap::new();
        for row in samples.iter() {
            *counts.entry(row).or_default() += 1;
        }
        let mut counts: Vec<(&[u16], u64)> = counts.into_iter().collect();
        counts.sort_unstable();
        let energies: Vec<f64> = counts
            .par_iter()
            .map(|(row, _)| {
                let labels: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
                model.energy(&labels)
            })
            .collect();
        let numbers: Vec<u64> = counts.iter().map(|(_, count)| *count).collect();
        let entropy = EntropyEstimate::of_counts(&numbers);
        let total = samples.rows() as f64;
        let moments = |value: &dyn Fn(usize) -> f64| {
            let (mut mean, mut square) = (0.0, 0.0);
            for (place, count) in numbers.iter().enumerate() {
                mean += *count as f64 / total * value(place);
            }
            for (place, count) in numbers.iter().enumerate() {
                square += *count as f64 / total * (value(place) - mean).powi(2);
            }
            (mean, (square / total).sqrt())
        };
        let (energy, energy_std_error) = moments(&|place| energies[place]);
        let log_ratio = |place: usize| (numbers[place] as f64 / total).ln() + energies[place];
        let (_, kl_std_error) = moments(&log_ratio);
        let (marginal_error, largest_marginal_error) = marginal_errors(samples, marginals);
        Self {
            kl: log_z.map(|log_z| energy - entropy.miller_madow + log_z),
            kl_std_error: log_z.map(|_| kl_std_error),
            kl_unseen: log_z.map(|log_z| energy - entropy.chao_wang_jost + log_z),
            energy,
            energy_std_error,
            entropy: entropy.miller_madow,
            entropy_estimates: entropy,
            marginal_error,
            largest_marginal_error,
            samples: samples.rows(),
        }
    }
}

/// Mean and largest absolute difference of the samples' frequencies.
fn marginal_errors(samples: &Dataset, marginals: &[Vec<f64>]) -> (f64, f64) {
    let mut counts: Vec<Vec<f64>> = marginals.iter().map(|m| vec![0.0; m.len()]).collect();
    for row in samples.iter() {
        for (count, label) in counts.iter_mut().zip(row) {
            count[usize::from(*label)] += 1.0;
        }
    }
    let total = samples.rows() as f64;
    let pairs = counts.iter().flatten().zip(marginals.iter().flatten());
    let errors: Vec<f64> = pairs.map(|(count, p)| (count / total - p).abs()).collect();
    let largest = errors.iter().copied().fold(0.0, f64::max);
    (
        errors.iter().sum::<f64>() / errors.len().max(1) as f64,
        largest,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{Factor, exact};
    use crate::random::{Purpose, generator};
    use crate::randomized::schema_of;
    use rand::RngExt;

    /// Samples of a known mixture of two products of three bits: the divergence is that of the sum.
    #[test]
    fn the_divergence_of_a_known_mixture_is_found_within_its_error() {
        let table = vec![0.0, -1.0, -1.0, 0.3];
        let model = EnergyModel::new(
            vec![2; 3],
            vec![
                Factor::new(vec![0, 1], vec![2, 2], table.clone()),
                Factor::new(vec![1, 2], vec![2, 2], table),
            ],
        );
        let target = exact::enumerate(&model).expect("possible");
        let products = [[0.9, 0.8, 0.7], [0.2, 0.1, 0.4]];
        let probability = |product: &[f64; 3], labels: &[usize]| -> f64 {
            let parts = product.iter().zip(labels);
            parts
                .map(|(p, label)| if *label == 1 { *p } else { 1.0 - p })
                .product()
        };
        let mut expected = target.log_z.expect("known");
        for index in 0..8_usize {
            let labels: Vec<usize> = (0..3).map(|site| index >> site & 1).collect();
            let p = 0.5 * (probability(&products[0], &labels) + probability(&products[1], &labels));
            expected += p * (p.ln() + model.energy(&labels));
        }
        let mut rng = generator(1, Purpose::Randomized, 0);
        let mut labels = Vec::new();
        for _ in 0..40_000 {
            let product = products[usize::from(rng.random::<bool>())];
            labels.extend(product.map(|p| u16::from(rng.random::<f64>() < p)));
        }
        let schema = schema_of(&model, None).expect("small");
        let data = Dataset::new(schema, labels).expect("legal");
        let found = Comparison::of(&data, &model, target.log_z, &target.marginals);
        let (kl, error) = (found.kl.expect("log Z"), found.kl_std_error.expect("log Z"));
        assert!(error > 0.001 && error < 0.01, "{error}");
        assert!(
            (kl - expected).abs() < 4.0 * error,
            "{kl} {expected} {error}"
        );
        let without = Comparison::of(&data, &model, None, &target.marginals);
        assert_eq!(without.kl, None);
    }
}
