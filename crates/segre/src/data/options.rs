//! How a data set is to be read; saved with a model so that later reads agree.

use super::format::image::ImageOptions;
use super::table::ColumnKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What becomes of missing table fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// A category of its own, written `?`.
    #[default]
    Category,
    /// A row with a missing field in a column that is read is left out.
    DropRows,
}

/// Words that mean that a field is missing, unless others are said to.
pub const MISSING_WORDS: [&str; 10] = [
    "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "<NA>", "#N/A",
];

/// What becomes of a value of a table that the schema does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// It is an error.
    #[default]
    Error,
    /// It counts as missing.
    Missing,
    /// Its row is left out.
    SkipRow,
}

/// What a missing table field is where labels may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingIs {
    /// Unknown.
    Unknown,
    /// What it was in the data of the schema: the category of missing fields, unknown in columns without one.
    Learned,
}

/// How to read a data set. Each field says what it applies to; the others ignore it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadOptions {
    /// Tables: what becomes of missing fields.
    pub missing: Missing,
    /// Tables: words that mean that a field is missing; an empty field always is.
    #[serde(skip_serializing_if = "are_usual")]
    pub missing_words: Vec<String>,
    /// Tables read into a schema: what becomes of values that the schema does not have.
    #[serde(skip_serializing_if = "is_default")]
    pub unseen: Unseen,
    /// Tables: whether the first row names the columns; otherwise they are `column 1`, `column 2`, ….
    pub has_header: bool,
    /// Tables: columns to leave out, by name.
    pub drop_columns: Vec<String>,
    /// Tables: the columns to read, by name; all when `None`.
    pub only_columns: Option<Vec<String>>,
    /// Tables: what columns hold, by name; found by looking where nothing is said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns_as: BTreeMap<String, ColumnKind>,
    /// Tables: what a file says that columns hold: as `columns_as`, but a column may follow from others all the same.
    #[serde(skip_serializing_if = "is_default")]
    pub kinds: BTreeMap<String, ColumnKind>,
    /// Tables: the column that says what each row weighs.
    #[serde(skip_serializing_if = "is_default")]
    pub weights: Option<String>,
    /// Tables: inequalities between columns, as `start <= end`, that hold in all rows and must hold in what is drawn.
    #[serde(skip_serializing_if = "is_default")]
    pub constraints: Vec<String>,
    /// Tables: how the moments of columns are written, by name, in the notation of `strftime`.
    #[serde(skip_serializing_if = "is_default")]
    pub date_formats: BTreeMap<String, String>,
    /// Tables read into a schema: whether columns that the schema lacks are ignored rather than refused.
    pub allow_extra_columns: bool,
    /// Text: characters in one window.
    pub text_window: usize,
    /// Pictures: size, grey levels, classes.
    pub images: ImageOptions,
    /// Tables, arrays and pictures: bytes of a text, of labels (two for each) or of a column's numbers (eight) above which they are
    /// kept in a temporary file.
    pub memory: u64,
    /// Built-in distributions: seed of the draws.
    pub builtin_seed: u64,
    /// Built-in distributions: rows to draw; the parameter `rows=` of the source goes before it.
    pub builtin_rows: Option<usize>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            missing: Missing::Category,
            missing_words: MISSING_WORDS.map(str::to_owned).to_vec(),
            unseen: Unseen::Error,
            has_header: true,
            drop_columns: Vec::new(),
            only_columns: None,
            columns_as: BTreeMap::new(),
            kinds: BTreeMap::new(),
            weights: None,
            constraints: Vec::new(),
            date_formats: BTreeMap::new(),
            allow_extra_columns: false,
            text_window: 64,
            images: ImageOptions::default(),
            memory: 4 << 30,
            builtin_seed: 0,
            builtin_rows: None,
        }
    }
}

fn are_usual(words: &[String]) -> bool {
    words == MISSING_WORDS
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_json_and_absent_fields_are_defaults() {
        let options = ReadOptions {
            missing: Missing::DropRows,
            only_columns: Some(vec!["a".into()]),
            ..ReadOptions::default()
        };
        let text = serde_json::to_string(&options).expect("plain data");
        assert_eq!(
            serde_json::from_str::<ReadOptions>(&text).expect("just written"),
            options
        );
        assert_eq!(
            serde_json::from_str::<ReadOptions>("{}").expect("all default"),
            ReadOptions::default()
        );
    }
}
