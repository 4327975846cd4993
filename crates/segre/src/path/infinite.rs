//! The infinite-time path `V_t = V_0 + λ t v̄_β`, `t ∈ [0, ∞)`: the default.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{GaussianChannel, TimeDistribution, positive};
use crate::setting::InvalidSetting;

/// Settings of the infinite-time path.
///
/// As a channel: `s = λ t`, `σ = 1`.
///
/// Source: GAF §3.2, (3.27).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfiniteTime {
    /// Rate `λ`: growth of the root signal-to-noise ratio per unit of time.
    pub rate: f64,
    /// Distribution of training times.
    pub training_times: TimeDistribution,
    /// Time `t_end` at which sampling stops and labels are read off.
    pub end_time: f64,
}

impl Default for InfiniteTime {
    /// GAF reference settings of Cityscapes, toys and class scaling (docs/mathematics.md §2).
    fn default() -> Self {
        let training_times = TimeDistribution::Gamma {
            shape: 1.0,
            rate: 0.25,
        };
        Self {
            rate: 0.5,
            training_times,
            end_time: 15.0,
        }
    }
}

impl InfiniteTime {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        positive("path rate", self.rate)?;
        positive("path end time", self.end_time)?;
        self.training_times.validate()
    }

    pub(super) fn channel(amplitude: Tensor<3>, time: Tensor<3>) -> GaussianChannel {
        GaussianChannel {
            noise_scale: time.ones_like(),
            noise_rate: time.zeros_like(),
            signal: time * amplitude.clone(),
            signal_rate: amplitude,
        }
    }
}
