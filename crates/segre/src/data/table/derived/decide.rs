//! Rules in the labels and numbers of a schema: what a row decides, as it is known so far.

use std::borrow::Cow;
use std::collections::HashMap;

use super::exact::{Exact, places};
use super::{Operation, Rule};
use crate::data::schema::{MISSING, Schema};
use crate::data::table::frame::FrameColumn;
use crate::data::table::number::Notation;
use crate::data::table::types::Typed;
use crate::data::table::values::spelling;
use crate::data::table::{Coding, Values};

/// What is known of a decided field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Unknown,
    /// It is missing.
    Missing,
    /// Its number in units, or the place of its value among those of its lookup.
    Value(i64),
}

/// What decides a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parents {
    /// A column of the model.
    Column(usize),
    /// A column that is decided itself.
    Derived(usize),
}

/// All rules of a schema.
pub struct Deciders<'a> {
    schema: &'a Schema,
    /// The first site of every column.
    firsts: Vec<usize>,
    all: Vec<Decider<'a>>,
}

struct Decider<'a> {
    parents: Vec<Parents>,
    how: How<'a>,
}

enum How<'a> {
    Lookup {
        /// The values that occur, `?` among them where fields may be missing.
        values: Vec<&'a str>,
        /// The value that goes with every text of the parent.
        by_text: HashMap<&'a str, usize>,
        /// The same by index of the parent, where it is a column of the model.
        by_index: Vec<Option<usize>>,
    },
    Numbers {
        operation: Operation,
        of: &'a [(String, Notation)],
        notation: &'a Notation,
        /// Of every parent that is a column of words, the numbers that they are.
        words: Vec<Vec<Option<i64>>>,
    },
}

/// What a row knows of the columns of the model.
pub trait Row {
    /// The label of a site.
    fn label(&self, site: usize) -> Option<u16>;
    /// The number of a column of numbers.
    fn number(&self, column: usize) -> Option<i64>;
}

