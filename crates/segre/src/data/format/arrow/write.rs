//! Data sets back to typed columns: the types that came in, or those that the fields suggest.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_cast::{CastOptions, cast, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};

use crate::data::dataset::Dataset;
use crate::data::schema::{MISSING, Vocabulary, Written};
use crate::data::table::{ColumnType, Fields, Notation, Rule, Values};

/// The rows as typed columns, named as in the data; what is missing is null.
///
/// A column has the type that it had in the data, where these had types. Where they were texts, whole numbers are `Int64`,
/// other numbers `Float64`, days in the form 2024-12-31 `Date32`, moments in the form 2024-12-31 23:59:59 `Timestamp(µs)`, and
/// all else is `Utf8`.
pub fn record_batch(data: &Dataset) -> RecordBatch {
    let schema = &data.schema;
    let fields = Fields::of(data);
    let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); fields.columns().len()];
    for row in 0..data.rows() {
        let of_row = fields.row(row).into_iter().zip(fields.columns());
        for (column, (field, written)) in columns.iter_mut().zip(of_row) {
            let missing = match written {
                Written::LeftOut(_) => field.is_empty(),
                Written::Own(_) | Written::Derived(_) => field == MISSING,
            };
            column.push((!missing).then(|| field.into_owned()));
        }
    }
    let typed = columns
        .into_iter()
        .zip(fields.columns())
        .map(|(texts, column)| {
            let (name, notation) = (schema.name_of(*column), notation_of(data, *column));
            let known = schema.types.columns.get(name);
            let texts = StringArray::from(texts);
            let array = known.and_then(|known| {
                let moments = notation.and_then(|notation| sortable(&texts, notation));
                as_type(moments.as_ref().unwrap_or(&texts), known).ok()
            });
            let array = array.or_else(|| {
                let own = ColumnType {
                    name: natural(data, *column).to_string(),
                    ..ColumnType::default()
                };
                as_type(&texts, &own).ok()
            });
            let array = array.unwrap_or_else(|| Arc::new(texts));
            let ordered = known.is_some_and(|known| known.ordered);
            let field = Field::new(name, array.data_type().clone(), true);
            let field = match array.data_type() {
                DataType::Dictionary(..) => field.with_dict_is_ordered(ordered),
                _ => field,
            };
            let notes = known.map(|known| known.notes.clone().into_iter().collect());
            (field.with_metadata(notes.unwrap_or_default()), array)
        });
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = typed.unzip();
    let notes = schema.types.notes.clone().into_iter().collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, notes));
    let options = RecordBatchOptions::new().with_row_count(Some(data.rows()));
    RecordBatch::try_new_with_options(schema, arrays, &options)
        .expect("the arrays have the types of their fields")
}

/// How the numbers of a column are written, if it holds some.
fn notation_of(data: &Dataset, column: Written) -> Option<&Notation> {
    let schema = &data.schema;
    match column {
        Written::Derived(column) => match &schema.derived[column].rule {
            Rule::Numbers { notation, .. } => Some(notation),
            Rule::Lookup { .. } => None,
        },
        Written::Own(column) => match &schema.column(column).1?.values {
            Values::Numbers { notation, .. } => Some(notation),
            Values::Words(_) => None,
        },
        Written::LeftOut(_) => None,
    }
}

/// Days and moments as a cast reads them, where their column writes them in another way.
fn sortable(texts: &StringArray, notation: &Notation) -> Option<StringArray> {
    let other = notation.sortable()?;
    let write = |text: &str| notation.units(text).map(|units| other.write(units));
    Some(texts.iter().map(|text| text.and_then(write)).collect())
}

