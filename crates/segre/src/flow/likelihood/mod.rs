//! Likelihood of data under a model.
//!
//! | method | file |
//! |---|---|
//! | the score of a data set, by the method that is asked for | `score.rs` |
//! | the integral over levels of a bound, with error control | `integral.rs`, `levels.rs`, `strata.rs` |
//! | the I-MMSE bound, the default | `immse.rs` |
//! | the chain-rule bound of the sequential sampler | `sequential.rs` |
//! | the same with several orders of each row, which is tighter | `orders.rs` |
//! | probabilities of the sequential sampler's completions, averaged over orders | `completion.rs` |
//! | divergence of conditionals from exact ones | `conditional.rs` |
//! | the importance-sampled bound of the papers, and the exact likelihood in few dimensions | `importance/` |
//! | exact posteriors of known distributions, what bounds are checked against | `exact.rs` |
//!
//! The I-MMSE integral of the model minus that of the independent-sites model, whose value is known exactly:
//! same noise for both, so most variance cancels, and no rest term is left at the last level.

mod completion;
mod conditional;
mod exact;
mod immse;
pub mod importance;
mod integral;
mod levels;
mod orders;
mod score;
mod sequential;
mod strata;

pub use completion::completion_log_probabilities;
pub use conditional::{ConditionalDivergence, ConditionalOptions, conditional_divergence};
pub use exact::{EnumeratedPosterior, KnownPosterior};
pub(in crate::flow) use levels::LevelDistribution;
pub(in crate::flow) use score::bound_from;
pub use score::{Meaning, ScoreMethod, ScoreOptions, Scores, immse_gap, score, score_with};
