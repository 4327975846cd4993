//! The bound of the sequential sampler: the chain rule in random order.
//!
//! The sampler draws the sites in a random order `σ`, so `P(β) = E_σ P_σ(β)` and, by Jensen's inequality,
//!
//! `−log P(β) ≤ E_σ Σ_k −log p(β_{σ(k)} | β_{σ(1)}, …, β_{σ(k−1)}) = n E_k E_K [mean over i ∉ K of −log p(β_i | β_K)]`
//!
//! with `k` uniform on `0..n` and `K` a uniform set of `k` sites. For conditionals of one distribution it is
//! an equality. The score of independent sites is taken off inside the mean: most of the variance goes with it.
//!
//! Source: Uria et al. 2014, arXiv 1310.1757; Sahoo et al. 2024, arXiv 2406.07524.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::score::{Draw, Integrand};
use crate::data::Dataset;
use crate::flow::channel::{Denoiser, KnownSites};
use crate::flow::error::{FlowError, Result};
use crate::flow::model::Model;
use crate::random::row_generator;

/// The integrand over the share of known sites.
pub(super) struct Sequential<'a> {
    denoiser: &'a dyn Denoiser,
    model: &'a Model,
    /// Which sites are scored; the labels of the others are given.
    targets: &'a [bool],
}

impl<'a> Sequential<'a> {
    pub fn new(denoiser: &'a dyn Denoiser, model: &'a Model, targets: &'a [bool]) -> Self {
        Self {
            denoiser,
            model,
            targets,
        }
    }
}

impl Integrand for Sequential<'_> {
    /// Sets each draw's value to `n · mean over i ∉ K of −log p(β_i | β_K) + log p_i(β_i)`.
    fn evaluate(&self, data: &Dataset, draws: &mut [Draw], rng: &ChaCha8Rng) -> Result<()> {
        let manifold = &self.model.manifold;
        let (sites, categories) = (manifold.sites(), manifold.categories());
        let known = KnownSites::new(manifold);
        let (mut states, mut levels) = known.nothing(draws.len());
        let mut unknown = Vec::with_capacity(draws.len());
        let scored: Vec<usize> = (0..sites).filter(|site| self.targets[*site]).collect();
        for (place, draw) in draws.iter().enumerate() {
            let mut order = scored.clone();
            order.shuffle(&mut row_generator(rng, place));
            // A share below 1 leaves at least one site.
            let shown = ((draw.level * order.len() as f64) as usize).min(order.len() - 1);
            let rest = order.split_off(shown);
            let given = (0..sites).filter(|site| !self.targets[*site]);
            for site in given.chain(order) {
                let at = place * sites + site;
                let state = &mut states[at * categories..(at + 1) * categories];
                let label = usize::from(data.row(draw.row)[site]);
                known.show(state, &mut levels[at], site, label);
            }
            unknown.push(rest);
        }
        let mean = known.posterior(self.denoiser, self.model.device(), states, levels);
        let marginals = &self.model.marginals;
        for ((place, draw), unknown) in draws.iter_mut().enumerate().zip(unknown) {
            let row = data.row(draw.row);
            let gain = |site: &usize| {
                let label = usize::from(row[*site]);
                let found = mean[(place * sites + site) * categories + label];
                marginals.log(*site, label) - f64::from(found).ln()
            };
            let sum: f64 = unknown.iter().map(gain).sum();
            draw.value = sum * scored.len() as f64 / unknown.len() as f64;
            if !draw.value.is_finite() {
                return Err(FlowError::NonFiniteScore {
                    row: draw.row,
                    root_snr: 0.0,
                });
            }
        }
        Ok(())
    }
}
