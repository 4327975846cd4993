//! Rows of which some labels are unknown: what conditional draws and predictions start from.

use super::dataset::{Dataset, require_labels};
use super::schema::Schema;
use super::table::{Beside, Condition, Numbers};
use crate::data::error::{DataError, Result};
use crate::random::{Purpose, generator};
use rand::RngExt;

/// Stands for an unknown label; no site has so many categories.
pub(super) const UNKNOWN: u16 = u16::MAX;

/// Rows with unknown labels.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialDataset {
    /// What the sites and categories are.
    pub schema: Schema,
    /// Row-major labels, `[rows, sites]`.
    labels: Vec<u16>,
    /// The numbers of a table themselves, where they are known.
    numbers: Option<Numbers>,
    /// What is said of columns that others decide.
    decided: Option<Numbers>,
    /// What holds of unknown columns of every row.
    conditions: Vec<Condition>,
    /// Columns of a table that are no part of the schema.
    beside: Option<Beside>,
}

impl PartialDataset {
    /// Rows from labels in row-major order, `None` for an unknown one.
    ///
    /// # Errors
    /// As [`Dataset::new`].
    pub fn new(schema: Schema, labels: impl IntoIterator<Item = Option<u16>>) -> Result<Self> {
        let labels = labels.into_iter().map(|l| l.unwrap_or(UNKNOWN)).collect();
        Self::of_labels(schema, labels)
    }

    /// [`new`](Self::new) for labels of which some are [`UNKNOWN`].
    pub(super) fn of_labels(schema: Schema, labels: Vec<u16>) -> Result<Self> {
        require_labels(&schema, &labels, Some(UNKNOWN))?;
        Ok(Self {
            schema,
            labels,
            numbers: None,
            decided: None,
            conditions: Vec::new(),
            beside: None,
        })
    }

    /// A data set of which some sites are hidden.
    pub fn hiding(data: &Dataset, hidden: impl Fn(usize, usize) -> bool) -> Self {
        let all = Self {
            schema: data.schema.clone(),
            labels: data.labels().to_vec(),
            numbers: data.numbers().cloned(),
            decided: None,
            conditions: Vec::new(),
            beside: None,
        };
        all.without(hidden)
    }

    /// Rows that are all known, with the numbers that are written for them.
    pub fn with_written_numbers(data: &Dataset) -> Self {
        let numbers = data.written_numbers();
        Self::hiding(data, |_, _| false).with_numbers(numbers)
    }

    /// The rows with what is said of columns that others decide.
    #[must_use]
    pub(super) fn with_decided(mut self, decided: Option<Numbers>) -> Self {
        self.decided = decided;
        self
    }

    /// The rows with columns that are no part of the schema, which are written with what is filled in.
    #[must_use]
    pub(super) fn with_beside(mut self, beside: Option<Beside>) -> Self {
        self.beside = beside;
        self
    }

    /// The rows without columns that are no part of the schema.
    #[must_use]
    pub fn without_beside(self) -> Self {
        self.with_beside(None)
    }

    /// The rows without what is said of a column that others decide.
    #[must_use]
    pub fn without_decided(mut self, derived: usize) -> Self {
        if let Some(decided) = &mut self.decided {
            decided.forget(derived);
        }
        self
    }

    /// Whether something is said of columns that others decide.
    pub fn says_decided(&self) -> bool {
        self.decided.is_some()
    }

    /// What is said of a decided column: its number in units, or the place of its value among those of its lookup.
    pub fn decided(&self, row: usize, derived: usize) -> Option<i64> {
        self.decided.as_ref()?.get(row, derived)
    }

    /// Says what a decided column of a row is.
    pub(super) fn say_decided(&mut self, row: usize, derived: usize, value: i64) {
        let rows = self.rows();
        let own = self.decided.get_or_insert_with(Numbers::default);
        own.say(row, derived, value, rows);
    }

    /// The rows where moreover something holds of columns that are not known.
    #[must_use]
    pub fn with_conditions(mut self, conditions: Vec<Condition>) -> Self {
        self.conditions.extend(conditions);
        self
    }

    /// What holds of unknown columns of every row.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Says a label of a column with one site, and its number, in a row where they are not known.
    pub fn say(&mut self, row: usize, column: usize, label: u16, number: Option<i64>) {
        let site = self.schema.sites_of(column).start;
        self.say_label(row, site, label);
        if let Some(number) = number {
            self.say_number(row, column, number);
        }
    }

