//! Discrete data sets: sources, formats, vocabularies, splits, built-in distributions.

mod builtin;
mod dataset;
mod error;
mod format;
mod mask;
mod memory;
mod names;
mod options;
mod origin;
mod partial;
mod place;
mod row_classes;
mod schema;
mod source;
mod split;
mod store;
mod table;

pub use builtin::{BuiltIn, KnownDistribution};
pub use dataset::Dataset;
pub(crate) use dataset::systematic;
pub use error::{DataError, Result};
#[cfg(feature = "arrow")]
pub use format::arrow::{panics_are_errors, record_batch};
pub use format::image::{ClassMap, IgnoreAs, ImageError, ImageOptions, ImageSize, Levels};
pub use format::write::{writable, write};
pub use mask::{Region, SiteMask};
pub use memory::InMemory;
pub use options::{MISSING_WORDS, Missing, MissingIs, ReadOptions, Unseen};
pub use origin::{Data, IN_MEMORY};
pub use partial::PartialDataset;
pub use place::Place;
pub use row_classes::RowClasses;
pub use schema::{Class, Layout, MAX_CATEGORIES, Schema, Site, Vocabulary, Written};
pub use source::DataSource;
pub use split::{Split, SplitConfig};
pub(crate) use store::{Collector, Store};
pub use table::{
    Allowed, Coding, Column, ColumnKind, ColumnType, Condition, Deciders, Decision, Derived,
    INTERVAL, Inequality, Kinds, LeftOut, Notation, Numbers, OfRow, Rule, Spread, TableTypes,
    Values, of_values, solved,
};

/// Reads a data set and finds out its schema.
///
/// # Errors
/// Any [`Error`](crate::Error) of a missing, malformed or empty file, with its place.
pub fn read(source: &DataSource, options: &ReadOptions) -> Result<Dataset> {
    match source {
        DataSource::BuiltIn(built_in) => built_in.dataset(options),
        DataSource::File(path) => format::read(path, options),
    }
}

/// Reads a data set into a schema that is known already, for instance a saved model's.
///
/// Labels mean the same as in the data the schema comes from: table columns are matched by name,
/// categories by their text, arrays by their shape.
///
/// # Errors
/// As [`read`]; moreover [`UnseenCategory`](DataError::UnseenCategory), [`MissingColumn`](DataError::MissingColumn),
/// [`ExtraColumn`](DataError::ExtraColumn), [`BadLabel`](DataError::BadLabel) and
/// [`SchemaMismatch`](DataError::SchemaMismatch) where the data do not fit the schema.
pub fn read_as(source: &DataSource, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
    schema.validate()?;
    match source {
        DataSource::BuiltIn(built_in) => {
            let data = built_in.dataset(options)?;
            schema.same_as(&data.schema)?;
            Ok(data)
        }
        DataSource::File(path) => format::read_as(path, schema, options),
    }
}

/// Reads data of which some labels are unknown into a schema.
///
/// Unknown are columns that a table does not have, its missing fields (`?`, empty, NA) unless `missing` says
/// otherwise, and elements of arrays that are −1 or NaN. Pictures, alignments, texts and built-ins are known
/// everywhere.
///
/// # Errors
/// As [`read_as`].
pub fn read_partial(
    source: &DataSource,
    schema: &Schema,
    options: &ReadOptions,
    missing: MissingIs,
) -> Result<PartialDataset> {
    if let DataSource::File(path) = source {
        schema.validate()?;
        if let Some(data) = format::read_partial(path, schema, options, missing)? {
            return Ok(data);
        }
    }
    let data = read_as(source, schema, options)?;
    Ok(PartialDataset::hiding(&data, |_, _| false))
}

/// Whether a path is a folder of pictures that can be read.
pub fn is_picture_folder(path: &std::path::Path) -> bool {
    path.is_dir() && format::image::has_pictures(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builtin_is_read_into_its_own_schema_only() {
        let options = ReadOptions {
            builtin_rows: Some(50),
            ..ReadOptions::default()
        };
        let source = DataSource::parse("pinwheel").expect("a built-in");
        let data = read(&source, &options).expect("always readable");
        assert_eq!(data.rows(), 50);
        assert_eq!(
            read_as(&source, &data.schema, &options).expect("the same schema"),
            data
        );
        let other = DataSource::parse("digits").expect("a built-in");
        let error = read_as(&other, &data.schema, &options).expect_err("another schema");
        assert!(matches!(error, DataError::SchemaMismatch { .. }));
    }
}
