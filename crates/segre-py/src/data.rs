//! Data as Python hands them over, and how they are read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use segre::data::{
    self, DataSource, Dataset, InMemory, Kinds, MissingIs, PartialDataset, ReadOptions, Schema,
    Unseen,
};

use crate::errors::raise;

/// Data that are still to be read: a name or a path, an Arrow table, or an array.
#[pyclass(frozen)]
pub struct Data {
    origin: Origin,
}

enum Origin {
    Source(String),
    Memory(InMemory),
}

#[pymethods]
impl Data {
    /// A built-in's name, or the path of a file or folder.
    #[staticmethod]
    fn source(name: String) -> Self {
        let origin = Origin::Source(name);
        Self { origin }
    }

    /// Anything with an Arrow stream (`__arrow_c_stream__`).
    #[staticmethod]
    fn table(table: PyTable) -> Self {
        let (batches, schema) = table.into_inner();
        let origin = Origin::Memory(InMemory::Table { schema, batches });
        Self { origin }
    }

    /// The bytes of a `.npy` file.
    #[staticmethod]
    fn array(bytes: Vec<u8>) -> Self {
        let origin = Origin::Memory(InMemory::Array(bytes));
        Self { origin }
    }
}

impl Data {
    /// Reads the data and finds out what they hold.
    pub fn read(&self, options: &ReadOptions) -> segre::Result<segre::Data> {
        match &self.origin {
            Origin::Source(name) => segre::read_with(name, options),
            Origin::Memory(data) => Ok(segre::Data::read_in_memory(data, options)?),
        }
    }

    /// Reads the data into a model's columns.
    pub fn read_as(&self, schema: &Schema, options: &ReadOptions) -> segre::Result<Dataset> {
        Ok(match &self.origin {
            Origin::Source(name) => data::read_as(&DataSource::parse(name)?, schema, options)?,
            Origin::Memory(data) => data.read_as(schema, options)?,
        })
    }

    /// Reads data with gaps into a model's columns.
    pub fn read_partial(
        &self,
        schema: &Schema,
        options: &ReadOptions,
        missing: MissingIs,
    ) -> segre::Result<PartialDataset> {
        Ok(match &self.origin {
            Origin::Source(name) => {
                data::read_partial(&DataSource::parse(name)?, schema, options, missing)?
            }
            Origin::Memory(data) => data.read_partial(schema, options, missing)?,
        })
    }
}

/// What becomes of values that a model has not seen, by name.
pub fn unseen(name: &str) -> PyResult<Unseen> {
    match name {
        "error" => Ok(Unseen::Error),
        "missing" => Ok(Unseen::Missing),
        "skip" => Ok(Unseen::SkipRow),
        other => Err(PyValueError::new_err(format!(
            "unseen={other:?}: give 'error', 'missing' or 'skip'"
        ))),
    }
}

/// How data are read: `columns_as` says what columns hold, and so does a file; the rest is JSON of the other options.
pub fn options(
    json: &str,
    columns_as: BTreeMap<String, String>,
    kinds: Option<PathBuf>,
) -> PyResult<ReadOptions> {
    let read = serde_json::from_str(json);
    let mut options: ReadOptions =
        read.map_err(|error| PyValueError::new_err(error.to_string()))?;
    for (column, kind) in columns_as {
        let kind = kind.parse();
        let kind = kind.map_err(PyValueError::new_err)?;
        options.columns_as.insert(column, kind);
    }
    if let Some(path) = kinds {
        let found = Kinds::load(&path).map_err(raise)?;
        options.kinds = found.kinds;
        options.date_formats = found.date_formats;
    }
    Ok(options)
}
