//! Tables of typed columns: Arrow in memory, files of Parquet and Arrow. Types say what columns hold where texts must be
//! looked at: a text of digits is a text, and `null` is missing. So is NaN, and so is `?`, which stands for missing fields in
//! what Segre writes; the empty text is a text.

mod check;
mod files;
mod guard;
mod read;
mod write;

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

pub use self::files::{read_arrow, read_parquet, write};
pub use self::guard::panics_are_errors;
pub use self::write::record_batch;
use crate::data::dataset::Dataset;
use crate::data::error::Result;
use crate::data::options::{Missing, MissingIs, ReadOptions};
use crate::data::partial::PartialDataset;
use crate::data::schema::Schema;
use crate::data::table::{self, Frame};

/// A table that comes in batches of rows.
pub struct Batches<'a> {
    /// Where it comes from, for messages.
    pub path: &'a Path,
    /// Its columns.
    pub schema: SchemaRef,
    /// Reads the rows, of all columns or of those of these places.
    #[expect(clippy::type_complexity, reason = "the one use of it")]
    pub rows: Box<
        dyn FnOnce(
                &[usize],
            )
                -> Result<Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + 'a>>
            + 'a,
    >,
}

impl<'a> Batches<'a> {
    /// A table in memory, whose name is for messages.
    pub fn in_memory(name: &'a Path, schema: SchemaRef, batches: &'a [RecordBatch]) -> Self {
        Self {
            path: name,
            schema,
            rows: Box::new(move |columns| {
                let columns = columns.to_vec();
                let batches = batches.iter().map(move |batch| batch.project(&columns));
                Ok(Box::new(batches))
            }),
        }
    }

    /// Reads the table and finds out what its columns hold.
    pub fn read(self, options: &ReadOptions) -> Result<Dataset> {
        let names = self.names()?;
        let columns = table::columns_to_read(self.path, &names, options)?;
        let (mut frame, notes) = self.frame(&columns, options.missing, options.memory)?;
        table::take_weights(&mut frame, options)?;
        let mut schema = table::schema_of(&frame, options)?;
        schema.notes.extend(notes);
        table::encode(&frame, &schema, options)
    }

    /// Reads the table into a schema, matching columns by name in any order.
    pub fn read_as(self, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
        let names = self.names()?;
        let columns = table::columns_of(self.path, &names, schema, options)?;
        let (frame, _) = self.frame(&columns, options.missing, options.memory)?;
        table::read_rows(frame, schema, options)
    }

    /// Reads the table into a schema; columns that are not there are unknown labels, and so are missing fields, unless they
    /// are to be the category that their column has for them.
    pub fn read_partial(
        self,
        schema: &Schema,
        options: &ReadOptions,
        missing: MissingIs,
    ) -> Result<PartialDataset> {
        let names = self.names()?;
        let columns = table::columns_there(self.path, &names, schema, options)?;
        let (frame, _) = self.frame(&columns, Missing::Category, options.memory)?;
        table::encode_partial(&frame, schema, missing, options.unseen)
    }

    fn names(&self) -> Result<Vec<String>> {
        let fields = self.schema.fields().iter();
        let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
        table::require_different(self.path, &names)?;
        Ok(names)
    }

    /// The chosen columns, and what was done with their rows.
    fn frame(
        self,
        columns: &[usize],
        missing: Missing,
        memory: u64,
    ) -> Result<(Frame, Vec<String>)> {
        read::frame(self, columns, missing, memory)
    }
}

#[cfg(test)]
mod tests;
