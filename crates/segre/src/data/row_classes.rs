//! One class for every row of a data set, from a file of its own.

use super::format::image::idx;
use super::format::input::FileKind;
use super::format::npy::{self, Stored};
use super::options::ReadOptions;
use super::read;
use super::source::DataSource;
use crate::data::error::{DataError, Result};
use crate::data::names::{listed, meant};
use std::path::Path;

/// The column of a table that holds the classes, if it has several.
const COLUMN: &str = "label";

/// Classes of the rows of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowClasses {
    /// How the user writes each class.
    pub names: Vec<String>,
    /// The class of every row, an index of `names`.
    pub values: Vec<u16>,
}

impl RowClasses {
    /// Reads classes from an IDX file of labels, an array with one for every row, or a column of a table (the only one, or
    /// `label`).
    ///
    /// # Errors
    /// Those of the file, [`DataError::UnknownColumn`], and [`DataError::ClassCount`] if there are not as many classes as
    /// `rows` of `data`, which is a name for the message.
    pub fn read(path: &Path, column: Option<&str>, data: &str, rows: usize) -> Result<Self> {
        let found = match (idx::is_idx(path), column) {
            (true, _) => Self::numbered(idx::read_all_labels(path)?),
            (false, None) => match Self::of_array(path)? {
                Some(values) => Self::numbered(values),
                None => Self::of_table(path, column)?,
            },
            (false, Some(_)) => Self::of_table(path, column)?,
        };
        if found.values.len() == rows {
            return Ok(found);
        }
        Err(DataError::ClassCount {
            path: path.to_path_buf(),
            found: found.values.len(),
            data: data.to_owned(),
            expected: rows,
        })
    }

    /// Classes that are numbers from 0.
    fn numbered(values: Vec<u16>) -> Self {
        let largest = values.iter().max();
        let count = largest.map_or(0, |largest| usize::from(*largest) + 1);
        let names = (0..count).map(|class| class.to_string()).collect();
        Self { names, values }
    }

    /// The classes of an array with one for every row, `None` of other arrays and files.
    fn of_array(path: &Path) -> Result<Option<Vec<u16>>> {
        let kind = FileKind::of(path)?;
        let stored = Stored::of(path, &kind);
        stored.map_or(Ok(None), npy::read_classes)
    }

    fn of_table(path: &Path, column: Option<&str>) -> Result<Self> {
        let table = read(
            &DataSource::File(path.to_path_buf()),
            &ReadOptions::default(),
        )?;
        let schema = &table.schema;
        let wanted = column.unwrap_or(COLUMN);
        let site = match (column, schema.sites()) {
            (None, 1) => Some(0),
            _ => schema.sites.iter().position(|site| site.name == wanted),
        };
        let Some(site) = site else {
            let columns = schema.sites.iter().map(|site| site.name.as_str());
            return Err(DataError::UnknownColumn {
                path: path.to_path_buf(),
                column: wanted.to_owned(),
                action: "select",
                columns: listed(columns.clone()),
                hint: meant(wanted, columns),
            });
        };
        let classes = 0..schema.cardinality(site);
        Ok(Self {
            names: classes
                .map(|class| schema.category_name(site, class as u16).into_owned())
                .collect(),
            values: table.iter().map(|row| row[site]).collect(),
        })
    }

    /// The class of every row as an index of other names.
    ///
    /// # Errors
    /// The name of the first class of a row that is none of them.
    pub fn in_order_of(&self, names: &[String]) -> std::result::Result<Vec<u16>, &str> {
        let place = |name: &String| names.iter().position(|known| known == name);
        let places: Vec<Option<usize>> = self.names.iter().map(place).collect();
        let class = |own: &u16| {
            let name = self.names[usize::from(*own)].as_str();
            places[usize::from(*own)]
                .map(|place| place as u16)
                .ok_or(name)
        };
        self.values.iter().map(class).collect()
    }

    /// Checksum (CRC-32) of the classes: tells whether they have changed.
    pub fn fingerprint(&self) -> u32 {
        let mut checksum = flate2::Crc::new();
        for class in &self.values {
            checksum.update(&class.to_le_bytes());
        }
        checksum.sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(name: &str, text: &[u8], column: Option<&str>, rows: usize) -> Result<RowClasses> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writable");
        RowClasses::read(&path, column, "images.npy", rows)
    }

    #[test]
    fn classes_come_from_idx_files_and_tables() {
        let idx = [0, 0, 8, 1, 0, 0, 0, 3, 2, 0, 2];
        let found = read_text("labels-idx1-ubyte", &idx, None, 3).expect("legal");
        assert_eq!((found.names.len(), &found.values[..]), (3, &[2, 0, 2][..]));
        let found = read_text("a.csv", b"kind\ncat\ndog\ncat\n", None, 3).expect("legal");
        assert_eq!(
            (&found.names[..], &found.values[..]),
            (&["cat".into(), "dog".into()][..], &[0, 1, 0][..])
        );
        let table = b"label,other\n10,x\n9,y\n";
        let found = read_text("a.csv", table, None, 2).expect("legal");
        assert_eq!(
            (&found.names[..], &found.values[..]),
            (&["9".into(), "10".into()][..], &[1, 0][..])
        );
        let found = read_text("a.csv", table, Some("other"), 2).expect("legal");
        assert_eq!(found.names, ["x", "y"]);
    }

    #[test]
    fn classes_are_found_among_other_names() {
        let found = read_text("a.csv", b"kind\ncat\ndog\ncat\n", None, 3).expect("legal");
        let names = ["dog", "cow", "cat"].map(str::to_owned);
        assert_eq!(found.in_order_of(&names), Ok(vec![2, 0, 2]));
        assert_eq!(found.in_order_of(&names[..2]), Err("cat"));
    }

    #[test]
    fn missing_columns_and_other_counts_are_refused_by_name() {
        let error = read_text("a.csv", b"a,b\n1,2\n", None, 1).expect_err("no label");
        assert!(error.to_string().contains("\"label\""), "{error}");
        let error = read_text("a.csv", b"a\n1\n2\n", None, 5).expect_err("two for five");
        let message = error.to_string();
        for part in ["a.csv", "2 labels", "images.npy", "5 rows"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
