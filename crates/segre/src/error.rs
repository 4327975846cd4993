//! The one error type of the library: every message names the place, the value and the remedy.

use std::path::PathBuf;

/// What this library's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that user input, files and numerics can get wrong.
///
/// Each message is one line: where (file, line, column), what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {path}: {cause}; check the path and its permissions")]
    Io {
        /// What was tried: `read`, `write`, `create`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },

    /// A data argument names neither a built-in distribution nor a file.
    #[error(
        "{name:?} is no built-in data set and no such file exists; built-ins are {built_ins}, \
         otherwise give the path of a file"
    )]
    UnknownSource {
        /// The argument.
        name: String,
        /// The names of the built-ins.
        built_ins: String,
    },

    /// A built-in was given a parameter that it does not have.
    #[error("{built_in} has no parameter {parameter:?}; it takes {legal}")]
    UnknownParameter {
        /// The built-in.
        built_in: &'static str,
        /// The unknown parameter.
        parameter: String,
        /// The legal parameters.
        legal: String,
    },

    /// A parameter of a built-in has an illegal value.
    #[error("{built_in}: {parameter}={value:?} is not {expected}")]
    BadParameter {
        /// The built-in.
        built_in: &'static str,
        /// The parameter.
        parameter: String,
        /// The value found.
        value: String,
        /// What is legal.
        expected: String,
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

    /// A file ends too early or its compressed contents are damaged.
    #[error("{path}: truncated or damaged ({detail}); write or download the file again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        detail: String,
    },

    /// A text file is not UTF-8.
    #[error("{path}:{line}: byte {offset} of the file is not UTF-8; convert the file to UTF-8")]
    InvalidUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Offset of the first bad byte, from 0, after decompression.
        offset: u64,
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
    #[error("{path}: there is no column {column:?} to {action}; the columns are {columns}")]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The name asked for.
        column: String,
        /// `select` or `drop`.
        action: &'static str,
        /// The names there are.
        columns: String,
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
    #[error("{path}: column {column:?} was not there at fit time; drop it or allow extra columns")]
    ExtraColumn {
        /// The file.
        path: PathBuf,
        /// The first unknown column.
        column: String,
    },

    /// A column has too many distinct values to be categorical.
    #[error(
        "{path}:{line}: column {column:?} has more than {limit} categories; \
         drop the column or bin its values"
    )]
    TooManyCategories {
        /// The file.
        path: PathBuf,
        /// Line of the value that was one too many, from 1.
        line: u64,
        /// The column.
        column: String,
        /// The largest number of categories allowed.
        limit: usize,
    },

    /// A category that the schema does not know.
    #[error(
        "{path}:{line}: {site}: {value:?} is none of the {known} categories seen at fit time; \
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
    },

    /// A sequence of an alignment has another length than the first one.
    #[error(
        "{path}:{line}: record {record:?} has {found} symbols where {expected} are expected; \
         give all records one length"
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
    },

    /// A FASTA file has text before its first record.
    #[error("{path}:{line}: text before the first record; a FASTA record starts with '>'")]
    NotFasta {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
    },

    /// A text is shorter than one window.
    #[error(
        "{path}: {found} characters are less than one window of {window}; use a shorter window"
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
        "{path}: the array's elements are {dtype}, not integers; \
         convert them with array.astype(numpy.uint16)"
    )]
    NotIntegers {
        /// The file.
        path: PathBuf,
        /// NumPy's name of the element type.
        dtype: String,
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
         legal labels are the integers from 0 to {largest}; correct or map the values"
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
    },

    /// An archive does not tell which of its arrays to read.
    #[error(
        "{path}: {problem}; the archive holds {keys}, name one of them as FILE.npz:KEY \
         (a sole array or the keys samples, x, data need no name)"
    )]
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
         on a disk with room for them twice, or allow more memory (--data-memory)"
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

    /// A setting outside its range.
    #[error("{name} is {value}, but it must be {expected}")]
    InvalidSetting {
        /// Name of the setting as the user knows it.
        name: &'static str,
        /// The rejected value.
        value: f64,
        /// What would be accepted.
        expected: &'static str,
    },
    /// A state of an integration became NaN or infinite.
    #[error("the state is not finite at time {time}: use smaller steps or check the vector field")]
    NonFiniteState {
        /// Time at which it was seen.
        time: f64,
    },
    /// The adaptive step became too small to change the time.
    #[error("step size {step:e} at time {time} is too small: loosen the tolerances")]
    StepSizeUnderflow {
        /// Time reached.
        time: f64,
        /// Rejected step.
        step: f64,
    },
    /// The adaptive integrator needed more steps than allowed.
    #[error("{limit} steps did not suffice, time {time} was reached: loosen the tolerances")]
    TooManySteps {
        /// Allowed number of attempted steps.
        limit: usize,
        /// Time reached.
        time: f64,
    },
    /// A training run has no end.
    #[error("training has no budget: set a number of steps or a time")]
    NoBudget,
    /// Loss or gradient became NaN or infinite.
    #[error(
        "training broke down at step {step}: {parameter} is not finite; the last good checkpoint is \
         kept, resume from it or fit again with a lower learning rate"
    )]
    NonFiniteTraining {
        /// The step, from 0.
        step: u64,
        /// The first parameter whose gradient is not finite, or the loss.
        parameter: String,
    },
    /// A network was to learn an energy model, but drew nothing that the model holds possible.
    #[error(
        "none of {rows} rows drawn is possible under the energy model; learn from samples of it instead \
         (--samples-from chain)"
    )]
    NoPossibleRow {
        /// Rows drawn.
        rows: usize,
    },
    /// Rows cannot be derived from others whose sites are not alike.
    #[error(
        "{what} rows need columns of one number of categories, which these are not; give outliers as a file"
    )]
    NotOneVocabulary {
        /// What was to be derived.
        what: String,
    },
    /// A Jensen form was asked of the decision cone, where weights are 0.
    #[error(
        "the cone has samples of weight 0, whose logarithm has no mean: use the log-mean form, or the ball"
    )]
    ConeHasNoJensenForm,
    /// A conditional likelihood was asked of the deterministic flow.
    #[error(
        "the density of a flow is that of all columns: leave the given columns out, or use the method immse or chain"
    )]
    FlowIsNotConditional,
    /// Quadrature was asked for in too many dimensions.
    #[error(
        "the exact likelihood is a quadrature over at most {most} dimensions (categories minus 1, summed over columns), and \
         the model has {found}; use the method importance or immse"
    )]
    TooManyDimensions {
        /// Dimensions of the model.
        found: usize,
        /// Most dimensions.
        most: usize,
    },
    /// A likelihood estimate became NaN or infinite.
    #[error(
        "the network's output for row {row} at root signal-to-noise ratio {root_snr:.3} is not finite; \
         the model is damaged, fit it again"
    )]
    NonFiniteScore {
        /// Row, from 0.
        row: usize,
        /// Level at which it was seen.
        root_snr: f64,
    },
    /// A stored parameter is missing or has another shape.
    #[error(
        "parameter {name} should have shape {expected:?} but the file has {found:?}; \
         the file belongs to another network"
    )]
    ParameterMismatch {
        /// Name of the parameter.
        name: String,
        /// Shape in the network.
        expected: Vec<usize>,
        /// Shape in the file, if it is there.
        found: Option<Vec<usize>>,
    },
    /// A checkpoint belongs to a run with another seed.
    #[error(
        "{path}: the checkpoint was made with seed {found}, not {expected}; resume with that seed"
    )]
    OtherSeed {
        /// The checkpoint.
        path: PathBuf,
        /// Its seed.
        found: u64,
        /// The seed asked for.
        expected: u64,
    },
    /// A folder holds a model of another kind than is asked for.
    #[error(
        "{path} holds a model of kind {kind}, which can be sampled (segre sample) and compared with its energy (segre energy \
         compare) only; for likelihoods fit one with --method neural"
    )]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// What its settings say.
        kind: String,
    },
    /// A folder holds no model.
    #[error(
        "{path}: not a model folder, {missing} is missing; give a folder written by `segre fit`"
    )]
    NotAModel {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        missing: &'static str,
    },
    /// Ancestral sampling was asked of a field.
    #[error(
        "the ancestral sampler needs a model with posterior head; \
         use euler, heun, rk4, dormand-prince or localisation for a field"
    )]
    SamplerNeedsPosterior,
    /// A sampler was asked for that a path has no use for.
    #[error("this sampler is not for {path}; use {samplers}")]
    SamplerNotForPath {
        /// What path it is.
        path: &'static str,
        /// Samplers that it has.
        samplers: &'static str,
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
    /// Products of bfloat16 are wanted of a device that has none.
    #[error(
        "there are no products of bfloat16 here: the processor has none (AVX-512 BF16), SEGRE_SIMD forbids them, or \
         --device is a graphics processor; leave --precision out"
    )]
    NoBfloat16,
    /// The tables of a pairwise prior are not those of the sites.
    #[error("the pairwise prior has {what}; fit the model anew")]
    PriorMismatch {
        /// What it has and should not.
        what: String,
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
    /// A class was asked of a model that knows none.
    #[error("this model was not told classes of rows; fit one with --labels FILE")]
    NoClasses,
    /// Classes are to be learned but the data have none, or too many, or the head cannot use them.
    #[error("classes of rows cannot be learned here: {problem}; {remedy}")]
    BadClasses {
        /// What is the matter.
        problem: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A field was asked of a path that jumps.
    #[error("the {path} path has no velocity to learn; use the posterior head")]
    NoField {
        /// Name of the path.
        path: &'static str,
    },
    /// Something was asked of a path that only Gaussian channels have.
    #[error(
        "the {path} path has no I-MMSE bound and no flow in e-coordinates; fit with --path infinite or e-geodesic"
    )]
    NeedsGaussianPath {
        /// Name of the path.
        path: &'static str,
    },
    /// A condition was asked of a field, of a path on the simplex, or of a deterministic sampler.
    #[error(
        "conditions need a model with posterior head, one of the paths infinite, e-geodesic and masked, and one of \
         the samplers sequential, ancestral, localisation and localisation-heun"
    )]
    ConditionNeedsPosterior,
    /// All sites are given.
    #[error("every site is given, so there is nothing to score; give fewer")]
    NothingToScore,
    /// What energy models, their files and their inference can get wrong.
    #[error(transparent)]
    Energy(#[from] crate::energy::EnergyError),
    /// What pictures and their classes can get wrong.
    #[error(transparent)]
    Image(#[from] crate::data::ImageError),
    /// There is nothing to score or train on.
    #[error("the data set has no rows; give at least one")]
    NoRows,
    /// The observer stopped the work.
    #[error("interrupted")]
    Interrupted,
}

impl From<crate::progress::Interrupted> for Error {
    fn from(_: crate::progress::Interrupted) -> Self {
        Self::Interrupted
    }
}

impl Error {
    /// An [`Error::Io`], or [`Error::Damaged`] where the contents rather than the file are at fault.
    pub(crate) fn reading(path: &std::path::Path, cause: std::io::Error) -> Self {
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

    /// An [`Error::Io`] from writing.
    pub(crate) fn writing(path: &std::path::Path, cause: std::io::Error) -> Self {
        Self::Io {
            action: "write",
            path: path.to_path_buf(),
            cause,
        }
    }
}

/// The text on one line, shortened to what a terminal shows.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn damaged_contents_are_told_from_a_refused_file() {
        let eof = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "a\nb");
        let error = Error::reading(Path::new("x.npy"), eof);
        assert!(matches!(error, Error::Damaged { .. }));
        assert!(!error.to_string().contains('\n'));
        let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert!(matches!(
            Error::reading(Path::new("x.npy"), gone),
            Error::Io { .. }
        ));
    }
}
