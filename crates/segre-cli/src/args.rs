//! The command line's arguments, documented and typed.

mod conditions;
mod likelihood;
mod memory;
mod network;
mod reading;

use std::error::Error;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::commands::energy::Energy;
use crate::commands::evaluate::Evaluate;
use crate::commands::experiment::Experiment;
use crate::commands::fit::Fit;
use crate::device::DeviceName;
use crate::interrupt;
use crate::report::progress::{Bar, Display};

pub use conditions::{ConditionalChecks, Hiding};
pub use likelihood::{Importance, MethodName};
pub use memory::memory;
pub use network::NetworkName;
pub use reading::Reading;

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
  segre score runs/t new.csv --out scores.csv   log-likelihood of every row
  segre evaluate runs/t                         test likelihood beside simple baselines

DATA is a built-in (digits, coupled-binary, eight-gaussians, pinwheel, product:c=160,n=4,
potts-chain:c=20,n=4), a file (.npy/.npz integer arrays, .csv/.tsv tables, .fasta alignments, .txt text, IDX pictures; .gz works for text and IDX)
or a folder of .png label maps or pictures.";

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Common {
    /// Print exactly one JSON object on standard output; progress goes to standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Seed of everything random: same seed, same result [default: 0; for a model: that of its fit]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Number of threads [default: one per processor]; changes no result
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Where to compute; other than cpu needs a build with that cargo feature
    #[arg(long, global = true, default_value = "cpu", value_name = "NAME")]
    pub device: DeviceName,
}

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
        // This thread is one of the pool's. From outside it would sleep and be woken at every operation, about a tenth of
        // a small network's step. 0: one thread per processor.
        let threads = self.threads.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.use_current_thread().build_global();
        pool.context("cannot start the threads")?;
        interrupt::listen()
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
    /// Log-likelihood of data under a model
    Score(Score),
    /// Test likelihood beside baselines; divergence from a known distribution
    Evaluate(Evaluate),
    /// Fill in missing fields of a table, or a hidden part of pictures
    Impute(Impute),
    /// Predict a column of a table from the others
    Predict(Predict),
    /// Describe a model or data
    Info(Info),
    /// Repeat the experiments of the papers, and go beyond them
    Experiment(Experiment),
    /// Energy-based models: describe them, infer log Z and marginals
    Energy(Energy),
    /// Print shell completions
    Completions(Completions),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre sample runs/digits -n 64 --out digits.png
  segre sample runs/table -n 10000 --out rows.csv --seed 7
  segre sample runs/table -n 100 --given one_row.csv --out rows.csv   conditional samples
  segre sample runs/mnist -n 10 --class 7 --guidance 2 --out sevens.png   of a model fitted with --labels
  segre sample runs/digits -n 1000 --out digits.npz --sampler rk4 --steps 30")]
pub struct Sample {
    /// Folder of the model
    pub model: PathBuf,
    /// Number of samples
    #[arg(allow_negative_numbers = true, long, short = 'n', value_name = "N", value_parser = at_least_one)]
    pub number: usize,
    /// File to write: .npz, .npy, .csv, .tsv, .fasta, .txt or .png, as the data allow
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Data with missing labels (fields that are empty, ? or NA, elements that are -1): -n samples of every row given what it says
    #[arg(long, value_name = "FILE")]
    pub given: Option<String>,
    /// Class of all samples, as in the labels of the fit; all: equal numbers of every class, in order
    #[arg(long, value_name = "NAME|all", conflicts_with = "given")]
    pub class: Option<String>,
    /// How typical of their class samples are to be: 1 as it was learned, more is more typical and less diverse
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "S",
        default_value_t = 1.0,
        requires = "class"
    )]
    pub guidance: f64,
    #[command(flatten)]
    pub sampling: Sampling,
}

/// How samples are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
pub struct Sampling {
    /// Sampler [default: sequential for a table of up to 16 columns, else localisation-heun; rk4 for a field]
    #[arg(long, value_name = "NAME")]
    pub sampler: Option<SamplerName>,
    /// Steps of a sampler with fixed steps [default: one per site for sequential (at most 64), 16 for localisation-heun, 32 for others]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Where the steps lie [default: asinh; uniform for a field]
    #[arg(long)]
    pub grid: Option<GridName>,
    /// Relative and absolute tolerance of dormand-prince
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "TOLERANCE",
        default_value_t = 1e-4
    )]
    pub tolerance: f64,
    /// Samples computed at a time
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = at_least_one)]
    pub batch: usize,
}

/// Samplers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SamplerName {
    /// Stochastic, labels drawn from the posterior at every level
    Ancestral,
    /// Stochastic localisation, Euler–Maruyama
    Localisation,
    /// Stochastic localisation, Heun's predictor and corrector, two evaluations a step
    LocalisationHeun,
    /// Sites one after the other (in as many groups as steps), each given those before; needs --conditional any
    Sequential,
    /// Assignment flow, Euler
    Euler,
    /// Assignment flow, Heun
    Heun,
    /// Assignment flow, classical Runge–Kutta
    Rk4,
    /// Assignment flow, Dormand–Prince 5(4), adaptive
    DormandPrince,
}

