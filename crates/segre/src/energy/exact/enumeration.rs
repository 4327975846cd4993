//! Inference by visiting every configuration: the oracle of the tests, and of small models.

use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::inference::{Inference, LogZKind, Method, Report};
use crate::energy::model::EnergyModel;

/// Most configurations to visit, as a binary logarithm.
const MOST_LOG2: f64 = 24.0;

/// `log Z`, marginals, mean energy and entropy by visiting every configuration that agrees with the
/// evidence, at most 2²⁴.
///
/// # Errors
/// [`EnergyError::TooManyConfigurations`], [`EnergyError::NoConfiguration`].
pub fn enumerate(model: &EnergyModel) -> Result<Inference> {
    let log2_configurations = model.log2_configurations();
    if log2_configurations > MOST_LOG2 + 1e-9 {
        return Err(EnergyError::TooManyConfigurations {
            log2_configurations,
        });
    }
    let smallest = energies(model)
        .map(|(_, energy)| energy)
        .fold(f64::INFINITY, f64::min);
    if smallest == f64::INFINITY {
        let place = String::new();
        return Err(EnergyError::NoConfiguration { place });
    }
    let mut marginals: Vec<Vec<f64>> = model
        .cardinalities()
        .iter()
        .map(|c| vec![0.0; *c])
        .collect();
    let (mut total, mut energy_sum) = (0.0, 0.0);
    for (labels, energy) in energies(model) {
        let weight = (smallest - energy).exp();
        if weight > 0.0 {
            total += weight;
            energy_sum += weight * energy;
            for (marginal, label) in marginals.iter_mut().zip(labels) {
                marginal[label] += weight;
            }
        }
    }
    for probability in marginals.iter_mut().flatten() {
        *probability /= total;
    }
    let (log_z, energy) = (total.ln() - smallest, energy_sum / total);
    Ok(Inference {
        method: Method::Enumeration,
        exact: true,
        log_z: Some(log_z),
        log_z_kind: Some(LogZKind::Exact),
        marginals,
        energy: Some(energy),
        energy_std_error: None,
        entropy: Some(log_z + energy),
        report: Report::Nothing {},
    })
}

/// Every configuration with its energy, the last variable fastest.
fn energies(model: &EnergyModel) -> impl Iterator<Item = (Vec<usize>, f64)> + '_ {
    let observed = model.observed();
    let first: Vec<usize> = observed.iter().map(|o| o.unwrap_or(0)).collect();
    let after = move |labels: &Vec<usize>| {
        let mut labels = labels.clone();
        for variable in (0..labels.len()).rev() {
            if observed[variable].is_some() {
                continue;
            }
            labels[variable] += 1;
            if labels[variable] < model.cardinalities()[variable] {
                return Some(labels);
            }
            labels[variable] = 0;
        }
        None
    };
    std::iter::successors(Some(first), after).map(|labels| {
        let energy = model.energy(&labels);
        (labels, energy)
    })
}
