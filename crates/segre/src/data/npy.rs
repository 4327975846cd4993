//! NumPy integer arrays: `.npy`, and `.npz` archives. The first axis counts rows.

use super::dataset::Dataset;
use super::schema::{MAX_CATEGORIES, Schema};
use crate::error::{Error, Result};
use npyz::{DType, NpyFile, Order, TypeChar};
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// Keys that are read without being asked for, in this order.
const USUAL_KEYS: [&str; 3] = ["samples", "x", "data"];

/// Reads a `.npy` file, into a schema if one is given.
pub(super) fn read_npy(path: &Path, schema: Option<&Schema>) -> Result<Dataset> {
    let file = File::open(path).map_err(|cause| Error::reading(path, cause))?;
    read_array(path, BufReader::new(file), schema)
}

/// Reads one array of a `.npz` archive, into a schema if one is given.
pub(super) fn read_npz(path: &Path, key: Option<&str>, schema: Option<&Schema>) -> Result<Dataset> {
    let damaged = |cause: std::io::Error| Error::reading(path, cause);
    let mut archive = npyz::npz::NpzArchive::open(path).map_err(damaged)?;
    let mut keys: Vec<String> = archive.array_names().map(str::to_string).collect();
    keys.sort_unstable();
    let key = choose(path, &keys, key)?;
    // The whole entry at once: reading to its end checks the archive's checksum.
    let mut bytes = Vec::new();
    archive
        .zip_archive()
        .by_name(&npyz::npz::file_name_from_array_name(key))
        .map_err(|error| damaged(error.into()))?
        .read_to_end(&mut bytes)
        .map_err(damaged)?;
    read_array(path, Cursor::new(bytes), schema)
}

/// The array to read: the one asked for, the only one, or one with a usual name.
fn choose<'a>(path: &Path, keys: &'a [String], asked: Option<&str>) -> Result<&'a str> {
    let fail = |problem: String| Error::ArrayChoice {
        path: path.to_path_buf(),
        problem,
        keys: if keys.is_empty() {
            "no array".into()
        } else {
            keys.join(", ")
        },
    };
    let find = |name: &str| keys.iter().map(String::as_str).find(|&key| key == name);
    match (asked, keys) {
        (Some(name), _) => find(name).ok_or_else(|| fail(format!("there is no array {name:?}"))),
        (None, [only]) => Ok(only),
        (None, _) => USUAL_KEYS
            .into_iter()
            .find_map(find)
            .ok_or_else(|| fail("it is not clear which array to read".into())),
    }
}

fn read_array<R: Read>(path: &Path, reader: R, schema: Option<&Schema>) -> Result<Dataset> {
    let file = NpyFile::new(reader).map_err(|cause| Error::reading(path, cause))?;
    let shape = file.shape().to_vec();
    let wrong_shape = || Error::ArrayShape {
        path: path.to_path_buf(),
        shape: shape.clone(),
    };
    let sizes: Vec<usize> = shape
        .iter()
        .map(|&length| usize::try_from(length).map_err(|_| wrong_shape()))
        .collect::<Result<_>>()?;
    let total = sizes
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length));
    let (Some(total), [rows, row_shape @ ..]) = (total, &sizes[..]) else {
        return Err(wrong_shape());
    };
    if row_shape.is_empty() {
        return Err(wrong_shape());
    }
    if total == 0 {
        return Err(Error::NoData {
            path: path.to_path_buf(),
            what: "the array is empty",
        });
    }
    if let Some(schema) = schema
        && schema.row_shape() != row_shape
    {
        return Err(Error::SchemaMismatch {
            what: format!("the shape of a row in {}", path.display()),
            expected: format!("{:?}", schema.row_shape()),
            found: format!("{row_shape:?}"),
        });
    }
    let image = row_shape.len() == 2;
    let fortran = file.order() == Order::Fortran;
    let array = Array {
        path,
        rows: *rows,
        row_shape,
        fortran,
    };
    let labels = array.labels(file)?;
    match schema {
        Some(schema) => {
            array.require_known(&labels, schema)?;
            Dataset::new(schema.clone(), labels)
        }
        None => {
            let largest = labels.iter().copied().max().unwrap_or(0);
            let schema = Schema::integers(row_shape, image, usize::from(largest) + 1);
            Dataset::new(schema, labels)
        }
    }
}

/// What is known of an array before its elements are read.
struct Array<'a> {
    path: &'a Path,
    rows: usize,
    row_shape: &'a [usize],
    fortran: bool,
}

