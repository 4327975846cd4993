//! The recipe itself: every decision that can be made, none of which must be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::kinds::{Conditional, NetworkKind, PathKind, Preset};
use super::time;
use crate::flow::Head;
use crate::network::Precision;

/// What has been decided; the facts of the data decide the rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Seed of everything random.
    pub seed: Option<u64>,
    /// How a model is trained.
    pub training: TrainingChoices,
    /// What the network's output means and starts from.
    pub model: ModelChoices,
    /// How noise turns into data.
    pub path: PathChoices,
    /// What learns.
    pub network: NetworkChoices,
    /// How the rows are divided.
    pub split: SplitChoices,
}

/// Decisions about training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingChoices {
    /// Number of steps. Only a run limited by steps alone can be repeated exactly.
    pub steps: Option<u64>,
    /// Wall time, written as a number of seconds or as `"90s"`, `"2m"`, `"1h"`.
    #[serde(with = "time")]
    pub time: Option<Duration>,
    /// Rows per step.
    pub batch_size: Option<usize>,
    /// Largest learning rate of Adam; warm-up and cosine decay are applied.
    pub learning_rate: Option<f64>,
    /// Decoupled weight decay.
    pub weight_decay: Option<f64>,
    /// Which conditionals are learned beside the joint distribution.
    pub conditional: Option<Conditional>,
    /// Whether images are mirrored at random.
    pub flip: Option<bool>,
    /// Of products in a UNet.
    pub precision: Option<Precision>,
    /// Validations, spread over the budget.
    pub validations: Option<u32>,
    /// Most rows of a validation.
    pub validation_rows: Option<usize>,
    /// Validations without improvement before training stops early.
    pub patience: Option<u32>,
}

/// Decisions about the model around its network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelChoices {
    /// What the network predicts.
    pub head: Option<Head>,
    /// Whether images start from messages along rows and columns.
    pub scanlines: Option<bool>,
    /// Whether the posteriors start from a tree of hidden states, learned from the rows.
    pub trees: Option<bool>,
}

/// Decisions about the probability path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathChoices {
    /// Which path.
    pub kind: Option<PathKind>,
    /// Rate `λ` of the infinite path: field head.
    pub rate: Option<f64>,
    /// Shape of the Gamma distribution of training times: infinite path, field head.
    pub time_shape: Option<f64>,
    /// Rate of the Gamma distribution of training times: infinite path, field head.
    pub time_rate: Option<f64>,
    /// Time at which a flow of the infinite path ends: field head.
    pub end_time: Option<f64>,
}

/// Decisions about the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkChoices {
    /// Which network.
    pub kind: Option<NetworkKind>,
    /// Width of hidden layers, channels of the cnn.
    pub hidden: Option<usize>,
    /// Blocks of the residual and the table network; of the UNet, per resolution.
    pub blocks: Option<usize>,
    /// Components of the residual network's mixture of products, 0 for none.
    pub components: Option<usize>,
    /// Whether sites of one vocabulary may repeat each other's labels.
    pub affinity: Option<bool>,
    /// Dropout of the residual network, the table network and the UNet.
    pub dropout: Option<f64>,
    /// UNet: sizes, which the choices below change one by one.
    pub preset: Option<Preset>,
    /// UNet: channels at full resolution, an even number.
    pub channels: Option<usize>,
    /// UNet: channels of each resolution from fine to coarse, as multiples of `channels`.
    pub multipliers: Option<Vec<usize>>,
    /// UNet: down-sampling rates with attention; the coarsest blocks always have it.
    pub attention: Option<Vec<usize>>,
    /// UNet: heads of an attention.
    pub heads: Option<usize>,
}

/// Decisions about the parts of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitChoices {
    /// Fraction of rows for validation.
    pub validation: Option<f64>,
    /// Fraction of rows for the test, where it has no data of its own.
    pub test: Option<f64>,
}

impl Recipe {
    /// Adds the decisions of another recipe, which go before these. Steps and time are one decision: when training ends.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            seed: other.seed.or(self.seed),
            training: self.training.and(other.training),
            model: self.model.and(other.model),
            path: self.path.and(other.path),
            network: self.network.and(other.network),
            split: self.split.and(other.split),
        }
    }
}

impl TrainingChoices {
    fn and(self, other: Self) -> Self {
        let limited = other.steps.is_some() || other.time.is_some();
        let budget = if limited { &other } else { &self };
        Self {
            steps: budget.steps,
            time: budget.time,
            batch_size: other.batch_size.or(self.batch_size),
            learning_rate: other.learning_rate.or(self.learning_rate),
            weight_decay: other.weight_decay.or(self.weight_decay),
            conditional: other.conditional.or(self.conditional),
            flip: other.flip.or(self.flip),
            precision: other.precision.or(self.precision),
            validations: other.validations.or(self.validations),
            validation_rows: other.validation_rows.or(self.validation_rows),
            patience: other.patience.or(self.patience),
        }
    }
}

impl ModelChoices {
    fn and(self, other: Self) -> Self {
        Self {
            head: other.head.or(self.head),
            scanlines: other.scanlines.or(self.scanlines),
            trees: other.trees.or(self.trees),
        }
    }
}

impl PathChoices {
    fn and(self, other: Self) -> Self {
        Self {
            kind: other.kind.or(self.kind),
            rate: other.rate.or(self.rate),
            time_shape: other.time_shape.or(self.time_shape),
            time_rate: other.time_rate.or(self.time_rate),
            end_time: other.end_time.or(self.end_time),
        }
    }
}

impl NetworkChoices {
    fn and(self, other: Self) -> Self {
        Self {
            kind: other.kind.or(self.kind),
            hidden: other.hidden.or(self.hidden),
            blocks: other.blocks.or(self.blocks),
            components: other.components.or(self.components),
            affinity: other.affinity.or(self.affinity),
            dropout: other.dropout.or(self.dropout),
            preset: other.preset.or(self.preset),
            channels: other.channels.or(self.channels),
            multipliers: other.multipliers.or(self.multipliers),
            attention: other.attention.or(self.attention),
            heads: other.heads.or(self.heads),
        }
    }
}

impl SplitChoices {
    fn and(self, other: Self) -> Self {
        Self {
            validation: other.validation.or(self.validation),
            test: other.test.or(self.test),
        }
    }
}
