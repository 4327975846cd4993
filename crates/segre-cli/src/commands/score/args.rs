//! Arguments of `segre score`.

use std::path::PathBuf;

use clap::Args;

use crate::args::names::{Names, names};
use crate::args::{Accuracy, Hiding, Importance, MethodName, UnseenValues, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre score runs/table new.csv
  segre score runs/table new.csv --out scores.csv --std-error 0.001
  segre score runs/table new.csv --given age,income         log P(the other columns | age, income)
  segre score runs/table new.csv --method chain             of the sequential sampler
  segre score runs/table new.csv --method auto              the tightest bound that there is
  segre score runs/mnist t10k-images-idx3-ubyte.gz --hide lower-half   of lower halves given the upper ones
  segre score runs/mnist few.npy --method importance --ball-mass 0.8   as published, of the deterministic flow
  segre score runs/digits images.npy --json")]
pub struct Score {
    /// Folder of the model
    pub model: PathBuf,
    /// Built-in name or file, with the sites and categories of the fit
    pub data: String,
    /// Columns whose values are given, comma-separated: the score is log P(the others | these)
    #[arg(long, value_name = "COLUMNS", value_parser = names, conflicts_with_all = ["mask", "hide"])]
    pub given: Vec<Names>,
    /// How the negative log-likelihood is bounded or computed [default: immse; chain for the masked path]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<MethodName>,
    /// Orders of each row for --method orders and auto, 2 at least: the more, the tighter [default: 8]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = at_least_one)]
    pub orders: Option<usize>,
    /// File for the score of every row (.csv)
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub unseen: UnseenValues,
    #[command(flatten)]
    pub hiding: Hiding,
    #[command(flatten)]
    pub importance: Importance,
    #[command(flatten)]
    pub accuracy: Accuracy,
}
