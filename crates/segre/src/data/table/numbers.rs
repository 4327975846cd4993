//! The numbers of rows themselves, beside the labels of their cells.

use super::{Column, Values};
use crate::data::error::Result;
use crate::data::schema::Schema;
use crate::data::store::{Collector, Store};

/// A number that is not known.
pub(super) const UNKNOWN: i64 = i64::MIN;

/// The numbers of the columns that have some, in units of their notation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// One list for every column of the table: empty where it holds words.
    columns: Vec<Store<i64>>,
}

impl Numbers {
    /// Numbers of a table's columns, `None` for columns of words; of a field that is missing, `None`.
    pub fn new(columns: Vec<Option<Vec<Option<i64>>>>) -> Self {
        let known = |number: Option<i64>| number.unwrap_or(UNKNOWN);
        let list = |column: Option<Vec<Option<i64>>>| {
            column.map_or_else(Vec::new, |column| column.into_iter().map(known).collect())
        };
        Self::of_stores(columns.into_iter().map(|column| list(column).into()))
    }

    /// Numbers of a table's columns, none for columns of words; [`UNKNOWN`] where one is missing.
    pub(super) fn of_stores(columns: impl Iterator<Item = Store<i64>>) -> Self {
        Self {
            columns: columns.collect(),
        }
    }

    /// The number of a row in a column, if there is one and it is known.
    pub fn get(&self, row: usize, column: usize) -> Option<i64> {
        self.columns
            .get(column)?
            .get(row)
            .copied()
            .filter(|number| *number != UNKNOWN)
    }

    /// Numbers of a table of which none is known.
    pub fn nothing(schema: &Schema, rows: usize) -> Self {
        let numbers = |column: &Column| {
            let coding = column.coding.as_ref();
            coding.is_some_and(|coding| matches!(coding.values, Values::Numbers { .. }))
        };
        let list = |column: &Column| vec![UNKNOWN; if numbers(column) { rows } else { 0 }];
        Self::of_stores(schema.columns.iter().map(|column| list(column).into()))
    }

    /// Says a number of a row, of so many, that is not known.
    pub fn say(&mut self, row: usize, column: usize, number: i64, rows: usize) {
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Store::default());
        }
        let own = self.columns[column].to_mut();
        // A column that the file did not have.
        own.resize(rows, UNKNOWN);
        if own[row] == UNKNOWN {
            own[row] = number;
        }
    }

    /// Replaces some rows by those of other numbers, in order.
    pub fn replace(&mut self, rows: &[usize], other: Option<&Self>) {
        for (column, own) in self.columns.iter_mut().enumerate() {
            let own = own.to_mut();
            for (from, row) in rows.iter().enumerate() {
                if let Some(number) = own.get_mut(*row) {
                    let found = other.and_then(|other| other.get(from, column));
                    *number = found.unwrap_or(UNKNOWN);
                }
            }
        }
    }

    /// Forgets a column.
    pub fn forget(&mut self, column: usize) {
        if let Some(own) = self.columns.get_mut(column) {
            *own = Store::default();
        }
    }

    /// Those of the chosen rows, in the given order, repeats allowed.
    #[must_use]
    pub fn select(&self, rows: impl Iterator<Item = usize> + Clone) -> Self {
        let choose = |column: &Store<i64>| match column.is_empty() {
            true => Store::default(),
            false => rows
                .clone()
                .map(|row| column[row])
                .collect::<Vec<_>>()
                .into(),
        };
        Self::of_stores(self.columns.iter().map(choose))
    }

    /// [`select`](Self::select), with columns of more than so many bytes in temporary files.
    pub fn select_within(&self, rows: &[usize], memory: u64) -> Result<Self> {
        let choose = |column: &Store<i64>| {
            let mut own = Collector::new(memory);
            if !column.is_empty() {
                own.reserve(rows.len());
                own.extend(rows.iter().map(|row| column[*row]))?;
            }
            own.finish()
        };
        let columns = self.columns.iter().map(choose);
        Ok(Self::of_stores(
            columns.collect::<Result<Vec<_>>>()?.into_iter(),
        ))
    }

    /// Those of which something holds of row and site, for all sites of the column.
    #[must_use]
    pub fn where_known(mut self, schema: &Schema, known: impl Fn(usize, usize) -> bool) -> Self {
        let mut site = 0;
        for (column, list) in schema.columns.iter().zip(&mut self.columns) {
            for (row, number) in list.to_mut().iter_mut().enumerate() {
                if !(site..site + column.sites()).all(|site| known(row, site)) {
                    *number = UNKNOWN;
                }
            }
            site += column.sites();
        }
        self
    }
}
