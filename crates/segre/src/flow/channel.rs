//! The Gaussian channel of a labeling, `x = √γ v̄_β + z`: its noise, its evidence, its limits.
//!
//! A site with label `β` is seen as `x = √γ v̄_β + z` with its own signal-to-noise ratio `γ`. Whatever turns
//! such `x` into expected labels is a `Denoiser`: the model, independent sites, or (in tests) the exact posterior of a
//! small pmf. Samplers and likelihood speak to that trait only. A known label is a site whose `γ` decides it, so conditions
//! need nothing new but training rows that show some of their sites (`--conditional any`; of pictures also blocks). The
//! posterior's logits are `evidence + log marginals + g_θ`: the network learns only what the sites say of each other. For
//! few sites a mixture of products, in which Bayes' rule is exact, carries the strong dependences (`network/mixture.rs`),
//! and a small residual network the rest. For images messages along rows and columns (`flow/prior/scanlines.rs`) come to
//! the marginals: what neighbouring pixels say of each other needs no network, which learns the rest.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use segre_kernels::Place;

use super::known::{Conditionals, KnownLabels};
use crate::data::PartialDataset;
use crate::geometry::AssignmentManifold;
use crate::learning::parameters::host_values;
use crate::random::row_generator;

/// What is expected of the labels given noisy states.
pub trait Denoiser: Sync {
    /// The posterior mean of the corners, `E[e_{β_i} | x]`: the probabilities `p(β_i = · | x)`.
    ///
    /// What a velocity field implies sums to 1 per site but may leave `[0, 1]`.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `root_snr [batch, sites]` (`√γ`) →
    /// `[batch, sites, categories]`, padding 0.
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3>;

    /// The posterior probabilities given the sites' local evidence, whatever channel or path it comes from.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]` (`log p(x_i | β_i = j)` up to a constant per site, nats),
    /// `level [batch, sites]` → `[batch, sites, categories]`, padding 0.
    ///
    /// # Panics
    /// For a velocity field, which has no posterior.
    fn posterior(&self, evidence: Tensor<3>, level: Tensor<2>) -> Tensor<3>;

    /// `p(β_i = · | β_known)` at some places of rows with known and unknown labels, if there is a shorter way than
    /// [`posterior_mean`](Self::posterior_mean) at the levels 0 and ∞.
    fn conditionals(&self, _known: &KnownLabels, _places: &[Place]) -> Option<Conditionals> {
        None
    }
}

/// Noisy states of a batch of labelings, in host memory.
#[derive(Clone, Debug)]
pub struct NoisyBatch {
    /// `[batch, sites, categories]`.
    pub shape: [usize; 3],
    /// States `√γ √(c/(c−1)) e_β + z`: `x` up to a constant per site, which no user of it sees;
    /// padding 0.
    pub states: Vec<f32>,
    /// Root signal-to-noise ratios, `[batch, sites]`.
    pub root_snr: Vec<f32>,
    /// One-hot labels `e_β`, `[batch, sites, categories]`.
    pub corners: Vec<f32>,
}

impl NoisyBatch {
    /// Draws the states of some of the given rows (each `sites` labels) at the given levels, one per row of
    /// the range and site.
    ///
    /// Rows have generators of their own, so neither threads nor the cutting into ranges change anything.
    pub fn draw(
        manifold: &AssignmentManifold,
        rows: &[&[u16]],
        range: Range<usize>,
        root_snr: Vec<f32>,
        rng: &ChaCha8Rng,
    ) -> Self {
        let (sites, categories) = (manifold.sites(), manifold.categories());
        let first = range.start;
        let rows = &rows[range];
        assert_eq!(
            root_snr.len(),
            rows.len() * sites,
            "one level per row and site"
        );
        let width = sites * categories;
        let mut states = vec![0.0; rows.len() * width];
        let mut corners = vec![0.0; rows.len() * width];
        let scales = direction_scales(manifold);
        states
            .par_chunks_mut(width)
            .zip(corners.par_chunks_mut(width))
            .zip(root_snr.par_chunks(sites))
            .enumerate()
            .for_each(|(row, ((states, corners), levels))| {
                let mut rng = row_generator(rng, first + row);
                for (site, &label) in rows[row].iter().enumerate() {
                    let from = site * categories;
                    let own = manifold.cardinalities()[site];
                    for state in &mut states[from..from + own] {
                        *state = StandardNormal.sample(&mut rng);
                    }
                    states[from + usize::from(label)] += levels[site] * scales[site];
                    corners[from + usize::from(label)] = 1.0;
                }
            });
        Self {
            shape: [rows.len(), sites, categories],
            states,
            root_snr,
            corners,
        }
    }

