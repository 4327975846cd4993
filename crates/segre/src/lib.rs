//! Segre: joint distributions of many discrete variables by assignment flows.

pub mod baseline;
pub mod data;
mod error;
pub mod field;
pub mod flow;
pub mod geometry;
pub mod network;
pub mod ode;
pub mod path;
mod random;

/// Where tensors live and are computed with: burn's device.
pub use burn::tensor::Device;
pub use error::{Error, Result};
pub use field::VectorField;
