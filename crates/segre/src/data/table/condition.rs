//! Columns of which more than one value is left: ranges of numbers, sets of values.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::coding::{Coding, Values};
use super::derived::{Deciders, Rule};
use super::number::Notation;
use crate::data::error::{DataError, Result};
use crate::data::schema::{MISSING, Schema};

/// Between the ends of a range.
const RANGE: &str = "..";
/// Between values of which one holds.
const OR: char = '|';

/// That a column of the model has one of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The column.
    pub column: usize,
    /// The values.
    pub allowed: Arc<Allowed>,
}

/// Some values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Labels of its sites, in order; the second is 0 where there is one site.
    Labels(BTreeSet<[u16; 2]>),
    /// Numbers from one to another, in units of the column.
    Numbers(Vec<(i64, i64)>),
}

impl Allowed {
    /// The probability that the value is one of these, for every label of the column's first site: of a number within its cell, and
    /// of two digits 1 if one of those that begin so is.
    pub fn weights(&self, coding: Option<&Coding>, labels: usize) -> Vec<f64> {
        match (self, coding.map(|coding| &coding.values)) {
            (Self::Numbers(ranges), Some(Values::Numbers { cells, .. })) => (0..labels)
                .map(|cell| match cell < cells.len() {
                    true => cells.share_within(cell, ranges),
                    false => 0.0,
                })
                .collect(),
            (Self::Labels(allowed), _) => {
                let mut weights = vec![0.0; labels];
                allowed
                    .iter()
                    .for_each(|own| weights[usize::from(own[0])] = 1.0);
                weights
            }
            (Self::Numbers(_), _) => panic!("a range of a column of words"),
        }
    }

    /// Which second digits are allowed after a first one.
    pub fn second(&self, first: u16, labels: usize) -> Vec<f64> {
        let mut weights = vec![0.0; labels];
        if let Self::Labels(allowed) = self {
            let own = allowed.range([first, 0]..=[first, u16::MAX]);
            own.for_each(|own| weights[usize::from(own[1])] = 1.0);
        }
        weights
    }

    /// Draws a number of a cell that is one of these; `None` for words.
    pub fn draw(&self, coding: Option<&Coding>, label: u16, rng: &mut ChaCha8Rng) -> Option<i64> {
        match (self, coding.map(|coding| &coding.values)) {
            (Self::Numbers(ranges), Some(Values::Numbers { cells, .. })) => {
                Some(cells.draw_within(usize::from(label), ranges, rng))
            }
            _ => None,
        }
    }

    /// The values that are among these and among others.
    ///
    /// # Panics
    /// If one of both is of a column of numbers and the other is not.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Labels(own), Self::Labels(other)) => Self::Labels(own & other),
            (Self::Numbers(own), Self::Numbers(other)) => {
                let both = own.iter().flat_map(|(low, high)| {
                    let cut = move |other: &(i64, i64)| (other.0.max(*low), other.1.min(*high));
                    other.iter().map(cut)
                });
                Self::Numbers(both.filter(|(low, high)| low <= high).collect())
            }
            _ => panic!("numbers and words in one column"),
        }
    }

    /// The nearest of these numbers; of words nothing changes.
    pub fn nearest(&self, number: i64) -> i64 {
        let Self::Numbers(ranges) = self else {
            return number;
        };
        let ends = ranges.iter().map(|(low, high)| number.clamp(*low, *high));
        ends.min_by_key(|near| near.abs_diff(number))
            .unwrap_or(number)
    }

    /// Whether a known field is one of these.
    pub fn has(&self, labels: [u16; 2], number: Option<i64>) -> bool {
        match self {
            Self::Labels(allowed) => allowed.contains(&labels),
            Self::Numbers(ranges) => number.is_some_and(|number| {
                ranges
                    .iter()
                    .any(|(low, high)| (low..=high).contains(&&number))
            }),
        }
    }
}

