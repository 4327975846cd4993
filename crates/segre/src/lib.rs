//! Segre: joint distributions of many discrete variables by assignment flows.
//!
//! A data set has `n` sites with `c_i` categories each. A model is a flow on the product of the sites'
//! simplices whose random end points are hard labelings; their mixture is the joint distribution.
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `W`, `V = Π log W` | point of the product of simplices, its e-coordinates | [`geometry`] |
//! | `Π`, `R_W`, `exp_W`, `T`, `Q`, `M` | maps of the geometry | [`geometry`] |
//! | `V_t`, `γ(t)` | probability path, its signal-to-noise ratio | [`path`] |
//! | `F(V, t)` | vector field, and its integration | [`VectorField`], [`ode`] |
//! | `g_θ`, `F_θ` | networks | [`network`] |
//! | `−log P(β)` | likelihood | [`flow::likelihood`] |
//! | what a model is worth | baselines, a classifier of samples, outliers, nearest rows, divergences | [`evaluation`] |
//! | `E(x)`, `Z` | energy-based models, and inference in them | [`energy`] |
//! | `w = exp(−E)/q` | networks fitted to an energy without data, importance weights | [`neural`] |
//! | `E_Ω[T(S(end))]` | randomised assignment flows | [`randomized`] |
//! | defaults | settings chosen by the data | [`recipe`] |
//! | runs | folders, checkpoints, logs, going on | [`run`] |
//! | what is done with a model | samples, scores, imputation, prediction | [`Model`] |
//!
//! # Example
//!
//! ```
//! let data = segre::read("coupled-binary:rows=2000")?;           // a built-in's name or the path of a file
//! let model = segre::Fit::new(&data).steps(50).run()?;           // or .time(Duration::from_secs(90))
//! let rows = model.sample(10)?;
//! let scores = model.log_prob(&data)?;                           // nats per row, with standard errors
//! println!("{:?}: {} bits/dim", rows.row(0), scores.bits_per_dim.value);
//! assert!(scores.bits_per_dim.value < 1.0);
//! # Ok::<(), segre::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod atomic;
pub mod data;
pub mod energy;
mod error;
mod estimate;
pub mod evaluation;
pub mod field;
mod file_error;
pub mod flow;
pub mod geometry;
pub mod learning;
pub mod model;
pub mod network;
pub mod neural;
pub mod ode;
pub mod path;
pub mod progress;
mod random;
pub mod randomized;
pub mod ranks;
pub mod recipe;
pub mod run;
mod setting;
mod spill;
mod stream;

/// Where tensors live and are computed with: burn's device.
pub use burn::tensor::Device;
pub use data::Data;
pub use error::{Error, Result};
pub use estimate::Estimate;
pub use field::VectorField;
pub use file_error::FileError;
pub use model::Model;
pub use progress::{Control, Interrupted};
pub use run::Fit;
pub use setting::{InvalidSetting, ParameterError};

/// Reads data: the name of a built-in (`digits`, `product:c=160,n=4`) or the path of a file or folder.
///
/// # Errors
/// [`data::DataError`] and [`FileError`]: those of a missing, malformed or empty file, with its place.
pub fn read(source: &str) -> Result<Data> {
    read_with(source, &data::ReadOptions::default())
}

/// [`read`], with what is to be said of the file.
///
/// # Errors
/// As [`read`].
pub fn read_with(source: &str, options: &data::ReadOptions) -> Result<Data> {
    Ok(Data::read(source, options)?)
}
