//! What reading and writing files can get wrong, in whatever room.

use std::path::{Path, PathBuf};

/// A file that cannot be read or written.
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {path}: {cause}; {}", remedy(.cause))]
    Io {
        /// What was tried: `read`, `write`, `create`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said; a part of the message.
        cause: std::io::Error,
    },
    /// A folder cannot be made, or nothing can be written in it.
    #[error("cannot write to {folder}; choose another folder")]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// A file ends too early or its compressed contents are damaged.
    #[error("{path}: truncated or damaged ({detail}); write or download the file again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },
    /// What is beyond the memory could not be kept in a temporary file.
    #[error(
        "cannot keep {path} in a temporary file in {folder} ({bytes} bytes so far): {cause}; set TMPDIR to a folder on a disk with \
         room for it twice, or allow more memory (`memory`)"
    )]
    NotKept {
        /// What was read.
        path: PathBuf,
        /// The folder of temporary files.
        folder: PathBuf,
        /// Bytes that were to be in the file.
        bytes: u64,
        /// What the operating system said; a part of the message.
        cause: std::io::Error,
    },
    /// A text file is not UTF-8.
    #[error(
        "{path}:{line}: byte {offset} of the file ({byte:#04x}) is not UTF-8 text; convert the file to UTF-8 \
         (if it is {encoding}: `iconv -f {encoding} -t UTF-8`)"
    )]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Offset of the first bad byte, from 0, after decompression.
        offset: u64,
        /// The byte.
        byte: u8,
        /// What the file may be instead.
        encoding: &'static str,
    },
    /// A text holds a byte that no text has.
    #[error(
        "{path}:{line}: byte {offset} of the file is zero, which is no character of a text; the file is damaged or is no text: \
         write it again, or remove that byte"
    )]
    ZeroByte {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Offset of the byte, from 0, after decompression.
        offset: u64,
    },
    /// A file is of a kind that cannot be read as its name says.
    #[error("{path}: the file is {what}; {remedy}")]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
}

impl FileError {
    /// An [`FileError::Io`], or [`FileError::Damaged`] where the contents rather than the file are at fault.
    pub(crate) fn reading(path: &Path, cause: std::io::Error) -> Self {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match cause.kind() {
            UnexpectedEof | InvalidData | InvalidInput => Self::Damaged {
                path: path.to_path_buf(),
                detail: one_line(&cause.to_string()),
            },
            _ => Self::Io {
                action: "read",
                path: path.to_path_buf(),
                cause,
            },
        }
    }

    /// An [`FileError::Io`] from writing.
    pub(crate) fn writing(path: &Path, cause: std::io::Error) -> Self {
        Self::Io {
            action: "write",
            path: path.to_path_buf(),
            cause,
        }
    }
}

/// What to do about what the operating system said.
fn remedy(cause: &std::io::Error) -> &'static str {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    match cause.kind() {
        StorageFull | QuotaExceeded => "make room on that disk, or choose another",
        _ => "check the path and its permissions",
    }
}

/// The text on one line, shortened to what a terminal shows.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_contents_are_told_from_a_refused_file() {
        let eof = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "a\nb");
        let error = FileError::reading(Path::new("x.npy"), eof);
        assert!(matches!(error, FileError::Damaged { .. }));
        assert!(!error.to_string().contains('\n'));
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert!(matches!(
            FileError::reading(Path::new("x.npy"), gone),
            FileError::Io { .. }
        ));
    }
}
