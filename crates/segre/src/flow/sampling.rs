//! Samplers: from noise to labels, deterministic along the path or stochastic along the channel.

use std::ops::Range;
use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::channel::{Denoiser, direction_scales, show_known};
use super::model::{Head, Model};
use crate::data::{Dataset, PartialDataset};
use crate::error::{Error, Result};
use crate::field::VectorField;
use crate::geometry::AssignmentManifold;
use crate::ode::{AdaptiveOptions, Method, Stepping, TimeGrid, integrate};
use crate::random::{Purpose, generator, row_generator};

/// How samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Stochastic: at every level labels are drawn from the posterior marginals and the channel is
    /// advanced with them; exact for independent sites with any number of steps. Needs a posterior head.
    Ancestral,
    /// Stochastic localisation: `dy = E[v̄ | y] dγ + dB` by Euler–Maruyama (SPEC §2.1.4). The labels are
    /// drawn from the posterior at the end.
    Localisation,
    /// Stochastic localisation by Heun's predictor and corrector with the same noise, two evaluations a
    /// step: of weak order 2, because the noise does not depend on the state.
    LocalisationHeun,
    /// The assignment flow by the explicit Euler method.
    Euler,
    /// The assignment flow by Heun's method, order 2.
    Heun,
    /// The assignment flow by the classical Runge–Kutta method, order 4.
    Rk4,
    /// The assignment flow by Dormand–Prince 5(4) with adaptive steps.
    DormandPrince,
}

impl Sampler {
    /// Whether it follows the channel rather than the flow.
    pub fn is_stochastic(self) -> bool {
        matches!(
            self,
            Self::Ancestral | Self::Localisation | Self::LocalisationHeun
        )
    }

    /// Steps when none are asked for: what was found to suffice on the built-in distributions.
    pub fn default_steps(self) -> usize {
        match self {
            Self::LocalisationHeun => 16,
            _ => 32,
        }
    }
}

/// Where the levels of a fixed number of steps lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelGrid {
    /// Uniform in the time of the path (in `√γ` on the infinite-time path).
    #[default]
    Uniform,
    /// Uniform in `log γ` after a first step.
    LogSnr,
}

/// Settings of sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingOptions {
    /// The sampler; by default [`Sampler::LocalisationHeun`] for a posterior head and [`Sampler::Rk4`] for
    /// a field.
    pub sampler: Option<Sampler>,
    /// Number of steps of a sampler with fixed steps; by default [`Sampler::default_steps`].
    pub steps: Option<usize>,
    /// Where the steps lie.
    pub grid: LevelGrid,
    /// Tolerances of the adaptive sampler.
    pub tolerances: AdaptiveOptions,
    /// Seed of all noise.
    pub seed: u64,
    /// Samples drawn at a time.
    pub batch: usize,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            sampler: None,
            steps: None,
            grid: LevelGrid::Uniform,
            tolerances: AdaptiveOptions::default(),
            seed: 0,
            batch: 1024,
        }
    }
}

/// Samples and what they cost.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The samples, in the model's schema.
    pub data: Dataset,
    /// Evaluations of the network per sample (of the batch with the most).
    pub function_evaluations: usize,
    /// Mean entropy per site before labels are read off, over `log c_i`: 0 is decided, 1 uniform.
    pub mean_entropy: f64,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// First signal-to-noise ratio of a grid uniform in `log γ`, relative to the last.
const FIRST_SNR: f64 = 1e-4;

