//! What a column holds: found by looking at all of its fields.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::frame::FrameColumn;
use super::number::Notation;
use super::types::Typed;

/// Different numbers up to which a column of numbers is one of categories: grades, months, codes. More are numbers, of which
/// others than those that were seen may occur.
const FEW_NUMBERS: usize = 20;
/// Categories up to which a column is one site.
const FEW_WORDS: usize = 256;
/// Fields below which nothing is taken for an identifier: all of few are different by chance.
const ENOUGH: usize = 20;

/// What the fields of a column are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Words or numbers of which others than those seen do not occur.
    Category,
    /// Numbers, whole or not.
    Number,
    /// Dates, times of day or both.
    Date,
    /// Nothing that could be learned; the column is left out.
    LeaveOut,
}

impl ColumnKind {
    /// The kinds as the user writes them.
    pub const NAMES: &str = "category, number, date, leave-out";
}

impl FromStr for ColumnKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "category" => Ok(Self::Category),
            "number" | "integer" | "real" => Ok(Self::Number),
            "date" | "time" => Ok(Self::Date),
            "leave-out" | "identifier" => Ok(Self::LeaveOut),
            _ => Err(format!(
                "{text:?} is no kind of column; use one of {}",
                Self::NAMES
            )),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Category => "category",
            Self::Number => "number",
            Self::Date => "date",
            Self::LeaveOut => "leave-out",
        })
    }
}

/// What was found of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Categories of one site.
    Categories,
    /// More categories than one site should have.
    ManyWords,
    /// Numbers or moments, written so.
    Numbers(Notation),
    /// To be left out, and why.
    Useless(String),
}

/// Looks at a column; a `format` is that of its moments, if it holds some.
///
/// # Errors
/// What is the matter if the fields are not of the kind that is asked for.
pub fn inspect(
    column: &FrameColumn,
    wish: Option<ColumnKind>,
    format: Option<&str>,
) -> Result<Finding, String> {
    let words = column.words.iter();
    let different = column.words.len();
    let by_size = || match different {
        0..=FEW_WORDS => Finding::Categories,
        _ => Finding::ManyWords,
    };
    let category = (column.typed == Typed::Category).then_some(ColumnKind::Category);
    match wish.or(category) {
        Some(ColumnKind::Category) => return Ok(by_size()),
        Some(ColumnKind::LeaveOut) => return Ok(Finding::Useless("as asked".to_owned())),
        Some(ColumnKind::Date) if format.is_some() => {
            let format = format.unwrap_or_default();
            let notation = Notation::of_format(format)
                .ok_or_else(|| format!("{format:?} is no format of dates or times"))?;
            return match words.clone().find(|word| notation.units(word).is_none()) {
                None if different > 0 => Ok(Finding::Numbers(notation)),
                None => Err("all of its fields are missing".to_owned()),
                Some(word) => Err(format!("{word:?} is not written as {format:?}")),
            };
        }
        Some(kind) => {
            let notation = Notation::find(words.clone());
            let suits = |notation: &Notation| notation.is_moment() == (kind == ColumnKind::Date);
            return match notation.filter(suits) {
                Some(notation) => Ok(Finding::Numbers(notation)),
                None => Err(stranger(column, kind)),
            };
        }
        None => {}
    }
    let known = column.codes.len() - column.missing();
    let all_different = different == known && known >= ENOUGH;
    if different <= FEW_NUMBERS {
        return Ok(Finding::Categories);
    }
    let suits = |notation: &Notation| column.typed != Typed::Text || notation.is_moment();
    let Some(notation) = Notation::find(words.clone()).filter(suits) else {
        return Ok(
            match all_different || different >= FEW_WORDS && 2 * different > known {
                true => Finding::Useless(format!(
                    "{different} different texts in {known} rows, as of names or free text"
                )),
                false => by_size(),
            },
        );
    };
    if all_different && notation.is_integer() {
        let numbers = words.filter_map(|word| notation.units(word));
        let ends = numbers.fold((i64::MAX, i64::MIN), |(low, high), number| {
            (low.min(number), high.max(number))
        });
        if ends.1 - ends.0 < 2 * known as i64 {
            return Ok(Finding::Useless(format!(
                "{known} different whole numbers in a row, as of a counter"
            )));
        }
    }
    Ok(Finding::Numbers(notation))
}

