//! Tables as people have them: from named columns of texts to sites of categories, and back.
//!
//! A file becomes a [`Frame`]: texts, and which of them are missing. [`inspect`] finds out what each column holds, and its
//! [`Coding`] turns fields into labels: a category is a label; a number belongs to a cell of its column and the number itself
//! is kept beside; one of many words is two digits. What a model draws goes the way back: a label to a cell, the cell to one
//! of its numbers, the number to the notation of the column.

mod beside;
mod cells;
mod codes;
mod coding;
mod condition;
mod decimal;
mod derived;
mod fields;
mod frame;
mod inequality;
mod inspect;
mod kinds;
mod number;
mod numbers;
mod reading;
mod select;
mod spread;
mod types;
mod unseen;
mod values;
mod weights;
mod words;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use beside::Beside;
pub use codes::Overflow;
pub use coding::{Coding, Values};
pub use condition::{Allowed, Condition};
pub use derived::{Deciders, Decision, Derived, OfRow, Row, Rule, solved};
pub use fields::{Fields, written_numbers};
pub use frame::{ColumnBuilder, Frame, FrameBuilder, FrameColumn, MISSING as MISSING_CODE};
pub use inequality::{Inequality, Keeper};
pub use inspect::ColumnKind;
pub use kinds::Kinds;
pub use number::Notation;
pub use numbers::Numbers;
pub use select::{columns_of, columns_there, columns_to_read, require_different};
pub use spread::{INTERVAL, Spread};
pub use types::{ColumnType, TableTypes, Typed};
pub use weights::take_weights;
use weights::without_weights;

use self::inspect::{Finding, alike, inspect};
use self::reading::read;
use self::unseen::unknown_value;
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use crate::data::options::{MissingIs, ReadOptions, Unseen};
use crate::data::partial::{PartialDataset, UNKNOWN};
use crate::data::schema::{Layout, MISSING, Schema, Site, Vocabulary};

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
    /// Its place among the columns that are written where it is kept beside them.
    #[serde(default)]
    pub place: usize,
}

