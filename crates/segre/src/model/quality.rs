//! Synthetic rows beside real ones: those of a model, or of two tables without one.

use super::Model;
use crate::data::{Dataset, Split};
use crate::error::Result;
use crate::evaluation::quality::{self, QualityOptions, QualityReport};
use crate::progress::{Observer, Part};
use crate::run::Parts;

/// Share of real rows that is set apart where none are held out.
const HELD_OUT: f64 = 0.2;

impl Model {
    /// Compares synthetic rows, the model's own unless others are given, with the rows that it has learned and those of the test
    /// part, which it has not seen.
    ///
    /// # Errors
    /// As [`parts`](Self::parts) and [`quality::run`].
    pub fn quality(
        &self,
        synthetic: Option<&Dataset>,
        options: &QualityOptions,
        observer: &mut dyn Observer,
    ) -> Result<QualityReport> {
        let parts = self.parts()?;
        let Parts { train, test, .. } = &*parts;
        let drawn = match synthetic {
            Some(_) => None,
            None => {
                let mut drawing = self.sampling_options();
                drawing.seed = options.seed;
                let count = quality::synthetic_rows(train);
                let observer = &mut Part::new(observer, "quality", 0.0..0.5);
                Some(self.draw(count, &drawing, observer)?.data)
            }
        };
        let Some(synthetic) = synthetic.or(drawn.as_ref()) else {
            unreachable!("drawn where none are given")
        };
        let from = if drawn.is_some() { 0.5 } else { 0.0 };
        let observer = &mut Part::new(observer, "quality", from..1.0);
        Ok(quality::run(train, test, synthetic, options, observer)?)
    }
}

/// Compares synthetic rows, whoever made them, with real ones; without `held_out` rows a fifth of the real ones, drawn at random,
/// is set apart for what needs rows that nobody has learned.
///
/// # Errors
/// As [`quality::run`]; [`BadSplit`](crate::data::DataError::BadSplit) for too few rows.
pub fn quality_of_tables(
    real: &Dataset,
    held_out: Option<&Dataset>,
    synthetic: &Dataset,
    options: &QualityOptions,
    observer: &mut dyn Observer,
) -> Result<QualityReport> {
    if let Some(held_out) = held_out {
        return Ok(quality::run(real, held_out, synthetic, options, observer)?);
    }
    let Split {
        train, validation, ..
    } = Split::without_test(real.rows(), HELD_OUT, options.seed)?;
    let (train, held_out) = (real.select(&train), real.select(&validation));
    Ok(quality::run(
        &train, &held_out, synthetic, options, observer,
    )?)
}
