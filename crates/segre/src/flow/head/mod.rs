//! Heads: what the network's output means, and all that follows from it.
//!
//! | | posterior | field |
//! |---|---|---|
//! | what the network says | context, which corrects the prior | velocity |
//! | loss | cross-entropy | squared error of the velocity |
//! | file | `posterior.rs` | `field.rs` |
//!
//! | shared | file |
//! |---|---|
//! | rows, levels and noise of a step | `minibatch.rs` |
//! | labels shown in training | `shown.rs` |
//! | points on a Gaussian path, states on the simplex | `field_batch.rs`, `simplex_batch.rs` |
//! | samplers that a head can serve, and the default | `samplers.rs` |
//!
//! Head, path and prior that do not go together are refused by [`Head::check`], before there is a model.

mod field;
mod field_batch;
mod minibatch;
mod posterior;
mod samplers;
mod shown;
mod simplex_batch;

use std::ops::Range;

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub(super) use self::minibatch::Minibatch;
pub(super) use self::posterior::told;
use super::channel::Denoiser;
use super::error::{FlowError, Result};
use super::likelihood::LevelDistribution;
use super::model::Model;
use super::prior::PriorConfig;
use crate::learning::parameters::host_values;
use crate::network::Dropout;
use crate::path::ProbabilityPath;

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

impl Head {
    /// Whether the network says context: what a prior starts, classes of rows are told to and a gain weighs.
    pub(super) fn has_context(self) -> bool {
        self == Self::Posterior
    }

    /// Refuses a path or a prior that the head has no use for.
    ///
    /// # Errors
    /// [`FlowError::NoField`] for a field of a path that jumps, [`FlowError::FieldWithPrior`] for one with a prior.
    pub(super) fn check(self, path: &ProbabilityPath, prior: &PriorConfig) -> Result<()> {
        if self.has_context() {
            return Ok(());
        }
        if matches!(path, ProbabilityPath::Discrete(_)) {
            return Err(FlowError::NoField { path: path.name() });
        }
        match prior {
            PriorConfig::Marginals => Ok(()),
            _ => Err(FlowError::FieldWithPrior),
        }
    }

    /// Refuses a head or a path that cannot be told labels.
    ///
    /// # Errors
    /// [`FlowError::ConditionNeedsPosterior`] for a field or a path on the simplex.
    pub(super) fn check_conditions(self, path: &ProbabilityPath) -> Result<()> {
        match self.has_context() && !matches!(path, ProbabilityPath::Simplex(_)) {
            true => Ok(()),
            false => Err(FlowError::ConditionNeedsPosterior),
        }
    }

    /// Whether a validation is the bound on the negative log-likelihood, and not the loss: the bound of a field is so
    /// loose, while its prior is still to be learned, that it prefers a field of nothing.
    pub(super) fn is_validated_by_bound(self, path: &ProbabilityPath) -> bool {
        self == Self::Posterior && path.has_bound()
    }