    /// The states on a device, `[batch, sites, categories]`.
    pub fn states(&mut self, device: &Device) -> Tensor<3> {
        let states = std::mem::take(&mut self.states);
        Tensor::from_data(TensorData::new(states, self.shape), device)
    }

    /// The levels on a device, `[batch, sites]`.
    pub fn root_snr(&self, device: &Device) -> Tensor<2> {
        let [batch, sites, _] = self.shape;
        Tensor::from_data(
            TensorData::new(self.root_snr.clone(), [batch, sites]),
            device,
        )
    }

    /// The one-hot labels on a device, `[batch, sites, categories]`.
    pub fn corners(&mut self, device: &Device) -> Tensor<3> {
        let corners = std::mem::take(&mut self.corners);
        Tensor::from_data(TensorData::new(corners, self.shape), device)
    }
}

/// `√(c_i/(c_i−1))` per site.
pub(crate) fn direction_scales(manifold: &AssignmentManifold) -> Vec<f32> {
    let scale = |c: &usize| AssignmentManifold::direction_scale(*c) as f32;
    manifold.cardinalities().iter().map(scale).collect()
}

/// Local evidence of the states: `log p(x_i | β_i = j) = √γ_i √(c_i/(c_i−1)) x_ij`, up to a constant
/// per site.
///
/// # Shapes
/// `state [batch, sites, categories]`, `root_snr [batch, sites]` → `[batch, sites, categories]`.
///
/// Source: docs/mathematics.md §2.1.2.
pub fn evidence(manifold: &AssignmentManifold, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
    let scale = manifold.per_site(AssignmentManifold::direction_scale, &state);
    state * (root_snr.unsqueeze_dim::<3>(2) * scale)
}

/// How known labels are shown to a denoiser: without noise, at a level that decides them; an unknown site has
/// level 0, where its state says nothing.
///
/// Source: docs/mathematics.md §2.1.5.
pub(crate) struct KnownSites<'a> {
    manifold: &'a AssignmentManifold,
    level: f32,
    scales: Vec<f32>,
}

impl<'a> KnownSites<'a> {
    pub fn new(manifold: &'a AssignmentManifold) -> Self {
        Self {
            manifold,
            level: decisive_root_snr(manifold.cardinalities(), SCORING_REST) as f32,
            scales: direction_scales(manifold),
        }
    }

    /// States `[size, sites, categories]` and levels `[size, sites]` of which nothing is known.
    pub fn nothing(&self, size: usize) -> (Vec<f32>, Vec<f32>) {
        let places = size * self.manifold.sites();
        (
            vec![0.0; places * self.manifold.categories()],
            vec![0.0; places],
        )
    }

    /// Shows the label of one site: `state [categories]` and its level.
    pub fn show(&self, state: &mut [f32], level: &mut f32, site: usize, label: usize) {
        *level = self.level;
        state.fill(0.0);
        state[label] = self.level * self.scales[site];
    }

    /// Shows what is known of some rows; state `k` belongs to row `row(k)`. All other sites stay as they are.
    pub fn show_rows(
        &self,
        given: &PartialDataset,
        row: impl Fn(usize) -> usize,
        states: &mut [f32],
        levels: &mut [f32],
    ) {
        let (sites, categories) = (self.manifold.sites(), self.manifold.categories());
        for (place, level) in levels.iter_mut().enumerate() {
            let (state, site) = (place / sites, place % sites);
            if let Some(label) = given.label(row(state), site) {
                let own = &mut states[place * categories..(place + 1) * categories];
                self.show(own, level, site, usize::from(label));
            }
        }
    }

