//! The words of a text file, each with its line and number, for messages that say where.

use std::path::Path;

use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::factor::Factor;

/// Most states of a variable: beyond, a damaged file is likelier than a model.
const MOST_STATES: usize = 1 << 20;
/// Most states of all variables together: so many probabilities fit any memory.
const MOST_STATES_TOGETHER: usize = 1 << 24;

/// One word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    /// Line, from 1.
    pub line: usize,
    /// Number in the file, from 1.
    pub number: usize,
}

/// The words of a file, read one after the other.
pub(super) struct Tokens<'a> {
    path: &'a Path,
    tokens: Vec<Token<'a>>,
    next: usize,
    last_line: usize,
    /// States of all variables so far.
    states: usize,
    /// For each variable the last factor, from 1, that has it.
    factors: Vec<usize>,
}

impl<'a> Tokens<'a> {
    /// Splits a text at white space; what follows `comment` on a line is left out.
    pub fn new(text: &'a str, path: &'a Path, comment: Option<char>) -> Self {
        let mut tokens = Vec::new();
        let mut last_line = 1;
        // Editors of some systems put a mark of the encoding first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            last_line = index + 1;
            let end = comment.and_then(|mark| line.find(mark));
            for text in line[..end.unwrap_or(line.len())].split_whitespace() {
                let number = tokens.len() + 1;
                tokens.push(Token {
                    text,
                    line: index + 1,
                    number,
                });
            }
        }
        Self {
            path,
            tokens,
            next: 0,
            last_line,
            states: 0,
            factors: Vec::new(),
        }
    }

    pub fn all(&self) -> &[Token<'a>] {
        &self.tokens
    }

    /// The next word; `expected` says what is missing if there is none.
    pub fn next(&mut self, expected: impl FnOnce() -> String) -> Result<Token<'a>> {
        let Some(&token) = self.tokens.get(self.next) else {
            return Err(EnergyError::FileEnds {
                path: self.path.into(),
                line: self.last_line,
                tokens: self.tokens.len(),
                expected: expected(),
            });
        };
        self.next += 1;
        Ok(token)
    }

    /// A whole number below a bound.
    pub fn below(
        &mut self,
        bound: usize,
        expected: impl Fn() -> String,
    ) -> Result<(usize, Token<'a>)> {
        let token = self.next(&expected)?;
        match token.text.parse() {
            Ok(number) if number < bound => Ok((number, token)),
            _ => Err(self.bad(token, expected())),
        }
    }

    /// A whole number.
    pub fn count(&mut self, what: &str) -> Result<(usize, Token<'a>)> {
        self.below(usize::MAX, || format!("a whole number ({what})"))
    }

    /// A variable's number of states.
    pub fn states(&mut self, variable: usize) -> Result<(usize, Token<'a>)> {
        let what = || format!("the states of variable {variable}, from 1 to {MOST_STATES}");
        let (states, token) = self.below(MOST_STATES + 1, what)?;
        match states {
            0 => Err(self.bad(token, what())),
            _ => Ok((states, token)),
        }
    }

    /// Counts the states of another variable.
    pub fn add_states(&mut self, states: usize, token: Token) -> Result<()> {
        self.states += states;
        if self.states > MOST_STATES_TOGETHER {
            let expected =
                format!("at most {MOST_STATES_TOGETHER} states of all variables together");
            return Err(self.bad(token, expected));
        }
        Ok(())
    }

    /// The logarithm of an entry of a table.
    pub fn log_weight(&mut self, factor: usize) -> Result<f64> {
        let expected = || {
            format!(
                "a finite number that is not negative (entry of factor {factor}: a weight exp(−energy), no energy \
                 and no logarithm)"
            )
        };
        let token = self.next(expected)?;
        log_of(token.text).ok_or_else(|| self.bad(token, expected()))
    }

    /// The variables of a factor, none of them twice.
    pub fn scope(&mut self, order: usize, variables: usize, factor: usize) -> Result<Vec<usize>> {
        let mut scope = Vec::new();
        for _ in 0..order {
            let (variable, token) = self.below(variables, || {
                format!("a variable of factor {factor}, below {variables}")
            })?;
            if variable >= self.factors.len() {
                self.factors.resize(variable + 1, 0);
            }
            if std::mem::replace(&mut self.factors[variable], factor + 1) == factor + 1 {
                let expected = format!("another variable than those before in factor {factor}");
                return Err(self.bad(token, expected));
            }
            scope.push(variable);
        }
        Ok(scope)
    }

    /// The stated size of a factor's table, which must fit its cardinalities.
    pub fn table_size(&mut self, cardinalities: &[usize], factor: usize) -> Result<usize> {
        let (found, token) = self.count("the size of a table")?;
        let size = product(cardinalities);
        if size != Some(found) {
            return Err(self.wrong_size(token, factor, size));
        }
        Ok(found)
    }

    /// The error of a table's size.
    pub fn wrong_size(&self, token: Token, factor: usize, size: Option<usize>) -> EnergyError {
        EnergyError::TableSize {
            path: self.path.into(),
            line: token.line,
            token: token.number,
            factor,
            found: token.text.into(),
            expected: size.map_or("more than 2^63".into(), |size| size.to_string()),
        }
    }

    /// A factor from logarithms of weights, which must not all be zero.
    pub fn factor(
        &self,
        factor: usize,
        variables: Vec<usize>,
        cardinalities: Vec<usize>,
        log_values: Vec<f64>,
    ) -> Result<Factor> {
        if log_values.iter().all(|log| *log == f64::NEG_INFINITY) {
            let last = self.tokens[self.next - 1];
            return Err(EnergyError::ZeroFactor {
                path: self.path.into(),
                line: last.line,
                token: last.number,
                factor,
                entries: log_values.len(),
            });
        }
        Ok(Factor::new(variables, cardinalities, log_values))
    }

    /// The error of a word that does not belong there.
    pub fn bad(&self, token: Token, expected: String) -> EnergyError {
        EnergyError::BadToken {
            path: self.path.into(),
            line: token.line,
            token: token.number,
            found: token.text.chars().take(40).collect(),
            expected,
        }
    }

    /// Nothing may follow.
    pub fn end(&self, what: &'static str) -> Result<()> {
        match self.tokens.get(self.next) {
            None => Ok(()),
            Some(token) => Err(EnergyError::ExtraToken {
                path: self.path.into(),
                line: token.line,
                token: token.number,
                found: token.text.chars().take(40).collect(),
                what,
            }),
        }
    }
}

