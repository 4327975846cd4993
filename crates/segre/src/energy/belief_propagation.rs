//! Loopy belief propagation (sum-product) with Bethe's approximation of `log Z`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::error::EnergyError;
use super::factor::{Factor, log_sum_exp};
use super::inference::{Inference, LogZKind, Method, Report};
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::progress::{Observer, Progress};
use crate::setting::InvalidSetting;

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
    /// Sweeps done.
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
/// [`InvalidSetting`], [`EnergyError::Contradiction`], [`Interrupted`](crate::Interrupted).
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
    let mut messages = Messages::new(model);
    let (sweeps, residual) = match options.schedule {
        Schedule::Sequential => messages.run_in_turn(options, observer)?,
        Schedule::Residual => messages.run_by_residual(options, observer)?,
    };
    let mut marginals = Vec::with_capacity(model.variables());
    for variable in 0..model.variables() {
        marginals.push(match model.observed_marginal(variable) {
            Some(marginal) => marginal,
            None => {
                let belief = messages.belief(variable, None);
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
            sweeps,
            residual,
            schedule: options.schedule,
            damping: options.damping,
        }),
    })
}

/// Messages from factors to their variables, as logarithms of probabilities.
struct Messages<'a> {
    model: &'a EnergyModel,
    /// Factors of every variable, each with the place of the variable in the factor.
    edges: Vec<Vec<(usize, usize)>>,
    /// `[factors][places][states]`.
    messages: Vec<Vec<Vec<f64>>>,
}

impl<'a> Messages<'a> {
    fn new(model: &'a EnergyModel) -> Self {
        let mut edges = vec![Vec::new(); model.variables()];
        let mut messages = Vec::with_capacity(model.factors().len());
        for (number, factor) in model.factors().iter().enumerate() {
            for (place, &variable) in factor.variables().iter().enumerate() {
                edges[variable].push((number, place));
            }
            let uniform = |states: &usize| vec![-(*states as f64).ln(); *states];
            messages.push(factor.cardinalities().iter().map(uniform).collect());
        }
        Self {
            model,
            edges,
            messages,
        }
    }

    /// The product of the messages to a variable, but one factor's.
    fn belief(&self, variable: usize, without: Option<usize>) -> Vec<f64> {
        let mut belief = vec![0.0; self.model.cardinalities()[variable]];
        for &(factor, place) in &self.edges[variable] {
            if Some(factor) != without {
                let message = &self.messages[factor][place];
                belief.iter_mut().zip(message).for_each(|(b, m)| *b += m);
            }
        }
        belief
    }

    /// What the variables of a factor say to it, normalised.
    fn inputs(&self, number: usize, sweeps: usize) -> Result<Vec<Vec<f64>>> {
        let scope = self.model.factors()[number].variables();
        scope
            .iter()
            .map(|&variable| {
                let mut belief = self.belief(variable, Some(number));
                shift(&mut belief)
                    .then_some(belief)
                    .ok_or(EnergyError::Contradiction { variable, sweeps })
            })
            .collect()
    }

    /// The new messages of a factor, and how far the farthest is from the old one.
    fn renewed(&self, number: usize, damping: f64, sweeps: usize) -> Result<(Vec<Vec<f64>>, f64)> {
        let factor = &self.model.factors()[number];
        let inputs = self.inputs(number, sweeps)?;
        let mut outputs = send(factor, &inputs);
        let mut residual = 0.0_f64;
        for (place, output) in outputs.iter_mut().enumerate() {
            if !shift(output) {
                let variable = factor.variables()[place];
                return Err(EnergyError::Contradiction { variable, sweeps });
            }
            for (new, old) in output.iter_mut().zip(&self.messages[number][place]) {
                residual = residual.max((new.exp() - old.exp()).abs());
                // A zero stays one: zeros that messages tell of are true.
                if damping > 0.0 {
                    *new = (1.0 - damping) * *new + damping * old;
                }
            }
            if damping > 0.0 && !shift(output) {
                let variable = factor.variables()[place];
                return Err(EnergyError::Contradiction { variable, sweeps });
            }
        }
        Ok((outputs, residual))
    }

    fn run_in_turn(
        &mut self,
        options: &BeliefPropagationOptions,
        observer: &mut dyn Observer,
    ) -> Result<(usize, f64)> {
        let mut residual = 0.0;
        for sweep in 0..options.sweeps {
            Progress::part("bp", sweep as f64 / options.sweeps as f64).tell(observer)?;
            residual = 0.0_f64;
            for number in 0..self.messages.len() {
                let (outputs, change) = self.renewed(number, options.damping, sweep)?;
                self.messages[number] = outputs;
                residual = residual.max(change);
            }
            if residual <= options.tolerance {
                return Ok((sweep + 1, residual));
            }
        }
        Ok((options.sweeps, residual))
    }

