//! The training objectives.

use std::ops::Range;

use burn::tensor::{Tensor, activation};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::channel::{NoisyBatch, SAMPLING_REST, SCORING_REST, evidence};
use super::config::Head;
use super::field_batch::FieldBatch;
use super::likelihood::LevelDistribution;
use super::model::Model;
use super::sampling::asinh_level;
use super::simplex_batch::SimplexBatch;
use crate::learning::parameters::host_values;
use crate::network::NetworkConfig;
use crate::path::{DiscretePath, GaussianPath, ProbabilityPath, SimplexPath};
use crate::random::row_generator;

/// Share of the rows of a UNet whose levels are those that a sampler meets, uniform in its steps. What the whole image is, is
/// decided at levels of which the bound, whose density the others have, takes no notice: that is a few bits of
/// thousands. 400 steps on label maps of 32 × 64 cost 0.003 bits/dim of 0.39 and draw more different maps.
const SAMPLER_SHARE: f64 = 0.1;

/// The rows of one step and its noise, before any tensor is made.
pub(super) struct Minibatch<'a> {
    /// Labels of each row.
    pub rows: Vec<&'a [u16]>,
    /// Per row and site: root signal-to-noise ratio (posterior head) or time (field head, or on the simplex).
    levels: Vec<f32>,
    /// Class of each row, where the model is told classes; `None` where it is not told this one.
    pub classes: Option<Vec<Option<u16>>>,
    /// Every row has a generator of its own, made from this one.
    pub noise: ChaCha8Rng,
    /// Of the dropout masks.
    dropout: ChaCha8Rng,
}

impl<'a> Minibatch<'a> {
    /// Draws the levels of the rows; those of the Gaussian channel from a density over the range of levels.
    pub fn new(
        model: &Model,
        rows: Vec<&'a [u16]>,
        density: &LevelDistribution,
        conditional: bool,
        mut noise: ChaCha8Rng,
        dropout: ChaCha8Rng,
    ) -> Self {
        let sites = model.manifold.sites();
        let mut levels: Vec<f32> = row_levels(model, rows.len(), density, &mut noise)
            .into_iter()
            .flat_map(|level| std::iter::repeat_n(level as f32, sites))
            .collect();
        let decisive = model.end_root_snr() as f32;
        match model.config.path {
            ProbabilityPath::Discrete(DiscretePath::Masked) => {
                show_shares(&mut levels, sites, decisive, &mut noise);
            }
            _ if conditional => {
                show_some(&mut levels, &model.schema.row_shape(), decisive, &mut noise);
            }
            _ => {}
        }
        Self {
            rows,
            levels,
            classes: None,
            noise,
            dropout,
        }
    }

    /// Rows with levels that are given.
    #[cfg(test)]
    pub fn of_levels(rows: Vec<&'a [u16]>, levels: Vec<f32>, noise: ChaCha8Rng) -> Self {
        Self {
            rows,
            levels,
            classes: None,
            dropout: noise.clone(),
            noise,
        }
    }

    /// The levels of some rows, `[rows, sites]`.
    pub fn levels(&self, range: &Range<usize>, sites: usize) -> Vec<f32> {
        self.levels[range.start * sites..range.end * sites].to_vec()
    }
}

/// One level (Gaussian path with posterior head), time (all others) or share of known sites (masked path) per row.
fn row_levels(
    model: &Model,
    rows: usize,
    density: &LevelDistribution,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let end = match (&model.config.path, model.config.head) {
        (ProbabilityPath::Gaussian(path @ GaussianPath::InfiniteTime(_)), Head::Field) => {
            return path.training_times().sample(rows, rng);
        }
        (ProbabilityPath::Gaussian(GaussianPath::EGeodesic(_)), Head::Field) => 1.0,
        (ProbabilityPath::Gaussian(_), Head::Posterior) => {
            let end = model.end_root_snr();
            let quantiles = stratified(rows, rng);
            let share = match model.config.network {
                NetworkConfig::Unet(_) => SAMPLER_SHARE,
                _ => 0.0,
            };
            let level = |u: f64| match u < share {
                true => asinh_level(model.manifold.sites(), u / share),
                false => density.quantile((u - share) / (1.0 - share)),
            };
            return quantiles.map(|u| end * level(u)).collect();
        }
        (ProbabilityPath::Simplex(path), Head::Posterior) => {
            path.decisive_time(model.manifold.categories(), SCORING_REST)
        }
        (ProbabilityPath::Simplex(path), Head::Field) => {
            path.end_time(model.manifold.categories(), SAMPLING_REST)
        }
        (ProbabilityPath::Discrete(_), _) => 1.0,
    };
    stratified(rows, rng).map(|u| end * u).collect()
}

