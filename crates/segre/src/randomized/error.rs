//! What randomised flows can get wrong.

use crate::data::DataError;
use crate::energy::EnergyError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::progress::Interrupted;
use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = RandomizedError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::randomized`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RandomizedError {
    /// The energy is infinite somewhere, or a variable is observed.
    #[error(
        "{}: the reverse objective needs finite energies; use `objective = forward`",
        match factor {
            Some(factor) => format!("factor {factor} has zero entries"),
            None => "the model has evidence".into(),
        }
    )]
    ZeroWeights {
        /// The first factor with a zero, none if variables are observed.
        factor: Option<usize>,
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
    /// What energy models, their files and their inference can get wrong.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// What models and their samples can get wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
}
