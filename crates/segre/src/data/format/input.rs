//! Which reader a file is for, told by its name.

use super::image;
use crate::data::error::{DataError, Result};
use crate::stream::is_standard;
use std::path::{Path, PathBuf};

/// The extensions that can be read, for messages.
#[cfg(not(feature = "arrow"))]
pub(in crate::data) const READABLE: &str =
    ".csv, .tsv, .fasta, .fa, .a3m, .txt, .npy, .idx (each also with .gz), .npz";

/// The extensions that can be read, for messages.
#[cfg(feature = "arrow")]
pub(in crate::data) const READABLE: &str = ".npy, .npz, .parquet, .arrow, .feather, .csv, .tsv, .fasta, .fa, .txt, .idx \
     (the last six also with .gz)";

/// What a file holds, told by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) enum FileKind {
    /// One NumPy array.
    Npy,
    /// An archive of NumPy arrays.
    Npz {
        /// The archive, without the key.
        file: PathBuf,
        /// The array, from `FILE.npz:KEY`.
        key: Option<String>,
    },
    /// A table of categorical columns.
    Table {
        /// Between fields.
        delimiter: u8,
    },
    /// A table of typed columns, in Parquet's format.
    #[cfg(feature = "arrow")]
    Parquet,
    /// A table of typed columns, in Arrow's own format, which Feather is too.
    #[cfg(feature = "arrow")]
    Arrow,
    /// Aligned sequences.
    Fasta,
    /// Aligned sequences with insertions, in lower case, which are no columns.
    A3m,
    /// Running text.
    Text,
    /// Grey pictures in the format of MNIST.
    Idx,
    /// A folder of PNG files.
    Folder,
}

impl FileKind {
    /// The kind by extension, `.gz` aside; case does not matter. IDX files, which often have none, are
    /// told by their first bytes too.
    pub(in crate::data) fn of(path: &Path) -> Result<Self> {
        if is_standard(path) {
            return Ok(Self::Table { delimiter: b',' });
        }
        if let Some((file, key)) = split_key(path) {
            return Ok(Self::Npz {
                file,
                key: Some(key),
            });
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        let plain = name.strip_suffix(".gz");
        let extension = Path::new(plain.unwrap_or(&name))
            .extension()
            .unwrap_or_default();
        match (extension.to_string_lossy().as_ref(), plain.is_some()) {
            ("npy", _) => Ok(Self::Npy),
            ("npz", false) => Ok(Self::Npz {
                file: path.to_path_buf(),
                key: None,
            }),
            ("csv", _) => Ok(Self::Table { delimiter: b',' }),
            ("tsv", _) => Ok(Self::Table { delimiter: b'\t' }),
            #[cfg(feature = "arrow")]
            ("parquet" | "pq", false) => Ok(Self::Parquet),
            #[cfg(feature = "arrow")]
            ("arrow" | "feather" | "ipc", false) => Ok(Self::Arrow),
            ("fasta" | "fa" | "afa", _) => Ok(Self::Fasta),
            ("a3m", _) => Ok(Self::A3m),
            ("txt", _) => Ok(Self::Text),
            _ if path.is_dir() => Ok(Self::Folder),
            _ if image::is_idx(path) => Ok(Self::Idx),
            _ => Err(DataError::UnknownFormat {
                path: path.to_path_buf(),
                legal: READABLE,
            }),
        }
    }
}

/// `FILE.npz` and `KEY` of `FILE.npz:KEY`, `None` for any other path.
pub(in crate::data) fn split_key(path: &Path) -> Option<(PathBuf, String)> {
    let text = path.to_str()?;
    let end = text.to_lowercase().rfind(".npz:")? + ".npz".len();
    let key = text.get(end + 1..)?;
    (!key.is_empty()).then(|| (PathBuf::from(&text[..end]), key.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_extension() {
        let kind = |name: &str| FileKind::of(Path::new(name)).ok();
        assert_eq!(kind("a/b.CSV"), Some(FileKind::Table { delimiter: b',' }));
        assert_eq!(kind("b.tsv.gz"), Some(FileKind::Table { delimiter: b'\t' }));
        assert_eq!(kind("b.fa.gz"), Some(FileKind::Fasta));
        assert_eq!(kind("b.txt"), Some(FileKind::Text));
        let file = PathBuf::from("d/b.npz");
        assert_eq!(
            kind("d/b.npz"),
            Some(FileKind::Npz {
                file: file.clone(),
                key: None
            })
        );
        assert_eq!(
            kind("d/b.npz:x_1"),
            Some(FileKind::Npz {
                file,
                key: Some("x_1".into())
            })
        );
        for name in ["b.xlsx", "b", "b.npz.gz", "csv", ".gz", ""] {
            assert!(kind(name).is_none(), "{name}");
        }
    }
}
