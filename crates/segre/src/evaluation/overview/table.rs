//! Tables: pairs of columns real beside sampled, quality and privacy.

use serde::{Deserialize, Serialize};

use super::columns::{self, ColumnView};
use super::hidden::{self, Filled, Predicted};
use crate::data::Dataset;
use crate::evaluation::error::Result;
use crate::evaluation::quality::{self, Compared, QualityOptions, QualityReport};
use crate::flow::Model;
use crate::progress::{Observer, Part};
use crate::run::Parts;

const TASK: &str = "overview";
/// Columns of which all pairs are shown.
const MOST_COLUMNS: usize = 60;
/// What a table shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableView {
    /// Every column.
    pub columns: Vec<ColumnView>,
    /// Every pair of columns; of a wide table those of its first columns.
    pub pairs: Vec<PairView>,
    /// Quality and privacy; none for parts that are too small.
    pub quality: Vec<QualityMeasure>,
    /// What quality says of copies, in a sentence.
    pub verdict: Option<String>,
    /// Hidden cells; none for a model without conditionals.
    pub filled: Option<Filled>,
    /// Each of the first columns predicted from all others; none for a model without conditionals.
    pub predicted: Vec<Predicted>,
}

/// A pair of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairView {
    /// Places of the columns.
    pub columns: [usize; 2],
    /// Pearson's correlation or Cramér's V of training rows.
    pub real: Option<f64>,
    /// The same of samples.
    pub sampled: Option<f64>,
    /// How alike the dependence is: 1 for the same.
    pub score: Option<f64>,
}

/// A measure beside what two other models would get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QualityMeasure {
    /// Its name.
    pub name: String,
    /// What it says.
    pub meaning: String,
    /// The number, and its standard error where it has one.
    pub value: Option<f64>,
    /// See `value`.
    pub std_error: Option<f64>,
    /// Of as many new rows of the truth.
    pub perfect: Option<f64>,
    /// Of as many training rows.
    pub copying: Option<f64>,
}

pub(super) fn view(
    model: &Model,
    parts: &Parts,
    samples: &Dataset,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<TableView> {
    let options = QualityOptions { target: None, seed };
    let mut part = Part::new(observer, TASK, 0.0..0.8);
    let found = match quality::is_possible([&parts.train, &parts.test, samples]) {
        true => Some(quality::run(
            &parts.train,
            &parts.test,
            samples,
            &options,
            &mut part,
        )?),
        false => None,
    };
    let columns = columns::views(&parts.train, samples, found.as_ref());
    let names: Vec<&str> = columns.iter().map(|column| &column.name[..]).collect();
    let mut part = Part::new(observer, TASK, 0.8..1.0);
    let (filled, predicted) = match model.knows_conditionals() {
        true => (
            Some(hidden::fill(model, &parts.test, seed, &mut part)?),
            hidden::predict(model, &parts.train, &parts.test, &mut part)?,
        ),
        false => (None, Vec::new()),
    };
    let pairs = found
        .as_ref()
        .map_or_else(Vec::new, |found| pairs(found, &names));
    Ok(TableView {
        columns,
        pairs,
        quality: found.as_ref().map_or_else(Vec::new, measures),
        verdict: found.map(|found| found.verdict),
        filled,
        predicted,
    })
}

fn pairs(found: &QualityReport, names: &[&str]) -> Vec<PairView> {
    let place = |name: &str| names.iter().position(|own| *own == name);
    let pair = |pair: &quality::ColumnPair| {
        let columns = [place(&pair.columns[0])?, place(&pair.columns[1])?];
        (columns[1] < MOST_COLUMNS).then_some(PairView {
            columns,
            real: pair.real_strength,
            sampled: pair.synthetic_strength,
            score: pair.score,
        })
    };
    found.pairs.iter().filter_map(pair).collect()
}

fn measures(found: &QualityReport) -> Vec<QualityMeasure> {
    let privacy = &found.privacy;
    let mut all = vec![
        (
            "Column shapes",
            "mean over columns, 1 for the same distributions",
            found.column_shapes,
        ),
        (
            "Column pair trends",
            "mean over dependent pairs, 1 for the same dependences",
            found.column_pair_trends,
        ),
        (
            "Classifier two-sample test",
            "1 if boosted trees cannot tell synthetic rows from real ones, 0 if they always can",
            found.two_sample.score,
        ),
    ];
    let usefulness = found.usefulness.as_ref().map(|of| {
        let name = format!("Usefulness: {} of {}", of.measure, of.target);
        (name, of.synthetic)
    });
    if let Some((name, compared)) = &usefulness {
        all.push((
            name,
            "boosted trees that learned from synthetic rows, tested on real ones",
            *compared,
        ));
    }
    all.extend([
        ("Nearer to training rows", "share of synthetic rows nearer to training rows than to held-out ones; ½ without copying", privacy.share_nearer_training),
        ("Copies", "share of synthetic rows that equal a training row", privacy.share_copies),
        ("Membership attack", "AUC of telling training rows from held-out ones by the synthetic rows; ½ without leaks", privacy.membership_auc),
    ]);
    let measure = |(name, meaning, of): (&str, &str, Compared)| QualityMeasure {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        value: of.value,
        std_error: of.std_error,
        perfect: of.perfect,
        copying: of.copying,
    };
    all.into_iter().map(measure).collect()
}
