//! Arguments of `segre fit`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use segre::flow::Head;
use segre::recipe::{Conditional, NetworkKind, PathKind, parse_time};

use super::{Reading, Shown, UnetSizes, at_least_one};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre fit digits --out runs/digits
  segre fit mushroom.csv --out runs/mushroom --time 2m
  segre fit pinwheel --out runs/pinwheel --steps 4000 --seed 1
  segre fit digits --out runs/digits --resume               go on after Ctrl-C or a crash
  segre fit train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --out runs/mnist --time 2h
  segre fit coupled-binary --out runs/cb --head field --path e-geodesic --network linear

A run limited by --steps repeats exactly with the same seed, also when interrupted and resumed.")]
pub struct Fit {
    /// Built-in name or file
    pub data: String,
    /// Folder for the model; must not exist, or see --resume and --force
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on with the run in --out, with its settings; --time and --steps may be raised
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,
    /// Replace what a former run left in --out
    #[arg(long)]
    pub force: bool,
    /// Wall time of training, as 90s, 10m or 1h [default, unless --steps is given: 90s; 30m for a unet on images of 400
    /// pixels or more]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub time: Option<Duration>,
    /// Steps of training
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// What the network predicts [default: posterior]
    #[arg(long, value_name = "NAME")]
    pub head: Option<HeadName>,
    /// Probability path [default: infinite]
    #[arg(long, value_name = "NAME")]
    pub path: Option<PathName>,
    /// Rate λ of the infinite path [default: 0.5]
    #[arg(allow_negative_numbers = true, long, value_name = "RATE")]
    pub rate: Option<f64>,
    /// Shape of the Gamma distribution of training times (field head, infinite path) [default: 1]
    #[arg(allow_negative_numbers = true, long, value_name = "K")]
    pub time_shape: Option<f64>,
    /// Rate of the Gamma distribution of training times (field head, infinite path) [default: 0.25]
    #[arg(allow_negative_numbers = true, long, value_name = "R")]
    pub time_rate: Option<f64>,
    /// Time at which a flow of the infinite path ends (field head) [default: 15]
    #[arg(allow_negative_numbers = true, long, value_name = "T")]
    pub end_time: Option<f64>,
    /// Network [default: residual; unet for images of at least 400 pixels and 2000 rows]
    #[arg(long, value_name = "NAME")]
    pub network: Option<NetworkName>,
    /// Width of hidden layers (channels of the cnn) [default: by network and data]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub hidden: Option<usize>,
    /// Residual blocks; of the unet, per resolution [default: 2; of the unet, by its preset]
    #[arg(long, value_name = "N")]
    pub blocks: Option<usize>,
    /// Components of the residual network's mixture of products, 0 for none [default: by the data]
    #[arg(long, value_name = "N")]
    pub components: Option<usize>,
    /// Whether columns of one vocabulary may repeat each other's labels [default: where there are 2 to 8 of them]
    #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set)]
    pub affinity: Option<bool>,
    /// Dropout of the residual network and the unet [default: by the number of rows]
    #[arg(allow_negative_numbers = true, long, value_name = "P")]
    pub dropout: Option<f64>,
    /// Which conditionals the model learns beside the joint distribution, for impute and predict [default: any for
    /// a table and posterior head]
    #[arg(long, value_name = "WHICH")]
    pub conditional: Option<ConditionalName>,
    /// Rows per step
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub batch_size: Option<usize>,
    /// Largest learning rate of Adam; warm-up and cosine decay are applied [default: 0.001; 0.0002 for a unet with
    /// fewer than 16 rows per step]
    #[arg(allow_negative_numbers = true, long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// Decoupled weight decay [default: 0]
    #[arg(allow_negative_numbers = true, long, value_name = "RATE")]
    pub weight_decay: Option<f64>,
    /// Validations, spread over the budget; each also saves the run [default: 20; fewer for a unet]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub validations: Option<u32>,
    /// Validations without improvement before training stops early [default: 8]
    #[arg(long, value_name = "N")]
    pub patience: Option<u32>,
    /// Fraction of rows for validation [default: 0.1]
    #[arg(allow_negative_numbers = true, long, value_name = "FRACTION")]
    pub validation: Option<f64>,
    /// Fraction of rows for the test [default: 0.1]
    #[arg(allow_negative_numbers = true, long, value_name = "FRACTION")]
    pub test: Option<f64>,
    /// The test part: a built-in name or file of its own; --test rows of DATA when it is not given
    #[arg(long, value_name = "DATA", conflicts_with = "test")]
    pub test_data: Option<String>,
    #[command(flatten)]
    pub unet: UnetSizes,
    #[command(flatten)]
    pub shown: Shown,
    #[command(flatten)]
    pub reading: Reading,
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

/// Networks by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NetworkName {
    /// Site embeddings and residual dense blocks
    Residual,
    /// Batch normalisation, dense layers, ReLU (two layers of --hidden)
    Dense,
    /// One-dimensional convolutions
    Cnn,
    /// Convolutions over images, from fine to coarse and back
    Unet,
    /// One matrix
    Linear,
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

impl From<NetworkName> for NetworkKind {
    fn from(name: NetworkName) -> Self {
        match name {
            NetworkName::Residual => Self::Residual,
            NetworkName::Dense => Self::Dense,
            NetworkName::Cnn => Self::Cnn,
            NetworkName::Unet => Self::Unet,
            NetworkName::Linear => Self::Linear,
        }
    }
}
