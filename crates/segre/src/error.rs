//! The one error of the library: it wraps those of the rooms, so that `?` works from each of them.

use crate::data::DataError;
use crate::energy::EnergyError;
use crate::evaluation::EvaluationError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::neural::NeuralError;
use crate::ode::OdeError;
use crate::progress::Interrupted;
use crate::randomized::RandomizedError;
use crate::recipe::RecipeError;
use crate::run::RunError;
use crate::setting::{InvalidSetting, ParameterError};

/// What the library's fallible functions return at its front door.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that user input, files and numerics can get wrong.
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// What the parameters of a built-in can get wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The caller stopped the work.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// What data can get wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What learning can get wrong.
    #[error(transparent)]
    Learning(#[from] LearningError),
    /// What integration can get wrong.
    #[error(transparent)]
    Ode(#[from] OdeError),
    /// What energy models, their files and their inference can get wrong.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// What models and their samples can get wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// What randomised flows can get wrong.
    #[error(transparent)]
    Randomized(#[from] RandomizedError),
    /// What networks fitted to an energy can get wrong.
    #[error(transparent)]
    Neural(#[from] NeuralError),
    /// What a recipe can get wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// What runs and their folders can get wrong.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What evaluation can get wrong.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
}
