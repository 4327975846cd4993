//! Evidence in the formats of the UAI competitions (`.evid`).

use std::path::Path;

use super::read_text;
use super::tokens::Tokens;
use crate::energy::error::Result;
use crate::energy::model::{EnergyModel, Observation};

/// Reads the observations of a file for a model.
///
/// # Errors
/// As [`parse_evidence`], and [`FileError::Io`](crate::FileError::Io).
pub fn read_evidence(path: &Path, model: &EnergyModel) -> Result<Vec<Observation>> {
    parse_evidence(&read_text(path)?, path, model)
}

/// Understands both formats: the number of observations and `variable state` pairs; or before that
/// the number of samples, which must be 1 (or 0 for no evidence).
///
/// # Errors
/// [`crate::energy::EnergyError`] with line and token if the file is truncated, or a variable or a
/// state is out of range.
pub fn parse_evidence(text: &str, path: &Path, model: &EnergyModel) -> Result<Vec<Observation>> {
    let mut tokens = Tokens::new(text, path, None);
    let (mut count, first) = tokens.count("the number of observations")?;
    let words = tokens.all().len();
    let plain = count.checked_mul(2).and_then(|pairs| pairs.checked_add(1)) == Some(words);
    // Where the plain reading does not fit, a count alone on its line, or an even number of words
    // (which the plain format never has), tells that a number of samples leads.
    let alone = tokens
        .all()
        .get(1)
        .is_some_and(|second| second.line > first.line);
    if !plain && (alone || words.is_multiple_of(2)) && words > 1 {
        if count != 1 {
            let expected = "1 (one sample of evidence; split the file)".to_owned();
            return Err(tokens.bad(first, expected));
        }
        (count, _) = tokens.count("the number of observations")?;
    }
    let mut evidence = Vec::new();
    for _ in 0..count {
        let variables = model.variables();
        let (variable, _) = tokens.below(variables, || {
            format!("an observed variable, below {variables}")
        })?;
        let states = model.cardinalities()[variable];
        let (state, _) = tokens.below(states, || {
            format!("a state of variable {variable}, below {states}")
        })?;
        evidence.push((variable, state));
    }
    tokens.end("the evidence")?;
    Ok(evidence)
}
