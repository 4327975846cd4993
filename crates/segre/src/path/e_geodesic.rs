//! The finite-time e-geodesic `V_t = V_0 + t (V_β − V_0)` to the smoothed corner, `t ∈ [0, 1]`.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::GaussianChannel;
use crate::geometry::AssignmentManifold;
use crate::setting::InvalidSetting;

/// Settings of the finite-time e-geodesic.
///
/// As a channel: `s = a t`, `σ = 1 − t`, with `a = ‖V_β‖ = a_ε √((c−1)/c)`. With the clock
/// `τ = t/(1−t)` the rescaled state `V_t/(1−t) = V_0 + τ V_β` is an infinite-time path of rate `a`.
///
/// Source: EG (19)–(23).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EGeodesic {
    /// Smoothing `ε` of the corners, EG (14).
    pub smoothing: f64,
}

impl Default for EGeodesic {
    /// `ε = 0.01`, EG Appendix A.
    fn default() -> Self {
        Self { smoothing: 0.01 }
    }
}

impl EGeodesic {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        if self.smoothing > 0.0 && self.smoothing < 1.0 {
            return Ok(());
        }
        let expected = "between 0 and 1, both excluded";
        Err(InvalidSetting {
            name: "path smoothing",
            value: self.smoothing,
            expected,
        })
    }

    /// The length `a` of `V_β`. A site with one category carries no signal, whatever `a`; it gets
    /// 1, so that its signal-to-noise ratio can be inverted like any other.
    pub(super) fn amplitude(&self, categories: usize) -> f64 {
        match categories {
            0 | 1 => 1.0,
            c => {
                AssignmentManifold::smoothed_contrast(c, self.smoothing)
                    / AssignmentManifold::direction_scale(c)
            }
        }
    }

    pub(super) fn clock(time: f64) -> f64 {
        time / (1.0 - time)
    }

    /// `τ/(1+τ)`, in a form that also holds at `τ = 0` and `τ = ∞`.
    pub(super) fn time_at_clock(clock: f64) -> f64 {
        (clock.recip() + 1.0).recip()
    }

    pub(super) fn channel(amplitude: Tensor<3>, time: Tensor<3>) -> GaussianChannel {
        let noise_scale: Tensor<3> = 1.0 - time.clone();
        GaussianChannel {
            signal: time * amplitude.clone(),
            signal_rate: amplitude,
            noise_rate: noise_scale.ones_like().neg(),
            noise_scale,
        }
    }
}
