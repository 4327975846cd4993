//! Types that columns have where their data come from, kept so that what a model draws has them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The types of a table that came with types: of Arrow in memory, of a Parquet or Arrow file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableTypes {
    /// The type of each column, by name.
    pub columns: BTreeMap<String, ColumnType>,
    /// What a program has noted beside the columns; pandas keeps the names of its own types there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

impl TableTypes {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.notes.is_empty()
    }
}

/// The type of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnType {
    /// As Arrow writes it: `Int64`, `Timestamp(µs, "UTC")`, `Dictionary(Int32, Utf8)`.
    pub name: String,
    /// The values of a dictionary in their order, those that do not occur among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// Whether that order means something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ordered: bool,
    /// What a program has noted beside the column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

/// What the type of a column says of its fields before they are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Typed {
    /// Nothing: all are texts.
    #[default]
    Nothing,
    /// They are texts, though they may look like numbers.
    Text,
    /// They are categories.
    Category,
    /// They are numbers, moments or truth values: equal values may be written in different ways.
    Value,
}
