//! How pictures are to be read: size, grey levels, classes, padding.

use super::classes::ClassMap;
use crate::data::error::Result;
use crate::setting::InvalidSetting;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSize {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
}

impl ImageSize {
    /// Number of pixels.
    pub fn area(&self) -> usize {
        self.height * self.width
    }
}

impl fmt::Display for ImageSize {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}", self.height, self.width)
    }
}

/// How 8-bit grey values become labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Levels {
    /// Two labels: 1 where `value / 255` exceeds the threshold, else 0.
    Threshold(f64),
    /// `L` equal steps: label `⌊value · L / 256⌋`.
    Equal(usize),
}

impl Default for Levels {
    fn default() -> Self {
        Self::Threshold(0.5)
    }
}

impl Levels {
    /// Number of labels.
    pub fn count(&self) -> usize {
        match self {
            Self::Threshold(_) => 2,
            Self::Equal(count) => *count,
        }
    }

    /// The label of every grey value.
    pub(super) fn table(&self) -> [u16; 256] {
        std::array::from_fn(|value| match self {
            Self::Threshold(threshold) => u16::from(value as f64 / 255.0 > *threshold),
            Self::Equal(count) => (value * count / 256) as u16,
        })
    }

    /// What is to be said if nobody has chosen the levels and so many pixels are neither black nor white.
    pub(super) fn note(chosen: Option<Self>, grey: u64) -> Option<String> {
        (chosen.is_none() && grey > 0).then(|| {
            format!(
                "{grey} pixels are neither black nor white, and become 1 above half of the range, else 0; to cut elsewhere: \
                 `threshold`, to keep more: `levels`"
            )
        })
    }

    fn check(&self) -> Result<()> {
        let (name, value, expected) = match *self {
            Self::Threshold(value) => ("threshold", value, "at least 0 and below 1"),
            Self::Equal(count) => ("levels", count as f64, "from 2 to 256"),
        };
        let legal = match *self {
            Self::Threshold(value) => (0.0..1.0).contains(&value),
            Self::Equal(count) => (2..=256).contains(&count),
        };
        if legal {
            return Ok(());
        }
        Err(InvalidSetting {
            name,
            value,
            expected,
        }
        .into())
    }
}

/// What becomes of ignored ids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IgnoreAs {
    /// One class of their own, `ignored`, after the others.
    #[default]
    Class,
    /// Each pixel takes the class of the nearest pixel that is not ignored.
    Fill,
}

/// How to read pictures: IDX files and folders of PNG files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageOptions {
    /// Folders: grey pictures rather than label maps. IDX files always are.
    pub gray: bool,
    /// Grey pictures: `255 − value` in place of the value.
    pub invert: bool,
    /// Grey pictures: values to labels; a threshold of one half when `None`.
    pub levels: Option<Levels>,
    /// The size to bring every picture to, by nearest neighbours.
    pub size: Option<ImageSize>,
    /// The size that a network may pad pictures to; noted in the layout, no site is added.
    pub pad_to: Option<ImageSize>,
    /// Label maps: which class an id belongs to; each id is its own class when `None`.
    pub classes: Option<ClassMap>,
    /// Label maps: ids that mean nothing.
    pub ignore: Vec<u8>,
    /// Label maps: what becomes of ignored ids.
    pub ignore_as: IgnoreAs,
}

impl ImageOptions {
    /// Refuses values out of range.
    pub(super) fn check(&self) -> Result<()> {
        self.levels.unwrap_or_default().check()?;
        for (name, size) in [("size", self.size), ("pad", self.pad_to)] {
            if let Some(size) = size
                && !(1..=1 << 24).contains(&size.height.saturating_mul(size.width))
            {
                return Err(InvalidSetting {
                    name,
                    value: size.height as f64 * size.width as f64,
                    expected: "from 1 to 16777216 pixels",
                }
                .into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_range_is_two_equal_levels() {
        assert_eq!(Levels::Threshold(0.5).table(), Levels::Equal(2).table());
        let table = Levels::default().table();
        assert_eq!((table[127], table[128]), (0, 1));
        let four = Levels::Equal(4).table();
        assert_eq!(
            [0, 63, 64, 127, 128, 192, 255].map(|v| four[v]),
            [0, 0, 1, 1, 2, 3, 3]
        );
        let each = Levels::Equal(256).table();
        assert!((0..256).all(|value| usize::from(each[value]) == value));
    }

    #[test]
    fn levels_out_of_range_are_refused() {
        let check = |levels| {
            ImageOptions {
                levels: Some(levels),
                ..Default::default()
            }
            .check()
        };
        for bad in [
            Levels::Threshold(1.0),
            Levels::Threshold(f64::NAN),
            Levels::Threshold(-0.1),
            Levels::Equal(1),
            Levels::Equal(257),
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(Levels::Threshold(0.0)).is_ok() && check(Levels::Equal(256)).is_ok());
        let none = ImageSize {
            height: 0,
            width: 3,
        };
        assert!(
            ImageOptions {
                size: Some(none),
                ..Default::default()
            }
            .check()
            .is_err()
        );
    }
}
