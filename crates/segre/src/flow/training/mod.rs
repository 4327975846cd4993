//! Training: a loop of steps with validation, early stopping and bit-exact checkpoints.
//!
//! One step is computed in two shards side by side, always two for a large enough batch, so that threads change no result.
//! What a field learns from, points and velocities, is drawn and finished row by row on the host: nothing of it has a
//! gradient. A validation is compared row by row, with the same noise, with the best one so far: the model is kept unless
//! it is worse beyond the error of that comparison, so that a model annealed longer wins among equals. At the end the
//! network's context is multiplied by the gain that the validation rows favour (`training/calibration.rs`), if it differs
//! from 1 beyond doubt: what a network says of independent sites is noise, and is silenced. A field head is selected by its
//! loss, because its bound is loose until the prior is learned.

mod augment;
mod calibration;
mod checkpoint;
mod config;
mod recorded;
mod rounds;
mod shards;
mod steps;
mod validation;

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

pub(crate) use checkpoint::{Beside, read_beside, write_beside};
pub use checkpoint::{read as read_checkpoint, write as write_checkpoint};
pub use config::TrainingConfig;
pub(crate) use rounds::Rounds;

use self::recorded::RecordedStep;
use self::shards::Shards;
use self::steps::Queue;
use self::validation::mean_difference;
use super::config::ModelConfig;
use super::likelihood::LevelDistribution;
use super::model::{Model, check_schema};
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::error::{FlowError, Result};
use crate::learning::parameters::{self, Values};
use crate::learning::{Budget, DataOrder, Optimizer};
use crate::network::NetworkConfig;
use crate::progress::{self, Control, Event, Silent};
use crate::random::{Purpose, generator};
use crate::ranks;

/// Least seconds of training between two validations of a run with a time, in those that the last one took with storing it.
const SPACING: f64 = 4.0;

/// How far a run has come; part of its checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Seconds spent, over all parts of the run.
    pub seconds: f64,
    /// Validations done.
    pub validations: u32,
    /// Validations since the model was last kept that were no better than the one before.
    pub stale: u32,
    /// Step at which the model was last kept.
    pub kept_step: u64,
    /// Bits per dimension of the validation at which the model was last kept.
    pub kept_bits_per_dim: Option<f64>,
    /// Bits per dimension of the last validation.
    pub last_bits_per_dim: Option<f64>,
    /// Sum of the losses of the steps since the last validation.
    #[serde(default)]
    pub loss_sum: f64,
    /// How many these are.
    #[serde(default)]
    pub loss_count: u32,
    /// Whether the run ended by itself.
    pub finished: bool,
    /// Gain of the context of the model that is kept, once the run has ended by itself.
    #[serde(default)]
    pub context_gain: Option<f32>,
    /// Shares of the range of levels in which training draws them, empty for uniform: where the bound of the last
    /// validation has its mass. At most levels images are either noise or plain to see, and nothing is learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<f64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The budget is used up.
    Budget,
    /// Validation did not improve any more.
    EarlyStop,
    /// The keeper stopped it.
    Stopped,
}

/// Who keeps a run: hears what happens, and stores it.
pub trait Keeper {
    /// Is told every event, with the run as it stands, and says what to do.
    ///
    /// The loss of a step is in nats per site (posterior head) or EG (23) per site (field head); what a validation finds is
    /// said at [`ModelConfig::validated_by_bound`].
    ///
    /// # Errors
    /// What storing the run in between fails with; the run ends then.
    fn tell(&mut self, event: &Event, trainer: &Trainer) -> Result<Control>;
    /// Stores the run; called after validations and when the run is stopped.
    ///
    /// # Errors
    /// What storing it fails with; the run ends then.
    fn store(&mut self, trainer: &Trainer) -> Result<()>;
}

impl Keeper for Silent {
    fn tell(&mut self, _: &Event, _: &Trainer) -> Result<Control> {
        Ok(Control::Continue)
    }

    fn store(&mut self, _: &Trainer) -> Result<()> {
        Ok(())
    }
}

/// A training run.
pub struct Trainer {
    config: TrainingConfig,
    /// Network on the autodiff device.
    model: Model,
    optimizer: Optimizer,
    progress: Progress,
    /// Averaged parameters of the model that is kept.
    kept: Option<BTreeMap<String, Values>>,
    /// Score of each validation row, nats, at the lowest validation so far.
    lowest: Option<Vec<f32>>,
    /// Steps of which nobody has been told.
    queue: Queue,
    /// A step as a graphics processor repeats it.
    recorded: RecordedStep,
}

