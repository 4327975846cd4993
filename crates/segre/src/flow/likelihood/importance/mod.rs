//! The importance-sampled bound of the papers: the mass of the flow's end points around a labeling.
//!
//! `P(β)` is the probability that the flow ends where `β` is the nearest labeling. With a proposal `ρ` around the
//! corner of `β` and the density `ν` of the end points (`change_of_variables.rs`),
//!
//! `P(β) ≥ E_ρ[ν(v)/ρ(v) 1_ball] ≥ exp E_ρ[log ν(v) − log ρ(v)]` — EG (26c) and, by Jensen's inequality, (26d).
//!
//! | part | file |
//! |---|---|
//! | the proposal, EG App. B | `proposal.rs`, `chi_squared.rs`, `basis.rs` |
//! | the density of end points | `change_of_variables.rs` |
//! | its divergence, exact or Hutchinson's | `divergence.rs` |
//! | the same integral by quadrature, for few dimensions | `quadrature.rs` |
//!
//! The importance-sampled bound integrates the deterministic flow backward from around a corner, state and each site's
//! share of the divergence side by side (one more column), so that one tolerance holds for both. Parameters stay on the
//! plain device: only the state is tracked, so a backward pass gives `Jᵀv` and no gradient of a weight. The proposal is as
//! wide as the path's noise unless a mass is asked for: under a perfect model all weights are then equal. Its oracle is the
//! exact posterior, and quadrature in up to 3 dimensions.
//!
//! Source: EG §4.2 and App. B; docs/mathematics.md §5.1.

mod basis;
mod change_of_variables;
mod chi_squared;
mod divergence;
mod proposal;
mod quadrature;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::change_of_variables::Flow;
use self::divergence::Probes;
use self::proposal::Proposal;
use super::score::{Meaning, ScoreMethod, ScoreOptions, Scores, summarise_rows};
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::channel::Denoiser;
use crate::flow::error::{FlowError, Result};
use crate::flow::model::{Model, check_schema};
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator};
use crate::setting::InvalidSetting;

pub(super) use quadrature::score as score_by_quadrature;

/// Most dimensions `Σ_i (c_i − 1)` for which the divergence is exact unless asked for.
const EXACT_DIMENSIONS: usize = 24;
/// Most coordinates of states whose gradients are kept in memory together.
const MOST_TRACKED: usize = 1 << 16;

/// What is integrated over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Region {
    /// The product of the sites' balls `r̃_α` around the corner, within the decision cone: EG (24), (32).
    #[default]
    Ball,
    /// All states whose largest coordinates are the labels: the rounded model itself. Has no Jensen form.
    Cone,
    /// Everything, weighted by `T(W)_α`: the model without rounding, EG (13).
    Unrounded,
}

/// How samples become a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `E[log ν − log ρ]`, EG (26d).
    Jensen,
    /// `log E[ν/ρ]`, EG (26c), by the logarithm of the mean; below the truth on average.
    LogMean,
}

/// How the divergence is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// By an orthonormal basis: `Σ_i (c_i − 1)` evaluations each.
    Exact,
    /// Hutchinson's estimate.
    Hutchinson {
        /// Random vectors per state, the same along its trajectory.
        probes: usize,
        /// Their distribution.
        noise: ProbeNoise,
    },
}

/// Distribution of the vectors of Hutchinson's estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeNoise {
    /// Standard normal.
    Gaussian,
    /// Signs in orthonormal coordinates: less variance, none from the Jacobian's diagonal.
    Rademacher,
}

/// Settings of the importance-sampled bound.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceOptions {
    /// Importance samples per row.
    pub samples: usize,
    /// Mass of the untruncated proposal within all balls together, EG App. B (published: 0.8); `None`: the proposal is as
    /// wide as the path's noise at the end of the flow.
    pub mass: Option<f64>,
    /// What is integrated over.
    pub region: Region,
    /// How samples become a number; by default [`Form::LogMean`] where the divergence is exact or the region is the cone,
    /// else [`Form::Jensen`], the only one that the error of a divergence leaves a bound.
    pub form: Option<Form>,
    /// How the divergence is computed; by default exact for at most 24 dimensions, else one Rademacher vector.
    pub divergence: Option<Divergence>,
    /// Relative and absolute tolerance of the integration.
    pub tolerance: f64,
}

