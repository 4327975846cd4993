//! Inference by a method of one's choice: what it finds, and how far it is from exact inference.

use std::time::Instant;

use serde::Serialize;

use super::doubts;
use super::error::Result;
use super::exact::{self, ExactPlan};
use super::inference::{Inference, LogZKind};
use super::model::EnergyModel;
use super::{
    BeliefPropagationOptions, ChainOptions, MeanFieldOptions, belief_propagation, gibbs,
    mean_field, swendsen_wang,
};
use crate::progress::{Observer, Progress};

/// A method with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice {
    /// Exact where that fits the memory, else belief propagation.
    Auto(BeliefPropagationOptions),
    /// Junction tree.
    Exact,
    /// Naive mean field.
    MeanField(MeanFieldOptions),
    /// Loopy belief propagation.
    Bp(BeliefPropagationOptions),
    /// Gibbs sampling.
    Gibbs(ChainOptions),
    /// Swendsen–Wang sampling.
    SwendsenWang(ChainOptions),
}

/// How a model is inferred in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InferOptions {
    /// The method.
    pub method: Choice,
    /// Bytes that exact inference may take.
    pub memory: u64,
    /// Whether an approximate method is set beside exact inference.
    pub compare: bool,
}

/// What was found, nats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InferReport {
    /// By the method.
    #[serde(flatten)]
    pub inference: Inference,
    /// `log₁₀ Z`, if the method knows it.
    pub log10_z: Option<f64>,
    /// Variables that are observed.
    pub observed: usize,
    /// Wall time of the method.
    pub seconds: f64,
    /// Why [`Choice::Auto`] did not infer exactly.
    pub not_exact_because: Option<String>,
    /// Where it was asked for, and the method is not exact.
    pub compared_with_exact: Option<ErrorsReport>,
    /// What makes the values doubtful, a sentence each.
    pub warnings: Vec<String>,
}

/// The errors of an approximate method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ErrorsReport {
    /// `log Z`.
    pub exact_log_z: Option<f64>,
    /// `⟨E⟩`.
    pub exact_energy: Option<f64>,
    /// The entropy.
    pub exact_entropy: Option<f64>,
    /// `KL(q ‖ p)` of mean field.
    pub kl: Option<f64>,
    /// The method's `log Z` minus the exact one.
    pub log_z_error: Option<f64>,
    /// Mean over variables and states.
    pub mean_marginal_error: f64,
    /// The largest one.
    pub max_marginal_error: f64,
}

/// Infers in a model.
///
/// # Errors
/// Those of the method, and of [`exact::infer`] where it is asked for.
pub fn run(
    model: &EnergyModel,
    options: &InferOptions,
    observer: &mut dyn Observer,
) -> Result<InferReport> {
    let started = Instant::now();
    let (inference, not_exact_because) = infer(model, options, observer)?;
    let seconds = started.elapsed().as_secs_f64();
    let compared_with_exact = match options.compare && !inference.exact {
        true => {
            let truth = exact::infer(model, options.memory, observer)?;
            Some(ErrorsReport::of(&inference, &truth))
        }
        false => None,
    };
    let mut warnings = Vec::from_iter(model.doubt().map(str::to_owned));
    warnings.extend(doubts::of(model, &inference)?);
    Ok(InferReport {
        warnings,
        log10_z: inference.log10_z(),
        observed: model.observed().iter().flatten().count(),
        inference,
        seconds,
        not_exact_because,
        compared_with_exact,
    })
}

/// What the method finds, and why it is not exact.
fn infer(
    model: &EnergyModel,
    options: &InferOptions,
    observer: &mut dyn Observer,
) -> Result<(Inference, Option<String>)> {
    let found = match &options.method {
        Choice::Auto(bp) => {
            let plan = ExactPlan::new(model)?;
            let Err(refusal) = plan.check(options.memory) else {
                return Ok((plan.infer(observer)?, None));
            };
            let refusal = refusal.to_string();
            let note = format!("{refusal}; using bp, which is not exact");
            Progress::note(note).tell(observer)?;
            return Ok((belief_propagation(model, bp, observer)?, Some(refusal)));
        }
        Choice::Exact => exact::infer(model, options.memory, observer),
        Choice::MeanField(own) => mean_field(model, own, observer),
        Choice::Bp(own) => belief_propagation(model, own, observer),
        Choice::Gibbs(own) => gibbs(model, own, observer),
        Choice::SwendsenWang(own) => swendsen_wang(model, own, observer),
    };
    Ok((found?, None))
}

impl ErrorsReport {
    fn of(result: &Inference, truth: &Inference) -> Self {
        let difference = result.log_z.zip(truth.log_z).map(|(a, b)| a - b);
        let bound = result.log_z_kind == Some(LogZKind::LowerBound);
        let pairs = result
            .marginals
            .iter()
            .flatten()
            .zip(truth.marginals.iter().flatten());
        Self {
            exact_log_z: truth.log_z,
            exact_energy: truth.energy,
            exact_entropy: truth.entropy,
            kl: difference.filter(|_| bound).map(|difference| -difference),
            log_z_error: difference,
            mean_marginal_error: result.mean_marginal_error(truth),
            max_marginal_error: pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::GridModel;
    use crate::progress::{Control, Event};

    #[test]
    fn too_little_memory_is_noted_and_the_errors_are_those_of_belief_propagation() {
        let model = GridModel::table1(3, 4).build();
        let mut notes = Vec::new();
        let mut observer = |told: &Progress| {
            if let Event::Notice(note) = &told.event {
                notes.push(note.clone());
            }
            Control::Continue
        };
        let options = |method, memory| InferOptions {
            method,
            memory,
            compare: true,
        };
        let auto = Choice::Auto(BeliefPropagationOptions::default());
        let exact = run(&model, &options(auto, 1 << 30), &mut observer).expect("small");
        assert!(exact.inference.exact && exact.compared_with_exact.is_none());
        // Nothing fits into so little, exact inference to compare with neither.
        let refused = run(&model, &options(auto, 1), &mut observer).expect_err("no memory");
        assert!(refused.to_string().contains("memory"), "{refused}");
        let bp = Choice::Bp(BeliefPropagationOptions::default());
        let found = run(&model, &options(bp, 1 << 30), &mut observer).expect("small");
        let errors = found.compared_with_exact.expect("asked for");
        assert_eq!(errors.exact_log_z, exact.inference.log_z);
        assert!(errors.max_marginal_error >= errors.mean_marginal_error);
        assert!(matches!(&notes[..], [note] if note.ends_with("using bp, which is not exact")));
    }
}
