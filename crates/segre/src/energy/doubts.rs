//! What makes the result of an approximate method doubtful, in words.

use super::belief_propagation::BeliefPropagationReport;
use super::chains::ChainReport;
use super::error::Result;
use super::exact;
use super::inference::{Inference, Report};
use super::model::EnergyModel;
use crate::progress::Silent;

/// Chains are set beside exact inference up to so many configurations, as a binary logarithm: that takes no time.
const SMALL_LOG2: f64 = 20.0;
/// R-hat from which on chains disagree.
const MOST_R_HAT: f64 = 1.05;

/// One sentence for every doubt.
///
/// # Errors
/// As [`exact::infer`].
pub(super) fn of(model: &EnergyModel, found: &Inference) -> Result<Vec<String>> {
    Ok(match &found.report {
        Report::BeliefPropagation(report) => of_messages(report),
        Report::MeanField(report) if !report.converged => vec![format!(
            "mean field has not converged after {} sweeps; raise `sweeps`",
            report.sweeps
        )],
        Report::Chains(report) => match of_chains(report) {
            Some(doubt) => vec![doubt],
            None => Vec::from_iter(beside_exact(model, found, report)?),
        },
        Report::Exact(_) | Report::MeanField(_) | Report::Nothing {} => Vec::new(),
    })
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

/// Chains that agree with each other and not with the exact marginals of a small model: all of them miss a part of it.
fn beside_exact(
    model: &EnergyModel,
    found: &Inference,
    report: &ChainReport,
) -> Result<Option<String>> {
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
    let expected = 0.05 + 6.0 * report.largest_marginal_std_error;
    Ok((largest > expected).then(|| {
        format!(
            "the chains agree with each other but are off the exact marginals by {largest:.2} at variable {worst}: they do \
             not mix; use the exact method"
        )
    }))
}
