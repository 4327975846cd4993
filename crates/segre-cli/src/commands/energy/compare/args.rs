//! Arguments of `segre energy compare`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{ConditionalChecks, Sampling, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy compare ising:3x8 runs/ising
  segre energy compare model.uai runs/m --samples 200000 --json

KL(model : target) is in nats, by the energy and the Miller–Madow entropy of the samples. Without exact inference
(see --memory) log Z is not known: a long chain gives energy and marginals, and there is no KL.")]
pub struct Compare {
    /// Energy model, as in segre energy fit
    pub model: String,
    /// Folder of the model fitted to it, or to samples of it
    pub folder: PathBuf,
    /// Samples to draw
    #[arg(allow_negative_numbers = true, long, value_name = "N", default_value_t = 1_000_000, value_parser = at_least_one)]
    pub samples: usize,
    /// neural: rows whose importance weights estimate log Z
    #[arg(allow_negative_numbers = true, long, value_name = "N", default_value_t = 4096, value_parser = at_least_one)]
    pub importance_samples: usize,
    #[command(flatten)]
    pub conditionals: ConditionalChecks,
    #[command(flatten)]
    pub sampling: Sampling,
}
