//! Adam with global-norm clipping and a moving average of the parameters, in one pass over memory.

use std::borrow::Cow;
use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use rayon::prelude::*;
use segre_kernels::AdamStep;
use serde::{Deserialize, Serialize};

use super::parameters::{Values, host_values, with_values};
use super::resident::Resident;
use crate::learning::error::{LearningError, Result};
use crate::setting::InvalidSetting;

/// Numbers of a task.
const CHUNK: usize = 1 << 15;

/// Settings of the optimiser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Steps of linear warm-up.
    pub warmup_steps: u64,
    /// Decays of the first and second moment.
    pub betas: (f64, f64),
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay of matrices, per unit of learning rate.
    pub weight_decay: f64,
    /// Largest norm of the whole gradient.
    pub gradient_clip: f64,
    /// Decay of the moving average of the parameters; shorter in the first steps.
    pub average_decay: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            warmup_steps: 100,
            // A short memory of the second moment suits runs of a few thousand steps.
            betas: (0.9, 0.99),
            epsilon: 1e-8,
            weight_decay: 0.0,
            gradient_clip: 1.0,
            average_decay: 0.998,
        }
    }
}

impl OptimizerConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("learning rate", self.learning_rate),
            ("epsilon", self.epsilon),
            ("gradient clip", self.gradient_clip),
        ];
        for (name, value) in positive {
            // The hot path computes in 32 bits.
            if !(value > 0.0 && (value as f32).is_finite()) {
                return Err(InvalidSetting {
                    name,
                    value,
                    expected: "positive and finite in 32 bits",
                }
                .into());
            }
        }
        let fractions = [
            ("beta 1", self.betas.0),
            ("beta 2", self.betas.1),
            ("average decay", self.average_decay),
        ];
        for (name, value) in fractions {
            if !(0.0..1.0).contains(&value) {
                let expected = "at least 0 and below 1";
                return Err(InvalidSetting {
                    name,
                    value,
                    expected,
                }
                .into());
            }
        }
        if self.weight_decay >= 0.0 && self.weight_decay.is_finite() {
            return Ok(());
        }
        let expected = "0 or positive";
        Err(InvalidSetting {
            name: "weight decay",
            value: self.weight_decay,
            expected,
        }
        .into())
    }
}

/// Moments and average of one parameter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Slot {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub average: Vec<f32>,
}

/// Adam and the moving average, by parameter name.
///
/// On the processor the state lives in host memory: one pass over it costs a quarter of the same in tensor operations. On a
/// graphics processor it lives there (`resident.rs`), so that no step waits for its gradient.
///
/// Source: Kingma & Ba 2015, Algorithm 1; decoupled decay: Loshchilov & Hutter 2019.
#[derive(Clone, Debug)]
pub(crate) struct Optimizer {
    pub(super) config: OptimizerConfig,
    /// In host memory; stale once there is a state on a graphics processor.
    pub(super) slots: BTreeMap<String, Slot>,
    pub(super) resident: Option<Resident>,
}

impl Optimizer {
    pub fn new(config: OptimizerConfig) -> Self {
        Self::going_on(config, BTreeMap::new())
    }

    /// With moments and averages of earlier steps.
    pub fn going_on(config: OptimizerConfig, slots: BTreeMap<String, Slot>) -> Self {
        Self {
            config,
            slots,
            resident: None,
        }
    }

    /// Moments and averages as they stand.
    pub fn slots(&self) -> Cow<'_, BTreeMap<String, Slot>> {
        match &self.resident {
            Some(resident) => Cow::Owned(resident.slots()),
            None => Cow::Borrowed(&self.slots),
        }
    }

    /// One step with a gradient by parameter name; `step` counts from 0. Returns the network and the norm of the
    /// gradient before clipping.
    ///
    /// # Errors
    /// [`LearningError::NonFiniteTraining`] names the first parameter whose gradient is not finite; nothing has
    /// changed then.
    pub fn step<M: Module>(
        &mut self,
        network: M,
        gradients: BTreeMap<String, Vec<f32>>,
        step: u64,
        learning_rate: f64,
    ) -> Result<(M, f64)> {
        let norm = norm_of(&gradients, step)?;
        let update = Update::new(&self.config, step, learning_rate, norm);
        let mut mapper = UpdateMapper {
            update,
            gradients,
            slots: &mut self.slots,
            path: vec![],
        };
        Ok((network.map(&mut mapper), norm))
    }

    /// The averaged parameters, for sampling and scoring.
    pub fn averages(&self, shapes: &BTreeMap<String, Values>) -> BTreeMap<String, Values> {
        let slots = self.slots();
        let average = |(name, values): (&String, &Values)| {
            let own = slots.get(name).map_or(&values.values, |slot| &slot.average);
            (
                name.clone(),
                Values {
                    shape: values.shape.clone(),
                    values: own.clone(),
                },
            )
        };
        shapes.iter().map(average).collect()
    }
}

/// Euclidean norm of the whole gradient.
fn norm_of(gradients: &BTreeMap<String, Vec<f32>>, step: u64) -> Result<f64> {
    let mut total = 0.0;
    for (name, gradient) in gradients {
        // In f64 and in parts that do not depend on the number of threads.
        let parts: Vec<f64> = gradient.par_chunks(CHUNK).map(square).collect();
        let square: f64 = parts.iter().sum();
        if !square.is_finite() {
            return Err(LearningError::NonFiniteTraining {
                step,
                parameter: name.clone(),
            });
        }
        total += square;
    }
    Ok(total.sqrt())
}

