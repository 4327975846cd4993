//! Training of randomised assignment flows: draws, objective, adjoint, Adam.

use std::time::Instant;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distribution::{Gaussian, norm};
use super::model::{RandomizedConfig, RandomizedFlow};
use super::objective::{EntropyGradient, Labelings, Mixture, Objective, Terms, site_entropy};
use super::sampling::labels_of;
use crate::data::DataError;
use crate::data::{Dataset, Schema};
use crate::energy::EnergyModel;
use crate::learning::LearningError;
use crate::learning::{Budget, OptimizerConfig, Slot, Update};
use crate::progress::{Control, Event, Observer};
use crate::random::{Purpose, generator, row_generator};
use crate::randomized::error::{RandomizedError, Result};
use crate::ranks;
use crate::setting::InvalidSetting;

/// Settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Seed of initial parameters and draws.
    pub seed: u64,
    /// When training ends.
    pub budget: Budget,
    /// What is minimised.
    pub objective: Objective,
    /// Part of the budget in which the energy's weight rises from 0.05 to 1, in the reverse divergence: at full
    /// weight from the start, the flow goes to the first mode that it meets and stays there.
    pub annealing: f64,
    /// Draws of `Ω` in a step, `m`.
    pub draws: usize,
    /// Samples of the target in a step.
    pub batch_size: usize,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            budget: Budget {
                steps: Some(3000),
                seconds: None,
            },
            objective: Objective::Forward,
            annealing: 0.6,
            draws: 512,
            batch_size: 512,
            optimizer: OptimizerConfig {
                learning_rate: 5e-3,
                warmup_steps: 20,
                gradient_clip: 10.0,
                average_decay: 0.99,
                ..OptimizerConfig::default()
            },
        }
    }
}

impl TrainingConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`InvalidSetting`], [`LearningError::NoBudget`].
    pub fn validate(&self) -> Result<()> {
        self.budget.validate()?;
        self.optimizer.validate()?;
        if !(0.0..=1.0).contains(&self.annealing) {
            return Err(InvalidSetting {
                name: "annealing",
                value: self.annealing,
                expected: "from 0 to 1",
            }
            .into());
        }
        for (name, value) in [("draws", self.draws), ("batch size", self.batch_size)] {
            if !(2..=1 << 20).contains(&value) {
                return Err(InvalidSetting {
                    name,
                    value: value as f64,
                    expected: "at least 2 and at most 2^20",
                }
                .into());
            }
        }
        Ok(())
    }
}

/// Share of a step's loss in the loss of the last steps.
const LATEST: f64 = 0.02;
/// Weight of the energy at the start of the annealing.
const FIRST_WEIGHT: f64 = 0.05;

/// What is learned: samples of a distribution, its energy, or both.
#[derive(Clone, Copy, Default)]
pub struct Target<'a> {
    /// Samples.
    pub samples: Option<&'a Dataset>,
    /// The energy model.
    pub energy: Option<&'a EnergyModel>,
}

