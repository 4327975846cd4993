//! Evaluation: what a model is worth, beside simpler models, held-out data and known distributions.
//!
//! Every evaluation is one function `run` that takes what it looks at and returns a report: plain data that can be serialised and
//! says in which unit its numbers are. Nothing is printed or drawn here, and no file is written but a classifier's.
//!
//! | question | `run` of | report |
//! |---|---|---|
//! | How likely are new rows, and is that more than independent sites say? | [`scores`], [`baseline`] | [`ScoreReport`](scores::ScoreReport) |
//! | Are the samples distributed as they should be, where that is known? | [`divergence`] | [`DivergenceReport`](divergence::DivergenceReport) |
//! | Are the conditionals the exact ones, where these are known? | [`conditionals`] | [`ConditionalReport`](conditionals::ConditionalReport) |
//! | How well are hidden cells filled in? | [`imputation`] | [`ImputationReport`](imputation::ImputationReport) |
//! | How well is one column predicted? | [`prediction`] | [`PredictionReport`](prediction::PredictionReport) |
//! | Are samples copies of training rows? | [`nearest`] | [`NearestReport`](nearest::NearestReport) |
//! | Are synthetic rows of a table like real ones, of use, and no copies? | [`quality`] | [`QualityReport`](quality::QualityReport) |
//! | Do sampled label maps look like real ones? | [`maps`] | [`MapReport`](maps::MapReport) |
//! | Are the classes of sampled images there, in the right shares, and their features? | [`classifier`] | [`ClassifierReport`](classifier::ClassifierReport) |
//! | Are places that depend on each other in contact? | [`contacts`] | [`ContactReport`](contacts::ContactReport) |
//! | How far is what was fitted to an energy model from it? | [`energy`] | [`EnergyReport`](energy::EnergyReport) |
//! | What is there to see of a model and its data? | [`overview`] | [`Overview`](overview::Overview) |
//! | Does the model tell other data from its own? | [`detection`] | [`OutlierReport`](detection::OutlierReport) |
//!
//! The room may use everything but the doors; nothing in the library uses it but `lib.rs`.
//!
//! # Example
//!
//! Rows of a training set as samples: copies, as the nearest rows say, that are distributed as a perfect sampler's are.
//!
//! ```
//! use segre::data::{self, DataSource, ReadOptions};
//! use segre::evaluation::baseline::{BaselineScores, Baselines};
//! use segre::evaluation::divergence::Divergence;
//! use segre::evaluation::nearest;
//!
//! let source = DataSource::parse("coupled-binary:rows=3000")?;
//! let data = data::read(&source, &ReadOptions::default())?;
//! let part = |from: usize| data.select(&(from..from + 1000).collect::<Vec<_>>());
//! let (train, validation, test) = (part(0), part(1000), part(2000));
//!
//! let beside = nearest::run(&train, &train, &validation, &test, 1)?;
//! assert_eq!(beside.share_copies, 1.0);
//!
//! let target = source.known_distribution().expect("a built-in distribution");
//! let divergence = Divergence::estimate(&*target, &train)?;
//! assert!(divergence.kl < 10.0 * divergence.kl_floor && divergence.kl < 0.1 * divergence.kl_uniform);
//!
//! // Two coupled bits: a tree knows all that there is to know of them.
//! let scores = BaselineScores::of(&Baselines::fit(&train, &validation)?, &test);
//! assert_eq!(scores.best().0, "the Chow–Liu tree");
//! assert!(scores.best().1 < scores.independent);
//! # Ok::<(), segre::Error>(())
//! ```

pub mod baseline;
pub mod classifier;
pub mod conditionals;
pub mod contacts;
pub mod detection;
pub mod divergence;
pub mod energy;
mod error;
pub mod imputation;
pub mod maps;
pub mod nearest;
pub mod overview;
pub mod prediction;
pub mod quality;
pub mod scores;

pub use error::{EvaluationError, Result};
