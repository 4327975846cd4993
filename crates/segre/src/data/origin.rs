//! Data together with where they came from and how they were read.

use std::ops::Deref;

use super::dataset::Dataset;
use super::error::Result;
use super::memory::InMemory;
use super::options::ReadOptions;
use super::source::DataSource;

/// The source of rows that no file holds.
pub const IN_MEMORY: &str = "rows in memory";

/// A data set that knows where it came from: what a fit is given, and stores with the model.
///
/// It is used as the [`Dataset`] that it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    rows: Dataset,
    source: String,
    read_options: ReadOptions,
}

impl Data {
    /// Reads data: a built-in's name (`digits`, `product:c=160,n=4`) or the path of a file or folder.
    ///
    /// # Errors
    /// Those of a missing, malformed or empty file, with its place.
    pub fn read(source: &str, options: &ReadOptions) -> Result<Self> {
        let parsed = DataSource::parse(source)?;
        Ok(Self {
            rows: super::read(&parsed, options)?,
            source: parsed.to_string(),
            read_options: options.clone(),
        })
    }

    /// Data that are in memory, read as a file of them would be.
    ///
    /// # Errors
    /// As [`InMemory::read`].
    pub fn read_in_memory(data: &InMemory, options: &ReadOptions) -> Result<Self> {
        Ok(Self {
            rows: data.read(options)?,
            source: IN_MEMORY.to_owned(),
            read_options: options.clone(),
        })
    }

    /// The data with what each row weighs, for weights that are no column of them.
    ///
    /// # Errors
    /// As [`Dataset::weighed`].
    pub fn weighed(mut self, weights: &[f64]) -> Result<Self> {
        self.rows = self.rows.weighed(weights)?;
        Ok(self)
    }

    /// The rows alone.
    pub fn into_dataset(self) -> Dataset {
        self.rows
    }

    /// The rows.
    pub fn dataset(&self) -> &Dataset {
        &self.rows
    }

    /// Where they came from: a built-in's name or a path as given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How they were read.
    pub fn read_options(&self) -> &ReadOptions {
        &self.read_options
    }
}

impl Deref for Data {
    type Target = Dataset;

    fn deref(&self) -> &Dataset {
        &self.rows
    }
}

/// Rows that no file holds.
impl From<Dataset> for Data {
    fn from(rows: Dataset) -> Self {
        Self {
            rows,
            source: IN_MEMORY.to_owned(),
            read_options: ReadOptions::default(),
        }
    }
}
