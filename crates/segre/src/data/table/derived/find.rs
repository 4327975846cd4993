//! Which columns are decided by others: found in the rows of a fit, with enough of them that could have said otherwise.

use std::collections::{HashMap, HashSet};

use super::exact::{Exact, places};
use super::{Operation, Rule};
use crate::data::schema::MISSING;
use crate::data::table::codes::Codes;
use crate::data::table::frame::{Frame, FrameColumn, MISSING as MISSING_CODE};
use crate::data::table::inspect::Finding;
use crate::data::table::number::Notation;
use crate::data::table::types::Typed;

/// Rows that would be expected to break a rule between categories if it did not hold. None of so many does: what breaks it is, with
/// 95 % confidence, rarer than 3 in 100 of what independent columns would do.
const EXPECTED_BREAKS: f64 = 100.0;
/// Rows in which a computed number could differ from all of those that it is computed from.
const COMPUTED_ROWS: usize = 20;
/// Least different results of them.
const COMPUTED_RESULTS: usize = 5;
/// Rows to look for one in which two numbers show what they give.
const TELLING_ROWS: usize = 1000;

/// A column that is decided, by its place in the frame; what decides it, and the rows that bear it out.
pub struct Found {
    pub column: usize,
    pub rule: Rule,
    pub rows: usize,
}

/// The decided columns of a frame, each after those that decide it; `stays` says which columns are to be learned in any case.
pub fn find(frame: &Frame, findings: &[Finding], stays: impl Fn(&str) -> bool) -> Vec<Found> {
    let rows = frame.rows() as f64;
    let agreement = |column: &FrameColumn| -> f64 {
        let counts = column.counts().into_iter().chain([column.missing()]);
        counts.map(|count| (count as f64 / rows).powi(2)).sum()
    };
    let mut search = Search {
        frame,
        different: frame.columns.iter().map(different).collect(),
        agreement: frame.columns.iter().map(agreement).collect(),
        parents: vec![None; frame.columns.len()],
        stays: frame.names().map(stays).collect(),
        found: Vec::new(),
    };
    search.lookups(findings);
    search.arithmetic(findings);
    search.in_order()
}

struct Search<'a> {
    frame: &'a Frame,
    /// Different values of every column.
    different: Vec<usize>,
    /// The probability that two rows of a column agree.
    agreement: Vec<f64>,
    /// What decides a column that is decided.
    parents: Vec<Option<Vec<usize>>>,
    stays: Vec<bool>,
    found: Vec<Found>,
}

