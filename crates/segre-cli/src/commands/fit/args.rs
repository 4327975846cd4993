//! Arguments of `segre fit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use segre::flow::Head;
use segre::network::Precision;
use segre::recipe::{Conditional, PathKind, Preset, parse_time};

use crate::args::{NetworkName, Reading, RecipeArguments, at_least_one};

#[derive(Debug, Args)]
#[command(
    after_help = "All options, and examples: segre fit --help. All settings: segre fit DATA --print-recipe",
    after_long_help = "Examples:
  segre fit digits --out runs/digits
  segre fit mushroom.csv --out runs/mushroom --time 2m
  segre fit pinwheel --out runs/pinwheel --steps 4000 --seed 1
  segre fit digits --out runs/digits --resume               go on after Ctrl-C or a crash
  segre fit train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --out runs/mnist --time 2h
  segre fit coupled-binary --out runs/cb --head field --path e-geodesic --network linear
  segre fit digits --print-recipe > digits.toml             every setting, explained; to be edited and then
  segre fit digits --out runs/mine --recipe digits.toml --set network.components=16

A run limited by --steps repeats exactly with the same seed, also when interrupted and resumed."
)]
pub struct Fit {
    /// Built-in name or file
    pub data: String,
    /// Folder for the model; must not exist, or see --resume and --force
    #[arg(
        long,
        short,
        value_name = "DIR",
        required_unless_present = "print_recipe"
    )]
    pub out: Option<PathBuf>,
    /// Go on with the run in --out
    ///
    /// With its settings; --time and --steps may be raised.
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replace what a former run left in --out
    #[arg(long)]
    pub force: bool,
    /// Write a page about the model too, as segre report does
    #[arg(long, hide_short_help = true)]
    pub report: bool,
    #[command(flatten)]
    pub recipe: RecipeArguments,
    #[command(flatten)]
    pub training: TrainingArguments,
    #[command(flatten)]
    pub model: ModelArguments,
    #[command(flatten)]
    pub images: ImageArguments,
    #[command(flatten)]
    pub parts: PartArguments,
    #[command(flatten)]
    pub reading: Reading,
}

/// Steps, time and the optimiser.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub struct TrainingArguments {
    /// Wall time of training, as 90s, 10m or 1h [default: 90s]
    ///
    /// 30m for a unet on images of 400 pixels or more; none if --steps is given.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub time: Option<Duration>,
    /// Steps of training; with them alone a run repeats exactly
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Learn conditionals too, as for tables
    ///
    /// For impute and predict. Without the option any for a table and posterior head, else none.
    #[arg(long, value_name = "WHICH")]
    pub conditional: Option<ConditionalName>,
    /// Rows per step [default: by the data]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub batch_size: Option<usize>,
    /// Largest learning rate of Adam [default: 0.001]
    ///
    /// 0.0002 for a unet with fewer than 16 rows per step. Warm-up and cosine decay are applied.
    #[arg(allow_negative_numbers = true, long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
}

/// Network, head and path.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArguments {
    /// What learns
    ///
    /// Without the option residual, and unet for images of at least 400 pixels and 2000 rows.
    #[arg(long, value_name = "NAME")]
    pub network: Option<NetworkName>,
    /// Width of hidden layers [default: by network and data]
    ///
    /// Of the cnn its channels; not for the unet.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub hidden: Option<usize>,
    /// Residual blocks; of the unet, per resolution [default: 2; of the unet, by its preset]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub blocks: Option<usize>,
    /// Dropout of the residual network and the unet [default: by the number of rows]
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "P",
        hide_short_help = true
    )]
    pub dropout: Option<f64>,
    /// What the network predicts [default: posterior]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub head: Option<HeadName>,
    /// Probability path [default: infinite]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub path: Option<PathName>,
}

