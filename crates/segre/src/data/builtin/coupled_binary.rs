//! Two bits that are mostly equal.
//!
//! Source: arXiv 2402.07846, Fig. 1.

use super::KnownDistribution;
use crate::data::schema::{Layout, Schema, Vocabulary};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Probabilities of (0,0), (0,1), (1,0), (1,1).
const PROBABILITIES: [f64; 4] = [0.45, 0.05, 0.05, 0.45];

/// The distribution.
#[derive(Debug)]
pub(super) struct CoupledBinary {
    schema: Schema,
}

impl CoupledBinary {
    pub(super) fn new() -> Self {
        let names = vec!["x".into(), "y".into()];
        let vocabulary = Vocabulary::Integers { count: 2 };
        Self {
            schema: Schema::shared(Layout::Table, names, vocabulary),
        }
    }
}

impl KnownDistribution for CoupledBinary {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let mut labels = Vec::with_capacity(2 * rows);
        for _ in 0..rows {
            let first = u16::from(rng.random_bool(0.5));
            let equal = rng.random_bool(2.0 * PROBABILITIES[0]);
            labels.extend([first, if equal { first } else { 1 - first }]);
        }
        labels
    }

    fn log_pmf(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), 2, "a row of two bits");
        PROBABILITIES[usize::from(2 * row[0] + row[1])].ln()
    }

    fn entropy(&self) -> f64 {
        -PROBABILITIES.iter().map(|p| p * p.ln()).sum::<f64>()
    }

    fn kl_of_uniform(&self) -> f64 {
        -4_f64.ln() - PROBABILITIES.iter().map(|p| p.ln()).sum::<f64>() / 4.0
    }
}
