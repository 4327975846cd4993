//! Where data are wrong, for programs that show it in their own way.

use super::error::DataError;

/// The place of an error in a table or an array; each is known or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The column, or the site.
    pub column: Option<&'a str>,
    /// The row: of a file of text its line from 1, of all else a count from 0.
    pub row: Option<u64>,
    /// What is there.
    pub value: Option<&'a str>,
}

impl DataError {
    /// Where the data are wrong.
    pub fn place(&self) -> Place<'_> {
        let of_column = |column| Place {
            column: Some(column),
            ..Place::default()
        };
        match self {
            Self::UnseenCategory {
                line, site, value, ..
            } => Place {
                // `column "age"`, or `character 7`.
                column: Some(
                    site.strip_prefix("column ")
                        .map_or(site, |name| name.trim_matches('"')),
                ),
                row: Some(*line),
                value: Some(value),
            },
            Self::NotANumber {
                line,
                column,
                value,
                ..
            } => Place {
                column: Some(column),
                row: Some(*line),
                value: Some(value),
            },
            Self::BadLabel {
                row, site, value, ..
            } => Place {
                column: Some(site),
                row: Some(*row as u64),
                value: Some(value),
            },
            Self::LabelOutOfRange { row, site, .. } => Place {
                row: Some(*row as u64),
                ..of_column(site)
            },
            Self::RaggedRow { line, .. } => Place {
                row: Some(*line),
                ..Place::default()
            },
            Self::UnknownColumn { column, .. }
            | Self::MissingColumn { column, .. }
            | Self::ExtraColumn { column, .. }
            | Self::WrongKind { column, .. }
            | Self::UnsuitedType { column, .. } => of_column(column),
            Self::NoSuchColumn { name, .. } | Self::DuplicateColumn { name, .. } => of_column(name),
            _ => Place::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_know_their_place() {
        let error = DataError::UnseenCategory {
            path: "t.csv".into(),
            line: 7,
            site: "column \"a b\"".into(),
            value: "x".into(),
            known: 2,
            more: String::new(),
        };
        let place = error.place();
        assert_eq!(
            (place.column, place.row, place.value),
            (Some("a b"), Some(7), Some("x"))
        );
        assert_eq!(DataError::NoRows.place(), Place::default());
    }
}
