//! Factor graphs in the format of libDAI (`.fg`): first variable fastest, zeros left out.

use std::path::Path;

use super::tokens::{Tokens, product};
use crate::energy::error::Result;
use crate::energy::model::EnergyModel;

/// Largest number of a variable in a file of fewer words: beyond, a damaged file is likelier than a model.
const MOST_VARIABLES: usize = 1 << 20;
/// Entries of tables that are filled with zeros for sparse ones.
const MOST_ENTRIES: usize = 1 << 24;

/// Understands a factor graph; `path` is for messages.
///
/// Numbers that no factor uses become variables of one state.
///
/// # Errors
/// [`crate::energy::EnergyError`] with line and token.
pub fn parse_fg(text: &str, path: &Path) -> Result<EnergyModel> {
    let mut tokens = Tokens::new(text, path, Some('#'));
    let (count, _) = tokens.count("the number of factors")?;
    let mut factors = Vec::new();
    // 0 stands for a variable that no factor has used yet.
    let mut cardinalities: Vec<usize> = Vec::new();
    let most_variables = MOST_VARIABLES.max(tokens.all().len());
    let mut all_entries = 0;
    for factor in 0..count {
        let (order, _) = tokens.count("the number of variables of a factor")?;
        let mut scope = tokens.scope(order, most_variables, factor)?;
        let mut states = Vec::new();
        for &variable in &scope {
            let (number, token) = tokens.states(variable)?;
            if variable >= cardinalities.len() {
                cardinalities.resize(variable + 1, 0);
            }
            let known = cardinalities[variable];
            if known != 0 && known != number {
                let expected = format!("{known}, the states of variable {variable} before");
                return Err(tokens.bad(token, expected));
            }
            if known == 0 {
                tokens.add_states(number, token)?;
            }
            cardinalities[variable] = number;
            states.push(number);
        }
        let (entries, token) = tokens.count("the number of non-zero entries")?;
        let size = match product(&states) {
            Some(size) if entries <= size => size,
            size => return Err(tokens.wrong_size(token, factor, size)),
        };
        // What a file says of its zeros costs it nothing.
        if size > entries {
            all_entries += size;
        }
        if size > MOST_ENTRIES || all_entries > MOST_ENTRIES {
            let expected = format!(
                "the number of entries of a smaller table (that of factor {factor} has {size}, and sparse ones \
                 together may have {MOST_ENTRIES})"
            );
            return Err(tokens.bad(token, expected));
        }
        let mut logs = vec![f64::NEG_INFINITY; size];
        let mut given = vec![false; size];
        for _ in 0..entries {
            let (index, token) = tokens.below(size, || {
                format!("an index of factor {factor}'s table, below {size}")
            })?;
            if std::mem::replace(&mut given[index], true) {
                let expected = format!("an index that factor {factor} has not given before");
                return Err(tokens.bad(token, expected));
            }
            logs[index] = tokens.log_weight(factor)?;
        }
        // First variable fastest is last variable fastest of the reversed list.
        scope.reverse();
        states.reverse();
        factors.push(tokens.factor(factor, scope, states, logs)?);
    }
    tokens.end("the last factor")?;
    for states in &mut cardinalities {
        *states = (*states).max(1);
    }
    Ok(EnergyModel::new(cardinalities, factors))
}
