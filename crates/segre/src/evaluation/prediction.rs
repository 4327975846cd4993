//! Prediction: one site from the others, where the truth is known.

use serde::Serialize;

use crate::data::{Notation, Spread};

/// How good predictions of one site are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PredictionReport {
    /// Rows that were predicted.
    pub rows: usize,
    /// Rows whose target is known.
    pub known: usize,
    /// Share of these that is predicted: the most probable category is theirs.
    pub accuracy: Option<f64>,
    /// Mean of `−log p(truth)` over these, nats; of a number, of its cell.
    pub log_loss: Option<f64>,
    /// Of a column of numbers, how far predictions are off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberErrors>,
}

/// How far predictions of numbers are off, in the column's own units: of dates days, of times seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NumberErrors {
    /// Root of the mean square error of the means.
    pub rmse: f64,
    /// Mean absolute error of the medians.
    pub mae: f64,
    /// `1 − Σ (x − mean_x)² / Σ (x − x̄)²` of the means: 1 is perfect, 0 no better than the mean of all.
    pub r2: f64,
    /// Share of the numbers that lie within their intervals of 90 %.
    pub coverage: f64,
}

/// What predictions of numbers add to a report: the numbers themselves, each with what was predicted of it.
pub fn of_numbers(
    words: PredictionReport,
    pairs: Vec<(i64, Spread)>,
    notation: &Notation,
) -> PredictionReport {
    let count = pairs.len() as f64;
    let mean_of = |of: &dyn Fn(&(i64, Spread)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let mean = mean_of(&|(number, _)| *number as f64);
    let variance = mean_of(&|(number, _)| (*number as f64 - mean).powi(2));
    let square = mean_of(&|(number, spread)| (*number as f64 - spread.mean).powi(2));
    let unit = notation.unit();
    let numbers = NumberErrors {
        rmse: unit * square.sqrt(),
        mae: unit * mean_of(&|(number, spread)| (number - spread.median).abs() as f64),
        r2: 1.0 - square / variance,
        coverage: mean_of(&|(number, spread)| {
            let (low, high) = spread.interval;
            f64::from(u8::from((low..=high).contains(number)))
        }),
    };
    PredictionReport {
        accuracy: None,
        known: words.known.max(pairs.len()),
        numbers: (!pairs.is_empty()).then_some(numbers),
        ..words
    }
}

/// Compares the probabilities of a column's labels in some rows with the labels, where these are known.
pub fn run<'a>(
    rows: usize,
    probabilities: impl Fn(usize) -> &'a [f32],
    truth: impl Fn(usize) -> Option<usize>,
) -> PredictionReport {
    let (mut known, mut hits, mut loss) = (0_usize, 0_usize, 0.0);
    for row in 0..rows {
        if let Some(label) = truth(row) {
            let own = probabilities(row);
            known += 1;
            hits += usize::from(most_probable(own) == label);
            loss -= f64::from(own[label]).ln();
        }
    }
    let mean = |sum: f64| (known > 0).then(|| sum / known as f64);
    PredictionReport {
        rows,
        known,
        accuracy: mean(hits as f64),
        log_loss: mean(loss),
        numbers: None,
    }
}

/// The label of largest probability, the first among equals.
pub fn most_probable(probabilities: &[f32]) -> usize {
    let better = |best: usize, label: usize| match probabilities[label] > probabilities[best] {
        true => label,
        false => best,
    };
    (0..probabilities.len()).fold(0, better)
}