impl<'a> Deciders<'a> {
    /// The rules of a schema.
    pub fn of(schema: &'a Schema) -> Self {
        let name_of = |column: &usize| schema.column(*column).0;
        let column = |name: &str| (0..schema.column_count()).find(|own| name_of(own) == name);
        let derived = |name: &str| schema.derived.iter().position(|own| own.name == name);
        let parent = |name: &str| match (column(name), derived(name)) {
            (Some(column), _) => Parents::Column(column),
            (None, Some(derived)) => Parents::Derived(derived),
            (None, None) => panic!("a column {name:?} decides others and is not there"),
        };
        let decider = |rule: &'a Rule| match rule {
            Rule::Lookup { of, pairs } => {
                let parent = parent(of);
                let mut values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
                values.sort_unstable();
                values.dedup();
                let place = |value: &str| values.binary_search(&value).expect("one of them");
                let pairs = pairs.iter();
                let by_text: HashMap<&str, usize> = pairs
                    .map(|(own, value)| (own.as_str(), place(value)))
                    .collect();
                let by_index = match parent {
                    Parents::Column(column) => texts(schema, column)
                        .map(|text| by_text.get(text.as_ref()).copied())
                        .collect(),
                    Parents::Derived(_) => Vec::new(),
                };
                Decider {
                    parents: vec![parent],
                    how: How::Lookup {
                        values,
                        by_text,
                        by_index,
                    },
                }
            }
            Rule::Numbers {
                operation,
                of,
                notation,
            } => {
                let parents: Vec<Parents> = of.iter().map(|(name, _)| parent(name)).collect();
                let words = parents
                    .iter()
                    .zip(of)
                    .map(|(parent, (_, notation))| match parent {
                        Parents::Column(column) if !holds_numbers(schema, *column) => {
                            let texts = texts(schema, *column);
                            texts.map(|text| notation.units(&text)).collect()
                        }
                        _ => Vec::new(),
                    });
                Decider {
                    how: How::Numbers {
                        operation: *operation,
                        of,
                        notation,
                        words: words.collect(),
                    },
                    parents,
                }
            }
        };
        let mut end = 0;
        let first = |column| {
            let first = end;
            end += schema.column(column).1.map_or(1, Coding::sites);
            first
        };
        Self {
            schema,
            firsts: (0..schema.column_count()).map(first).collect(),
            all: schema
                .derived
                .iter()
                .map(|own| decider(&own.rule))
                .collect(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What a row decides; what is `said` of decided fields comes in where their parents are not known.
    pub fn decide(&self, row: &impl Row, said: impl Fn(usize) -> Option<i64>) -> Vec<Decision> {
        let mut done: Vec<Decision> = Vec::with_capacity(self.all.len());
        for derived in 0..self.all.len() {
            let own = match self.one(derived, row, &done) {
                Decision::Unknown => said(derived).map_or(Decision::Unknown, Decision::Value),
                known => known,
            };
            done.push(own);
        }
        done
    }

    /// What a row and the decided fields before decide of the next one.
    pub fn one(&self, derived: usize, row: &impl Row, done: &[Decision]) -> Decision {
        let own = &self.all[derived];
        match &own.how {
            How::Lookup {
                by_text, by_index, ..
            } => {
                let found = match own.parents[0] {
                    Parents::Column(column) => match self.index(row, column) {
                        None => return Decision::Unknown,
                        Some(index) => by_index[index],
                    },
                    Parents::Derived(parent) => match done[parent] {
                        Decision::Unknown => return Decision::Unknown,
                        known => by_text.get(self.text(parent, known).as_ref()).copied(),
                    },
                };
                found.map_or(Decision::Missing, |value| self.of_value(derived, value))
            }
            How::Numbers {
                operation,
                of,
                notation,
                ..
            } => {
                let mut numbers = Vec::with_capacity(2);
                for (place, (_, notation)) in of.iter().enumerate() {
                    match self.parent(derived, place, row, done) {
                        Decision::Value(units) => numbers.push(Exact::of(units, notation)),
                        other => return other,
                    }
                }
                let result = Exact::result(*operation, &numbers);
                let units = result.and_then(|result| result.units(notation));
                units.map_or(Decision::Missing, Decision::Value)
            }
        }
    }

    /// What is known of the number at a place of an operation.
    fn parent(&self, derived: usize, place: usize, row: &impl Row, done: &[Decision]) -> Decision {
        let own = &self.all[derived];
        let How::Numbers { of, words, .. } = &own.how else {
            panic!("a lookup has no operation");
        };
        match own.parents[place] {
            Parents::Column(column) => {
                let Some(index) = self.index(row, column) else {
                    return Decision::Unknown;
                };
                let (_, coding) = self.schema.column(column);
                match coding {
                    Some(coding) if index >= coding.known() => Decision::Missing,
                    Some(coding) if matches!(coding.values, Values::Numbers { .. }) => row
                        .number(column)
                        .map_or(Decision::Unknown, Decision::Value),
                    _ => words[place][index].map_or(Decision::Missing, Decision::Value),
                }
            }
            Parents::Derived(parent) => match (done[parent], &self.all[parent].how) {
                (Decision::Value(value), How::Lookup { values, .. }) => {
                    let units = of[place].1.units(values[value as usize]);
                    units.map_or(Decision::Missing, Decision::Value)
                }
                (other, _) => other,
            },
        }
    }

    /// What one parent of an operation must be where all else is known: which, and its number. `None` where it follows from
    /// nothing; an error where there is no such number.
    pub fn solve(
        &self,
        derived: usize,
        row: &impl Row,
        done: &[Decision],
    ) -> Result<Option<(Parents, i64)>, Unsolved> {
        let own = &self.all[derived];
        let How::Numbers {
            operation,
            of,
            notation,
            ..
        } = &own.how
        else {
            return Ok(None);
        };
        let Decision::Value(result) = done[derived] else {
            return Ok(None);
        };
        let known: Vec<Decision> = (0..of.len())
            .map(|place| self.parent(derived, place, row, done))
            .collect();
        let unknown = known
            .iter()
            .filter(|own| **own == Decision::Unknown)
            .count();
        let Some(place) = known.iter().position(|own| *own == Decision::Unknown) else {
            return Ok(None);
        };
        if unknown > 1 {
            return Err(Unsolved::Open);
        }
        let number = |(own, (_, notation)): (&Decision, &(String, Notation))| match own {
            Decision::Value(units) => Some(Exact::of(*units, notation)),
            _ => None,
        };
        let other = known.iter().zip(of.iter()).find_map(number);
        if of.len() > 1 && other.is_none() {
            return Err(Unsolved::NoNumber);
        }
        if *operation == Operation::Product
            && result == 0
            && other.is_some_and(|own| own.key().0 == 0)
        {
            // Any number will do.
            return Ok(None);
        }
        let wanted = &of[place].1;
        let result = Exact::of(result, notation);
        let found = Exact::solve(*operation, place, result, other, places(wanted));
        let units = found.and_then(|found| found.units(wanted));
        let units = units.ok_or(Unsolved::NoNumber)?;
        match own.parents[place] {
            Parents::Derived(parent) => {
                let text = wanted.write(units);
                let value = self.value_of(parent, &text).ok_or(Unsolved::NoNumber)?;
                Ok(Some((Parents::Derived(parent), value)))
            }
            column => Ok(Some((column, units))),
        }
    }

    /// The labels of a column of the model with which a lookup has a value; `None` for other rules.
    pub fn allowed(&self, derived: usize, value: i64) -> Option<(usize, Vec<[u16; 2]>)> {
        let own = &self.all[derived];
        let (How::Lookup { by_index, .. }, Parents::Column(column)) = (&own.how, own.parents[0])
        else {
            return None;
        };
        let known = known_indices(self.schema, column);
        let goes = |index: &usize| by_index[*index] == Some(value as usize);
        let mut found: Vec<usize> = (0..known).filter(goes).collect();
        if found.is_empty() {
            found = (known..by_index.len()).filter(goes).collect();
        }
        let labels = found
            .into_iter()
            .map(|index| match self.schema.column(column).1 {
                Some(coding) => coding.labels(index),
                None => [index as u16, 0],
            });
        Some((column, labels.collect()))
    }

    /// The labels and the number of a column of the model with a number; `None` if it does not have it.
    pub fn field_of(
        &self,
        column: usize,
        units: i64,
        derived: usize,
    ) -> Option<(u16, Option<i64>)> {
        if let (_, Some(coding)) = self.schema.column(column)
            && matches!(coding.values, Values::Numbers { .. })
        {
            return Some((coding.label_of_number(units), Some(units)));
        }
        let own = &self.all[derived];
        let How::Numbers { words, .. } = &own.how else {
            return None;
        };
        let place = own
            .parents
            .iter()
            .position(|parent| *parent == Parents::Column(column))?;
        let label = words[place].iter().position(|own| *own == Some(units))?;
        Some((label as u16, None))
    }

    /// What a decided field is written as.
    pub fn text(&self, derived: usize, decision: Decision) -> Cow<'a, str> {
        match (decision, &self.all[derived].how) {
            (Decision::Value(value), How::Lookup { values, .. }) => {
                Cow::Borrowed(values[value as usize])
            }
            (Decision::Value(units), How::Numbers { notation, .. }) => {
                Cow::Owned(notation.write(units))
            }
            _ => Cow::Borrowed(MISSING),
        }
    }

    /// What the words of a decided column of a table mean; `None` for those that no row can have.
    pub fn read(&self, derived: usize, found: &FrameColumn) -> Vec<Option<i64>> {
        let words = found.words.iter();
        match &self.all[derived].how {
            How::Lookup { values, .. } => {
                let spell = (found.typed == Typed::Value).then(|| spelling(values.iter().copied()));
                let read = |word: &str| {
                    self.value_of(derived, word).or_else(|| {
                        let other = spell.as_ref()?(word)?;
                        self.value_of(derived, &other)
                    })
                };
                words.map(read).collect()
            }
            How::Numbers { notation, .. } => {
                let read = |word: &str| notation.units(&notation.rewrite(word)?);
                words.map(read).collect()
            }
        }
    }

    /// How the numbers of a computed column are written; `None` for a lookup.
    pub fn notation(&self, derived: usize) -> Option<&'a Notation> {
        match &self.all[derived].how {
            How::Numbers { notation, .. } => Some(notation),
            How::Lookup { .. } => None,
        }
    }

