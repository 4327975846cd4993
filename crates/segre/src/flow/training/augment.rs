//! The rows of a step as the model is shown them: mirrored by chance, their classes hidden by chance.

use std::borrow::Cow;

use rand::RngExt;

use super::TrainingConfig;
use crate::data::DataError;
use crate::data::{Dataset, Layout};
use crate::flow::config::ModelConfig;
use crate::flow::error::Result;
use crate::flow::model::Model;
use crate::random::{Purpose, generator, row_generator};

/// Share of rows whose class is hidden, from which the model learns the distribution of all classes.
///
/// Source: Ho & Salimans 2022, arXiv 2207.12598, §4 (0.1 and 0.2 do best there).
const HIDDEN: f64 = 0.1;

/// Rows of a step.
pub(super) struct Rows<'a> {
    pub labels: Vec<Cow<'a, [u16]>>,
    /// Where the model is told classes: that of each row, `None` where it is hidden.
    pub classes: Option<Vec<Option<u16>>>,
}

/// The chosen rows of the training data. Every row has a generator of its own, a function of seed, step and place
/// in the batch.
pub(super) fn rows<'a>(
    model: &Model,
    config: &TrainingConfig,
    train: &'a Dataset,
    chosen: &[usize],
    step: u64,
) -> Rows<'a> {
    let known = train
        .classes()
        .filter(|_| model.config.network.classes().is_some());
    if !config.flip && known.is_none() {
        let labels = chosen.iter().map(|row| Cow::Borrowed(train.row(*row)));
        return Rows {
            labels: labels.collect(),
            classes: None,
        };
    }
    let base = generator(config.seed, Purpose::Augment, step);
    let width = match train.schema.layout {
        Layout::Image { width, .. } => width,
        _ => train.sites(),
    };
    let draw = |(place, row): (usize, &usize)| {
        let mut rng = row_generator(&base, place);
        // Both are drawn always, so that neither changes the other.
        let (mirrored, hidden) = (rng.random_bool(0.5), rng.random_bool(HIDDEN));
        let labels = match config.flip && mirrored {
            true => Cow::Owned(mirror(train.row(*row), width)),
            false => Cow::Borrowed(train.row(*row)),
        };
        (labels, known.filter(|_| !hidden).map(|known| known[*row]))
    };
    let (labels, classes) = chosen.iter().enumerate().map(draw).unzip();
    Rows {
        labels,
        classes: known.map(|_| classes),
    }
}

/// An image with left and right exchanged.
fn mirror(image: &[u16], width: usize) -> Vec<u16> {
    let rows = image.chunks(width);
    rows.flat_map(|row| row.iter().rev().copied()).collect()
}

/// Refuses what cannot be done with these data.
pub(super) fn check(model: &ModelConfig, config: &TrainingConfig, train: &Dataset) -> Result<()> {
    if config.flip && !matches!(train.schema.layout, Layout::Image { .. }) {
        return Err(DataError::NotAnImage {
            what: "mirroring (`flip`)",
            found: train.schema.layout.describe(),
            remedy: "leave it out",
        }
        .into());
    }
    let Some(count) = model.network.classes() else {
        return Ok(());
    };
    let refuse = |problem, remedy| Err(DataError::BadClasses { problem, remedy }.into());
    if !model.head.has_context() {
        return refuse(
            "they need the posterior head",
            "leave out `head = field` or `labels`",
        );
    }
    match train.classes() {
        None => refuse("the data have none", "give them with `labels = FILE`"),
        Some(classes) if classes.iter().any(|class| usize::from(*class) >= count) => refuse(
            "a row has a class beyond the number in the settings",
            "set the number of classes to the largest class and one",
        ),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::mirror;

    #[test]
    fn a_mirrored_image_has_its_rows_reversed() {
        let image = [1, 2, 3, 4, 5, 6];
        assert_eq!(mirror(&image, 3), [3, 2, 1, 6, 5, 4]);
        assert_eq!(mirror(&mirror(&image, 3), 3), image);
    }
}
