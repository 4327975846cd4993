//! What evaluation can get wrong.

use crate::data::DataError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::progress::Interrupted;
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
}
