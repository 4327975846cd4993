//! Likelihood beside the baselines: what a model knows of rows that simpler ones do not.

use std::f64::consts::LN_2;

use serde::Serialize;

use super::baseline::{BaselineScores, Baselines};
use crate::data::{Dataset, KnownDistribution};
use crate::evaluation::error::Result;
use crate::flow::Model;
use crate::flow::likelihood::{ScoreOptions, score};
use crate::progress::Observer;

/// Bits per dimension of a model, of the baselines, and of the distribution itself where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreReport {
    /// Bound of the model's negative log-likelihood, bits per dimension; absent for a path without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits_per_dim: Option<f64>,
    /// Its standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_error: Option<f64>,
    /// Rows that were scored.
    pub rows: usize,
    /// Of the baselines, bits per dimension.
    pub baselines: BaselineScores,
    /// Entropy of a known distribution, bits per dimension: what nothing is below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_entropy: Option<f64>,
    /// Evaluations of the network, in rows.
    #[serde(skip)]
    pub evaluations: u64,
}

/// Scores `data` under the model, if its path has a bound, and under baselines of the parts.
///
/// # Errors
/// As [`Baselines::fit`] and [`score`].
pub fn run(
    model: &Model,
    train: &Dataset,
    validation: &Dataset,
    data: &Dataset,
    target: Option<&dyn KnownDistribution>,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<ScoreReport> {
    let baselines = BaselineScores::of(&Baselines::fit(train, validation)?, data);
    let scores = match model.has_bound() {
        true => Some(score(model, data, options, observer)?),
        false => None,
    };
    let bits = scores.as_ref().map(|scores| scores.bits_per_dim);
    let nats_to_bits_per_dim = data.sites() as f64 * LN_2;
    Ok(ScoreReport {
        bits_per_dim: bits.map(|bits| bits.value),
        std_error: bits.map(|bits| bits.std_error),
        rows: data.rows(),
        baselines,
        target_entropy: target.map(|target| target.entropy() / nats_to_bits_per_dim),
        evaluations: scores.map_or(0, |scores| scores.evaluations),
    })
}
