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
use segre_kernels::Place;

use super::integral::{Draw, Integrand};
use crate::data::Dataset;
use crate::flow::channel::Denoiser;
use crate::flow::error::{FlowError, Result};
use crate::flow::known::{KnownLabels, conditionals};
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
        let sites = self.model.manifold.sites();
        let mut known = KnownLabels::nothing(draws.len(), sites);
        let (mut places, mut unknown) = (Vec::new(), Vec::with_capacity(draws.len()));
        let scored: Vec<usize> = (0..sites).filter(|site| self.targets[*site]).collect();
        for (place, draw) in draws.iter().enumerate() {
            let mut order = scored.clone();
            order.shuffle(&mut row_generator(rng, place));
            // A share below 1 leaves at least one site.
            let shown = ((draw.level * order.len() as f64) as usize).min(order.len() - 1);
            let rest = order.split_off(shown);
            let given = (0..sites).filter(|site| !self.targets[*site]);
            for site in given.chain(order) {
                known.labels_mut()[place * sites + site] = Some(data.row(draw.row)[site]);
            }
            let first = places.len();
            places.extend(rest.iter().map(|site| Place {
                row: place,
                column: *site,
            }));
            unknown.push((first, rest));
        }
        let found = conditionals(self.denoiser, self.model, &known, &places);
        let marginals = &self.model.marginals;
        for (draw, (first, unknown)) in draws.iter_mut().zip(unknown) {
            let row = data.row(draw.row);
            let gain = |(place, site): (usize, &usize)| {
                let label = usize::from(row[*site]);
                let p = found.of(first + place)[label];
                marginals.log(*site, label) - f64::from(p).ln()
            };
            let sum: f64 = unknown.iter().enumerate().map(gain).sum();
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
