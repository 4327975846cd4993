//! Samplers: from noise to labels, deterministic along the path or stochastic along the channel.

mod classes;
mod deterministic;
mod grid;
mod sampler;
mod sequential;
mod simplex;
mod stochastic;

use std::ops::Range;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

pub use self::classes::sample_classes;
use self::deterministic::flow;
pub use self::grid::LevelGrid;
pub(super) use self::grid::asinh_level;
pub use self::sampler::Sampler;
use self::sequential::sequential;
use self::simplex::along_simplex;
use self::stochastic::stochastic;
use super::channel::Denoiser;
use super::head::Head;
use super::model::Model;
use crate::data::{Dataset, PartialDataset};
use crate::flow::error::{FlowError, Result};
use crate::geometry::AssignmentManifold;
use crate::ode::{AdaptiveOptions, Method};
use crate::path::ProbabilityPath;
use crate::progress::{Interrupted, Observer, Progress};
use crate::random::{Purpose, generator};
use crate::ranks;
use crate::setting::InvalidSetting;

/// Settings of sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingOptions {
    /// The sampler; by default [`Head::recommended_sampler`].
    pub sampler: Option<Sampler>,
    /// Number of steps of a sampler with fixed steps; by default [`Sampler::default_steps`].
    pub steps: Option<usize>,
    /// Where the steps lie; by default [`Head::level_grid`].
    pub grid: Option<LevelGrid>,
    /// Tolerances of the adaptive sampler.
    pub tolerances: AdaptiveOptions,
    /// Seed of all noise.
    pub seed: u64,
    /// Most samples drawn at a time; fewer where rows are large.
    pub batch: usize,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            sampler: None,
            steps: None,
            grid: None,
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
    /// Of each sample the logarithm of the probability with which it was drawn, given its random order: exact for the
    /// sequential sampler of all unknown sites, and empty for the others.
    pub log_probabilities: Vec<f64>,
    /// Mean entropy per site before labels are read off, over `log c_i`: 0 is decided, 1 uniform.
    pub mean_entropy: f64,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// Draws `count` samples.
///
/// The result depends on model, options and count only, not on the number of threads.
///
/// # Errors
/// [`InvalidSetting`] for zero steps, [`FlowError::SamplerNeedsPosterior`] and [`FlowError::SamplerNotForPath`] for
/// a sampler that head or path cannot serve, [`Interrupted`] if stopped, and those of
/// [`integrate`](crate::ode::integrate).
pub fn sample(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let source = Source {
        model,
        denoiser: model,
        head: model.config.head,
        given: None,
    };
    draw(&source, count, options, observer)
}

/// Draws samples with another denoiser than the model's own; the model gives schema, path and levels.
///
/// The default sampler is that of a posterior head, whatever the model's; the deterministic samplers follow the
/// velocity that the denoiser implies.
///
/// # Errors
/// As [`sample`].
pub fn sample_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let source = Source {
        model,
        denoiser,
        head: Head::Posterior,
        given: None,
    };
    draw(&source, count, options, observer)
}

/// Draws one completion of every row: the unknown labels given the known ones.
///
/// # Errors
/// As [`sample`]; [`FlowError::ConditionNeedsPosterior`] for a field head, a deterministic sampler or a path on the
/// simplex, [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for rows of another schema.
pub fn complete(
    model: &Model,
    given: &PartialDataset,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    complete_with(model, model, given, options, observer)
}

/// Draws completions with another denoiser than the model's own; the model gives schema, path and levels.
///
/// # Errors
/// As [`complete`].
pub fn complete_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    given: &PartialDataset,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    model.schema.same_as(&given.schema)?;
    model.check_conditions()?;
    if !options.sampler.is_none_or(Sampler::is_stochastic) {
        return Err(FlowError::ConditionNeedsPosterior);
    }
    let source = Source {
        model,
        denoiser,
        head: Head::Posterior,
        given: Some(given),
    };
    let drawn = draw(&source, given.rows(), options, observer)?;
    let data = given.filled(|row, site| drawn.data.row(row)[site])?;
    Ok(Samples { data, ..drawn })
}

/// What is sampled from.
struct Source<'a> {
    model: &'a Model,
    denoiser: &'a dyn Denoiser,
    /// What the denoiser is: a posterior's means are probabilities, from which labels can be drawn.
    head: Head,
    /// What is known of each sample, for the stochastic samplers.
    given: Option<&'a PartialDataset>,
}