impl Trainer {
    /// A run that has done nothing yet.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::InvalidSetting) and [`LearningError::NoBudget`](crate::learning::LearningError::NoBudget) for bad settings,
    /// [`DataError::NotAnImage`](crate::data::DataError::NotAnImage) for a UNet or mirrored rows on other data,
    /// [`DataError::BadClasses`](crate::data::DataError::BadClasses) if classes are wanted but cannot be learned,
    /// [`FlowError::NoBfloat16`] if its products are wanted but the device has none.
    pub fn new(
        model: ModelConfig,
        config: TrainingConfig,
        train: &Dataset,
        device: &Device,
    ) -> Result<Self> {
        model.validate()?;
        model.check_sites(&train.schema)?;
        config.validate()?;
        if !config.precision.is_available(device) {
            return Err(FlowError::NoBfloat16);
        }
        if config.conditional {
            model.head.check_conditions(&model.path)?;
        }
        augment::check(&model, &config, train)?;
        let batch = config.batch_size.min(train.rows());
        if batch < ranks::size() {
            return Err(FlowError::FewRowsOfARank {
                batch,
                ranks: ranks::size(),
            });
        }
        let mut rng = generator(config.seed, Purpose::Initialise, 0);
        let mut model = Model::new(model, train, &mut rng, &device.clone().autodiff());
        model.network = model.network.trained_with(config.precision);
        model.conditional = config.conditional;
        if ranks::size() > 1 && model.network.couples_rows() {
            return Err(FlowError::CoupledRows);
        }
        let optimizer = Optimizer::new(config.optimizer.clone());
        Ok(Self {
            config,
            model,
            optimizer,
            progress: Progress::default(),
            kept: None,
            lowest: None,
            queue: Queue::default(),
            recorded: RecordedStep::default(),
        })
    }

    /// The settings.
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// Gives the run another budget; a finished run goes on if there is more of it.
    ///
    /// # Errors
    /// [`InvalidSetting`](crate::InvalidSetting) and [`LearningError::NoBudget`](crate::learning::LearningError::NoBudget) for a bad budget.
    pub fn set_budget(&mut self, budget: Budget) -> Result<()> {
        budget.validate()?;
        self.config.budget = budget;
        let done = budget.progress(self.progress.step, self.progress.seconds);
        self.progress.finished &= done >= 1.0;
        self.progress.validations = (done * f64::from(self.config.validations)).ceil() as u32;
        Ok(())
    }

    /// How far the run has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How far the run is, for who watches it.
    pub(crate) fn report(&self, event: progress::Event) -> progress::Progress {
        let Progress { step, seconds, .. } = self.progress;
        self.config.budget.report(step, seconds, event)
    }

    /// The model that is kept: averaged parameters of the last validation that none before it beats beyond
    /// the noise of the comparison; on the plain device.
    ///
    /// # Errors
    /// None in practice: the parameters are the network's own.
    pub fn best_model(&self) -> Result<Model> {
        let mut model = match &self.kept {
            Some(kept) => self.model_with(kept),
            None => self.averaged_model(),
        }?;
        model.context_gain = self.progress.context_gain.unwrap_or(1.0);
        Ok(model)
    }

    fn averaged_model(&self) -> Result<Model> {
        let current = parameters::collect(&self.model.network);
        self.model_with(&self.optimizer.averages(&current))
    }

    fn model_with(&self, values: &BTreeMap<String, Values>) -> Result<Model> {
        let network = parameters::replace(self.model.network.valid(), values)?;
        let device = self.model.device().clone().inner();
        let model = &self.model;
        let (config, schema) = (model.config.clone(), model.schema.clone());
        let known = (model.marginals.clone(), model.prior.clone());
        let mut own = Model::assemble(config, schema, network, known, &device);
        own.conditional = model.conditional;
        Ok(own)
    }

