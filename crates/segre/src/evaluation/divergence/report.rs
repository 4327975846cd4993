//! The divergence of a model's samples from the distribution that its data are drawn from.

use std::collections::HashMap;

use serde::Serialize;

use super::{Comparison, Divergence};
use crate::data::{Dataset, KnownDistribution};
use crate::evaluation::error::Result;
use crate::flow::sampling::{Samples, SamplingOptions};

/// The divergence of a sampler from a known target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DivergenceReport {
    /// `KL(model ‖ target)` in nats; for independent sites the mean over sites.
    pub kl: f64,
    /// Standard error of `kl` by the spread of the samples.
    pub kl_std_error: f64,
    /// What a perfect sampler has with as many samples, nats.
    pub kl_floor: f64,
    /// What a uniform sampler has, nats.
    pub kl_uniform: f64,
    /// Total variation, between 0 and 1.
    pub total_variation: f64,
    /// Number of samples.
    pub samples: u64,
    /// Evaluations of the network per sample.
    pub function_evaluations: usize,
}

/// Least batch of [`many_samples`].
const BATCH: usize = 4096;

/// Options to draw as many samples as a divergence needs, of the small states that can be compared: larger batches use the
/// processor better.
#[must_use]
pub fn many_samples(options: SamplingOptions) -> SamplingOptions {
    SamplingOptions {
        batch: options.batch.max(BATCH),
        ..options
    }
}

/// Compares samples with a target; many are needed, since the plug-in estimate is never below its floor.
///
/// # Errors
/// As [`Divergence::estimate`].
pub fn run(target: &dyn KnownDistribution, samples: &Samples) -> Result<DivergenceReport> {
    let found = Divergence::estimate(target, &samples.data)?;
    Ok(DivergenceReport {
        kl: found.kl,
        kl_std_error: kl_std_error(target, &samples.data, found.comparison),
        kl_floor: found.kl_floor,
        kl_uniform: found.kl_uniform,
        total_variation: found.total_variation,
        samples: found.samples as u64,
        function_evaluations: samples.function_evaluations,
    })
}

/// Standard error of the plug-in `KL = (1/n) Σ_k ln(p̂(x_k) / p(x_k))` over the samples `x_k`: to first
/// order in `p̂ − p` that of a mean (delta method); for a perfect sampler, where `2 n KL` is χ², it is `√2`
/// too large.
fn kl_std_error(target: &dyn KnownDistribution, samples: &Dataset, comparison: Comparison) -> f64 {
    let rows = samples.rows() as f64;
    let log_ratios = match (comparison, target.site_probabilities()) {
        (Comparison::SiteAverage, Some(sites)) => by_site(sites, samples),
        _ => by_row(target, samples),
    };
    let mean = log_ratios.iter().sum::<f64>() / rows;
    let squares: f64 = log_ratios.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / (rows - 1.0).max(1.0) / rows).sqrt()
}

/// `ln(p̂/p)` of every row.
fn by_row(target: &dyn KnownDistribution, samples: &Dataset) -> Vec<f64> {
    let mut counts: HashMap<&[u16], f64> = HashMap::new();
    for row in samples.iter() {
        *counts.entry(row).or_default() += 1.0;
    }
    let rows = samples.rows() as f64;
    let ratios: HashMap<&[u16], f64> = counts
        .iter()
        .map(|(row, count)| (*row, (count / rows).ln() - target.log_pmf(row)))
        .collect();
    samples.iter().map(|row| ratios[row]).collect()
}

/// The mean over sites of `ln(p̂/p)` for every row.
fn by_site(sites: &[Vec<f64>], samples: &Dataset) -> Vec<f64> {
    let rows = samples.rows() as f64;
    let mut counts: Vec<Vec<f64>> = sites.iter().map(|p| vec![0.0; p.len()]).collect();
    for row in samples.iter() {
        for (count, label) in counts.iter_mut().zip(row) {
            count[usize::from(*label)] += 1.0;
        }
    }
    let each = samples.iter().map(|row| {
        let site = |(site, label): (usize, &u16)| {
            let label = usize::from(*label);
            (counts[site][label] / rows / sites[site][label]).ln()
        };
        row.iter().enumerate().map(site).sum::<f64>() / sites.len() as f64
    });
    each.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{self, DataSource, ReadOptions};

    /// The error says how far estimates from independent samples scatter, for a sampler that is wrong
    /// (rows of another distribution) and one that is perfect.
    #[test]
    fn the_standard_error_is_the_scatter_of_repeated_estimates() {
        let source = DataSource::parse("coupled-binary").unwrap();
        let target = source.known_distribution().unwrap();
        let draw = |seed| {
            let options = ReadOptions {
                builtin_rows: Some(4000),
                builtin_seed: seed,
                ..ReadOptions::default()
            };
            data::read(&source, &options).unwrap()
        };
        for wrong in [false, true] {
            let (mut values, mut errors) = (Vec::new(), Vec::new());
            for seed in 0..60 {
                let (drawn, dice) = (draw(seed), draw(1000 + seed));
                let mut labels = drawn.labels().to_vec();
                for (row, dice) in labels.chunks_mut(2).zip(dice.iter()) {
                    // One row of ten has its second bit set.
                    if wrong && dice[0] != dice[1] {
                        row[1] = 1;
                    }
                }
                let data = Dataset::new(drawn.schema.clone(), labels).unwrap();
                let found = Divergence::estimate(target.as_ref(), &data).unwrap();
                values.push(found.kl);
                errors.push(kl_std_error(target.as_ref(), &data, found.comparison));
            }
            let mean = values.iter().sum::<f64>() / 60.0;
            let scatter = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 59.0).sqrt();
            let error = errors.iter().sum::<f64>() / 60.0;
            let ratio = error / scatter;
            // Sixty values give their scatter to a tenth.
            let expected = if wrong { 1.0 } else { 2_f64.sqrt() };
            assert!(
                (ratio / expected - 1.0).abs() < 0.35,
                "wrong {wrong}: {ratio}"
            );
        }
    }
}
