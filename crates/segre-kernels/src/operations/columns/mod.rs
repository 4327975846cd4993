//! Columns of categories that lie in one list: tables with a row for each, sums of such rows, and logits of some columns.

mod code;
mod cross_entropies;
mod sums;

use std::ops::Range;
use std::sync::Arc;

pub use code::{Code, coded_rows};
pub use cross_entropies::{column_logits, cross_entropies};
pub use sums::sums_of_rows_at;

/// Where the categories of columns lie in one list, column after column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// First category of every column, and the end of the list.
    firsts: Arc<[usize]>,
}

impl Columns {
    /// Columns of so many categories.
    pub fn new(cardinalities: &[usize]) -> Self {
        let mut end = 0;
        let ends = cardinalities.iter().map(|own| {
            end += own;
            end
        });
        Self {
            firsts: std::iter::once(0).chain(ends).collect(),
        }
    }

    /// Number of columns.
    pub fn count(&self) -> usize {
        self.firsts.len() - 1
    }

    /// Number of categories of all columns.
    pub fn categories(&self) -> usize {
        self.firsts[self.count()]
    }

    /// The categories of a column in the list.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn range(&self, column: usize) -> Range<usize> {
        self.firsts[column]..self.firsts[column + 1]
    }
}

/// A column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row.
    pub row: usize,
    /// The column.
    pub column: usize,
}

/// Places by their columns: what is computed of a column is one product of matrices.
#[derive(Clone, Debug)]
struct ByColumn {
    /// Indices of the places, column after column, in order within one.
    order: Vec<usize>,
    /// Where the places of each column start in `order`, and the end.
    firsts: Vec<usize>,
}

impl ByColumn {
    fn new(columns: &Columns, places: &[Place]) -> Self {
        let mut firsts = vec![0; columns.count() + 1];
        for place in places {
            firsts[place.column + 1] += 1;
        }
        for column in 0..columns.count() {
            firsts[column + 1] += firsts[column];
        }
        let mut next = firsts.clone();
        let mut order = vec![0; places.len()];
        for (index, place) in places.iter().enumerate() {
            order[next[place.column]] = index;
            next[place.column] += 1;
        }
        Self { order, firsts }
    }

    /// The indices of a column's places.
    fn of(&self, column: usize) -> &[usize] {
        &self.order[self.firsts[column]..self.firsts[column + 1]]
    }
}

/// Some rows of a matrix, `[indices, width]`.
fn gather(rows: &[f32], width: usize, indices: impl Iterator<Item = usize>) -> Vec<f32> {
    indices
        .flat_map(|index| &rows[index * width..(index + 1) * width])
        .copied()
        .collect()
}