/// Draws `count` samples; `progress` is told how many are done and may stop by returning `false`.
///
/// The result depends on model, options and count only, not on the number of threads.
///
/// # Errors
/// [`Error::InvalidSetting`] for zero steps or a sampler that the head cannot serve,
/// [`Error::Interrupted`] if stopped, and those of [`integrate`].
pub fn sample(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Samples> {
    if model.config.head == Head::Posterior {
        return sample_with(model, model, count, options, progress);
    }
    if options.sampler == Some(Sampler::Ancestral) {
        return Err(Error::SamplerNeedsPosterior);
    }
    let field = |state: Tensor<3>, time: Tensor<1>| model.velocity(state, time);
    let source = Source {
        model,
        denoiser: model,
        posterior: false,
        given: None,
        field: &field,
        end_time: model.config.path.end_time(),
    };
    draw(&source, Sampler::Rk4, count, options, progress)
}

/// Draws samples with another denoiser than the model's own; the model gives schema, path and levels.
///
/// The default sampler is [`Sampler::LocalisationHeun`], whatever the model's head; the deterministic samplers
/// follow the velocity that the denoiser implies.
///
/// # Errors
/// As [`sample`], but every sampler is served.
pub fn sample_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Samples> {
    let field = |state: Tensor<3>, time: Tensor<1>| model.velocity_of(denoiser, state, time);
    let source = Source {
        model,
        denoiser,
        posterior: true,
        given: None,
        field: &field,
        // A posterior's velocity ends where the channel decides all; a field's where the path ends.
        end_time: model.time_at(model.end_root_snr()),
    };
    draw(&source, Sampler::LocalisationHeun, count, options, progress)
}

/// Draws one completion of every row: the unknown labels given the known ones.
///
/// # Errors
/// As [`sample`]; [`Error::ConditionNeedsPosterior`] for a field head or a deterministic sampler,
/// [`Error::SchemaMismatch`] for rows of another schema.
pub fn complete(
    model: &Model,
    given: &PartialDataset,
    options: &SamplingOptions,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Samples> {
    model.schema.same_as(&given.schema)?;
    let stochastic = options.sampler.is_none_or(Sampler::is_stochastic);
    if model.config.head != Head::Posterior || !stochastic {
        return Err(Error::ConditionNeedsPosterior);
    }
    let field = |state: Tensor<3>, time: Tensor<1>| model.velocity(state, time);
    let source = Source {
        model,
        denoiser: model,
        posterior: true,
        given: Some(given),
        field: &field,
        end_time: model.time_at(model.end_root_snr()),
    };
    let drawn = draw(
        &source,
        Sampler::LocalisationHeun,
        given.rows(),
        options,
        progress,
    )?;
    let data = given.filled(|row, site| drawn.data.row(row)[site])?;
    Ok(Samples { data, ..drawn })
}

/// What is sampled from.
struct Source<'a> {
    model: &'a Model,
    /// Drives the stochastic samplers.
    denoiser: &'a dyn Denoiser,
    /// Whether the denoiser's means are probabilities, from which labels can be drawn.
    posterior: bool,
    /// What is known of each sample, for the stochastic samplers.
    given: Option<&'a PartialDataset>,
    /// Drives the deterministic samplers, from time 0.
    field: &'a (dyn VectorField + Sync),
    /// To this time.
    end_time: f64,
}

fn draw(
    source: &Source,
    default: Sampler,
    count: usize,
    options: &SamplingOptions,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Samples> {
    let start = Instant::now();
    let model = source.model;
    let sampler = options.sampler.unwrap_or(default);
    let steps = options.steps.unwrap_or(sampler.default_steps());
    check(count, steps, options)?;
    let mut labels = Vec::with_capacity(count * model.manifold.sites());
    let (mut evaluations, mut entropy) = (0, 0.0);
    let chunks: Vec<(usize, usize)> = (0..count).step_by(options.batch).enumerate().collect();
    // Whole chunks side by side keep the processors busier than the small products within one.
    for wave in chunks.chunks(rayon::current_num_threads()) {
        let drawn: Vec<Drawn> = wave
            .par_iter()
            .map(|(chunk, from)| {
                let size = options.batch.min(count - from);
                let rng = generator(options.seed, Purpose::Sample, *chunk as u64);
                match sampler {
                    Sampler::Ancestral | Sampler::Localisation | Sampler::LocalisationHeun => {
                        let grid = channel_grid(source, options.grid, steps);
                        Ok(stochastic(source, sampler, &grid, *from..from + size, rng))
                    }
                    Sampler::Euler => {
                        flow(source, Some((Method::Euler, steps)), size, options, rng)
                    }
                    Sampler::Heun => flow(source, Some((Method::Heun, steps)), size, options, rng),
                    Sampler::Rk4 => flow(source, Some((Method::Rk4, steps)), size, options, rng),
                    Sampler::DormandPrince => flow(source, None, size, options, rng),
                }
            })
            .collect::<Result<_>>()?;
        for drawn in drawn {
            evaluations = evaluations.max(drawn.evaluations);
            entropy += drawn.entropy * (drawn.labels.len() / model.manifold.sites()) as f64;
            labels.extend(drawn.labels);
        }
        if !progress(labels.len() / model.manifold.sites()) {
            return Err(Error::Interrupted);
        }
    }
    Ok(Samples {
        data: Dataset::new(model.schema.clone(), labels)?,
        function_evaluations: evaluations,
        mean_entropy: entropy / count as f64,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn check(count: usize, steps: usize, options: &SamplingOptions) -> Result<()> {
    let least = if options.grid == LevelGrid::LogSnr {
        2
    } else {
        1
    };
    let numbers = [
        ("number of samples", count, 1, "at least 1"),
        (
            "steps",
            steps,
            least,
            "at least 1, and 2 for a grid in log SNR",
        ),
        ("batch", options.batch, 1, "at least 1"),
    ];
    for (name, value, least, expected) in numbers {
        if value < least {
            return Err(Error::InvalidSetting {
                name,
                value: value as f64,
                expected,
            });
        }
    }
    Ok(())
}

/// A batch of samples.
struct Drawn {
    labels: Vec<u16>,
    evaluations: usize,
    entropy: f64,
}

/// Follows the channel `y_γ = γ v̄ + B_γ` level by level.
///
/// Source: SPEC §2.1.4.
fn stochastic(
    source: &Source,
    sampler: Sampler,
    grid: &[f64],
    members: Range<usize>,
    rng: ChaCha8Rng,
) -> Drawn {
    let size = members.len();
    let model = source.model;
    let manifold = &model.manifold;
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let mut rows: Vec<ChaCha8Rng> = (0..size).map(|row| row_generator(&rng, row)).collect();
    let scales = direction_scales(manifold);
    // y up to a constant per site, [batch, sites, categories].
    let mut walk = vec![0.0_f32; size * sites * categories];
    let mut current = model.levels_at(0.0);
    let mut evaluations = 0;
    for next in grid {
        evaluations += 1;
        let mean = posterior_of_walk(source, &walk, &current, &members);
        let next = model.levels_at(*next);
        walk.par_chunks_mut(sites * categories)
            .zip(mean.par_chunks(sites * categories))
            .zip(rows.par_iter_mut())
            .for_each(|((walk, mean), rng)| {
                for site in 0..sites {
                    let own = site * categories..site * categories + manifold.cardinalities()[site];
                    let (walk, mean) = (&mut walk[own.clone()], &mean[own]);
                    let growth = (next[site].powi(2) - current[site].powi(2)) as f32;
                    if sampler == Sampler::Ancestral {
                        walk[categorical(mean, rng)] += scales[site] * growth;
                    } else {
                        for (y, p) in walk.iter_mut().zip(mean) {
                            *y += scales[site] * growth * p;
                        }
                    }
                    let deviation = growth.sqrt();
                    for y in walk {
                        let z: f32 = StandardNormal.sample(rng);
                        *y += deviation * z;
                    }
                }
            });
        if sampler == Sampler::LocalisationHeun {
            let corrected = posterior_of_walk(source, &walk, &next, &members);
            evaluations += 1;
            walk.par_chunks_mut(sites * categories)
                .zip(mean.par_chunks(sites * categories))
                .zip(corrected.par_chunks(sites * categories))
                .for_each(|((walk, mean), corrected)| {
                    for site in 0..sites {
                        let own =
                            site * categories..site * categories + manifold.cardinalities()[site];
                        let growth = (next[site].powi(2) - current[site].powi(2)) as f32;
                        let gain = 0.5 * scales[site] * growth;
                        for k in own {
                            walk[k] += gain * (corrected[k] - mean[k]);
                        }
                    }
                });
        }
        current = next;
    }
    let mean = posterior_of_walk(source, &walk, &current, &members);
    let entropy = normalised_entropy(&mean, manifold);
    let labels: Vec<u16> = mean
        .par_chunks(sites * categories)
        .zip(rows.par_iter_mut())
        .flat_map_iter(|(mean, rng)| {
            (0..sites).map(move |site| {
                let from = site * categories;
                let own = &mean[from..from + manifold.cardinalities()[site]];
                let label = match source.posterior {
                    true => categorical(own, rng),
                    false => largest(own),
                };
                label as u16
            })
        })
        .collect();
    Drawn {
        labels,
        evaluations: evaluations + 1,
        entropy,
    }
}

/// Levels `√γ` of a stochastic sampler, without the start at 0.
fn channel_grid(source: &Source, grid: LevelGrid, steps: usize) -> Vec<f64> {
    let end = match source.posterior {
        true => source.model.sampling_root_snr(),
        false => source.model.end_root_snr(),
    };
    match grid {
        LevelGrid::Uniform => (1..=steps).map(|k| end * k as f64 / steps as f64).collect(),
        LevelGrid::LogSnr => {
            let ratio = FIRST_SNR.ln() / 2.0 / (steps - 1) as f64;
            (0..steps)
                .map(|k| end * (ratio * (steps - 1 - k) as f64).exp())
                .collect()
        }
    }
}

/// The posterior means at `y = √γ x` of some samples, in host memory.
fn posterior_of_walk(
    source: &Source,
    walk: &[f32],
    levels: &[f64],
    members: &Range<usize>,
) -> Vec<f32> {
    let model = source.model;
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let (device, size) = (model.device(), members.len());
    let mut states = walk.to_vec();
    states
        .par_chunks_mut(sites * categories)
        .flat_map_iter(|own| own.chunks_mut(categories).zip(levels))
        .for_each(|(state, level)| {
            // At level 0 there is no evidence, whatever the state.
            let inverse = if *level > 0.0 {
                level.recip() as f32
            } else {
                0.0
            };
            state.iter_mut().for_each(|y| *y *= inverse);
        });
    let levels: Vec<f32> = levels.iter().map(|level| *level as f32).collect();
    let mut root_snr = levels.repeat(size);
    if let Some(given) = source.given {
        let row = |k: usize| members.start + k;
        show_known(&model.manifold, given, row, &mut states, &mut root_snr);
    }
    let states = TensorData::new(states, [size, sites, categories]);
    let root_snr = TensorData::new(root_snr, [size, sites]);
    host(source.denoiser.posterior_mean(
        Tensor::from_data(states, device),
        Tensor::from_data(root_snr, device),
    ))
}

/// Integrates the assignment flow in e-coordinates from the reference noise.
///
/// Source: EG (1), SPEC §4; Zeilmann et al. 2020.
fn flow(
    source: &Source,
    method: Option<(Method, usize)>,
    size: usize,
    options: &SamplingOptions,
    mut rng: ChaCha8Rng,
) -> Result<Drawn> {
    let (model, end) = (source.model, source.end_time);
    let path = &model.config.path;
    let stepping = match method {
        None => Stepping::Adaptive {
            start: 0.0,
            end,
            options: options.tolerances.clone(),
        },
        Some((method, steps)) => {
            let grid = match options.grid {
                LevelGrid::Uniform => TimeGrid::uniform(0.0, end, steps)?,
                LevelGrid::LogSnr => {
                    let last = model.end_root_snr().powi(2);
                    let categories = model.manifold.categories();
                    let time = |snr| path.time_at_snr(snr, categories);
                    TimeGrid::uniform_in_log_snr((FIRST_SNR * last, last), steps, time)?
                }
            };
            Stepping::Fixed { method, grid }
        }
    };
    let start = model.manifold.reference_noise(size, &mut rng);
    let start = start.to_device(model.device());
    let solution = integrate(source.field, start, &stepping)?;
    let points = host(model.manifold.point(solution.state));
    let entropy = normalised_entropy(&points, &model.manifold);
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let labels = points
        .chunks(categories)
        .enumerate()
        .map(|(place, point)| {
            largest(&point[..model.manifold.cardinalities()[place % sites]]) as u16
        })
        .collect();
    Ok(Drawn {
        labels,
        evaluations: solution.evaluations,
        entropy,
    })
}

fn host(tensor: Tensor<3>) -> Vec<f32> {
    tensor
        .into_data()
        .try_into_vec::<f32>()
        .expect("the network computes in 32-bit floats")
}

/// A category drawn with the given probabilities.
fn categorical(probabilities: &[f32], rng: &mut ChaCha8Rng) -> usize {
    let total: f32 = probabilities.iter().sum();
    let mut rest = rng.random::<f32>() * total;
    for (label, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return label;
        }
    }
    // Rounding ate the rest: the last category that can occur.
    probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
}

/// The most probable category.
fn largest(probabilities: &[f32]) -> usize {
    let better = |best: usize, label: usize| {
        if probabilities[label] > probabilities[best] {
            label
        } else {
            best
        }
    };
    (0..probabilities.len()).fold(0, better)
}

/// Mean over batch and sites of `H(W_i)/log c_i`; sites with one category do not count.
fn normalised_entropy(points: &[f32], manifold: &AssignmentManifold) -> f64 {
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let (mut sum, mut count) = (0.0, 0_usize);
    for (place, point) in points.chunks(categories).enumerate() {
        let own = manifold.cardinalities()[place % sites];
        if own < 2 {
            continue;
        }
        let terms = point[..own]
            .iter()
            .map(|p| f64::from(*p))
            .filter(|p| *p > 0.0);
        sum += terms.map(|p| -p * p.ln()).sum::<f64>() / (own as f64).ln();
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use rand::SeedableRng;

    #[test]
    fn categories_are_drawn_with_their_probabilities() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut counts = [0_u32; 4];
        for _ in 0..40_000 {
            counts[categorical(&[0.5, 0.0, 0.2, 0.3], &mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, p) in counts.iter().zip([0.5, 0.0, 0.2, 0.3]) {
            assert!((f64::from(*count) / 40_000.0 - p).abs() < 0.01);
        }
    }

    #[test]
    fn entropy_is_relative_to_the_number_of_categories() {
        let manifold = AssignmentManifold::new(&[2, 3, 1], &Device::flex());
        let third = 1.0 / 3.0;
        let points = [0.5, 0.5, 0.0, third, third, third, 1.0, 0.0, 0.0];
        assert!((normalised_entropy(&points, &manifold) - 1.0).abs() < 1e-6);
        let points = [1.0, 0.0, 0.0, third, third, third, 1.0, 0.0, 0.0];
        assert!((normalised_entropy(&points, &manifold) - 0.5).abs() < 1e-6);
    }
}
