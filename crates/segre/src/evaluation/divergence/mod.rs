//! How far a sampler is from a known distribution.

mod estimate;

pub use estimate::{Comparison, Divergence};
