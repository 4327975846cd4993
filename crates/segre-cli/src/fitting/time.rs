//! The time that a fit takes beside training, where its training is limited by time: a promise is kept with all that belongs to it.

use std::time::Instant;

use anyhow::Result;
use segre::data::Dataset;
use segre::flow::Model;
use segre::flow::likelihood::{ScoreOptions, score};
use segre::progress::Silent;
use segre::run::ModelCard;

/// Share of the time of training that scoring may take besides, and seconds that it may take in any case.
const SCORING: (f64, f64) = (0.1, 5.0);
/// The same of the tree among the baselines.
const TREE: (f64, f64) = (0.04, 3.0);
/// Pairs of sites in a row that a tree counts in a second, at least.
const TREE_SPEED: f64 = 2e6;
/// Rows that show what a row costs.
const TRIED: usize = 16;
/// Rounds of scoring at least, that which looks where the integrand is large among them.
const ROUNDS: f64 = 3.0;

/// Seconds of training, if they limit it.
pub struct Time(Option<f64>);

impl Time {
    pub fn of(card: &ModelCard) -> Self {
        Self(card.training.budget.seconds)
    }

    /// Seconds that scoring may take.
    pub fn scoring(&self) -> Option<f64> {
        self.0.map(|seconds| SCORING.0 * seconds + SCORING.1)
    }

    /// Pairs of sites in a row that the tree may count.
    pub fn tree_work(&self) -> Option<f64> {
        self.0
            .map(|seconds| TREE_SPEED * (TREE.0 * seconds + TREE.1))
    }

    /// The rows that can be scored in time: all, or as many as a few of them let expect.
    pub fn affordable(&self, model: &Model, rows: &Dataset, seed: u64) -> Result<Dataset> {
        let Some(seconds) = self.scoring().filter(|_| model.has_bound()) else {
            return Ok(rows.clone());
        };
        let few = rows.spread(TRIED);
        let all = ScoreOptions::of_rows(rows.rows());
        let options = ScoreOptions {
            std_error: None,
            seed,
            ..all
        };
        let start = Instant::now();
        score(model, &few, &options, &mut Silent)?;
        let took = segre::ranks::of_first(start.elapsed().as_secs_f64());
        let of_row = took / few.rows() as f64;
        let affordable = seconds / (of_row * ROUNDS / (options.rounds as f64 + 1.0));
        Ok(match affordable < rows.rows() as f64 {
            true => rows.spread((affordable as usize).max(few.rows())),
            false => rows.clone(),
        })
    }
}
