//! Independent sites: a product of smoothed frequencies.

use super::{Baseline, require_parts, total_log_prob};
use crate::data::Dataset;
use crate::evaluation::error::Result;

/// Additive smoothings that are tried.
pub(super) const SMOOTHINGS: [f64; 10] = [0.01, 0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

/// `P(row) = Π_i (n_i(row_i) + a) / (rows + a c_i)` with the training counts `n_i`.
#[derive(Debug, Clone, PartialEq)]
pub struct Independent {
    /// `ln p`, `[sites][categories]`.
    log_probs: Vec<Vec<f64>>,
    smoothing: f64,
}

impl Independent {
    /// Counts the training rows; of the smoothings 0.01 to 30 takes the validation rows' best.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) if the parts differ in schema or are
    /// empty.
    pub fn fit(train: &Dataset, validation: &Dataset) -> Result<Self> {
        require_parts(train, validation)?;
        let counts = site_counts(train);
        let score = |model: &Self| total_log_prob(model, validation);
        let mut best = Self::smoothed(&counts, SMOOTHINGS[0]);
        for smoothing in &SMOOTHINGS[1..] {
            let candidate = Self::smoothed(&counts, *smoothing);
            if score(&candidate) > score(&best) {
                best = candidate;
            }
        }
        Ok(best)
    }

    /// The additive smoothing `a` that was chosen.
    pub fn smoothing(&self) -> f64 {
        self.smoothing
    }

    /// `ln p` of every category of a site.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn log_probs(&self, site: usize) -> &[f64] {
        &self.log_probs[site]
    }

    fn smoothed(counts: &[Vec<u32>], smoothing: f64) -> Self {
        let site = |counts: &Vec<u32>| {
            let rows: f64 = counts.iter().map(|&count| f64::from(count)).sum();
            let total = rows + smoothing * counts.len() as f64;
            counts
                .iter()
                .map(|&count| ((f64::from(count) + smoothing) / total).ln())
                .collect()
        };
        Self {
            log_probs: counts.iter().map(site).collect(),
            smoothing,
        }
    }
}

impl Baseline for Independent {
    fn meaning(&self) -> &'static str {
        "every site by itself"
    }

    fn log_prob(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.log_probs.len(), "one label per site");
        self.log_probs
            .iter()
            .zip(row)
            .map(|(site, &label)| site[usize::from(label)])
            .sum()
    }
}

/// How often each category occurs, `[sites][categories]`.
fn site_counts(data: &Dataset) -> Vec<Vec<u32>> {
    let cardinalities = data.schema.cardinalities();
    let mut counts: Vec<Vec<u32>> = cardinalities.iter().map(|&count| vec![0; count]).collect();
    for row in data.iter() {
        for (count, &label) in counts.iter_mut().zip(row) {
            count[usize::from(label)] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, ReadOptions, read};

    #[test]
    fn on_independent_sites_it_reaches_the_entropy() {
        let source = DataSource::parse("product:c=12,n=3,seed=5,rows=40000").unwrap();
        let data = read(&source, &ReadOptions::default()).unwrap();
        let DataSource::BuiltIn(built_in) = source else {
            panic!("a built-in was asked for")
        };
        let entropy = built_in.known_distribution().unwrap().entropy();
        let part = |from: usize, to: usize| data.select(&(from..to).collect::<Vec<_>>());
        let model = Independent::fit(&part(0, 30_000), &part(30_000, 35_000)).unwrap();
        let bits = model.bits_per_dim(&part(35_000, 40_000));
        // The mean of 5000 rows has a standard error of 0.002 bits.
        assert!(
            (bits - entropy / (3.0 * std::f64::consts::LN_2)).abs() < 0.008,
            "{bits}"
        );
        for site in 0..3 {
            let sum: f64 = model.log_probs(site).iter().map(|log| log.exp()).sum();
            assert!((sum - 1.0).abs() < 1e-12);
        }
    }
}
