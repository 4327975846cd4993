//! Values of a table that a schema does not know: refused, taken for missing, or left out with their rows.

use super::reading::Known;
use super::{Coding, Frame, MISSING_CODE, Values};
use crate::data::error::{DataError, Result};
use crate::data::options::Unseen;
use crate::data::schema::{MISSING, Schema};

/// The table without the values that a schema does not know, and what was done with them; `None` if it knows all.
///
/// # Errors
/// [`DataError::UnseenCategory`] or [`DataError::NotANumber`] if such values are an error.
pub fn settle(
    frame: &Frame,
    schema: &Schema,
    known: &Known,
    unseen: Unseen,
) -> Result<Option<(Frame, String)>> {
    let mut rows = vec![false; frame.rows()];
    // Every value once, with the first row that has it.
    let mut values: Vec<(usize, usize, &str)> = Vec::new();
    let mut fields = 0;
    let mut settled: Option<Frame> = None;
    for (column, own) in known.iter().enumerate() {
        let Some((place, words)) = own else {
            continue;
        };
        if words.iter().all(Option::is_some) {
            continue;
        }
        let found = &frame.columns[*place];
        let mut met = vec![false; words.len()];
        for (row, code) in found.codes.iter().enumerate() {
            if code == MISSING_CODE || words[code as usize].is_some() {
                continue;
            }
            let settled = settled.get_or_insert_with(|| frame.clone());
            settled.columns[*place].codes.forget(row);
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

/// That a value of a row is none of a column's.
pub fn unknown_value(
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