/// Sum of squares, in interleaved sums that fill registers.
fn square(gradient: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    for block in gradient.chunks(8) {
        for (sum, g) in sums.iter_mut().zip(block) {
            *sum += f64::from(*g) * f64::from(*g);
        }
    }
    sums.iter().sum()
}

/// One step for any parameter.
#[derive(Clone, Copy)]
pub(crate) struct Update {
    scale: f32,
    beta1: f32,
    beta2: f32,
    correction1: f32,
    correction2: f32,
    learning_rate: f32,
    epsilon: f32,
    decay: f32,
    average: f32,
}

impl Update {
    /// Step number `step`, from 0, with a gradient of some norm.
    pub fn new(config: &OptimizerConfig, step: u64, learning_rate: f64, norm: f64) -> Self {
        let count = (step + 1) as i32;
        let (beta1, beta2) = config.betas;
        Self {
            scale: (config.gradient_clip / norm).min(1.0) as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            correction1: (1.0 - beta1.powi(count)).recip() as f32,
            correction2: (1.0 - beta2.powi(count)).recip() as f32,
            learning_rate: learning_rate as f32,
            epsilon: config.epsilon as f32,
            decay: (learning_rate * config.weight_decay) as f32,
            // The first steps' average forgets the random start quickly.
            average: (1.0
                - config
                    .average_decay
                    .min((1.0 + step as f64) / (10.0 + step as f64))) as f32,
        }
    }

    /// The same for a graphics processor, which finds the norm itself.
    pub(super) fn on_graphics(&self, clip: f64) -> AdamStep {
        AdamStep {
            clip: clip as f32,
            betas: [self.beta1, self.beta2],
            corrections: [self.correction1, self.correction2],
            rate: self.learning_rate,
            epsilon: self.epsilon,
            decay: self.decay,
            average: self.average,
        }
    }

    /// Moves a parameter against its gradient, `decay` of the weights aside, and its average after it.
    pub fn apply(&self, weights: &mut [f32], gradient: &[f32], slot: &mut Slot, decay: f32) {
        // Elementwise, so the result does not depend on how the work is cut.
        weights
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(slot.first.par_chunks_mut(CHUNK))
            .zip(slot.second.par_chunks_mut(CHUNK))
            .zip(slot.average.par_chunks_mut(CHUNK))
            .for_each(|((((weights, gradient), first), second), average)| {
                // Of one length, as the compiler is to see.
                let count = weights.len();
                let (gradient, first) = (&gradient[..count], &mut first[..count]);
                let (second, average) = (&mut second[..count], &mut average[..count]);
                for i in 0..count {
                    let g = gradient[i] * self.scale;
                    first[i] = self.beta1 * first[i] + (1.0 - self.beta1) * g;
                    second[i] = self.beta2 * second[i] + (1.0 - self.beta2) * g * g;
                    let root = (second[i] * self.correction2).sqrt() + self.epsilon;
                    let move_by = self.learning_rate * first[i] * self.correction1 / root;
                    weights[i] -= move_by + decay * weights[i];
                    average[i] += self.average * (weights[i] - average[i]);
                }
            });
    }
}

struct UpdateMapper<'a> {
    update: Update,
    gradients: BTreeMap<String, Vec<f32>>,
    slots: &'a mut BTreeMap<String, Slot>,
    path: Vec<String>,
}

impl ModuleMapper for UpdateMapper<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let Some(gradient) = self.gradients.remove(&name) else {
            // Running statistics and constants: nothing to learn, the average is the value.
            return parameter;
        };
        let decay = if D > 1 { self.update.decay } else { 0.0 };
        parameter.map(|tensor| {
            let mut weights = host_values(tensor.clone());
            let slot = self.slots.entry(name).or_insert_with(|| Slot {
                first: vec![0.0; weights.len()],
                second: vec![0.0; weights.len()],
                average: weights.clone(),
            });
            self.update.apply(&mut weights, &gradient, slot, decay);
            with_values(&tensor, weights)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_is_the_textbook_one() {
        let update = Update {
            scale: 0.5,
            beta1: 0.9,
            beta2: 0.99,
            correction1: 10.0,
            correction2: 100.0,
            learning_rate: 0.1,
            epsilon: 1e-8,
            decay: 0.01,
            average: 0.25,
        };
        let mut slot = Slot {
            first: vec![0.0; 2],
            second: vec![0.0; 2],
            average: vec![1.0, -1.0],
        };
        let mut weights = vec![1.0, -1.0];
        update.apply(&mut weights, &[4.0, -0.02], &mut slot, update.decay);
        // A first step moves by the learning rate, whatever the gradient's size.
        assert!(
            (weights[0] - (1.0 - 0.1 - 0.01)).abs() < 1e-6,
            "{weights:?}"
        );
        assert!(
            (weights[1] - (-1.0 + 0.1 + 0.01)).abs() < 1e-5,
            "{weights:?}"
        );
        assert!((slot.first[0] - 0.2).abs() < 1e-7 && (slot.second[0] - 0.04).abs() < 1e-7);
        assert!((slot.average[0] - (1.0 + 0.25 * (weights[0] - 1.0))).abs() < 1e-7);
    }

    #[test]
    fn a_learning_rate_that_is_no_number_is_refused() {
        let bad = OptimizerConfig {
            learning_rate: f64::NAN,
            ..OptimizerConfig::default()
        };
        assert!(bad.validate().is_err());
    }
}
