//! The training objectives.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, activation};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::channel::NoisyBatch;
use super::model::{Head, Model};
use crate::path::ProbabilityPath;
use crate::random::row_generator;

/// The rows of one step and its noise, before any tensor is made.
pub(super) struct Minibatch<'a> {
    /// Labels of each row.
    pub rows: Vec<&'a [u16]>,
    /// Per row and site: root signal-to-noise ratio (posterior head) or time (field head).
    levels: Vec<f32>,
    /// Every row has a generator of its own, made from this one.
    noise: ChaCha8Rng,
    /// Of the dropout masks.
    dropout: ChaCha8Rng,
}

impl<'a> Minibatch<'a> {
    /// Draws the levels of the rows.
    pub fn new(
        model: &Model,
        rows: Vec<&'a [u16]>,
        conditional: bool,
        mut noise: ChaCha8Rng,
        dropout: ChaCha8Rng,
    ) -> Self {
        let levels = match (model.config.head, &model.config.path) {
            (Head::Posterior, _) => {
                let end = model.end_root_snr();
                stratified(rows.len(), &mut noise)
                    .map(|u| end * u)
                    .collect()
            }
            (Head::Field, path @ ProbabilityPath::InfiniteTime(_)) => {
                path.training_times().sample(rows.len(), &mut noise)
            }
            (Head::Field, ProbabilityPath::EGeodesic(_)) => {
                stratified(rows.len(), &mut noise).collect::<Vec<f64>>()
            }
        };
        let sites = model.manifold.sites();
        let mut levels: Vec<f32> = levels
            .into_iter()
            .flat_map(|level| std::iter::repeat_n(level as f32, sites))
            .collect();
        if conditional {
            show_some(&mut levels, sites, model.end_root_snr() as f32, &mut noise);
        }
        Self {
            rows,
            levels,
            noise,
            dropout,
        }
    }

    /// The levels of some rows, `[rows, sites]`.
    fn levels(&self, range: &Range<usize>, sites: usize) -> Vec<f32> {
        self.levels[range.start * sites..range.end * sites].to_vec()
    }
}

/// Raises some sites of half of the rows to the level that decides them: each with a probability that is
/// uniform over the rows, so that few and many known sites are equally frequent.
fn show_some(levels: &mut [f32], sites: usize, decisive: f32, rng: &mut ChaCha8Rng) {
    for row in levels.chunks_mut(sites) {
        let share = 2.0 * rng.random::<f64>() - 1.0;
        for level in row {
            if rng.random::<f64>() < share {
                *level = decisive;
            }
        }
    }
}

/// The mean loss of some rows of a batch, a scalar `[1]` on the model's (autodiff) device; `shard` is the
/// number of this part of the batch.
///
/// Posterior head: cross-entropy `−(1/n) Σ_i log p_θ(β_i | x)` in nats per site, `√γ` uniform up to the
/// decisive level and stratified over the batch. Field head: EG (23) per site.
pub(super) fn loss(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    shard: usize,
) -> Tensor<1> {
    match model.config.head {
        Head::Posterior => cross_entropy(model, batch, range, shard),
        Head::Field => field_matching(model, batch, range),
    }
}

fn cross_entropy(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    shard: usize,
) -> Tensor<1> {
    let (sites, device) = (model.manifold.sites(), model.device());
    let levels = batch.levels(&range, sites);
    let count = levels.len();
    let mut noisy = NoisyBatch::draw(&model.manifold, &batch.rows, range, levels, &batch.noise);
    let mut dropout = row_generator(&batch.dropout, shard);
    let root_snr = noisy.root_snr(device);
    let logits = model.posterior_logits(noisy.states(device), root_snr, Some(&mut dropout));
    let log_probabilities = activation::log_softmax(logits, 2);
    let chosen = (log_probabilities * noisy.corners(device)).sum();
    chosen * -(count as f64).recip()
}

/// Riemannian conditional flow matching, `E Σ_i ⟨d_i, R_{W_i} d_i⟩`, `d = F_θ(W_t, t) − V̇_t`, per site.
///
/// Source: EG (23).
fn field_matching(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Tensor<1> {
    let (sites, device) = (model.manifold.sites(), model.device());
    let times = batch.levels(&range, sites);
    let quiet = vec![0.0; times.len()];
    let time = Tensor::<2>::from_data(TensorData::new(times, [range.len(), sites]), device);
    // Level 0: the states are the reference noise V_0.
    let mut noisy = NoisyBatch::draw(&model.manifold, &batch.rows, range, quiet, &batch.noise);
    let reference = model.manifold.project(noisy.states(device));
    let sample = model.config.path.sample(
        &model.manifold,
        noisy.corners(device),
        reference,
        time.clone(),
    );
    let difference = model.field(sample.state.clone(), time) - sample.target;
    let points = model.manifold.point(sample.state);
    model
        .manifold
        .replicator_norm_squared(points, difference)
        .mean()
}

/// One number from each of `count` equal parts of `[0, 1)`: uniform, with less variance together.
fn stratified<R: Rng + ?Sized>(count: usize, rng: &mut R) -> std::vec::IntoIter<f64> {
    let draws: Vec<f64> = (0..count)
        .map(|k| (k as f64 + rng.random::<f64>()) / count as f64)
        .collect();
    draws.into_iter()
}
