//! What integration can get wrong.

use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = OdeError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::ode`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OdeError {
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
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
}
