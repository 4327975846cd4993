//! Energy-based models `p(x) = exp(−E(x)) / Z` of many discrete variables, and inference in them.
//!
//! | symbol | meaning | where |
//! |---|---|---|
//! | `ln f(x_f)` | a factor: log-weights of a few variables | [`Factor`] |
//! | `E(x) = −Σ_f ln f(x_f)` | energy | [`EnergyModel`] |
//! | | Ising and Potts models on grids | [`GridModel`] |
//! | | files: `.uai`, `.evid`, `.PR`, `.MAR`, `.fg` | [`format`](mod@format) |
//! | `ln Z`, `p(x_i)`, `⟨E⟩`, `H` | exactly, for small treewidth | [`exact`] |
//! | `ln Z ≥ H(q) − ⟨E⟩_q` | naive mean field | [`mean_field()`] |
//! | Bethe's `ln Z` | loopy belief propagation | [`belief_propagation()`] |
//! | | Markov chains | [`gibbs()`], [`swendsen_wang()`], their states: [`chain_samples()`] |
//! | | one of these methods by choice, and its errors | [`infer`] |
//! | `ln Z` | exactly, of the Ising model on a torus of any size | [`GridModel::torus_log_z`] |
//!
//! # Example
//!
//! ```
//! use segre::energy::{GridModel, exact};
//!
//! let model = GridModel::table1(3, 8).build();
//! let result = exact::infer(&model, 1 << 30, &mut segre::progress::Silent)?;
//! assert!((result.log_z.unwrap() - 5.1362).abs() < 1e-4);
//! # Ok::<(), segre::Error>(())
//! ```

mod belief_propagation;
mod chain_samples;
mod chains;
mod description;
mod doubts;
mod error;
pub mod exact;
mod factor;
pub mod format;
mod gibbs;
mod grid;
pub mod infer;
mod inference;
mod kaufman;
mod mean_field;
mod model;
mod source;
mod swendsen_wang;
mod zeros;

pub use belief_propagation::{
    BeliefPropagationOptions, BeliefPropagationReport, Schedule, belief_propagation,
};
pub use chain_samples::{ChainSampleOptions, ChainSamples, chain_samples};
pub use chains::{ChainOptions, ChainReport};
pub use description::Description;
pub use error::{EnergyError, NotPotts, Result};
pub use exact::ExactReport;
pub use factor::Factor;
pub use gibbs::{gibbs, gibbs_sweeps};
pub use grid::GridModel;
pub use inference::{Inference, LogZKind, Method, Report};
pub use mean_field::{MeanFieldOptions, MeanFieldReport, mean_field};
pub use model::{EnergyModel, Observation};
pub use source::ModelSource;
pub use swendsen_wang::{Bond, Ferromagnet, swendsen_wang};
