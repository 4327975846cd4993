//! Samplers: from noise to labels, deterministic along the path or stochastic along the channel.

mod classes;
mod deterministic;
mod grid;
mod sequential;
mod simplex;
mod stochastic;

use std::ops::Range;
use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::classes::sample_classes;
use self::deterministic::flow;
pub use self::grid::LevelGrid;
pub(super) use self::grid::asinh_level;
use self::sequential::sequential;
use self::simplex::along_simplex;
use self::stochastic::stochastic;
use super::channel::Denoiser;
use super::config::Head;
use super::model::Model;
use crate::data::{Dataset, PartialDataset};
use crate::flow::error::{FlowError, Result};
use crate::geometry::AssignmentManifold;
use crate::ode::{AdaptiveOptions, Method};
use crate::path::ProbabilityPath;
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator};
use crate::setting::InvalidSetting;

/// How samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Stochastic: at every level labels are drawn from the posterior marginals and the channel is
    /// advanced with them; exact for independent sites with any number of steps. Needs a posterior head.
    Ancestral,
    /// Stochastic localisation: `dy = E[v̄ | y] dγ + dB` by Euler–Maruyama (docs/mathematics.md §2.1.4).
    /// The labels are drawn from the posterior at the end.
    Localisation,
    /// Stochastic localisation by Heun's predictor and corrector with the same noise, two evaluations a
    /// step: of weak order 2, because the noise does not depend on the state.
    LocalisationHeun,
    /// Sites are drawn in random order, in as many groups as there are steps, each from its marginal given
    /// those drawn before. With one site per step that is the chain rule: no error but the network's. Needs
    /// training that shows some of the labels.
    Sequential,
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
    /// The sampler for a path and a denoiser that has a posterior or not.
    ///
    /// With few sites, and a model that has learned their conditionals, the chain rule costs one evaluation per
    /// site and has no error of its own; else the localisation of weak order 2 needs the fewest.
    pub fn recommended(
        path: &ProbabilityPath,
        posterior: bool,
        sites: usize,
        conditional: bool,
    ) -> Self {
        match (path, posterior) {
            (ProbabilityPath::Gaussian(_), true) if conditional && sites <= FEW_SITES => {
                Self::Sequential
            }
            (ProbabilityPath::Gaussian(_), true) => Self::LocalisationHeun,
            (ProbabilityPath::Gaussian(_), false) => Self::Rk4,
            (ProbabilityPath::Simplex(_), true) => Self::Ancestral,
            (ProbabilityPath::Simplex(_), false) => Self::Euler,
            (ProbabilityPath::Discrete(_), _) => Self::Sequential,
        }
    }

    /// Whether it follows the channel rather than the flow.
    pub fn is_stochastic(self) -> bool {
        matches!(
            self,
            Self::Ancestral | Self::Localisation | Self::LocalisationHeun | Self::Sequential
        )
    }

    /// Steps when none are asked for: what was found to suffice on the built-in distributions.
    pub fn default_steps(self, sites: usize) -> usize {
        match self {
            Self::LocalisationHeun => 16,
            Self::Sequential => sites.min(64),
            _ => 32,
        }
    }
}

/// Settings of sampling.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingOptions {
    /// The sampler; by default [`Sampler::recommended`].
    pub sampler: Option<Sampler>,
    /// Number of steps of a sampler with fixed steps; by default [`Sampler::default_steps`].
    pub steps: Option<usize>,
    /// Where the steps lie; by default [`LevelGrid::Asinh`] for a posterior, [`LevelGrid::Uniform`] for a field.
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

/// Up to so many sites the chain rule is the default.
const FEW_SITES: usize = 16;

/// Draws `count` samples.
///
/// The result depends on model, options and count only, not on the number of threads.
///
/// # Errors
/// [`InvalidSetting`] for zero steps, [`FlowError::SamplerNeedsPosterior`] and [`FlowError::SamplerNotForPath`] for
/// a sampler that head or path cannot serve, [`Interrupted`](crate::Interrupted) if stopped, and those of
/// [`integrate`](crate::ode::integrate).
pub fn sample(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    if model.config.head == Head::Posterior {
        return sample_with(model, model, count, options, observer);
    }
    let source = Source {
        model,
        denoiser: model,
        posterior: false,
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
        posterior: true,
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
        posterior: true,
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
    /// Whether the denoiser's means are probabilities, from which labels can be drawn.
    posterior: bool,
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
        let end = match self.posterior {
            true => self.model.sampling_root_snr(),
            false => self.model.end_root_snr(),
        };
        let levels = self
            .grid(options)
            .levels(self.model.manifold.sites(), steps);
        levels.into_iter().map(|level| end * level).collect()
    }

    fn grid(&self, options: &SamplingOptions) -> LevelGrid {
        options.grid.unwrap_or(match self.posterior {
            true => LevelGrid::Asinh,
            false => LevelGrid::Uniform,
        })
    }

    /// Refuses a sampler that path or head cannot serve.
    fn check(&self, sampler: Sampler) -> Result<()> {
        if !self.posterior && matches!(sampler, Sampler::Ancestral | Sampler::Sequential) {
            return Err(FlowError::SamplerNeedsPosterior);
        }
        let (path, samplers) = match &self.model.config.path {
            ProbabilityPath::Gaussian(_) => return Ok(()),
            ProbabilityPath::Simplex(_) => ("a path on the simplex", "ancestral or euler"),
            ProbabilityPath::Discrete(_) => ("the masked path", "sequential"),
        };
        let served = match sampler {
            Sampler::Ancestral | Sampler::Euler => samplers.contains("euler"),
            Sampler::Sequential => samplers == "sequential",
            _ => false,
        };
        match served {
            true => Ok(()),
            false => Err(FlowError::SamplerNotForPath { path, samplers }),
        }
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
    let recommended = Sampler::recommended(
        &model.config.path,
        source.posterior,
        sites,
        model.conditional,
    );
    let sampler = options.sampler.unwrap_or(recommended);
    source.check(sampler)?;
    let steps = options.steps.unwrap_or(sampler.default_steps(sites));
    check(count, steps, options)?;
    let mut labels = Vec::with_capacity(count * sites);
    let (mut evaluations, mut entropy) = (0, 0.0);
    let mut log_probabilities = Vec::new();
    let batch = options.batch.min(model.most_rows());
    let chunks: Vec<(usize, usize)> = (0..count).step_by(batch).enumerate().collect();
    Progress::pieces(source.task(), "sample", 0, count).tell(observer)?;
    // Whole chunks side by side keep the processors busier than the small products within one.
    for wave in chunks.chunks(rayon::current_num_threads()) {
        let drawn: Vec<Drawn> = wave
            .par_iter()
            .map(|(chunk, from)| {
                let members = *from..count.min(from + batch);
                let rng = generator(options.seed, Purpose::Sample, *chunk as u64);
                draw_chunk(source, sampler, steps, options, members, rng)
            })
            .collect::<Result<_>>()?;
        for drawn in drawn {
            evaluations = evaluations.max(drawn.evaluations);
            entropy += drawn.entropy * (drawn.labels.len() / sites) as f64;
            labels.extend(drawn.labels);
            log_probabilities.extend(drawn.log_probabilities);
        }
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
