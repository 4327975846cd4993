//! Arguments of the UNet, and of training on images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use segre::network::Precision;
use segre::recipe::Preset;

use super::at_least_one;

/// The sizes of the UNet.
#[derive(Debug, Args)]
#[command(next_help_heading = "UNet, for images")]
pub struct UnetSizes {
    /// Sizes of the UNet; the options below change them one by one [default: by the size of the images]
    #[arg(long, value_name = "NAME")]
    pub preset: Option<PresetName>,
    /// Channels at full resolution, an even number
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub channels: Option<usize>,
    /// Channels of each resolution from fine to coarse, as multiples of --channels, comma-separated
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub multipliers: Option<Vec<usize>>,
    /// Down-sampling rates with attention, comma-separated, 0 for none; the coarsest blocks always have it
    #[arg(long, value_name = "RATES", value_delimiter = ',')]
    pub attention: Option<Vec<usize>>,
    /// Heads of an attention
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub heads: Option<usize>,
    /// Whether to start from what neighbouring pixels say of each other along rows and columns, counted in the
    /// training data, so that the network learns the rest [default: true up to 64 categories]
    #[arg(long, value_name = "BOOL")]
    pub scanlines: Option<bool>,
    /// Of products in training; sums, parameters and scores have 32 bits always. bf16 is faster, and needs a
    /// processor with AVX-512 BF16; AMX is used where there is some [default: f32]
    #[arg(long, value_name = "WHICH")]
    pub precision: Option<PrecisionName>,
}

/// What the rows are shown as, and what is told of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "UNet, for images")]
pub struct Shown {
    /// Mirror each image, left and right exchanged, with probability 1/2 in every step (any network)
    #[arg(long)]
    pub flip: bool,
    /// Classes of the rows of DATA, for sample --class: an IDX file of labels, or a table
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// Column of the classes [default: the only one, or label]
    #[arg(long, value_name = "NAME", requires = "labels")]
    pub label_column: Option<String>,
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
