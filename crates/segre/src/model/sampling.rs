//! Draws from a model.

use std::ops::Range;

use super::Model;
use super::constraints::{draw_keeping, keeping};
use crate::data::{Dataset, PartialDataset};
use crate::error::Result;
use crate::flow::sampling::{Samples, SamplingOptions, complete, sample_classes};
use crate::progress::{Observer, Silent};

impl Model {
    /// Draws rows, with the sampler that serves the model and the seed of its fit.
    ///
    /// # Errors
    /// As [`sample`](crate::flow::sampling::sample).
    pub fn sample(&self, count: usize) -> Result<Dataset> {
        Ok(self
            .draw(count, &self.sampling_options(), &mut Silent)?
            .data)
    }

    /// What [`sample`](Self::sample) draws with: to be changed in part.
    pub fn sampling_options(&self) -> SamplingOptions {
        SamplingOptions {
            seed: self.card.training.seed,
            ..SamplingOptions::default()
        }
    }

    /// Draws rows, watched; with what they cost.
    ///
    /// # Errors
    /// As [`sample`](crate::flow::sampling::sample).
    pub fn draw(
        &self,
        count: usize,
        options: &SamplingOptions,
        observer: &mut dyn Observer,
    ) -> Result<Samples> {
        draw_keeping(&self.flow, count, options, observer)
    }

    /// Draws `count` rows of each of some classes, one class after the other: for a model that was told classes.
    ///
    /// # Errors
    /// As [`sample_classes`].
    pub fn draw_classes(
        &self,
        classes: Range<usize>,
        guidance: f64,
        count: usize,
        options: &SamplingOptions,
        observer: &mut dyn Observer,
    ) -> Result<Samples> {
        let drawn = sample_classes(&self.flow, classes, guidance, count, options, observer);
        Ok(drawn?)
    }

    /// Draws one completion of every row: what is unknown given what is known, and what holds of it.
    ///
    /// # Errors
    /// As [`complete`], and [`DataError::BadCondition`](crate::data::DataError::BadCondition) for what no row can be.
    pub fn complete(
        &self,
        given: &PartialDataset,
        options: &SamplingOptions,
        observer: &mut dyn Observer,
    ) -> Result<Samples> {
        let mut draw = |given: &PartialDataset, options: &SamplingOptions| -> Result<Samples> {
            let given = self.settled(given, options.seed, observer)?;
            Ok(complete(&self.flow, &given, options, observer)?)
        };
        let samples = draw(given, options)?;
        keeping(samples, options, |rows, options| {
            draw(&given.select(rows), options)
        })
    }
}
