//! Readers and writers, one file or folder a format; which of them is for a file is told by its name.

#[cfg(feature = "arrow")]
pub(in crate::data) mod arrow;
pub(in crate::data) mod csv;
pub(in crate::data) mod fasta;
pub(in crate::data) mod image;
pub(in crate::data) mod input;
pub(in crate::data) mod npy;
pub(in crate::data) mod text;
pub(in crate::data) mod write;

use std::path::Path;

use self::fasta::LowerCase;
use self::input::FileKind;
use self::npy::Stored;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::options::{MissingIs, ReadOptions};
use crate::data::partial::PartialDataset;
use crate::data::schema::{Layout, Schema};

/// Reads a file and finds out its schema.
pub(super) fn read(path: &Path, options: &ReadOptions) -> Result<Dataset> {
    match FileKind::of(path)? {
        FileKind::Npy => npy::read(Stored::Alone(path), None, options),
        FileKind::Npz { file, key } => {
            npy::read(Stored::Archive(&file, key.as_deref()), None, options)
        }
        FileKind::Table { delimiter } => csv::read(path, delimiter, options),
        #[cfg(feature = "arrow")]
        FileKind::Parquet => arrow::read_parquet(path)?.read(options),
        #[cfg(feature = "arrow")]
        FileKind::Arrow => arrow::read_arrow(path)?.read(options),
        FileKind::Fasta => fasta::read(path, LowerCase::Letters, None),
        FileKind::A3m => fasta::read(path, LowerCase::Insertions, None),
        FileKind::Text => text::read(path, options.text_window),
        FileKind::Idx => image::read_idx(path, None, options),
        FileKind::Folder => image::read_folder(path, None, options),
    }
}

/// Reads a file into a schema.
pub(super) fn read_as(path: &Path, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
    match FileKind::of(path)? {
        FileKind::Npy => npy::read(Stored::Alone(path), Some(schema), options),
        FileKind::Npz { file, key } => npy::read(
            Stored::Archive(&file, key.as_deref()),
            Some(schema),
            options,
        ),
        FileKind::Table { delimiter } => csv::read_as(path, delimiter, schema, options),
        #[cfg(feature = "arrow")]
        FileKind::Parquet => arrow::read_parquet(path)?.read_as(schema, options),
        #[cfg(feature = "arrow")]
        FileKind::Arrow => arrow::read_arrow(path)?.read_as(schema, options),
        FileKind::Fasta => {
            require_layout(schema, &Layout::Sequence)?;
            fasta::read(path, LowerCase::Letters, Some(schema))
        }
        FileKind::A3m => {
            require_layout(schema, &Layout::Sequence)?;
            fasta::read(path, LowerCase::Insertions, Some(schema))
        }
        FileKind::Text => {
            require_layout(schema, &Layout::Text)?;
            text::read_as(path, schema)
        }
        FileKind::Idx => image::read_idx(path, Some(schema), options),
        FileKind::Folder => image::read_folder(path, Some(schema), options),
    }
}

/// Reads a file with unknown labels into a schema; `None` for formats in which everything is known.
pub(super) fn read_partial(
    path: &Path,
    schema: &Schema,
    options: &ReadOptions,
    missing: MissingIs,
) -> Result<Option<PartialDataset>> {
    let kind = FileKind::of(path)?;
    if let FileKind::Table { delimiter } = kind {
        return csv::read_partial(path, delimiter, schema, options, missing).map(Some);
    }
    #[cfg(feature = "arrow")]
    if matches!(kind, FileKind::Parquet | FileKind::Arrow) {
        let table = match kind {
            FileKind::Parquet => arrow::read_parquet(path)?,
            _ => arrow::read_arrow(path)?,
        };
        return table.read_partial(schema, options, missing).map(Some);
    }
    let stored = Stored::of(path, &kind);
    stored
        .map(|stored| npy::read_partial(stored, schema))
        .transpose()
}

/// Refuses a file type whose layout is not the schema's.
fn require_layout(schema: &Schema, layout: &Layout) -> Result<()> {
    if schema.layout == *layout {
        return Ok(());
    }
    Err(DataError::SchemaMismatch {
        what: "the layout".into(),
        expected: schema.layout.name().into(),
        found: layout.name().into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::data::{DataSource, ReadOptions, Vocabulary, read_as};

    use super::*;

    #[test]
    fn a_text_is_no_alignment() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.fasta");
        std::fs::write(&path, ">a\nACGT\n").expect("a writable folder");
        let names = (0..4).map(|site| format!("x{site}")).collect();
        let schema = Schema::shared(Layout::Text, names, Vocabulary::Integers { count: 4 });
        let error = read_as(&DataSource::File(path), &schema, &ReadOptions::default());
        assert!(matches!(error, Err(DataError::SchemaMismatch { .. })));
    }
}
