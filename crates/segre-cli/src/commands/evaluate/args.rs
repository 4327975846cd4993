//! Arguments of `segre evaluate`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use crate::args::{Accuracy, ConditionalChecks, Sampling, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre evaluate runs/digits                     the test part of the fit's data
  segre evaluate runs/table held_out.csv         other data
  segre evaluate runs/pinwheel --samples 512000  also divergence from the known distribution
  segre evaluate runs/mnist --nearest 5 --out-dir pictures  the nearest training images of samples
  segre evaluate runs/maps --map-statistics      classes, neighbours and regions of samples
  segre evaluate runs/table --impute 0.2         hidden fields filled in, beside simpler methods
  segre evaluate runs/table --quality            shapes, trends, usefulness and privacy of samples
  segre evaluate runs/table --quality --synthetic other.csv  the same of a file
  segre evaluate runs/pf00014 --contacts distances.dat  which places depend on each other, beside a structure
  segre evaluate runs/pinwheel --conditionals 50 conditionals beside the exact ones
  segre evaluate runs/digits10 --classifier digits.safetensors --agreement 100   as a classifier sees samples
  segre evaluate runs/mnist --ood omniglot --ood-invert --ood shuffled --out-dir pictures  tell other data apart")]
pub struct Evaluate {
    /// Folder of the model
    pub model: PathBuf,
    /// Built-in name or file [default: the test part of the fit's data]
    pub data: Option<String>,
    /// Most rows to score, evenly spread [default: all]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub rows: Option<usize>,
    /// Samples for the divergence from a known distribution
    #[arg(long, value_name = "N", default_value_t = 512_000, value_parser = at_least_one)]
    pub samples: usize,
    /// Also hide this share of the cells and fill them in: log score and accuracy beside independent sites, the
    /// Chow–Liu tree and nearest rows
    #[arg(allow_negative_numbers = true, long, value_name = "SHARE", value_parser = share)]
    pub impute: Option<f64>,
    /// Alignments: also how many of the pairs of places that depend most on each other are in contact, by a file of lines
    /// `i j distance`: places from 1, ångström in the last field
    #[arg(long, value_name = "STRUCTURE")]
    pub contacts: Option<PathBuf>,
    #[command(flatten)]
    pub quality: QualityChecks,
    #[command(flatten)]
    pub conditionals: ConditionalChecks,
    #[command(flatten)]
    pub outliers: Outliers,
    #[command(flatten)]
    pub images: ImageChecks,
    #[command(flatten)]
    pub accuracy: Accuracy,
    #[command(flatten)]
    pub sampling: Sampling,
}

/// Whether rows of a table are like real ones, of use, and no copies.
#[derive(Debug, Args)]
#[command(next_help_heading = "Quality of a table's rows")]
pub struct QualityChecks {
    /// Instead of the likelihood: compare rows drawn from the model with the training part (shapes of columns, trends of
    /// pairs, a classifier's view), with the test part (usefulness), and with both (copies, distances, an attack on
    /// membership)
    #[arg(long, conflicts_with_all = ["rows", "impute", "contacts", "conditionals", "ood", "nearest", "map_statistics", "classifier"])]
    pub quality: bool,
    /// Rows to judge instead of drawing them
    #[arg(long, value_name = "FILE", requires = "quality")]
    pub synthetic: Option<String>,
    /// Column whose prediction shows usefulness [default: the last one of 2 to 20 categories]
    #[arg(long, value_name = "COLUMN", requires = "quality")]
    pub target: Option<String>,
}

/// Other data that the model should tell from its own.
#[derive(Debug, Args)]
#[command(next_help_heading = "Outliers")]
pub struct Outliers {
    /// Data from elsewhere, or shuffled, inverted or constant rows of the test part; may be repeated. Pictures are
    /// brought to the model's size. With --out-dir: histograms, extreme images and the scores of all rows
    #[arg(long, value_name = "DATA")]
    pub ood: Vec<String>,
    /// Most rows of each set, evenly spread
    #[arg(allow_negative_numbers = true, long, value_name = "N", default_value_t = 1000, value_parser = at_least_one)]
    pub ood_rows: usize,
    /// In pictures of --ood dark is ink
    #[arg(long)]
    pub ood_invert: bool,
}

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

/// A share of cells, between 0 and 1.
pub fn share(text: &str) -> Result<f64> {
    let share: f64 = text.parse()?;
    ensure!(share > 0.0 && share < 1.0, "must be between 0 and 1");
    Ok(share)
}
