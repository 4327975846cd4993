//! The I-MMSE likelihood bound: an integral over the signal-to-noise ratio, no simulation, no trace.
//!
//! For the true posterior `−log P(β) = ½ ∫_0^∞ E‖v̄_β − E[v̄ | x_γ]‖² dγ`; for a learned denoiser `m_θ`
//! the right side is an upper bound on the negative log-likelihood of the flow that the denoiser drives.
//! Sites independent with marginals `p_i` have a posterior `m_0` of closed form, for which the identity
//! is exact. Taking `m_θ` up to a level `γ*` and `m_0` beyond gives a bound with no rest term:
//!
//! `−log P(β) ≤ −Σ_i log p_i(β_i) + ½ ∫_0^{γ*} E[‖v̄ − m_θ‖² − ‖v̄ − m_0‖²] dγ`.
//!
//! Both denoisers see the same noise, which cancels most of the variance.
//!
//! Source: docs/mathematics.md §2.1.3; Guo, Shamai & Verdú 2005; Kong et al. 2023, arXiv 2302.03792.

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use super::integral::{Draw, Integrand};
use crate::data::Dataset;
use crate::flow::channel::{Denoiser, NoisyBatch};
use crate::flow::error::{FlowError, Result};
use crate::flow::model::Model;
use crate::geometry::AssignmentManifold;

/// The integrand over the fraction `x = √γ/√γ*` of the last level.
pub(super) struct Immse<'a> {
    denoiser: &'a dyn Denoiser,
    model: &'a Model,
    /// Which sites are scored; the labels of the others are given.
    targets: &'a [bool],
    end: f64,
    /// What is taken off: independent sites, or another denoiser.
    reference: Option<&'a dyn Denoiser>,
}

impl<'a> Immse<'a> {
    pub fn new(denoiser: &'a dyn Denoiser, model: &'a Model, targets: &'a [bool]) -> Self {
        Self {
            denoiser,
            model,
            targets,
            end: model.end_root_snr(),
            reference: None,
        }
    }

    /// The same above another denoiser instead of independent sites.
    pub fn above(self, reference: &'a dyn Denoiser) -> Self {
        Self {
            reference: Some(reference),
            ..self
        }
    }
}

impl Integrand for Immse<'_> {
    /// Sets each draw's value to `½ Σ_i (‖v̄_i − m_θi‖² − ‖v̄_i − m_0i‖²) dγ_i/dx`, `m_0` the reference.
    fn evaluate(&self, data: &Dataset, draws: &mut [Draw], rng: &ChaCha8Rng) -> Result<()> {
        let (head, manifold) = (self.model.config.head, &self.model.manifold);
        let device = self.model.device();
        let mut root_snr = Vec::with_capacity(draws.len() * manifold.sites());
        let mut weights = Vec::with_capacity(root_snr.capacity());
        for Draw {
            level: fraction, ..
        } in draws.iter()
        {
            let levels = head.levels_at(self.model, self.end * fraction);
            let own = levels
                .iter()
                .zip(manifold.cardinalities())
                .zip(self.targets);
            for ((level, c), target) in own {
                // Levels are proportional to the fraction: ½ dγ/dx = γ/x.
                let scale = AssignmentManifold::direction_scale(*c).powi(2);
                let (level, weight) = match target {
                    true => (*level, scale * level * level / fraction),
                    false => (self.end, 0.0),
                };
                root_snr.push(level as f32);
                weights.push(weight as f32);
            }
        }
        let rows: Vec<&[u16]> = draws.iter().map(|draw| data.row(draw.row)).collect();
        let mut batch = NoisyBatch::draw(manifold, &rows, 0..rows.len(), root_snr, rng);
        let (levels, corners) = (batch.root_snr(device), batch.corners(device));
        let states = batch.states(device);
        let shape = [draws.len(), manifold.sites(), 1];
        let weights = Tensor::<3>::from_data(TensorData::new(weights, shape), device);
        let learned = self.denoiser.posterior_mean(states.clone(), levels.clone());
        let independent = self.model.independent_sites();
        let reference = self.reference.unwrap_or(&independent);
        let reference = reference.posterior_mean(states, levels);
        let error = |mean: Tensor<3>| (corners.clone() - mean).square().sum_dim(2);
        // ‖v̄_β − m‖² = c/(c−1) ‖e_β − p‖²: means over categories cancel.
        let values = (error(learned) - error(reference)) * weights;
        let values = values.sum_dim(1).into_data();
        let values = values
            .as_slice::<f32>()
            .expect("the network computes in 32-bit floats");
        for (draw, value) in draws.iter_mut().zip(values) {
            draw.value = f64::from(*value);
            if !value.is_finite() {
                let root_snr = self.end * draw.level;
                return Err(FlowError::NonFiniteScore {
                    row: draw.row,
                    root_snr,
                });
            }
        }
        Ok(())
    }
}
