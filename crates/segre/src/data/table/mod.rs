//! Tables as people have them: from named columns of texts to sites of categories, and back.
//!
//! A file becomes a [`Frame`]: texts, and which of them are missing. [`inspect`] finds out what each column holds, and its
//! [`Coding`] turns fields into labels: a category is a label; a number belongs to a cell of its column and the number itself
//! is kept beside; one of many words is two digits. What a model draws goes the way back: a label to a cell, the cell to one
//! of its numbers, the number to the notation of the column.

mod cells;
mod coding;
mod frame;
mod inspect;
mod number;
mod numbers;
mod select;
mod spread;
mod types;
mod values;
mod words;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use coding::Coding;
pub use coding::Values;
pub use frame::{ColumnBuilder, Frame, FrameBuilder, FrameColumn, MISSING as MISSING_CODE};
pub use inspect::ColumnKind;
pub use number::Notation;
pub use numbers::Numbers;
pub use select::{columns_of, columns_there, columns_to_read, require_different};
pub use spread::{INTERVAL, Spread};
pub use types::{ColumnType, TableTypes, Typed};

use self::inspect::{Finding, inspect};
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use crate::data::options::{MissingIs, ReadOptions, Unseen};
use crate::data::partial::PartialDataset;
use crate::data::schema::{Layout, MISSING, Schema, Site, Vocabulary};
use crate::random::{Purpose, generator, row_generator};

/// One column of a table that has columns other than single sites of categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How its fields are labels; `None` if they are the categories of its one site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coding: Option<Coding>,
}

impl Column {
    /// Number of its sites.
    pub fn sites(&self) -> usize {
        self.coding.as_ref().map_or(1, Coding::sites)
    }
}

/// A column of the data that is no part of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Finds out what the columns of a table hold.
pub(super) fn schema_of(frame: &Frame, options: &ReadOptions) -> Result<Schema> {
    for name in options.columns_as.keys() {
        if frame.column(name).is_none() {
            return Err(DataError::UnknownColumn {
                path: frame.path.clone(),
                column: name.clone(),
                action: "take for another kind",
                columns: listed(frame.names()),
                hint: meant(name, frame.names()),
            });
        }
    }
    let mut schema = Schema::shared(Layout::Table, Vec::new(), Vocabulary::Integers { count: 1 });
    schema.vocabularies.clear();
    let mut left_out = Vec::new();
    for column in &frame.columns {
        let wish = options.columns_as.get(&column.name).copied();
        let finding = inspect(column, wish).map_err(|problem| DataError::WrongKind {
            path: frame.path.clone(),
            column: column.name.clone(),
            problem,
        })?;
        let coding = match finding {
            Finding::Categories => None,
            Finding::ManyWords => Some(Coding::words(column)),
            Finding::Numbers(notation) => Some(Coding::numbers(column, notation)),
            Finding::Useless(why) => {
                let name = column.name.clone();
                left_out.push(LeftOut { name, why });
                continue;
            }
        };
        let vocabularies = match &coding {
            None => vec![categories(column)],
            Some(coding) => coding.vocabularies(),
        };
        let digits = vocabularies.len();
        for (digit, vocabulary) in (1..).zip(vocabularies) {
            schema.sites.push(Site {
                name: match digits {
                    1 => column.name.clone(),
                    _ => format!("{}/{digit}", column.name),
                },
                vocabulary: schema.vocabularies.len(),
            });
            schema.vocabularies.push(vocabulary);
        }
        schema.columns.push(Column {
            name: column.name.clone(),
            coding,
        });
    }
    if schema.columns.is_empty() {
        let why = left_out.first().map_or("", |column| &column.why);
        return Err(DataError::NothingToLearn {
            path: frame.path.clone(),
            why: why.to_owned(),
        });
    }
    if schema.columns.iter().all(|column| column.coding.is_none()) {
        schema.columns.clear();
    }
    schema.left_out = left_out;
    schema.types = frame.types.clone();
    Ok(schema)
}

/// The categories of a column: sorted, by value if all are integers, otherwise by text; that of missing fields comes last.
fn categories(column: &FrameColumn) -> Vocabulary {
    let mut words: Vec<String> = column.words.iter().map(str::to_owned).collect();
    let number = |word: &str| word.parse::<i128>().ok();
    if words.iter().all(|word| number(word).is_some()) {
        words.sort_unstable_by(|left, right| {
            number(left)
                .cmp(&number(right))
                .then_with(|| left.cmp(right))
        });
    } else {
        words.sort_unstable();
    }
    if column.missing() > 0 {
        words.push(MISSING.to_owned());
    }
    Vocabulary::Words { categories: words }
}

