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

impl SequencesView {
    /// What every place tells in training rows and in samples, of which there were so many: the relative entropy of its letters
    /// to those of all places of the training rows, bits.
    pub fn information(&self, [rows, samples]: [usize; 2]) -> [Vec<f64>; 2] {
        let all = composition(&self.real);
        [
            information(&self.real, &all, rows),
            information(&self.sampled, &all, samples),
        ]
    }
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

/// Shares of the letters in all places together.
fn composition(shares: &[Vec<f64>]) -> Vec<f64> {
    let mut all = vec![0.0; shares.first().map_or(0, Vec::len)];
    for own in shares {
        for (sum, share) in all.iter_mut().zip(own) {
            *sum += share / shares.len() as f64;
        }
    }
    all
}

/// What places tell in bits: the relative entropy of their letters, counted in so many rows, to those of `all`, less what
/// chance makes of it on average. Against the letters of all places rare ones raise no floor.
///
/// Sources: Stormo 2000, Bioinformatics 16, 16; the correction, Schneider et al. 1986, Journal of Molecular Biology 188, 415.
fn information(shares: &[Vec<f64>], all: &[f64], rows: usize) -> Vec<f64> {
    let rows = rows.max(1) as f64;
    let letters = all.iter().filter(|share| **share > 0.0).count();
    let chance = letters.saturating_sub(1) as f64 / (2.0 * std::f64::consts::LN_2 * rows);
    // A letter that the others do not have was seen less than once.
    let least = 0.5 / (rows * shares.len().max(1) as f64);
    let of = |own: &Vec<f64>| {
        let there = own.iter().zip(all).filter(|(p, _)| **p > 0.0);
        let found: f64 = there.map(|(p, q)| p * (p / q.max(least)).log2()).sum();
        (found - chance).max(0.0)
    };
    shares.iter().map(of).collect()
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

    /// A certain letter of four that are alike tells two bits, letters as in all places nothing, whatever others there are.
    #[test]
    fn places_tell_what_the_others_do_not() {
        let all = [0.25, 0.25, 0.25, 0.25, 0.0, 0.0];
        let shares = [vec![0.0, 1.0, 0.0, 0.0, 0.0, 0.0], all.to_vec()];
        let found = information(&shares, &all, 1_000_000);
        assert!(
            (found[0] - 2.0).abs() < 1e-5 && found[1] == 0.0,
            "{found:?}"
        );
        // Three degrees of freedom, seen in ten rows.
        let few = information(&shares, &all, 10);
        assert!((found[0] - few[0] - 3.0 / (20.0 * std::f64::consts::LN_2)).abs() < 1e-5);
        assert_eq!(composition(&[vec![1.0, 0.0], vec![0.0, 1.0]]), [0.5, 0.5]);
        // A letter that no other place has.
        assert!(information(&[vec![0.0, 1.0]], &[1.0, 0.0], 8)[0].is_finite());
    }
}
