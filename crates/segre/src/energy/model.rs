//! Energy models: variables with states, and a product of factors over them.

use super::error::EnergyError;
use super::factor::Factor;
use crate::energy::error::Result;

/// A distribution `p(x) = exp(−E(x)) / Z` with `−E(x) = Σ_f ln f(x_f)`, some variables perhaps observed.
///
/// Observed variables keep their number; no factor depends on them, and `Z` is the sum over the others.
#[derive(Clone, Debug, PartialEq)]
pub struct EnergyModel {
    cardinalities: Vec<usize>,
    factors: Vec<Factor>,
    observed: Vec<Option<usize>>,
    /// What makes it doubtful that the model is the one that is meant.
    doubt: Option<String>,
}

/// One observed variable and its state.
pub type Observation = (usize, usize);

impl EnergyModel {
    /// A model of its variables' numbers of states and its factors.
    ///
    /// # Panics
    /// If a cardinality is 0, or a factor has a variable that is not there or another number of states.
    pub fn new(cardinalities: Vec<usize>, factors: Vec<Factor>) -> Self {
        assert!(
            cardinalities.iter().all(|states| *states > 0),
            "every variable needs a state: {cardinalities:?}"
        );
        for factor in &factors {
            for (&variable, &states) in factor.variables().iter().zip(factor.cardinalities()) {
                assert_eq!(
                    cardinalities.get(variable),
                    Some(&states),
                    "states of variable {variable}"
                );
            }
        }
        let observed = vec![None; cardinalities.len()];
        Self {
            cardinalities,
            factors,
            observed,
            doubt: None,
        }
    }

    /// The model, with a sentence that says why it may not be the one that is meant.
    pub(super) fn doubted(mut self, doubt: Option<String>) -> Self {
        self.doubt = doubt;
        self
    }

    /// Why it may not be the model that is meant, if its file gave reason to think so.
    pub fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// Number of variables, observed ones included.
    pub fn variables(&self) -> usize {
        self.cardinalities.len()
    }

    /// Numbers of states.
    pub fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    /// The factors.
    pub fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// The observed state of each variable.
    pub fn observed(&self) -> &[Option<usize>] {
        &self.observed
    }

    /// Binary logarithm of the number of configurations of the variables that are not observed.
    pub fn log2_configurations(&self) -> f64 {
        let free = self.cardinalities.iter().zip(&self.observed);
        free.filter(|(_, observed)| observed.is_none())
            .map(|(&states, _)| (states as f64).log2())
            .sum()
    }

    /// `E(x) = −Σ_f ln f(x_f)`, in nats; `+∞` for an impossible labeling.
    ///
    /// # Panics
    /// If there is not one label for every variable, or a label is not a state.
    pub fn energy(&self, labels: &[usize]) -> f64 {
        assert_eq!(
            labels.len(),
            self.variables(),
            "one label for every variable"
        );
        let seen = labels.iter().zip(&self.observed);
        if seen
            .clone()
            .any(|(label, observed)| observed.is_some_and(|state| state != *label))
        {
            return f64::INFINITY;
        }
        -self
            .factors
            .iter()
            .map(|factor| factor.log_value(labels))
            .sum::<f64>()
    }

    /// The model given observations: `Z` becomes the weight of what agrees with them.
    ///
    /// # Errors
    /// [`EnergyError::EvidenceOutOfRange`], and [`EnergyError::NoConfiguration`] if the observations
    /// contradict each other or a factor.
    pub fn condition(&self, evidence: &[Observation]) -> Result<Self> {
        let mut observed = self.observed.clone();
        for &(variable, state) in evidence {
            let states = self.cardinalities.get(variable).copied().unwrap_or(0);
            if state >= states {
                return Err(EnergyError::EvidenceOutOfRange {
                    variable,
                    state,
                    variables: self.variables(),
                    states,
                });
            }
            if observed[variable].is_some_and(|before| before != state) {
                let place = format!(": variable {variable} is observed in two states");
                return Err(EnergyError::NoConfiguration { place });
            }
            observed[variable] = Some(state);
        }
        let mut factors = Vec::with_capacity(self.factors.len());
        for (number, factor) in self.factors.iter().enumerate() {
            let factor = factor.restrict(&observed);
            if factor.is_zero() {
                let place = format!(": factor {number} is 0 given the evidence");
                return Err(EnergyError::NoConfiguration { place });
            }
            factors.push(factor);
        }
        Ok(Self {
            cardinalities: self.cardinalities.clone(),
            factors,
            observed,
            doubt: self.doubt.clone(),
        })
    }

