//! Rows of a table by column: numbers as numbers, everything else as categories.

use std::borrow::Cow;

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::data::{Coding, Dataset, Values};

/// The rows of a table, column by column.
#[derive(Clone, Debug)]
pub(in crate::evaluation) struct Rows {
    pub columns: Vec<Column>,
    pub count: usize,
}

/// One column, whatever sites it has.
#[derive(Clone, Debug)]
pub(in crate::evaluation) struct Column {
    pub name: String,
    pub values: Content,
}

/// What a column holds.
#[derive(Clone, Debug)]
pub(in crate::evaluation) enum Content {
    /// Numbers, dates as units since 1970; NaN where they are missing.
    Numbers(Vec<f64>),
    /// Categories below a count; one of them may stand for missing fields.
    Categories {
        codes: Vec<u32>,
        count: usize,
        missing: Option<u32>,
    },
}

impl Rows {
    /// The rows of a data set; numbers that a model drew only as cells are drawn from these, as they would be written.
    pub fn of(data: &Dataset) -> Self {
        let (schema, numbers) = (&data.schema, data.written_numbers());
        let column = |column: usize| {
            let ((name, coding), sites) = (schema.column(column), schema.sites_of(column));
            let labels = || data.iter().map(|row| &row[sites.clone()]);
            let values = match (coding, &numbers) {
                (Some(coding), Some(numbers)) if is_numbers(coding) => {
                    let number = |row| {
                        numbers
                            .get(row, column)
                            .map_or(f64::NAN, |n| value(coding, n))
                    };
                    Content::Numbers((0..data.rows()).map(number).collect())
                }
                (Some(coding), _) => Content::Categories {
                    codes: labels().map(|labels| coding.index(labels) as u32).collect(),
                    count: coding.indices(),
                    missing: coding.missing().map(|_| coding.known() as u32),
                },
                (None, _) => Content::Categories {
                    codes: labels().map(|labels| u32::from(labels[0])).collect(),
                    count: schema.cardinality(sites.start),
                    missing: schema.missing_category(sites.start).map(u32::from),
                },
            };
            let name = name.to_owned();
            Column { name, values }
        };
        Self {
            columns: (0..schema.column_count()).map(column).collect(),
            count: data.rows(),
        }
    }

    /// Rows of one table, one list after the other.
    ///
    /// # Panics
    /// If the columns are not the same.
    pub fn join(parts: &[&Self]) -> Self {
        let mut joined = parts[0].clone();
        for part in &parts[1..] {
            joined.count += part.count;
            for (own, further) in joined.columns.iter_mut().zip(&part.columns) {
                match (&mut own.values, &further.values) {
                    (Content::Numbers(own), Content::Numbers(further)) => own.extend(further),
                    (
                        Content::Categories { codes: own, .. },
                        Content::Categories { codes: further, .. },
                    ) => own.extend(further),
                    _ => panic!("rows of two tables"),
                }
            }
        }
        joined
    }

    /// So many of the rows, or all, drawn without repeats.
    pub fn draw(&self, count: usize, rng: &mut ChaCha8Rng) -> Cow<'_, Self> {
        match count < self.count {
            true => Cow::Owned(self.select(&sample(rng, self.count, count).into_vec())),
            false => Cow::Borrowed(self),
        }
    }

    /// Some of the rows, in the given order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let column = |column: &Column| Column {
            name: column.name.clone(),
            values: match &column.values {
                Content::Numbers(numbers) => {
                    Content::Numbers(rows.iter().map(|&row| numbers[row]).collect())
                }
                Content::Categories {
                    codes,
                    count,
                    missing,
                } => Content::Categories {
                    codes: rows.iter().map(|&row| codes[row]).collect(),
                    count: *count,
                    missing: *missing,
                },
            },
        };
        Self {
            columns: self.columns.iter().map(column).collect(),
            count: rows.len(),
        }
    }
}

fn is_numbers(coding: &Coding) -> bool {
    matches!(coding.values, Values::Numbers { .. })
}

/// A number of units as a value. A quotient of whole numbers, so that it is the very number that the text says.
fn value(coding: &Coding, units: i64) -> f64 {
    match &coding.values {
        Values::Numbers { notation, .. } => match notation.unit() {
            unit if unit < 1.0 => units as f64 / (1.0 / unit).round(),
            unit => units as f64 * unit,
        },
        Values::Words(_) => f64::NAN,
    }
}
