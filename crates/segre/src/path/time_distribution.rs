//! Distributions of training times.

use rand::Rng;
use rand_distr::{Distribution, Gamma, StandardUniform};
use serde::{Deserialize, Serialize};

use super::positive;
use crate::setting::InvalidSetting;

/// The distribution training times are drawn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TimeDistribution {
    /// Uniform on `[0, 1)`: EG (21).
    Uniform,
    /// Gamma with density `∝ t^(shape−1) e^(−rate·t)`, mean `shape/rate`: GAF reference setting.
    Gamma {
        /// Shape `k`.
        shape: f64,
        /// Rate `r`, per unit of time.
        rate: f64,
    },
}

impl TimeDistribution {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        if let Self::Gamma { shape, rate } = self {
            positive("training time shape", *shape)?;
            positive("training time rate", *rate)?;
        }
        Ok(())
    }

    /// Draws independent times.
    ///
    /// # Panics
    /// If the settings were not validated and are not positive.
    pub fn sample<R: Rng + ?Sized>(&self, count: usize, rng: &mut R) -> Vec<f64> {
        match self {
            Self::Uniform => StandardUniform.sample_iter(rng).take(count).collect(),
            Self::Gamma { shape, rate } => Gamma::new(*shape, rate.recip())
                .expect("a validated path has positive shape and rate")
                .sample_iter(rng)
                .take(count)
                .collect(),
        }
    }
}
