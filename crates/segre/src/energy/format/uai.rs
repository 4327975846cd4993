//! Markov and Bayesian networks in the format of the UAI inference competitions (`.uai`).
//!
//! Source: UAI 2014 Inference Competition, model format.

use std::fmt::Write;
use std::path::Path;

use super::tokens::Tokens;
use crate::atomic;
use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::model::EnergyModel;

/// Understands a network; `path` is for messages.
///
/// `MARKOV` and `BAYES` differ in nothing that matters here: a table of conditional probabilities is a
/// factor. Tables have the last variable fastest.
///
/// # Errors
/// [`EnergyError::FileEnds`], [`EnergyError::BadToken`], [`EnergyError::TableSize`],
/// [`EnergyError::ZeroFactor`] and [`EnergyError::ExtraToken`], each with line and token.
pub fn parse_uai(text: &str, path: &Path) -> Result<EnergyModel> {
    let mut tokens = Tokens::new(text, path, None);
    let expected = || "MARKOV or BAYES".to_owned();
    let header = tokens.next(expected)?;
    if !["MARKOV", "BAYES"].contains(&header.text.to_uppercase().as_str()) {
        return Err(tokens.bad(header, expected()));
    }
    let (variables, _) = tokens.count("the number of variables")?;
    let mut cardinalities = Vec::new();
    for variable in 0..variables {
        let (states, token) = tokens.states(variable)?;
        tokens.add_states(states, token)?;
        cardinalities.push(states);
    }
    let (factors, _) = tokens.count("the number of factors")?;
    let mut scopes: Vec<Vec<usize>> = Vec::new();
    for factor in 0..factors {
        let (order, _) = tokens.below(variables.saturating_add(1), || {
            format!("the number of variables of factor {factor}, at most {variables}")
        })?;
        scopes.push(tokens.scope(order, variables, factor)?);
    }
    let mut tables = Vec::new();
    for (factor, scope) in scopes.into_iter().enumerate() {
        let states: Vec<usize> = scope
            .iter()
            .map(|variable| cardinalities[*variable])
            .collect();
        let size = tokens.table_size(&states, factor)?;
        // Not reserved: a stated size may lie.
        let mut logs = Vec::new();
        for _ in 0..size {
            logs.push(tokens.log_weight(factor)?);
        }
        tables.push(tokens.factor(factor, scope, states, logs)?);
    }
    tokens.end("the last table")?;
    Ok(EnergyModel::new(cardinalities, tables))
}

/// A model as a Markov network; observations are not written, only the factors they leave.
///
/// # Errors
/// [`EnergyError::WeightOutOfRange`] if a floating-point number cannot hold a weight.
pub fn uai_text(model: &EnergyModel, path: &Path) -> Result<String> {
    let mut text = String::from("MARKOV\n");
    let words = |numbers: &[usize]| {
        let words: Vec<String> = numbers.iter().map(usize::to_string).collect();
        words.join(" ")
    };
    let fine = "writing to a string cannot fail";
    writeln!(text, "{}", model.variables()).expect(fine);
    writeln!(text, "{}", words(model.cardinalities())).expect(fine);
    writeln!(text, "{}", model.factors().len()).expect(fine);
    for factor in model.factors() {
        let variables = factor.variables();
        writeln!(text, "{} {}", variables.len(), words(variables)).expect(fine);
    }
    for (number, factor) in model.factors().iter().enumerate() {
        write!(text, "\n{}\n", factor.log_values().len()).expect(fine);
        for &log_value in factor.log_values() {
            let weight = log_value.exp();
            if weight == f64::INFINITY || weight == 0.0 && log_value > f64::NEG_INFINITY {
                return Err(EnergyError::WeightOutOfRange {
                    path: path.into(),
                    factor: number,
                    log_value,
                });
            }
            write!(text, " {weight:e}").expect(fine);
        }
        text.push('\n');
    }
    Ok(text)
}

/// Writes a model as a Markov network.
///
/// # Errors
/// As [`uai_text`], and [`FileError::Io`](crate::FileError::Io).
pub fn write_uai(model: &EnergyModel, path: &Path) -> Result<()> {
    Ok(atomic::write_bytes(
        path,
        uai_text(model, path)?.as_bytes(),
    )?)
}
