//! Arguments of `segre predict`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{GivenValues, UnseenValues};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre predict runs/mushroom mushroom.csv --target class
  segre predict runs/table new.csv --target label --out predictions.csv
  segre predict runs/table new.csv --target label --given 'age=30..40'   where age is missing it is from 30 to 40

A number is predicted by its median, with its mean and the interval that holds it with a probability of 90 %. Fields of the target column are not looked at but to count the accuracy. Other missing fields are what they were in the
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
    #[command(flatten)]
    pub given: GivenValues,
    #[command(flatten)]
    pub unseen: UnseenValues,
}
