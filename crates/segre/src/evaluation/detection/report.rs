//! Outliers: whether a model tells other data from its own test rows.

use std::f64::consts::LN_2;

use serde::Serialize;

use super::{
    Detection, OutlierScore, Reference, RowFacts, background, deflated_bits, foreground_sites,
};
use crate::data::{Dataset, Layout};
use crate::evaluation::error::{EvaluationError, Result};
use crate::flow::Model;
use crate::flow::likelihood::{ScoreOptions, score};
use crate::progress::{Observer, Part};

/// Noise levels per row and round, and rounds: every row needs a score of its own.
const LEVELS: usize = 16;
const ROUNDS: usize = 3;

/// How outliers are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlierOptions {
    /// Most rows of the validation and test part, evenly spread.
    pub rows: usize,
    /// Seed of the scores.
    pub seed: u64,
}

/// What was found of all data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutlierReport {
    /// Name of the score to use.
    pub recommended: &'static str,
    /// Number of test rows.
    pub rows: usize,
    /// Mean of the test rows, bits per dimension.
    pub test_bits_per_dim: f64,
    /// The other data.
    pub sets: Vec<OutlierSet>,
    /// The test rows themselves.
    #[serde(skip)]
    pub test: ScoredRows,
}

/// What was found of one set of other data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutlierSet {
    /// What it is called.
    pub name: String,
    /// Mean of its rows, bits per dimension.
    pub bits_per_dim: f64,
    /// How well every score tells it from the test rows, in the order of [`OutlierScore::ALL`].
    pub scores: Vec<ScoreQuality>,
    /// Its rows.
    #[serde(skip)]
    pub scored: ScoredRows,
}

/// How well one score tells outliers from test rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreQuality {
    /// Name of the score.
    pub score: &'static str,
    /// The measures.
    #[serde(flatten)]
    pub detection: Detection,
}

/// Rows of one kind with what is known of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRows {
    /// What they are called.
    pub name: String,
    /// The rows.
    pub data: Dataset,
    /// What each is judged by.
    pub rows: Vec<RowFacts>,
    /// Standard errors of the likelihoods, bits.
    pub std_errors: Vec<f64>,
    /// Outlier scores of all kinds, one list for each of [`OutlierScore::ALL`].
    pub scores: Vec<Vec<f64>>,
}

/// Scores validation rows, for reference, test rows and outliers, each with its name.
///
/// `train` says what the background is.
///
/// # Errors
/// [`EvaluationError::FewValidationRows`], [`EvaluationError::NotANumber`], and those of [`score`].
pub fn run(
    model: &Model,
    train: &Dataset,
    validation: &Dataset,
    test: &Dataset,
    outliers: Vec<(String, Dataset)>,
    options: &OutlierOptions,
    observer: &mut dyn Observer,
) -> Result<OutlierReport> {
    let (validation, test) = (validation.spread(options.rows), test.spread(options.rows));
    if validation.rows() < 2 {
        return Err(EvaluationError::FewValidationRows);
    }
    let others = outliers.iter().map(|(_, data)| data.rows());
    let mut scorer = Scorer {
        model,
        seed: options.seed,
        background: background(train),
        done: 0,
        total: validation.rows() + test.rows() + others.sum::<usize>(),
        observer,
    };
    let known = scorer.score("validation".to_owned(), validation)?;
    let reference = Reference::of(&known.rows);
    let test = scorer.score("test".to_owned(), test)?.judged_by(&reference);
    let sets = outliers.into_iter().map(|(name, data)| {
        let scored = scorer.score(name, data)?.judged_by(&reference);
        OutlierSet::of(scored, &test)
    });
    let sets = sets.collect::<Result<_>>()?;
    Ok(OutlierReport {
        recommended: recommended(&test.data).name(),
        rows: test.rows.len(),
        test_bits_per_dim: test.bits_per_dim(),
        sets,
        test,
    })
}

/// The score to use for such data.
pub fn recommended(data: &Dataset) -> OutlierScore {
    OutlierScore::recommended(matches!(data.schema.layout, Layout::Image { .. }))
}

/// What scores one set of rows after the other.
struct Scorer<'a> {
    model: &'a Model,
    seed: u64,
    /// The label of the background.
    background: u16,
    /// Rows that are scored.
    done: usize,
    /// All rows.
    total: usize,
    observer: &'a mut dyn Observer,
}

impl Scorer<'_> {
    fn score(&mut self, name: String, data: Dataset) -> Result<ScoredRows> {
        let options = ScoreOptions {
            levels: LEVELS,
            rounds: ROUNDS,
            max_rounds: ROUNDS,
            std_error: None,
            seed: self.seed,
            ..ScoreOptions::default()
        };
        let after = self.done + data.rows();
        let [from, to] = [self.done, after].map(|rows| rows as f64 / self.total as f64);
        let mut part = Part::new(self.observer, "outliers", from..to);
        let found = score(self.model, &data, &options, &mut part)?;
        self.done = after;
        let facts = deflated_bits(&data)
            .into_iter()
            .zip(foreground_sites(&data, self.background));
        let rows = found
            .rows
            .iter()
            .zip(facts)
            .map(|(row, (length, foreground))| RowFacts {
                score: row.value / LN_2,
                length,
                foreground,
            });
        Ok(ScoredRows {
            name,
            rows: rows.collect(),
            std_errors: found.rows.iter().map(|row| row.std_error / LN_2).collect(),
            data,
            scores: Vec::new(),
        })
    }
}

impl ScoredRows {
    fn judged_by(mut self, reference: &Reference) -> Self {
        let of = |kind| {
            let rows = self.rows.iter();
            rows.map(|row| reference.outlier_score(kind, row)).collect()
        };
        self.scores = OutlierScore::ALL.map(of).to_vec();
        self
    }

    fn bits_per_dim(&self) -> f64 {
        let sum: f64 = self.rows.iter().map(|row| row.score).sum();
        sum / self.rows.len() as f64 / self.data.sites() as f64
    }
}

impl OutlierSet {
    fn of(scored: ScoredRows, test: &ScoredRows) -> Result<Self> {
        let lists = test.scores.iter().zip(&scored.scores);
        let qualities = OutlierScore::ALL.iter().zip(lists);
        let qualities = qualities.map(|(kind, (own, other))| {
            let detection = Detection::of(own, other).ok_or(EvaluationError::NotANumber)?;
            Ok(ScoreQuality {
                score: kind.name(),
                detection,
            })
        });
        Ok(Self {
            name: scored.name.clone(),
            bits_per_dim: scored.bits_per_dim(),
            scores: qualities.collect::<Result<_>>()?,
            scored,
        })
    }
}
