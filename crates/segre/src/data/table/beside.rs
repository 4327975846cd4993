//! Columns of a table that are no part of the model, kept with its rows: identifiers come back as they were.

use super::frame::{Frame, FrameColumn, MISSING};
use crate::data::schema::Schema;

/// Texts of columns that the model leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// Each with its place among the columns that are left out of the schema.
    columns: Vec<(usize, FrameColumn)>,
}

impl Beside {
    /// Those of the left-out columns of a schema that a table has; `None` if there are none.
    pub fn of(frame: &Frame, schema: &Schema) -> Option<Self> {
        let left_out = schema.left_out.iter().enumerate();
        let columns: Vec<(usize, FrameColumn)> = left_out
            .filter_map(|(place, own)| Some((place, frame.column(&own.name)?.clone())))
            .collect();
        (!columns.is_empty()).then_some(Self { columns })
    }

    /// The columns, by their place among those that are left out.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|(place, _)| *place)
    }

    /// The text of a row in a column, empty where it is missing.
    pub fn text(&self, place: usize, row: usize) -> &str {
        let own = self.columns.iter().find(|(own, _)| *own == place);
        own.map_or("", |(_, column)| match column.codes.get(row) {
            MISSING => "",
            code => column.words.get(code),
        })
    }

    /// Those of the chosen rows, in the given order, repeats allowed.
    #[must_use]
    pub fn select(&self, rows: impl Iterator<Item = usize> + Clone) -> Self {
        let choose = |(place, column): &(usize, FrameColumn)| {
            let codes = rows.clone().map(|row| column.codes.get(row)).collect();
            let column = FrameColumn {
                name: column.name.clone(),
                words: column.words.clone(),
                codes,
                typed: column.typed,
            };
            (*place, column)
        };
        Self {
            columns: self.columns.iter().map(choose).collect(),
        }
    }
}
