//! The settings of a randomised flow, stored beside its parameters.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Result;
use super::folder::{MODEL_FILE, file_of, kind_of, read_settings, write_settings};
use crate::data::Schema;
use crate::file_error::FileError;
use crate::randomized::{RandomizedConfig, RandomizedFlow, TrainingConfig, saving};

/// What kind of model a folder holds: models of data say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A randomised assignment flow.
    Randomized,
}
/// [`Kind::Randomized`] as the settings have it.
const RANDOMIZED: &str = "randomized";

/// What is stored beside the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomizedCard {
    /// What the folder holds.
    pub kind: Kind,
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

/// Whether a folder holds a randomised flow.
pub fn is_randomized(folder: &Path) -> bool {
    kind_of(folder).as_deref() == Some(RANDOMIZED)
}

/// Stores the settings in a folder.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_randomized_card(folder: &Path, card: &RandomizedCard) -> Result<(), FileError> {
    write_settings(folder, card)
}

/// Reads the settings in a folder.
///
/// # Errors
/// [`RunError::NotAModel`](super::RunError::NotAModel), [`FileError::Damaged`], and as
/// [`RandomizedConfig::validate`].
pub fn load_randomized_card(folder: &Path) -> Result<RandomizedCard> {
    let card: RandomizedCard = read_settings(folder)?;
    card.model.validate(&card.schema)?;
    card.training.validate()?;
    Ok(card)
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`load_randomized_card`]; [`FileError::Damaged`] or
/// [`LearningError::ParameterMismatch`](crate::learning::LearningError::ParameterMismatch) if the parameters do not fit.
pub fn load_randomized(folder: &Path) -> Result<(RandomizedFlow, RandomizedCard)> {
    let card = load_randomized_card(folder)?;
    let file = file_of(folder, MODEL_FILE)?;
    let model = saving::read_parameters(&file, &card.model, &card.schema)?;
    Ok((model, card))
}
