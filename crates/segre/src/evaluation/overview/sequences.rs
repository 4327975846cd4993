//! Sequences and texts: what stands where, and which places depend on each other, real beside sampled.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::Dataset;

/// Places up to which dependences are shown: a matrix of all pairs.
const MOST_PLACES: usize = 256;
/// Rows that dependences are counted in.
const COUNTED: usize = 5000;
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
        true => corrected(&dependences(data, count), places),
        false => Vec::new(),
    };
    SequencesView {
        samples: texts.into_iter().map(|fields| fields.concat()).collect(),
        letters: match shared {
            true => (0..count as u16).map(letters).collect(),
            false => Vec::new(),
        },
        real: shares_of(train),
        sampled: shares_of(samples),
        real_pairs: pairs_of(train),
        sampled_pairs: pairs_of(samples),
    }
}

/// Shares of the categories at every place.
fn shares(data: &Dataset, categories: usize) -> Vec<Vec<f64>> {
    let mut shares = vec![vec![0.0; categories]; data.sites()];
    for row in data.iter() {
        for (place, label) in shares.iter_mut().zip(row) {
            place[usize::from(*label)] += 1.0 / data.rows() as f64;
        }
    }
    shares
}

/// Mutual information of every pair of places, nats, `[places, places]`; 0 on the diagonal.
fn dependences(data: &Dataset, categories: usize) -> Vec<f64> {
    let rows = data.spread(COUNTED);
    let (places, shares) = (rows.sites(), shares(&rows, categories));
    let information = |(first, second): (usize, usize)| {
        let mut table = vec![0_u32; categories * categories];
        for row in rows.iter() {
            table[usize::from(row[first]) * categories + usize::from(row[second])] += 1;
        }
        let mut sum = 0.0;
        for (cell, count) in table.iter().enumerate().filter(|(_, count)| **count > 0) {
            let joint = f64::from(*count) / rows.rows() as f64;
            let alone = shares[first][cell / categories] * shares[second][cell % categories];
            sum += joint * (joint / alone).ln();
        }
        sum
    };
    let pairs = (0..places * places).into_par_iter();
    let upper: Vec<f64> = pairs
        .map(|pair| match (pair / places, pair % places) {
            (first, second) if first < second => information((first, second)),
            _ => 0.0,
        })
        .collect();
    let mirrored = |pair: usize| upper[pair] + upper[pair % places * places + pair / places];
    (0..places * places).map(mirrored).collect()
}

/// `I_ij − Ī_i Ī_j / Ī`: what a pair says beyond what its places say with all others.
fn corrected(information: &[f64], places: usize) -> Vec<f64> {
    let others = places.saturating_sub(1).max(1) as f64;
    let mean = |place: usize| {
        let own = &information[place * places..(place + 1) * places];
        own.iter().sum::<f64>() / others
    };
    let means: Vec<f64> = (0..places).map(mean).collect();
    let whole = means.iter().sum::<f64>() / places.max(1) as f64;
    let pair = |pair: usize| match (pair / places, pair % places) {
        (first, second) if first == second || whole <= 0.0 => 0.0,
        (first, second) => information[pair] - means[first] * means[second] / whole,
    };
    (0..places * places).map(pair).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Layout, Schema, Vocabulary};

    /// Of three fair bits the first two are equal: ln 2 nats, and nothing with the third.
    #[test]
    fn dependent_places_are_found() {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let schema = Schema::shared(Layout::Sequence, names, Vocabulary::Integers { count: 2 });
        let rows = [[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]];
        let data = Dataset::new(schema, rows.concat()).unwrap();
        let found = dependences(&data, 2);
        let ln2 = std::f64::consts::LN_2;
        let expected = [0.0, ln2, 0.0, ln2, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(x, y)| (x - y).abs() < 1e-12)
        );
        // Means ln2/2, ln2/2, 0; of all ln2/3: the pair keeps ln2 − ¾ ln2.
        assert!((corrected(&found, 3)[1] - ln2 / 4.0).abs() < 1e-12);
        let seen = view(&data, &data);
        assert_eq!(seen.samples[1], "001");
        assert_eq!(seen.real[2], [0.5, 0.5]);
    }
}
