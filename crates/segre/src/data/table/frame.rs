//! A table as its file has it: named columns of texts. Nothing is interpreted but what is missing.

use std::path::{Path, PathBuf};

use super::codes::{Codes, Overflow};
use super::types::{ColumnType, TableTypes, Typed};
use super::words::{Dictionary, Words};
use crate::data::error::Result;

/// The code of a field that is missing.
pub const MISSING: u32 = u32::MAX;

/// Rows between two looks at the memory that they take.
const RELIEF: usize = 1 << 12;

/// Named columns of texts of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Where the table came from, for messages.
    pub path: PathBuf,
    /// The columns, in the order of the file.
    pub columns: Vec<FrameColumn>,
    /// The line of the file on which each row begins; empty if row `r` is on line `r + first_line`.
    lines: Vec<u64>,
    first_line: u64,
    rows: usize,
    /// The types of the columns, where the table has some.
    pub types: TableTypes,
    /// What each row weighs, where a column says so.
    pub weights: Option<Vec<f32>>,
}

/// One column of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameColumn {
    /// Its name, unique in the table.
    pub name: String,
    /// The different texts.
    pub words: Words,
    /// The text of every row, or [`MISSING`].
    pub codes: Codes,
    /// What its type says of the fields.
    pub typed: Typed,
}

impl FrameColumn {
    /// Number of fields that are missing.
    pub fn missing(&self) -> usize {
        self.codes.iter().filter(|code| *code == MISSING).count()
    }

    /// How often each word occurs.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.words.len()];
        for code in self.codes.iter().filter(|code| *code != MISSING) {
            counts[code as usize] += 1;
        }
        counts
    }
}

impl Frame {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The line of the file on which a row begins, from 1.
    pub fn line(&self, row: usize) -> u64 {
        match self.lines.get(row) {
            Some(line) => *line,
            None => self.first_line + row as u64,
        }
    }

    /// Lets the columns see what was moved to a file.
    ///
    /// # Errors
    /// As [`Overflow::finish`].
    pub fn with_overflow(mut self, overflow: Overflow) -> Result<Self> {
        overflow.finish(self.columns.iter_mut().map(|column| &mut column.codes))?;
        Ok(self)
    }

    /// Keeps the rows of which something holds.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let rows: Vec<usize> = (0..self.rows).filter(|row| keep(*row)).collect();
        self.lines = rows.iter().map(|row| self.line(*row)).collect();
        for column in &mut self.columns {
            column.codes = rows.iter().map(|row| column.codes.get(*row)).collect();
        }
        if let Some(weights) = &mut self.weights {
            *weights = rows.iter().map(|row| weights[*row]).collect();
        }
        self.rows = rows.len();
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&FrameColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// A frame that is being filled, row by row.
pub struct FrameBuilder {
    path: PathBuf,
    columns: Vec<(String, Dictionary, Codes)>,
    lines: Vec<u64>,
    first_line: u64,
    rows: usize,
}

impl FrameBuilder {
    /// A frame without rows, whose first row is on a line of the file.
    pub fn new(path: &Path, names: impl IntoIterator<Item = String>, first_line: u64) -> Self {
        let columns = names.into_iter();
        Self {
            path: path.to_path_buf(),
            columns: columns
                .map(|name| (name, Dictionary::default(), Codes::default()))
                .collect(),
            lines: Vec::new(),
            first_line,
            rows: 0,
        }
    }

    /// Takes in a row: one field for each column, `None` where it is missing.
    ///
    /// # Panics
    /// If there are not as many fields as columns.
    pub fn push<'a>(&mut self, line: u64, fields: impl IntoIterator<Item = Option<&'a str>>) {
        if self.lines.is_empty() && line != self.first_line + self.rows as u64 {
            self.lines = (0..self.rows as u64)
                .map(|row| self.first_line + row)
                .collect();
            self.lines.push(line);
        } else if !self.lines.is_empty() {
            self.lines.push(line);
        }
        self.rows += 1;
        let mut fields = fields.into_iter();
        for (name, dictionary, codes) in &mut self.columns {
            let field = fields.next();
            let field = field.unwrap_or_else(|| panic!("no field for column {name:?}"));
            codes.push(field.map_or(MISSING, |word| dictionary.code(word)));
        }
        assert!(fields.next().is_none(), "more fields than columns");
    }

    /// Moves rows to a file if they are beyond its limit.
    ///
    /// # Errors
    /// As [`Overflow::relieve`].
    pub fn relieve(&mut self, overflow: &mut Overflow) -> Result<()> {
        if !self.rows.is_multiple_of(RELIEF) {
            return Ok(());
        }
        let columns = self.columns.iter_mut().map(|(_, _, codes)| codes);
        overflow.relieve(&mut columns.collect::<Vec<_>>())
    }

