//! Evidence in the formats of the UAI competitions (`.evid`).

use std::collections::BTreeSet;
use std::path::Path;

use super::tokens::{Token, Tokens};
use crate::energy::error::Result;
use crate::energy::model::{EnergyModel, Observation};
use crate::stream::read_text;

/// Reads the observations of a file for a model.
///
/// # Errors
/// As [`parse_evidence`], and [`FileError::Io`](crate::FileError::Io).
pub fn read_evidence(path: &Path, model: &EnergyModel) -> Result<Vec<Observation>> {
    parse_evidence(&read_text(path)?, path, model)
}

/// Understands both formats: the number of observations and `variable state` pairs (since 2014); or before that
/// the number of samples (2008 to 2012), which must be 1, or 0 for no evidence.
///
/// # Errors
/// [`crate::energy::EnergyError`] with line and token if the file is truncated or holds several samples, if a variable
/// or a state is out of range, or a variable is given twice.
pub fn parse_evidence(text: &str, path: &Path, model: &EnergyModel) -> Result<Vec<Observation>> {
    let mut tokens = Tokens::new(text, path, None);
    let observations = "the number of observations, 0 for no evidence";
    let (mut count, first) = tokens.count(observations)?;
    if counts_samples(tokens.all(), count) {
        if count != 1 {
            let expected = "1 (one sample of evidence; split the file)".to_owned();
            return Err(tokens.bad(first, expected));
        }
        (count, _) = tokens.count(observations)?;
    }
    let (mut evidence, mut seen) = (Vec::new(), BTreeSet::new());
    for _ in 0..count {
        let variables = model.variables();
        let (variable, token) = tokens.below(variables, || {
            format!("an observed variable, below {variables}")
        })?;
        if !seen.insert(variable) {
            let expected = "a variable that is not observed already".to_owned();
            return Err(tokens.bad(token, expected));
        }
        let states = model.cardinalities()[variable];
        let (state, _) = tokens.below(states, || {
            format!("a state of variable {variable}, below {states}")
        })?;
        evidence.push((variable, state));
    }
    tokens.end("the evidence")?;
    Ok(evidence)
}

/// Whether the first number of a file counts samples, not observations.
///
/// Mostly the number of words tells. Some files of several samples have that of the other form too: there no observation of
/// the other form would be on two lines.
fn counts_samples(words: &[Token], first: usize) -> bool {
    let observations =
        first.checked_mul(2).and_then(|pairs| pairs.checked_add(1)) == Some(words.len());
    let samples = first > 0 && ends_with_sample(&words[1..], first);
    match (observations, samples) {
        (true, true) => words[1..]
            .chunks(2)
            .any(|pair| pair[0].line != pair[1].line),
        (false, false) => first == 1 && words.get(1).is_some_and(|word| word.line > words[0].line),
        (_, samples) => samples,
    }
}

/// Whether words are so many samples, each a number of observations and their pairs.
fn ends_with_sample(words: &[Token], samples: usize) -> bool {
    let mut next = 0_usize;
    for _ in 0..samples {
        let Some(count) = words.get(next).and_then(|word| word.text.parse().ok()) else {
            return false;
        };
        let pairs: usize = count;
        next = pairs.saturating_mul(2).saturating_add(next + 1);
    }
    next == words.len()
}
