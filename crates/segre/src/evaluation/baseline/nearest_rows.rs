//! Nearest rows: unknown labels as most of the nearest training rows have them.

use super::require_parts;
use crate::data::{Dataset, PartialDataset};
use crate::evaluation::error::Result;
use rayon::prelude::*;

/// Numbers of neighbours that are tried.
const COUNTS: [usize; 8] = [1, 2, 5, 10, 20, 50, 100, 200];

/// Fills in unknown labels by the majority of the training rows that are nearest in Hamming distance over the known
/// sites; of equally near rows the first, of equally frequent labels the smallest.
#[derive(Debug, Clone)]
pub struct NearestRows {
    train: Dataset,
    count: usize,
}

impl NearestRows {
    /// Of 1 to 200 neighbours takes the number that fills in the validation rows best, of which `given` shows a part.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) if the parts differ in schema or are empty.
    ///
    /// # Panics
    /// If `given` has another number of rows than `validation`.
    pub fn fit(train: &Dataset, validation: &Dataset, given: &PartialDataset) -> Result<Self> {
        require_parts(train, validation)?;
        assert_eq!(given.rows(), validation.rows(), "validation rows");
        let mut hits = [0_usize; COUNTS.len()];
        let nearest = nearest(train, given, COUNTS[COUNTS.len() - 1]);
        for (row, neighbours) in nearest.iter().enumerate() {
            for site in unknown(given, row) {
                let truth = validation.row(row)[site];
                for (hits, count) in hits.iter_mut().zip(COUNTS) {
                    let few = &neighbours[..count.min(neighbours.len())];
                    *hits += usize::from(majority(train, few, site) == truth);
                }
            }
        }
        let mut best = 0;
        for place in 1..COUNTS.len() {
            if hits[place] > hits[best] {
                best = place;
            }
        }
        Ok(Self {
            train: train.clone(),
            count: COUNTS[best],
        })
    }

    /// The number of neighbours that was chosen.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The rows with every unknown label filled in.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for rows of another schema.
    pub fn fill(&self, given: &PartialDataset) -> Result<Dataset> {
        self.train.schema.same_as(&given.schema)?;
        let nearest = nearest(&self.train, given, self.count);
        Ok(given.filled(|row, site| majority(&self.train, &nearest[row], site))?)
    }
}

/// The unknown sites of a row.
fn unknown(given: &PartialDataset, row: usize) -> impl Iterator<Item = usize> {
    (0..given.sites()).filter(move |site| given.label(row, *site).is_none())
}

/// The nearest training rows of every row, nearest first.
fn nearest(train: &Dataset, given: &PartialDataset, count: usize) -> Vec<Vec<usize>> {
    let of_row = |row: usize| {
        let known: Vec<(usize, u16)> = (0..given.sites())
            .filter_map(|site| Some((site, given.label(row, site)?)))
            .collect();
        let distance = |own: &[u16]| {
            known
                .iter()
                .filter(|(site, label)| own[*site] != *label)
                .count()
        };
        let mut rows: Vec<(usize, usize)> = train.iter().map(distance).zip(0..).collect();
        if count < rows.len() {
            rows.select_nth_unstable(count);
            rows.truncate(count);
        }
        rows.sort_unstable();
        rows.into_iter().map(|(_, row)| row).collect()
    };
    (0..given.rows()).into_par_iter().map(of_row).collect()
}

/// The most frequent label of some rows at a site.
fn majority(train: &Dataset, rows: &[usize], site: usize) -> u16 {
    let mut labels: Vec<u16> = rows.iter().map(|row| train.row(*row)[site]).collect();
    labels.sort_unstable();
    let mut best: &[u16] = &[];
    for run in labels.chunk_by(|a, b| a == b) {
        if run.len() > best.len() {
            best = run;
        }
    }
    best.first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Layout, Schema, Vocabulary};

    /// Three sites that mostly agree, one row that is odd: one neighbour follows it, several do not.
    #[test]
    fn the_nearest_rows_that_know_decide_together() {
        let names = ["a", "b", "c"].map(String::from).to_vec();
        let schema = Schema::shared(Layout::Table, names, Vocabulary::Integers { count: 4 });
        let mut labels = vec![1, 1, 3];
        for k in 0..60_u16 {
            labels.extend([k % 3; 3]);
        }
        let train = Dataset::new(schema.clone(), labels).unwrap();
        let validation = train.select(&(1..61).collect::<Vec<_>>());
        let given = PartialDataset::hiding(&validation, |_, site| site == 2);
        let model = NearestRows::fit(&train, &validation, &given).unwrap();
        // One neighbour is wrong for a third of the rows; two are tied, and the smaller label is right; 100 are too many.
        assert_eq!(model.count(), 2);
        let filled = model.fill(&given).unwrap();
        assert_eq!(filled, validation);
        let rows = [Some(2), None, None, None, Some(0), Some(1)];
        let given = PartialDataset::new(schema, rows).unwrap();
        let filled = model.fill(&given).unwrap();
        assert_eq!(filled.row(0), [2, 2, 2]);
        // One known label agrees with rows of zeros and of ones each: the first two rows of the data say 0 and 1.
        assert_eq!(filled.row(1), [0, 0, 1]);
    }
}
