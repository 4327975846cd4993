//! Sizes of the UNet, and presets for some sizes of images.

use serde::{Deserialize, Serialize};

use crate::network::check_size;
use crate::setting::InvalidSetting;

/// Most resolutions of a UNet: images of 2¹⁵ pixels side by side are beyond any memory.
const MOST_LEVELS: usize = 16;

/// Sizes of the UNet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnetConfig {
    /// Channels at full resolution, an even number.
    pub channels: usize,
    /// Channels of each resolution, from fine to coarse, as multiples of `channels`.
    pub multipliers: Vec<usize>,
    /// Residual blocks per resolution on the way down; one more on the way up.
    pub blocks: usize,
    /// Down-sampling rates (1, 2, 4, …) with attention after every residual block; the middle always has it.
    /// Rates that the network does not reach have no effect.
    pub attention: Vec<usize>,
    /// Heads of an attention; they share the channels.
    pub heads: usize,
    /// Probability with which a number in a residual block is dropped in training.
    pub dropout: f64,
    /// Number of classes of rows that the network is told, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
}

impl Default for UnetConfig {
    fn default() -> Self {
        Self::mnist()
    }
}

impl UnetConfig {
    /// For images of about 28 × 28 pixels. The rate of attention is not reached, so only the middle has it.
    ///
    /// Source: docs/mathematics.md §3.
    pub fn mnist() -> Self {
        Self {
            channels: 32,
            multipliers: vec![1, 2, 2, 2],
            blocks: 2,
            attention: vec![16],
            heads: 4,
            dropout: 0.0,
            classes: None,
        }
    }

    /// For label maps of about 128 × 256 pixels.
    ///
    /// Source: docs/mathematics.md §3.
    pub fn cityscapes() -> Self {
        Self {
            channels: 64,
            multipliers: vec![1, 1, 2, 3, 4],
            blocks: 3,
            attention: vec![32, 16, 8],
            heads: 4,
            dropout: 0.0,
            classes: None,
        }
    }

    /// For small images, and to see something soon.
    pub fn tiny() -> Self {
        Self {
            channels: 16,
            multipliers: vec![1, 2],
            blocks: 1,
            attention: vec![],
            heads: 4,
            dropout: 0.0,
            classes: None,
        }
    }

    pub(in crate::network) fn validate(&self) -> Result<(), InvalidSetting> {
        check_size("channels", self.channels, 1 << 16)?;
        check_size("blocks", self.blocks, 1 << 16)?;
        check_size("heads", self.heads, 1 << 16)?;
        if let Some(classes) = self.classes {
            check_size("number of classes", classes, 1 << 16)?;
        }
        let refuse = |name, value: usize, expected| {
            Err(InvalidSetting {
                name,
                value: value as f64,
                expected,
            })
        };
        if !self.channels.is_multiple_of(2) {
            return refuse("channels", self.channels, "even");
        }
        let levels = self.multipliers.len();
        if !(1..=MOST_LEVELS).contains(&levels) {
            return refuse("number of multipliers", levels, "from 1 to 16");
        }
        for multiplier in &self.multipliers {
            check_size("multiplier", *multiplier, 1 << 16)?;
        }
        for rate in &self.attention {
            if !rate.is_power_of_two() {
                return refuse("attention", *rate, "a down-sampling rate: 1, 2, 4, 8, …");
            }
        }
        // The middle has the channels of the last level.
        let attended = self.multipliers.iter().enumerate().filter(|(level, _)| {
            level + 1 == self.multipliers.len() || self.attention.contains(&(1 << level))
        });
        for (_, multiplier) in attended {
            if !(multiplier * self.channels).is_multiple_of(self.heads) {
                let expected = "a divisor of the channels of all levels with attention";
                return refuse("heads", self.heads, expected);
            }
        }
        if (0.0..1.0).contains(&self.dropout) {
            return Ok(());
        }
        Err(InvalidSetting {
            name: "dropout",
            value: self.dropout,
            expected: "at least 0 and below 1",
        })
    }
}
