//! Batches of typed columns to named columns of texts, which is what tables are looked at as.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float16Type, Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};

use super::Batches;
use crate::data::error::{DataError, Result};
use crate::data::options::Missing;
use crate::data::schema::MISSING;
use crate::data::table::{ColumnBuilder, ColumnType, Frame, MISSING_CODE, Overflow, Typed};
use crate::file_error::{FileError, one_line};

/// Values of a dictionary that are kept in its order; of more, those that occur are enough.
const MOST_WORDS: usize = 1 << 16;

/// Reads the chosen columns, of which more than so many bytes are in a file; and says what was done with their rows.
pub(super) fn frame(
    table: Batches,
    columns: &[usize],
    missing: Missing,
    memory: u64,
) -> Result<(Frame, Vec<String>)> {
    let Batches { path, schema, rows } = table;
    let chosen = || columns.iter().map(|column| schema.field(*column));
    let unsuited = chosen().find(|field| typed(field.data_type()).is_none());
    if let Some(field) = unsuited {
        return Err(DataError::UnsuitedType {
            path: path.to_path_buf(),
            column: field.name().clone(),
            type_name: field.data_type().to_string(),
        });
    }
    let damaged = |error: ArrowError| {
        let (path, detail) = (path.to_path_buf(), one_line(&error.to_string()));
        DataError::from(FileError::Damaged { path, detail })
    };
    let mut readers: Vec<Reader> = chosen().map(Reader::of).collect();
    let mut overflow = Overflow::new(memory);
    for batch in rows(columns)? {
        let batch = batch.map_err(damaged)?;
        // The batches of a table in a file may have their columns in another order than was asked for.
        for reader in &mut readers {
            let name = reader.field.name();
            let array = batch.column_by_name(name).ok_or_else(|| {
                damaged(ArrowError::SchemaError(format!(
                    "a batch has no column {name:?}"
                )))
            })?;
            reader.take(array).map_err(damaged)?;
        }
        let codes = readers.iter_mut().map(|reader| reader.column.codes());
        overflow.relieve(&mut codes.collect::<Vec<_>>())?;
    }
    for reader in &mut readers {
        reader.finish().map_err(damaged)?;
        if let Some(row) = reader.infinite {
            return Err(DataError::NotANumber {
                path: path.to_path_buf(),
                line: row as u64,
                column: reader.field.name().clone(),
                value: "an infinite number".to_owned(),
            });
        }
    }
    let known = readers.into_iter().map(|reader| {
        let own = column_type(reader.field, reader.dictionary);
        let typed = typed(reader.field.data_type()).unwrap_or_default();
        (reader.column, typed, Some(own))
    });
    let notes = schema.metadata().iter();
    let notes = notes.map(|(key, value)| (key.clone(), value.clone()));
    let frame = Frame::of_columns(path, known, notes).with_overflow(overflow)?;
    let rows = frame.rows();
    let frame = match missing {
        Missing::Category => frame,
        Missing::DropRows => frame.without_missing(),
    };
    let what = match (rows, frame.rows()) {
        (0, _) => "there are no rows",
        (_, 0) => "every row has a missing field and was dropped",
        (all, left) if left < all => {
            let dropped = all - left;
            let note = format!("{dropped} of {all} rows lack a field and are left out");
            return Ok((frame, vec![note]));
        }
        _ => return Ok((frame, Vec::new())),
    };
    let path = path.to_path_buf();
    Err(DataError::NoData { path, what })
}

/// What a type says of its fields, `None` for types that have no place in a table.
fn typed(data_type: &DataType) -> Option<Typed> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Typed::Text),
        DataType::Dictionary(_, values) => typed(values).map(|_| Typed::Category),
        DataType::Null
        | DataType::Boolean
        | DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => Some(Typed::Value),
        number if number.is_integer() || number.is_floating() => Some(Typed::Value),
        _ => None,
    }
}

