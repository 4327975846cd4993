//! Arguments that say what is checked of sampled images.

use std::path::PathBuf;

use clap::Args;

use super::at_least_one;

/// What is checked of sampled images.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampled images")]
pub struct ImageChecks {
    /// Show the K nearest training images of samples in --out-dir, and compare the distances with those of the test part
    #[arg(long, value_name = "K", value_parser = at_least_one)]
    pub nearest: Option<usize>,
    /// Compare classes, neighbouring classes and connected regions of samples with the training part
    #[arg(long)]
    pub map_statistics: bool,
    /// Folder for the pictures and numbers
    #[arg(long, value_name = "DIR")]
    pub out_dir: Option<PathBuf>,
    /// Images to draw from the model
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_least_one)]
    pub images: usize,
    /// Images to take instead of drawing them, a file that `sample` wrote for instance
    #[arg(long, value_name = "DATA", conflicts_with = "images")]
    pub images_from: Option<String>,
    #[command(flatten)]
    pub classifier: ClassifierChecks,
}

/// What a classifier is to say of sampled images.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampled images as a classifier sees them")]
pub struct ClassifierChecks {
    /// Compare the classes of samples and their features (Fréchet distance) with the training part; a small
    /// classifier is trained on that part, and kept in FILE (.safetensors) for the next time
    #[arg(long, value_name = "FILE")]
    pub classifier: Option<PathBuf>,
    /// Classes of the rows of the fit's data: an IDX file of labels, or a table [default: those of the fit]
    #[arg(long, value_name = "FILE", requires = "classifier")]
    pub labels: Option<PathBuf>,
    /// Column of the classes [default: the only one, or label]
    #[arg(long, value_name = "NAME", requires = "classifier")]
    pub label_column: Option<String>,
    /// Classes of the evaluated rows, for the classifier's accuracy on them
    #[arg(long, value_name = "FILE", requires = "classifier")]
    pub test_labels: Option<PathBuf>,
    /// Draw K samples of every class and count how many the classifier assigns to it; for a model fitted with --labels
    #[arg(long, value_name = "K", requires = "classifier", value_parser = at_least_one)]
    pub agreement: Option<usize>,
    /// How typical of their class the samples of --agreement are to be, as in sample
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "S",
        default_value_t = 1.0,
        requires = "agreement"
    )]
    pub guidance: f64,
}

impl ImageChecks {
    /// Whether anything is asked for.
    pub fn any(&self) -> bool {
        self.nearest.is_some() || self.map_statistics || self.classifier.classifier.is_some()
    }
}
