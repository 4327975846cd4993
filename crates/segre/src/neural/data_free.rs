//! Fitting a network to an energy model without data: it learns from its own rows, weighted and moved, while the
//! temperature falls.

use burn::tensor::Device;
use rand::RngExt;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::importance::{ImportanceEstimate, WeightedRows};
use crate::data::{Dataset, Schema};
use crate::energy::{EnergyModel, gibbs_sweeps};
use crate::error::{Error, Result};
use crate::flow::training::{Control, Rounds, Trainer, TrainingConfig};
use crate::flow::{Model, ModelConfig};
use crate::path::ProbabilityPath;
use crate::random::{Purpose, generator};

/// Sites up to which rows are drawn one site at a time, and groups for more: a draw costs as many evaluations, and
/// should not cost more than the training between draws.
const FEW_SITES: usize = 64;
const GROUPS: usize = 32;
/// Labels of the rows that are drawn in a round, and of those that are trained on.
const DRAWN_LABELS: usize = 1 << 15;
const TRAINED_LABELS: usize = 1 << 19;

/// Settings of a fit without data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFreeConfig {
    /// Rows that the network draws in a round.
    pub draws: usize,
    /// Rows that it learns from in a round: the drawn ones, repeated by weight.
    pub rows: usize,
    /// Gibbs sweeps that move every row after it is repeated, so that copies differ.
    pub sweeps: usize,
    /// Evaluations for a row: sites are drawn in as many groups. The weights stay exact, but a group's sites are drawn
    /// as if independent.
    pub sampling_steps: usize,
    /// Share of the draws that weights must leave, as effective sample size, for the temperature to fall.
    pub effective_share: f64,
    /// Share of the budget after which the temperature is 1 at the latest, whatever the weights leave.
    pub annealing: f64,
    /// Steps of training in a round.
    pub steps: u64,
    /// Rounds at temperature 1 whose rows are kept to learn from.
    pub memory: usize,
}

impl DataFreeConfig {
    /// Settings for so many variables and rows of a step.
    pub fn of(sites: usize, batch_size: usize) -> Self {
        let sites = sites.max(1);
        let draws = (DRAWN_LABELS / sites).clamp(256, 2048);
        let rows = (TRAINED_LABELS / sites).clamp(2048, 8192);
        Self {
            draws,
            rows,
            sweeps: 10,
            sampling_steps: if sites <= FEW_SITES { sites } else { GROUPS },
            effective_share: 0.5,
            annealing: 0.6,
            // Every row twice: many short rounds let the temperature follow the network closely.
            steps: (2 * rows / batch_size.max(1)).max(1) as u64,
            memory: 8,
        }
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        let counts = [
            ("draws", self.draws),
            ("rows of a round", self.rows),
            ("sampling steps", self.sampling_steps),
            ("steps of a round", self.steps as usize),
            ("rounds remembered", self.memory),
        ];
        for (name, value) in counts {
            if value == 0 {
                return Err(Error::InvalidSetting {
                    name,
                    value: 0.0,
                    expected: "at least 1",
                });
            }
        }
        let shares = [
            ("effective share", self.effective_share),
            ("annealing", self.annealing),
        ];
        for (name, value) in shares {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::InvalidSetting {
                    name,
                    value,
                    expected: "above 0 and at most 1",
                });
            }
        }
        Ok(())
    }
}

/// What a round has found before its training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Number, from 0.
    pub round: u64,
    /// Steps of training before it.
    pub step: u64,
    /// Seconds spent.
    pub seconds: f64,
    /// The inverse temperature `λ` whose rows are learned next.
    pub inverse_temperature: f64,
    /// What the weights at `λ` say; energies are those of `λ = 1`.
    pub estimate: ImportanceEstimate,
    /// Mean loss of the round before, nats per site.
    pub loss: f64,
    /// Whether the model was kept: `λ = 1`, and no earlier bound is better beyond the error.
    pub kept: bool,
}

/// What happens in a run.
pub enum DataFreeEvent<'a> {
    /// Rows are being drawn or learned; the run as it stands.
    Working(&'a Trainer),
    /// Rows were drawn and weighted.
    Round(&'a Round, &'a Trainer),
}

