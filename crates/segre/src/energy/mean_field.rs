//! Naive mean field: the best product distribution, by coordinate ascent from several starts.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

use super::factor::{Factor, normalise};
use super::inference::{Inference, LogZKind, Method, Report};
use super::model::EnergyModel;
use super::zeros::Zeros;
use crate::energy::error::{EnergyError, Result};
use crate::progress::{Interrupted, Observer, Progress, Shared};
use crate::random::{Purpose, generator};

/// How mean field is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanFieldOptions {
    /// Starts; the first is uniform, the others random.
    pub restarts: usize,
    /// Most sweeps over all variables for each start.
    pub sweeps: usize,
    /// A start ends when no probability moves by more than this in a sweep.
    pub tolerance: f64,
    /// Seed of the starts.
    pub seed: u64,
}

impl Default for MeanFieldOptions {
    fn default() -> Self {
        Self {
            restarts: 100,
            sweeps: 2000,
            tolerance: 1e-10,
            seed: 0,
        }
    }
}

/// What mean field says of its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanFieldReport {
    /// Whether the best start has converged.
    pub converged: bool,
    /// Sweeps of the best start.
    pub sweeps: usize,
    /// Starts.
    pub restarts: usize,
    /// How many starts reached the best bound to 1e-6.
    pub restarts_at_best: usize,
}

/// Fits `q(x) = ∏ q_i(x_i)` by maximising `Σ H(q_i) − ⟨E⟩_q ≤ ln Z`.
///
/// `ln Z` minus the bound is `KL(q ‖ p)`. The best of all starts is returned; if none avoids the zeros of the factors, one
/// more starts at a configuration that does.
///
/// Source: Wainwright & Jordan 2008, section 5.
///
/// # Errors
/// [`EnergyError::NoConfiguration`], [`EnergyError::NoBound`], [`Interrupted`](crate::Interrupted).
pub fn mean_field(
    model: &EnergyModel,
    options: &MeanFieldOptions,
    observer: &mut dyn Observer,
) -> Result<Inference> {
    let witness = Zeros::of(model)?.witness()?;
    let of_variables = model.factors_of_variables();
    let (finished, observer) = (AtomicUsize::new(0), Shared::new(observer));
    let starts = options.restarts.max(1);
    let runs: Vec<Result<Run, Interrupted>> = (0..starts)
        .into_par_iter()
        .map(|start| {
            let run =
                Run::new(model, options, start).ascend(model, &of_variables, options, &|| {
                    let done = finished.load(Ordering::Relaxed) as f64 / starts as f64;
                    observer.tell(&Progress::part("mean field", done))
                });
            finished.fetch_add(1, Ordering::Relaxed);
            run
        })
        .collect();
    let runs: Result<Vec<Run>, Interrupted> = runs.into_iter().collect();
    let mut runs = runs?;
    if runs.iter().all(|run| run.bound == f64::NEG_INFINITY) {
        let Some(labels) = witness else {
            return Err(EnergyError::NoBound { starts });
        };
        let run = Run::at(model, &labels);
        runs.push(run.ascend(model, &of_variables, options, &|| Ok(()))?);
    }
    let bounds: Vec<f64> = runs.iter().map(|run| run.bound).collect();
    let best_bound = bounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let restarts_at_best = bounds.iter().filter(|b| best_bound - **b < 1e-6).count();
    // The first of equals: the same for any number of threads.
    let mut best = &runs[0];
    for run in &runs {
        if run.bound > best.bound {
            best = run;
        }
    }
    let entropy = entropy(&best.marginals);
    Ok(Inference {
        method: Method::MeanField,
        exact: false,
        log_z: Some(best.bound),
        log_z_kind: Some(LogZKind::LowerBound),
        marginals: best.marginals.clone(),
        energy: Some(entropy - best.bound),
        energy_std_error: None,
        entropy: Some(entropy),
        report: Report::MeanField(MeanFieldReport {
            converged: best.converged,
            sweeps: best.sweeps,
            restarts: runs.len(),
            restarts_at_best,
        }),
    })
}

/// One start.
struct Run {
    marginals: Vec<Vec<f64>>,
    bound: f64,
    converged: bool,
    sweeps: usize,
}

