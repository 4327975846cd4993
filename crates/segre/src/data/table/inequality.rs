//! Inequalities between columns, or of a column and a value: they hold in the rows of a fit and must hold in what is drawn.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::codes::Codes;
use super::frame::{Frame, FrameColumn, MISSING as MISSING_CODE};
use super::number::Notation;
use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use crate::data::schema::{Schema, Written};

/// An inequality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inequality {
    /// What is on its left.
    pub left: Side,
    /// What is between.
    pub sign: Sign,
    /// What is on its right.
    pub right: Side,
}

/// A side of an inequality.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A column, and how its numbers or moments are written.
    Column(String, Notation),
    /// A value, and how it is written.
    Value(String, Notation),
}

/// A sign between two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// Smaller or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Smaller.
    #[serde(rename = "<")]
    Below,
    /// Larger or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Larger.
    #[serde(rename = ">")]
    Above,
}

/// The signs as they are written, those of two characters first.
const SIGNS: [(&str, Sign); 4] = [
    ("<=", Sign::AtMost),
    (">=", Sign::AtLeast),
    ("<", Sign::Below),
    (">", Sign::Above),
];

impl Sign {
    fn text(self) -> &'static str {
        let own = SIGNS.iter().find(|(_, sign)| *sign == self);
        own.map_or("", |(text, _)| text)
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::AtMost => order.is_le(),
            Self::Below => order.is_lt(),
            Self::AtLeast => order.is_ge(),
            Self::Above => order.is_gt(),
        }
    }
}

impl Inequality {
    /// As it is written: `start <= end`.
    pub fn text(&self) -> String {
        let side = |side: &Side| match side {
            Side::Column(name, _) | Side::Value(name, _) => name.clone(),
        };
        let (left, right) = (side(&self.left), side(&self.right));
        format!("{left} {} {right}", self.sign.text())
    }

    fn names(&self, name: &str) -> bool {
        [&self.left, &self.right]
            .iter()
            .any(|side| matches!(side, Side::Column(own, _) if own == name))
    }
}

/// The inequalities that are asked for, with the columns of a table that is read for a fit, all rows of which keep them.
///
/// # Errors
/// [`DataError::BadConstraint`] for what is no inequality of numbers or moments, [`DataError::UnknownColumn`],
/// [`DataError::BrokenConstraint`].
pub fn inequalities(frame: &Frame, texts: &[String]) -> Result<Vec<Inequality>> {
    let parsed: Vec<Inequality> = texts
        .iter()
        .map(|text| parse(frame, text))
        .collect::<Result<_>>()?;
    for inequality in &parsed {
        check(frame, inequality)?;
    }
    Ok(parsed)
}

fn parse(frame: &Frame, text: &str) -> Result<Inequality> {
    let refused = |problem: String| DataError::BadConstraint {
        constraint: text.to_owned(),
        problem,
    };
    let split = SIGNS.iter().find_map(|(sign, own)| {
        let (left, right) = text.split_once(sign)?;
        Some((left.trim(), *own, right.trim()))
    });
    let (left, sign, right) = split.ok_or_else(|| {
        refused("write it as 'start <= end'; the signs are <=, <, >= and >".to_owned())
    })?;
    let notation = |column: &FrameColumn| {
        let found = Notation::find(column.words.iter());
        found.ok_or_else(|| {
            refused(format!(
                "column {:?} holds no numbers, dates or times",
                column.name
            ))
        })
    };
    let known = |name: &str| frame.column(name);
    let column = |name: &str| -> Result<Side> {
        let found = known(name).ok_or_else(|| DataError::UnknownColumn {
            path: frame.path.clone(),
            column: name.to_owned(),
            action: "compare",
            columns: listed(frame.names()),
            hint: meant(name, frame.names()),
        })?;
        Ok(Side::Column(name.to_owned(), notation(found)?))
    };
    let value = |text: &str| {
        let found = Notation::find(std::iter::once(text));
        found.map(|notation| Side::Value(text.to_owned(), notation))
    };
    let side = |name: &str| match (known(name), value(name)) {
        (None, Some(value)) => Ok(value),
        _ => column(name),
    };
    let (left, right) = (side(left)?, side(right)?);
    let of = |side: &Side| match side {
        Side::Column(_, notation) | Side::Value(_, notation) => kind(notation),
    };
    if of(&left) != of(&right) {
        return Err(refused(
            "both sides must be numbers, days and moments, or times of day".to_owned(),
        ));
    }
    Ok(Inequality { left, sign, right })
}

/// What can be compared with what: numbers, moments with a day, times of day.
fn kind(notation: &Notation) -> u8 {
    match (notation.is_moment(), notation.has_day()) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => 2,
    }
}

/// Refuses a table with rows that break an inequality.
fn check(frame: &Frame, inequality: &Inequality) -> Result<()> {
    let values = [&inequality.left, &inequality.right].map(|side| SideValues::of(frame, side));
    let (mut broken, mut first) = (0, None);
    for row in 0..frame.rows() {
        let [Some(left), Some(right)] = [values[0].at(row), values[1].at(row)] else {
            continue;
        };
        if !inequality.sign.holds(left.cmp(&right)) {
            broken += 1;
            first.get_or_insert(row);
        }
    }
    match first {
        None => Ok(()),
        Some(row) => Err(DataError::BrokenConstraint {
            path: frame.path.clone(),
            line: frame.line(row),
            constraint: inequality.text(),
            rows: broken,
            all: frame.rows(),
        }),
    }
}