/// The logarithm of a decimal number, `None` if it is negative or no finite number.
///
/// A number beyond what floating-point numbers hold, as 1e-400, has a logarithm like any other.
fn log_of(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    if number.is_normal() {
        return (number > 0.0).then(|| number.ln());
    }
    let (digits, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa: f64 = digits.parse().ok()?;
    if mantissa == 0.0 {
        // Zero, or digits that are out of range by themselves.
        let zero = digits.bytes().all(|digit| !matches!(digit, b'1'..=b'9'));
        return zero.then_some(f64::NEG_INFINITY);
    }
    let power: i32 = power.parse().ok()?;
    (mantissa.is_finite() && mantissa > 0.0)
        .then(|| mantissa.ln() + f64::from(power) * std::f64::consts::LN_10)
}

/// The number of configurations, if a signed machine word can hold it.
pub(super) fn product(cardinalities: &[usize]) -> Option<usize> {
    let size = cardinalities
        .iter()
        .try_fold(1_usize, |size, states| size.checked_mul(*states))?;
    (size <= isize::MAX as usize).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_have_their_logarithms() {
        for text in ["2", "0.5e-3", "1e308", "+1E-300"] {
            let number: f64 = text.parse().expect("a number");
            assert_eq!(log_of(text), Some(number.ln()), "{text}");
        }
        for (text, mantissa, power) in [
            ("3e-400", 3_f64, -400.0),
            ("2.5E+400", 2.5, 400.0),
            ("4e-310", 4.0, -310.0),
        ] {
            let expected = mantissa.ln() + power * 10_f64.ln();
            let found = log_of(text).expect("a weight");
            assert!((found - expected).abs() < 1e-12, "{text}: {found}");
        }
        for zero in ["0", "0.000", "-0.0", "0e7", "0e-99999999999"] {
            assert_eq!(log_of(zero), Some(f64::NEG_INFINITY), "{zero}");
        }
        let small = format!("0.{}1", "0".repeat(400));
        for bad in [
            "-1",
            "-1e-400",
            "NaN",
            "inf",
            "-inf",
            "1e99999999999",
            "x",
            "",
            &small,
        ] {
            assert_eq!(log_of(bad), None, "{bad}");
        }
    }
}
