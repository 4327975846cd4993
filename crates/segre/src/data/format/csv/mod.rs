//! Tables of categorical columns: `.csv` and `.tsv`, plain or gzip.
//!
//! Fields may be quoted and are trimmed. Empty fields, `?` and `NA` are missing. Blank lines are
//! skipped. A column's categories are sorted, by value if all are integers, otherwise by text; the
//! category of missing fields, `?`, comes last.

use super::input;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::options::{Missing, MissingIs, ReadOptions};
use crate::data::partial::PartialDataset;
use crate::data::schema::{Layout, MISSING, Schema, Site, Vocabulary};
use crate::file_error::FileError;
use csv::{Reader, ReaderBuilder, StringRecord};
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;

/// Most categories of a column; one label is kept free.
const MAX_COLUMN_CATEGORIES: usize = 65_535;

/// Reads a table and learns its vocabularies.
pub(super) fn read(path: &Path, delimiter: u8, options: &ReadOptions) -> Result<Dataset> {
    let mut table = Table::open(path, delimiter, options)?;
    let columns = table.columns_to_read(options)?;
    if columns.is_empty() {
        return Err(DataError::NoData {
            path: path.to_path_buf(),
            what: "no columns are left",
        });
    }
    let mut vocabularies: Vec<Growing> = columns.iter().map(|_| Growing::default()).collect();
    let mut labels: Vec<u16> = Vec::new();
    while table.next_row()? {
        if options.missing == Missing::DropRows && table.any_missing(&columns) {
            continue;
        }
        for (&column, vocabulary) in columns.iter().zip(&mut vocabularies) {
            let Some(label) = vocabulary.label(table.field(column)) else {
                return Err(DataError::TooManyCategories {
                    path: path.to_path_buf(),
                    line: table.line(),
                    column: table.names[column].clone(),
                    limit: MAX_COLUMN_CATEGORIES,
                });
            };
            labels.push(label);
        }
    }
    table.require_rows(labels.len())?;
    let (vocabularies, sorted): (Vec<Vocabulary>, Vec<Vec<u16>>) =
        vocabularies.into_iter().map(Growing::sorted).unzip();
    for row in labels.chunks_exact_mut(columns.len()) {
        for (label, new_label) in row.iter_mut().zip(&sorted) {
            *label = new_label[usize::from(*label)];
        }
    }
    let site = |(vocabulary, &column): (usize, &usize)| Site {
        name: table.names[column].clone(),
        vocabulary,
    };
    let sites = columns.iter().enumerate().map(site).collect();
    Dataset::new(
        Schema {
            layout: Layout::Table,
            sites,
            vocabularies,
        },
        labels,
    )
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
    let mut table = Table::open(path, delimiter, options)?;
    let columns = table.columns_of(schema, options)?;
    let known: Vec<Option<HashMap<&str, u16>>> = schema.vocabularies.iter().map(index).collect();
    let mut labels: Vec<u16> = Vec::new();
    while table.next_row()? {
        if options.missing == Missing::DropRows && table.any_missing(&columns) {
            continue;
        }
        for (site, &column) in columns.iter().enumerate() {
            labels.push(table.label(column, schema, site, &known)?);
        }
    }
    table.require_rows(labels.len())?;
    Dataset::new(schema.clone(), labels)
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
    let mut table = Table::open(path, delimiter, options)?;
    let place = |site: &Site| table.names.iter().position(|name| *name == site.name);
    let columns: Vec<Option<usize>> = schema.sites.iter().map(place).collect();
    if columns.iter().all(Option::is_none) {
        // A table of something else altogether.
        return Err(DataError::MissingColumn {
            path: path.to_path_buf(),
            column: schema.sites[0].name.clone(),
        });
    }
    let known: Vec<Option<HashMap<&str, u16>>> = schema.vocabularies.iter().map(index).collect();
    let mut labels: Vec<Option<u16>> = Vec::new();
    while table.next_row()? {
        for (site, column) in columns.iter().enumerate() {
            let Some(column) = *column else {
                labels.push(None);
                continue;
            };
            labels.push(match (table.field(column) == MISSING, missing) {
                (true, MissingIs::Unknown) => None,
                (true, MissingIs::Learned) => schema.missing_category(site),
                (false, _) => Some(table.label(column, schema, site, &known)?),
            });
        }
    }
    table.require_rows(labels.len())?;
    PartialDataset::new(schema.clone(), labels)
}

