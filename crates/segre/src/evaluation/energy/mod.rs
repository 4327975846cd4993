//! How far what was fitted to an energy model is from it, beside mean field and belief propagation.

mod fitted;
mod truth;

pub use fitted::Fitted;

use serde::Serialize;

use self::fitted::{by_chain_rule, complete_options};
use self::truth::Truth;
use super::conditionals::{self, ConditionalReport};
use super::error::{EvaluationError, Result};
use crate::data::{Dataset, Schema};
use crate::energy::{
    BeliefPropagationOptions, EnergyError, EnergyModel, Inference, LogZKind, MeanFieldOptions,
    belief_propagation, mean_field,
};
use crate::flow::Model;
use crate::flow::sampling::SamplingOptions;
use crate::neural::WeightedRows;
use crate::progress::Observer;
use crate::randomized::Comparison;

/// The energy model that something was fitted to.
#[derive(Clone, Copy, Debug)]
pub struct EnergyTarget<'a> {
    /// What messages call it.
    pub name: &'a str,
    /// It.
    pub model: &'a EnergyModel,
    /// Its variables, as [`schema_of`](crate::randomized::schema_of) has them.
    pub schema: &'a Schema,
}

/// What is compared, and how much of it.
#[derive(Clone, Debug)]
pub struct EnergyOptions {
    /// Samples to draw.
    pub samples: usize,
    /// Bytes that exact inference may take.
    pub memory: u64,
    /// Rows of a network whose importance weights estimate `log Z`.
    pub importance_samples: usize,
    /// Number of patterns whose conditionals are compared, and orders that a network's are averaged over.
    pub conditionals: Option<(usize, usize)>,
    /// How a network is sampled; what it knows of itself is filled in.
    pub sampling: SamplingOptions,
    /// Seed; none: that of the fit for a network's samples, 0 for the rest.
    pub seed: Option<u64>,
}

/// Samples of what was fitted beside an energy model, nats.
#[derive(Clone, Debug, Serialize)]
pub struct EnergyReport {
    /// Its samples: divergence, energy, entropy, marginals.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// What the estimate of its `kl` gives for as many exact samples.
    pub kl_floor: Option<f64>,
    /// `randomized` or `neural`.
    pub method: &'static str,
    /// `exact`, or the chain that was used.
    pub target: &'static str,
    /// `log Z`, if exact.
    pub target_log_z: Option<f64>,
    /// `⟨E⟩` of the target.
    pub target_energy: Option<f64>,
    /// Entropy of the target.
    pub target_entropy: Option<f64>,
    /// Of networks that know conditionals.
    #[serde(flatten)]
    pub importance: Option<ImportanceReport>,
    /// Where they are asked for.
    #[serde(flatten)]
    pub conditionals: Option<ConditionalReport>,
    /// Mean field, where it gives a result.
    pub mean_field: Option<ApproximateReport>,
    /// Belief propagation, where it gives a result.
    pub bp: Option<ApproximateReport>,
}

/// What importance weights of a network's rows say, one evaluation for every site; nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ImportanceReport {
    /// `log Z`.
    pub log_z_importance: f64,
    /// Standard error of it.
    pub log_z_std_error: f64,
    /// The variational bound, `E_q[log w] ≤ log Z`.
    pub log_z_bound: f64,
    /// Standard error of it.
    pub log_z_bound_std_error: f64,
    /// Kish's, of the rows.
    pub effective_sample_size: f64,
    /// Rows.
    pub importance_samples: u64,
    /// Of the weighted rows.
    pub importance_energy: f64,
    /// Of the weighted rows, mean over variables and states.
    pub importance_marginal_error: f64,
}

/// Approximate inference beside a model, nats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ApproximateReport {
    /// `KL(q : target)` of mean field.
    pub kl: Option<f64>,
    /// `⟨E⟩`.
    pub energy: Option<f64>,
    /// The entropy.
    pub entropy: Option<f64>,
    /// Mean over variables and states.
    pub marginal_error: f64,
}

/// Compares what was fitted with its energy model.
///
/// # Errors
/// Those of [`Fitted::check`], of exact inference and of sampling; [`EvaluationError::NoExactConditionals`] and
/// [`EvaluationError::UnseenState`] if conditionals are asked for that cannot be had.
pub fn run(
    fitted: &Fitted,
    target: &EnergyTarget,
    options: &EnergyOptions,
    observer: &mut dyn Observer,
) -> Result<EnergyReport> {
    Ok(look(fitted, target, options, observer)?.report)
}

/// What is said of a fit, and what it was said of.
pub(in crate::evaluation) struct Look {
    pub report: EnergyReport,
    /// Of what was fitted.
    pub samples: Dataset,
    /// Of the energy model, as many, where inference is exact.
    pub exact: Option<Dataset>,
    /// Marginals of the energy model.
    pub marginals: Vec<Vec<f64>>,
}

