//! Columns that others decide: a city's country, a total of two numbers. They are no part of the model and add nothing to a
//! likelihood; where rows are written they follow from the columns that decide them, so that they hold exactly.
//!
//! | | file |
//! |---|---|
//! | numbers with places, added and multiplied exactly | `exact.rs` |
//! | which columns are decided, found in the rows of a fit | `find.rs` |
//! | what rows decide: a rule in the labels of a schema | `decide.rs` |
//! | tables that say both: checked, and solved for what is unknown | `read.rs` |

mod decide;
mod exact;
mod find;
mod read;

use serde::{Deserialize, Serialize};

pub use decide::{Deciders, Decision, Row};
pub(super) use find::{Found, find};
pub use read::{OfRow, solved};
pub(super) use read::{keep_rows, settle};

use super::number::Notation;

/// A column of the data that others decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// Its place among the columns that are written.
    pub place: usize,
    /// What decides it.
    pub rule: Rule,
    /// Rows of the fit's data that could have broken the rule and did not.
    pub rows: usize,
}

/// How columns decide another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every value of a column goes with one value.
    Lookup {
        /// The column that decides.
        of: String,
        /// Its values, each with the one that goes with it; `?` where a field is missing.
        pairs: Vec<(String, String)>,
    },
    /// A number is computed from one or two others; missing if one of them is.
    Numbers {
        /// How.
        operation: Operation,
        /// The columns that decide, and how their numbers are written.
        of: Vec<(String, Notation)>,
        /// How the result is written.
        notation: Notation,
    },
}

/// What is computed from numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The same number.
    Same,
    /// `a + b`.
    Sum,
    /// `a − b`.
    Difference,
    /// `a · b`.
    Product,
}

impl Derived {
    /// The columns that decide.
    pub fn parents(&self) -> Vec<&str> {
        match &self.rule {
            Rule::Lookup { of, .. } => vec![of],
            Rule::Numbers { of, .. } => of.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// The rule in a few words: `"country" is decided by "city"`, `"total" is "net" + "tax"`.
    pub fn sentence(&self) -> String {
        let name = &self.name;
        match &self.rule {
            Rule::Lookup { of, .. } => format!("{name:?} is decided by {of:?}"),
            Rule::Numbers { operation, of, .. } => {
                let sign = match operation {
                    Operation::Same => return format!("{name:?} is the same as {:?}", of[0].0),
                    Operation::Sum => '+',
                    Operation::Difference => '−',
                    Operation::Product => '·',
                };
                format!("{name:?} is {:?} {sign} {:?}", of[0].0, of[1].0)
            }
        }
    }
}
