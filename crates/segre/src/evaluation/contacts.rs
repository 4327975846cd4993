//! Contacts of a sequence: pairs of places that depend on each other, beside a known structure.
//!
//! Places of a protein or an RNA that touch each other change together, so their letters depend on each other. What depends only by
//! way of a third place is not told apart here, as direct coupling analysis would.

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::error::{EvaluationError, Result};
use crate::data::Dataset;
use crate::file_error::FileError;

/// Distance below which places are in contact, ångström, as is usual for heavy atoms.
pub const NEAR: f64 = 8.0;
/// Places that are less apart along the sequence touch each other whatever they are.
pub const APART: usize = 5;
/// Rows that dependences are counted in.
const COUNTED: usize = 10_000;

/// Distances between the places of a sequence in space.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// Distances in ångström, `[places, places]`; NaN where they are not known.
    distances: Vec<f64>,
    places: usize,
}

/// How many of the pairs that depend most on each other are in contact.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContactReport {
    /// Places of a sequence.
    pub places: usize,
    /// Pairs at least [`APART`] places apart whose distance is known.
    pub pairs: usize,
    /// Share of these that are in contact: what pairs at random would get.
    pub share: f64,
    /// Of the strongest pairs: the model's samples beside training rows.
    pub precisions: Vec<Precision>,
}

/// Shares of contacts among the strongest pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Precision {
    /// So many of the strongest pairs.
    pub strongest: usize,
    /// Share of contacts among those of samples.
    pub samples: f64,
    /// The same of training rows.
    pub train: f64,
}

impl Structure {
    /// Reads lines `i j … distance`: two places, counted from 1, and in the last field their distance in ångström. Empty lines and
    /// those that begin with `#` are left out.
    ///
    /// # Errors
    /// [`FileError::Io`], and [`EvaluationError::BadStructure`] with the line for anything else.
    pub fn read(path: &Path, places: usize) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|cause| FileError::reading(path, cause))?;
        let mut distances = vec![f64::NAN; places * places];
        for (line, own) in text.lines().enumerate() {
            if own.trim().is_empty() || own.starts_with('#') {
                continue;
            }
            let [first, second, distance] = pair(own, places).map_err(|what| {
                let (path, line) = (path.to_path_buf(), line + 1);
                EvaluationError::BadStructure { path, line, what }
            })?;
            let (first, second) = (first as usize - 1, second as usize - 1);
            distances[first * places + second] = distance;
            distances[second * places + first] = distance;
        }
        Ok(Self { distances, places })
    }

    /// The distance of two places, counted from 0, if it is known.
    pub fn distance(&self, first: usize, second: usize) -> Option<f64> {
        let found = self.distances[first * self.places + second];
        (!found.is_nan()).then_some(found)
    }

    /// Number of places.
    pub fn places(&self) -> usize {
        self.places
    }

    /// Pairs far enough apart along the sequence whose distance is known.
    fn pairs(&self) -> Vec<[usize; 2]> {
        let firsts = 0..self.places;
        let all = firsts.flat_map(|first| (first + APART..self.places).map(move |to| [first, to]));
        all.filter(|[first, second]| self.distance(*first, *second).is_some())
            .collect()
    }

    fn touches(&self, [first, second]: [usize; 2]) -> bool {
        self.distance(first, second).is_some_and(|own| own < NEAR)
    }
}

/// The two places and the distance of a line.
fn pair(line: &str, places: usize) -> std::result::Result<[f64; 3], String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (Some(first), Some(second), true) = (fields.first(), fields.get(1), fields.len() >= 3)
    else {
        return Err(format!(
            "{} fields, not two places and a distance",
            fields.len()
        ));
    };
    let number = |field: &str| {
        let found = field.parse::<f64>().ok().filter(|x| x.is_finite());
        found.ok_or_else(|| format!("{field:?} is no number"))
    };
    let place = |field: &str| {
        let found = number(field)?;
        let there = found.fract() == 0.0 && (1.0..=places as f64).contains(&found);
        match there {
            true => Ok(found),
            false => Err(format!("{field} is no place from 1 to {places}")),
        }
    };
    let distance = number(fields[fields.len() - 1])?;
    match distance >= 0.0 {
        true => Ok([place(first)?, place(second)?, distance]),
        false => Err(format!("{distance} is no distance")),
    }
}

/// Compares the pairs of places that depend most on each other, in samples and in training rows, with a structure.
///
/// # Errors
/// [`EvaluationError::NoPairs`] if the structure has no pair far enough apart.
pub fn run(samples: &Dataset, train: &Dataset, structure: &Structure) -> Result<ContactReport> {
    samples.schema.same_as(&train.schema)?;
    let [own, real] = [samples, train].map(couplings);
    of_couplings([&own, &real], structure)
}

