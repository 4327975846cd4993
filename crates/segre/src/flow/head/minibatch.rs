//! The rows of a step with their levels and their noise, before any tensor is made.

use std::ops::Range;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::shown::{show_counts, show_shares, show_some};
use crate::flow::known::KnownLabels;
use crate::flow::likelihood::LevelDistribution;
use crate::flow::model::Model;
use crate::path::{DiscretePath, ProbabilityPath};

/// The rows of one step and its noise, before any tensor is made.
pub(in crate::flow) struct Minibatch<'a> {
    /// Labels of each row.
    pub rows: Vec<&'a [u16]>,
    /// Per row and site: root signal-to-noise ratio (posterior head) or time (field head, or on the simplex).
    levels: Vec<f32>,
    /// Class of each row, where the model is told classes; `None` where it is not told this one.
    pub classes: Option<Vec<Option<u16>>>,
    /// Every row has a generator of its own, made from this one.
    pub noise: ChaCha8Rng,
    /// Of the dropout masks.
    pub dropout: ChaCha8Rng,
}

impl<'a> Minibatch<'a> {
    /// Draws the levels of the rows; those of the Gaussian channel from a density over the range of levels.
    pub fn new(
        model: &Model,
        rows: Vec<&'a [u16]>,
        density: &LevelDistribution,
        conditional: bool,
        mut noise: ChaCha8Rng,
        dropout: ChaCha8Rng,
    ) -> Self {
        let sites = model.manifold.sites();
        let head = model.config.head;
        let mut levels: Vec<f32> = head
            .row_levels(model, rows.len(), density, &mut noise)
            .into_iter()
            .flat_map(|level| std::iter::repeat_n(level as f32, sites))
            .collect();
        let decisive = model.end_root_snr() as f32;
        match model.config.path {
            ProbabilityPath::Discrete(DiscretePath::Masked)
                if model.network.of_labels().is_some() =>
            {
                show_counts(&mut levels, sites, decisive, &mut noise);
            }
            ProbabilityPath::Discrete(DiscretePath::Masked) => {
                show_shares(&mut levels, sites, decisive, &mut noise);
            }
            _ if conditional => {
                show_some(&mut levels, &model.schema.row_shape(), decisive, &mut noise);
            }
            _ => {}
        }
        Self {
            rows,
            levels,
            classes: None,
            noise,
            dropout,
        }
    }

    /// Rows with levels that are given.
    #[cfg(test)]
    pub fn of_levels(rows: Vec<&'a [u16]>, levels: Vec<f32>, noise: ChaCha8Rng) -> Self {
        Self {
            rows,
            levels,
            classes: None,
            dropout: noise.clone(),
            noise,
        }
    }

    /// The labels of some rows that are shown: those of a level above 0.
    pub fn known(&self, range: &Range<usize>, sites: usize) -> KnownLabels {
        let levels = &self.levels[range.start * sites..range.end * sites];
        let labels = self.rows[range.clone()].iter().copied().flatten();
        let known = levels.iter().zip(labels);
        let known = known.map(|(level, label)| (*level > 0.0).then_some(*label));
        KnownLabels::new(sites, known.collect())
    }

    /// The levels of some rows, `[rows, sites]`.
    pub fn levels(&self, range: &Range<usize>, sites: usize) -> Vec<f32> {
        self.levels[range.start * sites..range.end * sites].to_vec()
    }
}

/// One number from each of `count` equal parts of `[0, 1)`: uniform, with less variance together.
pub(super) fn stratified<R: Rng + ?Sized>(count: usize, rng: &mut R) -> std::vec::IntoIter<f64> {
    let draws: Vec<f64> = (0..count)
        .map(|k| (k as f64 + rng.random::<f64>()) / count as f64)
        .collect();
    draws.into_iter()
}
