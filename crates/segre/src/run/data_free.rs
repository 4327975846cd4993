//! A run of a fit without data: a network that learns an energy from its own rows.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Value, json};

use super::awake::Awake;
use super::card::{Card, ModelCard, save_card, save_parameters};
use super::error::{Result, RunError};
use super::folder::{CHECKPOINT_FILE, METRICS_FILE, lock_model, new_folder};
use super::lock::FolderLock;
use super::metrics::Metrics;
use crate::data::{ReadOptions, Schema};
use crate::energy::EnergyModel;
use crate::flow::training::Trainer;
use crate::flow::{PairwisePrior, PriorConfig};
use crate::neural::{self, DataFree, DataFreeConfig, Moment, pairwise_prior};
use crate::progress::{Control, Event, Observer, Progress, Round};
use crate::ranks;
use crate::recipe::{Facts, Recipe, Settings};

/// A run that learns an energy alone.
pub struct DataFreeRun {
    out: Option<(PathBuf, FolderLock)>,
    card: ModelCard,
    fit: DataFree,
}

impl DataFreeRun {
    /// A run that has done nothing yet, in memory; `source` is what the card says of the energy.
    ///
    /// # Errors
    /// As [`Recipe::resolve`] and [`DataFree::new`].
    pub fn new(
        recipe: &Recipe,
        prior: Option<PairwisePrior>,
        source: &str,
        schema: &Schema,
        device: &Device,
    ) -> Result<Self> {
        let facts = Facts::of_schema(schema).with_prior(prior);
        let Settings {
            model,
            training,
            split,
        } = recipe.resolve(&facts)?;
        let config = DataFreeConfig::of(schema.sites(), training.batch_size);
        let fit = DataFree::new(model.clone(), training.clone(), config, schema, device)?;
        let card = ModelCard {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source: source.to_owned(),
            energy: None,
            read_options: ReadOptions {
                builtin_seed: training.seed,
                ..ReadOptions::default()
            },
            fingerprint: None,
            split,
            test_data: None,
            labels: None,
            model,
            training,
            schema: schema.clone(),
        };
        Ok(Self {
            out: None,
            card,
            fit,
        })
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

    /// Takes up the run in a folder, from the end of its last round, with its own settings; of the recipe seed and budget
    /// count.
    ///
    /// # Errors
    /// As [`Card::load`] and [`DataFree::resume`]; [`RunError::OtherKind`], [`RunError::OtherEnergy`] and
    /// [`RunError::OtherSeed`] for another run.
    pub fn resume(
        folder: &Path,
        recipe: &Recipe,
        energy: &EnergyModel,
        source: &str,
        schema: &Schema,
        device: &Device,
    ) -> Result<Self> {
        let lock = ranks::is_first().then(|| lock_model(folder)).transpose()?;
        let mut card = match Card::load(folder)? {
            Card::EnergyDataFree(card) => card,
            other => return Err(other.refused(folder)),
        };
        if card.source != source {
            return Err(RunError::OtherEnergy {
                path: folder.to_path_buf(),
                own: card.source,
                asked: source.to_owned(),
            });
        }
        let own = card.training.seed;
        if let Some(asked) = recipe.seed.filter(|seed| *seed != own) {
            let path = folder.to_path_buf();
            return Err(RunError::OtherSeed { path, own, asked });
        }
        let budget = &mut card.training.budget;
        budget.steps = recipe.training.steps.or(budget.steps);
        if let Some(time) = recipe.training.time {
            budget.seconds = Some(time.as_secs_f64());
        }
        // The folder's prior has the temperature of its last round.
        if card.model.prior.energy().is_some() {
            let whole = pairwise_prior(energy);
            card.model.prior = whole.map_or(PriorConfig::Marginals, PriorConfig::Pairwise);
        }
        let config = DataFreeConfig::of(schema.sites(), card.training.batch_size);
        let (model, training) = (card.model.clone(), card.training.clone());
        let path = folder.join(CHECKPOINT_FILE);
        let fit = match path.is_file() {
            true => DataFree::resume(&path, model, training, config, schema, device)
                .map_err(|error| RunError::Checkpoint(Box::new(error.into())))?,
            // Stopped before the end of the first round: the beginning is where it stopped.
            false => DataFree::new(model, training, config, schema, device)?,
        };
        // All have read the folder before the first one writes to it.
        ranks::any(false);
        save_card(folder, card.clone())?;
        Ok(Self {
            out: lock.map(|lock| (folder.to_path_buf(), lock)),
            card,
            fit,
        })
    }

    /// The settings.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// A recipe that decides all settings.
    #[must_use]
    pub fn resolved(&self) -> Recipe {
        Recipe::resolved(&self.card.settings(), &Facts::of_schema(&self.card.schema))
    }

    /// Fits until the budget is used up or the observer stops it. In a folder it stores log, model and checkpoint after
    /// every round.
    ///
    /// # Errors
    /// As [`DataFree::run`]; [`FileError::Io`](crate::FileError::Io) if a file cannot be written.
    pub fn train(self, energy: &EnergyModel, observer: &mut dyn Observer) -> Result<Trainer> {
        let Self { out, mut card, fit } = self;
        let round = fit.round();
        let stays = |line: &Value| line["round"].as_u64().is_some_and(|own| own < round);
        let log = out.as_ref().map(|(folder, _)| folder.join(METRICS_FILE));
        let mut log = Log {
            observer,
            metrics: log.map(|path| Metrics::open(&path, stays)).transpose()?,
        };
        let mut keep = |fit: &DataFree, moment| match &out {
            Some((folder, _)) => store(folder, &mut card, fit, moment),
            None => Ok(()),
        };
        let awake = Awake::start();
        let trainer = fit.run(energy, &mut keep, &mut log)?;
        drop(awake);
        if let Some((folder, _)) = &out {
            save_parameters(folder, &trainer.best_model()?)?;
        }
        Ok(trainer)
    }
}

/// Stores a run: its card and model after the weights of a round, and from where to go on after its training.
fn store(
    folder: &Path,
    card: &mut ModelCard,
    fit: &DataFree,
    moment: Moment,
) -> neural::Result<()> {
    if moment == Moment::Learned {
        return fit.write_checkpoint(&folder.join(CHECKPOINT_FILE));
    }
    let model = fit.trainer().best_model()?;
    // The prior has the temperature of the round.
    card.model.clone_from(model.config());
    save_card(folder, card.clone())?;
    Ok(save_parameters(folder, &model)?)
}

/// Writes the log and passes on what happens.
struct Log<'a> {
    observer: &'a mut dyn Observer,
    metrics: Option<Metrics>,
}

impl Observer for Log<'_> {
    fn tell(&mut self, progress: &Progress) -> Control {
        if let (Event::Round(found), Some(metrics)) = (&progress.event, &mut self.metrics)
            && let Some(event) = metrics.line(&line(found))
        {
            self.observer.tell(&progress.with(event));
        }
        self.observer.tell(progress)
    }
}

fn line(found: &Round) -> Value {
    json!({
        "round": found.round, "step": found.step, "seconds": found.seconds,
        "inverse_temperature": found.inverse_temperature, "effective_share": found.effective_share,
        "log_z": found.log_z.value, "log_z_std_error": found.log_z.std_error,
        "bound": found.bound.value, "bound_std_error": found.bound.std_error,
        "energy": found.energy.value, "loss": found.loss, "kept": found.kept,
    })
}