impl<'a> From<&'a Dataset> for Target<'a> {
    /// What is learned from samples alone.
    fn from(samples: &'a Dataset) -> Self {
        Self {
            samples: Some(samples),
            energy: None,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The budget is used up.
    Budget,
    /// The observer stopped it.
    Stopped,
}

/// A training run.
pub struct Trainer {
    pub(super) config: TrainingConfig,
    pub(super) model: RandomizedFlow,
    /// Moments and averages of mean, deviations and factor.
    pub(super) slots: [Slot; 3],
    pub(super) step: u64,
    pub(super) seconds: f64,
    /// Of the last steps, nats: that of one step is of a few draws.
    pub(super) loss: Option<f64>,
}

impl Trainer {
    /// A run that has done nothing yet; the initial point follows the target's energy if it is known.
    ///
    /// # Errors
    /// As [`RandomizedConfig::validate`] and [`TrainingConfig::validate`].
    pub fn new(
        model: RandomizedConfig,
        config: TrainingConfig,
        schema: Schema,
        energy: Option<&EnergyModel>,
    ) -> Result<Self> {
        config.validate()?;
        let model = RandomizedFlow::new(model, schema, energy, config.seed)?;
        let slot = |values: &Vec<f32>| Slot {
            first: vec![0.0; values.len()],
            second: vec![0.0; values.len()],
            average: values.clone(),
        };
        let gaussian = &model.gaussian;
        let slots = [&gaussian.mean, &gaussian.log_sigma, &gaussian.factor].map(slot);
        Ok(Self {
            config,
            model,
            slots,
            step: 0,
            seconds: 0.0,
            loss: None,
        })
    }

    /// The settings.
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// Gives the run another budget.
    ///
    /// # Errors
    /// [`InvalidSetting`], [`LearningError::NoBudget`].
    pub fn set_budget(&mut self, budget: Budget) -> Result<()> {
        budget.validate()?;
        self.config.budget = budget;
        Ok(())
    }

    /// Steps and seconds so far.
    pub fn progress(&self) -> (u64, f64) {
        (self.step, self.seconds)
    }

    /// Loss of the last steps, nats; none before the first one.
    pub fn loss(&self) -> Option<f64> {
        self.loss
    }

    /// The model with averaged parameters.
    pub fn averaged_model(&self) -> RandomizedFlow {
        let mut model = self.model.clone();
        let [mean, log_sigma, factor] = self.slots.clone().map(|slot| slot.average);
        model.gaussian = Gaussian {
            mean,
            log_sigma,
            factor,
            rank: self.model.gaussian.rank,
        };
        model
    }

    /// Trains until the budget is used up or the observer stops it. After every step `keep` has the run, to store it
    /// if it is time to.
    ///
    /// The loss is `−E_{P*} log P` in nats (forward), `⟨E⟩ − H(P)` (reverse), or their sum; the observer is told that of the last
    /// steps.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if the objective needs a part of the target that is not there or has other
    /// variables, [`RandomizedError::ZeroWeights`] if it needs an energy that is infinite somewhere,
    /// [`LearningError::NonFiniteTraining`] (the parameters are then those before the step), and what the observer
    /// fails with.
    pub fn run(
        &mut self,
        target: Target,
        keep: &mut dyn FnMut(&Self) -> Result<()>,
        observer: &mut dyn Observer,
    ) -> Result<Ending> {
        let terms = self.check(target)?;
        let before = self.seconds;
        let start = Instant::now();
        let budget = self.config.budget;
        let mut told = budget.report(self.step, self.seconds, Event::Work);
        while observer.tell(&told) != Control::Stop {
            let done = budget.progress(self.step, self.seconds);
            if done >= 1.0 {
                return Ok(Ending::Budget);
            }
            let rate = self.config.optimizer.learning_rate_at(self.step, done);
            let (loss, gradient_norm) =
                self.step(target, terms.as_ref(), rate, self.weight(done))?;
            self.seconds = ranks::of_first(before + start.elapsed().as_secs_f64());
            let loss = self
                .loss
                .map_or(loss, |latest| latest + LATEST * (loss - latest));
            self.loss = Some(loss);
            let event = Event::Step {
                step: self.step,
                seconds: self.seconds,
                loss,
                gradient_norm,
                learning_rate: rate,
            };
            told = budget.report(self.step, self.seconds, event);
            keep(self)?;
        }
        Ok(Ending::Stopped)
    }

    /// Weight of the energy at a fraction of the budget: an inverse temperature.
    fn weight(&self, done: f64) -> f64 {
        match self.config.annealing > 0.0 {
            true => (FIRST_WEIGHT + (1.0 - FIRST_WEIGHT) * done / self.config.annealing).min(1.0),
            false => 1.0,
        }
    }

    fn check(&self, target: Target) -> Result<Option<Terms>> {
        let missing = |what: &str| DataError::SchemaMismatch {
            what: format!("the target of the {:?} objective", self.config.objective),
            expected: what.to_owned(),
            found: "none".into(),
        };
        if self.config.objective.needs_samples() {
            let samples = target.samples.filter(|samples| samples.rows() > 0);
            let samples = samples.ok_or_else(|| missing("samples"))?;
            self.model.schema.same_as(&samples.schema)?;
        }
        if !self.config.objective.needs_energy() {
            return Ok(None);
        }
        let energy = target.energy.ok_or_else(|| missing("an energy model"))?;
        let cardinalities = self.model.schema.cardinalities();
        if energy.cardinalities() != cardinalities {
            return Err(DataError::SchemaMismatch {
                what: "the energy model's variables".into(),
                expected: format!("states {cardinalities:?}"),
                found: format!("{:?}", energy.cardinalities()),
            }
            .into());
        }
        let zero =
            |factor: &crate::energy::Factor| factor.log_values().contains(&f64::NEG_INFINITY);
        let factor = energy.factors().iter().position(zero);
        let observed = energy.observed().iter().any(Option::is_some);
        if factor.is_some() || observed {
            return Err(RandomizedError::ZeroWeights { factor });
        }
        Ok(Some(Terms::of(energy, self.model.flow.operator.offsets())))
    }

    /// One step of Adam; returns loss and gradient norm.
    fn step(
        &mut self,
        target: Target,
        terms: Option<&Terms>,
        rate: f64,
        weight: f64,
    ) -> Result<(f64, f64)> {
        let (seed, step) = (self.config.seed, self.step);
        let base = generator(seed, Purpose::Randomized, step);
        let model = &self.model;
        // Every process of a job integrates its share of the draws, and has the ends of all.
        let draws = self.config.draws;
        let own = ranks::share(0..draws);
        let lines: Vec<_> = own
            .clone()
            .into_par_iter()
            .map(|row| model.line(&base, row))
            .collect();
        let width = model.flow.operator.width();
        let own_ends = lines.iter().flat_map(|(_, _, line)| &line.log_end).copied();
        let ends = ranks::gather(own_ends.collect());
        let log_ends: Vec<&[f32]> = ends.chunks_exact(width).collect();
        let mut gradients = vec![vec![0.0; width]; draws];
        let mut loss = 0.0;
        let objective = self.config.objective;
        if let Some(samples) = target.samples.filter(|_| objective.needs_samples()) {
            let mut rng = generator(seed, Purpose::Order, step);
            let rows: Vec<&[u16]> = (0..self.config.batch_size)
                .map(|_| samples.row(rng.random_range(0..samples.rows())))
                .collect();
            loss += self.forward(&log_ends, &rows, &mut gradients);
        }
        if let Some(terms) = terms {
            loss += match objective {
                Objective::Reverse {
                    entropy: EntropyGradient::SmoothedPlugIn,
                } => self.smoothed_plug_in(&log_ends, terms, weight, &mut gradients),
                _ => {
                    let energy = target.energy.expect("checked with the terms");
                    let noise = (&base, weight);
                    self.log_derivative(&log_ends, energy, noise, &mut gradients)
                }
            };
        }
        let of_draws: Vec<Vec<f32>> = lines
            .par_iter()
            .zip(&gradients[own])
            .map(|((draw, omega, line), gradient)| model.pull_back(draw, omega, line, gradient))
            .collect();
        let of_draws = ranks::gather(of_draws.concat());
        let of_draws: Vec<Vec<f32>> = of_draws
            .chunks_exact(of_draws.len() / draws)
            .map(<[f32]>::to_vec)
            .collect();
        let draws: Vec<_> = match ranks::size() {
            1 => lines.into_iter().map(|(draw, _, _)| draw).collect(),
            _ => (0..draws)
                .map(|row| model.gaussian.draw(&base, row))
                .collect(),
        };
        let gradient = self.model.gaussian.gradient(&draws, &of_draws);
        let norm = norm(&gradient);
        if !(norm.is_finite() && loss.is_finite()) {
            let parameter =
                "the randomised flow; a smaller learning rate or end time may help".into();
            return Err(LearningError::NonFiniteTraining { step, parameter }.into());
        }
        let update = Update::new(&self.config.optimizer, step, rate, norm.max(1e-30));
        let own = &mut self.model.gaussian;
        let parts = [
            (&mut own.mean, &gradient.mean),
            (&mut own.log_sigma, &gradient.log_sigma),
            (&mut own.factor, &gradient.factor),
        ];
        for ((weights, gradient), slot) in parts.into_iter().zip(&mut self.slots) {
            update.apply(weights, gradient, slot, 0.0);
        }
        self.step += 1;
        Ok((loss, norm))
    }

    /// `−(1/B) Σ_b log (1/m) Σ_l T(S^l)_{α_b}`: an upper bound on the mean of `−log P`, in expectation.
    fn forward(&self, log_ends: &[&[f32]], rows: &[&[u16]], gradients: &mut [Vec<f32>]) -> f64 {
        let offsets = self.model.flow.operator.offsets();
        let labelings = Labelings::of(rows.iter().copied(), offsets);
        let mixture = Mixture::new(log_ends, &labelings);
        let coefficients: Vec<f64> = labelings.weights.iter().map(|weight| -weight).collect();
        mixture.add_gradient(&labelings, &coefficients, gradients);
        -mixture.mean(&labelings)
    }

    /// `⟨E⟩ − H` as published: mean-field energies (17); the smoothed plug-in (22) at the rounded draws; and
    /// `(ŝ − 1) / 2m` for the support `ŝ`, whose dependence on the draws is taken to be that of
    /// `|supp p̂| (1 + mean entropy of the sites)`: the paper says no more than "smoothed by the mean entropy".
    fn smoothed_plug_in(
        &self,
        log_ends: &[&[f32]],
        terms: &Terms,
        weight: f64,
        gradients: &mut [Vec<f32>],
    ) -> f64 {
        let operator = &self.model.flow.operator;
        let draws = log_ends.len() as f64;
        let rounded: Vec<Vec<u16>> = log_ends
            .iter()
            .map(|log_end| super::sampling::rounded(log_end, operator.offsets()))
            .collect();
        let labelings = Labelings::of(rounded.iter().map(Vec::as_slice), operator.offsets());
        let mixture = Mixture::new(log_ends, &labelings);
        mixture.add_gradient(&labelings, &labelings.weights, gradients);
        let support = labelings.count() as f64;
        let correction = support / (2.0 * draws);
        let parts: Vec<(f64, f64)> = gradients
            .par_iter_mut()
            .zip(log_ends)
            .map(|(gradient, log_end)| {
                let energy = terms.mean_field(log_end, weight / draws, gradient);
                let scale = -correction / draws;
                let entropy = site_entropy(log_end, operator.sites(), scale, gradient);
                (energy, entropy)
            })
            .collect();
        let energy = parts.iter().map(|part| part.0).sum::<f64>() / draws;
        let entropy = parts.iter().map(|part| part.1).sum::<f64>() / draws;
        let correction = (support * (1.0 + entropy) - 1.0) / (2.0 * draws);
        weight * energy + mixture.mean(&labelings) - correction
    }

    /// `⟨E⟩ − H` by labels drawn from the ends: the gradient is the mean of
    /// `(E(α) + log P(α) − mean) ∂ log T(S)_α`.
    ///
    /// Source: the logarithmic derivative, Williams 1992; `Σ_α P_α ∂ log P_α = 0` leaves no other term.
    fn log_derivative(
        &self,
        log_ends: &[&[f32]],
        energy: &EnergyModel,
        (base, weight): (&ChaCha8Rng, f64),
        gradients: &mut [Vec<f32>],
    ) -> f64 {
        let offsets = self.model.flow.operator.offsets();
        // Rows beyond the draws: no number serves twice.
        let first = log_ends.len();
        let drawn: Vec<Vec<u16>> = log_ends
            .par_iter()
            .enumerate()
            .map(|(row, log_end)| {
                labels_of(log_end, offsets, &mut row_generator(base, first + row))
            })
            .collect();
        let labelings = Labelings::of(drawn.iter().map(Vec::as_slice), offsets);
        let mixture = Mixture::new(log_ends, &labelings);
        let energies: Vec<f64> = (0..labelings.count())
            .into_par_iter()
            .map(|number| {
                let places = labelings.places(number).iter().zip(offsets);
                let labels: Vec<usize> = places.map(|(p, offset)| *p as usize - offset).collect();
                energy.energy(&labels)
            })
            .collect();
        let cost = |number: usize| weight * energies[number] + mixture.log_probabilities[number];
        let draws = drawn.len() as f64;
        let mean = labelings.index.iter().map(|n| cost(*n)).sum::<f64>() / draws;
        for (gradient, number) in gradients.iter_mut().zip(&labelings.index) {
            let weight = ((cost(*number) - mean) / draws) as f32;
            for place in labelings.places(*number) {
                gradient[*place as usize] += weight;
            }
        }
        mean
    }
}
