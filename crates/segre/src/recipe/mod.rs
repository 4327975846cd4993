//! Recipes: what the user has decided, and what the facts of the data decide in place of him.
//!
//! A [`Recipe`] has a field for everything that can be decided, and none needs to be given. [`Recipe::resolve`] takes the
//! [`Facts`] of the data and chooses the rest: the one place where defaults that depend on data are chosen, each with
//! the measurement that speaks for it. What comes out are the [`Settings`] of a run.
//!
//! | what is chosen | file |
//! |---|---|
//! | kind and sizes of the network | `network.rs`, `unet.rs` |
//! | path, head, scanlines | `model.rs` |
//! | budget, rows of a step, validations, optimiser | `training.rs` |
//! | fits to energy models | `energy.rs` |
//! | nothing: what would be ignored is refused | `useless.rs` |
//!
//! This room knows the settings of `flow`, `network` and `path`, and of data the schema and the number of rows; it
//! reads no files, trains nothing and knows no command line.

mod build;
mod choices;
pub mod energy;
mod error;
mod facts;
mod keys;
mod kinds;
mod model;
mod network;
mod settings;
mod text;
mod time;
mod training;
mod unet;
mod useless;

pub use choices::{
    ModelChoices, NetworkChoices, PathChoices, Recipe, SplitChoices, TrainingChoices,
};
pub use error::RecipeError;
pub use facts::Facts;
pub use kinds::{Conditional, NetworkKind, PathKind, Preset};
pub use settings::Settings;
pub use time::parse_time;

/// What recipes return.
pub type Result<T, E = RecipeError> = std::result::Result<T, E>;
