//! What zeros say before any table is built: impossible states, fixed variables, factors merged.

use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::factor::Factor;
use crate::energy::model::EnergyModel;
use crate::energy::zeros::Zeros;

/// A model without its impossible states and without variables that have only one state left.
#[derive(Debug)]
pub(super) struct Reduced {
    /// Number of states of every variable of the model, possible or not.
    pub all_states: Vec<usize>,
    /// Possible states of every variable of the model.
    pub states: Vec<Vec<usize>>,
    /// The variables with more than one, as numbers of the model; elsewhere they are counted anew.
    pub free: Vec<usize>,
    /// Factors over the new numbers, none within another's scope; the largest log-weight is 0.
    pub factors: Vec<Factor>,
    /// The logarithm of what was taken out of the factors.
    pub log_constant: f64,
}

impl Reduced {
    /// Numbers of states of the free variables.
    pub fn cardinalities(&self) -> Vec<usize> {
        self.free.iter().map(|v| self.states[*v].len()).collect()
    }

    /// Deletes states without support (generalised arc consistency), then merges factors.
    ///
    /// # Errors
    /// [`EnergyError::NoConfiguration`] if a variable has no state left.
    pub fn of(model: &EnergyModel) -> Result<Self> {
        let states = Zeros::of(model)?.states();
        let mut numbers = vec![usize::MAX; model.variables()];
        let mut free = Vec::new();
        for (variable, possible) in states.iter().enumerate() {
            if possible.len() > 1 {
                numbers[variable] = free.len();
                free.push(variable);
            }
        }
        let cut: Vec<Factor> = model
            .factors()
            .iter()
            .map(|factor| cut(factor, &states, &numbers))
            .collect();
        let mut log_constant = 0.0;
        let mut factors = Vec::new();
        for factor in merge(cut, free.len()) {
            let values = factor.log_values();
            let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            log_constant += largest;
            if largest == f64::NEG_INFINITY {
                let place = String::new();
                return Err(EnergyError::NoConfiguration { place });
            }
            if !factor.variables().is_empty() {
                let shifted = values.iter().map(|value| value - largest).collect();
                let (scope, sizes) = (factor.variables().to_vec(), factor.cardinalities().to_vec());
                factors.push(Factor::new(scope, sizes, shifted));
            }
        }
        Ok(Self {
            all_states: model.cardinalities().to_vec(),
            states,
            free,
            factors,
            log_constant,
        })
    }
}

/// The part of a factor's table with possible states, over the free variables by their new numbers.
fn cut(factor: &Factor, states: &[Vec<usize>], numbers: &[usize]) -> Factor {
    let strides = factor.strides();
    let mut places = vec![0];
    let (mut scope, mut sizes) = (Vec::new(), Vec::new());
    for (&variable, stride) in factor.variables().iter().zip(strides) {
        let possible = &states[variable];
        places = places
            .iter()
            .flat_map(|place| possible.iter().map(move |state| place + state * stride))
            .collect();
        if possible.len() > 1 {
            scope.push(numbers[variable]);
            sizes.push(possible.len());
        }
    }
    let values = places.iter().map(|place| factor.log_values()[*place]);
    Factor::new(scope, sizes, values.collect())
}

/// Multiplies every factor into one whose scope holds its own, if there is one.
fn merge(mut factors: Vec<Factor>, variables: usize) -> Vec<Factor> {
    factors.sort_by_key(|factor| std::cmp::Reverse(factor.variables().len()));
    let mut of_variables = vec![Vec::new(); variables];
    let mut merged: Vec<Factor> = Vec::new();
    let mut log_constant = 0.0;
    for factor in factors {
        let scope = factor.variables();
        let Some(first) = scope.first() else {
            log_constant += factor.log_values()[0];
            continue;
        };
        let holds = |other: &&usize| {
            let other = merged[**other].variables();
            scope.iter().all(|variable| other.contains(variable))
        };
        match of_variables[*first].iter().find(holds) {
            Some(&host) => merged[host] = merged[host].product(&factor),
            None => {
                for &variable in scope {
                    of_variables[variable].push(merged.len());
                }
                merged.push(factor);
            }
        }
    }
    merged.push(Factor::constant(log_constant));
    merged
}

#[cfg(test)]
/// All configurations of some variables, for tests and small sums, the last fastest.
pub(super) fn configurations(cardinalities: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let cardinalities = cardinalities.to_vec();
    let count = cardinalities.iter().product();
    (0..count).map(move |mut index| {
        let mut labels = vec![0; cardinalities.len()];
        for (label, states) in labels.iter_mut().zip(&cardinalities).rev() {
            *label = index % states;
            index /= states;
        }
        labels
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_states_are_deleted_and_fixed_variables_removed() {
        let (zero, one) = (f64::NEG_INFINITY, 0.0);
        // x0 = x1, x1 ≠ 2, x2 < x1: leaves x0 = x1 = 1, x2 = 0.
        let equal = (0..9).map(|i| if i / 3 == i % 3 { one } else { zero });
        let less = (0..9).map(|i| if i / 3 > i % 3 { one } else { zero });
        let model = EnergyModel::new(
            vec![3; 4],
            vec![
                Factor::new(vec![0, 1], vec![3, 3], equal.collect()),
                Factor::new(vec![1], vec![3], vec![one, 2.0, zero]),
                Factor::new(vec![1, 2], vec![3, 3], less.collect()),
                Factor::new(vec![2, 3], vec![3, 3], vec![0.5; 9]),
            ],
        );
        let reduced = Reduced::of(&model).expect("possible");
        assert_eq!(reduced.states, [vec![1], vec![1], vec![0], vec![0, 1, 2]]);
        assert_eq!(reduced.free, [3]);
        assert!((reduced.log_constant - 2.5).abs() < 1e-15);
    }

    #[test]
    fn merging_keeps_the_energy() {
        let pair = Factor::new(vec![0, 1], vec![2, 3], (0..6).map(f64::from).collect());
        let one = Factor::new(vec![1], vec![3], vec![0.5, -1.0, 2.0]);
        let model = EnergyModel::new(vec![2, 3], vec![one, pair]);
        let reduced = Reduced::of(&model).expect("possible");
        assert_eq!(reduced.factors.len(), 1);
        for labels in configurations(&[2, 3]) {
            let sum = reduced.log_constant + reduced.factors[0].log_value(&labels);
            assert!((sum + model.energy(&labels)).abs() < 1e-14);
        }
    }
}
