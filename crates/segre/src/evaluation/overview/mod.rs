//! An overview of a model of data: what a page about it shows, as data that can be stored and read again.
//!
//! | what | file |
//! |---|---|
//! | scores of test rows: how they spread, the extremes | `rows.rs` |
//! | tables: pairs real beside sampled, quality | `table.rs` |
//! | each column, real beside sampled | `columns.rs` |
//! | hidden cells: calibration, every column from the others | `hidden.rs` |
//! | pictures: samples, nearest rows, infilled ones, label maps | `pictures.rs` |
//! | a fit to an energy beside it | `energy.rs` |
//! | sequences and texts: what stands where, which places depend on each other | `sequences.rs` |

mod beside;
mod columns;
mod energy;
mod hidden;
mod pictures;
mod rows;
mod sequences;
mod table;

use serde::{Deserialize, Serialize};

pub use beside::Beside;
pub use columns::{Bar, ColumnView, column_shares};
pub use energy::{EnergyView, Figure, of_energy};
pub use hidden::{CalibrationBin, Filled, Predicted};
pub use pictures::{Infilled, MapsView, NearRow, PicturesView};
pub use rows::{Extreme, RowScores};
pub use sequences::SequencesView;
pub use table::{PairView, QualityMeasure, TableView};

use super::baseline::Baselines;
use super::quality::synthetic_rows;
use crate::data::{Dataset, Layout};
use crate::evaluation::error::Result;
use crate::flow::Model;
use crate::flow::likelihood::{ScoreOptions, score};
use crate::flow::sampling::{SamplingOptions, sample};
use crate::progress::{Observer, Part};
use crate::run::Parts;

const TASK: &str = "overview";
/// Sites of the test rows that are scored, and of the samples that are drawn.
const SITES: usize = 1 << 18;
/// Most rows that are scored.
const MOST_SCORED: usize = 2000;
/// Samples of pictures, and of sequences.
const PICTURES: usize = 100;
const SEQUENCES: usize = 4000;

/// What there is to see of a model and of the data that it learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// Rows of the training, validation and test part.
    pub rows: [usize; 3],
    /// Test rows that were scored.
    pub scored: usize,
    /// Bound of the negative log-likelihood of the scored rows, bits per dimension, and its standard error; none for a path
    /// without a bound.
    pub bits_per_dim: Option<[f64; 2]>,
    /// The same of a row in nats.
    pub nats: Option<[f64; 2]>,
    /// Simple models on the same rows.
    pub baselines: Vec<Beside>,
    /// Parameters of the model.
    pub parameters: usize,
    /// Share of the fields of training rows that are missing; of tables.
    pub missing: Option<f64>,
    /// How the scores spread.
    pub row_scores: Option<RowScores>,
    /// Samples that what follows rests on.
    pub samples: usize,
    /// What this kind of data shows.
    pub view: View,
}

/// What a kind of data shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// A table.
    Table(TableView),
    /// Pictures and label maps.
    Pictures(PicturesView),
    /// Sequences and texts.
    Sequences(SequencesView),
    /// Arrays have none of their own.
    Nothing,
}

/// Looks at a model: scores test rows, draws samples, and sees both beside the training rows.
///
/// # Errors
/// Those of [`score`], [`sample`], and of the evaluations that the kind of data has.
pub fn run(
    model: &Model,
    parts: &Parts,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Overview> {
    let (train, test) = (&parts.train, &parts.test);
    let within = |most: usize, least: usize| (SITES / test.sites()).clamp(least, most);
    let scored = test.spread(within(MOST_SCORED, 16));
    let baselines = Baselines::fit(train, &parts.validation)?;
    let mut part = Part::new(observer, TASK, 0.0..0.4);
    let scores = match model.has_bound() {
        true => {
            let options = ScoreOptions {
                seed,
                ..ScoreOptions::of_rows(scored.rows())
            };
            Some(score(model, &scored, &options, &mut part)?)
        }
        false => None,
    };
    let count = match train.schema.layout {
        Layout::Table => synthetic_rows(train),
        Layout::Image { .. } => within(PICTURES, 8),
        _ => within(SEQUENCES, 8),
    };
    let options = SamplingOptions {
        seed,
        ..SamplingOptions::default()
    };
    let mut part = Part::new(observer, TASK, 0.4..0.7);
    let samples = sample(model, count, &options, &mut part)?.data;
    let mut part = Part::new(observer, TASK, 0.7..1.0);
    let view = match train.schema.layout {
        Layout::Table => View::Table(table::view(model, parts, &samples, seed, &mut part)?),
        Layout::Image { height, width, .. } => View::Pictures(pictures::view(
            model,
            parts,
            &samples,
            [height, width],
            seed,
            &mut part,
        )?),
        Layout::Sequence | Layout::Text => View::Sequences(sequences::view(train, &samples)),
        Layout::Array { .. } => View::Nothing,
    };
    let estimate = |of: crate::estimate::Estimate| [of.value, of.std_error];
    Ok(Overview {
        rows: [train, &parts.validation, test].map(Dataset::rows),
        scored: scored.rows(),
        bits_per_dim: scores.as_ref().map(|scores| estimate(scores.bits_per_dim)),
        nats: scores.as_ref().map(|scores| estimate(scores.mean_nats)),
        baselines: beside::all(&baselines, &scored, scores.as_ref()),
        parameters: model.parameters(),
        missing: rows::missing(train),
        row_scores: scores.map(|scores| RowScores::of(&scores, &scored)),
        samples: samples.rows(),
        view,
    })
}
