//! The posterior head: context that corrects a prior, trained by cross-entropy at levels of the channel.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, activation};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segre_kernels::Place;

use super::StepTensors;
use super::minibatch::{Minibatch, stratified};
use super::simplex_batch::SimplexBatch;
use crate::flow::channel::{NoisyBatch, SCORING_REST, evidence};
use crate::flow::likelihood::LevelDistribution;
use crate::flow::model::Model;
use crate::flow::sampling::asinh_level;
use crate::network::{Dropout, NetworkConfig};
use crate::path::ProbabilityPath;
use crate::random::row_generator;

/// Share of the rows of a UNet whose levels are those that a sampler meets, uniform in its steps. What the whole image is, is
/// decided at levels of which the bound, whose density the others have, takes no notice: that is a few bits of
/// thousands. 400 steps on label maps of 32 × 64 cost 0.003 bits/dim of 0.39 and draw more different maps.
const SAMPLER_SHARE: f64 = 0.1;

/// Unknown sites of a row that a step learns, at most, where the network is asked for each of them by itself: those of a row say
/// much the same of its hidden layers, and their logits are most of a step on a table of a thousand columns.
const MOST_PLACES: usize = 64;

/// One level (Gaussian path), time (on the simplex) or share of known sites (masked path) per row.
pub(super) fn row_levels(
    model: &Model,
    rows: usize,
    density: &LevelDistribution,
    rng: &mut ChaCha8Rng,
) -> Vec<f64> {
    let end = match &model.config.path {
        ProbabilityPath::Gaussian(_) => {
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
        ProbabilityPath::Simplex(path) => {
            path.decisive_time(model.manifold.categories(), SCORING_REST)
        }
        ProbabilityPath::Discrete(_) => 1.0,
    };
    stratified(rows, rng).map(|u| end * u).collect()
}

/// What the posterior head is told of some rows of a batch, and their labels.
pub(in crate::flow) struct Told {
    /// `log p(x_i | β_i = ·)` up to a constant, `[rows, sites, categories]`.
    pub evidence: Tensor<3>,
    /// `[rows, sites]`.
    pub level: Tensor<2>,
    /// One-hot labels, `[rows, sites, categories]`.
    pub corners: Tensor<3>,
}

/// Draws the noisy states of some rows of a batch.
pub(in crate::flow) fn told(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Told {
    match model.config.path {
        ProbabilityPath::Simplex(path) => {
            let states = SimplexBatch::draw(model, path, batch, range);
            Told {
                evidence: states.evidence(model, path),
                level: states.level(model, path),
                corners: states.corners(model),
            }
        }
        _ => told_of(model, &drawn(model, batch, range)),
    }
}

/// Noisy states, levels and corners of some rows of a batch, on a path that is not on the simplex.
pub(super) fn drawn(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> StepTensors {
    let device = model.device();
    let levels = batch.levels(&range, model.manifold.sites());
    let mut noisy = NoisyBatch::draw(&model.manifold, &batch.rows, range, levels, &batch.noise);
    StepTensors {
        states: noisy.states(device),
        aim: noisy.corners(device),
        level: noisy.root_snr(device),
    }
}

/// What the head is told of [drawn] states.
fn told_of(model: &Model, tensors: &StepTensors) -> Told {
    let (states, level) = (tensors.states.clone(), tensors.level.clone());
    Told {
        evidence: evidence(&model.manifold, states, level.clone()),
        level,
        corners: tensors.aim.clone(),
    }
}

/// The mean over rows of the mean of `−log p_θ(β_i | β_known)` over a row's unknown sites, or as many of them as a step can learn,
/// where the network sees labels only: per site the chain-rule bound of the rows (`likelihood/sequential.rs`).
pub(super) fn loss_of_labels(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    dropout: Option<&mut Dropout>,
) -> Option<Tensor<1>> {
    let network = model.network.of_labels()?;
    let cardinalities = model.manifold.cardinalities();
    let known = batch.known(&range, cardinalities.len());
    let places = some_of(known.unknown(), &batch.noise, range.start);
    let mut unknown = vec![0_u32; range.len()];
    places.iter().for_each(|place| unknown[place.row] += 1);
    let weights = places
        .iter()
        .map(|place| (unknown[place.row] as f32 * range.len() as f32).recip());
    let weights = TensorData::new(weights.collect::<Vec<_>>(), [places.len()]);
    let rows = &batch.rows[range];
    let targets = places.iter().map(|place| rows[place.row][place.column]);
    let targets = targets.collect();
    let of_sites = cardinalities.iter().enumerate();
    let marginals = of_sites.flat_map(|(site, own)| model.marginals.of(site, *own));
    let marginals = marginals.copied().collect();
    let found = network.cross_entropies(known.labels(), places.into(), targets, marginals, dropout);
    let weights = Tensor::from_data(weights, &found.device());
    Some((found * weights).sum())
}

/// So many places of every row, at random; the rows are those of a batch from `first` on.
fn some_of(places: Vec<Place>, noise: &ChaCha8Rng, first: usize) -> Vec<Place> {
    let of_rows = places.chunk_by(|a, b| a.row == b.row);
    let some = of_rows.flat_map(|own| {
        let mut own = own.to_vec();
        if own.len() <= MOST_PLACES {
            return own;
        }
        let mut rng = row_generator(noise, first + own[0].row);
        own.partial_shuffle(&mut rng, MOST_PLACES).0.to_vec()
    });
    some.collect()
}

/// `−log p_θ(β_i | x)` of every site, `[rows, sites]`.
pub(super) fn cross_entropies(
    model: &Model,
    batch: &Minibatch<'_>,
    range: Range<usize>,
    dropout: Option<&mut Dropout>,
) -> Tensor<2> {
    let classes = batch.classes.as_ref();
    let classes = classes.map(|classes| &classes[range.clone()]);
    cross_entropies_of(model, told(model, batch, range.clone()), classes, dropout)
}

/// The same of [drawn] states, where rows have no classes.
pub(super) fn cross_entropies_drawn(
    model: &Model,
    tensors: &StepTensors,
    dropout: &mut Dropout,
) -> Tensor<2> {
    cross_entropies_of(model, told_of(model, tensors), None, Some(dropout))
}

fn cross_entropies_of(
    model: &Model,
    told: Told,
    classes: Option<&[Option<u16>]>,
    dropout: Option<&mut Dropout>,
) -> Tensor<2> {
    let logits = model.posterior_logits(told.evidence, told.level, classes, dropout);
    let chosen = activation::log_softmax(logits, 2) * told.corners;
    -chosen.sum_dim(2).squeeze_dim::<2>(2)
}

impl Model {
    /// Logits of the posterior marginals `p(β_i = · | x)`: the prior's, given the evidence, + gain · context.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]` (`log p(x_i | β_i = ·)` up to a constant), `level [batch, sites]`,
    /// `classes` one per row, `None` where it is unknown → `[batch, sites, categories]`, padding
    /// [`PADDING_LOGIT`](crate::geometry::PADDING_LOGIT).
    ///
    /// Source: docs/mathematics.md §2.1.2.
    pub(in crate::flow) fn posterior_logits(
        &self,
        evidence: Tensor<3>,
        level: Tensor<2>,
        classes: Option<&[Option<u16>]>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        let (local, context) = self.local_and_context(evidence, level, classes, dropout);
        let context = match self.context_gain {
            1.0 => context,
            gain => context * gain,
        };
        self.manifold.mask_logits(local + context)
    }

    /// The prior's logits, and the network's context, which a gain is to weigh.
    ///
    /// # Shapes
    /// As [`posterior_logits`](Self::posterior_logits); both have its output's.
    pub(in crate::flow) fn local_and_context(
        &self,
        evidence: Tensor<3>,
        level: Tensor<2>,
        classes: Option<&[Option<u16>]>,
        dropout: Option<&mut Dropout>,
    ) -> (Tensor<3>, Tensor<3>) {
        let local = self
            .prior
            .local_logits(evidence.clone(), &self.marginals, &self.manifold);
        let points = activation::softmax(local.clone(), 2);
        let context = self
            .network
            .forward_told(points, Some(evidence), level, classes, dropout);
        (local, context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Schema};
    use crate::flow::{Head, ModelConfig};
    use crate::network::{LinearConfig, UnetConfig};
    use crate::path::{GaussianPath, InfiniteTime};
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
    fn a_step_learns_some_places_of_a_wide_row_and_all_of_a_narrow_one() {
        let widths = [3, 1000, MOST_PLACES];
        let places = |first: usize| -> Vec<Place> {
            let rows = widths.iter().enumerate().skip(first);
            rows.flat_map(|(row, width)| {
                let row = row - first;
                (0..*width).map(move |column| Place { row, column })
            })
            .collect()
        };
        let noise = generator(0, Purpose::Noise, 0);
        let some = some_of(places(0), &noise, 0);
        let of_row = |row| some.iter().filter(|place| place.row == row).count();
        assert_eq!([0, 1, 2].map(of_row), [3, MOST_PLACES, MOST_PLACES]);
        let wide: std::collections::BTreeSet<usize> = some[3..3 + MOST_PLACES]
            .iter()
            .map(|place| place.column)
            .collect();
        assert_eq!(wide.len(), MOST_PLACES, "none twice");
        // Another part of the same batch has the same places.
        let columns = |places: &[Place]| places.iter().map(|own| own.column).collect::<Vec<_>>();
        assert_eq!(columns(&some_of(places(1), &noise, 1)), columns(&some[3..]));
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
