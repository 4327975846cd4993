//! The entropy of a discrete distribution from the counts of independent samples.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

/// Entropy of samples, in nats, by several estimators.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntropyEstimate {
    /// `−Σ p̂ ln p̂` of the frequencies; too small by about `(support − 1) / 2m`.
    pub plug_in: f64,
    /// With that correction for the support that was seen. Source: Miller 1955; RAF (20).
    pub miller_madow: f64,
    /// With an estimate of what the samples have missed: nearly without bias even where much of the support is
    /// unseen. Source: Chao, Wang & Jost 2013, equation (7).
    pub chao_wang_jost: f64,
    /// Standard error, from the spread of `ln p̂`.
    pub std_error: f64,
    /// Different configurations seen.
    pub support: usize,
    /// Samples.
    pub samples: usize,
}

impl EntropyEstimate {
    /// Of samples; equal ones are counted.
    ///
    /// # Panics
    /// Without samples.
    pub fn of<T: Hash + Eq>(samples: impl Iterator<Item = T>) -> Self {
        let mut counts: HashMap<T, u64> = HashMap::new();
        for sample in samples {
            *counts.entry(sample).or_default() += 1;
        }
        let mut counts: Vec<u64> = counts.into_values().collect();
        // Sums in one order, whatever that of the table.
        counts.sort_unstable();
        Self::of_counts(&counts)
    }

    /// Of the counts of the configurations that were seen.
    ///
    /// # Panics
    /// If there are none, or one is 0.
    pub fn of_counts(counts: &[u64]) -> Self {
        assert!(
            !counts.is_empty() && !counts.contains(&0),
            "counts of what was seen"
        );
        let samples: u64 = counts.iter().sum();
        let total = samples as f64;
        let (mut plug_in, mut square) = (0.0, 0.0);
        for count in counts {
            let p = *count as f64 / total;
            plug_in -= p * p.ln();
            square += p * p.ln().powi(2);
        }
        let support = counts.len();
        let variance = (square - plug_in.powi(2)).max(0.0);
        Self {
            plug_in,
            miller_madow: plug_in + (support as f64 - 1.0) / (2.0 * total),
            chao_wang_jost: chao_wang_jost(counts, samples),
            std_error: (variance / total).sqrt(),
            support,
            samples: samples as usize,
        }
    }
}

/// `Σ_i (X_i/m) Σ_{k=X_i}^{m−1} 1/k`, and a term for what is unseen, from the numbers of configurations seen once
/// and twice.
fn chao_wang_jost(counts: &[u64], samples: u64) -> f64 {
    let m = samples as f64;
    let mut first = 0.0;
    let mut harmonic = Harmonic::default();
    let whole = harmonic.up_to(samples - 1);
    let mut harmonic = Harmonic::default();
    for count in counts {
        first += *count as f64 / m * (whole - harmonic.up_to(count - 1));
    }
    let once = counts.iter().filter(|count| **count == 1).count() as f64;
    let twice = counts.iter().filter(|count| **count == 2).count() as f64;
    if once == 0.0 || samples < 2 {
        return first;
    }
    let a = match twice > 0.0 {
        true => 2.0 * twice / ((m - 1.0) * once + 2.0 * twice),
        false => 2.0 / ((m - 1.0) * (once - 1.0) + 2.0),
    };
    if a >= 1.0 {
        return first;
    }
    // (1−A)^{1−m} (−ln A − Σ_{r<m} (1−A)^r / r) = Σ_{r≥m} (1−A)^{r−m+1} / r: no cancellation this way.
    let (mut rest, mut power) = (0.0, 1.0 - a);
    for r in samples.. {
        let part = power / r as f64;
        rest += part;
        power *= 1.0 - a;
        if part < 1e-14 * rest || power / (a * r as f64) < 1e-12 * rest {
            break;
        }
    }
    first + once / m * rest
}

/// Harmonic numbers of a rising sequence.
#[derive(Default)]
struct Harmonic {
    at: u64,
    sum: f64,
}

impl Harmonic {
    fn up_to(&mut self, last: u64) -> f64 {
        if last < self.at {
            *self = Self::default();
        }
        while self.at < last {
            self.at += 1;
            self.sum += 1.0 / self.at as f64;
        }
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    /// A pmf over 200 states with a long tail.
    fn pmf() -> Vec<f64> {
        let weights: Vec<f64> = (1..=200).map(|k| 1.0 / f64::from(k)).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    #[test]
    fn corrections_remove_most_of_the_bias() {
        let pmf = pmf();
        let exact: f64 = pmf.iter().map(|p| -p * p.ln()).sum();
        let (repeats, count) = (200, 300);
        let mut bias = [0.0; 3];
        let (mut square, mut error) = (0.0, 0.0);
        for repeat in 0..repeats {
            let mut rng = generator(5, Purpose::Randomized, repeat);
            let draw = |_| {
                let mut rest: f64 = rng.random();
                pmf.iter()
                    .position(|p| {
                        rest -= p;
                        rest < 0.0
                    })
                    .unwrap_or(199)
            };
            let found = EntropyEstimate::of((0..count).map(draw));
            let all = [found.plug_in, found.miller_madow, found.chao_wang_jost];
            for (bias, value) in bias.iter_mut().zip(all) {
                *bias += (value - exact) / repeats as f64;
            }
            square += (found.chao_wang_jost - exact).powi(2) / repeats as f64;
            error += found.std_error / repeats as f64;
        }
        // The plug-in misses a third of a nat.
        assert!((-0.36..-0.29).contains(&bias[0]), "{bias:?}");
        assert!(bias[1].abs() < 0.6 * bias[0].abs(), "{bias:?}");
        assert!(bias[2].abs() < 0.035, "{bias:?}");
        assert!(
            (square.sqrt() / error - 1.0).abs() < 0.5,
            "{square} {error}"
        );
    }

    #[test]
    fn equal_counts_of_many_samples_are_uniform() {
        let found = EntropyEstimate::of_counts(&[10_000; 8]);
        assert!((found.plug_in - 8_f64.ln()).abs() < 1e-12);
        assert!((found.chao_wang_jost - found.miller_madow).abs() < 1e-6);
        assert_eq!((found.support, found.samples), (8, 80_000));
        assert_eq!(EntropyEstimate::of_counts(&[7]).chao_wang_jost, 0.0);
    }
}
