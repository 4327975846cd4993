//! Checkpoints: everything a run needs to go on as if it had never stopped.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Progress, Trainer, TrainingConfig};
use crate::data::Dataset;
use crate::file_error::FileError;
use crate::flow::config::ModelConfig;
use crate::flow::error::Result;
use crate::learning::LearningError;
use crate::learning::parameters::{self, Values};
use crate::learning::{Optimizer, Slot, TensorFile, read_tensors, write_tensors};

/// What stands beside the tensors of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    progress: Progress,
    /// The seed, so that a checkpoint is not resumed with another one.
    seed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    beside: Option<serde_json::Value>,
}

/// What stands in a checkpoint beside the run itself: the state of whoever makes its rows.
#[derive(Default)]
pub(crate) struct Beside {
    pub tensors: BTreeMap<String, Values>,
    pub state: Option<serde_json::Value>,
}

/// Stores a run in one file, atomically: a reader sees the old or the new one.
///
/// # Errors
/// [`FileError::Io`] if the file cannot be written.
pub fn write(trainer: &Trainer, path: &Path) -> Result<()> {
    write_beside(trainer, Beside::default(), path)
}

/// [`write`] with something beside the run.
pub(crate) fn write_beside(trainer: &Trainer, beside: Beside, path: &Path) -> Result<()> {
    let weights = parameters::collect(&trainer.model.network);
    let mut tensors = BTreeMap::new();
    let slots = trainer.optimizer.slots();
    for (name, values) in &weights {
        if let Some(slot) = slots.get(name) {
            let parts = [
                ("first", &slot.first),
                ("second", &slot.second),
                ("average", &slot.average),
            ];
            for (part, own) in parts {
                let values = Values {
                    shape: values.shape.clone(),
                    values: own.clone(),
                };
                tensors.insert(format!("{part}/{name}"), values);
            }
        }
    }
    if let Some(kept) = &trainer.kept {
        tensors.extend(
            kept.iter()
                .map(|(name, values)| (format!("kept/{name}"), values.clone())),
        );
    }
    if let Some(lowest) = &trainer.lowest {
        let rows = Values {
            shape: vec![lowest.len()],
            values: lowest.clone(),
        };
        tensors.insert("validation/rows".to_owned(), rows);
    }
    tensors.extend(
        weights
            .into_iter()
            .map(|(name, values)| (format!("weights/{name}"), values)),
    );
    let own = beside.tensors.into_iter();
    tensors.extend(own.map(|(name, values)| (format!("beside/{name}"), values)));
    let header = Header {
        progress: trainer.progress.clone(),
        seed: trainer.config.seed,
        beside: beside.state,
    };
    let header = serde_json::to_string(&header).expect("a header is plain data");
    Ok(write_tensors(path, &TensorFile { tensors, header })?)
}

/// Takes up a stored run; settings and data must be those of its start.
///
/// # Errors
/// [`FileError::Io`] or [`FileError::Damaged`] if the file cannot be read, [`LearningError::ParameterMismatch`] if it
/// belongs to another network, [`LearningError::OtherSeed`] if to another run.
pub fn read(
    path: &Path,
    model: ModelConfig,
    config: TrainingConfig,
    train: &Dataset,
    device: &Device,
) -> Result<Trainer> {
    Ok(read_beside(path, model, config, train, device)?.0)
}

/// [`read`] with what stands beside the run.
pub(crate) fn read_beside(
    path: &Path,
    model: ModelConfig,
    config: TrainingConfig,
    train: &Dataset,
    device: &Device,
) -> Result<(Trainer, Beside)> {
    let mut trainer = Trainer::new(model, config, train, device)?;
    let file = read_tensors(path)?;
    let damaged = |detail: String| FileError::Damaged {
        path: path.to_path_buf(),
        detail,
    };
    let header: Header =
        serde_json::from_str(&file.header).map_err(|error| damaged(error.to_string()))?;
    if header.seed != trainer.config.seed {
        let (found, expected) = (header.seed, trainer.config.seed);
        return Err(LearningError::OtherSeed {
            path: path.to_path_buf(),
            found,
            expected,
        }
        .into());
    }
    let mut parts: BTreeMap<String, BTreeMap<String, Values>> = BTreeMap::new();
    for (name, values) in file.tensors {
        let Some((part, name)) = name.split_once('/') else {
            return Err(damaged(format!("unexpected tensor {name:?}")).into());
        };
        parts
            .entry(part.to_owned())
            .or_default()
            .insert(name.to_owned(), values);
    }
    let weights = parts.remove("weights").unwrap_or_default();
    trainer.model.network = parameters::replace(trainer.model.network, &weights)?;
    trainer.kept = parts.remove("kept");
    trainer.lowest = parts
        .remove("validation")
        .and_then(|mut scores| scores.remove("rows"))
        .map(|rows| rows.values);
    let mut slots = BTreeMap::new();
    let [mut first, mut second, average] =
        ["first", "second", "average"].map(|part| parts.remove(part).unwrap_or_default());
    for (name, average) in average {
        let [first, second] = [&mut first, &mut second].map(|part| part.remove(&name));
        let (Some(first), Some(second)) = (first, second) else {
            return Err(damaged(format!("the moments of {name} are missing")).into());
        };
        let slot = Slot {
            first: first.values,
            second: second.values,
            average: average.values,
        };
        slots.insert(name, slot);
    }
    trainer.optimizer = Optimizer::going_on(trainer.config.optimizer.clone(), slots);
    trainer.progress = header.progress;
    let beside = Beside {
        tensors: parts.remove("beside").unwrap_or_default(),
        state: header.beside,
    };
    Ok((trainer, beside))
}
