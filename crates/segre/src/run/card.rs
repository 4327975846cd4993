//! The settings of a model of data, stored beside its parameters.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::error::{Result, RunError};
use super::folder::{MODEL_FILE, file_of, kind_of, read_settings, write_settings};
use crate::data::{ReadOptions, Schema, SplitConfig};
use crate::file_error::FileError;
use crate::flow::training::TrainingConfig;
use crate::flow::{self, Model, ModelConfig, saving};
use crate::recipe::Settings;

/// What is stored beside the parameters: enough to sample, score and read data alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Version of Segre that wrote the folder.
    pub version: String,
    /// Where the data came from: a built-in's name or a path as given.
    pub source: String,
    /// How the data were read.
    pub read_options: ReadOptions,
    /// Checksum of the data's labels, see [`Dataset::fingerprint`](crate::data::Dataset::fingerprint).
    pub fingerprint: u32,
    /// Seed and fractions of the split.
    pub split: SplitConfig,
    /// The test part, if it comes from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_data: Option<TestData>,
    /// The classes of the rows, if the model was told them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelSource>,
    /// The model's settings.
    pub model: ModelConfig,
    /// The settings of the training run.
    pub training: TrainingConfig,
    /// What the sites and categories are.
    pub schema: Schema,
}

impl ModelCard {
    /// The settings that a recipe decides.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            model: self.model.clone(),
            training: self.training.clone(),
            split: self.split,
        }
    }
}

/// Where the classes of the rows came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSource {
    /// The file as given.
    pub path: PathBuf,
    /// The column of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Checksum, see [`RowClasses::fingerprint`](crate::data::RowClasses::fingerprint).
    pub fingerprint: u32,
    /// How the user writes each class.
    pub names: Vec<String>,
}

/// Test data of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestData {
    /// A built-in's name or a path as given.
    pub source: String,
    /// Checksum of the labels.
    pub fingerprint: u32,
}

/// Stores the settings of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_card(folder: &Path, card: &ModelCard) -> Result<(), FileError> {
    write_settings(folder, card)
}

/// Stores the parameters of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_parameters(folder: &Path, model: &Model) -> flow::Result<()> {
    saving::write_parameters(&folder.join(MODEL_FILE), model)
}

/// Reads the settings of a model's folder.
///
/// # Errors
/// [`RunError::NotAModel`] if the folder has none, [`RunError::OtherKind`] if they are those of a randomised flow,
/// [`FileError::Damaged`] if they cannot be understood.
pub fn load_card(folder: &Path) -> Result<ModelCard> {
    if let Some(kind) = kind_of(folder) {
        let path = folder.to_path_buf();
        return Err(RunError::OtherKind { path, kind });
    }
    let card: ModelCard = read_settings(folder)?;
    card.schema.validate()?;
    card.model.validate()?;
    card.model.check_sites(&card.schema)?;
    Ok(card)
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`load_card`]; [`FileError::Damaged`] or
/// [`LearningError::ParameterMismatch`](crate::learning::LearningError::ParameterMismatch) if the parameters do not fit.
pub fn load(folder: &Path, device: &Device) -> Result<(Model, ModelCard)> {
    let card = load_card(folder)?;
    let file = file_of(folder, MODEL_FILE)?;
    let mut model = saving::read_parameters(&file, &card.model, &card.schema, device)?;
    model.conditional = card.training.conditional;
    Ok((model, card))
}
