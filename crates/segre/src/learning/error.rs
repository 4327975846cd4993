//! What learning can get wrong, whatever is learned.

use std::path::PathBuf;

use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = LearningError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::learning`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearningError {
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
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
}
