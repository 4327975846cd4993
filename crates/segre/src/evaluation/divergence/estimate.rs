//! How far a sampler is from a known distribution, estimated from its samples.

use crate::data::{DataError, Dataset, KnownDistribution};
use crate::evaluation::error::Result;
use serde::{Deserialize, Serialize};

/// Most configurations that are compared one by one.
const MAX_JOINT_SUPPORT: f64 = 4_194_304.0;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Whole rows.
    Joint,
    /// Each site's marginal, averaged over the sites: for targets with independent sites. It says
    /// nothing of dependence between the model's sites.
    SiteAverage,
}

/// The divergence of a sampler from a known target; all in nats, total variation in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// What is compared.
    pub comparison: Comparison,
    /// Plug-in `KL(model ‖ target) = Σ p̂ (ln p̂ − ln p)` with the samples' frequencies `p̂`;
    /// infinite if a configuration was sampled whose mass is exactly 0.
    pub kl: f64,
    /// What the plug-in estimate gives on average for a perfect sampler: it tends to
    /// `(support − 1) / (2 · samples)` when every configuration is expected many times, and counts
    /// the rarer ones with what they really add.
    pub kl_floor: f64,
    /// What it tends to for a uniform sampler, `KL(uniform ‖ target)`; exact.
    pub kl_uniform: f64,
    /// Total variation `½ Σ |p̂ − p|`.
    pub total_variation: f64,
    /// Number of samples.
    pub samples: usize,
}

impl Divergence {
    /// Whether a target has few enough configurations for a comparison, or independent sites.
    pub fn is_possible(target: &dyn KnownDistribution) -> bool {
        target.site_probabilities().is_some() || target.support() <= MAX_JOINT_SUPPORT
    }

    /// Compares samples with a target.
    ///
    /// Targets with independent sites are compared site by site, others row by row.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if the samples are not of the target's schema, if there are none,
    /// or if the target has too many configurations to list.
    pub fn estimate(target: &dyn KnownDistribution, samples: &Dataset) -> Result<Self> {
        target.schema().same_as(&samples.schema)?;
        let refuse = |what: &str, expected: &str, found: String| {
            Err(DataError::SchemaMismatch {
                what: what.into(),
                expected: expected.into(),
                found,
            }
            .into())
        };
        if samples.rows() == 0 {
            return refuse("the number of samples", "at least 1", "0".into());
        }
        if let Some(sites) = target.site_probabilities() {
            return Ok(Self::site_average(sites, target.kl_of_uniform(), samples));
        }
        if !Self::is_possible(target) {
            let expected = format!("at most {MAX_JOINT_SUPPORT}");
            return refuse("the support", &expected, target.support().to_string());
        }
        Ok(Self::joint(target, samples))
    }

    fn joint(target: &dyn KnownDistribution, samples: &Dataset) -> Self {
        let cardinalities = samples.schema.cardinalities();
        let mut counts = vec![0_u64; cardinalities.iter().product()];
        for row in samples.iter() {
            let index = row.iter().zip(&cardinalities);
            counts[index.fold(0, |index, (&label, count)| {
                index * count + usize::from(label)
            })] += 1;
        }
        let mut row = vec![0_u16; cardinalities.len()];
        let mut log_pmf = Vec::with_capacity(counts.len());
        for index in 0..counts.len() {
            let mut rest = index;
            for (label, &count) in row.iter_mut().zip(&cardinalities).rev() {
                // Below the cardinality, which a label can hold.
                *label = (rest % count) as u16;
                rest /= count;
            }
            log_pmf.push(target.log_pmf(&row));
        }
        let sums = compare(&counts, &log_pmf, samples.rows());
        Self {
            comparison: Comparison::Joint,
            kl: sums.kl,
            kl_floor: sums.floor,
            kl_uniform: target.kl_of_uniform(),
            total_variation: sums.total_variation,
            samples: samples.rows(),
        }
    }

