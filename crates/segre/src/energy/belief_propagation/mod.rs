//! Loopy belief propagation (sum-product) with Bethe's approximation of `log Z`.

mod messages;
mod residual;

use serde::Serialize;

use super::error::EnergyError;
use super::factor::log_sum_exp;
use super::inference::{Inference, LogZKind, Method, Report};
use super::model::EnergyModel;
use super::zeros::Zeros;
use crate::energy::error::Result;
use crate::progress::{Observer, Progress};
use crate::setting::InvalidSetting;
use messages::Messages;

/// The order in which messages are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Factor after factor.
    Sequential,
    /// Always the factor whose messages would change most.
    Residual,
}

/// How belief propagation is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeliefPropagationOptions {
    /// Order of the messages.
    pub schedule: Schedule,
    /// Part of the old message's logarithm that is kept, from 0 to below 1.
    pub damping: f64,
    /// Most sweeps; for [`Schedule::Residual`], renewals of as many factors as there are.
    pub sweeps: usize,
    /// Converged when no probability in a message would change by more than this.
    pub tolerance: f64,
}

impl Default for BeliefPropagationOptions {
    fn default() -> Self {
        Self {
            schedule: Schedule::Residual,
            damping: 0.1,
            sweeps: 2000,
            tolerance: 1e-9,
        }
    }
}

/// What belief propagation says of its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BeliefPropagationReport {
    /// Whether messages have stopped changing; if not, marginals and `log_z` mean little.
    pub converged: bool,
    /// Whether messages that are moved a little do not come back; looked at where they are as they began, which symmetry may
    /// keep them at. Then `log_z` may be far off.
    pub unstable: bool,
    /// Whether a configuration of positive weight is known; if not, there may be none.
    pub possible: bool,
    /// Sweeps done, at least one: it takes one to see that nothing changes.
    pub sweeps: usize,
    /// The largest change still left in a message.
    pub residual: f64,
    /// Order of the messages.
    pub schedule: Schedule,
    /// Damping.
    pub damping: f64,
}

/// Marginals and Bethe's `log Z` by message passing: exact on trees.
///
/// Source: Yedidia, Freeman & Weiss 2005; residual schedule: Elidan, McGraw & Koller 2006.
///
/// # Errors
/// [`InvalidSetting`], [`EnergyError::NoConfiguration`], [`EnergyError::Contradiction`],
/// [`Interrupted`](crate::Interrupted).
pub fn belief_propagation(
    model: &EnergyModel,
    options: &BeliefPropagationOptions,
    observer: &mut dyn Observer,
) -> Result<Inference> {
    if !(0.0..1.0).contains(&options.damping) {
        return Err(InvalidSetting {
            name: "damping",
            value: options.damping,
            expected: "from 0 to below 1",
        }
        .into());
    }
    Progress::part("bp", 0.0).tell(observer)?;
    // Messages around a loop may agree on what is impossible.
    let possible = Zeros::of(model)?.witness()?.is_some();
    let mut messages = Messages::new(model);
    let (sweeps, residual) = match options.schedule {
        Schedule::Sequential => messages.run_in_turn(options, observer)?,
        Schedule::Residual => residual::run(&mut messages, options, observer)?,
    };
    let unstable = sweeps <= 1 && messages.leave(options.damping);
    let mut marginals = Vec::with_capacity(model.variables());
    for variable in 0..model.variables() {
        marginals.push(match model.observed_marginal(variable) {
            Some(marginal) => marginal,
            None => {
                let belief = messages.belief(variable);
                let log_sum = log_sum_exp(&belief);
                if log_sum == f64::NEG_INFINITY {
                    return Err(EnergyError::Contradiction { variable, sweeps });
                }
                belief.iter().map(|log| (log - log_sum).exp()).collect()
            }
        });
    }
    let (log_z, energy) = messages.bethe();
    Ok(Inference {
        method: Method::Bp,
        exact: false,
        log_z: Some(log_z),
        log_z_kind: Some(LogZKind::Bethe),
        marginals,
        energy: Some(energy),
        energy_std_error: None,
        entropy: Some(log_z + energy),
        report: Report::BeliefPropagation(BeliefPropagationReport {
            converged: residual <= options.tolerance,
            unstable,
            possible,
            sweeps: sweeps.max(1),
            residual,
            schedule: options.schedule,
            damping: options.damping,
        }),
    })
}
