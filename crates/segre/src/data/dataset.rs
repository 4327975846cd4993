//! Labels of many rows together with the schema that gives them meaning.

mod weights;

use std::borrow::Cow;

pub(crate) use self::weights::systematic;
use super::schema::Schema;
use super::store::{Collector, Store};
use super::table::{Beside, Fields, Keeper, Numbers};
use crate::data::error::{DataError, Result};

/// A data set: one label per row and site.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What the sites and categories are.
    pub schema: Schema,
    /// Row-major labels, `[rows, sites]`.
    labels: Store,
    /// The class of each row, where there are classes.
    classes: Option<Vec<u16>>,
    /// The numbers of a table themselves, where they are known.
    numbers: Option<Numbers>,
    /// What each row weighs, where not all weigh the same.
    weights: Option<Vec<f32>>,
    /// Columns of a table that are no part of the schema.
    beside: Option<Beside>,
}

impl Dataset {
    /// A data set from labels in row-major order.
    ///
    /// # Shapes
    /// `labels`: `[rows, sites]`, flat.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if the schema is faulty or the labels do not fill whole rows;
    /// [`DataError::LabelOutOfRange`] for a label that its site does not have.
    pub fn new(schema: Schema, labels: Vec<u16>) -> Result<Self> {
        Self::of_store(schema, labels.into())
    }

    /// [`new`](Self::new) for labels that may be in a file.
    pub(super) fn of_store(schema: Schema, labels: Store) -> Result<Self> {
        require_labels(&schema, &labels, None)?;
        Ok(Self {
            schema,
            labels,
            classes: None,
            numbers: None,
            weights: None,
            beside: None,
        })
    }

    /// The data with a class for every row, which a model can be told in training.
    ///
    /// # Panics
    /// If there are not as many classes as rows.
    #[must_use]
    pub fn with_classes(mut self, classes: Vec<u16>) -> Self {
        let (found, rows) = (classes.len(), self.rows());
        assert_eq!(found, rows, "{found} classes for {rows} rows");
        self.classes = Some(classes);
        self
    }

    /// The class of each row, where there are classes.
    pub fn classes(&self) -> Option<&[u16]> {
        self.classes.as_deref()
    }

    /// The data with the numbers that the labels of a table's columns stand for.
    #[must_use]
    pub(super) fn with_numbers(mut self, numbers: Option<Numbers>) -> Self {
        self.numbers = numbers;
        self
    }

    /// The data with what each row weighs.
    #[must_use]
    pub(super) fn with_weights(mut self, weights: Option<Vec<f32>>) -> Self {
        self.weights = weights;
        self
    }

    /// The data with columns that are no part of the schema, which are written with the others.
    #[must_use]
    pub(super) fn with_beside(mut self, beside: Option<Beside>) -> Self {
        self.beside = beside;
        self
    }

    /// Columns that are no part of the schema.
    pub(super) fn beside(&self) -> Option<&Beside> {
        self.beside.as_ref()
    }

    /// The data with the numbers of some rows and columns where they are not known.
    ///
    /// # Panics
    /// If there is no such row, or the column holds no numbers.
    #[must_use]
    pub fn with_numbers_at(
        mut self,
        numbers: impl IntoIterator<Item = (usize, usize, i64)>,
    ) -> Self {
        let rows = self.rows();
        let own = self.numbers.take();
        let mut own = own.unwrap_or_else(|| Numbers::nothing(&self.schema, rows));
        for (row, column, number) in numbers {
            own.say(row, column, number, rows);
        }
        self.numbers = Some(own);
        self
    }

    /// The numbers of a table themselves; none where they were drawn by a model, which draws cells.
    pub fn numbers(&self) -> Option<&Numbers> {
        self.numbers.as_ref()
    }

    /// The numbers of a table as they are written: known ones, and others drawn from their cells, each time the same; `None` for a
    /// table without numbers.
    pub fn written_numbers(&self) -> Option<Numbers> {
        super::table::written_numbers(self)
    }

    /// `log p(numbers | labels)` of every row in nats, where the numbers are known: what the cells leave open.
    ///
    /// A probability of whole multiples of the columns' resolution; `log p(labels)` comes to it.
    pub fn log_within_cells(&self) -> Option<Vec<f64>> {
        self.log_within_cells_given(&[])
    }

