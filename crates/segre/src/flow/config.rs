//! What fixes a model but its parameters and data: head, path, network and prior.

use serde::{Deserialize, Serialize};

use super::error::{FlowError, Result};
use super::head::Head;
use super::prior::{PairwisePrior, PriorConfig};
use crate::data::{DataError, Layout, Schema};
use crate::network::NetworkConfig;
use crate::path::ProbabilityPath;

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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    trees: bool,
}

impl From<ModelConfig> for Stored {
    fn from(config: ModelConfig) -> Self {
        let (prior, scanlines, trees) = config.prior.into_settings();
        Self {
            head: config.head,
            path: config.path,
            network: config.network,
            prior,
            scanlines,
            trees,
        }
    }
}

impl TryFrom<Stored> for ModelConfig {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let prior = PriorConfig::of_settings(stored.prior, stored.scanlines, stored.trees).ok_or(
            "a model has one prior: leave out all but one of `prior`, `scanlines` and `trees`",
        )?;
        let pair = stored.head.check(&stored.path, &prior);
        pair.map_err(|error| error.to_string())?;
        let config = Self {
            head: stored.head,
            path: stored.path,
            network: stored.network,
            prior,
        };
        config.check_labels().map_err(|error| error.to_string())?;
        Ok(config)
    }
}

impl ModelConfig {
    /// Whether a validation is the bound on the negative log-likelihood, and not the loss.
    pub fn validated_by_bound(&self) -> bool {
        self.head.is_validated_by_bound(&self.path)
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::InvalidSetting) names the first setting outside its range;
    /// [`FlowError::NoField`](super::FlowError::NoField) and [`FlowError::FieldWithPrior`](super::FlowError::FieldWithPrior)
    /// are for pairs that do not go together,
    /// [`FlowError::LabelsOnly`] for a network that does not go with path or prior.
    pub fn validate(&self) -> Result<()> {
        self.path.validate()?;
        self.network.validate()?;
        self.head.check(&self.path, &self.prior)?;
        self.check_labels()
    }

    /// Refuses a network that sees labels only where it is shown anything else, or is to correct what says more than marginals.
    fn check_labels(&self) -> Result<()> {
        let labels = matches!(self.path, ProbabilityPath::Discrete(_));
        let alone = self.prior == PriorConfig::Marginals;
        match self.network {
            NetworkConfig::Table(_) if !(labels && alone) => Err(FlowError::LabelsOnly),
            _ => Ok(()),
        }
    }

    /// Checks that network and prior are for such data.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`] for a UNet or scanlines on anything else, [`FlowError::PriorMismatch`](super::FlowError::PriorMismatch) for
    /// the prior of other sites.
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
