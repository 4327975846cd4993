//! Which columns of a table are read.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use crate::data::options::ReadOptions;
use crate::data::schema::Schema;

/// The columns that the options leave, in the order of the table.
pub fn columns_to_read(path: &Path, names: &[String], options: &ReadOptions) -> Result<Vec<usize>> {
    let selected = options
        .only_columns
        .iter()
        .flatten()
        .map(|name| (name, "select"));
    let dropped = options.drop_columns.iter().map(|name| (name, "drop"));
    let weights = options.weights.iter().map(|name| (name, "weigh rows by"));
    for (column, action) in selected.chain(dropped).chain(weights) {
        if !names.contains(column) {
            return Err(DataError::UnknownColumn {
                path: path.to_path_buf(),
                column: column.clone(),
                action,
                columns: listed(all(names)),
                hint: meant(column, all(names)),
            });
        }
    }
    let left: Vec<usize> = (0..names.len())
        .filter(|&column| is_read(&names[column], options) || weighs(&names[column], options))
        .collect();
    match left.is_empty() {
        false => Ok(left),
        true => Err(DataError::NoData {
            path: path.to_path_buf(),
            what: "no columns are left",
        }),
    }
}

/// The columns of a schema, all of which must be there.
pub fn columns_of(
    path: &Path,
    names: &[String],
    schema: &Schema,
    options: &ReadOptions,
) -> Result<Vec<usize>> {
    let places = places(names);
    let find = |column: usize| {
        let (name, _) = schema.column(column);
        places
            .get(name)
            .copied()
            .ok_or_else(|| DataError::MissingColumn {
                path: path.to_path_buf(),
                column: name.to_owned(),
            })
    };
    let mut columns: Vec<usize> = (0..schema.column_count())
        .map(find)
        .collect::<Result<_>>()?;
    columns.extend(decided(schema, &places));
    columns.extend((0..names.len()).filter(|column| weighs(&names[*column], options)));
    refuse_extra(path, names, schema, options)?;
    Ok(columns)
}

/// The columns of a schema that are there, of which there must be one.
pub fn columns_there(
    path: &Path,
    names: &[String],
    schema: &Schema,
    options: &ReadOptions,
) -> Result<Vec<usize>> {
    let places = places(names);
    let place = |column: usize| places.get(schema.column(column).0).copied();
    let own = (0..schema.column_count()).filter_map(place);
    let mut columns: Vec<usize> = own.chain(decided(schema, &places)).collect();
    if columns.is_empty() {
        // A table of something else altogether.
        return Err(DataError::MissingColumn {
            path: path.to_path_buf(),
            column: schema.column(0).0.to_owned(),
        });
    }
    refuse_extra(path, names, schema, options)?;
    let left_out = schema.left_out.iter();
    columns.extend(left_out.filter_map(|own| places.get(own.name.as_str())));
    Ok(columns)
}

/// The decided columns of a schema that are there: nothing needs them, but they must not contradict the others.
fn decided(schema: &Schema, places: &HashMap<&str, usize>) -> impl Iterator<Item = usize> {
    let derived = schema.derived.iter();
    derived.filter_map(|own| places.get(own.name.as_str()).copied())
}

/// Refuses columns that a schema does not have, unless the fit's data had them too.
fn refuse_extra(
    path: &Path,
    names: &[String],
    schema: &Schema,
    options: &ReadOptions,
) -> Result<()> {
    let of_model = || (0..schema.column_count()).map(|column| schema.column(column).0);
    let left_out = schema.left_out.iter().map(|column| column.name.as_str());
    let derived = schema.derived.iter().map(|column| column.name.as_str());
    let known: HashSet<&str> = of_model().chain(left_out).chain(derived).collect();
    let unknown = |name: &&String| {
        !known.contains(name.as_str()) && is_read(name, options) && !weighs(name, options)
    };
    match names.iter().find(unknown) {
        Some(column) if !options.allow_extra_columns => Err(DataError::ExtraColumn {
            path: path.to_path_buf(),
            column: column.clone(),
            columns: listed(of_model()),
            hint: meant(column, of_model()),
        }),
        _ => Ok(()),
    }
}

/// Where each column is.
fn places(names: &[String]) -> HashMap<&str, usize> {
    all(names).zip(0..).collect()
}

fn all(names: &[String]) -> impl Iterator<Item = &str> + Clone {
    names.iter().map(String::as_str)
}

/// Refuses two columns of one name.
pub fn require_different(path: &Path, names: &[String]) -> Result<()> {
    let mut places = HashMap::new();
    for (name, second) in names.iter().zip(1..) {
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
    Ok(())
}

/// Whether a column of this name says what rows weigh.
fn weighs(name: &String, options: &ReadOptions) -> bool {
    options.weights.as_ref() == Some(name)
}

/// Whether the options leave a column of this name.
fn is_read(name: &String, options: &ReadOptions) -> bool {
    let selected = options
        .only_columns
        .as_ref()
        .is_none_or(|only| only.contains(name));
    selected && !options.drop_columns.contains(name)
}
