//! Reading a table into a schema: what its words mean, and the labels and numbers of its fields.

use std::borrow::Cow;
use std::collections::HashMap;

use super::codes::Codes;
use super::coding::{Coding, Field, Values};
use super::frame::{Frame, MISSING as MISSING_CODE};
use super::numbers::{self, Numbers};
use super::types::Typed;
use super::unseen::settle;
use super::values;
use crate::data::error::Result;
use crate::data::options::Unseen;
use crate::data::partial::UNKNOWN;
use crate::data::schema::Schema;
use crate::data::store::{Collector, Store};

/// A table that is read into a schema.
pub(super) struct Read<'a> {
    /// The table, without the values that the schema does not know.
    pub frame: Cow<'a, Frame>,
    /// The schema with the types of the table, and a note of what became of such values.
    pub schema: Schema,
    /// `[rows, sites]`, with [`UNKNOWN`] ones.
    pub labels: Store,
    pub numbers: Option<Numbers>,
}

/// Reads a table, with labels or numbers beyond so many bytes in temporary files; what a missing field is, is asked, given what it
/// was in the data of the schema.
pub(super) fn read<'a>(
    frame: &'a Frame,
    schema: &Schema,
    unseen: Unseen,
    memory: u64,
    missing: impl Fn(Option<u16>) -> Option<u16>,
) -> Result<Read<'a>> {
    let known = read_words(frame, schema);
    let mut typed = typed_as(schema, frame);
    let frame = match settle(frame, schema, &known, unseen)? {
        None => Cow::Borrowed(frame),
        Some((settled, note)) => {
            typed.notes.push(note);
            Cow::Owned(settled)
        }
    };
    let (labels, numbers) = read_fields(&frame, schema, &known, memory, missing)?;
    Ok(Read {
        frame,
        schema: typed,
        labels,
        numbers,
    })
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

/// Of every column of a schema: its place in a table, if it is there, and what its words mean, `None` for those that the schema
/// does not know.
pub(super) type Known = [Option<(usize, Vec<Option<Field>>)>];

/// What the words of a table mean. Values of a typed column may be written in another way than the schema's.
fn read_words(frame: &Frame, schema: &Schema) -> Box<Known> {
    let of_column = |column: usize| {
        let (name, coding) = schema.column(column);
        let place = frame.columns.iter().position(|own| own.name == name)?;
        let found = &frame.columns[place];
        let site = schema.sites_of(column).start;
        let mut words = match coding {
            Some(coding) => coding.read(found.words.iter()),
            None => read_categories(schema, site, found.words.iter()),
        };
        if found.typed == Typed::Value && words.iter().any(Option::is_none) {
            let written = values::as_written(schema, column, found);
            let written = written.iter().map(String::as_str);
            let read = match coding {
                Some(coding) => coding.read(written),
                None => read_categories(schema, site, written),
            };
            let pairs = words.iter_mut().zip(read);
            pairs.for_each(|(word, read)| *word = word.or(read));
        }
        Some((place, words))
    };
    (0..schema.column_count()).map(of_column).collect()
}

/// A column of a schema as it is read.
struct ColumnRead<'a> {
    /// Its codes and what they mean; none where the table does not have it.
    fields: Option<(&'a Codes, &'a [Option<Field>])>,
    /// The labels of a field that is missing, one for every site.
    absent: Vec<u16>,
    /// Its numbers, where it holds some.
    numbers: Option<Collector<i64>>,
}

/// Labels of all fields, `[rows, sites]`, and their numbers, where the schema knows all values.
fn read_fields(
    frame: &Frame,
    schema: &Schema,
    known: &Known,
    memory: u64,
    missing: impl Fn(Option<u16>) -> Option<u16>,
) -> Result<(Store, Option<Numbers>)> {
    let (mut first, mut columns) = (0, Vec::with_capacity(known.len()));
    for (column, own) in known.iter().enumerate() {
        let coding = schema.column(column).1;
        let (site, digits) = (first, coding.map_or(1, Coding::sites));
        first += digits;
        let Some((place, words)) = own else {
            columns.push(ColumnRead {
                fields: None,
                absent: vec![UNKNOWN; digits],
                numbers: None,
            });
            continue;
        };
        let absent: Vec<Option<u16>> = match coding {
            None => vec![schema.missing_category(site)],
            Some(coding) => match coding.missing() {
                Some(labels) => labels[..digits].iter().map(|label| Some(*label)).collect(),
                None => vec![None; digits],
            },
        };
        let absent = absent
            .into_iter()
            .map(|label| missing(label).unwrap_or(UNKNOWN));
        columns.push(ColumnRead {
            fields: Some((&frame.columns[*place].codes, words)),
            absent: absent.collect(),
            numbers: coding
                .is_some_and(|coding| matches!(coding.values, Values::Numbers { .. }))
                .then(|| Collector::new(memory)),
        });
    }
    let mut labels = Collector::new(memory);
    labels.reserve(frame.rows() * schema.sites());
    for row in 0..frame.rows() {
        for column in &mut columns {
            let field = column
                .fields
                .and_then(|(codes, words)| match codes.get(row) {
                    MISSING_CODE => None,
                    code => words[code as usize],
                });
            match field {
                Some(field) => {
                    labels.extend(field.labels[..column.absent.len()].iter().copied())?
                }
                None => labels.extend(column.absent.iter().copied())?,
            }
            if let Some(numbers) = &mut column.numbers {
                let number = field.and_then(|field| field.number);
                numbers.extend([number.unwrap_or(numbers::UNKNOWN)])?;
            }
        }
    }
    let some = columns.iter().any(|column| column.numbers.is_some());
    let stores = columns.into_iter().map(|column| {
        column
            .numbers
            .map_or_else(|| Ok(Store::default()), Collector::finish)
    });
    let stores = stores.collect::<Result<Vec<_>>>()?.into_iter();
    Ok((labels.finish()?, some.then(|| Numbers::of_stores(stores))))
}

/// What the words of a column mean at a site.
fn read_categories<'a>(
    schema: &Schema,
    site: usize,
    words: impl Iterator<Item = &'a str>,
) -> Vec<Option<Field>> {
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
        Some(Field {
            labels,
            number: None,
        })
    };
    words.map(read).collect()
}