impl Run {
    fn new(model: &EnergyModel, options: &MeanFieldOptions, start: usize) -> Self {
        let mut rng = generator(options.seed, Purpose::MeanField, start as u64);
        let marginals = model
            .cardinalities()
            .iter()
            .enumerate()
            .map(|(variable, &states)| {
                model.observed_marginal(variable).unwrap_or_else(|| {
                    let mut weights = vec![0.0; states];
                    if start > 0 {
                        // Logarithms of uniform numbers, sharpened: starts near corners too.
                        weights.fill_with(|| 3.0 * rng.random::<f64>().ln());
                        weights.iter_mut().for_each(|w| *w = w.max(-700.0));
                    }
                    normalise(&mut weights);
                    weights
                })
            })
            .collect();
        Self {
            marginals,
            bound: f64::NEG_INFINITY,
            converged: false,
            sweeps: 0,
        }
    }

    /// All probability at one configuration.
    fn at(model: &EnergyModel, labels: &[usize]) -> Self {
        let states = model.cardinalities().iter().zip(labels);
        let point = |(&states, &label)| {
            let mut marginal = vec![0.0; states];
            marginal[label] = 1.0;
            marginal
        };
        Self {
            marginals: states.map(point).collect(),
            bound: f64::NEG_INFINITY,
            converged: false,
            sweeps: 0,
        }
    }

    /// Sweeps until nothing moves; `None` if the caller stops.
    fn ascend(
        mut self,
        model: &EnergyModel,
        of_variables: &[Vec<usize>],
        options: &MeanFieldOptions,
        tell: &dyn Fn() -> Result<(), Interrupted>,
    ) -> Result<Self, Interrupted> {
        while self.sweeps < options.sweeps && !self.converged {
            tell()?;
            self.sweeps += 1;
            let mut moved = 0.0_f64;
            for (variable, factors) in of_variables.iter().enumerate() {
                if model.observed()[variable].is_some() {
                    continue;
                }
                let new = self.update(model, variable, factors);
                let old = &mut self.marginals[variable];
                for (a, b) in old.iter().zip(&new) {
                    moved = moved.max((a - b).abs());
                }
                *old = new;
            }
            self.converged = moved <= options.tolerance;
        }
        let log_weights: f64 = model
            .factors()
            .iter()
            .map(|factor| mean_log_weight(factor, &self.marginals))
            .sum();
        self.bound = entropy(&self.marginals) + log_weights;
        Ok(self)
    }

    /// `q_i(k) ∝ exp ⟨Σ_f ln f⟩` given `x_i = k`.
    ///
    /// Zeros are the limit of an ever larger penalty: only the states that meet the least probability
    /// of a zero keep weight.
    fn update(&self, model: &EnergyModel, variable: usize, factors: &[usize]) -> Vec<f64> {
        let states = model.cardinalities()[variable];
        let (mut means, mut blocked) = (vec![0.0; states], vec![0.0; states]);
        for &number in factors {
            let factor = &model.factors()[number];
            let place = factor.variables().iter().position(|v| *v == variable);
            walk(
                factor,
                &self.marginals,
                place,
                |state, probability, log| match log > f64::NEG_INFINITY {
                    true => means[state] += probability * log,
                    false => blocked[state] += probability,
                },
            );
        }
        let least = blocked.iter().copied().fold(f64::INFINITY, f64::min);
        for (mean, blocked) in means.iter_mut().zip(blocked) {
            if blocked > least + 1e-12 {
                *mean = f64::NEG_INFINITY;
            }
        }
        normalise(&mut means);
        means
    }
}

/// `Σ_i H(q_i)` in nats.
fn entropy(marginals: &[Vec<f64>]) -> f64 {
    let positive = marginals.iter().flatten().filter(|p| **p > 0.0);
    // Not the negative of a sum, which is −0 at a point.
    0.0 - positive.map(|p| p * p.ln()).sum::<f64>()
}

/// `⟨ln f⟩` under independent variables; `−∞` if a zero entry has positive probability.
fn mean_log_weight(factor: &Factor, marginals: &[Vec<f64>]) -> f64 {
    let mut sum = 0.0;
    walk(factor, marginals, None, |_, probability, log| {
        sum += probability * log;
    });
    sum
}

/// Visits the entries of a factor that have positive probability under independent variables.
///
/// The variable at `place` is left out of the probability, and its state is passed on.
fn walk(
    factor: &Factor,
    marginals: &[Vec<f64>],
    place: Option<usize>,
    mut visit: impl FnMut(usize, f64, f64),
) {
    let scope = factor.variables();
    let strides = factor.strides();
    for (index, &log) in factor.log_values().iter().enumerate() {
        let (mut probability, mut own) = (1.0, 0);
        for (at, &variable) in scope.iter().enumerate() {
            let state = index / strides[at] % factor.cardinalities()[at];
            if Some(at) == place {
                own = state;
            } else {
                probability *= marginals[variable][state];
            }
        }
        if probability > 0.0 {
            visit(own, probability, log);
        }
    }
}
