//! What fixes a model but its parameters and data: head, path, network and prior.

use serde::{Deserialize, Serialize};

use super::error::{FlowError, Result};
use super::prior::{PairwisePrior, PriorConfig};
use crate::data::{DataError, Layout, Schema};
use crate::network::NetworkConfig;
use crate::path::{DiscretePath, ProbabilityPath};

/// What the network's output means and how it is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// Context logits `g`: the posterior's logits are evidence + prior + `g` (docs/mathematics.md §2.1.2),
    /// trained by cross-entropy. The network is fed the local posterior and the root signal-to-noise ratio.
    #[default]
    Posterior,
    /// The velocity `F_θ(W, t)` itself, trained by the replicator-weighted loss EG (23). The network is
    /// fed the point `W_t` and the time.
    Field,
}

/// Everything that fixes a model but its parameters and data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ModelConfig {
    /// What the network's output means.
    pub head: Head,
    /// The probability path.
    pub path: ProbabilityPath,
    /// The network.
    pub network: NetworkConfig,
    /// What is known before anything is learned; of use to the posterior head only.
    pub prior: PriorConfig,
}

/// The settings as files have them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    head: Head,
    path: ProbabilityPath,
    network: NetworkConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prior: Option<PairwisePrior>,
    #[serde(default)]
    scanlines: bool,
}

impl From<ModelConfig> for Stored {
    fn from(config: ModelConfig) -> Self {
        let (prior, scanlines) = config.prior.into_settings();
        Self {
            head: config.head,
            path: config.path,
            network: config.network,
            prior,
            scanlines,
        }
    }
}

impl TryFrom<Stored> for ModelConfig {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let prior = PriorConfig::of_settings(stored.prior, stored.scanlines);
        Ok(Self {
            head: stored.head,
            path: stored.path,
            network: stored.network,
            prior: prior.ok_or("a model has one prior: leave out `prior` or `scanlines`")?,
        })
    }
}

impl ModelConfig {
    /// Whether a validation is the bound on the negative log-likelihood, and not the loss: the bound of a field is so
    /// loose, while its prior is still to be learned, that it prefers a field of nothing.
    pub fn validated_by_bound(&self) -> bool {
        self.head == Head::Posterior && self.path.has_bound()
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::InvalidSetting) names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        self.path.validate()?;
        self.network.validate()?;
        match (self.head, &self.path) {
            (Head::Field, ProbabilityPath::Discrete(DiscretePath::Masked)) => {
                Err(FlowError::NoField {
                    path: self.path.name(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks that network and prior are for such data.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`] for a UNet or scanlines on anything else, [`FlowError::PriorMismatch`] for the
    /// prior of other sites.
    pub fn check_sites(&self, schema: &Schema) -> Result<()> {
        if self.network.needs_image() && !matches!(schema.layout, Layout::Image { .. }) {
            return Err(DataError::NotAnImage {
                what: "the unet network",
                found: schema.layout.describe(),
                remedy: "use `network = residual` or cnn",
            }
            .into());
        }
        self.prior.check(schema)
    }
}
