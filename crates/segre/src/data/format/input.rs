//! Files as streams: the kind by extension, transparent gzip, whole texts with UTF-8 checked.

use super::image;
use crate::data::error::{DataError, Result};
use crate::data::source::is_standard;
use crate::file_error::FileError;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// The extensions that can be read, for messages.
#[cfg(not(feature = "arrow"))]
pub(in crate::data) const READABLE: &str =
    ".npy, .npz, .csv, .tsv, .fasta, .fa, .txt, .idx (the last six also with .gz)";

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
            ("npy", false) => Ok(Self::Npy),
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
            ("fasta" | "fa", _) => Ok(Self::Fasta),
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

/// A buffered stream of the file's contents, or of standard input, decompressed if its name ends in `.gz`.
pub(in crate::data) fn open(path: &Path) -> Result<Box<dyn Read>> {
    if is_standard(path) {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|cause| FileError::reading(path, cause))?;
    let compressed = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if compressed {
        Ok(Box::new(MultiGzDecoder::new(BufReader::new(file))))
    } else {
        Ok(Box::new(BufReader::new(file)))
    }
}

/// The file's whole text without byte-order mark.
pub(in crate::data) fn read_text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|cause| FileError::reading(path, cause))?;
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix('\u{feff}') {
            Some(rest) => Ok(rest.to_string()),
            None => Ok(text),
        },
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let breaks = error.as_bytes()[..valid]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
            let (line, offset) = (breaks as u64 + 1, valid as u64);
            Err(FileError::InvalidUtf8 {
                path: path.to_path_buf(),
                line,
                offset,
            }
            .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataError;
    use std::io::Write;

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
        for name in ["b.xlsx", "b", "b.npy.gz", "csv", ".gz", ""] {
            assert!(kind(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_cut_gzip_file_is_damaged_and_bad_utf8_is_placed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.txt.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder
            .write_all("some text, some more text".repeat(50).as_bytes())
            .expect("memory");
        let bytes = encoder.finish().expect("memory");
        std::fs::write(&path, &bytes).expect("writable");
        assert!(read_text(&path).is_ok());
        std::fs::write(&path, &bytes[..bytes.len() - 12]).expect("writable");
        assert!(matches!(
            read_text(&path),
            Err(DataError::File(FileError::Damaged { .. }))
        ));
        let path = folder.path().join("a.txt");
        std::fs::write(&path, b"\xef\xbb\xbfab\nc\xff").expect("writable");
        assert!(matches!(
            read_text(&path),
            Err(DataError::File(FileError::InvalidUtf8 {
                line: 2,
                offset: 7,
                ..
            }))
        ));
        std::fs::write(&path, "\u{feff}abc").expect("writable");
        assert_eq!(read_text(&path).expect("legal"), "abc");
    }
}
