//! Markov and Bayesian networks in the format of the UAI inference competitions (`.uai`).
//!
//! Source: UAI 2014 Inference Competition, model format.

use std::fmt::Write;
use std::path::Path;

use super::tokens::Tokens;
use crate::atomic;
use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::factor::Factor;
use crate::energy::model::EnergyModel;

/// By how much the probabilities of a variable may differ from 1 in all: they are printed with few digits.
const ROUNDED: f64 = 0.01;

/// Understands a network; `path` is for messages.
///
/// A table of conditional probabilities (`BAYES`) is a factor like others (`MARKOV`); where its numbers are no probabilities of its
/// last variable, that is said, for then the variables are likely in another order. Tables have the last variable fastest.
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
    let doubt = match header.text.eq_ignore_ascii_case("BAYES") {
        true => improbable(&tables).or_else(|| ownerless(cardinalities.len(), &tables)),
        false => None,
    };
    Ok(EnergyModel::new(cardinalities, tables).doubted(doubt))
}

/// The first table whose numbers are no probabilities of its last variable given the others, in a sentence.
fn improbable(tables: &[Factor]) -> Option<String> {
    tables.iter().enumerate().find_map(|(number, table)| {
        let states = *table.cardinalities().last()?;
        let sums = table.log_values().chunks(states);
        let mut sums = sums.map(|logs| logs.iter().map(|log| log.exp()).sum::<f64>());
        let sum = sums.find(|sum| (sum - 1.0).abs() > ROUNDED)?;
        let variable = table.variables().last()?;
        Some(format!(
            "the file says BAYES, but in factor {number} the probabilities of variable {variable} sum to {sum:.4}: list the variables of \
             a table so that its own comes last, or say MARKOV if these are weights"
        ))
    })
}

/// The first variable that has not exactly one table, in a sentence.
fn ownerless(variables: usize, tables: &[Factor]) -> Option<String> {
    let mut own = vec![0_usize; variables];
    let last = tables.iter().filter_map(|table| table.variables().last());
    last.for_each(|variable| own[*variable] += 1);
    let variable = own.iter().position(|count| *count != 1)?;
    Some(format!(
        "the file says BAYES, but {} tables have variable {variable} as their last, where one gives its probabilities: correct the \
         tables, or say MARKOV if these are weights",
        own[variable]
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_bayesian_network_that_are_no_probabilities_are_doubted() {
        let doubt = |text: &str| {
            let model = parse_uai(text, Path::new("net.uai")).expect("a network");
            model.doubt().map(str::to_owned)
        };
        let net = "BAYES\n2\n2 2\n2\n1 0\n2 0 1\n2 .5 .5\n4 .1 .9 .3 .7\n";
        assert_eq!(doubt(net), None);
        let turned = doubt(&net.replace("2 0 1", "2 1 0")).expect("variable 0 has both tables");
        assert!(turned.contains("2 tables have variable 0"), "{turned}");
        let turned = net.replace(".1 .9 .3 .7", ".1 .3 .9 .7");
        let said = doubt(&turned).expect("0.1 and 0.3 are no whole");
        assert!(
            said.contains("factor 1") && said.contains("0.4000"),
            "{said}"
        );
        assert_eq!(doubt(&turned.replace("BAYES", "MARKOV")), None);
        let rounded = net.replace(".5 .5", ".333 .666");
        assert_eq!(doubt(&rounded), None);
        let twice = net.replace("1 0\n2 0 1", "1 1\n2 0 1");
        let said = doubt(&twice).expect("variable 0 has no table");
        assert!(said.contains("0 tables have variable 0"), "{said}");
    }
}