impl Array<'_> {
    /// All labels in row-major order.
    fn labels<R: Read>(&self, file: NpyFile<R>) -> Result<Vec<u16>> {
        let dtype = file.dtype();
        let kind = match &dtype {
            DType::Plain(plain) => (plain.type_char(), plain.size_field()),
            DType::Array(..) | DType::Record(_) => (TypeChar::RawData, 0),
        };
        match kind {
            (TypeChar::Bool, _) => self.convert(file.data::<bool>()),
            (TypeChar::Int, 1) => self.convert(file.data::<i8>()),
            (TypeChar::Int, 2) => self.convert(file.data::<i16>()),
            (TypeChar::Int, 4) => self.convert(file.data::<i32>()),
            (TypeChar::Int, 8) => self.convert(file.data::<i64>()),
            (TypeChar::Uint, 1) => self.convert(file.data::<u8>()),
            (TypeChar::Uint, 2) => self.convert(file.data::<u16>()),
            (TypeChar::Uint, 4) => self.convert(file.data::<u32>()),
            (TypeChar::Uint, 8) => self.convert(file.data::<u64>()),
            _ => Err(self.not_integers(dtype.descr())),
        }
    }

    fn convert<T, R, E>(&self, elements: Result<npyz::NpyReader<T, R>, E>) -> Result<Vec<u16>>
    where
        T: npyz::Deserialize + Into<i128>,
        R: Read,
        E: std::fmt::Display,
    {
        let elements = elements.map_err(|error| self.not_integers(error.to_string()))?;
        let mut stored = Vec::new();
        for (index, element) in elements.enumerate() {
            let value: i128 = element
                .map_err(|cause| Error::reading(self.path, cause))?
                .into();
            let label = u16::try_from(value)
                .map_err(|_| self.bad_label(self.row_major(index), value, MAX_CATEGORIES - 1))?;
            stored.push(label);
        }
        if !self.fortran {
            return Ok(stored);
        }
        let mut labels = vec![0; stored.len()];
        for (index, label) in stored.into_iter().enumerate() {
            labels[self.row_major(index)] = label;
        }
        Ok(labels)
    }

    /// The row-major index of the element that is stored at an index.
    fn row_major(&self, stored: usize) -> usize {
        if !self.fortran {
            return stored;
        }
        let sites: usize = self.row_shape.iter().product();
        let (mut rest, mut stride, mut site) = (stored / self.rows, sites, 0);
        for &length in self.row_shape {
            stride /= length;
            site += rest % length * stride;
            rest /= length;
        }
        stored % self.rows * sites + site
    }

    fn require_known(&self, labels: &[u16], schema: &Schema) -> Result<()> {
        let cardinalities = schema.cardinalities();
        for (index, &label) in labels.iter().enumerate() {
            let count = cardinalities[index % schema.sites()];
            if usize::from(label) >= count {
                return Err(self.bad_label(index, i128::from(label), count - 1));
            }
        }
        Ok(())
    }

    fn bad_label(&self, index: usize, value: i128, largest: usize) -> Error {
        let sites: usize = self.row_shape.iter().product();
        let (mut rest, mut place) = (index % sites, Vec::new());
        for &length in self.row_shape.iter().rev() {
            place.insert(0, rest % length);
            rest /= length;
        }
        Error::BadLabel {
            path: self.path.to_path_buf(),
            row: index / sites,
            site: format!("site {place:?}"),
            value: value.to_string(),
            largest,
        }
    }

    fn not_integers(&self, dtype: String) -> Error {
        Error::NotIntegers {
            path: self.path.to_path_buf(),
            dtype,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataSource, Layout, ReadOptions, read, read_as};
    use npyz::WriterBuilder;

    /// A `.npy` file by hand: header text and raw bytes.
    fn npy(descr: &str, fortran: bool, shape: &str, bytes: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(bytes);
        file
    }

    fn read_bytes(name: &str, bytes: &[u8], schema: Option<&Schema>) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        match schema {
            Some(schema) => read_as(&DataSource::File(path), schema, &ReadOptions::default()),
            None => read(&DataSource::File(path), &ReadOptions::default()),
        }
    }

    #[test]
    fn every_integer_type_and_both_orders() {
        let values = [0_u8, 1, 2, 3, 4, 5];
        let widen = |size: usize, big: bool| -> Vec<u8> {
            let mut bytes = Vec::new();
            for value in values {
                let mut element = vec![0; size];
                element[if big { size - 1 } else { 0 }] = value;
                bytes.extend(element);
            }
            bytes
        };
        for kind in ["i", "u"] {
            for size in [1, 2, 4, 8] {
                for (mark, big) in [('<', false), ('>', true)] {
                    let file = npy(
                        &format!("{mark}{kind}{size}"),
                        false,
                        "(3, 2)",
                        &widen(size, big),
                    );
                    let data = read_bytes("a.npy", &file, None).unwrap();
                    assert_eq!(data.labels(), [0, 1, 2, 3, 4, 5], "{mark}{kind}{size}");
                    assert_eq!(data.schema.layout, Layout::Array { shape: vec![2] });
                    assert_eq!(data.schema.max_categories(), 6);
                }
            }
        }
        let file = npy("|u1", true, "(3, 2)", &values);
        assert_eq!(
            read_bytes("a.npy", &file, None).unwrap().labels(),
            [0, 3, 1, 4, 2, 5]
        );
        let file = npy("|u1", true, "(1, 2, 3)", &values);
        let data = read_bytes("a.npy", &file, None).unwrap();
        assert_eq!(data.labels(), [0, 2, 4, 1, 3, 5]);
        assert_eq!(
            data.schema.layout,
            Layout::Image {
                height: 2,
                width: 3,
                pad_to: None,
            }
        );
        assert_eq!(data.schema.sites[5].name, "r1c2");
        let file = npy("|b1", false, "(1, 1, 2, 3)", &[0, 1, 1, 0, 0, 1]);
        let data = read_bytes("a.npy", &file, None).unwrap();
        assert_eq!(
            data.schema.layout,
            Layout::Array {
                shape: vec![1, 2, 3]
            }
        );
        assert_eq!(data.schema.sites[4].name, "x0_1_1");
    }

    #[test]
    fn bad_arrays_are_placed() {
        let fail = |bytes: &[u8]| read_bytes("a.npy", bytes, None).unwrap_err();
        let negative = fail(&npy("|i1", false, "(2, 2)", &[0, 1, 2, 255]));
        assert!(
            matches!(&negative, Error::BadLabel { row: 1, site, value, .. }
                if site == "site [1]" && value == "-1"),
            "{negative}"
        );
        let negative = fail(&npy("|i1", true, "(2, 3)", &[0, 0, 0, 255, 0, 0]));
        assert!(
            matches!(&negative, Error::BadLabel { row: 1, site, .. } if site == "site [1]"),
            "{negative}"
        );
        let large = fail(&npy("<i4", false, "(1, 1)", &65_536_i32.to_le_bytes()));
        assert!(
            matches!(
                large,
                Error::BadLabel {
                    largest: 65_535,
                    ..
                }
            ),
            "{large}"
        );
        let float = fail(&npy("<f8", false, "(1, 1)", &1_f64.to_le_bytes()));
        assert!(matches!(float, Error::NotIntegers { .. }) && float.to_string().contains("astype"));
        assert!(matches!(
            fail(&npy("|O", false, "(1, 1)", &[0])),
            Error::NotIntegers { .. }
        ));
        assert!(matches!(
            fail(&npy("|u1", false, "(3,)", &[0; 3])),
            Error::ArrayShape { .. }
        ));
        assert!(matches!(
            fail(&npy("|u1", false, "()", &[0])),
            Error::ArrayShape { .. }
        ));
        assert!(matches!(
            fail(&npy("|u1", false, "(0, 3)", &[])),
            Error::NoData { .. }
        ));
        assert!(matches!(
            fail(&npy("|u1", false, "(2, 3)", &[0; 5])),
            Error::Damaged { .. }
        ));
        assert!(matches!(fail(b"no array at all"), Error::Damaged { .. }));
        assert!(matches!(fail(b""), Error::Damaged { .. }));
    }

    fn npz(arrays: &[&str]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut archive = npyz::npz::NpzWriter::new(&mut bytes);
        for (name, value) in arrays.iter().zip(0_u8..) {
            let array = archive.array::<u8>(name, Default::default()).unwrap();
            let mut array = array.default_dtype().shape(&[1, 2]).begin_nd().unwrap();
            array.extend([value, value]).unwrap();
            array.finish().unwrap();
        }
        drop(archive);
        bytes.into_inner()
    }

    #[test]
    fn arrays_of_archives_are_chosen_by_name() {
        let first = |name: &str, arrays: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("a.npz"), npz(arrays)).unwrap();
            let source = DataSource::File(folder.path().join(name));
            read(&source, &ReadOptions::default()).map(|data| data.labels()[0])
        };
        assert_eq!(first("a.npz", &["anything"]).unwrap(), 0);
        assert_eq!(first("a.npz", &["y", "x"]).unwrap(), 1);
        assert_eq!(first("a.npz", &["x", "samples"]).unwrap(), 1);
        assert_eq!(first("a.npz:z", &["x", "y", "z"]).unwrap(), 2);
        for (name, arrays) in [("a.npz", ["a", "b"]), ("a.npz:c", ["a", "b"])] {
            let error = first(name, &arrays).unwrap_err();
            assert!(
                matches!(&error, Error::ArrayChoice { keys, .. } if keys == "a, b"),
                "{error}"
            );
        }
        let bytes = npz(&["x"]);
        let cut = read_bytes("a.npz", &bytes[..bytes.len() / 2], None).unwrap_err();
        assert!(matches!(cut, Error::Damaged { .. }), "{cut}");
    }

    #[test]
    fn reading_into_a_schema_checks_shape_and_labels() {
        let schema = read_bytes("a.npy", &npy("|u1", false, "(1, 2)", &[3, 0]), None)
            .unwrap()
            .schema;
        let into = |shape: &str, bytes: &[u8]| {
            read_bytes("a.npy", &npy("|u1", false, shape, bytes), Some(&schema))
        };
        assert_eq!(into("(2, 2)", &[0, 1, 1, 0]).unwrap().schema, schema);
        let error = into("(2, 2)", &[0, 1, 1, 4]).unwrap_err();
        assert!(
            matches!(
                error,
                Error::BadLabel {
                    row: 1,
                    largest: 3,
                    ..
                }
            ),
            "{error}"
        );
        assert!(matches!(
            into("(1, 3)", &[0; 3]),
            Err(Error::SchemaMismatch { .. })
        ));
        assert!(matches!(
            into("(1, 1, 2)", &[0; 2]),
            Err(Error::SchemaMismatch { .. })
        ));
    }
}
