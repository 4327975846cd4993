//! Which columns of a table are read.

use std::collections::HashMap;
use std::path::Path;

use crate::data::error::{DataError, Result};
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
    for (column, action) in selected.chain(dropped) {
        if !names.contains(column) {
            return Err(DataError::UnknownColumn {
                path: path.to_path_buf(),
                column: column.clone(),
                action,
                columns: names.join(", "),
            });
        }
    }
    let left: Vec<usize> = (0..names.len())
        .filter(|&column| is_read(&names[column], options))
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
    let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
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
    let columns: Vec<usize> = (0..schema.column_count())
        .map(find)
        .collect::<Result<_>>()?;
    if !options.allow_extra_columns {
        let mut known = vec![false; names.len()];
        columns.iter().for_each(|&column| known[column] = true);
        let left_out = |name: &String| schema.left_out.iter().any(|column| column.name == *name);
        let extra = names.iter().zip(known);
        let mut extra =
            extra.filter(|(name, known)| !known && is_read(name, options) && !left_out(name));
        if let Some((column, _)) = extra.next() {
            let (path, column) = (path.to_path_buf(), column.clone());
            return Err(DataError::ExtraColumn { path, column });
        }
    }
    Ok(columns)
}

/// The columns of a schema that are there, of which there must be one.
pub fn columns_there(path: &Path, names: &[String], schema: &Schema) -> Result<Vec<usize>> {
    let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let place = |column: usize| places.get(schema.column(column).0).copied();
    let columns: Vec<usize> = (0..schema.column_count()).filter_map(place).collect();
    match columns.is_empty() {
        false => Ok(columns),
        // A table of something else altogether.
        true => Err(DataError::MissingColumn {
            path: path.to_path_buf(),
            column: schema.column(0).0.to_owned(),
        }),
    }
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

/// Whether the options leave a column of this name.
fn is_read(name: &String, options: &ReadOptions) -> bool {
    let selected = options
        .only_columns
        .as_ref()
        .is_none_or(|only| only.contains(name));
    selected && !options.drop_columns.contains(name)
}
