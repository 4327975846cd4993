//! Tables as texts: `.csv` and `.tsv`, plain or gzip.
//!
//! Fields may be quoted and are trimmed. Empty fields, and words such as `?` and `NA`, are missing. Blank lines are skipped. What
//! separates fields is found out in `dialect.rs`, what they mean in `data/table/`.

mod dialect;

use super::input;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use crate::data::options::{Missing, MissingIs, ReadOptions};
use crate::data::partial::PartialDataset;
use crate::data::schema::{Layout, Schema};
use crate::data::table::{self, Frame, FrameBuilder};
use crate::file_error::FileError;
use csv::{Reader, ReaderBuilder, StringRecord};
use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::path::Path;

/// Reads a table and finds out what its columns hold.
pub(super) fn read(path: &Path, delimiter: u8, options: &ReadOptions) -> Result<Dataset> {
    let table = Table::open(path, delimiter, options)?;
    let columns = table.columns_to_read(options)?;
    if columns.is_empty() {
        return Err(DataError::NoData {
            path: path.to_path_buf(),
            what: "no columns are left",
        });
    }
    let (frame, notes) = table.frame(&columns, options)?;
    let mut schema = table::schema_of(&frame, options)?;
    schema.notes = notes;
    table::encode(&frame, &schema, options.unseen)
}

/// Reads a table into a schema, matching columns by name in any order.
pub(super) fn read_as(
    path: &Path,
    delimiter: u8,
    schema: &Schema,
    options: &ReadOptions,
) -> Result<Dataset> {
    if schema.layout == Layout::Text {
        // Trimming fields would turn blanks into missing values.
        return Err(DataError::SchemaMismatch {
            what: "the layout".into(),
            expected: schema.layout.name().into(),
            found: Layout::Table.name().into(),
        });
    }
    let table = Table::open(path, delimiter, options)?;
    let columns = table.columns_of(schema, options)?;
    let (frame, _) = table.frame(&columns, options)?;
    table::encode(&frame, schema, options.unseen)
}

/// Reads a table into a schema; columns that are not there are unknown labels, and so are missing fields, unless
/// they are to be the category that their column has for them.
pub(super) fn read_partial(
    path: &Path,
    delimiter: u8,
    schema: &Schema,
    options: &ReadOptions,
    missing: MissingIs,
) -> Result<PartialDataset> {
    let table = Table::open(path, delimiter, options)?;
    let place = |column: usize| {
        let (own, _) = schema.column(column);
        table.names.iter().position(|name| name == own)
    };
    let columns: Vec<usize> = (0..schema.column_count()).filter_map(place).collect();
    if columns.is_empty() {
        // A table of something else altogether.
        return Err(DataError::MissingColumn {
            path: path.to_path_buf(),
            column: schema.column(0).0.to_owned(),
        });
    }
    table.refuse_extra(schema, options)?;
    let kept = ReadOptions {
        missing: Missing::Category,
        ..options.clone()
    };
    let (frame, _) = table.frame(&columns, &kept)?;
    table::encode_partial(&frame, schema, missing, options.unseen)
}

