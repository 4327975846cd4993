//! The score of a data set: an integral from nothing known to all known, by Monte Carlo with error control.

use super::immse::Immse;
use super::importance::{self, ImportanceOptions};
use super::integral::{Integrand, integrate};
use super::levels::LevelDistribution;
use super::orders;
use super::sequential::Sequential;
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::channel::Denoiser;
use crate::flow::error::{FlowError, Result};
use crate::flow::model::{Model, check_schema};
use crate::path::ProbabilityPath;
use crate::progress::Observer;
use crate::setting::InvalidSetting;

/// Most evaluations for which [`ScoreMethod::Tightest`] goes through several orders of every row: minutes for 100 columns.
const MOST_EVALUATIONS: usize = 1 << 22;

/// Standard errors by which one bound must be below another to be the tighter one.
const ERRORS: f64 = 3.0;

/// How the negative log-likelihood is bounded or computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreMethod {
    /// Of the flow, by the I-MMSE integral over the signal-to-noise ratio.
    Immse,
    /// Of the sequential sampler, by the chain rule in random order.
    Sequential,
    /// Of the sequential sampler, by the mean probability over several orders: at most the chain rule's bound.
    Orders,
    /// Of the deterministic flow, by importance sampling of its end points (EG §4.2).
    Importance,
    /// Of the deterministic flow, rounded, by quadrature: 3 dimensions `Σ_i (c_i − 1)` at most.
    Exact,
    /// The tightest of the bounds of flow and sequential sampler that reach the error asked for.
    Tightest,
}

impl ScoreMethod {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Immse,
        Self::Sequential,
        Self::Orders,
        Self::Importance,
        Self::Exact,
        Self::Tightest,
    ];

    /// What it is called where it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Immse => "immse",
            Self::Sequential => "chain",
            Self::Orders => "orders",
            Self::Importance => "importance",
            Self::Exact => "exact",
            Self::Tightest => "auto",
        }
    }
}

/// What a score says of the negative log-likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is at most this, on average over the noise of the estimate.
    UpperBound,
    /// It is about this.
    Estimate,
    /// It is this.
    Exact,
}

/// What is scored, and how much work to spend on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreOptions {
    /// By default [`ScoreMethod::Sequential`] for the masked path and [`ScoreMethod::Immse`] for others.
    pub method: Option<ScoreMethod>,
    /// Settings of [`ScoreMethod::Importance`], which no other setting but seed and batch concerns; of
    /// [`ScoreMethod::Exact`] the tolerance.
    pub importance: ImportanceOptions,
    /// Sites whose labels are given: the score is that of the others, `−log P(β_others | β_given)`.
    pub given: Vec<usize>,
    /// Levels of signal-to-noise (shares of known sites) per row and round, one from each of as many strata.
    pub levels: usize,
    /// Least number of independent rounds, at least 2.
    pub rounds: usize,
    /// Standard error of the data set's mean to reach, in bits per dimension.
    pub std_error: Option<f64>,
    /// Most rounds to try for that.
    pub max_rounds: usize,
    /// Orders of each row, of [`ScoreMethod::Orders`] and [`ScoreMethod::Tightest`]: 2 at least.
    pub orders: usize,
    /// Seconds after which no further round is begun once there are as many as are needed at least.
    pub seconds: Option<f64>,
    /// Seed of all noise.
    pub seed: u64,
    /// Most states per evaluation of the network; fewer where rows are large.
    pub batch: usize,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self {
            method: None,
            importance: ImportanceOptions::default(),
            given: Vec::new(),
            levels: 16,
            rounds: 4,
            std_error: Some(0.003),
            max_rounds: 64,
            orders: 8,
            seconds: None,
            seed: 0,
            batch: 512,
        }
    }
}

impl ScoreOptions {
    /// Settings for so many rows: many rows need few levels each, since the mean is what the error is asked of.
    pub fn of_rows(rows: usize) -> Self {
        Self {
            levels: (65_536 / rows.max(1)).clamp(1, 16),
            rounds: 2,
            ..Self::default()
        }
    }
}