    /// One level or time (or share of known sites, on the masked path) per row of a step.
    fn row_levels(
        self,
        model: &Model,
        rows: usize,
        density: &LevelDistribution,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f64> {
        match self {
            Self::Posterior => posterior::row_levels(model, rows, density, rng),
            Self::Field => field::row_times(model, rows, rng),
        }
    }

    /// The levels of all sites when one with the most categories has the given level.
    ///
    /// The posterior head sets each site's level by itself; a field knows one time only, at which the
    /// sites' levels may differ.
    pub(super) fn levels_at(self, model: &Model, root_snr: f64) -> Vec<f64> {
        match (self, &model.config.path) {
            (Self::Field, ProbabilityPath::Gaussian(path)) => {
                let time = path.time_at_snr(root_snr * root_snr, model.manifold.categories());
                let level = |c: &usize| path.snr(time, *c).sqrt();
                model.manifold.cardinalities().iter().map(level).collect()
            }
            _ => vec![root_snr; model.manifold.sites()],
        }
    }

    /// The time at which a deterministic flow ends: a posterior's where the channel decides all, a field's where its
    /// path ends.
    ///
    /// # Errors
    /// [`FlowError::NeedsGaussianPath`].
    pub(super) fn flow_end(self, model: &Model) -> Result<f64> {
        let path = model.gaussian_path()?;
        Ok(match self {
            Self::Posterior => {
                path.time_at_snr(model.end_root_snr().powi(2), model.manifold.categories())
            }
            Self::Field => path.end_time(),
        })
    }

    /// The velocity of a Gaussian path: what the denoiser implies, or the model's own field.
    ///
    /// # Shapes
    /// As [`Model::velocity`].
    pub(super) fn velocity(
        self,
        model: &Model,
        denoiser: &dyn Denoiser,
        state: Tensor<3>,
        time: Tensor<1>,
    ) -> Tensor<3> {
        match self {
            Self::Posterior => model.velocity_of(denoiser, state, time),
            Self::Field => model.field(state, model.time_of_sites(time)),
        }
    }
}

/// The mean loss of some rows of a batch, a scalar `[1]` on the model's (autodiff) device.
///
/// Posterior head: cross-entropy `−(1/n) Σ_i log p_θ(β_i | x)` in nats per site; of unknown sites, where the network sees labels only. Field head: EG (23) per site on
/// Gaussian paths, `Σ_i ‖F_θ(x, t) − u_t(x | β)‖²` per site on the simplex.
pub(super) fn loss(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Tensor<1> {
    let mut dropout = Dropout::of_rows(&batch.dropout, range.clone());
    if let Some(loss) = posterior::loss_of_labels(model, batch, range.clone(), Some(&mut dropout)) {
        return loss;
    }
    losses(model, batch, range, Some(&mut dropout)).mean()
}

/// What a step on one batch tells the network, on the model's device: tensors whose shapes are those of every step.
#[derive(Clone, Debug)]
pub(super) struct StepTensors {
    /// Noisy states, or points of the path, `[rows, sites, categories]`.
    states: Tensor<3>,
    /// One-hot labels, or velocities, `[rows, sites, categories]`.
    aim: Tensor<3>,
    /// Root signal-to-noise ratios, or times, `[rows, sites]`.
    level: Tensor<2>,
}

impl StepTensors {
    /// Draws them; none where a step needs more than these, or other kernels than the one before.
    pub fn draw(model: &Model, batch: &Minibatch<'_>) -> Option<Self> {
        let config = &model.config;
        let own = matches!(config.path, ProbabilityPath::Simplex(_))
            || model.prior.is_brought()
            || model.network.of_labels().is_some()
            || config.network.has_dropout()
            || batch.classes.is_some();
        if own {
            return None;
        }
        let rows = 0..batch.rows.len();
        Some(match config.head {
            Head::Posterior => posterior::drawn(model, batch, rows),
            Head::Field => field::drawn(model, batch, rows),
        })
    }

    /// The mean loss, as [`loss`]. The dropout drops nothing: it says that this is training.
    pub fn loss(&self, model: &Model, dropout: &mut Dropout) -> Tensor<1> {
        match model.config.head {
            Head::Posterior => posterior::cross_entropies_drawn(model, self, dropout),
            Head::Field => field::matching_errors_drawn(model, self),
        }
        .mean()
    }

    /// A tensor of the device.
    pub fn beside(&self) -> Tensor<2> {
        self.level.clone()
    }

    /// Takes the numbers of others into these tensors; whether they have the same shapes.
    pub fn overwrite(&self, other: Self) -> bool {
        if self.states.dims() != other.states.dims() {
            return false;
        }
        segre_kernels::overwrite(&self.states, other.states);
        segre_kernels::overwrite(&self.aim, other.aim);
        segre_kernels::overwrite(&self.level, other.level);
        true
    }
}

/// The mean loss of each row of a batch, without dropout: what is validated where a likelihood bound does not serve.
pub(super) fn row_losses(model: &Model, batch: &Minibatch<'_>) -> Vec<f32> {
    let all = 0..batch.rows.len();
    host_values(losses(model, batch, all, None).mean_dim(1))
}

/// The loss of every site, `[rows, sites]`.
fn losses(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    dropout: Option<&mut Dropout>,
) -> Tensor<2> {
    match model.config.head {
        Head::Posterior => posterior::cross_entropies(model, batch, range, dropout),
        Head::Field => field::errors(model, batch, range),
    }
}
