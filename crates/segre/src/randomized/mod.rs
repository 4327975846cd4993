//! Randomised assignment flows: joint distributions as mixtures of factorising ones, without end.
//!
//! An S-flow `Ṡ = R_S(Ω S)` carries an initial point to a labeling, or nearly so. With random `Ω` (and initial
//! point) its end is random, and its mean `P = E[T(S(end))]` is a joint distribution of all variables. It is fitted
//! to an energy model, by samples of it or by its energy alone.
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `Ω` | how sites act on each other: matrix, convolution | [`Coupling`], [`Parametrisation`] |
//! | `y = μ + Fᵀ z + σ ⊙ ε` | its distribution | [`Covariance`] |
//! | `S(end)` | the flow, by Euler's method | `flow.rs`, with its adjoint |
//! | `P = E[T(S(end))]` | the model | [`RandomizedFlow`] |
//! | `KL(P* : P)`, `KL(P : P*)` | what training minimises | [`Objective`], [`Trainer`] |
//! | `Qᵀ P`, `E_P[Q φ]` | marginals, expectations | [`RandomizedFlow::marginals`], [`RandomizedFlow::expectations`] |
//! | `H(P)` | entropy from counts | [`EntropyEstimate`] |
//! | `KL(P : P*)` from samples | how far samples are from an energy model | [`Comparison`] |
//!
//! The flow is a recurrence of a few small products for each of hundreds of draws, so it is written out with its
//! adjoint: a draw stays in the processor's cache from the first step to the last and back. Draws are computed side
//! by side and added in their order, so that threads change no result.
//!
//! A randomised flow is a room of its own beside `energy`: it has parameters and folders, but no tensors. Its flow is a
//! recurrence of a few small products for each of hundreds of draws, so forward and adjoint are written out in 32 bits: a
//! draw stays in the cache from its first step to its last and back (20 ms a step of training on one core for 512 draws of
//! `ising:3x8`; unrolled autodiff of batched tensors takes several times as much). Draws run side by side and are added in
//! their order. Labels are *drawn* from the ends, so the model is the mixture `E[T(S(end))]` itself, whose likelihood
//! training uses.
//!
//! Source: RAF, "Modeling Large-scale Joint Distributions and Inference by Randomized Assignment", SSVM 2023.

mod arithmetic;
mod comparison;
mod coupling;
mod distribution;
mod entropy;
mod error;
mod flow;
mod model;
mod objective;
mod sampling;
pub mod saving;
mod training;
mod variables;

pub use comparison::Comparison;
pub use coupling::Coupling;
pub use distribution::{Covariance, Parametrisation};
pub use entropy::EntropyEstimate;
pub use error::{RandomizedError, Result};
pub use model::{RandomizedConfig, RandomizedFlow};
pub use objective::{EntropyGradient, Objective};
pub use sampling::Draws;
pub use training::{Ending, Target, Trainer, TrainingConfig};
pub use variables::schema_of;
