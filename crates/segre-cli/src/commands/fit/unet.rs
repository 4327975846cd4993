//! The settings of a UNet: what the command line leaves open is chosen by the images.

use anyhow::{Result, ensure};
use segre::data::{Dataset, Layout};
use segre::network::{NetworkConfig, UnetConfig};

use crate::args::{Fit, HeadName, NetworkName, PresetName};

/// Fewest pixels and rows from which the UNet is the default for images: below, a residual network learns more in
/// the same time.
const LEAST_SITES: usize = 400;
const LEAST_ROWS: usize = 2_000;
/// Most categories for which messages along rows and columns cost little beside the network.
const MOST_SCANLINE_CATEGORIES: usize = 64;
/// Seconds of a run without a budget of its own on images of [`LEAST_SITES`] pixels.
pub const LONG_RUN: f64 = 1800.0;

/// The network that is asked for, or the default for the data.
pub fn network_name(arguments: &Fit, train: &Dataset) -> NetworkName {
    let image = matches!(train.schema.layout, Layout::Image { .. });
    let large = train.sites() >= LEAST_SITES && train.rows() >= LEAST_ROWS;
    let default = match image && large {
        true => NetworkName::Unet,
        false => NetworkName::Residual,
    };
    arguments.network.unwrap_or(default)
}

/// Whether a run without a budget should be a long one.
pub fn is_long(network: &NetworkConfig, train: &Dataset) -> bool {
    matches!(network, NetworkConfig::Unet(_)) && train.sites() >= LEAST_SITES
}

/// Refuses options that the network has no use for, which would otherwise be ignored.
pub fn refuse_useless(arguments: &Fit, network: NetworkName) -> Result<()> {
    if network != NetworkName::Unet {
        let given = arguments.unet.given();
        ensure!(
            given.is_none(),
            "{} is for --network unet; add that, or leave the option out",
            given.unwrap_or_default()
        );
        ensure!(
            arguments.shown.labels.is_none(),
            "--labels is for --network unet, which needs images; add that, or leave the option out"
        );
        return Ok(());
    }
    ensure!(
        arguments.unet.scanlines != Some(true) || arguments.head == HeadName::Posterior,
        "--scanlines is for --head posterior, whose logits it starts; leave one of them out"
    );
    let useless = [
        ("--hidden", arguments.hidden.is_some(), "use --channels"),
        (
            "--components",
            arguments.components.is_some(),
            "leave it out",
        ),
        ("--affinity", arguments.affinity.is_some(), "leave it out"),
    ];
    for (option, given, remedy) in useless {
        ensure!(
            !given,
            "{option} means nothing to the network unet (the default for images of {LEAST_SITES} pixels and \
             {LEAST_ROWS} rows); {remedy}, or choose --network residual"
        );
    }
    Ok(())
}

/// The sizes: a preset by the size of the images, and what is asked for.
pub fn unet_config(arguments: &Fit, train: &Dataset) -> UnetConfig {
    let sizes = &arguments.unet;
    let side = match train.schema.layout {
        Layout::Image { height, width, .. } => height.max(width),
        _ => 0,
    };
    let preset = sizes.preset.unwrap_or(match side {
        0..20 => PresetName::Tiny,
        20..=64 => PresetName::Mnist,
        _ => PresetName::Cityscapes,
    });
    let preset = match preset {
        PresetName::Tiny => UnetConfig::tiny(),
        PresetName::Mnist => UnetConfig::mnist(),
        PresetName::Cityscapes => UnetConfig::cityscapes(),
    };
    let none = |rates: &Vec<usize>| rates == &[0];
    UnetConfig {
        channels: sizes.channels.unwrap_or(preset.channels),
        multipliers: sizes.multipliers.clone().unwrap_or(preset.multipliers),
        blocks: arguments.blocks.unwrap_or(preset.blocks),
        attention: match &sizes.attention {
            Some(rates) if none(rates) => vec![],
            Some(rates) => rates.clone(),
            None => preset.attention,
        },
        heads: sizes.heads.unwrap_or(preset.heads),
        // Convolutions share what they learn among pixels, so they need less of it than dense layers.
        dropout: arguments.dropout.unwrap_or(match train.rows() {
            0..5_000 => 0.1,
            _ => preset.dropout,
        }),
        classes: None,
    }
}

/// Whether the posteriors start from messages along rows and columns, whose cost grows with the square of the categories.
pub fn scanlines(arguments: &Fit, network: NetworkName, train: &Dataset) -> bool {
    let few = train.schema.max_categories() <= MOST_SCANLINE_CATEGORIES;
    // A prior says it better.
    let default = few && arguments.head == HeadName::Posterior && arguments.prior.is_none();
    network == NetworkName::Unet && arguments.unet.scanlines.unwrap_or(default)
}

/// Rows of a step: about as many pixels in each, 64 rows of 28 × 28 and 4 of 128 × 256.
pub fn batch_size(sites: usize) -> usize {
    let rows = (65_536 / sites).clamp(4, 128);
    1 << rows.ilog2()
}

/// Validations of a run: each costs as much as a few steps.
pub const VALIDATIONS: u32 = 10;

/// Rows of a validation: what fits a cost, within limits.
pub fn validation_rows(sites: usize) -> usize {
    (65_536 / sites).clamp(16, 512)
}

/// Most rows of the test part that are scored at the end of a fit, spread over it.
pub fn test_rows(sites: usize) -> usize {
    (524_288 / sites).clamp(64, 4096)
}

/// The largest learning rate: lower for steps of few rows.
pub fn learning_rate(batch_size: usize) -> f64 {
    match batch_size {
        0..16 => 2e-4,
        _ => 1e-3,
    }
}
