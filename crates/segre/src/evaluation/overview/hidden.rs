//! Hidden cells of a table: how sure and how right the model is of them, some at random and every column from the others.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, PartialDataset, Values};
use crate::evaluation::error::Result;
use crate::evaluation::prediction;
use crate::flow::{Model, conditional_marginals};
use crate::progress::Observer;

/// Cells that are hidden, and the rows they are hidden in.
const HIDDEN: f64 = 0.2;
const HIDDEN_ROWS: usize = 500;
/// Bins of confidence.
const CONFIDENCES: usize = 10;
/// Columns that are predicted, and cells of all of them, at most; rows of each.
const MOST_PREDICTED: usize = 40;
const PREDICTED_CELLS: usize = 4000;
const PREDICTED_ROWS: [usize; 2] = [50, 200];

/// Hidden cells of test rows, filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    /// Share of the cells that were hidden.
    pub hidden_share: f64,
    /// How many these are.
    pub cells: usize,
    /// Share of the categories that are right.
    pub accuracy: Option<f64>,
    /// Cells by how sure the model is of its most probable label.
    pub bins: Vec<CalibrationBin>,
}

/// Cells of about the same confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Mean probability of the most probable label.
    pub confidence: f64,
    /// Share of the cells of which it is the hidden one.
    pub accuracy: f64,
    /// Cells.
    pub cells: usize,
}

/// A column of test rows predicted from all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicted {
    /// Its name.
    pub column: String,
    /// Rows in which it is known.
    pub rows: usize,
    /// Share of the rows in which its most probable category is the true one; none of numbers.
    pub accuracy: Option<f64>,
    /// The same of the category that is most frequent in training rows.
    pub most_frequent: Option<f64>,
    /// Of numbers `1 − Σ (x − mean_x)² / Σ (x − x̄)²` of the predicted means.
    pub r2: Option<f64>,
    /// Of numbers the share that lies within the predicted intervals of 90 %.
    pub coverage: Option<f64>,
}

/// Hides cells of test rows, and asks how sure and how right the model is.
pub(super) fn fill(
    model: &Model,
    test: &Dataset,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<Filled> {
    let rows = test.spread(HIDDEN_ROWS);
    let given = PartialDataset::hiding_at_random(&rows, HIDDEN, seed);
    let marginals = conditional_marginals(model, &given, observer)?;
    let mut bins = [CalibrationBin::default(); CONFIDENCES];
    for (row, truth) in rows.iter().enumerate() {
        for site in (0..rows.sites()).filter(|site| given.label(row, *site).is_none()) {
            let label = marginals.most_probable(row, site);
            let sure = f64::from(marginals.of(row, site)[usize::from(label)]);
            let bin = &mut bins[((sure * CONFIDENCES as f64) as usize).min(CONFIDENCES - 1)];
            bin.confidence += sure;
            bin.accuracy += f64::from(u8::from(label == truth[site]));
            bin.cells += 1;
        }
    }
    let cells = given.unknown();
    let hits: f64 = bins.iter().map(|bin| bin.accuracy).sum();
    for bin in &mut bins {
        let count = bin.cells.max(1) as f64;
        bin.confidence /= count;
        bin.accuracy /= count;
    }
    Ok(Filled {
        hidden_share: HIDDEN,
        cells,
        accuracy: (cells > 0).then(|| hits / cells as f64),
        bins: bins.into_iter().filter(|bin| bin.cells > 0).collect(),
    })
}

/// Predicts each of the first columns of test rows from all others.
pub(super) fn predict(
    model: &Model,
    train: &Dataset,
    test: &Dataset,
    observer: &mut dyn Observer,
) -> Result<Vec<Predicted>> {
    let schema = &test.schema;
    let columns = schema.column_count().min(MOST_PREDICTED);
    let [least, most] = PREDICTED_ROWS;
    let rows = test.spread((PREDICTED_CELLS / columns.max(1)).clamp(least, most));
    let mut all = Vec::new();
    for column in 0..columns {
        let ((name, coding), sites) = (schema.column(column), schema.sites_of(column));
        // What has several sites has no list of probabilities.
        let [site] = sites.clone().collect::<Vec<_>>()[..] else {
            continue;
        };
        let given = PartialDataset::hiding(&rows, |_, own| own == site);
        let marginals = conditional_marginals(model, &given, observer)?;
        let missing = match coding {
            Some(coding) => coding.missing().map(|_| coding.known()),
            None => schema.missing_category(site).map(usize::from),
        };
        let label = |data: &Dataset, row: usize| {
            let label = usize::from(data.row(row)[site]);
            (Some(label) != missing).then_some(label)
        };
        let truth = |row: usize| label(&rows, row);
        let words = prediction::run(rows.rows(), |row| marginals.of(row, site), truth);
        let number = |row: usize| rows.numbers()?.get(row, column);
        let found = match coding.map(|coding| (coding, &coding.values)) {
            Some((coding, Values::Numbers { notation, .. })) => {
                let pair = |row| Some((number(row)?, coding.spread(marginals.of(row, site))?));
                let pairs = (0..rows.rows()).filter_map(pair).collect();
                prediction::of_numbers(words, pairs, notation)
            }
            _ => words,
        };
        let most_frequent = found.accuracy.and_then(|_| {
            let mut counts = vec![0_usize; schema.cardinality(site)];
            let labels = (0..train.rows()).filter_map(|row| label(train, row));
            labels.for_each(|label| counts[label] += 1);
            let best = (0..counts.len()).max_by_key(|label| counts[*label])?;
            let hits = (0..rows.rows()).filter(|row| truth(*row) == Some(best));
            Some(hits.count() as f64 / found.known as f64)
        });
        let of_numbers = |of: fn(&prediction::NumberErrors) -> f64| {
            let value = found.numbers.as_ref().map(of);
            value.filter(|value| value.is_finite())
        };
        all.push(Predicted {
            column: name.to_owned(),
            rows: found.known,
            accuracy: found.accuracy,
            most_frequent,
            r2: of_numbers(|numbers| numbers.r2),
            coverage: of_numbers(|numbers| numbers.coverage),
        });
    }
    Ok(all)
}
