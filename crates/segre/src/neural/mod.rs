//! Networks fitted to energy models, with importance weights that say how well.
//!
//! A posterior network that is told some of the labels gives `p_θ(β_i | β_known)`, so in any order `σ` of the sites
//! it is an autoregressive model whose probabilities are exact. Its rows are proposals for `P* ∝ exp(−E)`:
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `q(β\|σ) = Π_k p_θ(β_σ(k) \| β_σ(1), …, β_σ(k−1))` | what a row was drawn with | [`Samples::log_probabilities`](crate::flow::sampling::Samples::log_probabilities) |
//! | `w = exp(−E(β)) / q(β\|σ)` | its weight: `E[w] = Z` over rows and orders | [`WeightedRows`] |
//! | `log Z`, effective sample size, bound, marginals | what weights say | [`ImportanceEstimate`] |
//! | `P_λ ∝ exp(−λ E)`, `λ: 0 → 1` | training without data | [`DataFree`] |
//! | `b_i(β_i \| β_known)` | beliefs under the energy itself, which the network corrects | [`pairwise_prior`] |
//!
//! Source: Uria et al. 2014, arXiv 1310.1757 (any order); Nicoli et al. 2020, arXiv 1910.13496 (importance weights of
//! autoregressive samplers); Del Moral, Doucet & Jasra 2006 (adaptive tempering).

mod config;
mod data_free;
mod error;
mod importance;
mod prior;

pub use config::DataFreeConfig;
pub use data_free::{DataFree, Moment};
pub use error::{NeuralError, Result};
pub use importance::{ImportanceEstimate, WeightedRows};
pub use prior::pairwise_prior;
