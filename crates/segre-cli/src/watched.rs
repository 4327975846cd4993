//! Long work with a progress bar that Ctrl-C stops, and a last line about what came out.

use anyhow::Result;
use segre::data::{Dataset, Layout, PartialDataset, Schema};
use segre::flow::Model;
use segre::flow::likelihood::{ScoreOptions, Scores, score};
use segre::flow::sampling::{Samples, SamplingOptions, sample_classes};
use segre::model::draw_keeping;

use crate::args::Common;
use crate::wording::with_flags;

/// Columns that a note names, at most.
const NAMED: usize = 5;

/// Scores data by the library's options, with a progress bar.
pub fn score_by_options(
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    common: &Common,
) -> Result<Scores> {
    common.watch(
        |bar| score(model, data, options, bar),
        |found| format!("{} rows, {} evaluations", data.rows(), found.evaluations),
    )
}

/// Draws samples with a progress bar; they keep the constraints of their schema.
pub fn sample_with_progress(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Samples> {
    common.watch(|bar| draw_keeping(model, count, options, bar), costs)
}

/// Draws `count` samples of each of some classes, with a progress bar.
pub fn sample_classes_with_progress(
    model: &Model,
    classes: std::ops::Range<usize>,
    guidance: f64,
    count: usize,
    options: &SamplingOptions,
    common: &Common,
) -> Result<Samples> {
    common.watch(
        |bar| sample_classes(model, classes, guidance, count, options, bar),
        costs,
    )
}

/// What samples cost, for the end of a progress bar.
fn costs(samples: &Samples) -> String {
    format!(
        "{} samples in {:.1} s, {} function evaluations each, mean entropy {:.4} before rounding",
        samples.data.rows(),
        samples.seconds,
        samples.function_evaluations,
        samples.mean_entropy
    )
}

/// Says that a model has not learned the conditionals that it is asked for.
pub fn warn_unconditional(model: &Model, common: &Common) {
    if !model.knows_conditionals() && !common.quiet {
        eprintln!(
            "warning: this model was fitted without --conditional any, so its conditionals may be poor"
        );
    }
}

/// Says what was guessed or taken for something in a file.
pub fn note_reading(schema: &Schema, common: &Common) {
    note_new(schema, 0, common);
}

/// Says of which columns of a table no row says anything, but for one that is not asked: they may be misspelt, or left out.
pub fn note_unknown_columns(rows: &PartialDataset, but: Option<&str>, common: &Common) {
    let columns = rows.columns_unknown();
    let columns: Vec<&str> = columns
        .into_iter()
        .filter(|name| Some(*name) != but)
        .collect();
    let every = columns.len() == rows.schema.column_count();
    if common.quiet || columns.is_empty() || every || rows.schema.layout != Layout::Table {
        return;
    }
    let some: Vec<String> = columns
        .iter()
        .take(NAMED)
        .map(|name| format!("{name:?}"))
        .collect();
    let more = match columns.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more columns"),
    };
    eprintln!("note: no row has a value of {}{more}", some.join(", "));
}

/// Says what has come to the notes of a schema since so many of them were told.
pub fn note_new(schema: &Schema, told: usize, common: &Common) {
    if !common.quiet {
        for note in schema.notes.iter().skip(told) {
            eprintln!("note: {}", with_flags(note));
        }
    }
}

/// Says which columns of the data are no part of the model, why, and how to keep them.
pub fn note_left_out(schema: &Schema, common: &Common) {
    if common.quiet {
        return;
    }
    note_reading(schema, common);
    for column in &schema.derived {
        eprintln!(
            "note: {} ({} rows bear it out): it follows from there in all that is written; to learn it as a column of its own: \
             --columns-as \"{}=category\" (or number, date)",
            column.sentence(),
            column.rows,
            column.name
        );
    }
    for column in &schema.left_out {
        eprintln!(
            "note: column {:?} is left out: {}; to keep it: --columns-as \"{}=category\"",
            column.name, column.why, column.name
        );
    }
}