impl Search<'_> {
    /// Columns of categories that decide a column. Of several, the one with the fewest values: most rows bear it out.
    fn lookups(&mut self, findings: &[Finding]) {
        let is_words =
            |column: usize| matches!(findings[column], Finding::Categories | Finding::ManyWords);
        let mut order: Vec<usize> = (0..findings.len())
            .filter(|column| !matches!(findings[*column], Finding::Useless(_)))
            .collect();
        // Finer columns decide coarser ones, and of two that decide each other the first one of words stays.
        order.sort_by_key(|column| {
            (
                usize::MAX - self.different[*column],
                !is_words(*column),
                *column,
            )
        });
        let mut kept: Vec<usize> = Vec::new();
        for column in order {
            let decided = kept.iter().rev().find_map(|parent| {
                let free = is_words(*parent) && !self.stays[column];
                let (pairs, rows) = free.then(|| self.lookup(*parent, column))??;
                Some((*parent, pairs, rows))
            });
            let Some((parent, pairs, rows)) = decided else {
                kept.push(column);
                continue;
            };
            let of = self.frame.columns[parent].name.clone();
            self.decide(column, vec![parent], Rule::Lookup { of, pairs }, rows);
        }
    }

    /// The value that goes with each of a column's, if one does, and the rows beyond the first of each.
    fn lookup(&self, parent: usize, child: usize) -> Option<(Vec<(String, String)>, usize)> {
        let rows = self.frame.rows();
        let repeats = rows.checked_sub(self.different[parent])?;
        let breaks = repeats as f64 * (1.0 - self.agreement[child]);
        if breaks < EXPECTED_BREAKS || 2 * repeats < rows {
            return None;
        }
        let (parent, child) = (&self.frame.columns[parent], &self.frame.columns[child]);
        let place = |code: u32| match code {
            MISSING_CODE => parent.words.len(),
            code => code as usize,
        };
        let mut goes_with: Vec<Option<u32>> = vec![None; parent.words.len() + 1];
        for (code, own) in parent.codes.iter().zip(child.codes.iter()) {
            if *goes_with[place(code)].get_or_insert(own) != own {
                return None;
            }
        }
        let word = |column: &FrameColumn, code: usize| match code < column.words.len() {
            true => column.words.get(code as u32).to_owned(),
            false => MISSING.to_owned(),
        };
        let pairs = goes_with.iter().enumerate().filter_map(|(code, own)| {
            let own = usize::try_from((*own)?).expect("32 bits");
            Some((word(parent, code), word(child, own)))
        });
        let mut pairs: Vec<(String, String)> = pairs.collect();
        pairs.sort_unstable();
        Some((pairs, repeats))
    }

    /// Numbers that are computed from one or two others.
    fn arithmetic(&mut self, findings: &[Finding]) {
        let columns = findings.iter().enumerate();
        let columns = columns.filter_map(|(column, finding)| {
            Column::of(column, &self.frame.columns[column], finding)
        });
        let columns: Vec<Column> = columns.collect();
        for second in 0..columns.len() {
            let same = (0..second).find_map(|first| {
                let both = [&columns[first], &columns[second]];
                let numbers = both.iter().all(|own| own.is_continuous);
                let rows = numbers.then(|| self.bears_out(Operation::Same, &both[1..], both[0]))?;
                Some((first, rows?))
            });
            if let Some((first, rows)) = same
                && self.may_decide(&[columns[first].column], columns[second].column)
            {
                self.compute(Operation::Same, &[&columns[first]], &columns[second], rows);
            }
        }
        let mut values = Values::default();
        for second in 0..columns.len() {
            for first in 0..second {
                for operation in [Operation::Sum, Operation::Product] {
                    self.pair(operation, &columns, [first, second], &mut values);
                }
            }
        }
    }

    /// Looks for a column that holds what two others give.
    fn pair(
        &mut self,
        operation: Operation,
        columns: &[Column],
        pair: [usize; 2],
        values: &mut Values,
    ) {
        let both = pair.map(|place| &columns[place]);
        let rows = 0..self.frame.rows().min(TELLING_ROWS);
        let telling = rows.into_iter().find_map(|row| {
            let numbers = [both[0].number(row)?, both[1].number(row)?];
            let tells = !numbers.iter().any(|own| own.is_neutral(operation));
            let result = tells.then(|| Exact::result(operation, &numbers))??;
            Some((row, result.key()))
        });
        let Some((row, key)) = telling else {
            return;
        };
        let candidates = values.of(row, columns).get(&key).cloned();
        for third in candidates.unwrap_or_default() {
            if pair.contains(&third) {
                continue;
            }
            let [a, b, c] = [both[0], both[1], &columns[third]];
            let mut ways = vec![(operation, [a, b], c)];
            if operation == Operation::Sum {
                ways.push((Operation::Difference, [c, b], a));
                ways.push((Operation::Difference, [c, a], b));
                // What varies most is computed, so that the model has the simpler ones.
                ways.sort_by_key(|(_, _, result)| usize::MAX - result.different);
            }
            for (operation, of, result) in ways {
                if !self.may_decide(&of.map(|own| own.column), result.column) {
                    continue;
                }
                if let Some(rows) = self.bears_out(operation, &of, result) {
                    self.compute(operation, &of, result, rows);
                    break;
                }
            }
        }
    }

    /// The rows that bear an operation out, if no row speaks against it and there are enough.
    fn bears_out(&self, operation: Operation, of: &[&Column], result: &Column) -> Option<usize> {
        if result_unit(operation, of)? != result.unit {
            return None;
        }
        let (mut rows, mut results) = (0, HashSet::new());
        let mut numbers = Vec::with_capacity(2);
        for row in 0..self.frame.rows() {
            numbers.clear();
            numbers.extend(of.iter().filter_map(|own| own.number(row)));
            let expected = match numbers.len() == of.len() {
                true => Some(Exact::result(operation, &numbers)?.key()),
                false => None,
            };
            if expected != result.number(row).map(Exact::key) {
                return None;
            }
            if expected.is_some() && !numbers.iter().any(|own| own.is_neutral(operation)) {
                rows += 1;
                results.extend(expected.filter(|_| results.len() < COMPUTED_RESULTS));
            }
        }
        (rows >= COMPUTED_ROWS && results.len() >= COMPUTED_RESULTS).then_some(rows)
    }

    fn compute(&mut self, operation: Operation, of: &[&Column], result: &Column, rows: usize) {
        let of_parents = of.iter().map(|own| places(&own.notation));
        let needed = match operation {
            Operation::Product => of_parents.sum(),
            _ => of_parents.max().unwrap_or(0),
        };
        // What is drawn may have places that no row had.
        let mut notation = result.notation.clone();
        if let Notation::Decimal { places, .. } = &mut notation {
            *places = (*places).max(needed as u8);
        }
        let name = |own: &&Column| self.frame.columns[own.column].name.clone();
        let rule = Rule::Numbers {
            operation,
            of: of
                .iter()
                .map(|own| (name(own), own.notation.clone()))
                .collect(),
            notation,
        };
        let parents = of.iter().map(|own| own.column).collect();
        self.decide(result.column, parents, rule, rows);
    }

    fn decide(&mut self, column: usize, parents: Vec<usize>, rule: Rule, rows: usize) {
        self.parents[column] = Some(parents);
        self.found.push(Found { column, rule, rows });
    }

    /// Whether columns may decide another one: it is free, and decides none of them.
    fn may_decide(&self, parents: &[usize], child: usize) -> bool {
        let free = self.parents[child].is_none() && !self.stays[child];
        free && !parents.iter().any(|parent| self.depends(*parent, child))
    }

    fn depends(&self, column: usize, on: usize) -> bool {
        let parents = self.parents[column].iter().flatten();
        column == on || parents.into_iter().any(|parent| self.depends(*parent, on))
    }

    /// Every column after those that decide it.
    fn in_order(mut self) -> Vec<Found> {
        let depth = |column: usize| depth(&self.parents, column);
        self.found
            .sort_by_key(|found| (depth(found.column), found.column));
        self.found
    }
}

