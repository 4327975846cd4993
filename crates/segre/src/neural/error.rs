//! What networks fitted to an energy can get wrong.

use crate::data::DataError;
use crate::energy::EnergyError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::progress::Interrupted;
use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = NeuralError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::neural`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NeuralError {
    /// A network was to learn an energy model, but drew nothing that the model holds possible.
    #[error(
        "none of {rows} rows drawn is possible under the energy model; learn from samples of it instead \
         (`samples_from = chain`)"
    )]
    NoPossibleRow {
        /// Rows drawn.
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
    /// What energy models, their files and their inference can get wrong.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// What models and their samples can get wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
}
