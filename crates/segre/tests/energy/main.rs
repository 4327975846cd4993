//! Energy models: every method against enumeration of small models, published figures, and files.

#![allow(clippy::unwrap_used)]

mod approximate;
mod competition;
mod damage;
mod exact;
mod files;
mod neural;
mod randomized;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segre::energy::{EnergyModel, Factor, Inference};

/// What a random model looks like.
struct Recipe {
    variables: usize,
    most_states: usize,
    factors: usize,
    most_variables_of_a_factor: usize,
    /// Log-weights are uniform between minus this and this.
    range: f64,
    /// Probability of a zero entry.
    zeros: f64,
}

const SMALL: Recipe = Recipe {
    variables: 7,
    most_states: 4,
    factors: 9,
    most_variables_of_a_factor: 3,
    range: 2.0,
    zeros: 0.0,
};

impl Recipe {
    fn model(&self, seed: u64) -> EnergyModel {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let cardinalities: Vec<usize> = (0..self.variables)
            .map(|_| rng.random_range(1..=self.most_states))
            .collect();
        let factors = (0..self.factors)
            .map(|_| {
                let order = rng.random_range(0..=self.most_variables_of_a_factor);
                let mut scope: Vec<usize> = Vec::new();
                while scope.len() < order {
                    let variable = rng.random_range(0..self.variables);
                    if !scope.contains(&variable) {
                        scope.push(variable);
                    }
                }
                let states: Vec<usize> = scope.iter().map(|v| cardinalities[*v]).collect();
                let size = states.iter().product();
                let values = (0..size).map(|entry| {
                    // The first entry stays: no factor is zero everywhere.
                    match entry > 0 && rng.random::<f64>() < self.zeros {
                        true => f64::NEG_INFINITY,
                        false => rng.random_range(-self.range..=self.range),
                    }
                });
                let values = values.collect();
                Factor::new(scope, states, values)
            })
            .collect();
        EnergyModel::new(cardinalities, factors)
    }
}

/// Seconds that this thread has computed, on Linux: those of the clock depend on what else the machine does.
fn seconds_computed() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().map(str::parse::<f64>);
    nanoseconds.and_then(Result::ok).unwrap_or(0.0) * 1e-9
}

#[track_caller]
fn assert_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * (1.0 + expected.abs()),
        "{what}: {found} instead of {expected}"
    );
}

/// Everything two inferences say agrees.
#[track_caller]
fn assert_same(what: &str, found: &Inference, expected: &Inference, tolerance: f64) {
    let pairs = [
        ("log Z", found.log_z, expected.log_z),
        ("energy", found.energy, expected.energy),
        ("entropy", found.entropy, expected.entropy),
    ];
    for (name, found, expected) in pairs {
        let name = format!("{what}: {name}");
        assert_close(&name, found.unwrap(), expected.unwrap(), tolerance);
    }
    assert!(
        largest_difference(found, expected) <= tolerance,
        "{what}: marginals"
    );
}

fn largest_difference(one: &Inference, other: &Inference) -> f64 {
    assert_eq!(one.marginals.len(), other.marginals.len());
    let pairs = one
        .marginals
        .iter()
        .flatten()
        .zip(other.marginals.iter().flatten());
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
