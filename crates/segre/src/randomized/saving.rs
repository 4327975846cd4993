//! A randomised flow in a folder: `model.safetensors`, `config.json`, and the checkpoint of its training.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::model::{RandomizedConfig, RandomizedFlow};
use super::training::{Trainer, TrainingConfig};
use crate::atomic;
use crate::data::Schema;
use crate::file_error::FileError;
use crate::flow::saving::{CONFIG_FILE, MODEL_FILE, file_of, kind_of, read_settings};
use crate::learning::LearningError;
use crate::learning::parameters::Values;
use crate::learning::{Slot, TensorFile, read_tensors, write_tensors};
use crate::randomized::error::Result;

/// File of a run's state in a model's folder.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
/// Names of the parameters.
const NAMES: [&str; 3] = ["mean", "log_sigma", "factor"];

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

/// Stores the settings.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_card(folder: &Path, card: &RandomizedCard) -> Result<()> {
    let text = serde_json::to_string_pretty(card).expect("a model card is plain data");
    Ok(atomic::write_bytes(
        &folder.join(CONFIG_FILE),
        text.as_bytes(),
    )?)
}

/// Stores the parameters.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn save_parameters(folder: &Path, model: &RandomizedFlow) -> Result<()> {
    let gaussian = &model.gaussian;
    let parts = [&gaussian.mean, &gaussian.log_sigma, &gaussian.factor];
    let tensors = NAMES
        .iter()
        .zip(parts)
        .map(|(name, part)| named(name, part));
    let file = TensorFile {
        tensors: tensors.collect(),
        header: String::new(),
    };
    Ok(write_tensors(&folder.join(MODEL_FILE), &file)?)
}

/// Reads the settings.
///
/// # Errors
/// [`FlowError::NotAModel`](crate::flow::FlowError::NotAModel), [`FileError::Damaged`], and as
/// [`RandomizedConfig::validate`].
pub fn load_card(folder: &Path) -> Result<RandomizedCard> {
    let card: RandomizedCard = read_settings(folder)?;
    card.model.validate(&card.schema)?;
    card.training.validate()?;
    Ok(card)
}

/// Reads a model from its folder.
///
/// # Errors
/// As [`load_card`]; [`FileError::Damaged`] or [`LearningError::ParameterMismatch`] if the parameters do not fit.
pub fn load(folder: &Path) -> Result<(RandomizedFlow, RandomizedCard)> {
    let card = load_card(folder)?;
    let mut tensors = read_tensors(&file_of(folder, MODEL_FILE)?)?.tensors;
    let mut model = RandomizedFlow::empty(card.model.clone(), card.schema.clone())?;
    let gaussian = &mut model.gaussian;
    let parts = [
        &mut gaussian.mean,
        &mut gaussian.log_sigma,
        &mut gaussian.factor,
    ];
    for (name, part) in NAMES.iter().zip(parts) {
        take(&mut tensors, name, part)?;
    }
    Ok((model, card))
}

/// What stands beside the tensors of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    step: u64,
    seconds: f64,
    seed: u64,
}

/// Stores a run, so that it can go on as if it had never stopped.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn write_checkpoint(trainer: &Trainer, folder: &Path) -> Result<()> {
    let gaussian = &trainer.model.gaussian;
    let weights = [&gaussian.mean, &gaussian.log_sigma, &gaussian.factor];
    let mut tensors = BTreeMap::new();
    for ((name, weights), slot) in NAMES.iter().zip(weights).zip(&trainer.slots) {
        let parts = [
            ("weights", weights),
            ("first", &slot.first),
            ("second", &slot.second),
            ("average", &slot.average),
        ];
        tensors.extend(parts.map(|(part, values)| named(&format!("{part}/{name}"), values)));
    }
    let header = Header {
        step: trainer.step,
        seconds: trainer.seconds,
        seed: trainer.config.seed,
    };
    let header = serde_json::to_string(&header).expect("a header is plain data");
    let file = TensorFile { tensors, header };
    Ok(write_tensors(&folder.join(CHECKPOINT_FILE), &file)?)
}

/// Takes up a stored run with the settings of its card.
///
/// # Errors
/// [`FileError::Io`] or [`FileError::Damaged`] if the file cannot be read, [`LearningError::ParameterMismatch`] if
/// it belongs to another model, [`LearningError::OtherSeed`] if to another run.
pub fn read_checkpoint(folder: &Path, card: &RandomizedCard) -> Result<Trainer> {
    let path = folder.join(CHECKPOINT_FILE);
    let TensorFile {
        mut tensors,
        header,
    } = read_tensors(&path)?;
    let header: Header = serde_json::from_str(&header).map_err(|error| FileError::Damaged {
        path: path.clone(),
        detail: error.to_string(),
    })?;
    if header.seed != card.training.seed {
        return Err(LearningError::OtherSeed {
            path,
            expected: card.training.seed,
            found: header.seed,
        }
        .into());
    }
    let (model, schema) = (card.model.clone(), card.schema.clone());
    let mut trainer = Trainer::new(model, card.training.clone(), schema, None)?;
    let gaussian = &mut trainer.model.gaussian;
    let weights = [
        &mut gaussian.mean,
        &mut gaussian.log_sigma,
        &mut gaussian.factor,
    ];
    for ((name, weights), slot) in NAMES.iter().zip(weights).zip(&mut trainer.slots) {
        let Slot {
            first,
            second,
            average,
        } = slot;
        let parts = [
            ("weights", weights),
            ("first", first),
            ("second", second),
            ("average", average),
        ];
        for (part, values) in parts {
            take(&mut tensors, &format!("{part}/{name}"), values)?;
        }
    }
    (trainer.step, trainer.seconds) = (header.step, header.seconds);
    Ok(trainer)
}

fn named(name: &str, values: &[f32]) -> (String, Values) {
    let values = Values {
        shape: vec![values.len()],
        values: values.to_vec(),
    };
    (name.to_owned(), values)
}

/// Fills a parameter with the tensor of its name.
fn take(tensors: &mut BTreeMap<String, Values>, name: &str, out: &mut [f32]) -> Result<()> {
    let expected = vec![out.len()];
    match tensors.remove(name) {
        Some(found) if found.shape == expected => {
            out.copy_from_slice(&found.values);
            Ok(())
        }
        found => Err(LearningError::ParameterMismatch {
            name: name.into(),
            expected,
            found: found.map(|values| values.shape),
        }
        .into()),
    }
}
