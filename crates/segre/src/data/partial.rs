//! Rows of which some labels are unknown: what conditional draws and predictions start from.

use super::dataset::Dataset;
use super::schema::Schema;
use super::table::Numbers;
use crate::data::error::Result;
use crate::random::{Purpose, generator};
use rand::RngExt;

/// Stands for an unknown label; no site has so many categories.
const UNKNOWN: u16 = u16::MAX;

/// Rows with unknown labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialDataset {
    /// What the sites and categories are.
    pub schema: Schema,
    /// Row-major labels, `[rows, sites]`.
    labels: Vec<u16>,
    /// The numbers of a table themselves, where they are known.
    numbers: Option<Numbers>,
}

impl PartialDataset {
    /// Rows from labels in row-major order, `None` for an unknown one.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn new(schema: Schema, labels: impl IntoIterator<Item = Option<u16>>) -> Result<Self> {
        let labels: Vec<u16> = labels.into_iter().map(|l| l.unwrap_or(UNKNOWN)).collect();
        let known = labels.iter().map(|l| if *l == UNKNOWN { 0 } else { *l });
        let Dataset { schema, .. } = Dataset::new(schema, known.collect())?;
        let numbers = None;
        Ok(Self {
            schema,
            labels,
            numbers,
        })
    }

    /// A data set of which some sites are hidden.
    pub fn hiding(data: &Dataset, hidden: impl Fn(usize, usize) -> bool) -> Self {
        let all = Self {
            schema: data.schema.clone(),
            labels: data.labels().to_vec(),
            numbers: data.numbers().cloned(),
        };
        all.without(hidden)
    }

    /// The rows with the numbers that the labels of a table's columns stand for.
    #[must_use]
    pub(super) fn with_numbers(mut self, numbers: Option<Numbers>) -> Self {
        self.numbers = numbers;
        self
    }

    /// A data set of which every field is hidden with a probability, independently.
    ///
    /// # Panics
    /// If the probability is not from 0 to 1.
    pub fn hiding_at_random(data: &Dataset, probability: f64, seed: u64) -> Self {
        let mut rng = generator(seed, Purpose::Hiding, 0);
        let columns = data.schema.column_count();
        let fields = 0..data.rows() * columns;
        let hidden: Vec<bool> = fields.map(|_| rng.random_bool(probability)).collect();
        let owner: Vec<usize> = (0..data.sites())
            .map(|site| data.schema.column_of(site))
            .collect();
        Self::hiding(data, |row, site| hidden[row * columns + owner[site]])
    }

    /// The rows with further sites hidden.
    #[must_use]
    pub fn without(&self, hidden: impl Fn(usize, usize) -> bool) -> Self {
        let sites = self.sites();
        let hide = |(place, label): (usize, &u16)| match hidden(place / sites, place % sites) {
            true => UNKNOWN,
            false => *label,
        };
        let labels: Vec<u16> = self.labels.iter().enumerate().map(hide).collect();
        let known = |row: usize, site: usize| labels[row * sites + site] != UNKNOWN;
        let numbers = self.numbers.clone();
        let numbers = numbers.map(|numbers| numbers.where_known(&self.schema, known));
        Self {
            schema: self.schema.clone(),
            labels,
            numbers,
        }
    }

    /// The chosen rows, in the given order, repeats allowed.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let sites = self.sites();
        let row = |row: &usize| &self.labels[row * sites..(row + 1) * sites];
        Self {
            schema: self.schema.clone(),
            labels: rows.iter().flat_map(row).copied().collect(),
            numbers: self
                .numbers
                .as_ref()
                .map(|numbers| numbers.select(rows.iter().copied())),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len() / self.sites()
    }

    /// Number of sites.
    pub fn sites(&self) -> usize {
        self.schema.sites()
    }

    /// The label of a row at a site, if it is known.
    ///
    /// # Panics
    /// If there is no such row or site.
    pub fn label(&self, row: usize, site: usize) -> Option<u16> {
        assert!(site < self.sites(), "site {site} of {}", self.sites());
        let label = self.labels[row * self.sites() + site];
        (label != UNKNOWN).then_some(label)
    }

    /// Number of unknown labels.
    pub fn unknown(&self) -> usize {
        self.labels
            .iter()
            .filter(|label| **label == UNKNOWN)
            .count()
    }

    /// Every row the given number of times, copies side by side.
    #[must_use]
    pub fn repeat_rows(&self, times: usize) -> Self {
        let rows = self.labels.chunks(self.sites());
        let repeated = rows.flat_map(|row| std::iter::repeat_n(row, times));
        Self {
            schema: self.schema.clone(),
            labels: repeated.flatten().copied().collect(),
            numbers: self.numbers.as_ref().map(|numbers| {
                numbers.select((0..self.rows()).flat_map(|row| std::iter::repeat_n(row, times)))
            }),
        }
    }

    /// The number of a row in a column of numbers, if it is known.
    pub fn number(&self, row: usize, column: usize) -> Option<i64> {
        self.numbers.as_ref()?.get(row, column)
    }

    /// The rows with every unknown label chosen.
    ///
    /// # Errors
    /// As [`Dataset::new`] if a choice is no category.
    pub fn filled(&self, choose: impl Fn(usize, usize) -> u16) -> Result<Dataset> {
        let sites = self.sites();
        let fill = |(place, label): (usize, &u16)| match *label {
            UNKNOWN => choose(place / sites, place % sites),
            known => known,
        };
        let labels = self.labels.iter().enumerate().map(fill).collect();
        Ok(Dataset::new(self.schema.clone(), labels)?.with_numbers(self.numbers.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::schema::{Layout, Vocabulary};

    #[test]
    fn unknown_labels_are_counted_repeated_and_filled() {
        let names = vec!["a".into(), "b".into()];
        let schema = Schema::shared(Layout::Table, names, Vocabulary::Integers { count: 3 });
        let labels = [Some(0), None, Some(2), Some(1)];
        let partial = PartialDataset::new(schema.clone(), labels).expect("legal labels");
        assert_eq!((partial.rows(), partial.unknown()), (2, 1));
        assert_eq!((partial.label(0, 0), partial.label(0, 1)), (Some(0), None));
        let twice = partial.repeat_rows(2);
        assert_eq!((twice.rows(), twice.unknown()), (4, 2));
        let filled = twice.filled(|row, _| row as u16).expect("legal labels");
        assert_eq!(filled.labels(), [0, 0, 0, 1, 2, 1, 2, 1]);
        assert_eq!(
            PartialDataset::hiding(&filled.select(&[0, 2]), |row, site| (row, site) == (0, 1)),
            partial
        );
        assert!(PartialDataset::new(schema, [Some(3), None]).is_err());
    }
}
