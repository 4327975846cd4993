//! Imputation: hidden cells of held-out rows filled in, beside simpler methods.

use std::collections::HashMap;

use serde::Serialize;

use super::baseline::{Baselines, NearestRows};
use crate::data::{Coding, Dataset, PartialDataset};
use crate::evaluation::error::Result;
use crate::flow::{Model, conditional_marginals};
use crate::progress::Observer;

/// What is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImputationOptions {
    /// Share of the cells that are hidden, between 0 and 1.
    pub hidden_share: f64,
    /// Seed of the choice of cells.
    pub seed: u64,
}

/// What filling in hidden cells gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImputationReport {
    /// Share of the cells that are hidden.
    pub hidden_share: f64,
    /// How many these are.
    pub hidden_cells: usize,
    /// The model first.
    pub methods: Vec<MethodScores>,
    /// Rows that vote in the method of nearest rows, chosen on the validation part.
    pub neighbours: usize,
}

/// Scores of one method over the hidden cells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MethodScores {
    /// What it is called.
    pub name: &'static str,
    /// Mean of `log P(hidden label | known labels)` in nats, of methods that have probabilities.
    pub log_score: Option<f64>,
    /// Standard error over the cells, nats.
    pub log_score_std_error: Option<f64>,
    /// Share of the cells whose most probable label is the hidden one; none where all hold numbers.
    pub accuracy: Option<f64>,
    /// Root mean square error of the means of hidden numbers, in standard deviations of their columns; of methods that have
    /// probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
}

/// Hides cells of rows of `data` at random and lets every method fill them in, each cell by itself.
///
/// # Errors
/// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for parts of another schema or without rows, and those of
/// [`conditional_marginals`].
pub fn run(
    model: &Model,
    train: &Dataset,
    validation: &Dataset,
    data: &Dataset,
    options: &ImputationOptions,
    observer: &mut dyn Observer,
) -> Result<ImputationReport> {
    let (share, seed) = (options.hidden_share, options.seed);
    let given = PartialDataset::hiding_at_random(data, share, seed);
    let marginals = conditional_marginals(model, &given, observer)?;
    let numbers = number_columns(data);
    let own = MethodScores::of("segre", data, &given, &numbers, |row, _| {
        let site = |site| marginals.of(row, site).iter().map(|p| f64::from(*p));
        (0..data.sites()).map(|i| site(i).collect()).collect()
    });
    let baselines = Baselines::fit(train, validation)?;
    // Data of many sites have no tree.
    let tree = baselines.chow_liu.as_ref().map(|tree| {
        let conditionals = |_, labels: &[Option<u16>]| tree.conditional_marginals(labels);
        MethodScores::of("Chow–Liu tree", data, &given, &numbers, conditionals)
    });
    let independent = MethodScores::of("independent sites", data, &given, &numbers, |_, labels| {
        let site = |site| {
            let logs = baselines.independent.log_probs(site).iter();
            logs.map(|log| log.exp()).collect()
        };
        (0..labels.len()).map(site).collect()
    });
    let shown = PartialDataset::hiding_at_random(validation, share, seed.wrapping_add(1));
    let nearest = NearestRows::fit(train, validation, &shown)?;
    let filled = nearest.fill(&given)?;
    let words = |(_, site): &(usize, usize)| !numbers.contains_key(site);
    let hidden_words = hidden_cells(&given).filter(words).count();
    let hits = hidden_cells(&given).filter(words).filter(|(row, site)| {
        let (truth, found) = (data.row(*row)[*site], filled.row(*row)[*site]);
        truth == found
    });
    let hidden_cells = given.unknown();
    let nearest_rows = MethodScores {
        name: "nearest rows",
        log_score: None,
        log_score_std_error: None,
        accuracy: fraction(hits.count(), hidden_words),
        rmse: None,
    };
    Ok(ImputationReport {
        hidden_share: share,
        hidden_cells,
        methods: [Some(own), tree, Some(independent), Some(nearest_rows)]
            .into_iter()
            .flatten()
            .collect(),
        neighbours: nearest.count(),
    })
}

/// Row and site of every hidden cell.
fn hidden_cells(given: &PartialDataset) -> impl Iterator<Item = (usize, usize)> {
    let cells = (0..given.rows()).flat_map(|row| (0..given.sites()).map(move |site| (row, site)));
    cells.filter(|(row, site)| given.label(*row, *site).is_none())
}