/// The labels of a table, read into a schema.
pub(super) fn encode(frame: &Frame, schema: &Schema, unseen: Unseen) -> Result<Dataset> {
    if let Some((settled, note)) = settle(frame, schema, unseen)? {
        let mut data = encode(&settled, schema, Unseen::Error)?;
        data.schema.notes.push(note);
        return Ok(data);
    }
    let (labels, numbers) = read_fields(frame, schema, |_, missing| missing)?;
    let mut known = Vec::with_capacity(labels.len());
    for (place, label) in labels.into_iter().enumerate() {
        let Some(label) = label else {
            let (row, site) = (place / schema.sites(), place % schema.sites());
            let column = schema.column_of(site);
            return Err(unknown_value(
                frame,
                schema,
                row,
                column,
                MISSING,
                String::new(),
            ));
        };
        known.push(label);
    }
    Ok(Dataset::new(typed_as(schema, frame), known)?.with_numbers(numbers))
}

/// The schema with the types that a table has: what is written of it has them again.
fn typed_as(schema: &Schema, frame: &Frame) -> Schema {
    let mut schema = schema.clone();
    let own = frame.types.columns.iter();
    let own = own.map(|(name, kind)| (name.clone(), kind.clone()));
    schema.types.columns.extend(own);
    if !frame.types.notes.is_empty() {
        schema.types.notes = frame.types.notes.clone();
    }
    schema
}

/// The labels of a table with gaps, read into a schema; columns that are not there are unknown, and so are missing fields,
/// unless they are to be what they were in the data of the schema.
pub(super) fn encode_partial(
    frame: &Frame,
    schema: &Schema,
    missing: MissingIs,
    unseen: Unseen,
) -> Result<PartialDataset> {
    if let Some((settled, note)) = settle(frame, schema, unseen)? {
        let mut data = encode_partial(&settled, schema, missing, Unseen::Error)?;
        data.schema.notes.push(note);
        return Ok(data);
    }
    let (labels, numbers) = read_fields(frame, schema, |_, learned| match missing {
        MissingIs::Unknown => None,
        MissingIs::Learned => learned,
    })?;
    Ok(PartialDataset::new(typed_as(schema, frame), labels)?.with_numbers(numbers))
}

/// One row of which some columns are known, by name.
///
/// # Errors
/// [`DataError::NoSuchColumn`], [`DataError::SchemaMismatch`] for a schema that is of no table, and those of values that the schema
/// does not know.
pub fn of_values(
    values: &[(String, String)],
    schema: &Schema,
    unseen: Unseen,
) -> Result<PartialDataset> {
    if schema.layout != Layout::Table {
        return Err(DataError::SchemaMismatch {
            what: "the layout".into(),
            expected: schema.layout.name().into(),
            found: Layout::Table.name().into(),
        });
    }
    for (name, _) in values {
        schema.column_named(name)?;
    }
    let names = values.iter().map(|(name, _)| name.clone());
    let mut builder = FrameBuilder::new(Path::new("the given values"), names, 1);
    let fields = values.iter().map(|(_, value)| Some(value.trim()));
    builder.push(1, fields.map(|field| field.filter(|word| !word.is_empty())));
    let mut frame = builder.finish();
    // `40.0` is 40, and `true` is True.
    frame
        .columns
        .iter_mut()
        .for_each(|column| column.typed = Typed::Value);
    encode_partial(&frame, schema, MissingIs::Learned, unseen)
}