/// A fit without data.
///
/// A round draws rows `β ~ q(·|σ)` in random orders, weights them by `exp(−λ E(β)) / q(β|σ)`, raises `λ` as far as the
/// effective sample size allows, repeats rows by weight (and, where the weights leave too few, rows of the round
/// before), moves every copy by Gibbs sweeps at `λ`, and trains the network on them by its ordinary cross-entropy. So it follows `P_λ ∝ exp(−λ E)` from the uniform distribution to
/// `P*`, and descends `KL(P_λ : q)`, which covers all modes that the rows have reached. Where the weights serve, what is
/// learned has no bias but that of finitely many rows; where sweeps stand in for them, it is as good as the annealing.
/// The weights of the finished model are exact in either case. No reverse or log-variance objective is offered: both
/// need the gradient of a whole row's probability, `n` evaluations, where this needs one.
pub struct DataFree {
    config: DataFreeConfig,
    rounds: Rounds,
    schema: Schema,
    /// Bound and its error of the best model kept.
    best: Option<(f64, f64)>,
}

impl DataFree {
    /// A run that has done nothing yet. The model knows no marginals: the prior of its posterior is uniform.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`DataFreeConfig::validate`]; [`Error::ConditionNeedsPosterior`] for a model that
    /// cannot be told labels.
    pub fn new(
        model: ModelConfig,
        mut training: TrainingConfig,
        config: DataFreeConfig,
        schema: &Schema,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        // The masked path shows labels by itself.
        training.conditional = matches!(model.path, ProbabilityPath::Gaussian(_));
        // Rows of chance: what the network is started from.
        let rows = uniform_rows(schema, config.rows, training.seed)?;
        let trainer = Trainer::new(model, training, &rows, device)?;
        let rounds = Rounds::new(trainer);
        rounds.averaged()?.check_conditions()?;
        Ok(Self {
            config,
            rounds,
            schema: schema.clone(),
            best: None,
        })
    }

    /// Fits until the budget is used up or the observer stops it. The model is then
    /// [`best_model`](Trainer::best_model) of the run that is returned.
    ///
    /// # Errors
    /// [`Error::NoPossibleRow`] if the weights of all rows vanish, [`Error::NonFiniteTraining`],
    /// [`Error::Interrupted`] if rows were being drawn when the observer stopped it (it has had the run).
    ///
    /// # Panics
    /// If the schema has not the variables of the energy model.
    ///
    /// Source: Müller et al. 2019, arXiv 1808.03856 §5 (training on weighted rows of the model itself); Del Moral,
    /// Doucet & Jasra 2006 (tempering by effective sample size, moves after resampling).
    pub fn run(
        mut self,
        energy: &EnergyModel,
        observer: &mut dyn FnMut(DataFreeEvent) -> Control,
    ) -> Result<Trainer> {
        let mut inverse_temperature = 0.0;
        let mut population: Option<WeightedRows> = None;
        let mut remembered: Vec<Vec<u16>> = Vec::new();
        let mut loss = f64::NAN;
        for round in 0.. {
            let model = self.rounds.averaged()?;
            let weighted = self.draw(&model, energy, round, observer)?;
            let done = self.rounds.done();
            let latest = (done / self.config.annealing).min(1.0);
            let by_weights = weighted.next_inverse_temperature(
                inverse_temperature,
                1.0,
                self.config.effective_share,
            );
            inverse_temperature = by_weights.max(latest);
            let estimate = weighted.estimate(inverse_temperature);
            let kept = inverse_temperature >= 1.0 && self.keep_if_good(&model, &estimate);
            let report = Round {
                round,
                step: self.rounds.trainer().progress().step,
                seconds: self.rounds.trainer().progress().seconds,
                inverse_temperature,
                estimate,
                loss,
                kept,
            };
            let control = observer(DataFreeEvent::Round(&report, self.rounds.trainer()));
            if done >= 1.0 || control == Control::Stop {
                break;
            }
            let rows = self.rows(&weighted, &population, energy, inverse_temperature, round)?;
            population = Some(self.annealed(&rows, energy, inverse_temperature)?);
            match inverse_temperature >= 1.0 {
                true => remembered.truncate(self.config.memory - 1),
                false => remembered.clear(),
            }
            remembered.insert(0, rows);
            let rows = Dataset::new(self.schema.clone(), remembered.concat())?;
            let mut stopped = false;
            loss = self
                .rounds
                .learn(&rows, self.config.steps, &mut |trainer, _| {
                    stopped = observer(DataFreeEvent::Working(trainer)) == Control::Stop;
                    !stopped
                })?;
            if stopped {
                break;
            }
        }
        Ok(self.rounds.finish())
    }

