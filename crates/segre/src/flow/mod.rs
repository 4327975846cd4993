//! The generative model: learning a flow from data, sampling from it, scoring data under it.
//!
//! Everything but the published field loss works on one channel: a site with label `β` is seen as
//! `x = √γ v̄_β + z`, `z ~ N(0, I)`, with the unit direction `v̄_β` of docs/mathematics.md §2
//! and a signal-to-noise ratio `γ` of its own. A [`Denoiser`] says what is expected of `β` given all `x`.
//! A path of [`crate::path`] is such a channel with a clock.
//!
//! | task | file |
//! |---|---|
//! | the channel, its noise and its evidence | `channel.rs` |
//! | what fixes a model: head, path, network, prior | `config.rs` |
//! | the model | `model.rs` |
//! | what is known before anything is learned, which the network corrects | `prior/` |
//! | rows of one class, with guidance | `class.rs` |
//! | impossible categories | `legal.rs` |
//! | what the network's output means: loss, levels, samplers | `head/` |
//! | what networks are told of the data | `sites.rs` |
//! | training with checkpoints and validation | `training/` |
//! | samplers, deterministic and stochastic | `sampling/` |
//! | rows with known and unknown labels, conditionals of a denoiser | `known.rs` |
//! | marginals of unknown sites given known ones | `conditional.rs` |
//! | likelihood: I-MMSE bound, chain-rule bound, importance-sampled bound, exact values | `likelihood/` |
//! | a model in a folder | `saving.rs` |

pub mod channel;
mod class;
mod conditional;
mod config;
mod error;
mod head;
mod known;
mod legal;
pub mod likelihood;
mod model;
mod prior;
pub mod sampling;
pub mod saving;
mod sites;
pub mod training;

pub use channel::Denoiser;
pub use class::OfClass;
pub use conditional::{
    ConditionalMarginals, conditional_marginals, legal_marginals, site_marginals,
};
pub use config::ModelConfig;
pub use error::{FlowError, Result};
pub use head::Head;
pub use known::{Conditionals, KnownLabels};
pub use legal::LegalOnly;
pub use model::Model;
pub use prior::{Pair, PairwisePrior, PriorConfig};
pub use sites::site_spec;
