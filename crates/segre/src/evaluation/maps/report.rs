//! Statistics of sampled label maps beside those of held-out ones.

use serde::Serialize;

use super::{MapDistance, MapStatistics};
use crate::data::Dataset;
use crate::evaluation::error::Result;

/// Distances of statistics from those of the training part.
///
/// Test data may come from elsewhere (another street, another day); the validation part is always drawn as
/// the training part is, so that a perfect model is as near as that, with as many images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MapReport {
    /// Images of samples and of the test part: as many of both.
    pub images: usize,
    /// Images of the validation part.
    pub validation_images: usize,
    /// Of samples.
    pub sample_to_train: MapDistance,
    /// Of the test part.
    pub test_to_train: MapDistance,
    /// Of the validation part.
    pub validation_to_train: MapDistance,
    /// Shares of the classes.
    pub frequencies: ClassShares,
}

/// Shares of pixels of every class, in the order of the classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassShares {
    /// Their names.
    pub classes: Vec<String>,
    /// Shares in samples.
    pub samples: Vec<f64>,
    /// Shares in the test part.
    pub test: Vec<f64>,
    /// Shares in the training part.
    pub train: Vec<f64>,
}

/// Compares samples, test and validation images with the training images.
///
/// # Errors
/// As [`MapStatistics::of`].
pub fn run(
    samples: &Dataset,
    train: &Dataset,
    validation: &Dataset,
    test: &Dataset,
) -> Result<MapReport> {
    // Statistics of few images scatter: both sides have the same number.
    let images = samples.rows().min(test.rows());
    let first = |data: &Dataset| MapStatistics::of(&data.select(&(0..images).collect::<Vec<_>>()));
    let (own, reference) = (first(samples)?, first(test)?);
    let known = MapStatistics::of(train)?;
    let classes = train.schema.max_categories() as u16;
    let name = |label| train.schema.category_name(0, label).into_owned();
    Ok(MapReport {
        images,
        sample_to_train: own.distance(&known),
        test_to_train: reference.distance(&known),
        validation_images: validation.rows(),
        validation_to_train: MapStatistics::of(validation)?.distance(&known),
        frequencies: ClassShares {
            classes: (0..classes).map(name).collect(),
            samples: own.frequencies,
            test: reference.frequencies,
            train: known.frequencies,
        },
    })
}
