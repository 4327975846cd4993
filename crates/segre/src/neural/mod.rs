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
//! A network learns an energy from samples, as data, or from itself (`neural/data_free.rs`). The sequential sampler knows
//! the probability of every row given its order, so rows have weights `w = e^{−λE}/q` at any inverse temperature, and `λ`
//! rises as far as they allow. What is learned is rows of `P_λ`, by the ordinary loss: repeated by weight, moved by Gibbs
//! sweeps, and annealed by these alone where the weights leave too few. The path is the masked one, whose levels are those
//! of the chain rule. `flow/training/rounds.rs` is the loop's inside for rows that change: no validation, since the
//! variational bound at `λ = 1` says which model to keep. A pairwise energy need not be learned from nothing: it is the
//! model's prior (`flow/prior/pairwise.rs`), whose beliefs given evidence, nearly exact once some labels are known, take
//! the place of evidence + log marginals in the logits and in what the network sees. It has the temperature of the rows.
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
