//! Messages of belief propagation: their products, their renewal, and what they say of `log Z`.

use super::BeliefPropagationOptions;
use crate::energy::error::{EnergyError, Result};
use crate::energy::factor::{Factor, log_sum_exp};
use crate::energy::model::EnergyModel;
use crate::progress::{Observer, Progress};

/// Messages from factors to their variables, as logarithms of probabilities.
pub(super) struct Messages<'a> {
    pub model: &'a EnergyModel,
    /// Factors of every variable that send others what it says to them: those of more variables than it.
    pub listeners: Vec<Vec<usize>>,
    /// `[factors][places][states]`.
    pub messages: Vec<Vec<Vec<f64>>>,
    /// The products of all messages to each variable, from which one factor's is taken out again: what a variable of many
    /// factors says to all of them takes as many steps as it has factors.
    products: Vec<Vec<Product>>,
}

/// A product of probabilities, zeros apart.
#[derive(Clone, Copy, Default)]
struct Product {
    /// Logarithm of the factors that are not zero.
    log: f64,
    /// How many are.
    zeros: usize,
}

impl Product {
    fn times(&mut self, log: f64) {
        match log > f64::NEG_INFINITY {
            true => self.log += log,
            false => self.zeros += 1,
        }
    }

    fn over(mut self, log: f64) -> Self {
        match log > f64::NEG_INFINITY {
            true => self.log -= log,
            false => self.zeros -= 1,
        }
        self
    }

    fn value(self) -> f64 {
        match self.zeros {
            0 => self.log,
            _ => f64::NEG_INFINITY,
        }
    }
}

impl<'a> Messages<'a> {
    pub fn new(model: &'a EnergyModel) -> Self {
        let mut listeners = vec![Vec::new(); model.variables()];
        let mut messages = Vec::with_capacity(model.factors().len());
        for (number, factor) in model.factors().iter().enumerate() {
            if factor.variables().len() > 1 {
                for &variable in factor.variables() {
                    listeners[variable].push(number);
                }
            }
            let uniform = |states: &usize| vec![-(*states as f64).ln(); *states];
            messages.push(factor.cardinalities().iter().map(uniform).collect());
        }
        let mut new = Self {
            model,
            listeners,
            messages,
            products: Vec::new(),
        };
        new.multiply();
        new
    }

    /// Forms the products anew: changes leave rounding errors in them.
    pub fn multiply(&mut self) {
        let none = |states: &usize| vec![Product::default(); *states];
        self.products = self.model.cardinalities().iter().map(none).collect();
        for (factor, messages) in self.model.factors().iter().zip(&self.messages) {
            for (&variable, message) in factor.variables().iter().zip(messages) {
                let products = self.products[variable].iter_mut();
                products.zip(message).for_each(|(p, m)| p.times(*m));
            }
        }
    }

    /// Takes over the new messages of a factor.
    pub fn replace(&mut self, number: usize, new: Vec<Vec<f64>>) {
        let scope = self.model.factors()[number].variables();
        for ((&variable, old), new) in scope.iter().zip(&self.messages[number]).zip(&new) {
            let products = self.products[variable].iter_mut();
            for ((product, old), new) in products.zip(old).zip(new) {
                *product = product.over(*old);
                product.times(*new);
            }
        }
        self.messages[number] = new;
    }

    /// The product of all messages to a variable.
    pub fn belief(&self, variable: usize) -> Vec<f64> {
        self.products[variable].iter().map(|p| p.value()).collect()
    }

    /// The product of the messages to each variable of a factor, but the factor's own.
    fn inputs(&self, number: usize) -> Vec<Vec<f64>> {
        let scope = self.model.factors()[number].variables();
        let input = |(variable, message): (&usize, &Vec<f64>)| {
            let products = self.products[*variable].iter().zip(message);
            products.map(|(p, own)| p.over(*own).value()).collect()
        };
        scope
            .iter()
            .zip(&self.messages[number])
            .map(input)
            .collect()
    }

    /// What the variables of a factor say to it, normalised.
    fn normalised_inputs(&self, number: usize, sweeps: usize) -> Result<Vec<Vec<f64>>> {
        let mut inputs = self.inputs(number);
        let scope = self.model.factors()[number].variables();
        for (&variable, input) in scope.iter().zip(&mut inputs) {
            if !shift(input) {
                return Err(EnergyError::Contradiction { variable, sweeps });
            }
        }
        Ok(inputs)
    }

    /// The new messages of a factor, and how far the farthest is from the old one.
    pub fn renewed(
        &self,
        number: usize,
        damping: f64,
        sweeps: usize,
    ) -> Result<(Vec<Vec<f64>>, f64)> {
        let factor = &self.model.factors()[number];
        let inputs = self.normalised_inputs(number, sweeps)?;
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

    /// Renews factor after factor; the sweeps done and the largest change of the last one.
    pub fn run_in_turn(
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
                self.replace(number, outputs);
                residual = residual.max(change);
            }
            self.multiply();
            if residual <= options.tolerance {
                return Ok((sweep + 1, residual));
            }
        }
        Ok((options.sweeps, residual))
    }

    /// Whether messages at a fixed point move away from it after a nudge; they are as before in the end.
    pub fn leave(&mut self, damping: f64) -> bool {
        const NUDGE: f64 = 1e-4;
        const SWEEPS: usize = 30;
        let kept = self.messages.clone();
        // Any direction will do that no symmetry has: multiples of the golden ratio.
        let mut turns = 0.0;
        for message in self.messages.iter_mut().flatten() {
            for log in message.iter_mut() {
                turns += 0.618_033_988_749_895_f64;
                *log += NUDGE * (2.0 * turns.fract() - 1.0);
            }
            shift(message);
        }
        self.multiply();
        // A contradiction is no sign of either.
        for _ in 0..SWEEPS {
            for number in 0..self.messages.len() {
                if let Ok((outputs, _)) = self.renewed(number, damping, 0) {
                    self.replace(number, outputs);
                }
            }
        }
        let pairs = kept.iter().flatten().flatten();
        let pairs = pairs.zip(self.messages.iter().flatten().flatten());
        let farthest = pairs.fold(0.0_f64, |most, (a, b)| most.max((a.exp() - b.exp()).abs()));
        self.messages = kept;
        self.multiply();
        farthest > 10.0 * NUDGE
    }

    /// Bethe's `ln Z` and the mean energy under the beliefs of the factors.
    ///
    /// `ln Z = Σ_f ln Z_f + Σ_i ln Z_i − Σ_{(i,f)} ln Z_{if}`, whatever the scale of the messages.
    pub fn bethe(&self) -> (f64, f64) {
        let (mut log_z, mut energy) = (0.0, 0.0);
        for variable in 0..self.model.variables() {
            if self.model.observed()[variable].is_none() {
                log_z += log_sum_exp(&self.belief(variable));
            }
        }
        for (number, factor) in self.model.factors().iter().enumerate() {
            let inputs = self.inputs(number);
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
