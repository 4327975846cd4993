//! Tables as texts: `.csv` and `.tsv`, plain or gzip.
//!
//! Fields may be quoted and are trimmed. Empty fields, and words such as `?` and `NA`, are missing. Blank lines are skipped. What
//! separates fields is found out in `dialect.rs`, what they mean in `data/table/`.

mod dialect;

use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::options::{Missing, MissingIs, ReadOptions};
use crate::data::partial::PartialDataset;
use crate::data::schema::{Layout, Schema};
use crate::data::table::{self, Frame, FrameBuilder, Overflow};
use crate::file_error::FileError;
use crate::stream::{self, Text, is_standard};
use csv::{Reader, ReaderBuilder, StringRecord};
use std::io::Cursor;
use std::path::Path;

/// Reads a table and finds out what its columns hold.
pub(super) fn read(path: &Path, delimiter: u8, options: &ReadOptions) -> Result<Dataset> {
    let table = Table::open(path, delimiter, options)?;
    let columns = table::columns_to_read(path, &table.names, options)?;
    let (mut frame, notes) = table.frame(&columns, options)?;
    let notes = notes.all();
    table::take_weights(&mut frame, options)?;
    let mut schema = table::schema_of(&frame, options)?;
    schema.notes.extend(notes);
    table::encode(&frame, &schema, options)
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
    let columns = table::columns_of(path, &table.names, schema, options)?;
    let (frame, notes) = table.frame(&columns, options)?;
    let mut data = table::read_rows(frame, schema, options)?;
    data.schema.notes.extend(notes.all());
    Ok(data)
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
    let columns = table::columns_there(path, &table.names, schema, options)?;
    let kept = ReadOptions {
        missing: Missing::Category,
        ..options.clone()
    };
    let (frame, notes) = table.frame(&columns, &kept)?;
    let mut data = table::encode_partial(&frame, schema, missing, options.unseen)?;
    // That fields are missing is what such a table is for.
    data.schema.notes.extend(notes.of_file);
    Ok(data)
}

/// What was guessed, or taken for something.
struct Notes {
    /// Of the way in which the file is written.
    of_file: Vec<String>,
    /// Of words that count as missing, and of rows that lack a field.
    of_missing: Vec<String>,
}

impl Notes {
    fn all(self) -> Vec<String> {
        [self.of_file, self.of_missing].concat()
    }
}

/// A table being read row by row, with its column names.
struct Table<'a> {
    path: &'a Path,
    reader: Reader<Cursor<Text>>,
    names: Vec<String>,
    record: StringRecord,
    /// Whether `record` is a first row that is still to be handed out.
    pending: bool,
    rows_seen: usize,
    /// What stands between fields.
    delimiter: u8,
    /// The same where it is not what the kind of file has.
    separator: Option<char>,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, delimiter: u8, options: &ReadOptions) -> Result<Self> {
        // A line break also at the end: `line` counts on it.
        let text = stream::read_lines(path, options.memory)?;
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
            delimiter,
            separator: (delimiter != usual).then_some(char::from(delimiter)),
        };
        if !table.read_record()? {
            return Err(DataError::NoData {
                path: path.to_path_buf(),
                what: match is_standard(path) {
                    true => {
                        "nothing comes from standard input (it can be read once: save the table to a file to read it again)"
                    }
                    false => "the file is empty",
                },
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
        table::require_different(path, &table.names)?;
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
    fn frame(mut self, columns: &[usize], options: &ReadOptions) -> Result<(Frame, Notes)> {
        let names = columns.iter().map(|column| self.names[*column].clone());
        let mut taken = vec![vec![0_usize; options.missing_words.len()]; columns.len()];
        let mut dropped = 0;
        let mut frame = FrameBuilder::new(self.path, names, 1 + u64::from(!self.pending));
        let mut overflow = Overflow::new(options.memory);
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
            frame.relieve(&mut overflow)?;
        }
        let mut of_missing = Vec::new();
        for (column, taken) in columns.iter().zip(&taken) {
            let words = taken.iter().zip(&options.missing_words);
            for (count, word) in words.filter(|(count, word)| **count > 0 && *word != "?") {
                of_missing.push(format!(
                    "column {:?}: {count} fields {word:?} count as missing; to keep them as a word: `missing_words = \"?\"`",
                    self.names[*column]
                ));
            }
        }
        if dropped > 0 {
            of_missing.push(format!(
                "{dropped} of {} rows lack a field and are left out",
                self.rows_seen
            ));
        }
        let frame = frame.finish().with_overflow(overflow)?;
        self.require_rows(frame.rows())?;
        let of_file = self.of_file();
        Ok((
            frame,
            Notes {
                of_file,
                of_missing,
            },
        ))
    }

    /// What is to be said of the way in which the file is written.
    fn of_file(&self) -> Vec<String> {
        let text = self.reader.get_ref().get_ref();
        let (delimiter, columns) = (self.delimiter, self.names.len());
        let guessed = self
            .separator
            .map(|separator| format!("fields are separated by {separator:?}"));
        let swallowed = dialect::swallowed(text, delimiter, columns).map(|lines| {
            format!(
                "a field in quotes goes from line {} to line {}, each of which would be a row by itself; if that is so, remove \
                 the quotes",
                lines.start(),
                lines.end()
            )
        });
        let alone = (columns == 1)
            .then(|| dialect::of_one_column(text))
            .flatten();
        guessed.into_iter().chain(swallowed).chain(alone).collect()
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

#[cfg(test)]
mod tests;
