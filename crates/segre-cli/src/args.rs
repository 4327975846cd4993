//! The command line's arguments, documented and typed.

mod accuracy;
mod conditions;
mod given;
mod likelihood;
mod memory;
pub mod names;
mod network;
pub mod outlet;
mod reading;
mod recipe;
mod sampling;

use std::error::Error;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};

use crate::commands::completions::Completions;
use crate::commands::devices::Devices;
use crate::commands::energy::Energy;
use crate::commands::evaluate::Evaluate;
use crate::commands::experiment::Experiment;
use crate::commands::fit::Fit;
use crate::commands::impute::Impute;
use crate::commands::info::Info;
use crate::commands::predict::Predict;
use crate::commands::report::Report;
use crate::commands::sample::Sample;
use crate::commands::score::Score;
use crate::device::DeviceName;
use crate::interrupt;
use crate::report::progress::{Bar, Display};

pub use accuracy::Accuracy;
pub use conditions::{ConditionalChecks, Hiding};
pub use given::{GivenValues, given_values};
pub use likelihood::{Importance, MethodName};
pub use memory::{memory, refuse_beyond};
pub use network::NetworkName;
pub use reading::{Reading, UnseenValues};
pub use recipe::{RecipeArguments, print_recipe};
pub use sampling::Sampling;

/// Learn, sample and score joint distributions of many discrete variables with assignment flows.
#[derive(Debug, Parser)]
#[command(name = "segre", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "Examples:
  segre fit digits --out runs/digits            learn handwritten digits in about two minutes
  segre fit table.csv --out runs/t --time 5m    learn a table of categories
  segre sample runs/digits -n 100 --out new.png draw new ones
  segre score runs/t new.csv --out scores.csv   negative log-likelihood of every row
  segre evaluate runs/t                         test likelihood beside simple baselines
  segre report runs/t --open                    look at it: one page with charts

DATA is a built-in (digits, coupled-binary, eight-gaussians, pinwheel, product:c=160,n=4,
potts-chain:c=20,n=4), a file (.csv/.tsv tables, .fasta/.a3m alignments, .txt text, .npy integer arrays, IDX pictures, all
of these compressed by gzip too, as .csv.gz; .parquet/.arrow tables, .npz arrays), - for a table from standard
input, or a folder of .png label maps or pictures.";

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Common {
    /// Print exactly one JSON object on standard output
    ///
    /// Progress goes to standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Seed of everything random [default: 0; for a model: that of its fit]
    ///
    /// Same seed, same result.
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of threads [default: one per processor]; changes no result
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Memory that may be taken, as 512MiB [default: all; 4GiB for exact inference]
    ///
    /// What would take more is refused before it is taken.
    #[arg(long, global = true, value_name = "SIZE", value_parser = memory)]
    pub memory: Option<u64>,
    /// Where to compute; other than cpu needs a build with that cargo feature, see `segre devices`
    #[arg(long, global = true, default_value = "cpu", value_name = "NAME")]
    pub device: DeviceName,
}

/// Memory that exact inference may take if nothing is said: 4 GiB.
const EXACT_MEMORY: u64 = 4 << 30;
/// Most things of which a number may be asked for: 10¹² and a little, so that no size of theirs overflows.
const MOST: usize = 1 << 40;

/// Instructions that `SEGRE_SIMD` may keep to.
const LEVELS: [&str; 3] = ["avx512", "avx2", "plain"];

impl Common {
    /// Applies what concerns the whole process.
    pub fn start(&self) -> Result<()> {
        if let Some(level) = std::env::var_os("SEGRE_SIMD") {
            let known = LEVELS.iter().any(|known| level == *known);
            ensure!(
                known,
                "SEGRE_SIMD={} in the environment: expected one of {}, or nothing for all that the processor has",
                level.display(),
                LEVELS.join(", ")
            );
        }
        memory::limit(self.memory);
        // This thread is one of the pool's. From outside it would sleep and be woken at every operation, about a tenth of
        // a small network's step. 0: one thread per processor.
        let threads = self.threads.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.use_current_thread().build_global();
        pool.context("cannot start the threads")?;
        interrupt::listen()
    }

    /// Memory that exact inference may take.
    pub fn exact_memory(&self) -> u64 {
        self.memory.unwrap_or(EXACT_MEMORY)
    }

    /// How progress is shown.
    pub fn display(&self) -> Display {
        Display::choose(self.quiet)
    }

    /// Who watches long work.
    pub fn bar(&self) -> Bar {
        Bar::new(self.display())
    }

    /// Does long work with a progress bar that Ctrl-C stops, and a last line about the result.
    pub fn watch<T, E: Error + Send + Sync + 'static>(
        &self,
        work: impl FnOnce(&mut Bar) -> Result<T, E>,
        summary: impl FnOnce(&T) -> String,
    ) -> Result<T> {
        let mut bar = self.bar();
        let found = work(&mut bar)?;
        bar.finish(&summary(&found));
        Ok(found)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Learn a model from data
    Fit(Box<Fit>),
    /// Draw samples from a model
    Sample(Sample),
    /// Negative log-likelihood of data under a model
    Score(Score),
    /// Test likelihood beside baselines; divergence from a known distribution
    Evaluate(Evaluate),
    /// Fill in missing fields of a table, or a hidden part of pictures
    Impute(Impute),
    /// Predict a column of a table from the others
    Predict(Predict),
    /// Write a page about a model: one HTML file with charts, for a browser
    Report(Report),
    /// Describe a model or data
    Info(Info),
    /// Repeat the experiments of the papers, and go beyond them
    Experiment(Experiment),
    /// Energy-based models: describe them, infer log Z and marginals
    Energy(Energy),
    /// What this build can compute on
    Devices(Devices),
    /// Print shell completions
    Completions(Completions),
}

pub fn at_least_one(text: &str) -> Result<usize> {
    let number = count(text)?;
    ensure!(number >= 1, "must be at least 1");
    Ok(number)
}

/// A number of things.
pub fn count(text: &str) -> Result<usize> {
    let number: usize = text.parse().context("not a whole number")?;
    ensure!(number <= MOST, "must be at most {MOST}");
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