    fn site_average(sites: &[Vec<f64>], kl_of_uniform: f64, samples: &Dataset) -> Self {
        let number = sites.len() as f64;
        let mut counts: Vec<Vec<u64>> = sites.iter().map(|p| vec![0; p.len()]).collect();
        for row in samples.iter() {
            for (count, &label) in counts.iter_mut().zip(row) {
                count[usize::from(label)] += 1;
            }
        }
        let mut mean = Sums::default();
        for (count, p) in counts.iter().zip(sites) {
            let log_pmf: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            let sums = compare(count, &log_pmf, samples.rows());
            mean.kl += sums.kl / number;
            mean.floor += sums.floor / number;
            mean.total_variation += sums.total_variation / number;
        }
        Self {
            comparison: Comparison::SiteAverage,
            kl: mean.kl,
            kl_floor: mean.floor,
            kl_uniform: kl_of_uniform / number,
            total_variation: mean.total_variation,
            samples: samples.rows(),
        }
    }
}

#[derive(Default)]
struct Sums {
    kl: f64,
    floor: f64,
    total_variation: f64,
}

/// The sums over all configurations. Logarithms are compared, so that a mass too small for a
/// floating-point number still counts with its true weight.
fn compare(counts: &[u64], log_pmf: &[f64], samples: usize) -> Sums {
    let samples = samples as f64;
    let mut sums = Sums::default();
    for (&count, &log_p) in counts.iter().zip(log_pmf) {
        let (frequency, p) = (count as f64 / samples, log_p.exp());
        if count > 0 {
            sums.kl += frequency * (frequency.ln() - log_p);
        }
        sums.total_variation += 0.5 * (frequency - p).abs();
        sums.floor += (1.0 - p) * excess(p * samples) / samples;
    }
    sums
}

/// Above this mean the first two terms of the expansion give [`excess`] to 1e-4.
const MANY: f64 = 30.0;

/// `E[k ln(k / mean)]` of a Poisson count `k`: one configuration's part of a perfect sampler's
/// plug-in divergence, times the samples. It is `½ + 1/(12 mean) + …`, and `−mean ln mean` near 0.
fn excess(mean: f64) -> f64 {
    if mean > MANY {
        return 0.5 + 1.0 / (12.0 * mean);
    }
    // Eight deviations and more above the mean nothing is left.
    let last = (mean + 8.0 * mean.sqrt()) as u32 + 20;
    let (mut probability, mut sum) = ((-mean).exp(), 0.0);
    for count in 1..=last {
        let count = f64::from(count);
        probability *= mean / count;
        // A mean of 0, or nearly, leaves no probability to weigh an infinite logarithm.
        if probability > 0.0 {
            sum += probability * count * (count / mean).ln();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excess_of_rare_and_frequent_counts() {
        assert_eq!(excess(0.0), 0.0);
        let rare: f64 = 1e-9;
        assert!((excess(rare) / (-rare * rare.ln()) - 1.0).abs() < 1e-6);
        // The sum for a mean of 1: e⁻¹ Σ ln k / (k − 1)!.
        assert!(
            (excess(1.0) - 0.573_402_809_1).abs() < 1e-9,
            "{}",
            excess(1.0)
        );
        assert!(
            (excess(MANY) - 0.5 - 1.0 / (12.0 * MANY)).abs() < 1e-4,
            "{}",
            excess(MANY)
        );
    }

    #[test]
    fn impossible_samples_give_an_infinite_divergence_and_no_nan() {
        let sums = compare(&[1, 1], &[0.0, f64::NEG_INFINITY], 2);
        assert_eq!(sums.kl, f64::INFINITY);
        assert!((sums.total_variation - 0.5).abs() < 1e-15);
        let sums = compare(&[2, 0], &[0.0, f64::NEG_INFINITY], 2);
        assert_eq!((sums.kl, sums.floor, sums.total_variation), (0.0, 0.0, 0.0));
    }
}
