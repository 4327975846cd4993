//! Evaluation: what a model is worth, beside simpler models, held-out data and known distributions.

pub mod baseline;
pub mod classifier;
pub mod detection;
pub mod divergence;
mod error;
pub mod maps;
pub mod nearest;

pub use error::{EvaluationError, Result};
