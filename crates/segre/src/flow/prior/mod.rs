//! What a model knows before its network has learned anything: local logits, which the network corrects.
//!
//! | prior | file |
//! |---|---|
//! | marginals of the training rows; all models have them, for scores are relative to them | `marginals.rs` |
//! | messages along rows and columns of images | `scanlines.rs` |
//! | beliefs of a pairwise energy | `pairwise.rs` |
//! | posteriors of a tree of hidden states | `trees/` |
//!
//! A prior has no parameters that are trained with the network. The mixture of products has: it is fitted jointly with all
//! other context, so it is a layer, `network/mixture.rs`.
//!
//! A new prior is a file here, a case of [`PriorConfig`] and of [`Prior`], and a rule of the recipe that chooses it. The room
//! knows data, geometry and the channel, but no model.

mod marginals;
mod pairwise;
mod scanlines;
mod trees;

use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

pub(super) use self::marginals::{IndependentSites, Marginals};
use self::pairwise::BeliefPropagation;
pub use self::pairwise::{Pair, PairwisePrior};
use self::scanlines::ScanlinePrior;
use self::trees::TreePrior;
use crate::data::{Dataset, Schema};
use crate::flow::error::Result;
use crate::geometry::AssignmentManifold;
use crate::learning::LearningError;
use crate::learning::parameters::Values;

/// Which prior a posterior head has.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum PriorConfig {
    /// The marginals of the training data.
    #[default]
    Marginals,
    /// The marginals and messages along rows and columns of images, by tables of neighbouring pixels of the training data.
    Scanlines,
    /// The beliefs of a known energy, in place of the marginals.
    Pairwise(PairwisePrior),
    /// The posteriors of a tree of hidden states, learned from the training rows, in place of the marginals.
    Trees,
}

impl PriorConfig {
    /// The energy, if that is what is known.
    pub fn energy(&self) -> Option<&PairwisePrior> {
        match self {
            Self::Pairwise(energy) => Some(energy),
            Self::Marginals | Self::Scanlines | Self::Trees => None,
        }
    }

    /// Checks that the prior is for such data.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`](crate::data::DataError::NotAnImage) for scanlines on anything else,
    /// [`FlowError::PriorMismatch`](crate::flow::FlowError::PriorMismatch) for the energy of other sites.
    pub(super) fn check(&self, schema: &Schema) -> Result<()> {
        match self {
            Self::Marginals | Self::Trees => Ok(()),
            Self::Scanlines => scanlines::check(schema),
            Self::Pairwise(energy) => energy.check(&schema.cardinalities()),
        }
    }

    /// The prior as three settings: the tables of an energy, whether there are messages along scanlines, and whether a tree.
    pub(super) fn into_settings(self) -> (Option<PairwisePrior>, bool, bool) {
        match self {
            Self::Marginals => (None, false, false),
            Self::Scanlines => (None, true, false),
            Self::Trees => (None, false, true),
            Self::Pairwise(energy) => (Some(energy), false, false),
        }
    }

    /// The prior of [`into_settings`](Self::into_settings); none where several are asked for.
    pub(super) fn of_settings(
        energy: Option<PairwisePrior>,
        scanlines: bool,
        trees: bool,
    ) -> Option<Self> {
        match (energy, scanlines, trees) {
            (None, false, false) => Some(Self::Marginals),
            (None, true, false) => Some(Self::Scanlines),
            (None, false, true) => Some(Self::Trees),
            (Some(energy), false, false) => Some(Self::Pairwise(energy)),
            _ => None,
        }
    }
}

/// A prior ready to be computed with.
#[derive(Clone, Debug)]
pub(super) enum Prior {
    Marginals,
    Scanlines(ScanlinePrior),
    Pairwise(BeliefPropagation),
    Trees(TreePrior),
}

impl Prior {
    /// The prior as the training rows have it; `rng` is left as it is.
    pub fn fit(
        config: &PriorConfig,
        train: &Dataset,
        marginals: &Marginals,
        device: &Device,
        rng: &ChaCha8Rng,
    ) -> Self {
        match config {
            PriorConfig::Marginals => Self::Marginals,
            PriorConfig::Scanlines => {
                let plain = device.clone().inner();
                Self::Scanlines(ScanlinePrior::fit(train, marginals.logs(), &plain, rng))
            }
            PriorConfig::Pairwise(energy) => Self::of_energy(energy, &train.schema.cardinalities()),
            PriorConfig::Trees => Self::Trees(TreePrior::fit(train, marginals.logs(), rng)),
        }
    }

    /// The prior of a known energy.
    pub fn of_energy(energy: &PairwisePrior, cardinalities: &[usize]) -> Self {
        Self::Pairwise(BeliefPropagation::new(energy, cardinalities))
    }

    /// Whether a step brings the prior's numbers along, which may be others in the next one.
    pub fn is_brought(&self) -> bool {
        matches!(self, Self::Pairwise(_) | Self::Trees(_))
    }

    /// What a file keeps of the prior: tensors by name.
    pub fn stored(&self) -> Vec<(&'static str, Values)> {
        match self {
            Self::Scanlines(lines) => lines.stored(),
            Self::Trees(trees) => trees.stored(),
            // An energy is one of the settings.
            Self::Marginals | Self::Pairwise(_) => Vec::new(),
        }
    }

    /// The prior of its settings and of what a file keeps; `take` finds the tensor of a name and a shape.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn of_stored(
        config: &PriorConfig,
        schema: &Schema,
        marginals: &Marginals,
        take: impl FnMut(&str, Vec<usize>) -> Result<Vec<f32>, LearningError>,
    ) -> Result<Self, LearningError> {
        Ok(match config {
            PriorConfig::Marginals => Self::Marginals,
            PriorConfig::Scanlines => {
                Self::Scanlines(ScanlinePrior::of_stored(schema, marginals.logs(), take)?)
            }
            PriorConfig::Pairwise(energy) => Self::of_energy(energy, &schema.cardinalities()),
            PriorConfig::Trees => Self::Trees(TreePrior::of_stored(schema, take)?),
        })
    }

    /// Logits of the labels given the evidence of the sites, as far as the prior knows.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]` → the same.
    pub fn local_logits(
        &self,
        evidence: Tensor<3>,
        marginals: &Marginals,
        manifold: &AssignmentManifold,
    ) -> Tensor<3> {
        match self {
            Self::Marginals => marginals.logits(evidence, manifold),
            Self::Scanlines(lines) => lines.beliefs(marginals.logits(evidence, manifold)),
            Self::Pairwise(messages) => messages.beliefs(manifold.mask_logits(evidence)),
            Self::Trees(trees) => trees.beliefs(manifold.mask_logits(evidence)),
        }
    }
}
