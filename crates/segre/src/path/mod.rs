//! Probability paths: how noise turns into a data point `β`.
//!
//! | family | paths | what is shared | file |
//! |---|---|---|---|
//! | [`GaussianPath`] | e-geodesic, infinite-time | a Gaussian channel in e-coordinates: likelihood bound, all samplers | `gaussian.rs` |
//! | [`SimplexPath`] | linear, Dirichlet, great-circle | a point on each site's simplex with a local likelihood of closed form | `simplex/` |
//! | [`DiscretePath`] | masked | each site is hidden or known | here |
//!
//! The first is Segre's own; the others are what it is compared with. In all of them the sites are
//! independent given `β`, so a path gives every site its local evidence `log p(x_i | β_i = j)`, and one
//! kind of network learns what the sites say of each other.
//!
//! In every path the sites are independent given the labels, so a path gives each site its local evidence
//! `log p(x_i | β_i = j)`, in closed form, and the network is the same: `Denoiser::posterior` takes evidence,
//! `posterior_mean` a state of the Gaussian channel. The masked path is that channel with the levels 0 and ∞ only, which
//! any model trained with `--conditional any` knows: hence the sequential sampler (one evaluation per site, no error of its
//! own: the default for at most 16 columns) and its chain-rule bound.

mod channel;
mod e_geodesic;
mod gaussian;
mod infinite;
mod simplex;
mod time_distribution;

use serde::{Deserialize, Serialize};

pub use channel::GaussianChannel;
pub use e_geodesic::EGeodesic;
pub use gaussian::GaussianPath;
pub use infinite::InfiniteTime;
pub use simplex::SimplexPath;
pub use time_distribution::TimeDistribution;

use crate::setting::InvalidSetting;

/// A probability path and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProbabilityPath {
    /// A straight line in e-coordinates.
    Gaussian(GaussianPath),
    /// A curve on each site's simplex.
    Simplex(SimplexPath),
    /// A jump.
    Discrete(DiscretePath),
}

/// Paths whose sites jump from unknown to known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DiscretePath {
    /// Absorbing-state (masked) diffusion: at time `t ∈ [0, 1]` each site is known with probability `t`.
    ///
    /// It is the Gaussian channel with the levels 0 and ∞ only, so it needs no state of its own.
    ///
    /// Source: Austin et al. 2021, arXiv 2107.03006; Sahoo et al. 2024, arXiv 2406.07524.
    Masked,
}

impl Default for ProbabilityPath {
    /// The infinite-time path with the reference settings of the toys.
    fn default() -> Self {
        Self::Gaussian(GaussianPath::default())
    }
}

impl From<GaussianPath> for ProbabilityPath {
    fn from(path: GaussianPath) -> Self {
        Self::Gaussian(path)
    }
}

impl From<SimplexPath> for ProbabilityPath {
    fn from(path: SimplexPath) -> Self {
        Self::Simplex(path)
    }
}

impl From<DiscretePath> for ProbabilityPath {
    fn from(path: DiscretePath) -> Self {
        Self::Discrete(path)
    }
}

impl ProbabilityPath {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        match self {
            Self::Gaussian(path) => path.validate(),
            Self::Simplex(_) | Self::Discrete(_) => Ok(()),
        }
    }

    /// Whether there is a bound on the negative log-likelihood: not on the simplex.
    pub fn has_bound(&self) -> bool {
        !matches!(self, Self::Simplex(_))
    }

    /// The name, as the command line has it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gaussian(GaussianPath::EGeodesic(_)) => "e-geodesic",
            Self::Gaussian(GaussianPath::InfiniteTime(_)) => "infinite",
            Self::Simplex(SimplexPath::Linear) => "linear",
            Self::Simplex(SimplexPath::Dirichlet) => "dirichlet",
            Self::Simplex(SimplexPath::GreatCircle) => "great-circle",
            Self::Discrete(DiscretePath::Masked) => "masked",
        }
    }
}

/// Rejects settings that are not positive and finite.
fn positive(name: &'static str, value: f64) -> Result<(), InvalidSetting> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(InvalidSetting {
        name,
        value,
        expected: "positive and finite",
    })
}
