//! Data in memory, as other programs hand them over: what a file would hold, without the file.

use std::path::Path;

#[cfg(feature = "arrow")]
use arrow_array::RecordBatch;
#[cfg(feature = "arrow")]
use arrow_schema::SchemaRef;

use super::dataset::Dataset;
use super::error::Result;
use super::format;
use super::options::{MissingIs, ReadOptions};
use super::partial::PartialDataset;
use super::schema::Schema;

/// What tables in memory are called in messages, in place of a file; their rows are counted from 0.
#[cfg(feature = "arrow")]
const TABLE: &str = "the table";
/// What arrays in memory are called.
const ARRAY: &str = "the array";

/// Data in memory.
#[derive(Clone, Debug)]
pub enum InMemory {
    /// An integer array `[rows, …]` as the bytes of a `.npy` file, with everything that such a file may be.
    Array(Vec<u8>),
    /// A table of typed columns, in batches of rows.
    #[cfg(feature = "arrow")]
    Table {
        /// Names and types of the columns.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
}

impl InMemory {
    /// Reads the data and finds out their schema.
    ///
    /// # Errors
    /// As [`read`](super::read) for a file of the same contents.
    pub fn read(&self, options: &ReadOptions) -> Result<Dataset> {
        match self {
            Self::Array(bytes) => format::npy::read(stored(bytes), None, options),
            #[cfg(feature = "arrow")]
            Self::Table { schema, batches } => batches_of(schema, batches).read(options),
        }
    }

    /// Reads the data into a schema that is known already.
    ///
    /// # Errors
    /// As [`read_as`](super::read_as) for a file of the same contents.
    pub fn read_as(&self, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
        match self {
            Self::Array(bytes) => format::npy::read(stored(bytes), Some(schema), options),
            #[cfg(feature = "arrow")]
            Self::Table {
                schema: own,
                batches,
            } => batches_of(own, batches).read_as(schema, options),
        }
    }

    /// Reads data of which some labels are unknown into a schema.
    ///
    /// # Errors
    /// As [`read_partial`](super::read_partial) for a file of the same contents.
    pub fn read_partial(
        &self,
        schema: &Schema,
        options: &ReadOptions,
        missing: MissingIs,
    ) -> Result<PartialDataset> {
        match self {
            Self::Array(bytes) => format::npy::read_partial(stored(bytes), schema),
            #[cfg(feature = "arrow")]
            Self::Table {
                schema: own,
                batches,
            } => batches_of(own, batches).read_partial(schema, options, missing),
        }
    }
}

fn stored(bytes: &[u8]) -> format::npy::Stored<'_> {
    format::npy::Stored::Bytes(Path::new(ARRAY), bytes)
}

#[cfg(feature = "arrow")]
fn batches_of<'a>(schema: &SchemaRef, batches: &'a [RecordBatch]) -> format::arrow::Batches<'a> {
    format::arrow::Batches::in_memory(Path::new(TABLE), schema.clone(), batches)
}
