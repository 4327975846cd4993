//! A small classifier of images, to judge samples with: classes of samples, and a distance of distributions.
//!
//! It is trained on the training rows of a data set with classes ([`Classifier::train`]) and never sees the others.
//! What it says of new rows is a [`Classification`]: the likeliest class, and the features that the decision is
//! made of. [`Moments`] of features have a Fréchet distance; [`run`] puts samples beside held-out rows.

mod moments;
mod network;
mod report;
mod saving;
mod sets;
mod training;

pub use moments::Moments;
pub use report::{Agreement, ClassifierReport, Shares, agreement, run};
pub use sets::SetDistances;
pub use training::ClassifierConfig;

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use self::network::{ClassifierNetwork, FEATURES, Sizes};
use crate::data::DataError;
use crate::data::{Dataset, Layout, Schema};
use crate::evaluation::error::Result;
use crate::learning::parameters::host_values;
use crate::progress::{Observer, Progress};

/// Pixels that are computed together: all rows at once would need memory without being faster.
const MOST_PIXELS: usize = 1 << 17;

/// A trained classifier of images.
///
/// Convolutions of stride 2 (32, then 64 channels; group normalisation, SiLU) until no side has more than 4
/// pixels, 64 features, one logit for each class.
#[derive(Clone, Debug)]
pub struct Classifier {
    network: ClassifierNetwork,
    card: ClassifierCard,
    device: Device,
}

/// What a classifier is for, and what it was trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierCard {
    /// Version of Segre that trained it.
    pub version: String,
    /// Height and width of the images.
    pub image: [usize; 2],
    /// Categories of a pixel.
    pub categories: usize,
    /// How the user writes each class.
    pub classes: Vec<String>,
    /// Training rows.
    pub rows: usize,
    /// Checksum (CRC-32) of the training rows and their classes.
    pub fingerprint: u32,
    /// Seed of the training.
    pub seed: u64,
    /// Steps of the training.
    pub steps: u64,
    /// Rows of a step.
    pub batch_size: usize,
}

/// What a classifier says of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Classification {
    /// The likeliest class of each row.
    pub classes: Vec<u16>,
    /// The numbers that the logits are linear in, `[rows, width]`, row after row.
    pub features: Vec<f32>,
    /// Features of one row.
    pub width: usize,
}

impl Classifier {
    /// What it is for.
    pub fn card(&self) -> &ClassifierCard {
        &self.card
    }

    /// Classifies rows.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] for images of another size or other categories, [`DataError::NotAnImage`] for other
    /// data, [`Interrupted`](crate::Interrupted).
    pub fn classify(&self, data: &Dataset, observer: &mut dyn Observer) -> Result<Classification> {
        self.check(&data.schema)?;
        let together = (MOST_PIXELS / data.sites()).max(1);
        let mut found = Classification {
            classes: Vec::with_capacity(data.rows()),
            features: Vec::with_capacity(data.rows() * FEATURES),
            width: FEATURES,
        };
        let rows: Vec<&[u16]> = data.iter().collect();
        Progress::pieces("classify", "row", 0, data.rows()).tell(observer)?;
        for rows in rows.chunks(together) {
            let images = images(rows, self.card.image, self.card.categories, &self.device);
            let (features, logits) = self.network.forward(images);
            found.features.extend(host_values(features));
            let logits = host_values(logits);
            let classes = logits.chunks_exact(self.card.classes.len()).map(likeliest);
            found.classes.extend(classes);
            Progress::pieces("classify", "row", found.classes.len(), data.rows()).tell(observer)?;
        }
        Ok(found)
    }

    /// Refuses images that it was not trained for.
    fn check(&self, schema: &Schema) -> Result<()> {
        let (image, categories) = image_of(schema)?;
        let expected = (self.card.image, self.card.categories);
        if (image, categories) == expected {
            return Ok(());
        }
        let words = |([height, width], categories): ([usize; 2], usize)| {
            format!("{height}×{width} with {categories} categories")
        };
        Err(DataError::SchemaMismatch {
            what: "the size of the images that are to be classified".into(),
            expected: words(expected),
            found: words((image, categories)),
        }
        .into())
    }
}

impl Classification {
    /// Share of rows that are assigned to their known class; NaN without rows.
    ///
    /// # Panics
    /// If there are not as many known classes as rows.
    pub fn accuracy(&self, known: &[u16]) -> f64 {
        assert_eq!(known.len(), self.classes.len(), "one class for every row");
        let right = self.classes.iter().zip(known).filter(|(a, b)| a == b);
        right.count() as f64 / known.len() as f64
    }

    /// Share of rows that are assigned to each of `count` classes.
    pub fn shares(&self, count: usize) -> Vec<f64> {
        let mut shares = vec![0.0; count];
        for class in &self.classes {
            shares[usize::from(*class)] += 1.0 / self.classes.len() as f64;
        }
        shares
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let width = self.width;
        let features = |row: &usize| &self.features[row * width..(row + 1) * width];
        Self {
            classes: rows.iter().map(|row| self.classes[*row]).collect(),
            features: rows.iter().flat_map(features).copied().collect(),
            width,
        }
    }
}

/// Half of the summed differences of two lists of shares: 0 for equal ones, 1 without a common class.
///
/// # Panics
/// If the lists differ in length.
pub fn total_variation(first: &[f64], second: &[f64]) -> f64 {
    assert_eq!(first.len(), second.len(), "shares of the same classes");
    let differences = first.iter().zip(second).map(|(a, b)| (a - b).abs());
    differences.sum::<f64>() / 2.0
}

/// Size of the images and number of categories, if the data are images of one vocabulary.
fn image_of(schema: &Schema) -> Result<([usize; 2], usize)> {
    let (Layout::Image { height, width, .. }, [vocabulary]) =
        (&schema.layout, &schema.vocabularies[..])
    else {
        return Err(DataError::NotAnImage {
            what: "the classifier",
            remedy: "leave it out",
            found: schema.layout.describe(),
        }
        .into());
    };
    Ok(([*height, *width], vocabulary.count()))
}

/// Rows as indicators of categories with mean 0 and variance 1 for a uniform label, channels last.
fn images(
    rows: &[&[u16]],
    [height, width]: [usize; 2],
    categories: usize,
    device: &Device,
) -> Tensor<4> {
    let root = ((categories - 1).max(1) as f32).sqrt();
    let (off, on) = (-1.0 / root, (categories as f32 - 1.0) / root);
    let mut values = vec![off; rows.len() * height * width * categories];
    let labels = rows.iter().flat_map(|row| row.iter());
    for (pixel, label) in values.chunks_exact_mut(categories).zip(labels) {
        pixel[usize::from(*label)] = on;
    }
    let shape = [rows.len(), height, width, categories];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The place of the largest value; of equal ones the first.
fn likeliest(logits: &[f32]) -> u16 {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best as u16
}

impl ClassifierCard {
    fn sizes(&self) -> Sizes {
        Sizes {
            image: self.image,
            categories: self.categories,
            classes: self.classes.len(),
        }
    }
}