/// Columns of numbers by their one site.
type NumberColumns<'a> = HashMap<usize, NumberColumn<'a>>;

struct NumberColumn<'a> {
    column: usize,
    coding: &'a Coding,
    /// Standard deviation, in units.
    deviation: f64,
}

/// The columns whose numbers are known and differ.
fn number_columns(data: &Dataset) -> NumberColumns<'_> {
    let schema = &data.schema;
    let columns = (0..schema.column_count()).filter(|_| schema.has_codings());
    let found = columns.filter_map(|column| {
        let coding = schema.column(column).1?;
        let rows = 0..data.rows();
        let known = rows.filter_map(|row| data.numbers()?.get(row, column));
        let known: Vec<f64> = known.map(|number| number as f64).collect();
        let count = known.len() as f64;
        let mean = known.iter().sum::<f64>() / count;
        let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let own = NumberColumn {
            column,
            coding,
            deviation: variance.sqrt(),
        };
        (variance > 0.0).then_some((schema.sites_of(column).start, own))
    });
    found.collect()
}

fn fraction(hits: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| hits as f64 / of as f64)
}

impl MethodScores {
    /// Scores `marginals(row, known labels)`, `[sites][categories]`.
    fn of(
        name: &'static str,
        data: &Dataset,
        given: &PartialDataset,
        numbers: &NumberColumns,
        marginals: impl Fn(usize, &[Option<u16>]) -> Vec<Vec<f64>>,
    ) -> Self {
        let (mut logs, mut hits, mut words) = (Vec::new(), 0, 0);
        let mut errors = Vec::new();
        for (row, truth) in data.iter().enumerate() {
            let labels: Vec<Option<u16>> = (0..data.sites()).map(|i| given.label(row, i)).collect();
            let marginals = marginals(row, &labels);
            for site in (0..labels.len()).filter(|site| labels[*site].is_none()) {
                let (own, truth) = (&marginals[site], usize::from(truth[site]));
                // A probability of 32 bits may be too small to be told from 0.
                logs.push(own[truth].max(f64::from(f32::MIN_POSITIVE)).ln());
                if let Some(of) = numbers.get(&site) {
                    let number = data.numbers().and_then(|own| own.get(row, of.column));
                    let own: Vec<f32> = own.iter().map(|p| *p as f32).collect();
                    if let (Some(number), Some(spread)) = (number, of.coding.spread(&own)) {
                        errors.push(((number as f64 - spread.mean) / of.deviation).powi(2));
                    }
                    continue;
                }
                words += 1;
                let first = own.iter().position(|p| own.iter().all(|other| p >= other));
                hits += usize::from(first == Some(truth));
            }
        }
        let count = logs.len().max(1) as f64;
        let mean = logs.iter().sum::<f64>() / count;
        let squares: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
        Self {
            name,
            log_score: Some(mean),
            log_score_std_error: Some((squares / (count - 1.0).max(1.0) / count).sqrt()),
            accuracy: fraction(hits, words),
            rmse: (!errors.is_empty())
                .then(|| (errors.iter().sum::<f64>() / errors.len() as f64).sqrt()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Schema;

    /// Two hidden cells, of probabilities ½ and ⅛ under the method, the first of which is its best guess.
    #[test]
    fn scores_are_means_over_hidden_cells() {
        let schema = Schema::integers(&[2], false, 3);
        let data = Dataset::new(schema, vec![0, 1, 2, 2]).unwrap();
        let given = PartialDataset::hiding(&data, |_, site| site == 1);
        let found = MethodScores::of("m", &data, &given, &HashMap::new(), |row, labels| {
            assert_eq!(labels, [Some(data.row(row)[0]), None]);
            vec![vec![1.0], vec![0.375, 0.5, 0.125]]
        });
        let logs = [0.5_f64.ln(), 0.125_f64.ln()];
        let mean = (logs[0] + logs[1]) / 2.0;
        assert!((found.log_score.unwrap() - mean).abs() < 1e-12);
        let error = (logs[0] - logs[1]).abs() / 2.0;
        assert!((found.log_score_std_error.unwrap() - error).abs() < 1e-12);
        assert_eq!(found.accuracy, Some(0.5));
        assert_eq!(hidden_cells(&given).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    }
}