/// Images and their classes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Images")]
pub struct ImageArguments {
    /// Classes of the rows of DATA, for sample --class: a file
    ///
    /// An IDX file of labels, an array with one for every row (.npy, .npz), or a table. For the unet.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Column of the classes [default: the only one, or label]
    #[arg(long, value_name = "NAME", requires = "labels", hide_short_help = true)]
    pub label_column: Option<String>,
    /// Mirror each image, left and right exchanged, with probability 1/2 in every step (any network)
    #[arg(long, hide_short_help = true)]
    pub flip: bool,
    /// Sizes of the unet [default: by the size of the images]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    pub preset: Option<PresetName>,
    /// Channels of the unet at full resolution, an even number [default: by the preset]
    #[arg(long, value_name = "N", value_parser = at_least_one, hide_short_help = true)]
    pub channels: Option<usize>,
    /// Precision of the unet's products in training [default: f32]
    ///
    /// Sums, parameters and scores have 32 bits always. bf16 is faster, and needs a processor with AVX-512 BF16; AMX is
    /// used where there is some.
    #[arg(long, value_name = "WHICH", hide_short_help = true)]
    pub precision: Option<PrecisionName>,
}

/// Parts of the data.
#[derive(Debug, Args)]
#[command(next_help_heading = "Parts of the data")]
pub struct PartArguments {
    /// The test part: a built-in name or file of its own
    #[arg(long, value_name = "DATA", conflicts_with = "test")]
    pub test_data: Option<String>,
    /// Fraction of rows for validation [default: 0.1]
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "FRACTION",
        hide_short_help = true
    )]
    pub validation: Option<f64>,
    /// Fraction of rows for the test [default: 0.1]
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "FRACTION",
        hide_short_help = true
    )]
    pub test: Option<f64>,
}

/// Heads by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HeadName {
    /// Posterior of the labels, by cross-entropy (best)
    Posterior,
    /// Velocity field, by the papers' Riemannian loss
    Field,
}

/// Conditionals by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConditionalName {
    /// None
    None,
    /// Any sites given any others
    Any,
}

/// Paths by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PathName {
    /// Infinite-time straight line in e-coordinates
    Infinite,
    /// Finite-time e-geodesic
    EGeodesic,
    /// Straight line on the simplex (for comparison)
    Linear,
    /// Dirichlet distributions of growing concentration (for comparison)
    Dirichlet,
    /// Fisher–Rao geodesic: great circle on the sphere (for comparison)
    GreatCircle,
    /// Absorbing-state (masked) diffusion (for comparison)
    Masked,
}

/// Presets of the UNet by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetName {
    /// 16 channels, 2 resolutions: below 20 pixels, or to see something soon
    Tiny,
    /// 32 channels, 4 resolutions: up to 64 pixels
    Mnist,
    /// 64 channels, 5 resolutions: beyond
    Cityscapes,
}

/// Precisions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionName {
    /// 32 bits
    F32,
    /// bfloat16: factors are rounded to 8 bits of precision
    Bf16,
}

impl From<HeadName> for Head {
    fn from(name: HeadName) -> Self {
        match name {
            HeadName::Posterior => Self::Posterior,
            HeadName::Field => Self::Field,
        }
    }
}

impl From<ConditionalName> for Conditional {
    fn from(name: ConditionalName) -> Self {
        match name {
            ConditionalName::None => Self::None,
            ConditionalName::Any => Self::Any,
        }
    }
}

impl From<PathName> for PathKind {
    fn from(name: PathName) -> Self {
        match name {
            PathName::Infinite => Self::Infinite,
            PathName::EGeodesic => Self::EGeodesic,
            PathName::Linear => Self::Linear,
            PathName::Dirichlet => Self::Dirichlet,
            PathName::GreatCircle => Self::GreatCircle,
            PathName::Masked => Self::Masked,
        }
    }
}

impl From<PresetName> for Preset {
    fn from(name: PresetName) -> Self {
        match name {
            PresetName::Tiny => Self::Tiny,
            PresetName::Mnist => Self::Mnist,
            PresetName::Cityscapes => Self::Cityscapes,
        }
    }
}

impl From<PrecisionName> for Precision {
    fn from(name: PrecisionName) -> Self {
        match name {
            PrecisionName::F32 => Self::F32,
            PrecisionName::Bf16 => Self::Bf16,
        }
    }
}
