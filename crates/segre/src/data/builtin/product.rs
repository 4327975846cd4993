//! Independent sites with random probabilities `softmax(U[0,1]^c)`: the class-scaling target.
//!
//! Source: Generative Assignment Flows, arXiv 2406.04527, section 4.1.

use super::KnownDistribution;
use crate::data::schema::{Layout, Schema, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The stream of the generator that makes targets; draws use stream 0, so that a target and its
/// draws with one seed stay unrelated.
const TARGET_STREAM: u64 = 1;

/// The distribution.
#[derive(Debug)]
pub(super) struct Product {
    schema: Schema,
    /// `[sites][categories]`.
    probabilities: Vec<Vec<f64>>,
    /// Upper ends of the categories' intervals in `[0, 1]`, `[sites][categories]`.
    cumulative: Vec<Vec<f64>>,
}

impl Product {
    pub(super) fn new(categories: usize, sites: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(TARGET_STREAM);
        let mut site = || -> Vec<f64> {
            let weights: Vec<f64> = (0..categories).map(|_| rng.random::<f64>().exp()).collect();
            let total: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / total).collect()
        };
        let probabilities: Vec<Vec<f64>> = (0..sites).map(|_| site()).collect();
        let add = |sum: &mut f64, p: &f64| {
            *sum += p;
            Some(*sum)
        };
        let cumulative = probabilities
            .iter()
            .map(|site| site.iter().scan(0.0, add).collect())
            .collect();
        let names = (1..=sites).map(|site| format!("x{site}")).collect();
        let vocabulary = Vocabulary::Integers { count: categories };
        let schema = Schema::shared(Layout::Table, names, vocabulary);
        Self {
            schema,
            probabilities,
            cumulative,
        }
    }
}

impl KnownDistribution for Product {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let last = self.schema.max_categories() - 1;
        let mut labels = Vec::with_capacity(rows * self.cumulative.len());
        for _ in 0..rows {
            for site in &self.cumulative {
                let position: f64 = rng.random();
                // Rounding may leave the last end a little below 1.
                let label = site.partition_point(|&end| end <= position).min(last);
                labels.push(label as u16);
            }
        }
        labels
    }

    fn log_pmf(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.probabilities.len(), "one label per site");
        let site = |(p, &label): (&Vec<f64>, &u16)| p[usize::from(label)].ln();
        self.probabilities.iter().zip(row).map(site).sum()
    }

    fn entropy(&self) -> f64 {
        -self
            .probabilities
            .iter()
            .flatten()
            .map(|p| p * p.ln())
            .sum::<f64>()
    }

    fn kl_of_uniform(&self) -> f64 {
        let site = |p: &Vec<f64>| {
            let count = p.len() as f64;
            -count.ln() - p.iter().map(|p| p.ln()).sum::<f64>() / count
        };
        self.probabilities.iter().map(site).sum()
    }

    fn site_probabilities(&self) -> Option<&[Vec<f64>]> {
        Some(&self.probabilities)
    }
}