/// Labels of all fields, `[rows, sites]`, and their numbers; what a missing field is is asked, given what it was in the data
/// of the schema.
fn read_fields(
    frame: &Frame,
    schema: &Schema,
    missing: impl Fn(usize, Option<u16>) -> Option<u16>,
) -> Result<(Vec<Option<u16>>, Option<Numbers>)> {
    let (rows, sites) = (frame.rows(), schema.sites());
    let mut labels: Vec<Option<u16>> = vec![None; rows * sites];
    let mut numbers = Vec::new();
    let mut first = 0;
    for column in 0..schema.column_count() {
        let (name, coding) = schema.column(column);
        let own = coding.map_or(1, Coding::sites);
        let Some(found) = frame.column(name) else {
            numbers.push(None);
            first += own;
            continue;
        };
        let words = read_words(schema, column, found);
        let absent: Vec<Option<u16>> = match coding.and_then(Coding::missing) {
            Some(labels) => labels[..own].iter().map(|label| Some(*label)).collect(),
            None => vec![
                coding
                    .is_none()
                    .then(|| schema.missing_category(first))
                    .flatten();
                own
            ],
        };
        let mut values = coding
            .is_some_and(|coding| matches!(coding.values, Values::Numbers { .. }))
            .then(Vec::new);
        for (row, &code) in found.codes.iter().enumerate() {
            let at = row * sites + first;
            let field = match code {
                MISSING_CODE => None,
                // Others have been settled.
                code => words[code as usize],
            };
            match field {
                Some(field) => (0..own).for_each(|k| labels[at + k] = Some(field.labels[k])),
                None => (0..own).for_each(|k| labels[at + k] = missing(first + k, absent[k])),
            }
            if let Some(values) = &mut values {
                values.push(field.and_then(|field| field.number));
            }
        }
        numbers.push(values);
        first += own;
    }
    let some = numbers.iter().any(Option::is_some);
    Ok((labels, some.then(|| Numbers::new(numbers))))
}

/// What the words of a column mean, `None` for those that it does not know. Values of a typed column may be written in another
/// way than the schema's.
fn read_words(schema: &Schema, column: usize, found: &FrameColumn) -> Vec<Option<coding::Field>> {
    let site = schema.sites_of(column).start;
    let mut words = match schema.column(column).1 {
        Some(coding) => coding.read(found.words.iter()),
        None => read_categories(schema, site, found.words.iter()),
    };
    if found.typed == Typed::Value && words.iter().any(Option::is_none) {
        let written = values::as_written(schema, column, found);
        let written = written.iter().map(String::as_str);
        let read = match schema.column(column).1 {
            Some(coding) => coding.read(written),
            None => read_categories(schema, site, written),
        };
        let pairs = words.iter_mut().zip(read);
        pairs.for_each(|(word, read)| *word = word.or(read));
    }
    words
}

/// The table without the values that a schema does not know, and what was done with them; `None` if it knows all.
///
/// # Errors
/// [`DataError::UnseenCategory`] or [`DataError::NotANumber`] if such values are an error.
fn settle(frame: &Frame, schema: &Schema, unseen: Unseen) -> Result<Option<(Frame, String)>> {
    let mut rows = vec![false; frame.rows()];
    // Every value once, with the first row that has it.
    let mut values: Vec<(usize, usize, &str)> = Vec::new();
    let mut fields = 0;
    let mut settled: Option<Frame> = None;
    for column in 0..schema.column_count() {
        let name = schema.column(column).0;
        let Some(place) = frame.columns.iter().position(|own| own.name == name) else {
            continue;
        };
        let found = &frame.columns[place];
        let words = read_words(schema, column, found);
        if words.iter().all(Option::is_some) {
            continue;
        }
        let mut met = vec![false; words.len()];
        for (row, &code) in found.codes.iter().enumerate() {
            if code == MISSING_CODE || words[code as usize].is_some() {
                continue;
            }
            let settled = settled.get_or_insert_with(|| frame.clone());
            settled.columns[place].codes[row] = MISSING_CODE;
            (rows[row], fields) = (true, fields + 1);
            if !std::mem::replace(&mut met[code as usize], true) {
                values.push((row, column, found.words.get(code)));
            }
        }
    }
    let (Some(&(row, column, value)), Some(mut settled)) = (values.iter().min(), settled) else {
        return Ok(None);
    };
    let of_rows = rows.iter().filter(|unknown| **unknown).count();
    let some = values.iter().take(3);
    let some =
        some.map(|(_, column, value)| format!("{value:?} of {:?}", schema.column(*column).0));
    let what = format!(
        "{} in {of_rows} of {} rows ({}{})",
        counted(values.len(), "value"),
        frame.rows(),
        some.collect::<Vec<_>>().join(", "),
        if values.len() > 3 { ", …" } else { "" },
    );
    let done = match unseen {
        Unseen::Error => {
            let more = match fields {
                1 => String::new(),
                _ => format!(
                    " (unknown in all: {what}; `unseen = missing` or skip goes on without them)"
                ),
            };
            return Err(unknown_value(frame, schema, row, column, value, more));
        }
        Unseen::Missing => "count as missing",
        Unseen::SkipRow => {
            settled.retain(|row| !rows[row]);
            if settled.rows() == 0 {
                return Err(unknown_value(
                    frame,
                    schema,
                    row,
                    column,
                    value,
                    format!(" (and every row has one: {what})"),
                ));
            }
            "are left out, with their rows"
        }
    };
    let note = format!("the model does not know {what}: they {done}");
    Ok(Some((settled, note)))
}