    /// [`log_within_cells`](Self::log_within_cells) of the columns that have none of the sites that are given.
    pub fn log_within_cells_given(&self, given: &[usize]) -> Option<Vec<f64>> {
        let numbers = self.numbers()?;
        let columns = (0..self.schema.column_count()).filter_map(|column| {
            let (_, coding) = self.schema.column(column);
            let sites = self.schema.sites_of(column);
            let asked = !sites.clone().any(|site| given.contains(&site));
            Some((column, coding?, sites)).filter(|_| asked)
        });
        let columns: Vec<_> = columns.collect();
        let of_row = |row: usize| {
            let within = columns.iter().filter_map(|(column, coding, sites)| {
                let number = numbers.get(row, *column)?;
                Some(coding.log_probability(&self.row(row)[sites.clone()], number))
            });
            within.sum()
        };
        Some((0..self.rows()).map(of_row).collect())
    }

    /// Names of the fields of [`texts`](Self::texts).
    pub fn text_names(&self) -> Vec<String> {
        let fields = Fields::of(self);
        let names = fields.columns().iter();
        names
            .map(|column| self.schema.name_of(*column).to_owned())
            .collect()
    }

    /// All fields as the user writes them, `[rows, columns]`; `?` where one is missing.
    pub fn texts(&self) -> Vec<Vec<String>> {
        let fields = Fields::of(self);
        let row = |row| fields.row(row).into_iter().map(Cow::into_owned).collect();
        (0..self.rows()).map(row).collect()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len() / self.sites()
    }

    /// Number of sites.
    pub fn sites(&self) -> usize {
        self.schema.sites()
    }

    /// The labels of one row.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn row(&self, row: usize) -> &[u16] {
        let sites = self.sites();
        assert!(row < self.rows(), "row {row} of {} rows", self.rows());
        &self.labels[row * sites..(row + 1) * sites]
    }

    /// All rows, one after the other.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u16> {
        self.labels.chunks_exact(self.sites())
    }

    /// All labels in row-major order, `[rows, sites]`.
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// Checksum (CRC-32) of all labels: tells whether data have changed.
    pub fn fingerprint(&self) -> u32 {
        let mut checksum = flate2::Crc::new();
        for label in self.labels() {
            checksum.update(&label.to_le_bytes());
        }
        checksum.sum()
    }

    /// The chosen rows (with their classes), in the given order, repeats allowed.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn select(&self, rows: &[usize]) -> Self {
        let mut labels = Vec::with_capacity(rows.len() * self.sites());
        for &row in rows {
            labels.extend_from_slice(self.row(row));
        }
        let numbers = self.numbers.as_ref();
        let numbers = numbers.map(|numbers| numbers.select(rows.iter().copied()));
        self.chosen(rows, labels.into(), numbers)
    }

    /// [`select`](Self::select), with labels or numbers that take more than `memory` bytes (two and eight for each) in a temporary
    /// file.
    ///
    /// # Errors
    /// [`DataError::LabelFile`] if that file cannot be written.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn select_within(&self, rows: &[usize], memory: u64) -> Result<Self> {
        let mut labels = Collector::new(memory);
        labels.reserve(rows.len() * self.sites());
        for &row in rows {
            labels.extend(self.row(row).iter().copied())?;
        }
        let numbers = self.numbers.as_ref();
        let numbers = numbers.map(|numbers| numbers.select_within(rows, memory));
        Ok(self.chosen(rows, labels.finish()?, numbers.transpose()?))
    }

    /// At most so many rows, evenly spread: files are often sorted.
    #[must_use]
    pub fn spread(&self, most: usize) -> Self {
        let count = most.min(self.rows());
        let rows = (0..count).map(|k| k * self.rows() / count);
        self.select(&rows.collect::<Vec<_>>())
    }

    fn chosen(&self, rows: &[usize], labels: Store, numbers: Option<Numbers>) -> Self {
        let classes = self.classes.as_ref();
        Self {
            schema: self.schema.clone(),
            labels,
            classes: classes.map(|classes| rows.iter().map(|&row| classes[row]).collect()),
            numbers,
            weights: self
                .weights
                .as_ref()
                .map(|weights| rows.iter().map(|&row| weights[row]).collect()),
            beside: self
                .beside
                .as_ref()
                .map(|beside| beside.select(rows.iter().copied())),
        }
    }

    /// The data with every number of a table that is written fixed: those that are drawn from cells are not drawn anew.
    #[must_use]
    pub fn with_written_numbers(self) -> Self {
        let numbers = self.written_numbers();
        self.with_numbers(numbers)
    }

    /// The data with some rows replaced by those of other data, in order.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if their schemas differ.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn with_rows(&self, rows: &[usize], other: &Self) -> Result<Self> {
        self.schema.same_as(&other.schema)?;
        let (sites, mut labels) = (self.sites(), self.labels().to_vec());
        for (from, row) in rows.iter().enumerate() {
            labels[row * sites..(row + 1) * sites].copy_from_slice(other.row(from));
        }
        let numbers = self.numbers.clone().map(|mut numbers| {
            numbers.replace(rows, other.numbers.as_ref());
            numbers
        });
        Ok(Self {
            labels: labels.into(),
            numbers,
            ..self.clone()
        })
    }

    /// The rows that break an inequality of the schema as they are written.
    pub fn breaking(&self) -> Vec<usize> {
        if self.schema.constraints.is_empty() {
            return Vec::new();
        }
        let fields = Fields::of(self);
        let keeper = Keeper::of(&self.schema, fields.columns());
        let breaks = |row: &usize| keeper.broken(&fields.row(*row)).is_some();
        (0..self.rows()).filter(breaks).collect()
    }

    /// Tells the system that some rows are wanted soon; nothing happens where the labels are in memory.
    pub(crate) fn prefetch(&self, rows: impl FnOnce() -> Vec<usize>) {
        if self.labels.is_file() {
            let sites = self.sites();
            let range = |row: usize| row * sites..(row + 1) * sites;
            rows()
                .into_iter()
                .for_each(|row| self.labels.prefetch(range(row)));
        }
    }
}