/// Two words of a column that differ in capitals alone, and so are two categories, in a sentence.
pub fn alike(column: &FrameColumn) -> Option<String> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let pair = column.words.iter().find_map(|word| {
        let first = seen.insert(word.to_lowercase(), word)?;
        Some((first, word))
    });
    let (first, second) = pair?;
    Some(format!(
        "column {:?}: {first:?} and {second:?} differ in capitals only, and are different categories",
        column.name
    ))
}

/// The first field that is not of a kind.
fn stranger(column: &FrameColumn, kind: ColumnKind) -> String {
    let alone = |word: &&str| {
        let notation = Notation::find(std::iter::once(*word));
        notation.is_none_or(|notation| notation.is_moment() != (kind == ColumnKind::Date))
    };
    match column.words.iter().find(alone) {
        Some(word) => format!("{word:?} is no {kind}"),
        None if column.words.is_empty() => "all of its fields are missing".to_owned(),
        None => format!("its fields are not written alike, as a {kind} is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::frame::FrameBuilder;
    use std::path::Path;

    fn look(
        fields: impl IntoIterator<Item = String>,
        wish: Option<ColumnKind>,
    ) -> Result<Finding, String> {
        let mut builder = FrameBuilder::new(Path::new("t.csv"), ["a".to_owned()], 2);
        for (line, field) in (2..).zip(fields) {
            builder.push(
                line,
                [Some(field.as_str()).filter(|field| !field.is_empty())],
            );
        }
        inspect(&builder.finish().columns[0], wish, None)
    }

    #[test]
    fn kinds_are_found() {
        let useless = |finding: Result<Finding, String>, word: &str| matches!(finding, Ok(Finding::Useless(why)) if why.contains(word));
        let numbers = |finding| matches!(finding, Ok(Finding::Numbers(_)));
        assert!(useless(
            look((0..100).map(|k| format!("C{k:06}")), None),
            "names"
        ));
        assert!(useless(
            look((0..100).map(|k| (k * 7 % 100 + 5).to_string()), None),
            "counter"
        ));
        assert!(numbers(look(
            (0..100).map(|k| (k * k * 31).to_string()),
            None
        )));
        assert!(numbers(look(
            (0..100).map(|k| format!("{}.5", k / 2)),
            None
        )));
        assert!(numbers(look(
            (0..100).map(|k| format!("2024-01-{:02}", k % 28 + 1)),
            None
        )));
        assert_eq!(
            look((0..100).map(|k| (k % 12).to_string()), None),
            Ok(Finding::Categories)
        );
        assert_eq!(
            look((0..100).map(|k| format!("{:05}", k % 30)), None),
            Ok(Finding::Categories)
        );
        assert_eq!(
            look((0..9000).map(|k| format!("w{}", k % 3000)), None),
            Ok(Finding::ManyWords)
        );
        assert_eq!(
            look((0..10).map(|k| format!("C{k}")), None),
            Ok(Finding::Categories)
        );
    }

    #[test]
    fn wishes_are_granted_or_refused_with_the_field() {
        let fields = || (0..30).map(|k| k.to_string());
        assert_eq!(
            look(fields(), Some(ColumnKind::Category)),
            Ok(Finding::Categories)
        );
        assert!(matches!(
            look(fields(), Some(ColumnKind::Number)),
            Ok(Finding::Numbers(_))
        ));
        let error = look(["1", "x7"].map(str::to_owned), Some(ColumnKind::Number)).unwrap_err();
        assert!(error.contains("\"x7\" is no number"), "{error}");
        let error = look(fields(), Some(ColumnKind::Date)).unwrap_err();
        assert!(error.contains("is no date"), "{error}");
    }
}
