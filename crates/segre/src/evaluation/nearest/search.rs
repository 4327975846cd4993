//! Nearest rows by Hamming distance: how far new rows are from those that were trained on.

use crate::data::{DataError, Dataset};
use crate::evaluation::error::Result;
use rayon::prelude::*;
use serde::Serialize;

/// A row and how many sites it differs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Neighbour {
    /// Number of sites with another label.
    pub distance: u32,
    /// The row.
    pub row: usize,
}

/// For every row of `queries` the `count` rows of `among` with the smallest Hamming distance, nearest
/// first, of equally near ones the first; fewer where there are fewer rows.
///
/// The search is through all rows. Rows of two categories are packed into bits, others of up to 256
/// categories into bytes.
///
/// # Errors
/// [`DataError::SchemaMismatch`] if the numbers of sites differ, [`DataError::NoRows`] without rows to search.
pub fn nearest(queries: &Dataset, among: &Dataset, count: usize) -> Result<Vec<Vec<Neighbour>>> {
    if queries.sites() != among.sites() {
        return Err(DataError::SchemaMismatch {
            what: "the number of sites".into(),
            expected: among.sites().to_string(),
            found: queries.sites().to_string(),
        }
        .into());
    }
    if among.rows() == 0 {
        return Err(DataError::NoRows.into());
    }
    let most = queries
        .schema
        .max_categories()
        .max(among.schema.max_categories());
    Ok(match most {
        ..=2 => search(&bits(queries), &bits(among), count, bit_distance),
        3..=256 => search(&bytes(queries), &bytes(among), count, byte_distance),
        _ => search(&words(queries), &words(among), count, word_distance),
    })
}

/// Rows of equal length in another form.
struct Packed<T> {
    /// Elements of one row, at least 1.
    width: usize,
    elements: Vec<T>,
}

/// 64 sites in an element, the last one filled up with zeros.
fn bits(data: &Dataset) -> Packed<u64> {
    let width = data.sites().div_ceil(64);
    let word = |labels: &[u16]| {
        let bits = labels.iter().enumerate();
        bits.fold(0, |word, (place, &label)| word | u64::from(label) << place)
    };
    let elements = data
        .iter()
        .flat_map(|row| row.chunks(64).map(word))
        .collect();
    Packed { width, elements }
}

fn bytes(data: &Dataset) -> Packed<u8> {
    let elements = data.labels().iter().map(|&label| label as u8).collect();
    Packed {
        width: data.sites(),
        elements,
    }
}

fn words(data: &Dataset) -> Packed<u16> {
    Packed {
        width: data.sites(),
        elements: data.labels().to_vec(),
    }
}

fn bit_distance(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Sums of bytes, which the compiler turns into wide instructions, over parts that cannot overflow.
fn byte_distance(a: &[u8], b: &[u8]) -> u32 {
    let parts = a.chunks(255).zip(b.chunks(255));
    parts
        .map(|(a, b)| u32::from(a.iter().zip(b).map(|(a, b)| u8::from(a != b)).sum::<u8>()))
        .sum()
}

fn word_distance(a: &[u16], b: &[u16]) -> u32 {
    a.iter().zip(b).map(|(a, b)| u32::from(a != b)).sum()
}

/// Queries that are compared with a block of rows while it is in the cache.
const QUERIES: usize = 16;

fn search<T: Copy + Sync>(
    queries: &Packed<T>,
    among: &Packed<T>,
    count: usize,
    distance: fn(&[T], &[T]) -> u32,
) -> Vec<Vec<Neighbour>> {
    let groups = queries.elements.par_chunks(queries.width * QUERIES);
    let group = |group: &[T]| {
        let mut best = vec![Vec::with_capacity(count + 1); group.len() / queries.width];
        for (row, candidate) in among.elements.chunks_exact(among.width).enumerate() {
            for (query, best) in group.chunks_exact(queries.width).zip(&mut best) {
                insert(
                    best,
                    count,
                    Neighbour {
                        distance: distance(query, candidate),
                        row,
                    },
                );
            }
        }
        best
    };
    groups.flat_map_iter(group).collect()
}

/// Keeps the `count` smallest in order; later ones go behind their equals.
fn insert(best: &mut Vec<Neighbour>, count: usize, new: Neighbour) {
    if best.len() == count && best.last().is_none_or(|last| last.distance <= new.distance) {
        return;
    }
    let place = best.partition_point(|known| known.distance <= new.distance);
    best.insert(place, new);
    best.truncate(count);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Schema, Vocabulary};
    use crate::evaluation::EvaluationError;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    fn random(rows: usize, sites: usize, count: usize, seed: u64) -> Dataset {
        let mut schema = Schema::integers(&[1, sites], true, count);
        schema.vocabularies = vec![Vocabulary::Integers { count }];
        let mut rng = generator(seed, Purpose::Noise, 0);
        let labels = (0..rows * sites)
            .map(|_| rng.random_range(0..count) as u16)
            .collect();
        Dataset::new(schema, labels).unwrap()
    }

    /// Bits, bytes and words, rows of whole and broken blocks, against a sort of all distances.
    #[test]
    fn the_search_agrees_with_sorting_all_rows() {
        for count in [2, 3, 256, 300] {
            for sites in [1, 63, 64, 65, 300, 784] {
                let (queries, among) = (random(37, sites, count, 1), random(90, sites, count, 2));
                let found = nearest(&queries, &among, 4).unwrap();
                assert_eq!(found.len(), 37);
                for (query, found) in queries.iter().zip(found) {
                    let differ =
                        |row: &[u16]| query.iter().zip(row).filter(|(a, b)| a != b).count() as u32;
                    let all = among.iter().enumerate();
                    let mut all: Vec<_> = all
                        .map(|(row, labels)| Neighbour {
                            distance: differ(labels),
                            row,
                        })
                        .collect();
                    all.sort();
                    assert_eq!(found, all[..4], "{count} categories, {sites} sites");
                }
            }
        }
    }

    #[test]
    fn few_rows_and_none() {
        let (one, two) = (random(1, 5, 2, 1), random(2, 5, 2, 2));
        assert_eq!(nearest(&one, &two, 5).unwrap()[0].len(), 2);
        assert_eq!(
            nearest(&two, &two, 1).unwrap()[1],
            [Neighbour {
                distance: 0,
                row: 1
            }]
        );
        assert!(matches!(
            nearest(&one, &two.select(&[]), 1),
            Err(EvaluationError::Data(DataError::NoRows))
        ));
        assert!(nearest(&one, &random(1, 6, 2, 1), 1).is_err());
        assert!(nearest(&two.select(&[]), &one, 1).unwrap().is_empty());
    }
}