impl Default for ImportanceOptions {
    fn default() -> Self {
        Self {
            samples: 16,
            mass: None,
            region: Region::Ball,
            form: None,
            divergence: None,
            tolerance: 1e-4,
        }
    }
}

impl ImportanceOptions {
    fn validate(&self) -> Result<()> {
        if self.samples < 2 {
            return Err(invalid(
                "importance samples",
                self.samples as f64,
                "2 at least",
            ));
        }
        if let Some(mass) = self.mass.filter(|mass| !(*mass > 0.0 && *mass < 1.0)) {
            return Err(invalid("ball mass", mass, "above 0 and below 1"));
        }
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            return Err(invalid("tolerance", self.tolerance, "positive and finite"));
        }
        if self
            .divergence
            .is_some_and(|own| matches!(own, Divergence::Hutchinson { probes: 0, .. }))
        {
            return Err(invalid("probes", 0.0, "at least 1"));
        }
        match (self.region, self.form) {
            (Region::Cone, Some(Form::Jensen)) => Err(FlowError::ConeHasNoJensenForm),
            _ => Ok(()),
        }
    }

    fn divergence_of(&self, dimensions: usize) -> Divergence {
        let default = match dimensions <= EXACT_DIMENSIONS {
            true => Divergence::Exact,
            false => Divergence::Hutchinson {
                probes: 1,
                noise: ProbeNoise::Rademacher,
            },
        };
        self.divergence.unwrap_or(default)
    }

    fn form_of(&self, divergence: Divergence) -> Form {
        let default = match (divergence, self.region) {
            (Divergence::Exact, _) | (_, Region::Cone) => Form::LogMean,
            _ => Form::Jensen,
        };
        self.form.unwrap_or(default)
    }
}

/// The logarithms of the importance weights of every row's samples.
#[derive(Clone, Debug, PartialEq)]
pub struct LogWeights {
    /// `log ν(v) − log ρ(v)` plus the region's share, nats, one row of the data each.
    pub rows: Vec<Vec<f64>>,
    /// Evaluations of the denoiser, each on one state and with one backward pass.
    pub evaluations: u64,
    /// How the divergence was computed.
    pub divergence: Divergence,
}

/// The negative log-likelihood that some log-weights of one row estimate, nats.
pub fn estimate(log_weights: &[f64], form: Form) -> Estimate {
    let count = log_weights.len() as f64;
    let moments = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
    };
    let (value, std_error) = match form {
        Form::Jensen => moments(log_weights),
        Form::LogMean => {
            let most = log_weights
                .iter()
                .copied()
                .fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = log_weights.iter().map(|own| (own - most).exp()).collect();
            match most == f64::NEG_INFINITY {
                true => (most, f64::INFINITY),
                false => {
                    let (mean, error) = moments(&weights);
                    (most + mean.ln(), error / mean)
                }
            }
        }
    };
    Estimate {
        value: -value,
        std_error,
        samples: log_weights.len() as u64,
    }
}