/// [`run`] of what is known already: strengths of all pairs of places in samples and in training rows, `[places, places]`.
///
/// # Errors
/// As [`run`].
pub fn of_couplings(both: [&[f64]; 2], structure: &Structure) -> Result<ContactReport> {
    let (pairs, places) = (structure.pairs(), structure.places());
    if pairs.is_empty() {
        return Err(EvaluationError::NoPairs { apart: APART });
    }
    let [own, real] = both.map(|couplings| {
        let strength = |[first, second]: &[usize; 2]| couplings[first * places + second];
        let mut order = pairs.clone();
        order.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        order
    });
    let share = |pairs: &[[usize; 2]]| {
        let contacts = pairs.iter().filter(|pair| structure.touches(**pair));
        contacts.count() as f64 / pairs.len() as f64
    };
    let strongest = [places / 5, places / 2, places, 2 * places];
    let wanted = strongest
        .into_iter()
        .filter(|count| (1..=pairs.len()).contains(count));
    Ok(ContactReport {
        places,
        pairs: pairs.len(),
        share: share(&pairs),
        precisions: wanted
            .map(|strongest| Precision {
                strongest,
                samples: share(&own[..strongest]),
                train: share(&real[..strongest]),
            })
            .collect(),
    })
}

/// Mutual information of every pair of places less what chance and the places' own variability bring (average product correction),
/// nats, `[places, places]`.
///
/// Source: Dunn, Wahl & Gloor 2008, Bioinformatics 24, eq. 3.
pub(in crate::evaluation) fn couplings(data: &Dataset) -> Vec<f64> {
    let rows = data.spread(COUNTED);
    let information = dependences(&rows, data.schema.max_categories());
    corrected(&information, data.sites())
}

/// Shares of the categories at every place.
pub(in crate::evaluation) fn shares(data: &Dataset, categories: usize) -> Vec<Vec<f64>> {
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
    let rows = data;
    let (places, shares) = (rows.sites(), shares(rows, categories));
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

    fn bits(places: usize, labels: Vec<u16>) -> Dataset {
        let names = (0..places).map(|place| place.to_string()).collect();
        let schema = Schema::shared(Layout::Sequence, names, Vocabulary::Integers { count: 2 });
        Dataset::new(schema, labels).unwrap()
    }

    /// Of three fair bits the first two are equal: ln 2 nats, and nothing with the third.
    #[test]
    fn dependent_places_are_found() {
        let data = bits(3, [[0, 0, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]].concat());
        let found = dependences(&data, 2);
        let ln2 = std::f64::consts::LN_2;
        let expected = [0.0, ln2, 0.0, ln2, 0.0, 0.0, 0.0, 0.0, 0.0];
        let same = |(x, y): (&f64, f64)| (x - y).abs() < 1e-12;
        assert!(found.iter().zip(expected).all(same));
        // Means ln2/2, ln2/2, 0; of all ln2/3: the pair keeps ln2 − ¾ ln2.
        assert!((corrected(&found, 3)[1] - ln2 / 4.0).abs() < 1e-12);
    }

    /// Of six bits the first and the last are equal, and near each other; no other pair is far enough apart.
    #[test]
    fn the_strongest_pairs_are_in_contact() {
        let rows: Vec<u16> = (0..64_u16)
            .flat_map(|row| {
                [
                    row & 1,
                    row >> 1 & 1,
                    row >> 2 & 1,
                    row >> 3 & 1,
                    row >> 4 & 1,
                    row & 1,
                ]
            })
            .collect();
        let data = bits(6, rows);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.txt");
        fs::write(&path, "# places, distance\n1 6 0.5 3.5\n\n2 4 2\n").unwrap();
        let found = run(&data, &data, &Structure::read(&path, 6).unwrap()).unwrap();
        assert_eq!((found.pairs, found.share), (1, 1.0));
        let all = Precision {
            strongest: 1,
            samples: 1.0,
            train: 1.0,
        };
        assert_eq!(found.precisions, [all]);
        for (text, line, what) in [
            ("1 2", 1, "2 fields"),
            ("1 2 3\n1 7 3", 2, "7 is no place"),
            ("1 2 x", 1, "\"x\""),
            ("1 2 -1", 1, "-1"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Structure::read(&path, 6).unwrap_err().to_string();
            assert!(
                error.contains(&format!("s.txt:{line}:")) && error.contains(what),
                "{error}"
            );
        }
        fs::write(&path, "1 2 3").unwrap();
        let near = Structure::read(&path, 6).unwrap();
        assert!(matches!(
            run(&data, &data, &near),
            Err(EvaluationError::NoPairs { .. })
        ));
    }
}
