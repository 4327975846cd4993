//! What evaluation can get wrong.

use std::path::PathBuf;

use crate::data::DataError;
use crate::energy::EnergyError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::progress::Interrupted;
use crate::randomized::RandomizedError;
use crate::run::RunError;
use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = EvaluationError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::evaluation`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// Rows cannot be derived from others whose sites are not alike.
    #[error(
        "{what} rows need columns of one number of categories, which these are not; give outliers as a file"
    )]
    NotOneVocabulary {
        /// What was to be derived.
        what: String,
    },
    /// Outliers are judged by what is usual among validation rows.
    #[error("`ood` needs 2 validation rows; fit with a larger `validation`")]
    FewValidationRows,
    /// The likelihood of a row came out as no number.
    #[error("a score is not a number; fit the model again")]
    NotANumber,
    /// Moments of features need more than one image.
    #[error(
        "a distance of distributions needs at least 2 images of each kind, there are {rows}; give more with `images`"
    )]
    FewImages {
        /// Images of the smallest set.
        rows: usize,
    },
    /// A network was fitted to other variables than those it is compared with.
    #[error(
        "{own} variables of at most {own_states} states, not {sites} of at most {states}; fit a model to {energy}"
    )]
    OtherVariables {
        /// Variables of the network.
        own: usize,
        /// Its largest number of states.
        own_states: usize,
        /// Variables of the energy model.
        sites: usize,
        /// Its largest number of states.
        states: usize,
        /// Name of the energy model.
        energy: String,
    },
    /// A category of a network is no state of its variable.
    #[error("{category:?} is no state of variable {variable}")]
    NoState {
        /// The category.
        category: String,
        /// The variable.
        variable: usize,
    },
    /// Conditionals were asked for without exact inference to compare with, or of a randomised flow, which has none.
    #[error("`conditionals` needs exact inference; allow more memory, or leave it out")]
    NoExactConditionals,
    /// Conditionals were asked for of a network that does not know all states.
    #[error(
        "`conditionals`: some state of {energy} was never seen in the fit; fit to more samples"
    )]
    UnseenState {
        /// Name of the energy model.
        energy: String,
    },
    /// Quality is a matter of tables.
    #[error("`quality` is for tables, not for {layout} data; leave it out")]
    NotATable {
        /// What the data are.
        layout: &'static str,
    },
    /// Too few rows to say anything of quality.
    #[error(
        "`quality` needs at least {least} rows of every part, and there are {rows} {part} rows; give more"
    )]
    FewRows {
        /// Which part.
        part: &'static str,
        /// Its rows.
        rows: usize,
        /// How many it needs.
        least: usize,
    },
    /// A column whose prediction shows nothing.
    #[error(
        "`target` {column:?} has {categories} categories; choose a column of 2 to 20 or of numbers"
    )]
    NoTarget {
        /// The column.
        column: String,
        /// Its categories.
        categories: usize,
    },
    /// A line of a structure that says nothing of two places.
    #[error(
        "{path}:{line}: {what}; a line is `i j distance`, places from 1, the distance in ångström as its last field"
    )]
    BadStructure {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A structure says nothing of places that are far from each other along the sequence.
    #[error(
        "`contacts`: the structure has no two places {apart} or more apart; give the distances of all pairs"
    )]
    NoPairs {
        /// How far apart they must be.
        apart: usize,
    },
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The caller stopped the work.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// What data can get wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What learning can get wrong.
    #[error(transparent)]
    Learning(#[from] LearningError),
    /// What models and their samples can get wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// What energy models and inference in them can get wrong.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// What randomised flows can get wrong.
    #[error(transparent)]
    Randomized(#[from] RandomizedError),
    /// What runs and their folders can get wrong.
    #[error(transparent)]
    Run(#[from] RunError),
}