/// The importance weights of every row of `data` under `model`.
///
/// # Errors
/// As [`score`](fn@super::score) with the method [`ScoreMethod::Importance`].
pub fn log_weights(
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<LogWeights> {
    check_schema(model, data)?;
    let model = model.at_rest();
    weights_with(&model, &model, data, options, observer)
}

/// The bound of every row with another denoiser than the model's own.
pub(super) fn score(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    let weights = weights_with(denoiser, model, data, options, observer)?;
    let form = options.importance.form_of(weights.divergence);
    let rows = weights.rows.iter().map(|own| estimate(own, form));
    // The error of an estimated divergence raises a mean of exponentials.
    let meaning = match (form, weights.divergence) {
        (Form::Jensen, _) | (_, Divergence::Exact) => Meaning::UpperBound,
        (Form::LogMean, Divergence::Hutchinson { .. }) => Meaning::Estimate,
    };
    Ok(summarise_rows(
        rows.collect(),
        data.sites(),
        weights.evaluations,
        ScoreMethod::Importance,
        meaning,
    ))
}

fn weights_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<LogWeights> {
    let importance = &options.importance;
    importance.validate()?;
    let flow = flow_of(denoiser, model, options)?;
    let proposal = Proposal::new(model, flow.end, importance)?;
    let divergence = importance.divergence_of(proposal.dimensions());
    let samples = importance.samples;
    let pairs = data.rows() * samples;
    let together = points_together(model, divergence, options);
    let chunks: Vec<usize> = (0..pairs).step_by(together).collect();
    let width = model.manifold.sites() * model.manifold.categories();
    let mut rows = vec![Vec::with_capacity(samples); data.rows()];
    let mut evaluations = 0;
    for wave in chunks.chunks(rayon::current_num_threads()) {
        let found: Vec<(Vec<f64>, u64)> = wave
            .par_iter()
            .map(|from| {
                let members = *from..pairs.min(from + together);
                let mut generators: Vec<ChaCha8Rng> = members
                    .clone()
                    .map(|pair| generator(options.seed, Purpose::Proposal, pair as u64))
                    .collect();
                let mut states = vec![0.0; members.len() * width];
                let mut logs = Vec::with_capacity(members.len());
                let places = members.zip(states.chunks_mut(width)).zip(&mut generators);
                for ((pair, state), rng) in places {
                    let row = data.row(pair / samples);
                    let log_density = proposal.draw(row, rng, state);
                    logs.push(proposal.log_share(row, state) - log_density);
                }
                let probes =
                    Probes::draw(divergence, &model.manifold, &mut generators, model.device());
                let (densities, evaluations) = flow.log_densities(states, &probes)?;
                let logs = logs.iter().zip(densities).map(|(log, own)| log + own);
                Ok((logs.collect(), evaluations))
            })
            .collect::<Result<_>>()?;
        for (from, (logs, spent)) in wave.iter().zip(found) {
            evaluations += spent * Probes::copies(divergence, &model.manifold) as u64;
            for (pair, log) in (*from..).zip(logs) {
                rows[pair / samples].push(log);
            }
        }
        let last = wave.last().map_or(0, |from| *from);
        let done = (last + together).min(pairs) as f64 / pairs as f64;
        Progress::part("score", done).tell(observer)?;
    }
    Ok(LogWeights {
        rows,
        evaluations,
        divergence,
    })
}

/// The flow to be integrated backward.
///
/// # Errors
/// [`FlowError::NeedsGaussianPath`]; [`FlowError::FlowIsNotConditional`] if some labels are given.
fn flow_of<'a>(
    denoiser: &'a dyn Denoiser,
    model: &'a Model,
    options: &ScoreOptions,
) -> Result<Flow<'a>> {
    if !options.given.is_empty() {
        return Err(FlowError::FlowIsNotConditional);
    }
    Ok(Flow {
        denoiser,
        model,
        end: model.config.head.flow_end(model)?,
        tolerance: options.importance.tolerance,
    })
}

/// How many states, each with its vectors, are computed with together.
fn points_together(model: &Model, divergence: Divergence, options: &ScoreOptions) -> usize {
    let width = model.manifold.sites() * model.manifold.categories();
    let states = options.batch.min(MOST_TRACKED / width).max(1);
    (states / Probes::copies(divergence, &model.manifold)).max(1)
}

fn invalid(name: &'static str, value: f64, expected: &'static str) -> FlowError {
    InvalidSetting {
        name,
        value,
        expected,
    }
    .into()
}