/// Grids by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GridName {
    /// Uniform in the logarithm of the signal-to-noise ratio from where all sites together begin to tell: what the whole
    /// image is, is decided long before any pixel is
    Asinh,
    /// Uniform in time
    Uniform,
    /// Uniform in the logarithm of the signal-to-noise ratio
    LogSnr,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre score runs/table new.csv
  segre score runs/table new.csv --out scores.csv --std-error 0.001
  segre score runs/table new.csv --given age,income         log P(the other columns | age, income)
  segre score runs/table new.csv --method chain             of the sequential sampler
  segre score runs/mnist t10k-images-idx3-ubyte.gz --hide lower-half   of lower halves given the upper ones
  segre score runs/mnist few.npy --method importance --ball-mass 0.8   as published, of the deterministic flow
  segre score runs/digits images.npy --json")]
pub struct Score {
    /// Folder of the model
    pub model: PathBuf,
    /// Built-in name or file, with the sites and categories of the fit
    pub data: String,
    /// Columns whose values are given, comma-separated: the score is log P(the others | these)
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', conflicts_with_all = ["mask", "hide"])]
    pub given: Vec<String>,
    /// How the negative log-likelihood is bounded or computed [default: immse; chain for the masked path]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<MethodName>,
    /// File for the score of every row (.csv)
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub hiding: Hiding,
    #[command(flatten)]
    pub importance: Importance,
    #[command(flatten)]
    pub accuracy: Accuracy,
}

/// How precise a likelihood is wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accuracy")]
pub struct Accuracy {
    /// Standard error of the mean to reach, in bits per dimension
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "BITS",
        default_value_t = 0.003
    )]
    pub std_error: f64,
    /// Most rounds of 16 noise levels per row to spend on it
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub max_rounds: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre impute runs/table holes.csv --out whole.csv                 one draw of every row
  segre impute runs/table holes.csv --out draws.csv --samples 5     five, one after the other
  segre impute runs/table holes.csv --out best.csv --mode map       the most probable value of each field
  segre impute runs/table holes.csv --out chances.csv --mode mean   probabilities of each missing field
  segre impute runs/mnist digits.npy --hide lower-half --samples 5 --out halves.png   before and after, in a picture
  segre impute runs/maps maps --mask mask.png --out whole.npz

Missing are empty fields, ? and NA, columns that the table does not have, elements of arrays that are -1 or NaN, and
what --mask or --hide hides. All missing labels of a row are drawn together; what is known stays. In map and mean each
is taken by itself, given the known ones only. No field is filled in with the category of missing fields.")]
pub struct Impute {
    /// Folder of the model
    pub model: PathBuf,
    /// Data with missing labels, with the columns or the size of the fit
    pub data: String,
    /// File to write, as for sample; .png shows the first ten pictures before and after
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// What is written
    #[arg(long, default_value = "sample")]
    pub mode: ImputeMode,
    /// Draws of every row
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = at_least_one)]
    pub samples: usize,
    #[command(flatten)]
    pub hiding: Hiding,
    #[command(flatten)]
    pub sampling: Sampling,
}

/// What `impute` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImputeMode {
    /// Whole rows, the missing labels drawn jointly from P(missing | known)
    Sample,
    /// The marginal probability P(one label | known) of every category of each missing label (.csv)
    Mean,
    /// Whole rows, each missing label at its most probable category by P(one label | known)
    Map,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre predict runs/mushroom mushroom.csv --target class
  segre predict runs/table new.csv --target label --out predictions.csv

Fields of the target column are not looked at but to count the accuracy. Other missing fields are what they were in the
fit: a category of their own, or unknown in a column that had none.")]
pub struct Predict {
    /// Folder of the model
    pub model: PathBuf,
    /// Table with the columns of the fit; the target may be missing
    pub data: String,
    /// Column to predict
    #[arg(long, value_name = "COLUMN")]
    pub target: String,
    /// File for prediction and probabilities of every row (.csv)
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre info runs/digits
  segre info table.csv --json
  segre info train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
  segre info maps --size 64x128 --classes camvid12")]
pub struct Info {
    /// Folder of a model or of pictures, built-in name or file
    pub subject: String,
    /// Class labels of the rows, an IDX file; they are counted
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre completions bash > ~/.local/share/bash-completion/completions/segre")]
pub struct Completions {
    /// Shell
    pub shell: Shell,
}

pub fn at_least_one(text: &str) -> Result<usize> {
    let number: usize = text.parse().context("not a whole number")?;
    ensure!(number >= 1, "must be at least 1");
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
