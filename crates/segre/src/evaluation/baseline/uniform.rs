//! The uniform distribution over all configurations.

use super::Baseline;
use crate::data::Schema;

/// `P(row) = Π_i 1 / c_i`.
#[derive(Debug, Clone, PartialEq)]
pub struct Uniform {
    cardinalities: Vec<usize>,
    log_prob: f64,
}

impl Uniform {
    /// The uniform distribution over the configurations of a schema.
    pub fn new(schema: &Schema) -> Self {
        let cardinalities = schema.cardinalities();
        let log_prob = -cardinalities
            .iter()
            .map(|&count| (count as f64).ln())
            .sum::<f64>();
        Self {
            cardinalities,
            log_prob,
        }
    }
}

impl Baseline for Uniform {
    fn meaning(&self) -> &'static str {
        "every value alike"
    }

    fn log_prob(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.cardinalities.len(), "one label per site");
        let legal = row.iter().zip(&self.cardinalities);
        assert!(
            legal
                .into_iter()
                .all(|(&label, &count)| usize::from(label) < count)
        );
        self.log_prob
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Layout, Site, Vocabulary};

    #[test]
    fn bits_are_the_mean_log_of_the_cardinalities() {
        let site = |vocabulary| Site {
            name: format!("s{vocabulary}"),
            vocabulary,
        };
        let vocabularies = [2, 32, 1]
            .map(|count| Vocabulary::Integers { count })
            .to_vec();
        let sites = (0..3).map(site).collect();
        let schema = Schema::new(Layout::Table, sites, vocabularies);
        let data = Dataset::new(schema, vec![0, 0, 0, 1, 31, 0]).unwrap();
        let bits = Uniform::new(&data.schema).bits_per_dim(&data);
        assert!((bits - 2.0).abs() < 1e-12);
        assert!((bits - data.schema.uniform_bits_per_dim()).abs() < 1e-12);
    }
}
