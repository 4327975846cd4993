//! Columns of a table beside its sites: a column of many words has two.

use std::ops::Range;

use super::{MISSING, Schema};
use crate::data::error::{DataError, Result};
use crate::data::names::listed;
use crate::data::table::{Coding, Column, Derived};

/// A column of a table as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A column of the model.
    Own(usize),
    /// A column that others decide.
    Derived(usize),
    /// A column that is left out, where it is kept beside the rows.
    LeftOut(usize),
}

impl Schema {
    /// Number of columns as the user sees them: of a table with numbers less than sites.
    pub fn column_count(&self) -> usize {
        match self.columns.len() {
            0 => self.sites(),
            count => count,
        }
    }

    /// Name of a column, and how its fields are labels if they are not the categories of its one site.
    ///
    /// # Panics
    /// If the column does not exist.
    pub fn column(&self, column: usize) -> (&str, Option<&Coding>) {
        match self.columns.is_empty() {
            true => (&self.sites[column].name, None),
            false => {
                let column = &self.columns[column];
                (&column.name, column.coding.as_ref())
            }
        }
    }

    /// The sites of a column.
    ///
    /// # Panics
    /// If the column does not exist.
    pub fn sites_of(&self, column: usize) -> Range<usize> {
        match self.columns.is_empty() {
            true => column..column + 1,
            false => {
                let first = self.columns[..column].iter().map(Column::sites).sum();
                first..first + self.columns[column].sites()
            }
        }
    }

    /// The sites of the columns of these names.
    ///
    /// # Errors
    /// As [`column_named`](Self::column_named).
    pub fn sites_named(&self, names: &[String]) -> Result<Vec<usize>> {
        let columns = names.iter().map(|name| self.column_named(name));
        let sites = columns.map(|column| Ok(self.sites_of(column?)));
        Ok(sites
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// The column that a site belongs to.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn column_of(&self, site: usize) -> usize {
        assert!(site < self.sites(), "site {site} of {}", self.sites());
        if self.columns.is_empty() {
            return site;
        }
        let mut end = 0;
        let past = |column: &Column| {
            end += column.sites();
            end > site
        };
        let found = self.columns.iter().position(past);
        found.expect("the columns have all sites")
    }

    /// The columns as they are written: the model's, with those between them that they decide.
    pub fn written(&self) -> Vec<Written> {
        let mut derived: Vec<(usize, &Derived)> = self.derived.iter().enumerate().collect();
        derived.sort_by_key(|(_, own)| own.place);
        let mut written: Vec<Written> = (0..self.column_count()).map(Written::Own).collect();
        for (column, own) in derived {
            written.insert(own.place.min(written.len()), Written::Derived(column));
        }
        written
    }

    /// The name of a column as it is written.
    ///
    /// # Panics
    /// If the column does not exist.
    pub fn name_of(&self, written: Written) -> &str {
        match written {
            Written::Own(column) => self.column(column).0,
            Written::Derived(column) => &self.derived[column].name,
            Written::LeftOut(column) => &self.left_out[column].name,
        }
    }

    /// The decided column of a name.
    pub fn derived_named(&self, name: &str) -> Option<usize> {
        self.derived.iter().position(|own| own.name == name)
    }

    /// The column of a name.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`], and [`DataError::Decided`] for a column that others decide.
    pub fn column_named(&self, name: &str) -> Result<usize> {
        if let Some(derived) = self.derived_named(name) {
            let own = &self.derived[derived];
            return Err(DataError::Decided {
                rule: own.sentence(),
                parents: listed(own.parents().into_iter()),
            });
        }
        let names = || (0..self.column_count()).map(|column| self.column(column).0);
        names().position(|known| known == name).ok_or_else(|| {
            let written = self.written();
            let known = written.iter().map(|column| self.name_of(*column));
            DataError::no_such_column(name, known)
        })
    }

    /// The category by which a site says that its column is missing: of two digits the first says so.
    pub(super) fn missing_digit(&self, site: usize) -> Option<u16> {
        let column = self.column_of(site);
        match self.column(column).1 {
            None => self.label_of(site, MISSING),
            Some(_) if site > self.sites_of(column).start => None,
            Some(coding) => coding.missing().map(|digits| digits[0]),
        }
    }

    /// Whether some columns hold numbers, or more words than one site takes.
    pub fn has_codings(&self) -> bool {
        !self.columns.is_empty()
    }
}