/// `1 value`, `2 values`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// What the words of a column mean at a site.
fn read_categories<'a>(
    schema: &Schema,
    site: usize,
    words: impl Iterator<Item = &'a str>,
) -> Vec<Option<coding::Field>> {
    let index: Option<HashMap<&str, u16>> = schema
        .vocabulary(site)
        .words()
        .map(|words| words.into_iter().zip(0..=u16::MAX).collect());
    let label = |word: &str| match &index {
        Some(index) => index.get(word).copied(),
        None => schema.label_of(site, word),
    };
    let read = |word: &str| {
        let labels = [label(word)?, 0];
        Some(coding::Field {
            labels,
            number: None,
        })
    };
    words.map(read).collect()
}

fn unknown_value(
    frame: &Frame,
    schema: &Schema,
    row: usize,
    column: usize,
    value: &str,
    more: String,
) -> DataError {
    let (name, coding) = schema.column(column);
    let (path, line, value) = (frame.path.clone(), frame.line(row), value.to_owned());
    match coding.map(|coding| &coding.values) {
        Some(Values::Numbers { .. }) if value != MISSING => DataError::NotANumber {
            path,
            line,
            column: name.to_owned(),
            value,
        },
        _ => DataError::UnseenCategory {
            path,
            line,
            site: format!("column {name:?}"),
            value,
            more,
            known: coding.map_or_else(
                || schema.cardinality(schema.sites_of(column).start),
                Coding::known,
            ),
        },
    }
}

/// The numbers of all fields as [`Fields`] writes them; `None` for a table without numbers.
pub(super) fn written_numbers(data: &Dataset) -> Option<Numbers> {
    let (schema, rng) = (&data.schema, Fields::of(data).rng);
    let of_numbers = |column: usize| {
        let coding = schema.column(column).1?;
        matches!(coding.values, Values::Numbers { .. }).then(|| Vec::with_capacity(data.rows()))
    };
    let mut columns: Vec<Option<Vec<Option<i64>>>> =
        (0..schema.column_count()).map(of_numbers).collect();
    let sites: Vec<_> = (0..columns.len()).map(|k| schema.sites_of(k)).collect();
    for row in 0..data.rows() {
        let mut rng = row_generator(&rng, row);
        for (column, values) in columns.iter_mut().enumerate() {
            if let (Some(values), (_, Some(coding))) = (values, schema.column(column)) {
                let known = data.numbers().and_then(|numbers| numbers.get(row, column));
                let labels = &data.row(row)[sites[column].clone()];
                values.push(coding.number(labels, known, &mut rng));
            }
        }
    }
    let some = columns.iter().any(Option::is_some);
    some.then(|| Numbers::new(columns))
}

/// The fields of a table's rows as the user writes them.
///
/// A number that is not known is drawn from its cell: a function of the labels of all rows and of its place.
pub(super) struct Fields<'a> {
    data: &'a Dataset,
    rng: ChaCha8Rng,
}

impl<'a> Fields<'a> {
    pub fn of(data: &'a Dataset) -> Self {
        let seed = u64::from(data.fingerprint());
        Self {
            data,
            rng: generator(seed, Purpose::Cells, 0),
        }
    }

    /// The fields of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let (data, schema) = (self.data, &self.data.schema);
        let labels = data.row(row);
        let mut rng = row_generator(&self.rng, row);
        let mut site = 0;
        (0..schema.column_count()).map(move |column| {
            let (_, coding) = schema.column(column);
            let first = site;
            site += coding.map_or(1, Coding::sites);
            match coding {
                None => schema.word(first, labels[first]),
                Some(coding) => {
                    let number = data.numbers().and_then(|numbers| numbers.get(row, column));
                    let text = coding.write(&labels[first..site], number, &mut rng);
                    Cow::Owned(text.unwrap_or_else(|| MISSING.to_owned()))
                }
            }
        })
    }
}
