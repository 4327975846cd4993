//! Arguments of `segre info`.

use std::path::PathBuf;

use clap::Args;

use crate::args::Reading;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre info runs/digits
  segre info table.csv --json
  segre info train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz
  segre info maps --size 64x128 --classes camvid12")]
pub struct Info {
    /// Folder of a model or of pictures, built-in name or file
    pub subject: String,
    /// Classes of the rows, to be counted: an IDX file of labels, an array, or a table
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    #[command(flatten)]
    pub reading: Reading,
}
