//! A run: from data and a recipe to a trained model, in a folder or in memory.
//!
//! | what | file |
//! |---|---|
//! | what is asked of a fit, and its start | `fit.rs` |
//! | training, with a log and checkpoints | `training.rs`, `keeper.rs`, `awake.rs` |
//! | going on with a run that was stopped | `resume.rs` |
//! | fits to an energy: a network without data, a randomised flow; samples to learn from | `data_free.rs`, `randomized.rs`, `samples.rs` |
//! | the parts of the data | `parts.rs` |
//! | a model's folder: names of files, making room; one process at a time | `folder.rs`, `lock.rs` |
//! | what a folder holds, by kind: settings, reading a network | `card.rs` |
//! | the log | `metrics.rs` |
//!
//! A folder holds `config.json` (its kind, resolved settings, schema, source, split), `model.safetensors` (parameters of the model that is
//! kept), `checkpoint.safetensors` (what a run needs to go on as if it had never stopped) and `metrics.jsonl`. Every file is
//! written under a temporary name and renamed. While a run writes in a folder, it holds a lock of the operating system. The room knows everything that can be fitted, and nothing of what is done with a
//! model afterwards.

mod awake;
mod card;
mod data_free;
mod error;
mod fit;
mod folder;
mod keeper;
mod lock;
mod metrics;
mod parts;
mod randomized;
mod resume;
mod samples;
mod training;

pub use card::{Card, LabelSource, ModelCard, TestData, load, save_card, save_parameters};
pub use data_free::DataFreeRun;
pub use error::{Result, RunError};
pub use fit::Fit;
pub use folder::{
    CONFIG_FILE, METRICS_FILE, MODEL_FILE, REPORT_FILE, create_folder, refuse_existing,
};
pub use lock::{FolderLock, is_left_over};
pub use metrics::{Logged, LoggedRound, TrainingLog};
pub use parts::{LabelFile, Parts};
pub use randomized::{RandomizedCard, RandomizedRun, load_randomized};
pub use samples::{EnergySamples, SamplesWanted, energy_samples};
pub use training::Run;