/// Scores of a data set: negative log-likelihoods, lower is better.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Bound of each row, in nats.
    pub rows: Vec<Estimate>,
    /// Mean over the rows, in nats, with its Monte Carlo error (not that of drawing the rows).
    pub mean_nats: Estimate,
    /// The same in bits per dimension (per site that is not given).
    pub bits_per_dim: Estimate,
    /// Evaluations of the denoiser, each on one state; of the deterministic flow, each with a backward pass.
    pub evaluations: u64,
    /// Where the integrand was found to be large: share of each of equal parts of the range of levels (or of the share
    /// of known sites) in the proposal of least variance.
    pub levels: Vec<f64>,
    /// Which bound, estimate or value they are.
    pub method: ScoreMethod,
    /// What the numbers are.
    pub meaning: Meaning,
}

/// The bound of every row of `data` under `model`.
///
/// `observer` is told the finished share of the work: of the rounds known to be needed.
///
/// # Errors
/// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for data of another schema,
/// [`Interrupted`](crate::Interrupted) if stopped, [`FlowError::NonFiniteScore`] if the network's output is not finite.
pub fn score(
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    check_schema(model, data)?;
    match options.method {
        Some(ScoreMethod::Importance | ScoreMethod::Exact) => {
            let model = model.at_rest();
            score_with(&model, &model, data, options, observer)
        }
        _ => score_with(model, model, data, options, observer),
    }
}

impl Scores {
    /// The scores with the mean that the weights of the rows give, where they have some.
    fn weighed(mut self, data: &Dataset, given: usize) -> Self {
        let Some(weights) = data.weights() else {
            return self;
        };
        let count = self.rows.len() as f64;
        let pairs = || self.rows.iter().zip(&weights);
        let squares: f64 = pairs().map(|(row, w)| (w * row.std_error).powi(2)).sum();
        self.mean_nats = Estimate {
            value: pairs().map(|(row, w)| w * row.value).sum::<f64>() / count,
            std_error: squares.sqrt() / count,
            ..self.mean_nats
        };
        self.bits_per_dim = self.mean_nats.scaled(bits(data.sites() - given));
        self
    }
}

/// The bound with another denoiser than the model's own; the model gives marginals and levels.
///
/// # Errors
/// As [`score`].
pub fn score_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    let scores = match options.method {
        Some(ScoreMethod::Importance) => {
            importance::score(denoiser, model, data, options, observer)?
        }
        Some(ScoreMethod::Exact) => {
            importance::score_by_quadrature(denoiser, model, data, options, observer)?
        }
        Some(ScoreMethod::Orders) => {
            let targets = targets(data.sites(), &options.given)?;
            orders::score(denoiser, model, data, &targets, options, observer)?
        }
        Some(ScoreMethod::Tightest) => return tightest(denoiser, model, data, options, observer),
        None | Some(ScoreMethod::Immse | ScoreMethod::Sequential) => {
            let uniform = LevelDistribution::uniform();
            return bound_from(uniform, denoiser, model, data, options, observer);
        }
    };
    Ok(scores.weighed(data, options.given.len()))
}

/// The smallest of the bounds whose error is as asked for, of all if none is: that of the flow, where the path is one, and that of
/// the sequential sampler, where the model has learned its conditionals, by several orders as far as that is affordable.
///
/// What is compared lies [`ERRORS`] standard errors above each: the smaller of two estimates is too small on average, and no bound.
fn tightest(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    let evaluations = data.rows() * (data.sites() - options.given.len()) * options.orders;
    let by_orders = match evaluations <= MOST_EVALUATIONS {
        true => ScoreMethod::Orders,
        false => ScoreMethod::Sequential,
    };
    let flows = model.gaussian_path().is_ok();
    let knows = model.check_conditions().is_ok() && model.knows_conditionals();
    let mut methods = Vec::new();
    methods.extend((flows || !knows).then_some(ScoreMethod::Immse));
    methods.extend(knows.then_some(by_orders));
    let mut best: Option<(bool, Scores)> = None;
    for method in methods {
        let own = ScoreOptions {
            method: Some(method),
            ..options.clone()
        };
        let found = score_with(denoiser, model, data, &own, observer)?;
        let error = found.bits_per_dim.std_error;
        let reached = options.std_error.is_none_or(|goal| error <= goal);
        let above = |scores: &Scores| {
            let Estimate {
                value, std_error, ..
            } = scores.mean_nats;
            value + ERRORS * std_error
        };
        let better = best
            .as_ref()
            .is_none_or(|(known, best)| (reached, -above(&found)) > (*known, -above(best)));
        if better {
            best = Some((reached, found));
        }
    }
    Ok(best.expect("there is a method").1)
}

