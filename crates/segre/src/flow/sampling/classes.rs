//! Samples of classes of rows.

use std::ops::Range;

use super::{Samples, SamplingOptions, sample_with};
use crate::data::Dataset;
use crate::flow::error::Result;
use crate::flow::model::Model;
use crate::progress::{Observer, Part};

/// Draws `count` samples of each of some classes, one class after the other.
///
/// # Errors
/// As [`Model::of_class`] and [`sample`](super::sample).
pub fn sample_classes(
    model: &Model,
    classes: Range<usize>,
    guidance: f64,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let mut labels = Vec::new();
    let (mut evaluations, mut entropy, mut seconds) = (0, 0.0, 0.0);
    for (place, class) in classes.clone().enumerate() {
        let of_class = model.of_class(class, guidance)?;
        // Classes do not share their noise.
        let options = SamplingOptions {
            seed: options.seed.wrapping_add(class as u64),
            ..options.clone()
        };
        let [from, to] = [place, place + 1].map(|place| place as f64 / classes.len() as f64);
        let mut part = Part::new(observer, "sample", from..to);
        let drawn = sample_with(&of_class, model, count, &options, &mut part)?;
        labels.extend_from_slice(drawn.data.labels());
        evaluations = evaluations.max(drawn.function_evaluations);
        entropy += drawn.mean_entropy / classes.len() as f64;
        seconds += drawn.seconds;
    }
    Ok(Samples {
        data: Dataset::new(model.schema().clone(), labels)?,
        function_evaluations: evaluations,
        log_probabilities: Vec::new(),
        mean_entropy: entropy,
        seconds,
    })
}
