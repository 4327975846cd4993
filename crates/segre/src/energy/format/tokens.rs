//! The words of a text file, each with its line and number, for messages that say where.

use std::path::Path;

use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::factor::Factor;

/// Most states of a variable: beyond, a damaged file is likelier than a model.
const MOST_STATES: usize = 1 << 20;

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
}

impl<'a> Tokens<'a> {
    /// Splits a text at white space; what follows `comment` on a line is left out.
    pub fn new(text: &'a str, path: &'a Path, comment: Option<char>) -> Self {
        let mut tokens = Vec::new();
        let mut last_line = 1;
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

    /// An entry of a table.
    pub fn weight(&mut self, factor: usize) -> Result<f64> {
        let expected =
            || format!("a finite number that is not negative (entry of factor {factor})");
        let token = self.next(expected)?;
        match token.text.parse::<f64>() {
            Ok(number) if (0.0..f64::INFINITY).contains(&number) => Ok(number),
            _ => Err(self.bad(token, expected())),
        }
    }

    /// The scope of a factor must not name a variable twice.
    pub fn variable(
        &mut self,
        variables: usize,
        scope: &[usize],
        factor: usize,
    ) -> Result<(usize, Token<'a>)> {
        let (variable, token) = self.below(variables, || {
            format!("a variable of factor {factor}, below {variables}")
        })?;
        if scope.contains(&variable) {
            let expected = format!("another variable than those before in factor {factor}");
            return Err(self.bad(token, expected));
        }
        Ok((variable, token))
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

    /// A factor from weights, which must not all be zero.
    pub fn factor(
        &self,
        factor: usize,
        variables: Vec<usize>,
        cardinalities: Vec<usize>,
        weights: &[f64],
    ) -> Result<Factor> {
        if weights.iter().all(|weight| *weight == 0.0) {
            let last = self.tokens[self.next - 1];
            return Err(EnergyError::ZeroFactor {
                path: self.path.into(),
                line: last.line,
                token: last.number,
                factor,
                entries: weights.len(),
            });
        }
        let log_values = weights.iter().map(|weight| weight.ln()).collect();
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

/// The number of configurations, if a signed machine word can hold it.
pub(super) fn product(cardinalities: &[usize]) -> Option<usize> {
    let size = cardinalities
        .iter()
        .try_fold(1_usize, |size, states| size.checked_mul(*states))?;
    (size <= isize::MAX as usize).then_some(size)
}
