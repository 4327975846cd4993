//! A run of a randomised flow, and its settings, stored beside its parameters.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::card::{Card, save_card};
use super::error::{Result, RunError};
use super::folder::{
    CHECKPOINT_EVERY, CHECKPOINT_FILE, METRICS_FILE, MODEL_FILE, file_of, lock_model, new_folder,
};
use super::lock::FolderLock;
use super::metrics::Metrics;
use super::samples::EnergySamples;
use crate::data::{Dataset, Schema};
use crate::energy::EnergyModel;
use crate::progress::{Control, Event, Observer, Progress};
use crate::randomized::{
    self, Ending, RandomizedConfig, RandomizedFlow, Target, Trainer, TrainingConfig, saving,
};
use crate::ranks;
use crate::recipe::energy::RandomizedRecipe;

/// Steps between lines of the log.
const STEPS_PER_LINE: u64 = 10;

/// The settings of a randomised flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomizedCard {
    /// Version of Segre that wrote the folder.
    pub version: String,
    /// The energy model as it was given.
    pub source: String,
    /// Where the samples came from, if there were any.
    pub samples_from: Option<String>,
    /// Samples of the target.
    pub samples: usize,
    /// The model's settings.
    pub model: RandomizedConfig,
    /// The settings of the training run.
    pub training: TrainingConfig,
    /// What the variables are.
    pub schema: Schema,
}

impl From<RandomizedCard> for Card {
    fn from(card: RandomizedCard) -> Self {
        Self::Randomized(card)
    }
}

/// Reads the settings in a folder.
fn load_card(folder: &Path) -> Result<RandomizedCard> {
    match Card::load(folder)? {
        Card::Randomized(card) => Ok(card),
        other => Err(other.refused(folder)),
    }
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`Card::load`]; [`RunError::OtherKind`] for a network; [`FileError::Damaged`](crate::FileError::Damaged) or
/// [`LearningError::ParameterMismatch`](crate::learning::LearningError::ParameterMismatch) if the parameters do not fit.
pub fn load_randomized(folder: &Path) -> Result<(RandomizedFlow, RandomizedCard)> {
    let card = load_card(folder)?;
    let file = file_of(folder, MODEL_FILE)?;
    let model = saving::read_parameters(&file, &card.model, &card.schema)?;
    Ok((model, card))
}

/// A run that fits a randomised flow to an energy model.
pub struct RandomizedRun {
    out: Option<(PathBuf, FolderLock)>,
    card: RandomizedCard,
    trainer: Trainer,
    samples: Option<Dataset>,
}

