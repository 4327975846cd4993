//! What makes the result of an approximate method doubtful, in words.

use super::belief_propagation::BeliefPropagationReport;
use super::chains::ChainReport;
use super::error::Result;
use super::exact;
use super::inference::{Inference, Report};
use super::mean_field::MeanFieldReport;
use super::model::EnergyModel;
use crate::progress::Silent;

/// What is found is set beside exact inference up to so many configurations, as a binary logarithm: that takes no time.
const SMALL_LOG2: f64 = 20.0;
/// How far from an exact marginal is worth a word.
const FAR: f64 = 0.05;
/// R-hat from which on chains disagree.
const MOST_R_HAT: f64 = 1.05;

/// One sentence for every doubt.
///
/// # Errors
/// As [`exact::infer`].
pub(super) fn of(model: &EnergyModel, found: &Inference) -> Result<Vec<String>> {
    let (own, word) = match &found.report {
        Report::BeliefPropagation(report) => (of_messages(report), "belief propagation is"),
        Report::MeanField(report) => (of_mean_field(report), "mean field is"),
        Report::Chains(report) => {
            let agree = "the chains agree with each other and do not mix: they are";
            (Vec::from_iter(of_chains(report)), agree)
        }
        Report::Exact(_) | Report::Nothing {} => return Ok(Vec::new()),
    };
    match own.is_empty() {
        true => Ok(Vec::from_iter(beside_exact(model, found, word)?)),
        false => Ok(own),
    }
}

fn of_mean_field(report: &MeanFieldReport) -> Vec<String> {
    let doubt = || {
        format!(
            "mean field has not converged after {} sweeps; raise `sweeps`",
            report.sweeps
        )
    };
    (!report.converged).then(doubt).into_iter().collect()
}

fn of_messages(report: &BeliefPropagationReport) -> Vec<String> {
    let mut doubts = Vec::new();
    if !report.converged {
        // What still moves by less than this is right to a few digits at least.
        let verdict = match report.residual < 1e-4 {
            true => "raise `sweeps` for more digits",
            false => "its values mean little, try `damping = 0.5` or another method",
        };
        doubts.push(format!(
            "belief propagation has not converged after {} sweeps (residual {:.1e}); {verdict}",
            report.sweeps, report.residual
        ));
    }
    if report.unstable {
        doubts.push(
            "belief propagation is at an unstable point, where the symmetry of the model keeps it: log Z may be far off; use \
             another method"
                .into(),
        );
    }
    if !report.possible {
        doubts.push(
            "no configuration of positive weight was found: if there is none, these values mean nothing; the exact \
             method tells, if it fits the memory"
                .into(),
        );
    }
    doubts
}

/// Chains that disagree.
fn of_chains(report: &ChainReport) -> Option<String> {
    if report.largest_r_hat <= MOST_R_HAT {
        return None;
    }
    Some(match report.unreached {
        Some((variable, label)) => format!(
            "the chains do not mix (R-hat {:.3} at variable {}): none came to label {label} of variable {variable}, and \
             one that started there disagrees with the others; use the exact method or bp",
            report.largest_r_hat, report.worst_variable
        ),
        None if report.largest_r_hat == f64::INFINITY => format!(
            "the chains do not mix: they are stuck at different labels of variable {}; use another method",
            report.worst_variable
        ),
        None => format!(
            "the chains disagree (R-hat {:.3} at variable {}); raise `sweeps` or use another method",
            report.largest_r_hat, report.worst_variable
        ),
    })
}

/// Marginals of a small model that are far from the exact ones, whatever the method says of itself: chains that all miss the
/// same part, messages that settle on one of several configurations, a bound that breaks a symmetry.
fn beside_exact(model: &EnergyModel, found: &Inference, word: &str) -> Result<Option<String>> {
    if model.log2_configurations() > SMALL_LOG2 {
        return Ok(None);
    }
    let exact = exact::infer(model, u64::MAX, &mut Silent)?;
    let (mut largest, mut worst) = (0.0, 0);
    for (variable, (own, exact)) in found.marginals.iter().zip(&exact.marginals).enumerate() {
        for (own, exact) in own.iter().zip(exact) {
            if (own - exact).abs() > largest {
                (largest, worst) = ((own - exact).abs(), variable);
            }
        }
    }
    let noise = match &found.report {
        Report::Chains(report) => report.largest_marginal_std_error,
        _ => 0.0,
    };
    let doubt = || {
        format!(
            "{word} off the exact marginals by {largest:.2} at variable {worst}; use the exact method"
        )
    };
    Ok((largest > FAR + 6.0 * noise).then(doubt))
}
