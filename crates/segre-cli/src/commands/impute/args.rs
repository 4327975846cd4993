//! Arguments of `segre impute`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use segre::data::MissingIs;

use crate::args::{GivenValues, Hiding, Sampling, UnseenValues, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre impute runs/table holes.csv --out whole.csv                 one draw of every row
  segre impute runs/table holes.csv --out draws.csv --samples 5     five, one after the other
  segre impute runs/table holes.csv --out best.csv --mode map       the most probable value of each field, medians of numbers
  segre impute runs/table holes.csv --out best.csv --mode expected  the same with means of numbers
  segre impute runs/table holes.csv --out chances.csv --mode mean   probabilities of each missing field
  segre impute runs/table holes.csv --out whole.csv --given 'age=30..40'   where age is missing it is from 30 to 40
  segre impute runs/mnist digits.npy --hide lower-half --samples 5 --out halves.png   before and after, in a picture
  segre impute runs/maps maps --mask mask.png --out whole.npz

Missing are empty fields, words such as ? and NA, columns that the table does not have, elements of arrays that are -1 or NaN, and
what --mask or --hide hides. All missing labels of a row are drawn together; what is known stays. In map and mean each
is taken by itself, given the known ones only. No field is filled in with the category of missing fields. Columns that the model
leaves out, such as identifiers, come back as they are.")]
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
    /// Tables: which missing fields are filled in
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub fill: FillName,
    #[command(flatten)]
    pub given: GivenValues,
    #[command(flatten)]
    pub unseen: UnseenValues,
    #[command(flatten)]
    pub hiding: Hiding,
    #[command(flatten)]
    pub sampling: Sampling,
}

/// Which missing fields are filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FillName {
    /// All of them
    All,
    /// Those of columns that lacked nothing in the fit; in others a missing field is a value of its own and stays
    Missing,
}

impl FillName {
    /// What a missing field is taken for.
    pub fn missing(self) -> MissingIs {
        match self {
            Self::All => MissingIs::Unknown,
            Self::Missing => MissingIs::Learned,
        }
    }
}

/// What `impute` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImputeMode {
    /// Whole rows, the missing labels drawn jointly from P(missing | known)
    Sample,
    /// The marginal probability P(one label | known) of every category of each missing label (.csv)
    Mean,
    /// Whole rows, each missing label at its most probable category by P(one label | known), numbers at their median
    Map,
    /// The same with numbers at their mean, which has the least squared error
    Expected,
}
