//! Fitting a network to an energy model without data: it learns from its own rows, weighted and moved, while the
//! temperature falls.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use rand::RngExt;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

use super::config::DataFreeConfig;
use super::importance::{ImportanceEstimate, WeightedRows};
use crate::data::{Dataset, Schema};
use crate::energy::{EnergyModel, gibbs_sweeps};
use crate::file_error::FileError;
use crate::flow::training::{Beside, Rounds, Trainer, TrainingConfig, read_beside, write_beside};
use crate::flow::{Model, ModelConfig};
use crate::learning::parameters::Values;
use crate::neural::error::Result;
use crate::path::ProbabilityPath;
use crate::progress::{Control, Event, Observer, Progress, Round};
use crate::random::{Purpose, generator};

/// When a run has something to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Rows were drawn and weighted: the model may have been kept.
    Weighted,
    /// A round has ended: from here the run can go on.
    Learned,
}

/// A fit without data.
///
/// A round draws rows `β ~ q(·|σ)` in random orders, weights them by `exp(−λ E(β)) / q(β|σ)`, raises `λ` as far as
/// the effective sample size allows, repeats rows by weight (and, where the weights leave too few, rows of the
/// round before), moves every copy by Gibbs sweeps at `λ`, and trains the network on them by its ordinary
/// cross-entropy. So it follows `P_λ ∝ exp(−λ E)` from the uniform distribution to `P*`, and descends `KL(P_λ :
/// q)`, which covers all modes that the rows have reached. Where the weights serve, what is learned has no bias but
/// that of finitely many rows; where sweeps stand in for them, it is as good as the annealing. The weights of the
/// finished model are exact in either case. No reverse or log-variance objective is offered: both need the gradient
/// of a whole row's probability, `n` evaluations, where this needs one.
pub struct DataFree {
    config: DataFreeConfig,
    rounds: Rounds,
    schema: Schema,
    state: State,
    /// Rows of the last rounds, the latest first: of one round only until the temperature is 1.
    remembered: Vec<Vec<u16>>,
}

/// Where a run is between two rounds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// The next round.
    round: u64,
    /// Of the latest rows.
    inverse_temperature: f64,
    /// Of the round before.
    loss: Option<f64>,
    /// Bound and its error of the best model kept.
    best: Option<(f64, f64)>,
}

/// Where a checkpoint has the remembered rows.
const ROWS: &str = "rows";

impl DataFree {
    /// A run that has done nothing yet. The model knows no marginals: the prior of its posterior is uniform.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`DataFreeConfig::validate`];
    /// [`FlowError::ConditionNeedsPosterior`](crate::flow::FlowError::ConditionNeedsPosterior) for a model that
    /// cannot be told labels.
    pub fn new(
        model: ModelConfig,
        training: TrainingConfig,
        config: DataFreeConfig,
        schema: &Schema,
        device: &Device,
    ) -> Result<Self> {
        let (training, rows) = start(&model, training, &config, schema)?;
        let trainer = Trainer::new(model, training, &rows, device)?;
        Self::of(trainer, config, schema, State::default(), Vec::new())
    }

    /// Takes up a stored run; settings and energy must be those of its start.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`read_checkpoint`](crate::flow::training::read_checkpoint).
    pub fn resume(
        path: &Path,
        model: ModelConfig,
        training: TrainingConfig,
        config: DataFreeConfig,
        schema: &Schema,
        device: &Device,
    ) -> Result<Self> {
        let (training, rows) = start(&model, training, &config, schema)?;
        let (trainer, mut beside) = read_beside(path, model, training, &rows, device)?;
        let damaged = |detail: &str| FileError::Damaged {
            path: path.to_path_buf(),
            detail: detail.to_owned(),
        };
        let state = beside
            .state
            .ok_or_else(|| damaged("no state of a fit without data"))?;
        let state: State =
            serde_json::from_value(state).map_err(|error| damaged(&error.to_string()))?;
        let labels = beside.tensors.remove(ROWS).map(|rows| rows.values);
        let labels: Vec<u16> = labels
            .unwrap_or_default()
            .iter()
            .map(|x| *x as u16)
            .collect();
        let size = config.rows * schema.sites();
        if !labels.len().is_multiple_of(size) {
            return Err(damaged("rows of another fit").into());
        }
        let remembered = labels.chunks(size).map(<[u16]>::to_vec).collect();
        Self::of(trainer, config, schema, state, remembered)
    }

    fn of(
        trainer: Trainer,
        config: DataFreeConfig,
        schema: &Schema,
        state: State,
        remembered: Vec<Vec<u16>>,
    ) -> Result<Self> {
        let mut rounds = Rounds::new(trainer);
        if state.round > 0 {
            rounds.temper_prior(state.inverse_temperature);
        }
        rounds.averaged()?.check_conditions()?;
        Ok(Self {
            config,
            rounds,
            schema: schema.clone(),
            state,
            remembered,
        })
    }

    /// Stores the run in one file, atomically.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be written.
    pub fn write_checkpoint(&self, path: &Path) -> Result<()> {
        let values: Vec<f32> = self
            .remembered
            .iter()
            .flatten()
            .map(|x| f32::from(*x))
            .collect();
        let rows = Values {
            shape: vec![values.len()],
            values,
        };
        let state = serde_json::to_value(&self.state).expect("a state is plain data");
        let beside = Beside {
            tensors: BTreeMap::from([(ROWS.to_owned(), rows)]),
            state: Some(state),
        };
        Ok(write_beside(self.rounds.trainer(), beside, path)?)
    }

    /// The run as it stands.
    pub fn trainer(&self) -> &Trainer {
        self.rounds.trainer()
    }

