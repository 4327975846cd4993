//! Gibbs sampling: every variable in turn from its conditional distribution.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::chains::{self, ChainOptions, Seen, draw};
use super::exact::narrow;
use super::factor::normalise;
use super::inference::{Inference, Method};
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::progress::Observer;
use crate::random::{Purpose, generator, row_generator};

/// A factor as one of its variables sees it.
struct View {
    factor: usize,
    /// Distance between the variable's states in the table.
    stride: usize,
    /// The other variables with their distances.
    others: Vec<(usize, usize)>,
}

/// Marginals and mean energy by systematic-scan Gibbs sampling with several chains.
///
/// There is no `log Z`. Chains start at opposite corners and at random; while a labeling is impossible, a variable goes to the
/// labels that violate the fewest factors.
///
/// Source: Geman & Geman 1984.
///
/// # Errors
/// [`super::EnergyError::NoConfiguration`], [`super::EnergyError::NoStart`], [`InvalidSetting`](crate::InvalidSetting), [`Interrupted`](crate::Interrupted).
pub fn gibbs(
    model: &EnergyModel,
    options: &ChainOptions,
    observer: &mut dyn Observer,
) -> Result<Inference> {
    chains::run(model, Method::Gibbs, options, observer, &sweep(model))
}

/// A sweep through all variables in their order.
pub(super) fn sweep(
    model: &EnergyModel,
) -> impl Fn(&mut [usize], &mut ChaCha8Rng, Seen) + Sync + '_ {
    let views = views(model);
    move |labels, rng, seen| {
        let mut weights = Vec::new();
        for (variable, views) in views.iter().enumerate() {
            if model.observed()[variable].is_some() {
                continue;
            }
            conditional(model, views, variable, labels, &mut weights);
            labels[variable] = draw(&weights, rng.random());
            seen(variable, &weights);
        }
    }
}

/// Moves rows of labels by some sweeps each, which leaves samples of the model what they are.
///
/// # Shapes
/// `rows [count, variables]`, flat.
///
/// # Panics
/// If a row has not one label for every variable.
pub fn gibbs_sweeps(model: &EnergyModel, rows: &mut [u16], sweeps: usize, seed: u64) {
    let variables = model.variables().max(1);
    assert_eq!(rows.len() % variables, 0, "one label for every variable");
    let sweep = sweep(model);
    let base = generator(seed, Purpose::Rejuvenation, 0);
    rows.par_chunks_mut(variables)
        .enumerate()
        .for_each(|(number, row)| {
            let mut rng = row_generator(&base, number);
            let mut labels: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
            for _ in 0..sweeps {
                sweep(&mut labels, &mut rng, &mut |_, _| ());
            }
            row.iter_mut()
                .zip(narrow(labels))
                .for_each(|(label, moved)| *label = moved);
        });
}

fn views(model: &EnergyModel) -> Vec<Vec<View>> {
    let mut views: Vec<Vec<View>> = (0..model.variables()).map(|_| Vec::new()).collect();
    for (number, factor) in model.factors().iter().enumerate() {
        let columns: Vec<(usize, usize)> = factor
            .variables()
            .iter()
            .copied()
            .zip(factor.strides())
            .collect();
        for &(variable, stride) in &columns {
            let others = columns
                .iter()
                .copied()
                .filter(|column| column.0 != variable);
            views[variable].push(View {
                factor: number,
                stride,
                others: others.collect(),
            });
        }
    }
    views
}

/// Probabilities of a variable's labels given all others.
fn conditional(
    model: &EnergyModel,
    views: &[View],
    variable: usize,
    labels: &[usize],
    weights: &mut Vec<f64>,
) {
    let states = model.cardinalities()[variable];
    weights.clear();
    weights.resize(states, 0.0);
    let mut violated = vec![0_u32; 0];
    for view in views {
        let table = model.factors()[view.factor].log_values();
        let start: usize = view.others.iter().map(|(v, s)| labels[*v] * s).sum();
        for (state, weight) in weights.iter_mut().enumerate() {
            let log = table[start + state * view.stride];
            if log > f64::NEG_INFINITY {
                *weight += log;
            } else {
                violated.resize(states, 0);
                violated[state] += 1;
            }
        }
    }
    if let Some(&fewest) = violated.iter().min() {
        for (weight, count) in weights.iter_mut().zip(violated) {
            if count > fewest {
                *weight = f64::NEG_INFINITY;
            }
        }
    }
    normalise(weights);
}