    /// Says the number of a column in a row where it is not known.
    pub fn say_number(&mut self, row: usize, column: usize, number: i64) {
        let rows = self.rows();
        let nothing = || Numbers::nothing(&self.schema, rows);
        let own = self.numbers.get_or_insert_with(nothing);
        own.say(row, column, number, rows);
    }

    /// Forgets a label.
    pub fn forget_label(&mut self, row: usize, site: usize) {
        let place = row * self.sites() + site;
        self.labels[place] = UNKNOWN;
    }

    /// The rows with what one further row knows, where they do not know it, and with what holds of it.
    ///
    /// # Errors
    /// [`DataError::BadCondition`] with the row if both differ, [`DataError::SchemaMismatch`] if their schemas do.
    ///
    /// # Panics
    /// If `other` is not one row.
    pub fn and_given(&self, other: &Self) -> Result<Self> {
        assert_eq!(other.rows(), 1, "rows that all are given");
        self.schema.same_as(&other.schema)?;
        let mut joined = self.clone();
        for row in 0..self.rows() {
            for column in 0..self.schema.column_count() {
                let sites = self.schema.sites_of(column);
                let labels = |of: &Self, row: usize| -> Option<Vec<u16>> {
                    sites.clone().map(|site| of.label(row, site)).collect()
                };
                let Some(said) = labels(other, 0) else {
                    continue;
                };
                let number = other.number(0, column);
                match labels(self, row) {
                    None => {
                        let digits = sites.clone().zip(&said);
                        digits.for_each(|(site, label)| joined.say_label(row, site, *label));
                        if let Some(number) = number {
                            joined.say_number(row, column, number);
                        }
                    }
                    Some(own) if own == said && self.number(row, column) == number => {}
                    Some(_) => return Err(self.differs(row, column)),
                }
            }
            for derived in 0..self.schema.derived.len() {
                if let Some(value) = other.decided(0, derived) {
                    joined.say_decided(row, derived, value);
                }
            }
        }
        Ok(joined.with_conditions(other.conditions.clone()))
    }

    /// That a row knows something else of a column than is given.
    pub fn differs(&self, row: usize, column: usize) -> DataError {
        DataError::BadCondition {
            name: self.schema.column(column).0.to_owned(),
            value: "given".to_owned(),
            problem: format!(
                "row {row} (from 0) of the data has another value; leave the column out of one of both"
            ),
        }
    }

    /// Says a label that is not known.
    pub fn say_label(&mut self, row: usize, site: usize, label: u16) {
        let place = row * self.sites() + site;
        if self.labels[place] == UNKNOWN {
            self.labels[place] = label;
        }
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
            decided: self.decided.clone(),
            conditions: self.conditions.clone(),
            beside: self.beside.clone(),
        }
    }

    /// The chosen rows, in the given order, repeats allowed.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        self.chosen(rows.iter().copied())
    }

    fn chosen(&self, rows: impl Iterator<Item = usize> + Clone) -> Self {
        let sites = self.sites();
        let row = |row: usize| &self.labels[row * sites..(row + 1) * sites];
        let choose = |numbers: &Numbers| numbers.select(rows.clone());
        Self {
            schema: self.schema.clone(),
            labels: rows.clone().flat_map(row).copied().collect(),
            numbers: self.numbers.as_ref().map(choose),
            decided: self.decided.as_ref().map(choose),
            conditions: self.conditions.clone(),
            beside: self
                .beside
                .as_ref()
                .map(|beside| beside.select(rows.clone())),
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

    /// The columns of which no row says anything: they are not there, or empty.
    pub fn columns_unknown(&self) -> Vec<&str> {
        let said = |column: &usize| {
            let mut sites = self.schema.sites_of(*column);
            let mut rows = 0..self.rows();
            sites.any(|site| (0..self.rows()).any(|row| self.label(row, site).is_some()))
                || rows.any(|row| self.number(row, *column).is_some())
        };
        let columns = (0..self.schema.column_count()).filter(|column| !said(column));
        columns.map(|column| self.schema.column(column).0).collect()
    }

    /// Every row the given number of times, copies side by side.
    #[must_use]
    pub fn repeat_rows(&self, times: usize) -> Self {
        self.chosen((0..self.rows()).flat_map(|row| std::iter::repeat_n(row, times)))
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
        Ok(Dataset::new(self.schema.clone(), labels)?
            .with_numbers(self.numbers.clone())
            .with_beside(self.beside.clone()))
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
