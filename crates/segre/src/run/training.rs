//! A run that has begun: training it, and the model that it has.

use std::path::PathBuf;

use super::awake::Awake;
use super::card::{ModelCard, save_parameters};
use super::error::Result;
use super::keeper::RunKeeper;
use super::lock::FolderLock;
use super::parts::Parts;
use crate::flow::Model;
use crate::flow::training::{self, Ending, Trainer};
use crate::progress::Observer;

/// A run: what is learned, from what, and how far it has come.
pub struct Run {
    pub(super) out: Option<PathBuf>,
    pub(super) card: ModelCard,
    pub(super) parts: Parts,
    pub(super) trainer: Trainer,
    /// Of the folder, as long as the run is there.
    pub(super) _lock: Option<FolderLock>,
}

impl Run {
    /// The settings.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The data.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// How far the run has come.
    pub fn progress(&self) -> &training::Progress {
        self.trainer.progress()
    }

    /// Settings and data, when the run is over.
    pub fn into_parts(self) -> (ModelCard, Parts) {
        (self.card, self.parts)
    }

    /// Trains until the budget is used up, validation stops improving, or the observer stops it.
    ///
    /// In a folder the run stores log, checkpoints and model: after validations, every 20 seconds, at the end, and when a
    /// step fails.
    ///
    /// # Errors
    /// As [`Trainer::run`]; [`FileError::Io`](crate::FileError::Io) if a file cannot be written.
    pub fn train(&mut self, observer: &mut dyn Observer) -> Result<Ending> {
        let Self {
            out,
            card,
            parts,
            trainer,
            ..
        } = self;
        let mut keeper = RunKeeper::new(out.as_deref(), trainer, &card.model.network, observer)?;
        let awake = Awake::start();
        let ended = trainer.run(&parts.train, &parts.validation, &mut keeper);
        drop(awake);
        if let Some(folder) = out
            && (ended.is_ok() || trainer.progress().kept_bits_per_dim.is_some())
        {
            save_parameters(folder, &trainer.best_model()?)?;
        }
        Ok(ended?)
    }

    /// The model that is kept so far.
    ///
    /// # Errors
    /// As [`Trainer::best_model`].
    pub fn model(&self) -> Result<Model> {
        Ok(self.trainer.best_model()?)
    }
}
