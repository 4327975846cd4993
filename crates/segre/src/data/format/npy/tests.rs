//! Tests of the array reader: element types, orders, bad arrays, archives, unknown elements.

use super::*;
use crate::data::{DataSource, Layout, MissingIs, ReadOptions, read, read_as, read_partial};
use npyz::WriterBuilder;

/// A `.npy` file by hand: header text and raw bytes.
fn npy(descr: &str, fortran: bool, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
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
        matches!(&negative, DataError::BadLabel { row: 1, site, value, .. }
            if site == "site [1]" && value == "-1"),
        "{negative}"
    );
    let negative = fail(&npy("|i1", true, "(2, 3)", &[0, 0, 0, 255, 0, 0]));
    assert!(
        matches!(&negative, DataError::BadLabel { row: 1, site, .. } if site == "site [1]"),
        "{negative}"
    );
    let large = fail(&npy("<i4", false, "(1, 1)", &65_535_i32.to_le_bytes()));
    assert!(
        matches!(
            large,
            DataError::BadLabel {
                largest: 65_534,
                ..
            }
        ),
        "{large}"
    );
    let float = fail(&npy("<f8", false, "(1, 1)", &1_f64.to_le_bytes()));
    assert!(matches!(float, DataError::NotIntegers { .. }) && float.to_string().contains("astype"));
    assert!(matches!(
        fail(&npy("|O", false, "(1, 1)", &[0])),
        DataError::NotIntegers { .. }
    ));
    assert!(matches!(
        fail(&npy("|u1", false, "(3,)", &[0; 3])),
        DataError::ArrayShape { .. }
    ));
    assert!(matches!(
        fail(&npy("|u1", false, "()", &[0])),
        DataError::ArrayShape { .. }
    ));
    assert!(matches!(
        fail(&npy("|u1", false, "(0, 3)", &[])),
        DataError::NoData { .. }
    ));
    assert!(matches!(
        fail(&npy("|u1", false, "(2, 3)", &[0; 5])),
        DataError::File(FileError::Damaged { .. })
    ));
    assert!(matches!(
        fail(b"no array at all"),
        DataError::File(FileError::Damaged { .. })
    ));
    assert!(matches!(
        fail(b""),
        DataError::File(FileError::Damaged { .. })
    ));
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
    assert_eq!(first("a.npz:z", &["x", "y", "z"]).unwrap(), 2);
    // No name is so usual that the others would be left out without a word.
    for (name, arrays) in [
        ("a.npz", ["samples", "x"]),
        ("a.npz", ["x", "y"]),
        ("a.npz:c", ["a", "b"]),
    ] {
        let error = first(name, &arrays).unwrap_err();
        assert!(
            matches!(&error, DataError::ArrayChoice { keys, .. } if *keys == arrays.join(", ")),
            "{error}"
        );
    }
    let bytes = npz(&["x"]);
    let cut = read_bytes("a.npz", &bytes[..bytes.len() / 2], None).unwrap_err();
    assert!(
        matches!(cut, DataError::File(FileError::Damaged { .. })),
        "{cut}"
    );
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
            DataError::BadLabel {
                row: 1,
                largest: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(matches!(
        into("(1, 3)", &[0; 3]),
        Err(DataError::SchemaMismatch { .. })
    ));
    assert!(matches!(
        into("(1, 1, 2)", &[0; 2]),
        Err(DataError::SchemaMismatch { .. })
    ));
}

/// −1 and NaN are unknown, all else must be a category of its place.
#[test]
fn unknown_elements_are_minus_one_or_nan() {
    let schema = read_bytes("a.npy", &npy("|u1", false, "(1, 1, 2)", &[2, 0]), None)
        .unwrap()
        .schema;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.npy");
    let partial = |descr: &str, fortran: bool, bytes: &[u8]| {
        std::fs::write(&path, npy(descr, fortran, "(2, 1, 2)", bytes)).unwrap();
        let source = DataSource::File(path.clone());
        read_partial(
            &source,
            &schema,
            &ReadOptions::default(),
            MissingIs::Unknown,
        )
    };
    let labels = |partial: PartialDataset| -> Vec<Option<u16>> {
        let cells = (0..4).map(|cell| partial.label(cell / 2, cell % 2));
        cells.collect()
    };
    let found = partial("|i1", false, &[2, 255, 0, 1]).unwrap();
    assert_eq!(labels(found), [Some(2), None, Some(0), Some(1)]);
    let found = partial("|i1", true, &[2, 255, 0, 1]).unwrap();
    assert_eq!(labels(found), [Some(2), Some(0), None, Some(1)]);
    let floats = |values: [f32; 4]| values.map(f32::to_le_bytes).concat();
    let found = partial("<f4", false, &floats([f32::NAN, 2.0, -1.0, 0.0])).unwrap();
    assert_eq!(labels(found), [None, Some(2), None, Some(0)]);
    for bad in [3.0, 0.5, -2.0, f32::INFINITY] {
        let error = partial("<f4", false, &floats([0.0, 1.0, 2.0, bad])).unwrap_err();
        assert!(
            matches!(&error, DataError::BadLabel { row: 1, site, largest: 2, .. } if site == "site [0, 1]"),
            "{error}"
        );
    }
}
