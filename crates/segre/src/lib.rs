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
//!
//! # Example
//!
//! ```
//! use segre::Device;
//! use segre::data::{self, DataSource, ReadOptions};
//! use segre::flow::training::{Trainer, TrainingConfig};
//! use segre::flow::{ModelConfig, likelihood, sampling};
//! use segre::learning::Budget;
//! use segre::progress::Silent;
//!
//! let data = data::read(&DataSource::parse("coupled-binary:rows=2000")?, &ReadOptions::default())?;
//! let (train, validation) = (data.select(&(0..1800).collect::<Vec<_>>()),
//!                            data.select(&(1800..2000).collect::<Vec<_>>()));
//! let budget = Budget { steps: Some(50), seconds: None };
//! let config = TrainingConfig { budget, ..TrainingConfig::default() };
//! let mut trainer = Trainer::new(ModelConfig::default(), config, &train, &Device::flex())?;
//! trainer.run(&train, &validation, &mut Silent)?;
//! let model = trainer.best_model()?;
//!
//! let samples = sampling::sample(&model, 10, &Default::default(), &mut Silent)?;
//! let scores = likelihood::score(&model, &validation, &Default::default(), &mut Silent)?;
//! println!("{:?}: {} bits/dim", samples.data.row(0), scores.bits_per_dim.value);
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
pub mod network;
pub mod neural;
pub mod ode;
pub mod path;
pub mod progress;
mod random;
pub mod randomized;
pub mod recipe;
pub mod run;
mod setting;

/// Where tensors live and are computed with: burn's device.
pub use burn::tensor::Device;
pub use error::{Error, Result};
pub use estimate::Estimate;
pub use field::VectorField;
pub use file_error::FileError;
pub use progress::{Control, Interrupted};
pub use run::Fit;
pub use setting::{InvalidSetting, ParameterError};
