//! Inequalities between columns: rows that break one are drawn again, and what that was of all draws is said.

use crate::data::Dataset;
use crate::error::Result;
use crate::flow::Model;
use crate::flow::sampling::{Samples, SamplingOptions, sample};
use crate::progress::Observer;

/// Times that rows are drawn again.
const MOST_ROUNDS: u64 = 200;

/// Draws rows that keep the inequalities of their schema.
///
/// # Errors
/// As [`sample`].
pub fn draw_keeping(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let samples = sample(model, count, options, observer)?;
    keeping(samples, options, |rows, options| {
        Ok(sample(model, rows.len(), options, observer)?)
    })
}

/// Samples without rows that break an inequality: `again` draws some rows, by their place, with another seed.
///
/// # Errors
/// Those of `again`.
pub(super) fn keeping(
    samples: Samples,
    options: &SamplingOptions,
    mut again: impl FnMut(&[usize], &SamplingOptions) -> Result<Samples>,
) -> Result<Samples> {
    if samples.data.schema.constraints.is_empty() {
        return Ok(samples);
    }
    let mut samples = samples;
    samples.data = samples.data.with_written_numbers();
    let rows = samples.data.rows();
    let mut broken = samples.data.breaking();
    let (mut refused, mut drawn) = (broken.len(), rows);
    for round in 1..=MOST_ROUNDS {
        if broken.is_empty() {
            break;
        }
        let options = SamplingOptions {
            // Seeds of rounds are far from those that people give.
            seed: options.seed ^ (round << 40),
            ..options.clone()
        };
        let more = again(&broken, &options)?;
        let more_data = more.data.with_written_numbers();
        samples.data = samples.data.with_rows(&broken, &more_data)?;
        samples.log_probabilities.clear();
        samples.seconds += more.seconds;
        drawn += broken.len();
        let still: Vec<usize> = more_data.breaking();
        broken = still.into_iter().map(|place| broken[place]).collect();
        refused += broken.len();
    }
    let names = samples.data.schema.constraints.iter();
    let names: Vec<String> = names.map(|own| own.text()).collect();
    let names = names.join(", ");
    if refused > 0 {
        samples.data.schema.notes.push(format!(
            "{refused} of {drawn} rows that were drawn ({:.2} %) broke {names} and were drawn again",
            100.0 * refused as f64 / drawn as f64
        ));
    }
    note_broken(&mut samples.data, broken.len(), &names);
    Ok(samples)
}

/// Says that rows break an inequality after all.
pub(super) fn note_broken(data: &mut Dataset, broken: usize, names: &str) {
    if broken > 0 {
        let rows = data.rows();
        data.schema.notes.push(format!(
            "{broken} of {rows} rows break {names}: what is known of them leaves nothing else, or next to nothing"
        ));
    }
}
