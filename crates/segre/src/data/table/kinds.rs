//! What columns hold, from a file: as `segre info` prints it as JSON, or SDV's metadata.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::inspect::ColumnKind;
use crate::data::error::{DataError, Result};
use crate::data::schema::Schema;
use crate::data::table::Values;
use crate::file_error::FileError;

/// Key of the kinds in Segre's own files.
const OWN: &str = "columns_as";
/// Key of the notations of dates in Segre's own files.
const FORMATS: &str = "date_formats";

/// What a file says of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// What columns hold, by name.
    pub kinds: BTreeMap<String, ColumnKind>,
    /// How their dates are written, by name, in the notation of `strftime`.
    pub date_formats: BTreeMap<String, String>,
}

impl Kinds {
    /// Reads a file: an object with `columns_as`, as `segre info` prints it, or SDV's metadata of one table.
    ///
    /// # Errors
    /// [`DataError::BadKinds`] for anything else.
    pub fn load(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| FileError::reading(path, cause))?;
        Self::parse(&text).map_err(|problem| DataError::BadKinds {
            path: path.to_path_buf(),
            problem,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let object = value.as_object().ok_or("it holds no JSON object")?;
        if let Some(kinds) = object.get(OWN) {
            return Self::of_own(object, kinds);
        }
        let table = match object.get("tables").map(Value::as_object) {
            None => object,
            Some(tables) => {
                let tables = tables.ok_or("tables is no object")?;
                let mut all = tables.values();
                match (all.next().and_then(Value::as_object), all.next()) {
                    (Some(table), None) => table,
                    (None, None) => return Err("it has no table".to_owned()),
                    _ => {
                        let names: Vec<&str> = tables.keys().map(String::as_str).collect();
                        return Err(format!(
                            "it has the tables {}; Segre learns one: keep only that",
                            names.join(", ")
                        ));
                    }
                }
            }
        };
        Self::of_metadata(table)
    }

    fn of_own(object: &Map<String, Value>, kinds: &Value) -> Result<Self, String> {
        let kinds = kinds.as_object().ok_or("columns_as is no object")?;
        let kind = |(name, kind): (&String, &Value)| {
            let kind = kind
                .as_str()
                .ok_or_else(|| format!("{name:?} has no kind"))?;
            Ok((name.clone(), kind.parse()?))
        };
        let formats = object.get(FORMATS).and_then(Value::as_object);
        let format =
            |(name, format): (&String, &Value)| Some((name.clone(), format.as_str()?.to_owned()));
        Ok(Self {
            kinds: kinds.iter().map(kind).collect::<Result<_, String>>()?,
            date_formats: formats.into_iter().flatten().filter_map(format).collect(),
        })
    }

    /// SDV's metadata, version 1: what generates identifiers and personal data is left out, as SDV does not learn it either.
    fn of_metadata(table: &Map<String, Value>) -> Result<Self, String> {
        let columns = table.get("columns").and_then(Value::as_object).ok_or(
            "it has neither columns_as, as `segre info` prints it in JSON, nor columns, as SDV's metadata have",
        )?;
        let key = table.get("primary_key").and_then(Value::as_str);
        let mut found = Self::default();
        for (name, column) in columns {
            let sdtype = column.get("sdtype").and_then(Value::as_str);
            let sdtype = sdtype.ok_or_else(|| format!("column {name:?} has no sdtype"))?;
            let personal = column.get("pii").and_then(Value::as_bool);
            let kind = match sdtype {
                _ if key == Some(name) => ColumnKind::LeaveOut,
                "numerical" => ColumnKind::Number,
                "categorical" | "boolean" => ColumnKind::Category,
                "datetime" => ColumnKind::Date,
                _ if personal == Some(false) => ColumnKind::Category,
                _ => ColumnKind::LeaveOut,
            };
            if let (ColumnKind::Date, Some(format)) =
                (kind, column.get("datetime_format").and_then(Value::as_str))
            {
                found.date_formats.insert(name.clone(), format.to_owned());
            }
            found.kinds.insert(name.clone(), kind);
        }
        Ok(found)
    }

    /// What columns hold, in words, by name.
    pub fn words(&self) -> BTreeMap<&str, String> {
        let kinds = self.kinds.iter();
        kinds
            .map(|(name, kind)| (name.as_str(), kind.to_string()))
            .collect()
    }

    /// What the columns of a schema hold: what reading the same table with this gives is the same schema.
    pub fn of_schema(schema: &Schema) -> Self {
        let mut found = Self::default();
        for column in 0..schema.column_count() {
            let (name, coding) = schema.column(column);
            let kind = match coding.map(|coding| &coding.values) {
                Some(Values::Numbers { notation, .. }) => match notation.pattern() {
                    Some(pattern) => {
                        let format = pattern.to_owned();
                        found.date_formats.insert(name.to_owned(), format);
                        ColumnKind::Date
                    }
                    None => ColumnKind::Number,
                },
                _ => ColumnKind::Category,
            };
            found.kinds.insert(name.to_owned(), kind);
        }
        let left_out = schema.left_out.iter();
        let left_out = left_out.map(|own| (own.name.clone(), ColumnKind::LeaveOut));
        found.kinds.extend(left_out);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_say_what_columns_hold_and_keys_are_left_out() {
        let table = r#"{"columns": {
            "id": {"sdtype": "id"}, "age": {"sdtype": "numerical", "computer_representation": "Int64"},
            "day": {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"}, "ok": {"sdtype": "boolean"},
            "mail": {"sdtype": "email", "pii": true}, "zip": {"sdtype": "postcode", "pii": false},
            "city": {"sdtype": "categorical"}}, "primary_key": "id", "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"}"#;
        let found = Kinds::parse(table).expect("metadata");
        let kind = |name: &str| found.kinds[name].to_string();
        let names = ["id", "age", "day", "ok", "mail", "zip", "city"];
        assert_eq!(
            names.map(kind),
            [
                "leave-out",
                "number",
                "date",
                "category",
                "leave-out",
                "category",
                "category"
            ]
        );
        assert_eq!(found.date_formats["day"], "%d/%m/%Y");
        let many = format!(r#"{{"tables": {{"t": {table}}}, "relationships": []}}"#);
        assert_eq!(Kinds::parse(&many), Ok(found));
        for (text, problem) in [
            (r#"{"tables": {"a": {}, "b": {}}}"#, "the tables a, b"),
            (r#"{"x": 1}"#, "columns_as"),
            (r#"{"columns_as": {"a": "colour"}}"#, "\"colour\""),
            (r#"{"columns": {"a": {}}}"#, "sdtype"),
            ("[1]", "no JSON object"),
        ] {
            assert!(
                Kinds::parse(text).is_err_and(|found| found.contains(problem)),
                "{text}"
            );
        }
    }
}