    fn run_by_residual(
        &mut self,
        options: &BeliefPropagationOptions,
        observer: &mut dyn Observer,
    ) -> Result<(usize, f64)> {
        let count = self.messages.len();
        // Residuals are not negative, so their bits are in the order of their values.
        let mut queue: BTreeSet<(u64, usize)> = BTreeSet::new();
        let mut residuals = Vec::with_capacity(count);
        let mut waiting: Vec<Vec<Vec<f64>>> = Vec::with_capacity(count);
        for number in 0..count {
            let (outputs, residual) = self.renewed(number, options.damping, 0)?;
            waiting.push(outputs);
            residuals.push(residual);
            queue.insert((residual.to_bits(), number));
        }
        let most = options.sweeps.saturating_mul(count);
        let mut renewals = 0;
        let largest = |queue: &BTreeSet<(u64, usize)>| {
            queue.last().map_or(0.0, |(bits, _)| f64::from_bits(*bits))
        };
        while renewals < most && largest(&queue) > options.tolerance {
            if renewals % count == 0 {
                Progress::part("bp", renewals as f64 / most as f64).tell(observer)?;
            }
            let Some((_, number)) = queue.pop_last() else {
                break;
            };
            renewals += 1;
            self.messages[number] = std::mem::take(&mut waiting[number]);
            let mut touched = vec![number];
            for variable in self.model.factors()[number].variables() {
                touched.extend(self.edges[*variable].iter().map(|(factor, _)| *factor));
            }
            touched.sort_unstable();
            touched.dedup();
            for other in touched {
                queue.remove(&(residuals[other].to_bits(), other));
                let (outputs, residual) = self.renewed(other, options.damping, renewals / count)?;
                waiting[other] = outputs;
                residuals[other] = residual;
                queue.insert((residual.to_bits(), other));
            }
        }
        Ok((renewals.div_ceil(count.max(1)), largest(&queue)))
    }

    /// Bethe's `ln Z` and the mean energy under the beliefs of the factors.
    ///
    /// `ln Z = Σ_f ln Z_f + Σ_i ln Z_i − Σ_{(i,f)} ln Z_{if}`, whatever the scale of the messages.
    fn bethe(&self) -> (f64, f64) {
        let (mut log_z, mut energy) = (0.0, 0.0);
        for variable in 0..self.model.variables() {
            if self.model.observed()[variable].is_none() {
                log_z += log_sum_exp(&self.belief(variable, None));
            }
        }
        for (number, factor) in self.model.factors().iter().enumerate() {
            let inputs: Vec<Vec<f64>> = factor
                .variables()
                .iter()
                .map(|variable| self.belief(*variable, Some(number)))
                .collect();
            let beliefs = beliefs(factor, &inputs);
            let log_sum = log_sum_exp(&beliefs);
            log_z += log_sum;
            for (belief, log) in beliefs.iter().zip(factor.log_values()) {
                if *belief > f64::NEG_INFINITY {
                    energy -= (belief - log_sum).exp() * log;
                }
            }
            for (input, message) in inputs.iter().zip(&self.messages[number]) {
                let pair: Vec<f64> = input.iter().zip(message).map(|(a, b)| a + b).collect();
                log_z -= log_sum_exp(&pair);
            }
        }
        (log_z, energy)
    }
}

/// Makes the probabilities of a message add up to 1; `false` if all are zero.
fn shift(message: &mut [f64]) -> bool {
    let log_sum = log_sum_exp(message);
    if log_sum == f64::NEG_INFINITY {
        return false;
    }
    message.iter_mut().for_each(|value| *value -= log_sum);
    true
}

/// Entries of a factor times what its variables say, as logarithms.
fn beliefs(factor: &Factor, inputs: &[Vec<f64>]) -> Vec<f64> {
    let mut beliefs = factor.log_values().to_vec();
    for (place, (input, stride)) in inputs.iter().zip(factor.strides()).enumerate() {
        let states = factor.cardinalities()[place];
        for (index, belief) in beliefs.iter_mut().enumerate() {
            *belief += input[index / stride % states];
        }
    }
    beliefs
}

/// The messages of a factor: its belief summed to each variable, without what that variable said.
fn send(factor: &Factor, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let strides = factor.strides();
    let outputs = (0..inputs.len()).map(|own| {
        let states = factor.cardinalities()[own];
        let mut beliefs = factor.log_values().to_vec();
        for (place, input) in inputs.iter().enumerate() {
            if place != own {
                let count = factor.cardinalities()[place];
                for (index, belief) in beliefs.iter_mut().enumerate() {
                    *belief += input[index / strides[place] % count];
                }
            }
        }
        let mut largest = vec![f64::NEG_INFINITY; states];
        for (index, belief) in beliefs.iter().enumerate() {
            let state = index / strides[own] % states;
            largest[state] = largest[state].max(*belief);
        }
        let mut sums = vec![0.0; states];
        for (index, belief) in beliefs.iter().enumerate() {
            let state = index / strides[own] % states;
            if *belief > f64::NEG_INFINITY {
                sums[state] += (belief - largest[state]).exp();
            }
        }
        let logs = sums.iter().zip(largest);
        logs.map(|(sum, largest)| match *sum > 0.0 {
            true => sum.ln() + largest,
            false => f64::NEG_INFINITY,
        })
        .collect()
    });
    outputs.collect()
}
