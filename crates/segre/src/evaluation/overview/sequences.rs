//! Sequences and texts: what stands where, and which places depend on each other, real beside sampled.

use serde::{Deserialize, Serialize};

use crate::data::Dataset;
use crate::evaluation::contacts::{couplings, shares};

/// Places up to which dependences are shown: a matrix of all pairs.
const MOST_PLACES: usize = 256;
/// Samples that are shown as they are.
const SHOWN: usize = 20;
/// Categories up to which places are shown by their shares.
const MOST_LETTERS: usize = 64;

/// What sequences and texts show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequencesView {
    /// Samples.
    pub samples: Vec<String>,
    /// What the categories are, where all places have the same.
    pub letters: Vec<String>,
    /// Shares of the letters at every place of training rows, `[places, letters]`.
    pub real: Vec<Vec<f64>>,
    /// The same of samples.
    pub sampled: Vec<Vec<f64>>,
    /// Mutual information of every pair of places of training rows less what chance and the places' own variability bring
    /// (average product correction), nats, `[places, places]`; empty for many places.
    ///
    /// Source: Dunn, Wahl & Gloor 2008, Bioinformatics 24, eq. 3.
    pub real_pairs: Vec<f64>,
    /// The same of samples.
    pub sampled_pairs: Vec<f64>,
    /// Pearson's correlation of both; none where one of them does not vary.
    pub agreement: Option<f64>,
}

pub(super) fn view(train: &Dataset, samples: &Dataset) -> SequencesView {
    let schema = &train.schema;
    let places = schema.sites();
    let count = schema.max_categories();
    let shared = schema.vocabularies.len() == 1 && count <= MOST_LETTERS;
    let shown: Vec<usize> = (0..samples.rows().min(SHOWN)).collect();
    let texts = samples.select(&shown).texts();
    let letters = |place: u16| schema.category_name(0, place).into_owned();
    let shares_of = |data: &Dataset| match shared {
        true => shares(data, count),
        false => Vec::new(),
    };
    let pairs_of = |data: &Dataset| match shared && places <= MOST_PLACES {
        true => couplings(data),
        false => Vec::new(),
    };
    // Chance brings few rows more information than many: as many of both.
    let real_pairs = pairs_of(&train.spread(samples.rows()));
    let sampled_pairs = pairs_of(samples);
    SequencesView {
        samples: texts.into_iter().map(|fields| fields.concat()).collect(),
        letters: match shared {
            true => (0..count as u16).map(letters).collect(),
            false => Vec::new(),
        },
        real: shares_of(train),
        sampled: shares_of(samples),
        agreement: correlation(&real_pairs, &sampled_pairs),
        real_pairs,
        sampled_pairs,
    }
}

/// Pearson's correlation; none of what does not vary.
fn correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let products = x.iter().zip(y).fold([0.0; 3], |[xx, yy, xy], (x, y)| {
        let (x, y) = (x - mean_x, y - mean_y);
        [xx + x * x, yy + y * y, xy + x * y]
    });
    let [xx, yy, xy] = products;
    Some(xy / (xx * yy).sqrt()).filter(|value| value.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Layout, Schema, Vocabulary};

    #[test]
    fn samples_and_places_are_seen() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let schema = Schema::shared(Layout::Sequence, names, Vocabulary::Integers { count: 2 });
        let rows = [[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]];
        let data = Dataset::new(schema, rows.concat()).unwrap();
        let seen = view(&data, &data);
        assert_eq!(seen.samples[1], "001");
        assert_eq!(seen.real[2], [0.5, 0.5]);
        let agreement = seen.agreement.unwrap();
        assert!((agreement - 1.0).abs() < 1e-12, "{agreement}");
    }

    #[test]
    fn correlations_are_those_of_a_line_and_none_of_a_constant() {
        let found = |y: [f64; 3]| correlation(&[1.0, 2.0, 3.0], &y);
        assert!((found([1.0, 0.5, 0.0]).unwrap() + 1.0).abs() < 1e-12);
        assert!((found([1.0, 2.0, 1.0]).unwrap()).abs() < 1e-12);
        assert_eq!(found([2.0; 3]), None);
        assert_eq!(correlation(&[], &[]), None);
    }
}