/// The bound, first evaluated at levels of this density.
pub(in crate::flow) fn bound_from(
    density: LevelDistribution,
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    let targets = targets(data.sites(), &options.given)?;
    let integrand = integrand(denoiser, model, &targets, options)?;
    let independent = model.independent_sites();
    let base = |row: &[u16]| independent.negative_log_probability(row, &targets);
    let mut scores = integrate(&*integrand, &base, density, model, data, options, observer)?;
    scores.method = match is_sequential(model, options) {
        true => ScoreMethod::Sequential,
        false => ScoreMethod::Immse,
    };
    Ok(scores.weighed(data, options.given.len()))
}

/// How far the I-MMSE bound of a denoiser is above that of another one, from the same noise:
/// `½ ∫ E[‖v̄ − m‖² − ‖v̄ − m'‖²] dγ`, 0 for equal ones.
///
/// With the exact posterior of a known distribution as `reference` the mean over its rows is the gap between bound
/// and entropy, `½ ∫ E‖m' − m‖² dγ`, at a fraction of the bound's own variance. `options.method` is not heeded.
///
/// # Errors
/// As [`score`], and [`FlowError::NeedsGaussianPath`] for a path that is no Gaussian channel.
pub fn immse_gap(
    denoiser: &dyn Denoiser,
    reference: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    model.gaussian_path()?;
    let targets = targets(data.sites(), &options.given)?;
    let integrand = Immse::new(denoiser, model, &targets).above(reference);
    let uniform = LevelDistribution::uniform();
    integrate(
        &integrand,
        &|_| 0.0,
        uniform,
        model,
        data,
        options,
        observer,
    )
}

/// Bits per dimension in a nat of a row.
pub(super) fn bits(scored: usize) -> f64 {
    (scored as f64 * std::f64::consts::LN_2).recip()
}

/// The data set's mean from the rows' scores.
pub(super) fn summarise_rows(
    rows: Vec<Estimate>,
    scored: usize,
    evaluations: u64,
    method: ScoreMethod,
    meaning: Meaning,
) -> Scores {
    let total = rows.len() as f64;
    let squares = rows.iter().map(|row| row.std_error.powi(2));
    let mean_nats = Estimate {
        value: rows.iter().map(|row| row.value).sum::<f64>() / total,
        std_error: squares.sum::<f64>().sqrt() / total,
        samples: rows.iter().map(|row| row.samples).sum(),
    };
    Scores {
        bits_per_dim: mean_nats.scaled(bits(scored)),
        evaluations,
        rows,
        mean_nats,
        levels: Vec::new(),
        method,
        meaning,
    }
}

/// The integrand that the options ask for.
fn integrand<'a>(
    denoiser: &'a dyn Denoiser,
    model: &'a Model,
    targets: &'a [bool],
    options: &ScoreOptions,
) -> Result<Box<dyn Integrand + 'a>> {
    match is_sequential(model, options) {
        true => {
            model.check_conditions()?;
            Ok(Box::new(Sequential::new(denoiser, model, targets)))
        }
        false => {
            model.gaussian_path()?;
            if targets.contains(&false) {
                model.check_conditions()?;
            }
            Ok(Box::new(Immse::new(denoiser, model, targets)))
        }
    }
}

/// Whether the bound is that of the chain rule.
fn is_sequential(model: &Model, options: &ScoreOptions) -> bool {
    match options.method {
        None => matches!(model.config.path, ProbabilityPath::Discrete(_)),
        Some(method) => method == ScoreMethod::Sequential,
    }
}

/// Which sites are scored.
///
/// # Errors
/// [`InvalidSetting`] for a given site that there is not, or if all are given.
fn targets(sites: usize, given: &[usize]) -> Result<Vec<bool>> {
    let mut targets = vec![true; sites];
    for site in given {
        let Some(target) = targets.get_mut(*site) else {
            return Err(InvalidSetting {
                name: "given site",
                value: *site as f64,
                expected: "below the number of sites",
            }
            .into());
        };
        *target = false;
    }
    match targets.contains(&true) {
        true => Ok(targets),
        false => Err(FlowError::NothingToScore),
    }
}