/// Label by word; `None` for integers, which need no index.
fn index(vocabulary: &Vocabulary) -> Option<HashMap<&str, u16>> {
    Some(vocabulary.words()?.into_iter().zip(0..=u16::MAX).collect())
}

/// A vocabulary that takes in words as they come.
#[derive(Default)]
struct Growing {
    labels: HashMap<String, u16>,
}

impl Growing {
    /// The word's label in order of first sight, `None` if there are too many words.
    fn label(&mut self, word: &str) -> Option<u16> {
        if let Some(&label) = self.labels.get(word) {
            return Some(label);
        }
        if self.labels.len() == MAX_COLUMN_CATEGORIES {
            return None;
        }
        let label = u16::try_from(self.labels.len()).ok()?;
        self.labels.insert(word.to_string(), label);
        Some(label)
    }

    /// The sorted vocabulary, and the new label of each old one.
    fn sorted(self) -> (Vocabulary, Vec<u16>) {
        let mut words: Vec<(String, u16)> = self.labels.into_iter().collect();
        let number = |word: &str| word.parse::<i128>().ok();
        let numeric = words
            .iter()
            .all(|(word, _)| word == MISSING || number(word).is_some());
        words.sort_unstable_by(|(left, _), (right, _)| {
            let key = |word: &str| (word == MISSING, if numeric { number(word) } else { None });
            key(left).cmp(&key(right)).then_with(|| left.cmp(right))
        });
        let mut new_labels = vec![0; words.len()];
        for ((_, old), new) in words.iter().zip(0..=u16::MAX) {
            new_labels[usize::from(*old)] = new;
        }
        let categories = words.into_iter().map(|(word, _)| word).collect();
        (Vocabulary::Words { categories }, new_labels)
    }
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
}

impl<'a> Table<'a> {
    fn open(path: &'a Path, delimiter: u8, options: &ReadOptions) -> Result<Self> {
        // One kind of line break, also at the end: `line` counts on it.
        let text = input::read_text(path)?.replace("\r\n", "\n") + "\n";
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

    /// A field of the current row; missing fields as `?`.
    fn field(&self, column: usize) -> &str {
        match self.record.get(column).unwrap_or_default().trim() {
            "" | "NA" => MISSING,
            value => value,
        }
    }

    /// The label of a field of the current row.
    fn label(
        &self,
        column: usize,
        schema: &Schema,
        site: usize,
        known: &[Option<HashMap<&str, u16>>],
    ) -> Result<u16> {
        let value = self.field(column);
        let label = match &known[schema.sites[site].vocabulary] {
            Some(index) => index.get(value).copied(),
            None => schema.label_of(site, value),
        };
        label.ok_or_else(|| DataError::UnseenCategory {
            path: self.path.to_path_buf(),
            line: self.line(),
            site: format!("column {:?}", schema.sites[site].name),
            value: value.to_string(),
            known: schema.cardinality(site),
        })
    }

    fn any_missing(&self, columns: &[usize]) -> bool {
        columns.iter().any(|&column| self.field(column) == MISSING)
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
                    columns: self.names.join(", "),
                });
            }
        }
        let left = (0..self.names.len()).filter(|&column| is_read(&self.names[column], options));
        Ok(left.collect())
    }

    /// The column of each site of a schema.
    fn columns_of(&self, schema: &Schema, options: &ReadOptions) -> Result<Vec<usize>> {
        let places: HashMap<&str, usize> = self.names.iter().map(String::as_str).zip(0..).collect();
        let find = |site: &Site| {
            places
                .get(site.name.as_str())
                .copied()
                .ok_or_else(|| DataError::MissingColumn {
                    path: self.path.to_path_buf(),
                    column: site.name.clone(),
                })
        };
        let columns: Vec<usize> = schema.sites.iter().map(find).collect::<Result<_>>()?;
        if !options.allow_extra_columns {
            let mut known = vec![false; self.names.len()];
            columns.iter().for_each(|&column| known[column] = true);
            let extra = self.names.iter().zip(known);
            let mut extra = extra.filter(|(name, known)| !known && is_read(name, options));
            if let Some((column, _)) = extra.next() {
                let (path, column) = (self.path.to_path_buf(), column.clone());
                return Err(DataError::ExtraColumn { path, column });
            }
        }
        Ok(columns)
    }

    fn require_rows(&self, labels: usize) -> Result<()> {
        if labels > 0 {
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
