//! A run: from data and a recipe to a trained model, in a folder or in memory.
//!
//! | what | file |
//! |---|---|
//! | what is asked of a fit, and its start | `fit.rs` |
//! | training, with a log and checkpoints | `training.rs`, `keeper.rs`, `awake.rs` |
//! | going on with a run that was stopped | `resume.rs` |
//! | a fit to an energy alone | `data_free.rs` |
//! | the parts of the data | `parts.rs` |
//! | a model's folder: names of files, making room, settings of any kind | `folder.rs` |
//! | settings of a model of data, of a randomised flow | `card.rs`, `randomized.rs` |
//! | the log | `metrics.rs` |
//!
//! A folder holds `config.json` (resolved settings, schema, source, split), `model.safetensors` (parameters of the model that is
//! kept), `checkpoint.safetensors` (what a run needs to go on as if it had never stopped) and `metrics.jsonl`. Every file is
//! written under a temporary name and renamed. The room knows everything that can be fitted, and nothing of what is done with a
//! model afterwards.

mod awake;
mod card;
mod data_free;
mod error;
mod fit;
mod folder;
mod keeper;
mod metrics;
mod parts;
mod randomized;
mod resume;
mod training;

pub use awake::Awake;
pub use card::{LabelSource, ModelCard, TestData, load, load_card, save_card, save_parameters};
pub use data_free::DataFreeRun;
pub use error::{Result, RunError};
pub use fit::Fit;
pub use folder::{
    CHECKPOINT_FILE, CONFIG_FILE, METRICS_FILE, MODEL_FILE, create_folder, refuse_existing,
};
pub use metrics::Metrics;
pub use parts::{LabelFile, Parts};
pub use randomized::{
    Kind, RandomizedCard, is_randomized, load_randomized, load_randomized_card,
    save_randomized_card,
};
pub use training::Run;
