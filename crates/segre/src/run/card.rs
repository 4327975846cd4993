//! What a folder holds: the settings of a model, by kind, stored beside its parameters.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::{Result, RunError};
use super::folder::{CONFIG_FILE, MODEL_FILE, file_of, read_settings, write_settings};
use super::randomized::RandomizedCard;
use crate::data::{ReadOptions, Schema, SplitConfig};
use crate::file_error::FileError;
use crate::flow::training::TrainingConfig;
use crate::flow::{self, Model, ModelConfig, saving};
use crate::recipe::Settings;

/// What a folder holds, as its settings say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    try_from = "Map<String, Value>"
)]
pub enum Card {
    /// A network that learned data.
    Data(ModelCard),
    /// A network that learned an energy from rows of its own.
    EnergyDataFree(ModelCard),
    /// A randomised assignment flow.
    Randomized(RandomizedCard),
}

/// The settings of a network: enough to sample, score and read data alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Version of Segre that wrote the folder.
    pub version: String,
    /// Where the data came from: a built-in's name or a path as given. Without data the energy.
    pub source: String,
    /// The energy that the data are samples of, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<String>,
    /// How the data were read.
    pub read_options: ReadOptions,
    /// Checksum of the data's labels, see [`Dataset::fingerprint`](crate::data::Dataset::fingerprint); none where the
    /// network learned an energy without data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<u32>,
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

impl From<ModelCard> for Card {
    fn from(card: ModelCard) -> Self {
        match card.fingerprint {
            Some(_) => Self::Data(card),
            None => Self::EnergyDataFree(card),
        }
    }
}

/// Not derived: classes of label maps are told by numbers, and a tagged enum cannot be read with numbers as keys.
impl TryFrom<Map<String, Value>> for Card {
    type Error = String;

    fn try_from(mut settings: Map<String, Value>) -> Result<Self, String> {
        let kind = settings.remove("kind");
        let settings = Value::Object(settings);
        let card = match kind.as_ref().and_then(Value::as_str) {
            Some("data") => serde_json::from_value(settings).map(Self::Data),
            Some("energy-data-free") => serde_json::from_value(settings).map(Self::EnergyDataFree),
            Some("randomized") => serde_json::from_value(settings).map(Self::Randomized),
            _ => {
                let known = "data, energy-data-free or randomized";
                return Err(format!("kind is {kind:?}, not {known}"));
            }
        };
        card.map_err(|error| error.to_string())
    }
}

impl Card {
    /// Reads the settings of a folder: the one place that does.
    ///
    /// # Errors
    /// [`RunError::NotAModel`] if the folder has none, [`RunError::NoKind`] for those of an earlier Segre,
    /// [`FileError::Damaged`] if they cannot be understood, and what is wrong with a setting.
    pub fn load(folder: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Said {
            kind: Option<String>,
        }
        let said: Said = read_settings(folder)?;
        if said.kind.is_none() {
            let path = folder.to_path_buf();
            return Err(RunError::NoKind { path });
        }
        let card: Self = read_settings(folder)?;
        let path = folder.join(CONFIG_FILE);
        card.check(&path).map_err(|error| error.of_file(&path))?;
        Ok(card)
    }

    /// Refuses settings that cannot be.
    fn check(&self, path: &Path) -> Result<()> {
        match self {
            Self::Data(network) | Self::EnergyDataFree(network) => {
                network.schema.validate()?;
                network.model.validate()?;
                network.model.check_sites(&network.schema)?;
                if network.fingerprint.is_some() != matches!(self, Self::Data(_)) {
                    return Err(RunError::from(FileError::Damaged {
                        path: path.to_path_buf(),
                        detail: "a checksum goes with data".to_owned(),
                    }));
                }
            }
            Self::Randomized(flow) => {
                flow.model.validate(&flow.schema)?;
                flow.training.validate()?;
            }
        }
        Ok(())
    }

    /// The answer to who wants a model of another kind.
    #[must_use]
    pub fn refused(&self, folder: &Path) -> RunError {
        let (kind, uses) = match self {
            Self::Data(_) => (
                "data",
                "which learned from rows; go on with segre fit, or with `method = neural` where they are samples of an energy",
            ),
            Self::EnergyDataFree(_) => (
                "energy-data-free",
                "which learned an energy without data; compare it with that (segre energy compare), or go on with \
                 `method = neural` and `data_free`",
            ),
            Self::Randomized(_) => (
                "randomized",
                "which can be sampled (segre sample) and compared with its energy (segre energy compare) only; for \
                 likelihoods fit one with `method = neural`",
            ),
        };
        RunError::OtherKind {
            path: folder.to_path_buf(),
            kind,
            uses,
        }
    }
}

/// Stores the settings of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_card(folder: &Path, card: impl Into<Card>) -> Result<(), FileError> {
    write_settings(folder, &card.into())
}

/// Stores the parameters of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_parameters(folder: &Path, model: &Model) -> flow::Result<()> {
    saving::write_parameters(&folder.join(MODEL_FILE), model)
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`Card::load`]; [`RunError::OtherKind`] for a randomised flow; [`FileError::Damaged`] or
/// [`LearningError::ParameterMismatch`](crate::learning::LearningError::ParameterMismatch) if the parameters do not fit.
pub fn load(folder: &Path, device: &Device) -> Result<(Model, ModelCard)> {
    let card = match Card::load(folder)? {
        Card::Data(card) | Card::EnergyDataFree(card) => card,
        other => return Err(other.refused(folder)),
    };
    let file = file_of(folder, MODEL_FILE)?;
    let model = saving::read_parameters(&file, &card.model, &card.schema, device);
    let mut model = model.map_err(|error| match error {
        flow::FlowError::File(error) => RunError::File(error),
        other => RunError::from(other).of_file(&file),
    })?;
    model.conditional = card.training.conditional;
    Ok((model, card))
}
