//! Arguments of `segre sample`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{Sampling, UnseenValues, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre sample runs/digits -n 64 --out digits.png
  segre sample runs/table -n 10000 --out rows.csv --seed 7
  segre sample runs/table -n 100 --given 'age=40,income=\">50K\"' --out rows.csv   conditional samples
  segre sample runs/table -n 100 --given 'age=30..40,city=Rome|Oslo' --out rows.csv   ranges and sets of values
  segre sample runs/table -n 100 --given few_rows.csv --out rows.csv   a hundred for every row
  segre sample runs/mnist -n 10 --class 7 --guidance 2 --out sevens.png   of a model fitted with --labels
  segre sample runs/digits -n 1000 --out digits.npz --sampler rk4 --steps 30")]
pub struct Sample {
    /// Folder of the model
    pub model: PathBuf,
    /// Number of samples
    #[arg(allow_negative_numbers = true, long, short = 'n', value_name = "N", value_parser = at_least_one)]
    pub number: usize,
    /// File to write: .npz, .npy, .csv, .tsv, .parquet, .arrow, .fasta, .txt or .png, as the data allow
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Values, as 'age=40,income=">50K"', ranges, as age=30..40, age=..40, or sets, as city=A|B: -n samples given these; or data with missing labels (fields that are empty, ? or NA,
    /// elements that are -1): -n samples of every row given what it says
    #[arg(long, value_name = "NAME=VALUE|FILE")]
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
    pub unseen: UnseenValues,
    #[command(flatten)]
    pub sampling: Sampling,
}