    fn draw(
        &self,
        model: &Model,
        energy: &EnergyModel,
        round: u64,
        observer: &mut dyn FnMut(DataFreeEvent) -> Control,
    ) -> Result<WeightedRows> {
        let config = &self.config;
        let trainer = self.rounds.trainer();
        let mut go_on = |_| observer(DataFreeEvent::Working(trainer)) != Control::Stop;
        let seed = self.seed(round, 0);
        WeightedRows::draw(
            model,
            energy,
            config.draws,
            config.sampling_steps,
            seed,
            &mut go_on,
        )
    }

    /// Rows of `P_λ`, nearly: repeated by weight, and moved.
    ///
    /// Where the weights of the draws leave less than the wanted effective share, a few rows would be repeated many
    /// times, so only as large a part as that share allows comes from them. The others are the rows of the round
    /// before, weighted by `exp(−Δλ E)`: annealed by Gibbs sweeps alone, until the network has caught up.
    fn rows(
        &self,
        weighted: &WeightedRows,
        population: &Option<WeightedRows>,
        energy: &EnergyModel,
        inverse_temperature: f64,
        round: u64,
    ) -> Result<Vec<u16>> {
        let count = self.config.rows;
        let share = weighted.effective_share(inverse_temperature) / self.config.effective_share;
        let drawn = match population {
            Some(_) => (share.min(1.0) * count as f64) as usize,
            None => count,
        };
        let mut rows = weighted.resample(inverse_temperature, drawn, self.seed(round, 1))?;
        if let Some(population) = population.as_ref().filter(|_| drawn < count) {
            let seed = self.seed(round, 3);
            rows.extend(population.resample(inverse_temperature, count - drawn, seed)?);
        }
        let tempered = energy.tempered(inverse_temperature);
        gibbs_sweeps(
            &tempered,
            &mut rows,
            self.config.sweeps,
            self.seed(round, 2),
        );
        Ok(rows)
    }

    /// Rows of `P_λ`, to be weighted for a larger `λ`: what they were drawn with is `−λ E` up to a constant.
    fn annealed(
        &self,
        rows: &[u16],
        energy: &EnergyModel,
        inverse_temperature: f64,
    ) -> Result<WeightedRows> {
        let data = Dataset::new(self.schema.clone(), rows.to_vec())?;
        let mut population = WeightedRows::new(data, vec![0.0; self.config.rows], energy);
        population.drawn_at(inverse_temperature);
        Ok(population)
    }

    /// The seed of a part of a round.
    fn seed(&self, round: u64, part: u64) -> u64 {
        let seed = self.rounds.trainer().config().seed;
        generator(seed, Purpose::Importance, 1 + 4 * round + part).next_u64()
    }

    /// A later model wins among equals: it was annealed longer.
    fn keep_if_good(&mut self, model: &Model, estimate: &ImportanceEstimate) -> bool {
        let (bound, error) = (estimate.bound.value, estimate.bound.std_error);
        let worse = |(best, of_best): (f64, f64)| best - bound > error.hypot(of_best);
        if self.best.is_some_and(worse) {
            return false;
        }
        if self.best.is_none_or(|(best, _)| bound > best) {
            self.best = Some((bound, error));
        }
        self.rounds.keep(model);
        true
    }
}

/// Rows in which every label is equally probable: what a fit without data begins with.
///
/// # Errors
/// Those of the schema.
pub fn uniform_rows(schema: &Schema, count: usize, seed: u64) -> Result<Dataset> {
    let mut rng = generator(seed, Purpose::Importance, 0);
    let cardinalities = schema.cardinalities();
    let mut labels = Vec::with_capacity(count * cardinalities.len());
    for _ in 0..count {
        for states in &cardinalities {
            labels.push(rng.random_range(0..*states as u32) as u16);
        }
    }
    Dataset::new(schema.clone(), labels)
}