    /// The model `p(x) ∝ exp(−β E(x))`; what is impossible stays so, even at `β = 0`.
    ///
    /// # Panics
    /// If `β` is negative or not finite.
    pub fn tempered(&self, inverse_temperature: f64) -> Self {
        assert!(
            inverse_temperature >= 0.0 && inverse_temperature.is_finite(),
            "inverse temperature {inverse_temperature}"
        );
        let scaled = |log: &f64| match *log {
            f64::NEG_INFINITY => f64::NEG_INFINITY,
            log => inverse_temperature * log,
        };
        let of = |factor: &Factor| {
            Factor::new(
                factor.variables().to_vec(),
                factor.cardinalities().to_vec(),
                factor.log_values().iter().map(scaled).collect(),
            )
        };
        Self {
            cardinalities: self.cardinalities.clone(),
            factors: self.factors.iter().map(of).collect(),
            observed: self.observed.clone(),
            doubt: self.doubt.clone(),
        }
    }

    /// For every variable, the numbers of the factors that depend on it.
    pub fn factors_of_variables(&self) -> Vec<Vec<usize>> {
        let mut lists = vec![Vec::new(); self.variables()];
        for (number, factor) in self.factors.iter().enumerate() {
            for &variable in factor.variables() {
                lists[variable].push(number);
            }
        }
        lists
    }

    /// Probabilities of an observed variable, or nothing.
    pub(crate) fn observed_marginal(&self, variable: usize) -> Option<Vec<f64>> {
        self.observed[variable].map(|state| {
            let mut marginal = vec![0.0; self.cardinalities[variable]];
            marginal[state] = 1.0;
            marginal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> EnergyModel {
        let unary = Factor::new(vec![0], vec![2], vec![0.0, 1.0]);
        let zero = f64::NEG_INFINITY;
        let pair = Factor::new(vec![0, 1], vec![2, 3], vec![1.0, 2.0, zero, 4.0, 5.0, 6.0]);
        EnergyModel::new(vec![2, 3], vec![unary, pair])
    }

    #[test]
    fn the_energy_is_minus_the_sum_of_the_log_weights() {
        let model = chain();
        assert_eq!(model.energy(&[1, 2]), -7.0);
        assert_eq!(model.energy(&[0, 2]), f64::INFINITY);
        let given = model.condition(&[(1, 1)]).expect("possible");
        assert_eq!(given.energy(&[0, 1]), model.energy(&[0, 1]));
        assert_eq!(given.energy(&[0, 0]), f64::INFINITY);
        assert!((given.log2_configurations() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn tempering_scales_the_energy_and_keeps_what_is_impossible() {
        let model = chain().tempered(0.5);
        assert_eq!(model.energy(&[1, 2]), -3.5);
        assert_eq!(chain().tempered(0.0).energy(&[0, 2]), f64::INFINITY);
    }

    #[test]
    fn impossible_evidence_is_refused_with_its_place() {
        let message = |evidence: &[Observation]| {
            let error = chain().condition(evidence).expect_err("impossible");
            error.to_string()
        };
        assert!(message(&[(0, 0), (1, 2)]).contains("factor 1"));
        assert!(message(&[(0, 0), (0, 1)]).contains("variable 0 is observed in two states"));
        assert!(message(&[(2, 0)]).contains("2 variables"));
        assert!(message(&[(1, 3)]).contains("3 states"));
    }
}
