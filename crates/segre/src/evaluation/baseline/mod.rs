//! Simple models that every learned one must beat: uniform, independent sites, Chow–Liu tree, nearest rows,
//! neighbouring pixels.

mod chow_liu;
mod independent;
mod nearest_rows;
mod pixel_context;
mod scores;
mod uniform;

pub use chow_liu::ChowLiu;
pub use independent::Independent;
pub use nearest_rows::NearestRows;
pub use pixel_context::PixelContext;
pub use scores::BaselineScores;
pub use uniform::Uniform;

use crate::data::DataError;
use crate::data::{Dataset, Layout};
use crate::evaluation::error::Result;
use rayon::prelude::*;
use std::f64::consts::LN_2;

/// Rows summed as one piece: sums do not depend on the number of threads.
const ROWS_PER_PIECE: usize = 1024;

/// Rows that a tree is learned from at least, where there are so many.
const LEAST_TREE_ROWS: usize = 200;

/// A model with an exact probability of every row.
pub trait Baseline: Sync {
    /// `ln P(row)` in nats.
    ///
    /// # Panics
    /// If the row has another number of sites than the model or a label out of range.
    fn log_prob(&self, row: &[u16]) -> f64;

    /// What it takes into account, in a few words.
    fn meaning(&self) -> &'static str;

    /// `−(1 / (rows · sites)) Σ log₂ P(row)`; NaN without rows.
    ///
    /// # Panics
    /// As [`log_prob`](Self::log_prob).
    fn bits_per_dim(&self, data: &Dataset) -> f64 {
        -total_log_prob(self, data) / (LN_2 * data.rows() as f64 * data.sites() as f64)
    }
}

/// `Σ ln P(row)` in nats, each row as often as it weighs.
fn total_log_prob<B: Baseline + ?Sized>(model: &B, data: &Dataset) -> f64 {
    if let Some(weights) = data.weights() {
        let rows: Vec<(&[u16], f64)> = data.iter().zip(weights).collect();
        let pieces: Vec<f64> = rows
            .par_chunks(ROWS_PER_PIECE)
            .map(|piece| piece.iter().map(|(row, w)| w * model.log_prob(row)).sum())
            .collect();
        return pieces.iter().sum();
    }
    let rows: Vec<&[u16]> = data.iter().collect();
    let pieces: Vec<f64> = rows
        .par_chunks(ROWS_PER_PIECE)
        .map(|piece| piece.iter().map(|row| model.log_prob(row)).sum())
        .collect();
    pieces.iter().sum()
}

/// The baselines fitted on one split.
#[derive(Debug, Clone)]
pub struct Baselines {
    /// All configurations alike.
    pub uniform: Uniform,
    /// A product of the sites' frequencies.
    pub independent: Independent,
    /// The best tree; none above [`MOST_TREE_SITES`](Self::MOST_TREE_SITES), or where it would take too long.
    pub chow_liu: Option<ChowLiu>,
    /// Position, left and upper neighbour; for images of one vocabulary.
    pub pixel_context: Option<PixelContext>,
}

impl Baselines {
    /// The baselines that there are by name, the best kinds first.
    pub fn named(&self) -> Vec<(&'static str, &dyn Baseline)> {
        fn of<B: Baseline>(model: &B) -> &dyn Baseline {
            model
        }
        let all = [
            ("neighbouring pixels", self.pixel_context.as_ref().map(of)),
            ("Chow–Liu tree", self.chow_liu.as_ref().map(of)),
            ("independent sites", Some(of(&self.independent))),
            ("uniform", Some(of(&self.uniform))),
        ];
        let there = all
            .into_iter()
            .filter_map(|(name, model)| Some((name, model?)));
        there.collect()
    }

    /// Sites up to which there is a tree: its time grows with their square, and takes minutes for a few hundred
    /// images of so many pixels.
    pub const MOST_TREE_SITES: usize = 4096;

    /// Fits them on the training rows; smoothing is chosen by the validation rows.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if the parts differ in schema or are
    /// empty.
    pub fn fit(train: &Dataset, validation: &Dataset) -> Result<Self> {
        Self::fit_within(train, validation, None)
    }

    /// [`fit`](Self::fit), where the tree counts at most so many pairs of sites in a row: of wide tables not in all rows, or there is
    /// none.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    pub fn fit_within(
        train: &Dataset,
        validation: &Dataset,
        tree_work: Option<f64>,
    ) -> Result<Self> {
        // Counts are of whole rows.
        let weighed = train.by_weight();
        let train: &Dataset = &weighed;
        let independent = Independent::fit(train, validation)?;
        let schema = &train.schema;
        let image = matches!(schema.layout, Layout::Image { .. }) && schema.vocabularies.len() == 1;
        let pairs = (train.sites() * train.sites()) as f64 / 2.0;
        let rows = tree_work.map_or(usize::MAX, |work| (work / pairs) as usize);
        // A tree of a few rows would be no yardstick.
        let some =
            train.sites() <= Self::MOST_TREE_SITES && rows >= LEAST_TREE_ROWS.min(train.rows());
        let few = (rows < train.rows()).then(|| train.spread(rows));
        let of_tree = few.as_ref().unwrap_or(train);
        Ok(Self {
            uniform: Uniform::new(schema),
            independent,
            chow_liu: some
                .then(|| ChowLiu::fit(of_tree, validation))
                .transpose()?,
            pixel_context: image
                .then(|| PixelContext::fit(train, validation))
                .transpose()?,
        })
    }
}

/// Checks that two parts belong together and hold rows.
fn require_parts(train: &Dataset, validation: &Dataset) -> Result<()> {
    train.schema.same_as(&validation.schema)?;
    for (what, part) in [("training rows", train), ("validation rows", validation)] {
        if part.rows() == 0 {
            return Err(DataError::SchemaMismatch {
                what: format!("the number of {what}"),
                expected: "at least 1".into(),
                found: "0".into(),
            }
            .into());
        }
    }
    Ok(())
}
