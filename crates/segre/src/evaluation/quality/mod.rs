//! Quality of synthetic rows of a table: shapes of columns, trends of pairs, a classifier's view, usefulness, privacy.
//!
//! Values are compared by column as a user sees them: numbers and dates as numbers, everything else as categories, missing fields
//! as SDMetrics 0.32 takes them. Measures that it has go by its names and have its values: a column's shape is `KSComplement`
//! or `TVComplement` without missing fields; a pair's trend is `CorrelationSimilarity` of rows in which both are known, or
//! `ContingencySimilarity` with numbers in ten bins, where missing is a category like others. Every number stands beside
//! those of a perfect and of a copying model, as shapes and trends alone do not tell a model from a copy of its data.

mod auc;
mod boosting;
mod privacy;
mod report;
pub(in crate::evaluation) mod rows;
mod shape;
#[cfg(test)]
mod tests;
mod trend;
mod two_sample;
mod usefulness;

use rand_chacha::ChaCha8Rng;

pub use report::{
    ColumnPair, ColumnShape, Compared, Measure, Memorisation, Privacy, QualityReport, TwoSample,
    Usefulness,
};

use self::rows::Rows;
use crate::data::{Dataset, Layout};
use crate::evaluation::error::{EvaluationError, Result};
use crate::progress::{Observer, Part};
use crate::random::{Purpose, generator};

/// What observers are told.
const TASK: &str = "quality";
/// Most rows of either kind that classifiers see.
const CLASSIFIED: usize = 20_000;
/// Fewest rows of every part.
const FEWEST: usize = 20;

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QualityOptions {
    /// Column whose prediction shows usefulness; by default the last one of 2 to 20 categories.
    pub target: Option<String>,
    /// Seed of which rows are drawn where not all are looked at.
    pub seed: u64,
}

/// Synthetic rows that [`run`] should be given of a model: as many as there are training rows, but not more than are
/// looked at.
pub fn synthetic_rows(train: &Dataset) -> usize {
    train.rows().min(CLASSIFIED)
}

/// Whether [`run`] has enough rows of every part of a table.
pub fn is_possible(parts: [&Dataset; 3]) -> bool {
    parts
        .iter()
        .all(|part| part.schema.layout == Layout::Table && part.rows() >= FEWEST)
}

/// Compares synthetic rows with the rows that a model has learned from, and with rows that it has not seen.
///
/// Shapes, trends and copies are of all rows; classifiers see at most 20 000 of either kind, distances are taken of at most
/// 5 000 synthetic rows to 3 000 training rows and as many held-out ones.
///
/// # Errors
/// [`EvaluationError::NotATable`], [`EvaluationError::FewRows`], [`EvaluationError::NoTarget`] and
/// [`DataError`](crate::data::DataError) of a `target` that is not there or of parts of another schema,
/// [`EvaluationError::Interrupted`].
pub fn run(
    train: &Dataset,
    held_out: &Dataset,
    synthetic: &Dataset,
    options: &QualityOptions,
    observer: &mut dyn Observer,
) -> Result<QualityReport> {
    check(train, held_out, synthetic)?;
    let [train, held_out, synthetic] = [train, held_out, synthetic].map(Rows::of);
    let target = usefulness::target_of(&train, options.target.as_deref())?;
    let rng = |counter: u64| generator(options.seed, Purpose::Quality, counter);
    let (own, perfect) = (
        Likeness::of(&train, &synthetic),
        perfect(&train, &synthetic, &mut rng(0)),
    );
    let copying = Likeness::of(&train, &train.draw(synthetic.count, &mut rng(1)));
    let compared = |value: fn(&Likeness) -> Option<f64>| Compared {
        value: value(&own),
        std_error: None,
        perfect: value(&perfect),
        copying: value(&copying),
    };
    let rng = &mut rng(2);
    let count = train.count.min(synthetic.count).min(CLASSIFIED);
    let (real, drawn) = (train.draw(count, rng), synthetic.draw(count, rng));
    let two_sample =
        two_sample::two_sample(&real, &drawn, rng, &mut Part::new(observer, TASK, 0.1..0.5))?;
    let usefulness = match target {
        None => None,
        Some(target) => {
            let parts = [&*real, &*drawn, &held_out];
            usefulness::usefulness(parts, target, &mut Part::new(observer, TASK, 0.5..0.8))?
        }
    };
    let privacy = privacy::privacy(
        &train,
        &held_out,
        &synthetic,
        rng,
        &mut Part::new(observer, TASK, 0.8..1.0),
    )?;
    let (memorisation, verdict) = privacy.verdict();
    Ok(QualityReport {
        training_rows: train.count,
        synthetic_rows: synthetic.count,
        held_out_rows: held_out.count,
        overall: compared(Likeness::overall),
        column_shapes: compared(|likeness| likeness.shapes),
        column_pair_trends: compared(|likeness| likeness.trends),
        all_column_pairs: compared(|likeness| likeness.all_pairs),
        two_sample,
        usefulness,
        privacy,
        memorisation,
        verdict,
        columns: own.columns,
        pairs: own.pairs,
    })
}

