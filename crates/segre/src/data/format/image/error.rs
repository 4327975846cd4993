//! What picture files, folders of them and class mappings can get wrong.

use super::options::ImageSize;
use std::path::PathBuf;

/// Everything that can fail in reading pictures; each message is one line with place, value and remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A folder has no picture.
    #[error(
        "{path}: no .png file in this folder or the folders in it; give a folder of pictures, or a file: use one \
         of {legal}"
    )]
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// The extensions of files that can be read.
        legal: &'static str,
    },
    /// A folder holds several parts of the Cityscapes data.
    #[error("{path}: holds the parts {parts} of a Cityscapes folder; give one of them")]
    SeveralParts {
        /// The folder.
        path: PathBuf,
        /// The parts.
        parts: String,
    },
    /// A file is no readable PNG.
    #[error("{path}: not a readable PNG ({detail}); write or download the file again")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },
    /// A PNG has 16 bits to the channel.
    #[error("{path}: 16 bits per channel, but at most 8 can be read; convert the file to 8 bits")]
    BitDepth {
        /// The file.
        path: PathBuf,
    },
    /// A PNG has channels that mean nothing here.
    #[error("{path}: the pixels are {found}, but {expected} are expected; {remedy}")]
    Channels {
        /// The file.
        path: PathBuf,
        /// What the pixels are.
        found: &'static str,
        /// What can be read.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// Pictures of two sizes without one to bring them to.
    #[error(
        "{path}: {found} pixels (height x width) where {expected} are expected; resize all with `size = {expected}` \
         or remove the file"
    )]
    OtherSize {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: ImageSize,
        /// The size of the first picture, or of the data of the fit.
        expected: ImageSize,
    },
    /// An id of a label map belongs to no class.
    #[error(
        "{path}: row {row}, column {column}: {id} is none of the ids with a class ({known}); add it to the file of \
         `classes`, or use `ignore = {id}`; for pictures that are no label maps use `gray`"
    )]
    NoClass {
        /// The file.
        path: PathBuf,
        /// Row of the pixel in the file, from 0.
        row: usize,
        /// Column of the pixel in the file, from 0.
        column: usize,
        /// The id.
        id: u8,
        /// The ids that have a class.
        known: String,
    },
    /// More ids than label maps have.
    #[error(
        "{path}: {found} distinct values are too many for class ids (at most {limit} without `classes`); for \
         pictures that are no label maps use `gray`"
    )]
    TooManyIds {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A label map has no pixel to fill the ignored ones from.
    #[error(
        "{path}: every pixel is ignored, so there is no class to fill in; remove the file or use `ignore_as = class`"
    )]
    NothingLabelled {
        /// The file.
        path: PathBuf,
    },
    /// A file does not start as the wanted kind of IDX file does.
    #[error("{path}: starts with the bytes {found}, not with {expected}; {remedy}")]
    IdxMagic {
        /// The file.
        path: PathBuf,
        /// The first bytes in hexadecimal.
        found: String,
        /// What it should start with.
        expected: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// An IDX file is shorter or longer than its header says.
    #[error(
        "{path}: {found} bytes after the header where it promises {expected} ({shape}); the file is damaged, \
         download it again"
    )]
    IdxLength {
        /// The file.
        path: PathBuf,
        /// Bytes that are there, `more than …` if too many.
        found: String,
        /// Bytes that the header promises.
        expected: u128,
        /// The lengths of the axes.
        shape: String,
    },
    /// Classes are asked for by a name that is neither known nor a file's.
    #[error(
        "{name:?} names no classes and no such file exists; use {known}, or a .csv file with the columns id, class \
         and colour"
    )]
    UnknownClasses {
        /// The name.
        name: String,
        /// The names that are known.
        known: String,
    },
    /// A line of a class file cannot be understood.
    #[error("{path}:{line}: {column} is {value:?}, but it must be {expected}; correct it")]
    ClassField {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// The value found.
        value: String,
        /// What is legal.
        expected: String,
    },
    /// A class file names an id twice.
    #[error(
        "{path}:{line}: id {id} has a class already (line {first}); remove one of the two lines"
    )]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The id.
        id: u8,
        /// The line that named it before.
        first: u64,
    },
    /// Pictures larger than what they are to be padded to.
    #[error(
        "pictures of {size} cannot be padded to {padded}; choose at least {size} with `pad_to`"
    )]
    Padding {
        /// Their size.
        size: ImageSize,
        /// The size asked for.
        padded: ImageSize,
    },
    /// An option that these pictures have no use for.
    #[error("{path}: {option} is for {purpose}; {remedy}")]
    Useless {
        /// The file or folder.
        path: PathBuf,
        /// The option.
        option: &'static str,
        /// What it is for.
        purpose: &'static str,
        /// What to do.
        remedy: &'static str,
    },
}