    /// The next round, from 0.
    pub fn round(&self) -> u64 {
        self.state.round
    }

    /// Fits until the budget is used up or the observer stops it. The model is then
    /// [`best_model`](Trainer::best_model) of the run that is returned; `keep` has the run whenever there is something to store.
    ///
    /// # Errors
    /// [`NeuralError::NoPossibleRow`](crate::neural::NeuralError::NoPossibleRow) if the weights of all rows vanish,
    /// [`LearningError::NonFiniteTraining`](crate::learning::LearningError::NonFiniteTraining),
    /// [`Interrupted`](crate::Interrupted) if rows were being drawn when the observer stopped it (it has had the
    /// run).
    ///
    /// # Panics
    /// If the schema has not the variables of the energy model.
    ///
    /// Source: Müller et al. 2019, arXiv 1808.03856 §5 (training on weighted rows of the model itself); Del Moral,
    /// Doucet & Jasra 2006 (tempering by effective sample size, moves after resampling).
    pub fn run(
        mut self,
        energy: &EnergyModel,
        keep: &mut dyn FnMut(&Self, Moment) -> Result<()>,
        observer: &mut dyn Observer,
    ) -> Result<Trainer> {
        loop {
            let round = self.state.round;
            let model = self.rounds.averaged()?;
            let weighted = self.draw(&model, energy, round, observer)?;
            let population = self.population(energy)?;
            let done = self.rounds.done();
            let latest = (done / self.config.annealing).min(1.0);
            let by_weights = weighted.next_inverse_temperature(
                self.state.inverse_temperature,
                1.0,
                self.config.effective_share,
            );
            let inverse_temperature = by_weights.max(latest);
            let estimate = weighted.estimate(inverse_temperature);
            let kept = inverse_temperature >= 1.0 && self.keep_if_good(&model, &estimate);
            // What is learned next is rows of `P_λ`, of which the energy itself would say too much.
            self.rounds.temper_prior(inverse_temperature);
            let trainer = self.rounds.trainer();
            let found = Round {
                round,
                step: trainer.progress().step,
                seconds: trainer.progress().seconds,
                inverse_temperature,
                log_z: estimate.log_z,
                bound: estimate.bound,
                effective_share: estimate.effective_share,
                energy: estimate.energy,
                loss: self.state.loss.unwrap_or(f64::NAN),
                kept,
            };
            let told = trainer.report(Event::Round(found));
            let control = observer.tell(&told);
            keep(&self, Moment::Weighted)?;
            if done >= 1.0 || control == Control::Stop {
                break;
            }
            let rows = self.rows(&weighted, &population, energy, inverse_temperature, round)?;
            match inverse_temperature >= 1.0 {
                true => self.remembered.truncate(self.config.memory - 1),
                false => self.remembered.clear(),
            }
            self.remembered.insert(0, rows);
            let rows = Dataset::new(self.schema.clone(), self.remembered.concat())?;
            let Some(loss) = self.rounds.learn(&rows, self.config.steps, observer)? else {
                break;
            };
            self.state.inverse_temperature = inverse_temperature;
            self.state.loss = Some(loss);
            self.state.round += 1;
            keep(&self, Moment::Learned)?;
        }
        Ok(self.rounds.finish())
    }

    fn draw(
        &self,
        model: &Model,
        energy: &EnergyModel,
        round: u64,
        observer: &mut dyn Observer,
    ) -> Result<WeightedRows> {
        let config = &self.config;
        // Rows that are drawn bring the budget no nearer to its end than the clock does.
        let told = self.rounds.trainer().report(Event::Work);
        let mut drawing = |_: &Progress| observer.tell(&told);
        let seed = self.seed(round, 0);
        WeightedRows::draw(
            model,
            energy,
            config.draws,
            config.sampling_steps,
            seed,
            &mut drawing,
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

    /// The rows of the round before, to be weighted for a larger `λ`: what they were drawn with is `−λ E` up to a
    /// constant.
    fn population(&self, energy: &EnergyModel) -> Result<Option<WeightedRows>> {
        let Some(rows) = self.remembered.first() else {
            return Ok(None);
        };
        let data = Dataset::new(self.schema.clone(), rows.clone())?;
        let mut population = WeightedRows::new(data, vec![0.0; self.config.rows], energy);
        population.drawn_at(self.state.inverse_temperature);
        Ok(Some(population))
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
        if self.state.best.is_some_and(worse) {
            return false;
        }
        if self.state.best.is_none_or(|(best, _)| bound > best) {
            self.state.best = Some((bound, error));
        }
        self.rounds.keep(model);
        true
    }
}

/// The settings and the rows of chance that every run begins with.
fn start(
    model: &ModelConfig,
    training: TrainingConfig,
    config: &DataFreeConfig,
    schema: &Schema,
) -> Result<(TrainingConfig, Dataset)> {
    config.validate()?;
    let training = TrainingConfig {
        // The masked path shows labels by itself.
        conditional: matches!(model.path, ProbabilityPath::Gaussian(_)),
        ..training
    };
    let rows = uniform_rows(schema, config.rows, training.seed)?;
    Ok((training, rows))
}

/// Rows in which every label is equally probable: what a fit without data begins with.
///
/// # Errors
/// Those of the schema.
fn uniform_rows(schema: &Schema, count: usize, seed: u64) -> Result<Dataset> {
    let mut rng = generator(seed, Purpose::Importance, 0);
    let cardinalities = schema.cardinalities();
    let mut labels = Vec::with_capacity(count * cardinalities.len());
    for _ in 0..count {
        for states in &cardinalities {
            labels.push(rng.random_range(0..*states as u32) as u16);
        }
    }
    Ok(Dataset::new(schema.clone(), labels)?)
}
