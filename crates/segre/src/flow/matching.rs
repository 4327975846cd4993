//! The training objectives.

use burn::tensor::{Device, Tensor, TensorData, activation};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::channel::NoisyBatch;
use super::model::{Head, Model};
use crate::path::ProbabilityPath;

/// The loss of a batch of labelings, a scalar `[1]` on the model's (autodiff) device.
///
/// Posterior head: cross-entropy `−(1/n) Σ_i log p_θ(β_i | x)` in nats per site, `√γ` uniform up to the
/// decisive level and stratified over the batch. Field head: EG (23) per site.
pub(super) fn loss(
    model: &Model,
    rows: &[&[u16]],
    noise: &mut ChaCha8Rng,
    dropout: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<1> {
    match model.config.head {
        Head::Posterior => cross_entropy(model, rows, noise, dropout, device),
        Head::Field => field_matching(model, rows, noise, device),
    }
}

fn cross_entropy(
    model: &Model,
    rows: &[&[u16]],
    noise: &mut ChaCha8Rng,
    dropout: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<1> {
    let sites = model.manifold.sites();
    let end = model.end_root_snr();
    let levels: Vec<f32> = stratified(rows.len(), noise)
        .flat_map(|u| std::iter::repeat_n((end * u) as f32, sites))
        .collect();
    let mut batch = NoisyBatch::draw(&model.manifold, rows, levels, noise);
    let root_snr = batch.root_snr(device);
    let logits = model.posterior_logits(batch.states(device), root_snr, Some(dropout));
    let log_probabilities = activation::log_softmax(logits, 2);
    let chosen = (log_probabilities * batch.corners(device)).sum();
    chosen * -((rows.len() * sites) as f64).recip()
}

/// Riemannian conditional flow matching, `E Σ_i ⟨d_i, R_{W_i} d_i⟩`, `d = F_θ(W_t, t) − V̇_t`, per site.
///
/// Source: EG (23).
fn field_matching(
    model: &Model,
    rows: &[&[u16]],
    noise: &mut ChaCha8Rng,
    device: &Device,
) -> Tensor<1> {
    let sites = model.manifold.sites();
    let times = match &model.config.path {
        path @ ProbabilityPath::InfiniteTime(_) => path.training_times().sample(rows.len(), noise),
        ProbabilityPath::EGeodesic(_) => stratified(rows.len(), noise).collect(),
    };
    let times: Vec<f32> = times
        .into_iter()
        .flat_map(|t| std::iter::repeat_n(t as f32, sites))
        .collect();
    let time = Tensor::<2>::from_data(TensorData::new(times, [rows.len(), sites]), device);
    // Level 0: the states are the reference noise V_0.
    let mut batch = NoisyBatch::draw(&model.manifold, rows, vec![0.0; rows.len() * sites], noise);
    let reference = model.manifold.project(batch.states(device));
    let sample = model.config.path.sample(
        &model.manifold,
        batch.corners(device),
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
