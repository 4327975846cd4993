//! What data can get wrong: files, schemas, splits, masks.

use std::path::PathBuf;

use super::format::image::ImageError;
use crate::file_error::FileError;
use crate::setting::{InvalidSetting, ParameterError};

/// What this room's fallible functions return.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::data`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A data argument names neither a built-in distribution nor a file.
    #[error(
        "{name:?} is no built-in data set and no such file exists; built-ins are {built_ins}, \
         otherwise give the path of a file{hint}"
    )]
    UnknownSource {
        /// The argument.
        name: String,
        /// The names of the built-ins.
        built_ins: String,
        /// What may have been meant.
        hint: String,
    },
    /// A data file has an extension that no reader knows.
    #[error("{path}: unknown file type; use one of {legal}")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// The legal extensions.
        legal: &'static str,
    },
    /// A file holds no data.
    #[error("{path}: {what}; a data set needs at least one row and one column")]
    NoData {
        /// The file.
        path: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// A table's row has another number of fields than its header.
    #[error(
        "{path}:{line}: the row has {found} fields where {expected} are expected; \
         add or quote the fields of this row"
    )]
    RaggedRow {
        /// The file.
        path: PathBuf,
        /// Line of the row, from 1.
        line: u64,
        /// Fields found.
        found: usize,
        /// Fields expected.
        expected: usize,
    },
    /// Two columns of a table have one name.
    #[error("{path}: columns {first} and {second} are both named {name:?}; rename one of them")]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// First column with it, from 1.
        first: usize,
        /// Second column with it, from 1.
        second: usize,
    },
    /// A column was selected or dropped by a name that the table lacks.
    #[error("{path}: there is no column {column:?} to {action}; the columns are {columns}{hint}")]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        column: String,
        /// `select` or `drop`.
        action: &'static str,
        /// The names there are.
        columns: String,
        /// What may have been meant.
        hint: String,
    },
    /// A field of a table opens with a quote that does not end it.
    #[error(
        "{path}:{line}: a field opens with a quote here and does not end with one, so that what follows would be a part of it; \
         remove the quote, or end the field with one (within quotes a quote is written twice)"
    )]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// Line on which the quote opens, from 1.
        line: u64,
    },
    /// A column is named that the data do not have.
    #[error("{name:?} is no column of the model; its columns are {columns}{hint}")]
    NoSuchColumn {
        /// The name asked for.
        name: String,
        /// The names there are.
        columns: String,
        /// What may have been meant.
        hint: String,
    },
    /// A column of very many words is asked for as a whole.
    #[error(
        "column {name:?} has more words than one site takes, so it has no probabilities of them all; draw it, given the others"
    )]
    ManyWords {
        /// The column.
        name: String,
    },
    /// A table lacks a column of the schema.
    #[error(
        "{path}: column {column:?} is missing; the columns must be named as in the data of the fit"
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
    },
    /// A table has columns that the schema does not know.
    #[error(
        "{path}: the model has no column {column:?}; its columns are {columns}; rename it, or remove it from the file{hint}"
    )]
    ExtraColumn {
        /// The file.
        path: PathBuf,
        /// The first unknown column.
        column: String,
        /// The columns of the model.
        columns: String,
        /// What may have been meant.
        hint: String,
    },
    /// A column does not hold what it is said to.
    #[error(
        "{path}: column {column:?}: {problem}; correct the field, or say another kind (`columns_as`)"
    )]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is the matter.
        problem: String,
    },
    /// A column of a typed table whose fields are no values.
    #[error(
        "{path}: column {column:?} is of type {type_name}, which is no category, number or moment; leave it out \
         (`drop_columns`), or make columns of its parts"
    )]
    UnsuitedType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type, as Arrow writes it.
        type_name: String,
    },
    /// Every column is left out.
    #[error(
        "{path}: no column is left: {why}; keep a column by saying what it holds, as NAME=category or NAME=number \
         (`columns_as`)"
    )]
    NothingToLearn {
        /// The file.
        path: PathBuf,
        /// Why the first is left out.
        why: String,
    },
    /// A field of a column of numbers.
    #[error(
        "{path}:{line}: column {column:?}: {value:?} is no number of the notation seen at fit time; correct the value"
    )]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Line of the row.
        line: u64,
        /// The column.
        column: String,
        /// The field.
        value: String,
    },
    /// A category that the schema does not know.
    #[error(
        "{path}:{line}: {site}: {value:?} is none of the {known} categories seen at fit time{more}; \
         correct the value, remove the row, or fit again with it"
    )]
    UnseenCategory {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Column or position.
        site: String,
        /// The value found.
        value: String,
        /// How many categories the schema has there.
        known: usize,
        /// What else is not known, and what to do with all of it.
        more: String,
    },
    /// A file does not say what columns hold.
    #[error("{path}: {problem}")]
    BadKinds {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A constraint is none that rows can keep.
    #[error("constraint {constraint:?}: {problem}")]
    BadConstraint {
        /// The constraint.
        constraint: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// Rows of the data break a constraint.
    #[error(
        "{path}:{line}: the row breaks the constraint {constraint:?}, and so do {rows} of {all} rows in all; correct them, or leave \
         the constraint out"
    )]
    BrokenConstraint {
        /// The file.
        path: PathBuf,
        /// Line of the first row that does.
        line: u64,
        /// The constraint.
        constraint: String,
        /// Rows that do.
        rows: usize,
        /// Rows of the data.
        all: usize,
    },
    /// A field of the column of weights is none.
    #[error(
        "{path}:{line}: column {column:?} of weights: {value:?} is no weight; weights are numbers of at least 0, not all of them 0"
    )]
    BadWeight {
        /// The file.
        path: PathBuf,
        /// Line of the row.
        line: u64,
        /// The column.
        column: String,
        /// The field.
        value: String,
    },
    /// A row says something else of a column than the columns that decide it.
    #[error("{path}:{line}: column {column:?}: {value:?} {problem}{more}; correct the row")]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// Line of the row.
        line: u64,
        /// The decided column.
        column: String,
        /// Its field.
        value: String,
        /// What is wrong with it.
        problem: String,
        /// What else is wrong, and what to do with all of it.
        more: String,
    },
    /// A column is asked for that others decide.
    #[error(
        "{rule}, so it is no part of the model; name {parents} in its place, or keep it in a new fit by saying what it holds \
         (`columns_as`)"
    )]
    Decided {
        /// What decides it.
        rule: String,
        /// The columns that do.
        parents: String,
    },
    /// A condition that says nothing that a column could be.
    #[error("{name:?} = {value:?}: {problem}")]
    BadCondition {
        /// The column.
        name: String,
        /// What is said.
        value: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A sequence of an alignment has another length than the first one.
    #[error(
        "{path}:{line}: record {record:?} has {found} symbols where {expected} are expected; \
         give all records one length{hint}"
    )]
    UnalignedRecord {
        /// The file.
        path: PathBuf,
        /// Line where the record starts, from 1.
        line: u64,
        /// The record's name.
        record: String,
        /// Symbols found.
        found: usize,
        /// Symbols expected.
        expected: usize,
        /// What may be the matter.
        hint: &'static str,
    },
    /// A FASTA file has text before its first record.
    #[error("{path}:{line}: text before the first record; a FASTA record starts with '>'{hint}")]
    NotFasta {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What it may be instead.
        hint: String,
    },
    /// An alignment that may be understood in two ways, or in none.
    #[error("{path}:{line}: {problem}")]
    BadAlignment {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is the matter, and what to do.
        problem: String,
    },
    /// A text is shorter than one window.
    #[error(
        "{path}: {found} characters are less than one window of {window}; use a shorter one (`text_window`)"
    )]
    TextTooShort {
        /// The file.
        path: PathBuf,
        /// Characters in the file.
        found: usize,
        /// Window length in characters.
        window: usize,
    },
    /// An array's elements are not integers.
    #[error(
        "{path}: the array's elements are {dtype}, {what}, but labels are integers from 0; {remedy}"
    )]
    NotIntegers {
        /// The file.
        path: PathBuf,
        /// NumPy's name of the element type.
        dtype: String,
        /// What that is.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// An array has a shape that holds no rows of sites.
    #[error("{path}: an array of shape {shape:?} is no data set; use [rows, sites] or more axes")]
    ArrayShape {
        /// The file.
        path: PathBuf,
        /// The shape found.
        shape: Vec<u64>,
    },
    /// An array holds a number that is no label.
    #[error(
        "{path}: row {row}, {site}: {value} is no label; \
         legal labels are the integers from 0 to {largest}{hint}; correct or map the values"
    )]
    BadLabel {
        /// The file.
        path: PathBuf,
        /// Row, from 0 as in the array.
        row: usize,
        /// Name of the site.
        site: String,
        /// The number found.
        value: String,
        /// Largest legal label.
        largest: usize,
        /// What the number may mean.
        hint: &'static str,
    },
    /// An archive does not tell which of its arrays to read.
    #[error("{path}: {problem}; the archive holds {keys}, name one of them as FILE.npz:KEY")]
    ArrayChoice {
        /// The file.
        path: PathBuf,
        /// What is the matter.
        problem: String,
        /// The names of the arrays there are.
        keys: String,
    },
    /// A file cannot hold data of this layout.
    #[error("{path}: cannot write {layout} data to this file type; use one of {legal}")]
    WriteFormat {
        /// The file.
        path: PathBuf,
        /// The layout's name.
        layout: &'static str,
        /// The legal extensions.
        legal: &'static str,
    },
    /// Two schemas, or data and a schema, disagree.
    #[error(
        "the data differ from the schema: {what} is {found}, not {expected}; use matching data"
    )]
    SchemaMismatch {
        /// The first thing that differs.
        what: String,
        /// As the schema has it.
        expected: String,
        /// As it was found.
        found: String,
    },
    /// Labels that take more memory than allowed could not be kept in a temporary file.
    #[error(
        "cannot keep labels in a temporary file in {folder} ({bytes} bytes so far): {cause}; set TMPDIR to a folder \
         on a disk with room for them twice, or allow more memory (`memory`)"
    )]
    LabelFile {
        /// The folder of temporary files.
        folder: PathBuf,
        /// Bytes that were to be in the file.
        bytes: u64,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// A label is not below the number of categories of its site.
    #[error("row {row}, {site}: label {label} is not below the {categories} categories there")]
    LabelOutOfRange {
        /// Row, from 0.
        row: usize,
        /// Name of the site.
        site: String,
        /// The label.
        label: u16,
        /// Number of categories.
        categories: usize,
    },
    /// The data set is too small for its split, or the fractions are illegal.
    #[error(
        "cannot split {rows} rows: the {part} part with fraction {fraction} would hold {count}; \
         every part needs a row, so give more data or other fractions (each above 0, sum below 1)"
    )]
    BadSplit {
        /// Rows to split.
        rows: usize,
        /// The part that fails.
        part: &'static str,
        /// Its fraction.
        fraction: f64,
        /// How many rows it would get.
        count: usize,
    },
    /// Something for images was asked for other data.
    #[error(
        "{what} is for images, but the data are {found}; {remedy}, or give pictures (IDX, a folder of PNG files, or an \
         array of shape [rows, height, width])"
    )]
    NotAnImage {
        /// What was asked for.
        what: &'static str,
        /// What else to do.
        remedy: &'static str,
        /// How the sites are arranged.
        found: String,
    },
    /// A region of pictures is empty or reaches out of them.
    #[error(
        "the region {region} is not within the pictures of {height}x{width}; use HEIGHTxWIDTH+TOP+LEFT within them"
    )]
    BadRegion {
        /// The region.
        region: String,
        /// Height of the pictures.
        height: usize,
        /// Width of the pictures.
        width: usize,
    },
    /// A mask has another shape than the rows.
    #[error("{mask}: a mask of shape {found:?} does not fit; give one of shape {expected}")]
    MaskShape {
        /// The file.
        mask: String,
        /// Its shape.
        found: Vec<usize>,
        /// What fits.
        expected: String,
    },
    /// Labels of rows and data differ in number.
    #[error(
        "{path}: {found} labels, but {data} has {expected} rows; give the labels of these data"
    )]
    ClassCount {
        /// The file of labels.
        path: PathBuf,
        /// Labels in it.
        found: usize,
        /// The data.
        data: String,
        /// Rows of the data.
        expected: usize,
    },
    /// Classes are to be learned but the data have none, or too many, or the head cannot use them.
    #[error("classes of rows cannot be learned here: {problem}; {remedy}")]
    BadClasses {
        /// What is the matter.
        problem: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// There is nothing to score or train on.
    #[error("the data set has no rows; give at least one")]
    NoRows,
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// What the parameters of a built-in can get wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// What pictures and their classes can get wrong.
    #[error(transparent)]
    Image(#[from] ImageError),
}
