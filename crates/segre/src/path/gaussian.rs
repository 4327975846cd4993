//! The Gaussian paths: straight lines in e-coordinates from noise `V_0` towards a data point `β`.
//!
//! | path | state `V_t` | file |
//! |---|---|---|
//! | finite-time e-geodesic | `(1−t) V_0 + t V_β`, `t ∈ [0, 1]` | `e_geodesic.rs` |
//! | infinite-time | `V_0 + λ t v̄_β`, `t ∈ [0, ∞)` | `infinite.rs` |
//!
//! Both are Gaussian channels of the unit direction `v̄_β`, so all that follows from that is
//! written once, in `channel.rs`; a path's own file holds its numbers.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{EGeodesic, GaussianChannel, InfiniteTime, TimeDistribution};
use crate::geometry::AssignmentManifold;
use crate::setting::InvalidSetting;

/// A Gaussian path and its settings.
///
/// Where a method takes times `[batch, sites]`, the second axis may have length 1: one time for all
/// sites of an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum GaussianPath {
    /// Finite-time e-geodesic.
    EGeodesic(EGeodesic),
    /// Infinite-time straight line in e-coordinates.
    InfiniteTime(InfiniteTime),
}

/// A state on a path and the velocity to be matched there.
#[derive(Clone, Debug)]
pub struct PathSample {
    /// State `V_t` in e-coordinates, `[batch, sites, categories]`.
    pub state: Tensor<3>,
    /// Target velocity `∂V_t/∂t` for fixed `V_0` and `β`, `[batch, sites, categories]`.
    pub target: Tensor<3>,
}

impl Default for GaussianPath {
    /// The infinite-time path with the reference settings of the toys.
    fn default() -> Self {
        Self::InfiniteTime(InfiniteTime::default())
    }
}

impl GaussianPath {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        match self {
            Self::EGeodesic(path) => path.validate(),
            Self::InfiniteTime(path) => path.validate(),
        }
    }

    /// The Gaussian channel `V_t | β` at the given times.
    ///
    /// # Shapes
    /// `time [batch, sites]` (or `[batch, 1]`).
    ///
    /// Source: docs/mathematics.md §2.1.
    pub fn channel(&self, manifold: &AssignmentManifold, time: Tensor<2>) -> GaussianChannel {
        let time = time.unsqueeze_dim(2);
        let amplitude = manifold.per_site(|c| self.amplitude(c), &time);
        match self {
            Self::EGeodesic(_) => EGeodesic::channel(amplitude, time),
            Self::InfiniteTime(_) => InfiniteTime::channel(amplitude, time),
        }
    }

    /// State and target velocity for data, reference noise and times.
    ///
    /// # Shapes
    /// `corners`, `noise [batch, sites, categories]`, `time [batch, sites]` (or `[batch, 1]`).
    ///
    /// Source: EG (19)–(23); GAF (3.27).
    pub fn sample(
        &self,
        manifold: &AssignmentManifold,
        corners: Tensor<3>,
        noise: Tensor<3>,
        time: Tensor<2>,
    ) -> PathSample {
        let direction = manifold.directions(corners);
        let channel = self.channel(manifold, time);
        PathSample {
            state: channel.state(direction.clone(), noise.clone()),
            target: channel.target(direction, noise),
        }
    }

    /// The signal-to-noise ratio `γ = (a_c · clock(t))²` of a site with `categories` categories.
    pub fn snr(&self, time: f64, categories: usize) -> f64 {
        let clock = match self {
            Self::EGeodesic(_) => EGeodesic::clock(time),
            Self::InfiniteTime(_) => time,
        };
        (self.amplitude(categories) * clock).powi(2)
    }

    /// The time at which a site with `categories` categories has the given signal-to-noise ratio.
    ///
    /// Inverse of [`snr`](Self::snr) for `snr ≥ 0`.
    pub fn time_at_snr(&self, snr: f64, categories: usize) -> f64 {
        let clock = snr.sqrt() / self.amplitude(categories);
        match self {
            Self::EGeodesic(_) => EGeodesic::time_at_clock(clock),
            Self::InfiniteTime(_) => clock,
        }
    }

    /// The times at which the sites have the given signal-to-noise ratios.
    ///
    /// # Shapes
    /// `snr [batch, sites]` → the same.
    pub fn times_at_snr(&self, manifold: &AssignmentManifold, snr: Tensor<2>) -> Tensor<2> {
        let snr: Tensor<3> = snr.unsqueeze_dim(2);
        let clock = snr.clone().sqrt() / manifold.per_site(|c| self.amplitude(c), &snr);
        let time = match self {
            Self::EGeodesic(_) => (clock.recip() + 1.0).recip(),
            Self::InfiniteTime(_) => clock,
        };
        time.squeeze_dim(2)
    }

    /// The distribution of training times.
    pub fn training_times(&self) -> TimeDistribution {
        match self {
            Self::EGeodesic(_) => TimeDistribution::Uniform,
            Self::InfiniteTime(path) => path.training_times.clone(),
        }
    }

    /// The time `t_end` at which sampling stops and labels are read off.
    ///
    /// The e-geodesic ends at 1. With a posterior's velocity, which is singular there, integrate to
    /// some [`time_at_snr`](Self::time_at_snr) below 1 and take the rest with
    /// [`GaussianChannel::transport`].
    pub fn end_time(&self) -> f64 {
        match self {
            Self::EGeodesic(_) => 1.0,
            Self::InfiniteTime(path) => path.end_time,
        }
    }

    /// Signal and noise scale `(s, σ)` of a site with `categories` categories at a time: `V | β ~ N(s v̄_β, σ² I)`.
    pub fn signal_and_noise(&self, time: f64, categories: usize) -> (f64, f64) {
        let noise = match self {
            Self::EGeodesic(_) => 1.0 - time,
            Self::InfiniteTime(_) => 1.0,
        };
        (time * self.amplitude(categories), noise)
    }

    /// The time derivatives `[ṡ, σ̇]` of signal and noise scale, which are constant along both paths.
    pub fn signal_and_noise_rates(&self, categories: usize) -> [f64; 2] {
        let noise = match self {
            Self::EGeodesic(_) => -1.0,
            Self::InfiniteTime(_) => 0.0,
        };
        [self.amplitude(categories), noise]
    }

    /// The root signal-to-noise ratio at clock 1.
    fn amplitude(&self, categories: usize) -> f64 {
        match self {
            Self::EGeodesic(path) => path.amplitude(categories),
            Self::InfiniteTime(path) => path.rate,
        }
    }
}