/// The numbers of one side in the rows of a frame.
enum SideValues<'a> {
    Column(Vec<Option<Amount>>, &'a Codes),
    Value(Option<Amount>),
}

impl<'a> SideValues<'a> {
    fn of(frame: &'a Frame, side: &Side) -> Self {
        match side {
            Side::Value(text, notation) => Self::Value(amount(notation, text)),
            Side::Column(name, notation) => {
                let column = frame.column(name).expect("a column that was found");
                let words = column.words.iter();
                let amounts = words.map(|word| amount(notation, word)).collect();
                Self::Column(amounts, &column.codes)
            }
        }
    }

    fn at(&self, row: usize) -> Option<Amount> {
        match self {
            Self::Value(amount) => *amount,
            Self::Column(amounts, codes) => match codes.get(row) {
                MISSING_CODE => None,
                code => amounts[code as usize],
            },
        }
    }
}

/// A number that can be compared with others of its kind.
type Amount = i128;

/// Decimal places and fractions of a second that amounts have.
const PLACES: u32 = 18;

fn amount(notation: &Notation, text: &str) -> Option<Amount> {
    let units = i128::from(notation.units(text)?);
    match notation {
        Notation::Decimal { places, .. } => {
            units.checked_mul(10_i128.checked_pow(PLACES.checked_sub(u32::from(*places))?)?)
        }
        Notation::Moment { .. } => Some(units * notation.nanoseconds()),
    }
}

/// Whether the rows of a schema keep its inequalities, as they are written.
pub struct Keeper<'a> {
    schema: &'a Schema,
    /// Each side by its place among the fields.
    sides: Vec<[Place; 2]>,
}

enum Place {
    Field(usize),
    Value(Option<Amount>),
}

impl<'a> Keeper<'a> {
    /// The inequalities of a schema, for rows with these fields.
    pub fn of(schema: &'a Schema, written: &[Written]) -> Self {
        let place = |side: &Side| match side {
            Side::Value(text, notation) => Place::Value(amount(notation, text)),
            Side::Column(name, _) => {
                let found = written.iter().position(|own| schema.name_of(*own) == name);
                found.map_or(Place::Value(None), Place::Field)
            }
        };
        let sides = schema.constraints.iter();
        let sides = sides.map(|own| [place(&own.left), place(&own.right)]);
        Self {
            schema,
            sides: sides.collect(),
        }
    }

    /// The first inequality that a row breaks.
    pub fn broken(&self, fields: &[Cow<str>]) -> Option<&'a Inequality> {
        let amount_of = |place: &Place, side: &Side| match (place, side) {
            (Place::Value(amount), _) => *amount,
            (Place::Field(place), Side::Column(_, notation)) => amount(notation, &fields[*place]),
            (Place::Field(_), Side::Value(..)) => None,
        };
        let pairs = self.schema.constraints.iter().zip(&self.sides);
        let mut breaking = pairs.filter(|(own, [left, right])| {
            let sides = [amount_of(left, &own.left), amount_of(right, &own.right)];
            matches!(sides, [Some(left), Some(right)] if !own.sign.holds(left.cmp(&right)))
        });
        breaking.next().map(|(own, _)| own)
    }
}

/// Whether an inequality names a column that is in no schema.
pub fn require_columns(schema: &Schema) -> Result<()> {
    for left_out in &schema.left_out {
        if let Some(own) = schema
            .constraints
            .iter()
            .find(|own| own.names(&left_out.name))
        {
            return Err(DataError::BadConstraint {
                constraint: own.text(),
                problem: format!(
                    "column {:?} is left out: {}; say what it holds (`columns_as`)",
                    left_out.name, left_out.why
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::table::frame::FrameBuilder;

    fn frame() -> Frame {
        let names = ["start", "end", "low", "high", "word"].map(str::to_owned);
        let mut builder = FrameBuilder::new(Path::new("t.csv"), names, 2);
        builder.push(
            2,
            [
                Some("01.02.2024"),
                Some("2024-02-01 12:00"),
                Some("1"),
                Some("1.0"),
                Some("x"),
            ],
        );
        builder.push(
            3,
            [
                Some("05.02.2024"),
                Some("2024-02-05 00:01"),
                None,
                Some("0.5"),
                Some("y"),
            ],
        );
        builder.finish()
    }

    #[test]
    fn numbers_and_moments_are_compared_whatever_their_notation() {
        let found = |text: &str| inequalities(&frame(), &[text.to_owned()]);
        for kept in [
            "start <= end",
            "end > start",
            "low <= high",
            "high<=1",
            "start >= 2024-02-01",
        ] {
            assert!(found(kept).is_ok(), "{kept}: {:?}", found(kept));
        }
        for (text, problem) in [
            ("low < high", "t.csv:2"),
            ("end <= start", "2 of 2 rows"),
            ("start = end", "write it as"),
            ("word < low", "holds no numbers"),
            ("start < low", "both sides"),
            ("begin < end", "no column \"begin\""),
        ] {
            let message = found(text).expect_err(text).to_string();
            assert!(message.contains(problem), "{text}: {message}");
        }
    }
}