/// [`run`], and what it looked at.
pub(in crate::evaluation) fn look(
    fitted: &Fitted,
    target: &EnergyTarget,
    options: &EnergyOptions,
    observer: &mut dyn Observer,
) -> Result<Look> {
    fitted.check(target)?;
    let (model, seed) = (target.model, options.seed.unwrap_or(0));
    let truth = Truth::find(model, options.memory, seed, observer)?;
    let (log_z, marginals) = (truth.result.log_z, &truth.result.marginals);
    let sampling = match fitted {
        Fitted::Randomized(_) => options.sampling.clone(),
        Fitted::Neural { model, seed: own } => {
            let (seed, sites) = (options.seed.unwrap_or(*own), target.schema.sites());
            complete_options(&options.sampling, model, seed, sites)
        }
    };
    let samples = fitted.sample(options.samples, seed, target.schema, &sampling, observer)?;
    let comparison = Comparison::of(&samples, model, log_z, marginals);
    let exact = match &truth.plan {
        Some(plan) => {
            let labels = plan.sample_labels(options.samples, seed.wrapping_add(1), observer)?;
            Some(Dataset::new(target.schema.clone(), labels)?)
        }
        None => None,
    };
    let kl_floor = exact
        .as_ref()
        .and_then(|exact| Comparison::of(exact, model, log_z, marginals).kl);
    let importance = match fitted {
        Fitted::Neural { model, .. } => {
            let count = options.importance_samples;
            ImportanceReport::of(model, target, &truth, count, &sampling, observer)?
        }
        Fitted::Randomized(_) => None,
    };
    let conditionals = match options.conditionals {
        Some(asked) => Some(conditionals_of(
            fitted, target, &truth, asked, seed, observer,
        )?),
        None => None,
    };
    let of_mean_field = MeanFieldOptions {
        seed,
        ..MeanFieldOptions::default()
    };
    let by_mean_field = if_any(mean_field(model, &of_mean_field, observer))?;
    let of_bp = BeliefPropagationOptions::default();
    let by_bp = if_any(belief_propagation(model, &of_bp, observer))?;
    let report = EnergyReport {
        comparison,
        kl_floor,
        method: fitted.name(),
        target: truth.name,
        target_log_z: log_z,
        target_energy: truth.result.energy,
        target_entropy: truth.result.entropy,
        importance,
        conditionals,
        mean_field: by_mean_field.map(|own| ApproximateReport::of(&own, &truth.result)),
        bp: by_bp.map(|own| ApproximateReport::of(&own, &truth.result)),
    };
    Ok(Look {
        report,
        samples,
        exact,
        marginals: truth.result.marginals,
    })
}

/// A method beside the model need not give a result, but it may be stopped.
fn if_any(found: std::result::Result<Inference, EnergyError>) -> Result<Option<Inference>> {
    match found {
        Err(EnergyError::Interrupted(stopped)) => Err(stopped.into()),
        other => Ok(other.ok()),
    }
}

/// Conditionals of a network beside the exact ones, given half of the sites of exact samples.
fn conditionals_of(
    fitted: &Fitted,
    target: &EnergyTarget,
    truth: &Truth,
    (patterns, orders): (usize, usize),
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<ConditionalReport> {
    let (Fitted::Neural { model, .. }, Some(plan)) = (fitted, &truth.plan) else {
        return Err(EvaluationError::NoExactConditionals);
    };
    if model.schema().cardinalities() != target.model.cardinalities() {
        let energy = target.name.to_owned();
        return Err(EvaluationError::UnseenState { energy });
    }
    let seed = seed.wrapping_add(2);
    let labels = plan.sample_labels(patterns, seed, observer)?;
    // With all states of every variable, categories in order are the states.
    let rows = Dataset::new(model.schema().clone(), labels)?;
    let log_weight = |row: &[u16]| {
        let states: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
        -target.model.energy(&states)
    };
    let options = conditionals::options(rows.sites(), orders, seed);
    conditionals::run(model, &log_weight, &rows, &options, observer)
}

impl ImportanceReport {
    /// Of a network that knows conditionals; of others their rows' probabilities are not known.
    fn of(
        model: &Model,
        target: &EnergyTarget,
        truth: &Truth,
        count: usize,
        sampling: &SamplingOptions,
        observer: &mut dyn Observer,
    ) -> Result<Option<Self>> {
        if !model.knows_conditionals() {
            return Ok(None);
        }
        let drawn = by_chain_rule(model, count, sampling, target.schema, observer)?;
        let rows = WeightedRows::new(drawn.data, drawn.log_probabilities, target.model);
        let found = rows.estimate(1.0);
        let errors = found
            .marginals
            .iter()
            .flatten()
            .zip(truth.result.marginals.iter().flatten());
        let errors: Vec<f64> = errors.map(|(own, truth)| (own - truth).abs()).collect();
        Ok(Some(Self {
            log_z_importance: found.log_z.value,
            log_z_std_error: found.log_z.std_error,
            log_z_bound: found.bound.value,
            log_z_bound_std_error: found.bound.std_error,
            effective_sample_size: found.effective_share * found.log_z.samples as f64,
            importance_samples: found.log_z.samples,
            importance_energy: found.energy.value,
            importance_marginal_error: errors.iter().sum::<f64>() / errors.len() as f64,
        }))
    }
}

impl ApproximateReport {
    fn of(result: &Inference, truth: &Inference) -> Self {
        let bound = result.log_z_kind == Some(LogZKind::LowerBound);
        let difference = truth
            .log_z
            .zip(result.log_z)
            .map(|(truth, own)| truth - own);
        Self {
            kl: difference.filter(|_| bound),
            energy: result.energy,
            entropy: result.entropy,
            marginal_error: result.mean_marginal_error(truth),
        }
    }
}
