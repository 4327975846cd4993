//! From a recipe and the facts of the data to the settings of a run, and back.

use super::choices::{Recipe, SplitChoices};
use super::{Facts, Result, model, network, training, useless};
use crate::data::SplitConfig;
use crate::flow::ModelConfig;
use crate::flow::training::TrainingConfig;

/// Everything that fixes a run but its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Of the model.
    pub model: ModelConfig,
    /// Of its training.
    pub training: TrainingConfig,
    /// How the rows are divided.
    pub split: SplitConfig,
}

impl Recipe {
    /// Chooses by the data what is not decided.
    ///
    /// # Errors
    /// [`RecipeError::Useless`](super::RecipeError::Useless) for a decision that would otherwise be ignored.
    pub fn resolve(&self, facts: &Facts) -> Result<Settings> {
        useless::refuse(self, facts)?;
        let network = network::choose(self, facts);
        let model = model::choose(self, facts, network);
        Ok(Settings {
            training: training::choose(self, facts, &model),
            model,
            split: self.split_config(),
        })
    }

    /// The seed of everything random.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// How the rows are divided: no fact of the data is needed for it, and the training part is one of them.
    #[must_use]
    pub fn split_config(&self) -> SplitConfig {
        let default = SplitConfig::default();
        SplitConfig {
            seed: self.seed(),
            validation: self.split.validation.unwrap_or(default.validation),
            test: self.split.test.unwrap_or(default.test),
        }
    }

    /// A recipe that decides all that the settings have, as far as it means something to their network, path and kind of
    /// fit: [`resolve`](Self::resolve) makes the same settings of it.
    #[must_use]
    pub fn resolved(settings: &Settings, facts: &Facts) -> Self {
        let (model, path) = model::choices(&settings.model, facts);
        // What is drawn as wanted has no parts.
        let part = |fraction| facts.rows.and(Some(fraction));
        Self {
            seed: Some(settings.training.seed),
            training: training::choices(settings, facts),
            model,
            path,
            network: network::choices(&settings.model.network),
            split: SplitChoices {
                validation: part(settings.split.validation),
                test: part(settings.split.test),
            },
        }
    }
}