fn depth(parents: &[Option<Vec<usize>>], column: usize) -> usize {
    let own = parents[column].iter().flatten();
    own.map(|parent| 1 + depth(parents, *parent))
        .max()
        .unwrap_or(0)
}

/// Different values, that of missing fields among them.
fn different(column: &FrameColumn) -> usize {
    column.words.len() + usize::from(column.missing() > 0)
}

/// A column of numbers.
struct Column<'a> {
    column: usize,
    codes: &'a Codes,
    units: Vec<i64>,
    notation: Notation,
    /// Nanoseconds of a unit of moments.
    unit: Option<i128>,
    different: usize,
    /// Whether it holds numbers of which others than those seen may occur.
    is_continuous: bool,
}

impl<'a> Column<'a> {
    fn of(column: usize, own: &'a FrameColumn, finding: &Finding) -> Option<Self> {
        let notation = match finding {
            Finding::Numbers(notation) => notation.clone(),
            Finding::Categories if own.typed != Typed::Text => Notation::find(own.words.iter())?,
            _ => return None,
        };
        let units = own.words.iter().map(|word| notation.units(word));
        Some(Self {
            column,
            codes: &own.codes,
            units: units.collect::<Option<_>>()?,
            unit: match notation.is_moment() {
                true => Some(notation.day_unit()?),
                false => None,
            },
            notation,
            different: own.words.len(),
            is_continuous: matches!(finding, Finding::Numbers(_)),
        })
    }

    fn number(&self, row: usize) -> Option<Exact> {
        match self.codes.get(row) {
            MISSING_CODE => None,
            code => Some(Exact::of(self.units[code as usize], &self.notation)),
        }
    }
}

/// The unit of a result, `None` if there is none: moments have differences, and whole numbers of units are added to them.
fn result_unit(operation: Operation, of: &[&Column]) -> Option<Option<i128>> {
    let whole = |own: &Column| own.notation.is_integer();
    let units: Vec<Option<i128>> = of.iter().map(|own| own.unit).collect();
    match (operation, &units[..]) {
        (Operation::Same, [unit]) => Some(*unit),
        (_, [None, None]) => Some(None),
        (Operation::Sum | Operation::Difference, [Some(unit), None]) => {
            whole(of[1]).then_some(Some(*unit))
        }
        (Operation::Sum, [None, Some(unit)]) => whole(of[0]).then_some(Some(*unit)),
        (Operation::Difference, [Some(first), Some(second)]) => (first == second).then_some(None),
        _ => None,
    }
}

/// Which columns hold a number in a row.
#[derive(Default)]
struct Values(HashMap<usize, HashMap<(i128, u32), Vec<usize>>>);

impl Values {
    fn of(&mut self, row: usize, columns: &[Column]) -> &HashMap<(i128, u32), Vec<usize>> {
        self.0.entry(row).or_insert_with(|| {
            let mut own: HashMap<(i128, u32), Vec<usize>> = HashMap::new();
            for (place, column) in columns.iter().enumerate() {
                if let Some(number) = column.number(row) {
                    own.entry(number.key()).or_default().push(place);
                }
            }
            own
        })
    }
}

#[cfg(test)]
mod tests;