    /// Trains until the budget is used up, validation stops improving, or the keeper stops it.
    ///
    /// Small networks train faster on a thread of rayon's pool (`rayon::ThreadPoolBuilder::use_current_thread`):
    /// any other sleeps during every operation, and has to be woken.
    ///
    /// # Errors
    /// [`LearningError::NonFiniteTraining`](crate::learning::LearningError::NonFiniteTraining) if loss or gradient are not finite (the best model so far stays
    /// available), [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for data of another
    /// schema, and what saving fails with.
    pub fn run(
        &mut self,
        train: &Dataset,
        validation: &Dataset,
        keeper: &mut dyn Keeper,
    ) -> Result<Ending> {
        check_schema(&self.model, train)?;
        check_schema(&self.model, validation)?;
        let calibration = calibration::rows(validation, self.config.validation_rows);
        let validation = validation.spread(self.config.validation_rows);
        let start = Instant::now();
        let before = self.progress.seconds;
        let mut order = DataOrder::new(self.config.seed, train.rows(), self.config.batch_size)
            .weighted(train.weights());
        let mut shards = Shards::new(&self.model, self.config.batch_size);
        let mut not_before = 0.0;
        while !self.progress.finished {
            let budget = self.config.budget;
            let done = budget.progress(self.progress.step, self.progress.seconds);
            if self.validation_due(done, not_before) {
                if self.tell_steps(keeper, true)? == Control::Stop {
                    keeper.store(self)?;
                    return Ok(Ending::Stopped);
                }
                let began = self.progress.seconds;
                let bits_per_dim = self.validate(&validation, done)?;
                self.progress.seconds = ranks::of_first(before + start.elapsed().as_secs_f64());
                let kept = self.progress.kept_step == self.progress.step;
                let event = Event::Validation {
                    step: self.progress.step,
                    seconds: self.progress.seconds,
                    loss: self.progress.loss_sum / f64::from(self.progress.loss_count.max(1)),
                    bits_per_dim,
                    kept,
                };
                (self.progress.loss_sum, self.progress.loss_count) = (0.0, 0);
                let early = self.progress.stale >= self.config.patience;
                self.progress.finished = done >= 1.0 || early;
                self.progress.context_gain = match self.progress.finished {
                    true => Some(self.calibrate(&calibration)?),
                    false => None,
                };
                let control = keeper.tell(&event, self)?;
                keeper.store(self)?;
                match (self.progress.finished, early, control) {
                    (true, true, _) => return Ok(Ending::EarlyStop),
                    (true, false, _) => return Ok(Ending::Budget),
                    (false, _, Control::Stop) => return Ok(Ending::Stopped),
                    _ => {}
                }
                let stored = ranks::of_first(before + start.elapsed().as_secs_f64());
                not_before = stored + SPACING * (stored - began);
            }
            let rate = self.config.optimizer.learning_rate_at(
                self.progress.step,
                budget.progress(self.progress.step, self.progress.seconds),
            );
            self.step(train, &mut order, &mut shards, rate)?;
            self.set_seconds(ranks::of_first(before + start.elapsed().as_secs_f64()));
            if self.tell_steps(keeper, false)? == Control::Stop {
                keeper.store(self)?;
                return Ok(Ending::Stopped);
            }
        }
        Ok(Ending::Budget)
    }

    /// Validations lie at equal fractions of the budget, from its start (where the model is close to that
    /// of independent sites, which training may fail to beat) to its end; where there is a time, and they would take much
    /// of it, farther apart.
    fn validation_due(&self, done: f64, not_before: f64) -> bool {
        let next = f64::from(self.progress.validations) / f64::from(self.config.validations);
        let rests = self.config.budget.seconds.is_some() && self.progress.seconds < not_before;
        done >= 1.0 || done >= next && !rests
    }

    /// Of the levels of a step's rows: where the last validation found the bound's integrand to be large.
    fn level_density(&self) -> LevelDistribution {
        let density = LevelDistribution::from_shares(&self.progress.levels);
        density.unwrap_or_else(LevelDistribution::uniform)
    }

    /// Scores the averaged parameters with the same noise every time, and keeps them unless the best so far
    /// is better beyond the noise: a later model has seen more and was annealed longer.
    fn validate(&mut self, validation: &Dataset, done: f64) -> Result<Estimate> {
        let model = self.averaged_model()?;
        let (bits, rows) = match model.config.validated_by_bound() {
            true => {
                let scores = self.validation_scores(&model, validation)?;
                if matches!(model.config.network, NetworkConfig::Unet(_)) {
                    self.progress.levels = scores.levels;
                }
                let rows = scores.rows.iter().map(|row| row.value as f32).collect();
                (scores.bits_per_dim, rows)
            }
            false => self.validation_losses(&model, validation)?,
        };
        // The same random numbers serve all models (but for the levels, whose proposal adapts to the model),
        // so rows are compared one by one: that tells models apart by less than the error of either score.
        let (worse, error) = match &self.lowest {
            Some(lowest) => mean_difference(&rows, lowest, validation.weights().as_deref()),
            None => (f64::NEG_INFINITY, 0.0),
        };
        let progress = &mut self.progress;
        let due = (done * f64::from(self.config.validations)) as u32;
        progress.validations = progress.validations.max(due) + 1;
        if worse <= error {
            progress.kept_bits_per_dim = Some(bits.value);
            progress.kept_step = progress.step;
            progress.stale = 0;
            self.kept = Some(parameters::collect(&model.network));
        } else if progress
            .last_bits_per_dim
            .is_some_and(|last| bits.value >= last)
        {
            // What is on its way back is no overfitting.
            progress.stale += 1;
        }
        progress.last_bits_per_dim = Some(bits.value);
        if worse < 0.0 {
            self.lowest = Some(rows);
        }
        Ok(bits)
    }
}
