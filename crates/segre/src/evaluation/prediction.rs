//! Prediction: one site from the others, where the truth is known.

use serde::Serialize;

use crate::data::PartialDataset;
use crate::flow::ConditionalMarginals;

/// How good predictions of one site are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PredictionReport {
    /// Rows that were predicted.
    pub rows: usize,
    /// Rows whose target is known.
    pub known: usize,
    /// Share of these that is predicted: the most probable category is theirs.
    pub accuracy: Option<f64>,
    /// Mean of `−log p(truth)` over these, nats.
    pub log_loss: Option<f64>,
}

/// Compares what was predicted of a site with the rows in which it is known.
///
/// # Panics
/// If there are fewer predictions than rows.
pub fn run(
    predicted: &ConditionalMarginals,
    truth: &PartialDataset,
    site: usize,
) -> PredictionReport {
    let (mut known, mut hits, mut loss) = (0_usize, 0_usize, 0.0);
    for row in 0..truth.rows() {
        if let Some(label) = truth.label(row, site) {
            known += 1;
            hits += usize::from(predicted.most_probable(row, site) == label);
            loss -= f64::from(predicted.of(row, site)[usize::from(label)]).ln();
        }
    }
    let mean = |sum: f64| (known > 0).then(|| sum / known as f64);
    PredictionReport {
        rows: truth.rows(),
        known,
        accuracy: mean(hits as f64),
        log_loss: mean(loss),
    }
}