impl RandomizedRun {
    /// A run that has done nothing yet, in memory; `source` is what the card says of the energy.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn new(
        recipe: &RandomizedRecipe,
        energy: &EnergyModel,
        source: &str,
        schema: &Schema,
    ) -> Result<Self> {
        let (model, training) = recipe.resolve(schema);
        let (own, settings) = (model.clone(), training.clone());
        let trainer = Trainer::new(own, settings, schema.clone(), Some(energy))?;
        let card = RandomizedCard {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source: source.to_owned(),
            samples_from: None,
            samples: 0,
            model,
            training,
            schema: schema.clone(),
        };
        Ok(Self {
            out: None,
            card,
            trainer,
            samples: None,
        })
    }

    /// Takes up the run in a folder with its own settings; of the recipe the budget counts. What it learned from is to
    /// be given again: [`learning_from`](Self::learning_from).
    ///
    /// # Errors
    /// As [`load_randomized`]; [`RunError::OtherEnergy`] for the run of another energy.
    pub fn resume(
        folder: &Path,
        recipe: &RandomizedRecipe,
        energy: &EnergyModel,
        source: &str,
    ) -> Result<Self> {
        let lock = ranks::is_first().then(|| lock_model(folder)).transpose()?;
        let mut card = load_card(folder)?;
        if card.source != source {
            return Err(RunError::OtherEnergy {
                path: folder.to_path_buf(),
                own: card.source,
                asked: source.to_owned(),
            });
        }
        let budget = &mut card.training.budget;
        budget.steps = recipe.steps.or(budget.steps);
        if let Some(time) = recipe.time {
            budget.seconds = Some(time.as_secs_f64());
        }
        let (model, training) = (card.model.clone(), card.training.clone());
        let schema = card.schema.clone();
        let path = folder.join(CHECKPOINT_FILE);
        let trainer = match path.is_file() {
            true => saving::read_checkpoint(&path, model, training, schema)?,
            // Stopped before the first checkpoint: the beginning is where it stopped.
            false => Trainer::new(model, training, schema, Some(energy))?,
        };
        // All have read the folder before the first one writes to it.
        ranks::any(false);
        save_card(folder, card.clone())?;
        Ok(Self {
            out: lock.map(|lock| (folder.to_path_buf(), lock)),
            card,
            trainer,
            samples: None,
        })
    }

    /// The run with samples to learn from.
    #[must_use]
    pub fn learning_from(mut self, samples: EnergySamples) -> Self {
        self.card.samples = samples.data.rows();
        self.card.samples_from = Some(samples.from);
        self.samples = Some(samples.data);
        self
    }

    /// The run in a new folder, or in place of what a former run left there.
    ///
    /// # Errors
    /// [`RunError::Exists`], [`RunError::InUse`], [`RunError::NotAFolder`], [`RunError::NotOurs`], [`RunError::Folder`].
    pub fn kept_in(mut self, folder: &Path, force: bool) -> Result<Self> {
        self.out = new_folder(folder, force)?;
        save_card(folder, self.card.clone())?;
        Ok(self)
    }

    /// The settings.
    pub fn card(&self) -> &RandomizedCard {
        &self.card
    }

    /// Steps and seconds so far.
    pub fn progress(&self) -> (u64, f64) {
        self.trainer.progress()
    }

    /// Loss of the last steps, nats; none before the first one.
    pub fn loss(&self) -> Option<f64> {
        self.trainer.loss()
    }

    /// The model with averaged parameters.
    pub fn model(&self) -> RandomizedFlow {
        self.trainer.averaged_model()
    }

    /// Trains until the budget is used up or the observer, who is told the loss of the last steps, stops it. In a folder it
    /// stores log, model and checkpoint every 20 seconds, at the end, and when a step fails.
    ///
    /// # Errors
    /// As [`Trainer::run`]; [`FileError::Io`](crate::FileError::Io) if a file cannot be written.
    pub fn train(&mut self, energy: &EnergyModel, observer: &mut dyn Observer) -> Result<Ending> {
        let target = Target {
            samples: self.samples.as_ref(),
            energy: Some(energy),
        };
        let (done, _) = self.trainer.progress();
        let stays = |line: &Value| line["step"].as_u64().is_some_and(|step| step <= done);
        let path = self
            .out
            .as_ref()
            .map(|(folder, _)| folder.join(METRICS_FILE));
        let mut log = Log {
            observer,
            metrics: path.map(|path| Metrics::open(&path, stays)).transpose()?,
        };
        let mut saved = Instant::now();
        let out = self.out.as_ref().map(|(folder, _)| folder.as_path());
        let mut keep = |trainer: &Trainer| match out {
            Some(folder) if saved.elapsed() >= CHECKPOINT_EVERY => {
                saved = Instant::now();
                store(trainer, folder)
            }
            _ => Ok(()),
        };
        let ended = self.trainer.run(target, &mut keep, &mut log);
        // What is there is kept, also when a step has failed.
        if let Some(folder) = out {
            store(&self.trainer, folder)?;
        }
        Ok(ended?)
    }
}

fn store(trainer: &Trainer, folder: &Path) -> randomized::Result<()> {
    saving::write_parameters(&folder.join(MODEL_FILE), &trainer.averaged_model())?;
    saving::write_checkpoint(trainer, &folder.join(CHECKPOINT_FILE))
}

/// Writes the log and passes on what happens.
struct Log<'a> {
    observer: &'a mut dyn Observer,
    metrics: Option<Metrics>,
}

impl Observer for Log<'_> {
    fn tell(&mut self, progress: &Progress) -> Control {
        if let Event::Step {
            step,
            seconds,
            loss,
            ..
        } = progress.event
            && step % STEPS_PER_LINE == 0
        {
            let line = json!({ "step": step, "seconds": seconds, "loss": loss });
            if let Some(notice) = self.metrics.as_mut().and_then(|log| log.line(&line)) {
                self.observer.tell(&progress.with(notice));
            }
        }
        self.observer.tell(progress)
    }
}