    /// The frame.
    pub fn finish(self) -> Frame {
        let column = |(name, dictionary, codes): (String, Dictionary, Codes)| FrameColumn {
            name,
            words: dictionary.finish(),
            codes,
            typed: Typed::Nothing,
        };
        Frame {
            path: self.path,
            columns: self.columns.into_iter().map(column).collect(),
            lines: self.lines,
            first_line: self.first_line,
            rows: self.rows,
            types: TableTypes::default(),
            weights: None,
        }
    }
}

/// A column that is being filled, for tables that come by columns.
pub struct ColumnBuilder {
    name: String,
    dictionary: Dictionary,
    codes: Codes,
}

impl ColumnBuilder {
    /// A column without rows.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            dictionary: Dictionary::default(),
            codes: Codes::default(),
        }
    }

    /// The code of a text, which need not occur in a row yet.
    pub fn code(&mut self, word: &str) -> u32 {
        self.dictionary.code(word)
    }

    /// Makes room for further rows.
    pub fn reserve(&mut self, rows: usize) {
        self.codes.reserve(rows);
    }

    /// Takes in the field of a row: a code, or [`MISSING`].
    pub fn push(&mut self, code: u32) {
        self.codes.push(code);
    }

    /// The codes, to be moved to a file.
    pub fn codes(&mut self) -> &mut Codes {
        &mut self.codes
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// The text of every row, `None` where it is missing.
    pub fn texts(self) -> Vec<Option<String>> {
        let words = self.dictionary.finish();
        let text = |code: u32| (code != MISSING).then(|| words.get(code).to_owned());
        self.codes.iter().map(text).collect()
    }
}

impl Frame {
    /// A table of columns of one length, whose rows are counted from 0.
    ///
    /// # Panics
    /// If the columns differ in length.
    pub fn of_columns(
        path: &Path,
        columns: impl IntoIterator<Item = (ColumnBuilder, Typed, Option<ColumnType>)>,
        notes: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let mut types = TableTypes {
            notes: notes.into_iter().collect(),
            ..TableTypes::default()
        };
        let column = |(column, typed, own): (ColumnBuilder, Typed, Option<ColumnType>)| {
            types
                .columns
                .extend(own.map(|own| (column.name.clone(), own)));
            FrameColumn {
                name: column.name,
                words: column.dictionary.finish(),
                codes: column.codes,
                typed,
            }
        };
        let columns: Vec<FrameColumn> = columns.into_iter().map(column).collect();
        let rows = columns.first().map_or(0, |column| column.codes.len());
        for column in &columns {
            let (found, name) = (column.codes.len(), &column.name);
            assert_eq!(found, rows, "rows of column {name:?}");
        }
        Self {
            path: path.to_path_buf(),
            columns,
            lines: Vec::new(),
            first_line: 0,
            rows,
            types,
            weights: None,
        }
    }

    /// The rows that lack no field.
    #[must_use]
    pub fn without_missing(mut self) -> Self {
        let whole = |row: &usize| {
            let mut columns = self.columns.iter();
            columns.all(|column| column.codes.get(*row) != MISSING)
        };
        let kept: Vec<usize> = (0..self.rows).filter(whole).collect();
        self.lines = kept.iter().map(|row| self.line(*row)).collect();
        self.rows = kept.len();
        for column in &mut self.columns {
            // Words that only occurred in other rows are no longer words of the column.
            let mut dictionary = Dictionary::default();
            let code = |row: &usize| dictionary.code(column.words.get(column.codes.get(*row)));
            column.codes = kept.iter().map(code).collect();
            column.words = dictionary.finish();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_lines_and_what_is_missing() {
        let names = ["a", "b"].map(str::to_owned);
        let mut builder = FrameBuilder::new(Path::new("t.csv"), names, 2);
        builder.push(2, [Some("x"), None]);
        builder.push(3, [Some("y"), Some("1")]);
        // A blank line lies before this one.
        builder.push(5, [Some("x"), Some("1")]);
        builder.push(6, [None, Some("2")]);
        let frame = builder.finish();
        assert_eq!(frame.rows(), 4);
        assert_eq!([0, 1, 2, 3].map(|row| frame.line(row)), [2, 3, 5, 6]);
        let b = frame.column("b").expect("a column");
        assert_eq!(b.codes.iter().collect::<Vec<_>>(), [MISSING, 0, 0, 1]);
        assert_eq!(b.words.get(0), "1");
        assert_eq!((b.missing(), b.counts()), (1, vec![2, 1]));
    }
}