/// Texts as values of a type.
///
/// # Errors
/// If one of them has no such value, or the type is not known.
fn as_type(texts: &StringArray, wanted: &ColumnType) -> Result<ArrayRef, ArrowError> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let data_type: DataType = wanted.name.parse()?;
    match &data_type {
        DataType::Dictionary(key, values) => dictionary(texts, key, values, &wanted.words),
        DataType::Timestamp(unit, Some(zone)) => {
            let plain = cast_with_options(texts, &DataType::Timestamp(*unit, None), &strict)?;
            let numbers = cast(&plain, &DataType::Int64)?;
            cast(&numbers, &DataType::Timestamp(*unit, Some(zone.clone())))
        }
        DataType::Duration(_) => {
            let numbers = cast_with_options(texts, &DataType::Int64, &strict)?;
            cast(&numbers, &data_type)
        }
        // Numbers that were `1.0` in a table of texts may be whole.
        number if number.is_integer() => {
            cast_with_options(texts, &data_type, &strict).or_else(|_| {
                let numbers = cast_with_options(texts, &DataType::Float64, &strict)?;
                cast_with_options(&numbers, &data_type, &strict)
            })
        }
        _ => cast_with_options(texts, &data_type, &strict),
    }
}

/// A dictionary whose first values are those that the data had.
fn dictionary(
    texts: &StringArray,
    key: &DataType,
    values: &DataType,
    words: &[String],
) -> Result<ArrayRef, ArrowError> {
    let mut all: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut codes: HashMap<&str, i32> = all.iter().copied().zip(0..).collect();
    let keys = texts.iter().map(|text| {
        let text = text?;
        Some(*codes.entry(text).or_insert_with(|| {
            all.push(text);
            all.len() as i32 - 1
        }))
    });
    let keys: Int32Array = keys.collect();
    let words = ColumnType {
        name: values.to_string(),
        ..ColumnType::default()
    };
    let values = as_type(&StringArray::from(all), &words)?;
    let dictionary = DictionaryArray::<Int32Type>::try_new(keys, values)?;
    let wanted = DataType::Dictionary(
        Box::new(key.clone()),
        Box::new(dictionary.values().data_type().clone()),
    );
    match *key == DataType::Int32 {
        true => Ok(Arc::new(dictionary)),
        false => cast(&dictionary, &wanted),
    }
}

/// The type that the fields of a column without one suggest.
fn natural(data: &Dataset, column: Written) -> DataType {
    let schema = &data.schema;
    let of_notation = |notation: &Notation| match notation {
        Notation::Decimal { comma: true, .. } => DataType::Utf8,
        Notation::Decimal { places: 0, .. } => DataType::Int64,
        Notation::Decimal { .. } => DataType::Float64,
        Notation::Moment { pattern, .. } if pattern == "%Y-%m-%d" => DataType::Date32,
        Notation::Moment { pattern, .. } if pattern.starts_with("%Y-%m-%d") => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        Notation::Moment { .. } => DataType::Utf8,
    };
    if let Some(notation) = notation_of(data, column) {
        return of_notation(notation);
    }
    let words: Vec<&str> = match column {
        Written::Derived(column) => match &schema.derived[column].rule {
            Rule::Lookup { pairs, .. } => pairs.iter().map(|(_, word)| word.as_str()).collect(),
            Rule::Numbers { .. } => Vec::new(),
        },
        Written::LeftOut(_) => return DataType::Utf8,
        Written::Own(column) if schema.column(column).1.is_some() => return DataType::Utf8,
        Written::Own(column) => match schema.vocabulary(schema.sites_of(column).start) {
            Vocabulary::Integers { .. } => return DataType::Int64,
            Vocabulary::Words { categories } => categories.iter().map(String::as_str).collect(),
            Vocabulary::Classes { .. } => return DataType::Utf8,
        },
    };
    let known = words.iter().copied().filter(|word| *word != MISSING);
    if known.clone().all(|word| ["False", "True"].contains(&word)) {
        return DataType::Boolean;
    }
    Notation::find(known)
        .as_ref()
        .map_or(DataType::Utf8, of_notation)
}
