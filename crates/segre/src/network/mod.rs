//! Networks: what turns noisy points into logits or velocities.
//!
//! | network | for | file |
//! |---|---|---|
//! | [`LinearField`] | two binary variables (EG Fig. 5, right) | `linear.rs` |
//! | [`DenseNetwork`] | small problems, as in EG (Fig. 5) | `dense.rs` |
//! | [`ResidualNetwork`] | the default: tables, small images, short sequences | `residual.rs` |
//! | [`CnnNetwork`] | sequences, as in the class-scaling experiment | `cnn.rs` |
//!
//! All of them map points `[batch, sites, categories]` and a noise level `[batch, sites]` to
//! `[batch, sites, categories]`. What the level is, and what the output means, is the head's matter
//! (see [`Head`](crate::flow::Head)): root signal-to-noise ratio and context logits, or time and velocity.

mod affinity;
mod cnn;
mod dense;
mod initialise;
mod linear;
mod mixture;
pub mod parameters;
mod residual;
mod time_embedding;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use affinity::LabelAffinity;
pub use cnn::{CnnConfig, CnnNetwork};
pub use dense::{DenseConfig, DenseNetwork};
pub use linear::{LinearConfig, LinearField};
pub use mixture::ProductMixture;
pub use residual::{ResidualConfig, ResidualNetwork};
pub use time_embedding::{FourierFeatures, LevelFeatures, TimeEmbeddingConfig};

use crate::data::{Dataset, Schema};
use crate::error::{Error, Result};

/// What a network needs to know of the data: how many categories each site has and what they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSpec {
    /// Number of categories of each site.
    pub cardinalities: Vec<usize>,
    /// Whether the categories of a site are ordered numbers (grey levels, bins).
    pub ordinal: Vec<bool>,
    /// Whether all sites have the same vocabulary, so that they can share an embedding.
    pub shared: bool,
}

impl SiteSpec {
    /// Reads the description off a schema.
    pub fn of(schema: &Schema) -> Self {
        let sites = 0..schema.sites();
        Self {
            cardinalities: schema.cardinalities(),
            ordinal: sites.map(|site| schema.is_ordinal(site)).collect(),
            shared: schema.vocabularies.len() == 1,
        }
    }

    /// Number of sites `n`.
    pub fn sites(&self) -> usize {
        self.cardinalities.len()
    }

    /// Largest number of categories `c` of a site.
    pub fn categories(&self) -> usize {
        self.cardinalities.iter().copied().fold(0, usize::max)
    }
}

/// Which network, and its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// One matrix, no bias.
    Linear(LinearConfig),
    /// Batch normalisation, dense layers, ReLU.
    Dense(DenseConfig),
    /// Site embeddings, residual dense blocks, site decoders.
    Residual(ResidualConfig),
    /// One-dimensional convolutions.
    Cnn(CnnConfig),
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self::Residual(ResidualConfig::default())
    }
}

impl NetworkConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Linear(_) => Ok(()),
            Self::Dense(config) => config.validate(),
            Self::Residual(config) => config.validate(),
            Self::Cnn(config) => config.validate(),
        }
    }

    /// A network with random parameters drawn from `rng` and nothing else.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> Network {
        match self {
            Self::Linear(config) => Network::Linear(config.init(sites, rng, device)),
            Self::Dense(config) => Network::Dense(config.init(sites, rng, device)),
            Self::Residual(config) => Network::Residual(config.init(sites, rng, device)),
            Self::Cnn(config) => Network::Cnn(config.init(sites, rng, device)),
        }
    }
}

/// A network with its parameters.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one network, not a list of them"
)]
pub enum Network {
    /// See [`LinearField`].
    Linear(LinearField),
    /// See [`DenseNetwork`].
    Dense(DenseNetwork),
    /// See [`ResidualNetwork`].
    Residual(ResidualNetwork),
    /// See [`CnnNetwork`].
    Cnn(CnnNetwork),
}

impl Network {
    /// The network's output, not masked: padding is the caller's matter.
    ///
    /// `dropout` is the generator of dropout masks in training; without it nothing is dropped.
    ///
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(
        &self,
        points: Tensor<3>,
        level: Tensor<2>,
        dropout: Option<&mut ChaCha8Rng>,
    ) -> Tensor<3> {
        match self {
            Self::Linear(network) => network.forward(points, level),
            Self::Dense(network) => network.forward(points, level),
            Self::Residual(network) => network.forward(points, level, dropout),
            Self::Cnn(network) => network.forward(points, level),
        }
    }

    /// The network with what can be started from data started from them.
    pub(crate) fn started_from(
        self,
        train: &Dataset,
        log_marginals: &[f32],
        rng: &mut ChaCha8Rng,
    ) -> Self {
        match self {
            Self::Residual(network) => {
                Self::Residual(network.started_from(train, log_marginals, rng))
            }
            other => other,
        }
    }

    /// Whether a row's output in training depends on the other rows of its batch.
    pub(crate) fn couples_rows(&self) -> bool {
        matches!(self, Self::Dense(_))
    }
}

/// Rejects a size outside `1..=limit`.
fn check_size(name: &'static str, value: usize, limit: usize) -> Result<()> {
    if (1..=limit).contains(&value) {
        return Ok(());
    }
    let expected = "a whole number from 1 to 65536";
    Err(Error::InvalidSetting {
        name,
        value: value as f64,
        expected,
    })
}