/// Raises some sites of half of the rows to the level that decides them: each with a probability that is
/// uniform over the rows, so that few and many known sites are equally frequent. Of pictures, half of these rows show
/// a block or hide one instead. The other sites of every second such row are at level 0, where infilling, prediction
/// and the sequential sampler begin: at the levels of a bound they are hardly ever that unknown.
fn show_some(levels: &mut [f32], row_shape: &[usize], decisive: f32, rng: &mut ChaCha8Rng) {
    for row in levels.chunks_mut(row_shape.iter().product()) {
        let share = 2.0 * rng.random::<f64>() - 1.0;
        if share <= 0.0 {
            continue;
        }
        if rng.random() {
            row.fill(0.0);
        }
        match *row_shape {
            [height, width] if rng.random() => {
                show_block(row, [height, width], decisive, rng);
            }
            _ => row.iter_mut().for_each(|level| {
                if rng.random::<f64>() < share {
                    *level = decisive;
                }
            }),
        }
    }
}

/// Shows a block of a picture, or all but a block: some of its lines, of its columns, or a rectangle.
fn show_block(row: &mut [f32], [height, width]: [usize; 2], decisive: f32, rng: &mut ChaCha8Rng) {
    let mut interval = |length: usize| {
        let ends = [0; 2].map(|_| rng.random_range(0..=length));
        ends[0].min(ends[1])..ends[0].max(ends[1])
    };
    let (lines, columns) = (interval(height), interval(width));
    let (lines, columns) = match rng.random_range(0..3) {
        0 => (0..height, columns),
        1 => (lines, 0..width),
        _ => (lines, columns),
    };
    let inside: bool = rng.random();
    for (site, level) in row.iter_mut().enumerate() {
        let within = lines.contains(&(site / width)) && columns.contains(&(site % width));
        if within == inside {
            *level = decisive;
        }
    }
}

/// Replaces each row's share of known sites by levels: the decisive one with that probability, 0 otherwise.
fn show_shares(levels: &mut [f32], sites: usize, decisive: f32, rng: &mut ChaCha8Rng) {
    for row in levels.chunks_mut(sites) {
        for level in row {
            *level = match rng.random::<f32>() < *level {
                true => decisive,
                false => 0.0,
            };
        }
    }
}

/// The mean loss of some rows of a batch, a scalar `[1]` on the model's (autodiff) device; `shard` is the
/// number of this part of the batch.
///
/// Posterior head: cross-entropy `−(1/n) Σ_i log p_θ(β_i | x)` in nats per site. Field head: EG (23) per site on
/// Gaussian paths, `Σ_i ‖F_θ(x, t) − u_t(x | β)‖²` per site on the simplex.
pub(super) fn loss(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    shard: usize,
) -> Tensor<1> {
    match (model.config.head, &model.config.path) {
        (Head::Posterior, _) => {
            let mut dropout = row_generator(&batch.dropout, shard);
            cross_entropies(model, batch, range, Some(&mut dropout)).mean()
        }
        (Head::Field, ProbabilityPath::Simplex(path)) => {
            simplex_errors(model, *path, batch, range).mean()
        }
        (Head::Field, _) => matching_errors(model, batch, range).mean(),
    }
}

/// The mean loss of each row of a batch, without dropout: what is validated where a likelihood bound does not serve.
pub(super) fn row_losses(model: &Model, batch: &Minibatch<'_>) -> Vec<f32> {
    let all = 0..batch.rows.len();
    let per_row = |values: Tensor<2>| host_values(values.mean_dim(1));
    match (model.config.head, &model.config.path) {
        (Head::Field, ProbabilityPath::Simplex(path)) => {
            per_row(simplex_errors(model, *path, batch, all))
        }
        (Head::Field, _) => per_row(matching_errors(model, batch, all)),
        (Head::Posterior, _) => per_row(cross_entropies(model, batch, all, None)),
    }
}

/// What the posterior head is told of some rows of a batch, and their labels.
pub(super) struct Told {
    /// `log p(x_i | β_i = ·)` up to a constant, `[rows, sites, categories]`.
    pub evidence: Tensor<3>,
    /// `[rows, sites]`.
    pub level: Tensor<2>,
    /// One-hot labels, `[rows, sites, categories]`.
    pub corners: Tensor<3>,
}