/// Finds out what the columns of a table hold.
pub(super) fn schema_of(frame: &Frame, options: &ReadOptions) -> Result<Schema> {
    let said = options.columns_as.keys().chain(options.kinds.keys());
    for name in said.chain(options.date_formats.keys()) {
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
    let inspected = |column: &FrameColumn| {
        let name = &column.name;
        let wish = options.columns_as.get(name).or(options.kinds.get(name));
        let format = options.date_formats.get(name).map(String::as_str);
        inspect(column, wish.copied(), format).map_err(|problem| DataError::WrongKind {
            path: frame.path.clone(),
            column: column.name.clone(),
            problem,
        })
    };
    let findings: Vec<Finding> = frame.columns.iter().map(inspected).collect::<Result<_>>()?;
    let stays = |name: &str| options.columns_as.contains_key(name);
    let derived = derived::find(frame, &findings, stays);
    let is_derived = |place: usize| derived.iter().any(|own| own.column == place);
    let (mut left_out, mut places) = (Vec::new(), vec![0; frame.columns.len()]);
    let of_numbers = (0..).zip(&findings);
    let of_numbers = of_numbers
        .filter(|(place, own)| matches!(own, Finding::Numbers(_)) && !is_derived(*place))
        .count();
    let mut written = 0;
    for (place, (column, finding)) in frame.columns.iter().zip(findings).enumerate() {
        places[place] = written;
        written += usize::from(!matches!(finding, Finding::Useless(_)));
        if is_derived(place) {
            continue;
        }
        let coding = match finding {
            Finding::Categories => {
                schema.notes.extend(alike(column));
                None
            }
            Finding::ManyWords => Some(Coding::words(column)),
            Finding::Numbers(notation) => Some(Coding::numbers(column, notation, of_numbers)),
            Finding::Useless(why) => {
                let name = column.name.clone();
                left_out.push(LeftOut { name, why, place });
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
    let of_frame = |own: derived::Found| Derived {
        name: frame.columns[own.column].name.clone(),
        place: places[own.column],
        rule: own.rule,
        rows: own.rows,
    };
    schema.derived = derived.into_iter().map(of_frame).collect();
    schema.left_out = left_out;
    schema.types = frame.types.clone();
    schema.constraints = inequality::inequalities(frame, &options.constraints)?;
    inequality::require_columns(&schema)?;
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

/// The rows of a table, read into a schema as options say: with their weights, if it has some.
pub(super) fn read_rows(
    mut frame: Frame,
    schema: &Schema,
    options: &ReadOptions,
) -> Result<Dataset> {
    take_weights(&mut frame, options)?;
    let mut data = encode(&frame, schema, options)?;
    let notes = without_weights(&frame, options);
    data.schema.notes.extend(notes);
    Ok(data)
}

/// The labels of a table, read into a schema.
pub(super) fn encode(frame: &Frame, schema: &Schema, options: &ReadOptions) -> Result<Dataset> {
    let unseen = options.unseen;
    let read = read(frame, schema, unseen, options.memory, |learned| learned)?;
    let settled = derived::settle(
        &read.frame,
        schema,
        &read.labels,
        read.numbers.as_ref(),
        unseen,
    )?;
    if let Some(place) = read.labels.iter().position(|label| *label == UNKNOWN) {
        let (row, site) = (place / schema.sites(), place % schema.sites());
        let (frame, column) = (&read.frame, schema.column_of(site));
        let more = String::new();
        return Err(unknown_value(frame, schema, row, column, MISSING, more));
    }
    let mut schema = read.schema;
    let dropped = settled.and_then(|settled| {
        schema.notes.extend(settled.note);
        settled.dropped
    });
    let data = Dataset::of_store(schema, read.labels)?
        .with_numbers(read.numbers)
        .with_weights(read.frame.weights.clone());
    Ok(match dropped {
        Some(dropped) => data.select(&derived::keep_rows(&dropped)),
        None => data,
    })
}

/// The labels of a table with gaps, read into a schema; columns that are not there are unknown, and so are missing fields,
/// unless they are to be what they were in the data of the schema.
pub(super) fn encode_partial(
    frame: &Frame,
    schema: &Schema,
    missing: MissingIs,
    unseen: Unseen,
) -> Result<PartialDataset> {
    let read = read(frame, schema, unseen, u64::MAX, |learned| match missing {
        MissingIs::Unknown => None,
        MissingIs::Learned => learned,
    })?;
    let settled = derived::settle(
        &read.frame,
        schema,
        &read.labels,
        read.numbers.as_ref(),
        unseen,
    )?;
    let mut schema = read.schema;
    let beside = Beside::of(&read.frame, &schema);
    let (said, dropped) = match settled {
        None => (None, None),
        Some(settled) => {
            schema.notes.extend(settled.note);
            (Some(settled.said), settled.dropped)
        }
    };
    let data = PartialDataset::of_labels(schema, read.labels.into_vec())?
        .with_numbers(read.numbers)
        .with_decided(said)
        .with_beside(beside);
    Ok(match dropped {
        Some(dropped) => data.select(&derived::keep_rows(&dropped)),
        None => data,
    })
}

/// One row of which some columns are known, by name; of others a range or some values may be known, as `30..40`, `..40` or `A|B`.
///
/// # Errors
/// [`DataError::NoSuchColumn`], [`DataError::BadCondition`], [`DataError::SchemaMismatch`] for a schema that is of no table, and those of values that the schema
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
    let (mut known, mut conditions) = (Vec::new(), Vec::new());
    for (name, value) in values {
        if schema.derived_named(name).is_none() {
            schema.column_named(name)?;
        }
        match condition::condition(schema, name, value.trim())? {
            Some(condition) => conditions.push(condition),
            None => known.push((name, value.trim())),
        }
    }
    let names = known.iter().map(|(name, _)| (*name).clone());
    let mut builder = FrameBuilder::new(Path::new("the given values"), names, 1);
    let fields = known.iter().map(|(_, value)| Some(*value));
    builder.push(1, fields.map(|field| field.filter(|word| !word.is_empty())));
    let mut frame = builder.finish();
    // `40.0` is 40, and `true` is True.
    frame
        .columns
        .iter_mut()
        .for_each(|column| column.typed = Typed::Value);
    let row = encode_partial(&frame, schema, MissingIs::Learned, unseen)?;
    Ok(row.with_conditions(conditions))
}