impl Source<'_> {
    /// What an observer is told is being done.
    fn task(&self) -> &'static str {
        match self.given {
            Some(_) => "complete",
            None => "sample",
        }
    }

    /// The levels `√γ` after each of some steps.
    fn levels(&self, options: &SamplingOptions, steps: usize) -> Vec<f64> {
        let end = self.head.sampling_end(self.model);
        let levels = self
            .grid(options)
            .levels(self.model.manifold.sites(), steps);
        levels.into_iter().map(|level| end * level).collect()
    }

    fn grid(&self, options: &SamplingOptions) -> LevelGrid {
        options.grid.unwrap_or(self.head.level_grid())
    }
}

fn draw(
    source: &Source,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let start = Instant::now();
    let model = source.model;
    let sites = model.manifold.sites();
    let path = &model.config.path;
    let sampler = options.sampler.unwrap_or_else(|| {
        source
            .head
            .recommended_sampler(path, sites, model.conditional)
    });
    source.head.check_sampler(path, sampler)?;
    let steps = options.steps.unwrap_or(sampler.default_steps(sites));
    check(count, steps, options)?;
    let mut labels = Vec::with_capacity(count * sites);
    let (mut evaluations, mut entropy) = (0, 0.0);
    let mut log_probabilities = Vec::new();
    let batch = options.batch.min(model.most_rows());
    let chunks: Vec<(usize, usize)> = (0..count).step_by(batch).enumerate().collect();
    Progress::pieces(source.task(), "sample", 0, count).tell(observer)?;
    // Whole chunks side by side keep the processors busier than the small products within one.
    for wave in chunks.chunks(ranks::side_by_side()) {
        let drawn: Result<Vec<Drawn>> = wave[ranks::share(0..wave.len())]
            .par_iter()
            .map(|(chunk, from)| {
                let members = *from..count.min(from + batch);
                let rng = generator(options.seed, Purpose::Sample, *chunk as u64);
                draw_chunk(source, sampler, steps, options, members, rng)
            })
            .collect();
        let drawn = ranks::together(drawn, || Interrupted.into())?;
        let costs = drawn.iter().map(|own| {
            let rows = (own.labels.len() / sites) as f64;
            [own.evaluations as f64, own.entropy * rows]
        });
        for [own, sum] in ranks::gather(costs.collect()) {
            evaluations = evaluations.max(own as usize);
            entropy += sum;
        }
        let all = |of: fn(&Drawn) -> &[f64]| drawn.iter().flat_map(of).copied().collect();
        log_probabilities.extend(ranks::gather(all(|own| &own.log_probabilities)));
        let own = drawn.into_iter().flat_map(|own| own.labels).collect();
        labels.extend(ranks::gather::<u16>(own));
        Progress::pieces(source.task(), "sample", labels.len() / sites, count).tell(observer)?;
    }
    Ok(Samples {
        data: Dataset::new(model.schema.clone(), labels)?,
        function_evaluations: evaluations,
        log_probabilities,
        mean_entropy: entropy / count as f64,
        seconds: start.elapsed().as_secs_f64(),
    })
}

fn draw_chunk(
    source: &Source,
    sampler: Sampler,
    steps: usize,
    options: &SamplingOptions,
    members: Range<usize>,
    rng: ChaCha8Rng,
) -> Result<Drawn> {
    let size = members.len();
    if let ProbabilityPath::Simplex(path) = source.model.config.path {
        return Ok(along_simplex(source, path, sampler, steps, size, rng));
    }
    match sampler {
        Sampler::Ancestral | Sampler::Localisation | Sampler::LocalisationHeun => {
            let levels = source.levels(options, steps);
            Ok(stochastic(source, sampler, &levels, members, rng))
        }
        Sampler::Sequential => Ok(sequential(source, steps, members, rng)),
        Sampler::Euler => flow(source, Some((Method::Euler, steps)), size, options, rng),
        Sampler::Heun => flow(source, Some((Method::Heun, steps)), size, options, rng),
        Sampler::Rk4 => flow(source, Some((Method::Rk4, steps)), size, options, rng),
        Sampler::DormandPrince => flow(source, None, size, options, rng),
    }
}

fn check(count: usize, steps: usize, options: &SamplingOptions) -> Result<()> {
    let least = options.grid.map_or(1, LevelGrid::least_steps);
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
            return Err(InvalidSetting {
                name,
                value: value as f64,
                expected,
            }
            .into());
        }
    }
    Ok(())
}

/// A batch of samples.
struct Drawn {
    labels: Vec<u16>,
    evaluations: usize,
    entropy: f64,
    /// See [`Samples::log_probabilities`].
    log_probabilities: Vec<f64>,
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
