//! An estimated number with its error: what everything estimated is given as.

use serde::Serialize;

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