/// Whether the parts are of one table and large enough.
fn check(train: &Dataset, held_out: &Dataset, synthetic: &Dataset) -> Result<()> {
    let layout = &train.schema.layout;
    if *layout != Layout::Table {
        return Err(EvaluationError::NotATable {
            layout: layout.name(),
        });
    }
    for (part, data) in [
        ("training", train),
        ("held-out", held_out),
        ("synthetic", synthetic),
    ] {
        train.schema.same_as(&data.schema)?;
        if data.rows() < FEWEST {
            return Err(EvaluationError::FewRows {
                part,
                rows: data.rows(),
                least: FEWEST,
            });
        }
    }
    Ok(())
}

/// How alike the distributions of columns and pairs are.
struct Likeness {
    columns: Vec<ColumnShape>,
    pairs: Vec<ColumnPair>,
    shapes: Option<f64>,
    trends: Option<f64>,
    all_pairs: Option<f64>,
}

impl Likeness {
    fn of(real: &Rows, synthetic: &Rows) -> Self {
        let columns = real.columns.iter().zip(&synthetic.columns);
        let columns: Vec<ColumnShape> = columns
            .map(|(real, synthetic)| {
                let (measure, score) = shape::shape(real, synthetic);
                ColumnShape {
                    column: real.name.clone(),
                    measure,
                    score,
                }
            })
            .collect();
        let pairs = trend::trends(real, synthetic);
        let counting = pairs.iter().filter(|pair| pair.counts);
        Self {
            shapes: mean(columns.iter().filter_map(|column| column.score)),
            trends: mean(counting.filter_map(|pair| pair.score)),
            all_pairs: mean(pairs.iter().filter_map(|pair| pair.score)),
            columns,
            pairs,
        }
    }

    fn overall(&self) -> Option<f64> {
        mean([self.shapes, self.trends].into_iter().flatten())
    }
}

/// What new rows of the truth would get: one half of the training rows beside the other. Distances of two lists of rows go
/// with `√(1/n + 1/m)`, so those of the halves come to those of all rows by a factor.
fn perfect(train: &Rows, synthetic: &Rows, rng: &mut ChaCha8Rng) -> Likeness {
    let order = rand::seq::index::sample(rng, train.count, train.count).into_vec();
    let (first, second) = order.split_at(train.count / 2);
    let both = |n: usize, m: usize| 1.0 / n as f64 + 1.0 / m as f64;
    let factor = both(train.count, synthetic.count) / both(first.len(), second.len());
    let mut found = Likeness::of(&train.select(first), &train.select(second));
    let scaled = |score: Option<f64>| score.map(|score| 1.0 - (1.0 - score) * factor.sqrt());
    found.shapes = scaled(found.shapes);
    found.trends = scaled(found.trends);
    found.all_pairs = scaled(found.all_pairs);
    found
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}
