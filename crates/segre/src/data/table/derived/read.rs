//! Tables that say what others of their columns decide: both must agree, and what one of them leaves open may follow.

use super::decide::{Deciders, Decision, Parents, Row, Unsolved};
use crate::data::error::{DataError, Result};
use crate::data::options::Unseen;
use crate::data::partial::{PartialDataset, UNKNOWN};
use crate::data::schema::Schema;
use crate::data::table::frame::{Frame, MISSING as MISSING_CODE};
use crate::data::table::numbers::Numbers;

/// What a table says of decided columns.
pub struct Settled {
    /// A list for every decided column, empty where the table does not have it: units, or the places of values.
    pub said: Numbers,
    /// Whether rows are to be left out.
    pub dropped: Option<Vec<bool>>,
    /// What was done with rows that contradict themselves.
    pub note: Option<String>,
}

/// Labels and numbers of a row that is being read.
struct Fields<'a> {
    labels: &'a [u16],
    numbers: Option<&'a Numbers>,
    row: usize,
}

impl Row for Fields<'_> {
    fn label(&self, site: usize) -> Option<u16> {
        Some(self.labels[site]).filter(|label| *label != UNKNOWN)
    }

    fn number(&self, column: usize) -> Option<i64> {
        self.numbers?.get(self.row, column)
    }
}

/// What is known of a row with gaps.
pub struct OfRow<'a>(pub &'a PartialDataset, pub usize);

impl Row for OfRow<'_> {
    fn label(&self, site: usize) -> Option<u16> {
        self.0.label(self.1, site)
    }

    fn number(&self, column: usize) -> Option<i64> {
        self.0.number(self.1, column)
    }
}

/// Compares what a table says of decided columns with what its rows decide, given their labels and numbers; `None` if it says
/// nothing of them.
///
/// # Errors
/// [`DataError::Contradiction`] if both differ and such rows are neither read without what they say nor left out.
pub fn settle(
    frame: &Frame,
    schema: &Schema,
    labels: &[u16],
    numbers: Option<&Numbers>,
    unseen: Unseen,
) -> Result<Option<Settled>> {
    let columns: Vec<_> = schema
        .derived
        .iter()
        .map(|own| frame.column(&own.name))
        .collect();
    if columns.iter().all(Option::is_none) {
        return Ok(None);
    }
    let deciders = Deciders::of(schema);
    let words: Vec<Option<Vec<Option<i64>>>> = columns
        .iter()
        .enumerate()
        .map(|(derived, column)| Some(deciders.read(derived, (*column)?)))
        .collect();
    let mut said: Vec<Option<Vec<Option<i64>>>> = words
        .iter()
        .map(|words| words.as_ref().map(|_| Vec::with_capacity(frame.rows())))
        .collect();
    let mut broken: Option<Broken> = None;
    for row in 0..frame.rows() {
        let own = Fields {
            labels: &labels[row * schema.sites()..(row + 1) * schema.sites()],
            numbers,
            row,
        };
        let of_row: Vec<Option<i64>> = (0..columns.len())
            .map(|derived| match columns[derived]?.codes.get(row) {
                MISSING_CODE => None,
                code => words[derived].as_ref()?[code as usize],
            })
            .collect();
        let decided = deciders.decide(&own, |derived| of_row[derived]);
        for (derived, column) in columns.iter().enumerate() {
            let (Some(column), Some(said)) = (column, &mut said[derived]) else {
                continue;
            };
            let problem = match column.codes.get(row) {
                MISSING_CODE => None,
                _ => problem(&deciders, schema, derived, &own, of_row[derived], &decided),
            };
            said.push(of_row[derived].filter(|_| problem.is_none()));
            if let Some(problem) = problem {
                let value = column.words.get(column.codes.get(row));
                let first = (row, derived, value.to_owned(), problem);
                let broken = broken.get_or_insert_with(|| Broken::new(first, frame.rows()));
                broken.rows[row] = true;
            }
        }
    }
    let said = Numbers::new(said);
    let Some(broken) = broken else {
        return Ok(Some(Settled {
            said,
            dropped: None,
            note: None,
        }));
    };
    let (dropped, note) = broken.settle(frame, schema, unseen)?;
    Ok(Some(Settled {
        said,
        dropped,
        note: Some(note),
    }))
}