    /// The values of a lookup, `?` among them where fields may be missing.
    pub fn values(&self, derived: usize) -> &[&'a str] {
        match &self.all[derived].how {
            How::Lookup { values, .. } => values,
            How::Numbers { .. } => &[],
        }
    }

    fn value_of(&self, derived: usize, text: &str) -> Option<i64> {
        match &self.all[derived].how {
            How::Lookup { values, .. } => {
                let place = values.binary_search(&text).ok()?;
                (text != MISSING).then_some(place as i64)
            }
            How::Numbers { notation, .. } => notation.units(text),
        }
    }

    fn of_value(&self, derived: usize, value: usize) -> Decision {
        match self.values(derived)[value] == MISSING {
            true => Decision::Missing,
            false => Decision::Value(value as i64),
        }
    }

    /// The index of a column's value in a row.
    fn index(&self, row: &impl Row, column: usize) -> Option<usize> {
        let first = self.firsts[column];
        let label = |site| row.label(site);
        match self.schema.column(column).1 {
            None => label(first).map(usize::from),
            Some(coding) if coding.sites() == 1 => label(first).map(usize::from),
            Some(coding) => Some(coding.index(&[label(first)?, label(first + 1)?])),
        }
    }
}

/// Why a number does not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsolved {
    /// More than one is unknown.
    Open,
    /// No number of the column gives the result.
    NoNumber,
}

fn holds_numbers(schema: &Schema, column: usize) -> bool {
    let coding = schema.column(column).1;
    coding.is_some_and(|coding| matches!(coding.values, Values::Numbers { .. }))
}

/// Values of a column but that of missing fields.
fn known_indices(schema: &Schema, column: usize) -> usize {
    let site = schema.sites_of(column).start;
    match schema.column(column).1 {
        Some(coding) => coding.known(),
        None => schema.cardinality(site) - usize::from(schema.missing_category(site).is_some()),
    }
}

/// What the indices of a column of words are written as.
fn texts(schema: &Schema, column: usize) -> impl Iterator<Item = Cow<'_, str>> {
    let site = schema.sites_of(column).start;
    let coding = schema.column(column).1;
    let count = coding.map_or(schema.cardinality(site), Coding::indices);
    (0..count).map(move |index| match coding {
        Some(coding) => Cow::Owned(coding.describe(index)),
        None => schema.word(site, index as u16),
    })
}