/// Draws the noisy states of some rows of a batch.
pub(super) fn told(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Told {
    let (sites, device) = (model.manifold.sites(), model.device());
    match model.config.path {
        ProbabilityPath::Simplex(path) => {
            let states = SimplexBatch::draw(model, path, batch, range);
            Told {
                evidence: states.evidence(model, path),
                level: states.level(model, path),
                corners: states.corners(model),
            }
        }
        _ => {
            let levels = batch.levels(&range, sites);
            let mut noisy =
                NoisyBatch::draw(&model.manifold, &batch.rows, range, levels, &batch.noise);
            let level = noisy.root_snr(device);
            Told {
                evidence: evidence(&model.manifold, noisy.states(device), level.clone()),
                level,
                corners: noisy.corners(device),
            }
        }
    }
}

/// `−log p_θ(β_i | x)` of every site, `[rows, sites]`.
fn cross_entropies(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    dropout: Option<&mut ChaCha8Rng>,
) -> Tensor<2> {
    let classes = batch.classes.as_ref();
    let classes = classes.map(|classes| &classes[range.clone()]);
    let told = told(model, batch, range.clone());
    let logits = model.posterior_logits(told.evidence, told.level, classes, dropout);
    let chosen = activation::log_softmax(logits, 2) * told.corners;
    -chosen.sum_dim(2).squeeze_dim::<2>(2)
}

/// Riemannian conditional flow matching, `⟨d_i, R_{W_i} d_i⟩`, `d = F_θ(W_t, t) − V̇_t`, of every site, `[rows, sites]`.
///
/// Source: EG (23).
fn matching_errors(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Tensor<2> {
    let path = model.gaussian_path();
    let path = path.expect("other paths have losses of their own");
    let drawn = FieldBatch::draw(&model.manifold, path, batch, range);
    let (points, target, time) = drawn.into_tensors(model.device());
    let field = model.network.forward(points.clone(), time, None);
    segre_kernels::matching_error(field, points, target)
}

/// Squared errors of the velocity of every site, `[rows, sites]`.
fn simplex_errors(
    model: &Model,
    path: SimplexPath,
    batch: &Minibatch<'_>,
    range: Range<usize>,
) -> Tensor<2> {
    let states = SimplexBatch::draw(model, path, batch, range);
    let target = states.target(model, path);
    let level = states.level(model, path);
    let velocity = model.field_at_points(states.points(model), level);
    let squares = (velocity - target).square().sum_dim(2);
    squares.squeeze_dim(2)
}

/// One number from each of `count` equal parts of `[0, 1)`: uniform, with less variance together.
fn stratified<R: Rng + ?Sized>(count: usize, rng: &mut R) -> std::vec::IntoIter<f64> {
    let draws: Vec<f64> = (0..count)
        .map(|k| (k as f64 + rng.random::<f64>()) / count as f64)
        .collect();
    draws.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Schema};
    use crate::flow::ModelConfig;
    use crate::network::{LinearConfig, UnetConfig};
    use crate::path::InfiniteTime;
    use crate::random::{Purpose, generator};
    use burn::tensor::Device;

    /// Shares of the levels below `γ_end/n`, where the density of the bound has next to nothing.
    fn share_of_low_levels(network: NetworkConfig) -> f64 {
        let (sites, rows) = (64, 1000);
        let train = Dataset::new(Schema::integers(&[8, 8], true, 2), vec![1; sites]).unwrap();
        let config = ModelConfig {
            head: Head::Posterior,
            path: GaussianPath::InfiniteTime(InfiniteTime::default()).into(),
            network,
            ..ModelConfig::default()
        };
        let mut rng = generator(0, Purpose::Initialise, 0);
        let model = Model::new(config, &train, &mut rng, &Device::flex());
        let mut shares = LevelDistribution::uniform().shares().to_vec();
        let last = shares.len() - 1;
        shares.fill(1e-7);
        shares[last] = 1.0 - 1e-7 * last as f64;
        let density = LevelDistribution::from_shares(&shares).unwrap();
        let levels = row_levels(&model, rows, &density, &mut rng);
        let low = model.end_root_snr() / (sites as f64).sqrt();
        levels.iter().filter(|level| **level < low).count() as f64 / rows as f64
    }

    #[test]
    fn a_unet_also_learns_at_the_levels_that_a_sampler_meets() {
        // arsinh 1 of arsinh 8 of a sampler's steps.
        let expected = SAMPLER_SHARE * 1_f64.asinh() / 8_f64.asinh();
        let found = share_of_low_levels(NetworkConfig::Unet(UnetConfig::tiny()));
        assert!((found - expected).abs() < 2e-3, "{found} {expected}");
        assert_eq!(
            share_of_low_levels(NetworkConfig::Linear(LinearConfig::default())),
            0.0
        );
    }
}
