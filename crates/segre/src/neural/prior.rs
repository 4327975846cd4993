//! What an energy model says to a network that learns it: its own tables.

use crate::energy::EnergyModel;
use crate::flow::{Pair, PairwisePrior};

/// The energy as the prior of a posterior network: what belief propagation finds with it, the network need not learn.
///
/// `None` if a factor has more than two variables or excludes states: messages must be finite.
pub fn pairwise_prior(energy: &EnergyModel) -> Option<PairwisePrior> {
    let table = |states: &usize| vec![0.0_f32; *states];
    let mut sites: Vec<Vec<f32>> = energy.cardinalities().iter().map(table).collect();
    let mut pairs = Vec::new();
    for factor in energy.factors() {
        let values = factor.log_values().iter().map(|value| *value as f32);
        if values.clone().any(|value| !value.is_finite()) {
            return None;
        }
        match *factor.variables() {
            [] => {}
            [site] => {
                for (sum, value) in sites[site].iter_mut().zip(values) {
                    *sum += value;
                }
            }
            [s, t] => pairs.push(Pair {
                sites: [s, t],
                log_weights: values.collect(),
            }),
            _ => return None,
        }
    }
    Some(PairwisePrior { sites, pairs })
}