    /// The denoiser's posterior at such states, `[size, sites, categories]` in host memory.
    pub fn posterior(
        &self,
        denoiser: &dyn Denoiser,
        device: &Device,
        states: Vec<f32>,
        levels: Vec<f32>,
    ) -> Vec<f32> {
        let (sites, categories) = (self.manifold.sites(), self.manifold.categories());
        let size = levels.len() / sites;
        let states = TensorData::new(states, [size, sites, categories]);
        let levels = TensorData::new(levels, [size, sites]);
        host_values(denoiser.posterior_mean(
            Tensor::from_data(states, device),
            Tensor::from_data(levels, device),
        ))
    }
}

/// Nats per site of the likelihood integral that may lie beyond the last level of a score.
pub const SCORING_REST: f64 = 1e-5;
/// The same for sampling, where the labels are drawn from what the posterior leaves open.
pub const SAMPLING_REST: f64 = 5e-3;

/// The root signal-to-noise ratio from which the evidence of a site decides it: less than `rest` nats per
/// site of the likelihood integral lie beyond.
///
/// With `m = γ c/(c−1)` the log-odds of the true label against another are `N(m, 2m)`, so the error
/// of the local posterior is at most `½(c−1) e^{−m/4}` and the rest of the integral
/// `½∫_γ^∞ E‖v̄ − E[v̄|x]‖² dγ ≤ 2(c−1) e^{−γ c/(4(c−1))}`.
pub fn decisive_root_snr(cardinalities: &[usize], rest: f64) -> f64 {
    let decisive = |c: &usize| match *c {
        0 | 1 => 1.0,
        c => {
            let others = (c - 1) as f64;
            (4.0 * others / c as f64 * (2.0 * others / rest).ln()).sqrt()
        }
    };
    cardinalities.iter().map(decisive).fold(1.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn evidence_beyond_the_decisive_level_leaves_little_error() {
        for (c, rest) in [(2_usize, SCORING_REST), (17, SAMPLING_REST), (160, 1e-3)] {
            let level = decisive_root_snr(&[c], rest);
            let m = level * level * c as f64 / (c - 1) as f64;
            let found = 2.0 * (c - 1) as f64 * (-m / 4.0).exp();
            assert!((found / rest - 1.0).abs() < 1e-9, "c = {c}: {found}");
        }
        assert_eq!(decisive_root_snr(&[1, 1], SCORING_REST), 1.0);
    }

    #[test]
    fn states_have_the_stated_mean_and_variance_and_quiet_padding() {
        let device = Device::flex();
        let manifold = AssignmentManifold::new(&[2, 3], &device);
        let rows = vec![&[1_u16, 2][..]; 20_000];
        let levels = [1.5_f32, 0.5].repeat(rows.len());
        let batch = NoisyBatch::draw(
            &manifold,
            &rows,
            0..rows.len(),
            levels,
            &generator(3, Purpose::Noise, 0),
        );
        let count = rows.len() as f64;
        let expected = [
            [0.0, 1.5 * 2_f64.sqrt(), 0.0],
            [0.0, 0.0, 0.5 * 1.5_f64.sqrt()],
        ];
        for (place, want) in expected.iter().flatten().enumerate() {
            let draws = batch
                .states
                .iter()
                .skip(place)
                .step_by(6)
                .map(|x| f64::from(*x));
            let mean = draws.clone().sum::<f64>() / count;
            let variance = draws.map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let noise = if place == 2 { 0.0 } else { 1.0 };
            assert!(
                (mean - want).abs() < 4.0 / count.sqrt(),
                "place {place}: mean {mean}"
            );
            assert!(
                (variance - noise).abs() < 0.06,
                "place {place}: variance {variance}"
            );
        }
        assert_eq!(batch.corners[..6], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
