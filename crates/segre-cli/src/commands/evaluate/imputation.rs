//! What `evaluate` says of imputation: hidden cells of held-out rows filled in, beside simpler methods.

use anyhow::Result;
use segre::data::{Dataset, PartialDataset};
use segre::evaluation::baseline::{Baselines, NearestRows};
use segre::flow::Model;
use serde::Serialize;

use crate::args::Common;
use crate::commands::impute::{marginals_with_progress, probabilities};
use crate::report::table::{Align, Table, estimate};
use crate::session::Parts;

/// Scores of one method over the hidden cells.
#[derive(Debug, Serialize)]
struct Method {
    name: &'static str,
    /// Mean of `log P(hidden label | known labels)` in nats, of methods that have probabilities.
    log_score: Option<f64>,
    /// Standard error over the cells.
    log_score_std_error: Option<f64>,
    /// Share of the cells whose most probable label is the hidden one.
    accuracy: f64,
}

/// What filling in hidden cells gives.
#[derive(Debug, Serialize)]
pub struct ImputationReport {
    hidden_share: f64,
    hidden_cells: usize,
    methods: Vec<Method>,
    /// Rows that vote in the method of nearest rows, chosen on the validation part.
    neighbours: usize,
}

impl ImputationReport {
    /// Hides cells of some rows at random and lets every method fill them in, each cell by itself.
    pub fn of(
        share: f64,
        model: &Model,
        parts: &Parts,
        data: &Dataset,
        seed: u64,
        common: &Common,
    ) -> Result<Self> {
        let given = PartialDataset::hiding_at_random(data, share, seed);
        let marginals = marginals_with_progress(model, &given, common)?;
        let own = Method::of("segre", data, &given, |row, _| {
            let site = |site| {
                let p = probabilities(model, &marginals, row, site).iter();
                p.map(|p| f64::from(*p)).collect()
            };
            (0..data.sites()).map(site).collect()
        });
        let baselines = Baselines::fit(&parts.train, &parts.validation)?;
        // Data of many sites have no tree.
        let tree = baselines.chow_liu.as_ref().map(|tree| {
            let conditionals = |_, labels: &[Option<u16>]| tree.conditional_marginals(labels);
            Method::of("Chow–Liu tree", data, &given, conditionals)
        });
        let independent = Method::of("independent sites", data, &given, |_, labels| {
            let site = |site| {
                let logs = baselines.independent.log_probs(site).iter();
                logs.map(|log| log.exp()).collect()
            };
            (0..labels.len()).map(site).collect()
        });
        let shown =
            PartialDataset::hiding_at_random(&parts.validation, share, seed.wrapping_add(1));
        let nearest = NearestRows::fit(&parts.train, &parts.validation, &shown)?;
        let filled = nearest.fill(&given)?;
        let hits = hidden_cells(&given).filter(|(row, site)| {
            let (truth, found) = (data.row(*row)[*site], filled.row(*row)[*site]);
            truth == found
        });
        let hidden_cells = given.unknown();
        let nearest_rows = Method {
            name: "nearest rows",
            log_score: None,
            log_score_std_error: None,
            accuracy: hits.count() as f64 / hidden_cells.max(1) as f64,
        };
        Ok(Self {
            hidden_share: share,
            hidden_cells,
            methods: [Some(own), tree, Some(independent), Some(nearest_rows)]
                .into_iter()
                .flatten()
                .collect(),
            neighbours: nearest.count(),
        })
    }

    /// A table for the terminal.
    pub fn print(&self) {
        let columns = [
            ("hidden cells", Align::Left),
            ("log score, nats", Align::Decimal),
            ("accuracy, %", Align::Decimal),
        ];
        let mut table = Table::new(&columns);
        for method in &self.methods {
            let score = method.log_score;
            let score = score.map(|score| estimate(score, method.log_score_std_error));
            table.push([
                method.name.into(),
                score.unwrap_or_default(),
                format!("{:.2}", 100.0 * method.accuracy),
            ]);
        }
        print!(
            "\n{} cells ({:.0} %) hidden at random, {} nearest rows\n{}",
            self.hidden_cells,
            100.0 * self.hidden_share,
            self.neighbours,
            table.to_text()
        );
    }
}

/// Row and site of every hidden cell.
fn hidden_cells(given: &PartialDataset) -> impl Iterator<Item = (usize, usize)> {
    let cells = (0..given.rows()).flat_map(|row| (0..given.sites()).map(move |site| (row, site)));
    cells.filter(|(row, site)| given.label(*row, *site).is_none())
}

impl Method {
    /// Scores `marginals(row, known labels)`, `[sites][categories]`.
    fn of(
        name: &'static str,
        data: &Dataset,
        given: &PartialDataset,
        marginals: impl Fn(usize, &[Option<u16>]) -> Vec<Vec<f64>>,
    ) -> Self {
        let (mut logs, mut hits) = (Vec::new(), 0);
        for (row, truth) in data.iter().enumerate() {
            let labels: Vec<Option<u16>> = (0..data.sites()).map(|i| given.label(row, i)).collect();
            let marginals = marginals(row, &labels);
            for site in (0..labels.len()).filter(|site| labels[*site].is_none()) {
                let (own, truth) = (&marginals[site], usize::from(truth[site]));
                // A probability of 32 bits may be too small to be told from 0.
                logs.push(own[truth].max(f64::from(f32::MIN_POSITIVE)).ln());
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
            accuracy: f64::from(hits as u32) / count,
        }
    }
}