/// What a text says of a column that is more than one value: `30..40`, `..40`, `A|B`; `None` if it is one value.
///
/// # Errors
/// [`DataError::BadCondition`] for what no value can be, [`DataError::NoSuchColumn`].
pub fn condition(schema: &Schema, name: &str, value: &str) -> Result<Option<Condition>> {
    if !value.contains(RANGE) && !value.contains(OR) {
        return Ok(None);
    }
    let refused = |problem: String| DataError::BadCondition {
        name: name.to_owned(),
        value: value.to_owned(),
        problem,
    };
    if let Some(derived) = schema.derived_named(name) {
        let own = &schema.derived[derived];
        let deciders = Deciders::of(schema);
        let values = deciders.values(derived);
        if values.contains(&value) {
            return Ok(None);
        }
        let Rule::Lookup { .. } = &own.rule else {
            let rule = own.sentence();
            return Err(refused(format!(
                "{rule}; give ranges of these, or one value of it and all but one of these"
            )));
        };
        let chosen = chosen(values, value).map_err(refused)?;
        let (mut column, mut labels) = (None, BTreeSet::new());
        for place in chosen {
            let found = deciders.allowed(derived, place as i64);
            let (own, some) = found.ok_or_else(|| {
                let parents = own.parents().join(", ");
                refused(format!("it follows from {parents}; give ranges of it"))
            })?;
            column = Some(own);
            labels.extend(some);
        }
        let allowed = Arc::new(Allowed::Labels(labels));
        return Ok(column.map(|column| Condition { column, allowed }));
    }
    let column = schema.column_named(name)?;
    let (_, coding) = schema.column(column);
    let allowed = match coding.map(|coding| &coding.values) {
        Some(Values::Numbers { notation, .. }) => {
            Allowed::Numbers(ranges(notation, value).map_err(refused)?)
        }
        Some(Values::Words(words)) => {
            if words.iter().any(|word| word == value) {
                return Ok(None);
            }
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let chosen = chosen(&words, value).map_err(refused)?;
            let coding = coding.expect("words");
            Allowed::Labels(
                chosen
                    .into_iter()
                    .map(|index| coding.labels(index))
                    .collect(),
            )
        }
        None => {
            let site = schema.sites_of(column).start;
            if schema.label_of(site, value).is_some() {
                return Ok(None);
            }
            let words: Vec<String> = (0..schema.cardinality(site))
                .map(|label| schema.word(site, label as u16).into_owned())
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let chosen = chosen(&words, value).map_err(refused)?;
            Allowed::Labels(chosen.into_iter().map(|label| [label as u16, 0]).collect())
        }
    };
    let allowed = Arc::new(allowed);
    Ok(Some(Condition { column, allowed }))
}

/// The ranges of a text in units of a notation.
fn ranges(notation: &Notation, value: &str) -> Result<Vec<(i64, i64)>, String> {
    let end = |text: &str, open: i64| match text.trim() {
        "" => Ok(open),
        text => notation
            .rewrite(text)
            .and_then(|text| notation.units(&text))
            .ok_or_else(|| format!("{text:?} is no number of the notation seen at fit time")),
    };
    let range = |text: &str| {
        let (low, high) = match text.split_once(RANGE) {
            Some((low, high)) => (end(low, i64::MIN)?, end(high, i64::MAX)?),
            None if text.trim().is_empty() => return Err("a value is missing".to_owned()),
            None => (end(text, 0)?, end(text, 0)?),
        };
        match low <= high {
            true => Ok((low, high)),
            false => Err(format!("{text:?} ends before it begins")),
        }
    };
    let mut ranges: Vec<(i64, i64)> = value.split(OR).map(range).collect::<Result<_, _>>()?;
    ranges.sort_unstable();
    // Where two overlap they are one.
    ranges.dedup_by(|next, kept| {
        let joined = next.0 <= kept.1;
        kept.1 = if joined { kept.1.max(next.1) } else { kept.1 };
        joined
    });
    Ok(ranges)
}

/// The places of the words that a text allows.
fn chosen(words: &[&str], value: &str) -> Result<Vec<usize>, String> {
    let mut found = BTreeSet::new();
    for part in value.split(OR).map(str::trim) {
        if let Some(place) = words.iter().position(|word| *word == part) {
            found.insert(place);
            continue;
        }
        if !part.contains(RANGE) {
            return Err(format!("{part:?} is none of its values"));
        }
        let known = words.iter().copied().filter(|word| *word != MISSING);
        let notation = Notation::find(known)
            .ok_or("its values have no order; name those that may be, as A|B")?;
        let ranges = ranges(&notation, part)?;
        let before = found.len();
        for (place, word) in words.iter().enumerate() {
            if let Some(units) = notation.units(word)
                && ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&units))
            {
                found.insert(place);
            }
        }
        if found.len() == before {
            return Err(format!("none of its values lies in {part:?}"));
        }
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_of_numbers_and_dates_and_may_be_open() {
        let (comma, least) = (false, 0);
        let cents = Notation::Decimal {
            places: 2,
            least,
            comma,
        };
        let of = |text: &str| ranges(&cents, text);
        assert_eq!(of("0.5..1"), Ok(vec![(50, 100)]));
        assert_eq!(
            of("..1|3..|2"),
            Ok(vec![(i64::MIN, 100), (200, 200), (300, i64::MAX)])
        );
        assert_eq!(of("1..3|2..5"), Ok(vec![(100, 500)]));
        assert!(of("2..1").is_err_and(|problem| problem.contains("before it begins")));
        assert!(of("a..b").is_err_and(|problem| problem.contains("\"a\"")));
        let days = Notation::find(["2024-03-01", "2024-12-24"].into_iter()).expect("dates");
        let first = days.units("2024-02-28").expect("a date");
        assert_eq!(
            ranges(&days, "2024-02-28..2024-03-01"),
            Ok(vec![(first, first + 2)])
        );
    }

    #[test]
    fn words_are_named_and_numbers_among_them_have_an_order() {
        assert_eq!(chosen(&["red", "green", "?"], "green|red"), Ok(vec![0, 1]));
        assert_eq!(chosen(&["1", "2", "10", "?"], "2.."), Ok(vec![1, 2]));
        for (words, text, problem) in [
            (["red", "green"], "red..green", "no order"),
            (["red", "green"], "red|blue", "\"blue\""),
            (["1", "2"], "3..4", "none of its values"),
        ] {
            let found = chosen(&words, text);
            assert!(found.is_err_and(|found| found.contains(problem)), "{text}");
        }
    }
}
