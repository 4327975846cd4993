//! A column that says what each row weighs: it is read for that, and is no part of the model.

use super::frame::{Frame, MISSING};
use crate::data::error::{DataError, Result};
use crate::data::options::ReadOptions;

/// Takes the column of weights out of a table.
///
/// # Errors
/// [`DataError::BadWeight`] for a field that is no number or below 0, and if all are 0.
pub fn take_weights(frame: &mut Frame, options: &ReadOptions) -> Result<()> {
    let Some(name) = &options.weights else {
        return Ok(());
    };
    let Some(place) = frame.columns.iter().position(|column| column.name == *name) else {
        return Ok(());
    };
    let column = frame.columns.remove(place);
    frame.types.columns.remove(name);
    let weight = |word: &str| -> Option<f32> {
        let number: f32 = word.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let words: Vec<Option<f32>> = column.words.iter().map(weight).collect();
    let refused = |row: usize, value: &str| DataError::BadWeight {
        path: frame.path.clone(),
        line: frame.line(row),
        column: name.clone(),
        value: value.to_owned(),
    };
    let mut weights = Vec::with_capacity(column.codes.len());
    for (row, code) in column.codes.iter().enumerate() {
        let weight = match code {
            MISSING => return Err(refused(row, "a missing field")),
            code => words[code as usize].ok_or_else(|| refused(row, column.words.get(code)))?,
        };
        weights.push(weight);
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(refused(0, "0 in every row"));
    }
    frame.weights = Some(weights);
    Ok(())
}

/// What is to be said of a table that should have weights and has none.
pub fn without_weights(frame: &Frame, options: &ReadOptions) -> Option<String> {
    let name = options.weights.as_ref()?;
    let missing = frame.weights.is_none();
    missing.then(|| format!("there is no column {name:?} of weights here: all rows weigh the same"))
}
