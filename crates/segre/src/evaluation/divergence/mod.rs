//! How far a sampler is from a known distribution.

mod estimate;
mod report;

pub use estimate::{Comparison, Divergence};
pub use report::{DivergenceReport, many_samples, run};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