/// The type as it is kept with a schema.
fn column_type(field: &Field, words: Vec<String>) -> ColumnType {
    let notes = field.metadata().iter();
    ColumnType {
        name: field.data_type().to_string(),
        words,
        ordered: field.dict_is_ordered().unwrap_or(false),
        notes: notes
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A column that is being read.
struct Reader<'a> {
    field: &'a Field,
    column: ColumnBuilder,
    /// Moments of all batches: how they are written depends on all of them.
    moments: Vec<ArrayRef>,
    /// Codes of numbers, by their bits: writing them out is slower than looking them up.
    codes: HashMap<u64, u32>,
    /// The values of dictionaries, those that do not occur too.
    dictionary: Vec<String>,
    known: HashSet<String>,
    /// The first row with an infinite number.
    infinite: Option<usize>,
}

impl<'a> Reader<'a> {
    fn of(field: &'a Field) -> Self {
        Self {
            field,
            column: ColumnBuilder::new(field.name()),
            moments: Vec::new(),
            codes: HashMap::new(),
            dictionary: Vec::new(),
            known: HashSet::new(),
            infinite: None,
        }
    }

    /// Takes in the rows of a batch.
    fn take(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        self.column.reserve(array.len());
        match array.data_type() {
            DataType::Null => (0..array.len()).for_each(|_| self.column.push(MISSING_CODE)),
            DataType::Utf8 => self.texts(array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => self.texts(array.as_string::<i64>().iter()),
            DataType::Utf8View => self.texts(array.as_string_view().iter()),
            DataType::Boolean => {
                // As pandas writes them.
                let text = |value: bool| if value { "True" } else { "False" };
                self.texts(array.as_boolean().iter().map(|value| value.map(text)));
            }
            DataType::Dictionary(..) => self.take_dictionary(array)?,
            DataType::Float16 => {
                self.floats::<Float16Type>(array, |value| f64::from(value.to_f32()))?
            }
            DataType::Float32 => self.floats::<Float32Type>(array, f64::from)?,
            DataType::Float64 => self.floats::<Float64Type>(array, |value| value)?,
            // A time zone is one for the whole column; what is learned are moments of UTC.
            DataType::Timestamp(unit, Some(_)) => {
                let plain = DataType::Timestamp(*unit, None);
                self.moments
                    .push(cast(&cast(array, &DataType::Int64)?, &plain)?);
            }
            DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => {
                self.moments.push(array.clone());
            }
            DataType::Date64 => self.numbers(&cast(array, &DataType::Date32)?)?,
            DataType::Duration(_) => self.numbers(&cast(array, &DataType::Int64)?)?,
            _ => self.numbers(array)?,
        }
        Ok(())
    }

    /// Takes in what could only be looked at as a whole.
    fn finish(&mut self) -> Result<(), ArrowError> {
        let moments = std::mem::take(&mut self.moments);
        if moments.is_empty() {
            return Ok(());
        }
        let format = MomentFormat::of(&moments)?;
        let (date_time, time) = (format.date_time(), format.time());
        let options = FormatOptions::new()
            .with_timestamp_format(Some(date_time))
            .with_time_format(Some(time));
        for array in moments {
            self.written(&array, &options, |array| {
                let numbers = cast(array, &DataType::Int64)?;
                let numbers = numbers.as_primitive::<Int64Type>();
                Ok(numbers.values().iter().map(|value| *value as u64).collect())
            })?;
        }
        Ok(())
    }

    fn texts<'b>(&mut self, texts: impl Iterator<Item = Option<&'b str>>) {
        for text in texts {
            let code = match text {
                None | Some(MISSING) => MISSING_CODE,
                Some(text) => self.column.code(text),
            };
            self.column.push(code);
        }
    }

    /// Values are written once a batch; only those that occur are words of the column.
    fn take_dictionary(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let dictionary = array.as_any_dictionary();
        let mut own = Reader::of(self.field);
        own.take(dictionary.values())?;
        own.finish()?;
        self.infinite = self.infinite.or(own.infinite);
        let values = own.column.texts();
        for value in values.iter().flatten() {
            if self.dictionary.len() < MOST_WORDS && self.known.insert(value.clone()) {
                self.dictionary.push(value.clone());
            }
        }
        let mut codes: Vec<Option<u32>> = vec![None; values.len()];
        let nulls = dictionary.nulls();
        for (row, key) in dictionary.normalized_keys().into_iter().enumerate() {
            let word = match nulls.is_some_and(|nulls| nulls.is_null(row)) {
                true => None,
                false => values.get(key).and_then(Option::as_deref),
            };
            let code = match word {
                None => MISSING_CODE,
                Some(word) => *codes[key].get_or_insert_with(|| self.column.code(word)),
            };
            self.column.push(code);
        }
        Ok(())
    }

    fn floats<T: ArrowPrimitiveType>(
        &mut self,
        array: &ArrayRef,
        number: impl Fn(T::Native) -> f64,
    ) -> Result<(), ArrowError> {
        let numbers = array.as_primitive::<T>();
        for (row, value) in numbers.iter().enumerate() {
            let infinite = value.is_some_and(|value| number(value).is_infinite());
            if infinite && self.infinite.is_none() {
                self.infinite = Some(self.column.rows() + row);
            }
        }
        let known = numbers.iter().map(|value| {
            let known = value.filter(|value| !number(*value).is_nan());
            // 0.0 and -0.0 are one number.
            known.map(|value| {
                if number(value) == 0.0 {
                    T::Native::default()
                } else {
                    value
                }
            })
        });
        let known: arrow_array::PrimitiveArray<T> = known.collect();
        let bits = known.values().iter().map(|value| number(*value).to_bits());
        let bits: Vec<u64> = bits.collect();
        let known: ArrayRef = std::sync::Arc::new(known);
        self.written(&known, &FormatOptions::new(), |_| Ok(bits))
    }

    /// Numbers that are told apart by 64 bits, or by how they are written.
    fn numbers(&mut self, array: &ArrayRef) -> Result<(), ArrowError> {
        let options = FormatOptions::new();
        if array.data_type().is_integer() {
            return self.written(array, &options, |array| {
                let wide = match array.data_type() {
                    DataType::UInt64 => {
                        let numbers = array.as_primitive::<arrow_array::types::UInt64Type>();
                        return Ok(numbers.values().to_vec());
                    }
                    _ => cast(array, &DataType::Int64)?,
                };
                let numbers = wide.as_primitive::<Int64Type>();
                Ok(numbers.values().iter().map(|value| *value as u64).collect())
            });
        }
        let texts = cast(array, &DataType::Utf8)?;
        self.texts(texts.as_string::<i32>().iter());
        Ok(())
    }

    /// Writes the values that were not seen before.
    fn written(
        &mut self,
        array: &ArrayRef,
        options: &FormatOptions,
        bits: impl FnOnce(&ArrayRef) -> Result<Vec<u64>, ArrowError>,
    ) -> Result<(), ArrowError> {
        let formatter = ArrayFormatter::try_new(array.as_ref(), options)?;
        let mut text = String::new();
        for (row, bits) in bits(array)?.into_iter().enumerate() {
            if array.is_null(row) {
                self.column.push(MISSING_CODE);
                continue;
            }
            let code = match self.codes.get(&bits) {
                Some(code) => *code,
                None => {
                    text.clear();
                    write!(text, "{}", formatter.value(row))
                        .map_err(|_| ArrowError::CastError(format!("row {row} has no text")))?;
                    let code = self.column.code(&text);
                    self.codes.insert(bits, code);
                    code
                }
            };
            self.column.push(code);
        }
        Ok(())
    }
}

/// As short as all moments of a column allow: days alone, and no more digits behind the seconds than there are.
struct MomentFormat {
    days: bool,
    digits: u32,
}

impl MomentFormat {
    fn of(moments: &[ArrayRef]) -> Result<Self, ArrowError> {
        let mut format = Self {
            days: true,
            digits: 0,
        };
        for array in moments {
            let of_second: i64 = match array.data_type() {
                DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
                    match unit {
                        TimeUnit::Second => 1,
                        TimeUnit::Millisecond => 1_000,
                        TimeUnit::Microsecond => 1_000_000,
                        TimeUnit::Nanosecond => 1_000_000_000,
                    }
                }
                _ => 1,
            };
            let numbers = cast(array, &DataType::Int64)?;
            for number in numbers.as_primitive::<Int64Type>().iter().flatten() {
                format.days &= number.rem_euclid(86_400 * of_second) == 0;
                let mut rest = number.rem_euclid(of_second);
                let mut digits = 0;
                while rest != 0 {
                    rest = rest * 1_000 % of_second;
                    digits += 3;
                }
                format.digits = format.digits.max(digits);
            }
        }
        Ok(format)
    }

    fn date_time(&self) -> &'static str {
        match (self.days, self.digits) {
            (true, _) => "%Y-%m-%d",
            (_, 0) => "%Y-%m-%d %H:%M:%S",
            (_, 3) => "%Y-%m-%d %H:%M:%S%.3f",
            (_, 6) => "%Y-%m-%d %H:%M:%S%.6f",
            _ => "%Y-%m-%d %H:%M:%S%.9f",
        }
    }

    fn time(&self) -> &'static str {
        match self.digits {
            0 => "%H:%M:%S",
            3 => "%H:%M:%S%.3f",
            6 => "%H:%M:%S%.6f",
            _ => "%H:%M:%S%.9f",
        }
    }
}
