//! The UNet: when it is the default, its sizes by those of the images, and what it starts from.

use super::choices::{NetworkChoices, Recipe};
use super::{Facts, Preset};
use crate::flow::Head;
use crate::network::{NetworkConfig, UnetConfig};

/// Fewest pixels and rows from which the UNet is the default for images: below, a residual network learns more in
/// the same time.
pub(super) const LEAST_SITES: usize = 400;
const LEAST_ROWS: usize = 2_000;
/// Fewest sites of a grid from which it is the default where rows are drawn as wanted.
const LEAST_SITES_DRAWN: usize = 65;
/// Most categories for which messages along rows and columns cost little beside the network.
const MOST_SCANLINE_CATEGORIES: usize = 64;

/// Whether the data are for a UNet rather than a residual network.
pub(super) fn is_default(facts: &Facts) -> bool {
    facts.is_image()
        && match facts.rows {
            Some(rows) => facts.sites >= LEAST_SITES && rows >= LEAST_ROWS,
            None => facts.sites >= LEAST_SITES_DRAWN,
        }
}

/// The sizes: a preset by the size of the images, and what is asked for.
pub(super) fn choose(own: &NetworkChoices, facts: &Facts) -> UnetConfig {
    let preset = match own.preset.unwrap_or(preset(facts)) {
        Preset::Tiny => UnetConfig::tiny(),
        Preset::Mnist => UnetConfig::mnist(),
        Preset::Cityscapes => UnetConfig::cityscapes(),
    };
    UnetConfig {
        channels: own.channels.unwrap_or(preset.channels),
        multipliers: own.multipliers.clone().unwrap_or(preset.multipliers),
        blocks: own.blocks.unwrap_or(preset.blocks),
        attention: own.attention.clone().unwrap_or(preset.attention),
        heads: own.heads.unwrap_or(preset.heads),
        // Convolutions share what they learn among pixels, so they need less of it than dense layers.
        dropout: own.dropout.unwrap_or(match facts.rows_at_hand() {
            0..5_000 => 0.1,
            _ => preset.dropout,
        }),
        classes: facts.classes,
    }
}

fn preset(facts: &Facts) -> Preset {
    match facts.side() {
        0..20 => Preset::Tiny,
        20..=64 => Preset::Mnist,
        _ => Preset::Cityscapes,
    }
}

/// Whether the posteriors start from messages along rows and columns, whose cost grows with the square of the categories.
pub(super) fn scanlines(recipe: &Recipe, facts: &Facts, network: &NetworkConfig) -> bool {
    let few = facts.categories <= MOST_SCANLINE_CATEGORIES;
    let posterior = recipe.model.head.unwrap_or_default() == Head::Posterior;
    // Without data there is nothing to count.
    let default = few && posterior && facts.rows.is_some();
    matches!(network, NetworkConfig::Unet(_)) && recipe.model.scanlines.unwrap_or(default)
}
