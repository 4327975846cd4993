//! Likelihood of data under a model.
//!
//! | method | file |
//! |---|---|
//! | the score of a data set, with error control | `score.rs`, `levels.rs` |
//! | the I-MMSE bound, the default | `immse.rs` |
//! | the chain-rule bound of the sequential sampler | `sequential.rs` |
//! | the importance-sampled bound of the papers, and the exact likelihood in few dimensions | `importance/` |
//! | exact posterior of a small known distribution, the oracle of the tests | `exact.rs` |

mod exact;
mod immse;
pub mod importance;
mod levels;
mod score;
mod sequential;

use serde::Serialize;

pub use exact::EnumeratedPosterior;
pub use score::{Meaning, ScoreMethod, ScoreOptions, Scores, score, score_with};

/// An estimated number with its Monte Carlo error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Standard error of the estimate.
    pub std_error: f64,
    /// How many draws it rests on.
    pub samples: u64,
}

impl Estimate {
    /// The estimate in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let Self {
            value,
            std_error,
            samples,
        } = self;
        Self {
            value: value * factor,
            std_error: std_error * factor.abs(),
            samples,
        }
    }
}