/// A table being read row by row, with its column names.
struct Table<'a> {
    path: &'a Path,
    reader: Reader<Cursor<String>>,
    names: Vec<String>,
    record: StringRecord,
    /// Whether `record` is a first row that is still to be handed out.
    pending: bool,
    rows_seen: usize,
    /// What stands between fields, where it is not what the kind of file has.
    separator: Option<char>,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, delimiter: u8, options: &ReadOptions) -> Result<Self> {
        // One kind of line break, also at the end: `line` counts on it.
        let mut text = input::read_text(path)?;
        if text.contains('\r') {
            text = text.replace("\r\n", "\n").replace('\r', "\n");
        }
        text.push('\n');
        let usual = delimiter;
        let delimiter = dialect::delimiter(&text, usual);
        dialect::check_quotes(path, &text, delimiter)?;
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Cursor::new(text));
        let record = StringRecord::new();
        let mut table = Self {
            path,
            reader,
            names: Vec::new(),
            record,
            pending: false,
            rows_seen: 0,
            separator: (delimiter != usual).then_some(char::from(delimiter)),
        };
        if !table.read_record()? {
            return Err(DataError::NoData {
                path: path.to_path_buf(),
                what: "the file is empty",
            });
        }
        table.pending = !options.has_header;
        for (column, field) in (1..).zip(&table.record) {
            let name = if options.has_header { field.trim() } else { "" };
            let name = if name.is_empty() {
                format!("column {column}")
            } else {
                name.to_string()
            };
            table.names.push(name);
        }
        let mut places = HashMap::new();
        for (name, second) in table.names.iter().zip(1..) {
            if let Some(first) = places.insert(name, second) {
                let (path, name) = (path.to_path_buf(), name.clone());
                return Err(DataError::DuplicateColumn {
                    path,
                    name,
                    first,
                    second,
                });
            }
        }
        Ok(table)
    }

    /// Goes to the next row; `false` at the end.
    fn next_row(&mut self) -> Result<bool> {
        if self.pending {
            self.pending = false;
        } else if !self.read_record()? {
            return Ok(false);
        }
        self.rows_seen += 1;
        let (found, expected) = (self.record.len(), self.names.len());
        if found != expected {
            let (path, line) = (self.path.to_path_buf(), self.line());
            return Err(DataError::RaggedRow {
                path,
                line,
                found,
                expected,
            });
        }
        Ok(true)
    }

    fn read_record(&mut self) -> Result<bool> {
        Ok(self.reader.read_record(&mut self.record).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            let detail = format!("near line {line}: {error}");
            FileError::Damaged {
                path: self.path.to_path_buf(),
                detail,
            }
        })?)
    }

    /// Line on which the current row starts, from 1.
    ///
    /// The record's own position lies before the blank lines that are skipped, so it is counted
    /// back from the end of the row.
    fn line(&self) -> u64 {
        let breaks: usize = self
            .record
            .iter()
            .map(|field| field.matches('\n').count())
            .sum();
        self.reader
            .position()
            .line()
            .saturating_sub(1 + breaks as u64)
    }

    /// All rows that are left, of the chosen columns, without those that lack a field if such rows are dropped; and what was taken
    /// for something.
    fn frame(mut self, columns: &[usize], options: &ReadOptions) -> Result<(Frame, Vec<String>)> {
        let names = columns.iter().map(|column| self.names[*column].clone());
        let mut taken = vec![vec![0_usize; options.missing_words.len()]; columns.len()];
        let mut dropped = 0;
        let mut frame = FrameBuilder::new(self.path, names, 1 + u64::from(!self.pending));
        while self.next_row()? {
            let mut fields = Vec::with_capacity(columns.len());
            for (column, taken) in columns.iter().zip(&mut taken) {
                let word = self.record[*column].trim();
                let missing = options.missing_words.iter().position(|own| own == word);
                if let Some(word) = missing {
                    taken[word] += 1;
                }
                fields.push((!word.is_empty() && missing.is_none()).then_some(word));
            }
            match options.missing == Missing::DropRows && fields.contains(&None) {
                true => dropped += 1,
                false => frame.push(self.line(), fields),
            }
        }
        let mut notes = Vec::new();
        if let Some(separator) = self.separator {
            notes.push(format!("fields are separated by {separator:?}"));
        }
        for (column, taken) in columns.iter().zip(&taken) {
            let words = taken.iter().zip(&options.missing_words);
            for (count, word) in words.filter(|(count, word)| **count > 0 && *word != "?") {
                notes.push(format!(
                    "column {:?}: {count} fields {word:?} count as missing; to keep them as a word: `missing_words = \"?\"`",
                    self.names[*column]
                ));
            }
        }
        if dropped > 0 {
            notes.push(format!(
                "{dropped} of {} rows lack a field and are left out",
                self.rows_seen
            ));
        }
        let frame = frame.finish();
        self.require_rows(frame.rows())?;
        Ok((frame, notes))
    }

    /// The columns that the options leave, in the order of the file.
    fn columns_to_read(&self, options: &ReadOptions) -> Result<Vec<usize>> {
        let selected = options
            .only_columns
            .iter()
            .flatten()
            .map(|name| (name, "select"));
        let dropped = options.drop_columns.iter().map(|name| (name, "drop"));
        for (column, action) in selected.chain(dropped) {
            if !self.names.contains(column) {
                return Err(DataError::UnknownColumn {
                    path: self.path.to_path_buf(),
                    column: column.clone(),
                    action,
                    columns: listed(self.names()),
                    hint: meant(column, self.names()),
                });
            }
        }
        let left = (0..self.names.len()).filter(|&column| is_read(&self.names[column], options));
        Ok(left.collect())
    }

    /// The columns of a schema.
    fn columns_of(&self, schema: &Schema, options: &ReadOptions) -> Result<Vec<usize>> {
        let places: HashMap<&str, usize> = self.names.iter().map(String::as_str).zip(0..).collect();
        let find = |column: usize| {
            let (name, _) = schema.column(column);
            places
                .get(name)
                .copied()
                .ok_or_else(|| DataError::MissingColumn {
                    path: self.path.to_path_buf(),
                    column: name.to_owned(),
                })
        };
        let columns: Vec<usize> = (0..schema.column_count())
            .map(find)
            .collect::<Result<_>>()?;
        self.refuse_extra(schema, options)?;
        Ok(columns)
    }

    /// Refuses columns that a schema does not have, unless the fit's data had them too.
    fn refuse_extra(&self, schema: &Schema, options: &ReadOptions) -> Result<()> {
        let of_model = || (0..schema.column_count()).map(|column| schema.column(column).0);
        let left_out = schema.left_out.iter().map(|column| column.name.as_str());
        let known: HashSet<&str> = of_model().chain(left_out).collect();
        let unknown = |name: &&String| !known.contains(name.as_str()) && is_read(name, options);
        match self.names.iter().find(unknown) {
            Some(column) if !options.allow_extra_columns => Err(DataError::ExtraColumn {
                path: self.path.to_path_buf(),
                column: column.clone(),
                columns: listed(of_model()),
                hint: meant(column, of_model()),
            }),
            _ => Ok(()),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }

    fn require_rows(&self, rows: usize) -> Result<()> {
        if rows > 0 {
            return Ok(());
        }
        let what = if self.rows_seen == 0 {
            "there is only a header"
        } else {
            "every row has a missing field and was dropped"
        };
        Err(DataError::NoData {
            path: self.path.to_path_buf(),
            what,
        })
    }
}

/// Whether the options leave a column of this name.
fn is_read(name: &String, options: &ReadOptions) -> bool {
    let selected = options
        .only_columns
        .as_ref()
        .is_none_or(|only| only.contains(name));
    selected && !options.drop_columns.contains(name)
}

#[cfg(test)]
mod tests;