/// Whether labels fill the rows of a schema, and are labels of their sites or, if there is such a one, `unknown`.
pub(super) fn require_labels(schema: &Schema, labels: &[u16], unknown: Option<u16>) -> Result<()> {
    schema.validate()?;
    let sites = schema.sites();
    if !labels.len().is_multiple_of(sites) {
        return Err(DataError::SchemaMismatch {
            what: "the number of labels".into(),
            expected: format!("a multiple of {sites}"),
            found: labels.len().to_string(),
        });
    }
    let cardinalities = schema.cardinalities();
    for (row, values) in labels.chunks_exact(sites).enumerate() {
        for (site, (&label, &categories)) in values.iter().zip(&cardinalities).enumerate() {
            if usize::from(label) >= categories && Some(label) != unknown {
                let site = schema.sites[site].name.clone();
                return Err(DataError::LabelOutOfRange {
                    row,
                    site,
                    label,
                    categories,
                });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::schema::{Layout, Vocabulary};
    use super::*;

    fn schema() -> Schema {
        let names = vec!["a".into(), "b".into()];
        Schema::shared(Layout::Table, names, Vocabulary::Integers { count: 3 })
    }

    #[test]
    fn rows_are_row_major_and_selectable() {
        let data = Dataset::new(schema(), vec![0, 1, 2, 0, 1, 1]).expect("legal labels");
        assert_eq!((data.rows(), data.sites()), (3, 2));
        assert_eq!(data.row(1), [2, 0]);
        assert_eq!(data.select(&[2, 0, 2]).labels(), [1, 1, 0, 1, 1, 1]);
        assert_eq!(data.select(&[]).rows(), 0);
        assert_eq!(data.spread(2).labels(), [0, 1, 2, 0]);
        assert_eq!((data.spread(9), data.spread(0).rows()), (data.clone(), 0));
    }

    #[test]
    fn some_rows_are_replaced() {
        let data = Dataset::new(schema(), vec![0, 1, 2, 0, 1, 1]).expect("legal labels");
        let other = Dataset::new(schema(), vec![2, 2, 0, 0]).expect("legal labels");
        let replaced = data.with_rows(&[2, 0], &other).expect("one schema");
        assert_eq!(replaced.labels(), [0, 0, 2, 0, 2, 2]);
    }

    #[test]
    fn illegal_labels_are_placed() {
        let error = Dataset::new(schema(), vec![0, 1, 2, 3]).expect_err("3 is no category");
        assert!(matches!(
            error,
            DataError::LabelOutOfRange { row: 1, ref site, label: 3, categories: 3 } if site == "b"
        ));
        assert!(Dataset::new(schema(), vec![0, 1, 2]).is_err());
    }
}
