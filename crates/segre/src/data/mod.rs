//! Discrete data sets: sources, formats, vocabularies, splits, built-in distributions, samplers' divergence.

mod builtin;
mod csv;
mod dataset;
mod distances;
mod divergence;
mod fasta;
mod image;
mod input;
mod map_statistics;
mod mask;
mod nearest;
mod npy;
mod options;
mod partial;
mod row_classes;
mod schema;
mod source;
mod split;
mod store;
mod text;
mod write;

pub use builtin::{BuiltIn, KnownDistribution};
pub use dataset::Dataset;
pub use distances::{DistanceComparison, DistanceSummary};
pub use divergence::{Comparison, Divergence};
pub use image::{
    ClassMap, IgnoreAs, ImageError, ImageOptions, ImageSize, Labels, Levels, read_labels,
};
pub use map_statistics::{MapDistance, MapStatistics};
pub use mask::{Region, SiteMask};
pub use nearest::{Neighbour, nearest};
pub use options::{Missing, MissingIs, ReadOptions};
pub use partial::PartialDataset;
pub use row_classes::RowClasses;
pub use schema::{Class, Layout, MAX_CATEGORIES, Schema, Site, Vocabulary};
pub use source::DataSource;
pub use split::Split;
pub use write::{writable, write};

use crate::error::{Error, Result};
use input::FileKind;
use npy::Stored;

/// Reads a data set and finds out its schema.
///
/// # Errors
/// Any [`Error`] of a missing, malformed or empty file, with its place.
pub fn read(source: &DataSource, options: &ReadOptions) -> Result<Dataset> {
    match source {
        DataSource::BuiltIn(built_in) => built_in.dataset(options),
        DataSource::File(path) => match FileKind::of(path)? {
            FileKind::Npy => npy::read(Stored::Alone(path), None, options),
            FileKind::Npz { file, key } => {
                npy::read(Stored::Archive(&file, key.as_deref()), None, options)
            }
            FileKind::Table { delimiter } => csv::read(path, delimiter, options),
            FileKind::Fasta => fasta::read(path, None),
            FileKind::Text => text::read(path, options.text_window),
            FileKind::Idx => image::read_idx(path, None, options),
            FileKind::Folder => image::read_folder(path, None, options),
        },
    }
}

/// Reads a data set into a schema that is known already, for instance a saved model's.
///
/// Labels mean the same as in the data the schema comes from: table columns are matched by name,
/// categories by their text, arrays by their shape.
///
/// # Errors
/// As [`read`]; moreover [`Error::UnseenCategory`], [`Error::MissingColumn`],
/// [`Error::ExtraColumn`], [`Error::BadLabel`] and [`Error::SchemaMismatch`] where the data do not
/// fit the schema.
pub fn read_as(source: &DataSource, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
    schema.validate()?;
    match source {
        DataSource::BuiltIn(built_in) => {
            let data = built_in.dataset(options)?;
            schema.same_as(&data.schema)?;
            Ok(data)
        }
        DataSource::File(path) => match FileKind::of(path)? {
            FileKind::Npy => npy::read(Stored::Alone(path), Some(schema), options),
            FileKind::Npz { file, key } => npy::read(
                Stored::Archive(&file, key.as_deref()),
                Some(schema),
                options,
            ),
            FileKind::Table { delimiter } => csv::read_as(path, delimiter, schema, options),
            FileKind::Fasta => {
                require_layout(schema, &Layout::Sequence)?;
                fasta::read(path, Some(schema))
            }
            FileKind::Text => {
                require_layout(schema, &Layout::Text)?;
                text::read_as(path, schema)
            }
            FileKind::Idx => image::read_idx(path, Some(schema), options),
            FileKind::Folder => image::read_folder(path, Some(schema), options),
        },
    }
}

/// Reads data of which some labels are unknown into a schema.
///
/// Unknown are columns that a table does not have, its missing fields (`?`, empty, NA) unless `missing` says otherwise, and
/// elements of arrays that are −1 or NaN. Pictures, alignments, texts and built-ins are known everywhere.
///
/// # Errors
/// As [`read_as`].
pub fn read_partial(
    source: &DataSource,
    schema: &Schema,
    options: &ReadOptions,
    missing: MissingIs,
) -> Result<PartialDataset> {
    schema.validate()?;
    if let DataSource::File(path) = source {
        let kind = FileKind::of(path)?;
        if let FileKind::Table { delimiter } = kind {
            return csv::read_partial(path, delimiter, schema, options, missing);
        }
        if let Some(stored) = Stored::of(path, &kind) {
            return npy::read_partial(stored, schema);
        }
    }
    let data = read_as(source, schema, options)?;
    Ok(PartialDataset::hiding(&data, |_, _| false))
}

/// Whether a path is a folder of pictures that can be read.
pub fn is_picture_folder(path: &std::path::Path) -> bool {
    path.is_dir() && image::has_pictures(path)
}

/// Refuses a file type whose layout is not the schema's.
fn require_layout(schema: &Schema, layout: &Layout) -> Result<()> {
    if schema.layout == *layout {
        return Ok(());
    }
    Err(Error::SchemaMismatch {
        what: "the layout".into(),
        expected: schema.layout.name().into(),
        found: layout.name().into(),
    })
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
        assert!(matches!(error, Error::SchemaMismatch { .. }));
    }

    #[test]
    fn a_text_is_no_alignment() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.fasta");
        std::fs::write(&path, ">a\nACGT\n").expect("a writable folder");
        let names = (0..4).map(|site| format!("x{site}")).collect();
        let schema = Schema::shared(Layout::Text, names, Vocabulary::Integers { count: 4 });
        let error = read_as(&DataSource::File(path), &schema, &ReadOptions::default());
        assert!(matches!(error, Err(Error::SchemaMismatch { .. })));
    }
}