/// What is wrong with a decided field of a row, if something is.
fn problem(
    deciders: &Deciders,
    schema: &Schema,
    derived: usize,
    row: &Fields,
    said: Option<i64>,
    decided: &[Decision],
) -> Option<String> {
    let sentence = schema.derived[derived].sentence();
    let expected = deciders.one(derived, row, decided);
    match (said, expected) {
        (Some(said), Decision::Value(value)) if said == value => None,
        (_, Decision::Value(_) | Decision::Missing) => Some(format!(
            "contradicts its row: in the data of the fit {sentence}, which makes it {:?} here",
            deciders.text(derived, expected)
        )),
        (None, Decision::Unknown) => Some(format!(
            "is nothing that the fit has seen, where {sentence}"
        )),
        (Some(_), Decision::Unknown) => match follows(deciders, derived, row, decided.to_vec()) {
            Ok(()) => None,
            Err(Unsolved::Open) => Some(format!(
                "is known, but more than one of the columns that decide it is not ({sentence}): give one more, or leave it out"
            )),
            Err(Unsolved::NoNumber) => Some(format!(
                "follows from no value of the column that is missing ({sentence})"
            )),
        },
    }
}

/// Whether a decided field that is known leaves what decides it known or free, and so on with what decides that.
fn follows(
    deciders: &Deciders,
    derived: usize,
    row: &Fields,
    mut decided: Vec<Decision>,
) -> Result<(), Unsolved> {
    match deciders.solve(derived, row, &decided)? {
        Some((Parents::Derived(other), value)) => {
            decided[other] = Decision::Value(value);
            follows(deciders, other, row, decided)
        }
        _ => Ok(()),
    }
}

/// Rows that contradict themselves.
struct Broken {
    rows: Vec<bool>,
    /// Row, decided column, field, and what is wrong with it.
    first: (usize, usize, String, String),
}

impl Broken {
    fn new(first: (usize, usize, String, String), rows: usize) -> Self {
        let rows = vec![false; rows];
        Self { rows, first }
    }

    /// Which rows are left out, and what is done.
    fn settle(
        self,
        frame: &Frame,
        schema: &Schema,
        unseen: Unseen,
    ) -> Result<(Option<Vec<bool>>, String)> {
        let (row, derived, value, problem) = self.first;
        let name = &schema.derived[derived].name;
        let (count, all) = (self.rows.iter().filter(|own| **own).count(), frame.rows());
        let what = format!("{count} of {all} rows contradict what decides their columns");
        let refused = |more: String| DataError::Contradiction {
            path: frame.path.clone(),
            line: frame.line(row),
            column: name.clone(),
            value: value.clone(),
            problem: problem.clone(),
            more,
        };
        let first = format!("the first: {name:?} {value:?} {problem}");
        match unseen {
            Unseen::Error => Err(refused(match count {
                1 => String::new(),
                _ => format!(" (in all {what}; `unseen = missing` or skip goes on without them)"),
            })),
            Unseen::Missing => Ok((
                None,
                format!("{what}, {first}; the decided fields count as missing"),
            )),
            Unseen::SkipRow if count == all => Err(refused(format!(" (and so in all {all} rows)"))),
            Unseen::SkipRow => Ok((
                Some(self.rows),
                format!("{what}, {first}; they are left out"),
            )),
        }
    }
}

/// The rows that are not left out.
pub fn keep_rows(dropped: &[bool]) -> Vec<usize> {
    (0..dropped.len()).filter(|row| !dropped[*row]).collect()
}

/// The rows with the numbers that follow from decided ones: `b` from `a` and `a + b`. What follows from nothing stays open.
pub fn solved(given: &PartialDataset) -> PartialDataset {
    let schema = &given.schema;
    let mut solved = given.clone();
    if !given.says_decided() {
        return solved;
    }
    let deciders = Deciders::of(schema);
    let numeric: Vec<usize> = (0..schema.derived.len())
        .filter(|derived| deciders.notation(*derived).is_some())
        .collect();
    for row in 0..given.rows() {
        // What one rule gives may serve another one.
        for derived in numeric.iter().rev().chain(&numeric) {
            let own = OfRow(&solved, row);
            let decided = deciders.decide(&own, |derived| solved.decided(row, derived));
            match deciders.solve(*derived, &own, &decided) {
                Ok(Some((Parents::Column(column), units))) => {
                    if let Some((label, number)) = deciders.field_of(column, units, *derived) {
                        solved.say(row, column, label, number);
                    }
                }
                Ok(Some((Parents::Derived(other), value))) => solved.say_decided(row, other, value),
                Ok(None) | Err(_) => {}
            }
        }
    }
    solved
}
