//! Parameters of a randomised flow, and the state of its training, in files: tensors by name.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::model::{RandomizedConfig, RandomizedFlow};
use super::training::{Trainer, TrainingConfig};
use crate::data::Schema;
use crate::file_error::FileError;
use crate::learning::LearningError;
use crate::learning::parameters::Values;
use crate::learning::{Slot, TensorFile, read_tensors, write_tensors};
use crate::randomized::error::Result;

/// Names of the parameters.
const NAMES: [&str; 3] = ["mean", "log_sigma", "factor"];

/// Stores the parameters.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn write_parameters(path: &Path, model: &RandomizedFlow) -> Result<()> {
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
    Ok(write_tensors(path, &file)?)
}

/// A model with its parameters from a file.
///
/// # Errors
/// [`FileError::Damaged`] or [`LearningError::ParameterMismatch`] if the parameters do not fit.
pub fn read_parameters(
    path: &Path,
    config: &RandomizedConfig,
    schema: &Schema,
) -> Result<RandomizedFlow> {
    let mut tensors = read_tensors(path)?.tensors;
    let mut model = RandomizedFlow::empty(config.clone(), schema.clone())?;
    let gaussian = &mut model.gaussian;
    let parts = [
        &mut gaussian.mean,
        &mut gaussian.log_sigma,
        &mut gaussian.factor,
    ];
    for (name, part) in NAMES.iter().zip(parts) {
        take(&mut tensors, name, part)?;
    }
    Ok(model)
}

/// What stands beside the tensors of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    step: u64,
    seconds: f64,
    #[serde(default)]
    loss: Option<f64>,
    seed: u64,
}

/// Stores a run, so that it can go on as if it had never stopped.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn write_checkpoint(trainer: &Trainer, path: &Path) -> Result<()> {
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
        loss: trainer.loss,
        seed: trainer.config.seed,
    };
    let header = serde_json::to_string(&header).expect("a header is plain data");
    let file = TensorFile { tensors, header };
    Ok(write_tensors(path, &file)?)
}

/// Takes up a stored run; settings must be those of its start.
///
/// # Errors
/// [`FileError::Io`] or [`FileError::Damaged`] if the file cannot be read, [`LearningError::ParameterMismatch`] if
/// it belongs to another model, [`LearningError::OtherSeed`] if to another run.
pub fn read_checkpoint(
    path: &Path,
    model: RandomizedConfig,
    training: TrainingConfig,
    schema: Schema,
) -> Result<Trainer> {
    let TensorFile {
        mut tensors,
        header,
    } = read_tensors(path)?;
    let header: Header = serde_json::from_str(&header).map_err(|error| FileError::Damaged {
        path: path.to_path_buf(),
        detail: error.to_string(),
    })?;
    if header.seed != training.seed {
        return Err(LearningError::OtherSeed {
            path: path.to_path_buf(),
            expected: training.seed,
            found: header.seed,
        }
        .into());
    }
    let mut trainer = Trainer::new(model, training, schema, None)?;
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
    trainer.loss = header.loss;
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
