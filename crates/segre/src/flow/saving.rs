//! A model in a folder: `model.safetensors`, `config.json`; all files are written atomically.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::model::{Model, ModelConfig};
use super::scanlines::ScanlinePrior;
use super::sites::site_spec;
use crate::atomic;
use crate::data::{ReadOptions, Schema};
use crate::file_error::FileError;
use crate::flow::error::{FlowError, Result};
use crate::learning::LearningError;
use crate::learning::parameters::{self, Values};
use crate::learning::{TensorFile, read_tensors, write_tensors};
use crate::random::{Purpose, generator};

/// File of the parameters in a model's folder.
pub const MODEL_FILE: &str = "model.safetensors";
/// File of the settings in a model's folder.
pub const CONFIG_FILE: &str = "config.json";
/// Name of the tensor of log marginals; no network's parameter is called so.
const LOG_MARGINALS: &str = "log_marginals";
const SCANLINE_RATIOS: &str = "scanline_ratios";
const SCANLINE_WEIGHT: &str = "scanline_weight";
/// Name of the gain of the network's context, likewise.
const CONTEXT_GAIN: &str = "context_gain";

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
    pub training: super::training::TrainingConfig,
    /// What the sites and categories are.
    pub schema: Schema,
}

/// How rows are divided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// Seed of the shuffle.
    pub seed: u64,
    /// Fraction of rows for validation.
    pub validation: f64,
    /// Fraction of rows for the test, without test data of their own.
    pub test: f64,
}

/// Where the classes of the rows came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSource {
    /// The file as given.
    pub path: std::path::PathBuf,
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

impl Default for SplitConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            validation: 0.1,
            test: 0.1,
        }
    }
}

/// Stores the settings of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if a file cannot be written.
pub fn save_card(folder: &Path, card: &ModelCard) -> Result<()> {
    let text = serde_json::to_string_pretty(card).expect("a model card is plain data");
    Ok(atomic::write_bytes(
        &folder.join(CONFIG_FILE),
        text.as_bytes(),
    )?)
}

/// Stores the parameters of a model in its folder.
///
/// # Errors
/// [`FileError::Io`] if a file cannot be written.
pub fn save_parameters(folder: &Path, model: &Model) -> Result<()> {
    let mut tensors = parameters::collect(&model.network);
    let shape = vec![model.manifold.sites(), model.manifold.categories()];
    let values = model.log_marginals.clone();
    tensors.insert(LOG_MARGINALS.to_owned(), Values { shape, values });
    let gain = Values {
        shape: vec![1],
        values: vec![model.context_gain],
    };
    tensors.insert(CONTEXT_GAIN.to_owned(), gain);
    if let Some(lines) = &model.scanlines {
        let (ratios, weight) = lines.parts();
        let categories = model.manifold.categories();
        let ratios = Values {
            shape: vec![2, categories, categories],
            values: ratios.to_vec(),
        };
        let weight = Values {
            shape: vec![1],
            values: vec![weight],
        };
        tensors.insert(SCANLINE_RATIOS.to_owned(), ratios);
        tensors.insert(SCANLINE_WEIGHT.to_owned(), weight);
    }
    let file = TensorFile {
        tensors,
        header: String::new(),
    };
    Ok(write_tensors(&folder.join(MODEL_FILE), &file)?)
}

/// Reads the settings of a model's folder.
///
/// # Errors
/// [`FlowError::NotAModel`] if the folder has none, [`FlowError::OtherKind`] if they are those of a randomised flow,
/// [`FileError::Damaged`] if they cannot be understood.
pub fn load_card(folder: &Path) -> Result<ModelCard> {
    if let Some(kind) = kind_of(folder) {
        let path = folder.to_path_buf();
        return Err(FlowError::OtherKind { path, kind });
    }
    let card: ModelCard = read_settings(folder)?;
    card.schema.validate()?;
    card.model.validate()?;
    card.model.check_sites(&card.schema)?;
    Ok(card)
}

/// What kind of model a folder's settings say that it holds; models of data say nothing.
pub(crate) fn kind_of(folder: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Said {
        kind: String,
    }
    let text = fs::read_to_string(folder.join(CONFIG_FILE)).ok()?;
    let said: Said = serde_json::from_str(&text).ok()?;
    Some(said.kind)
}

/// Reads the settings in a folder, whatever kind of model they are of.
pub(crate) fn read_settings<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let path = file_of(folder, CONFIG_FILE)?;
    let text = fs::read_to_string(&path).map_err(|cause| FileError::reading(&path, cause))?;
    let settings = serde_json::from_str(&text).map_err(|error| FileError::Damaged {
        path,
        detail: error.to_string(),
    });
    Ok(settings?)
}

/// A file of a model's folder, which must be there.
pub(crate) fn file_of(folder: &Path, missing: &'static str) -> Result<PathBuf> {
    let path = folder.join(missing);
    match path.is_file() {
        true => Ok(path),
        false => Err(FlowError::NotAModel {
            path: folder.to_path_buf(),
            missing,
        }),
    }
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`load_card`]; [`FileError::Damaged`] or [`LearningError::ParameterMismatch`] if the parameters do not fit.
pub fn load(folder: &Path, device: &Device) -> Result<(Model, ModelCard)> {
    let card = load_card(folder)?;
    let mut tensors = read_tensors(&file_of(folder, MODEL_FILE)?)?.tensors;
    let categories = card.schema.max_categories();
    let mut take = |name: &str, expected: Vec<usize>| match tensors.remove(name) {
        Some(found) if found.shape == expected => Ok(found.values),
        found => Err(LearningError::ParameterMismatch {
            name: name.into(),
            expected,
            found: found.map(|values| values.shape),
        }),
    };
    let log_marginals = take(LOG_MARGINALS, vec![card.schema.sites(), categories])?;
    let scanlines = match card.model.scanlines {
        false => None,
        true => {
            let ratios = take(SCANLINE_RATIOS, vec![2, categories, categories])?;
            let weight = take(SCANLINE_WEIGHT, vec![1])?[0];
            Some(ScanlinePrior::of(
                &card.schema,
                ratios,
                weight,
                &log_marginals,
            ))
        }
    };
    // Models of earlier versions have none.
    let gain = tensors.remove(CONTEXT_GAIN);
    let gain = gain.and_then(|gain| gain.values.first().copied());
    // The random start is overwritten at once.
    let mut rng = generator(0, Purpose::Initialise, 0);
    let network = card
        .model
        .network
        .init(&site_spec(&card.schema), &mut rng, device);
    let network = parameters::replace(network, &tensors)?;
    let (config, schema) = (card.model.clone(), card.schema.clone());
    let mut model = Model::assemble(config, schema, network, log_marginals, device);
    model.context_gain = gain.unwrap_or(1.0);
    model.scanlines = scanlines;
    Ok((model, card))
}
