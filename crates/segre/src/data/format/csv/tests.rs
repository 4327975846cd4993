//! Tests of the table reader: vocabularies, missing fields, reading into a schema, bad files.

use super::*;
use crate::data::{DataSource, read, read_as, read_partial};
use std::path::PathBuf;

/// A table in a temporary folder.
struct Sample {
    _folder: tempfile::TempDir,
    source: DataSource,
}

fn sample(name: &str, contents: impl AsRef<[u8]>) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, contents).unwrap();
    Sample {
        _folder: folder,
        source: DataSource::File(path),
    }
}

fn read_table(contents: &str, options: &ReadOptions) -> Result<Dataset> {
    read(&sample("a.csv", contents).source, options)
}

fn words(data: &Dataset, site: usize) -> Vec<String> {
    let count = data.schema.cardinality(site) as u16;
    (0..count)
        .map(|label| data.schema.category_name(site, label).into_owned())
        .collect()
}

fn rows(data: &Dataset) -> Vec<Vec<String>> {
    let name = |(site, &label): (usize, &u16)| data.schema.category_name(site, label).into_owned();
    data.iter()
        .map(|row| row.iter().enumerate().map(name).collect())
        .collect()
}

const TABLE: &str =
    "\u{feff}size, colour ,n\r\n10,\"red, dark\",a\r\n 9 ,blue,\r\n\r\n-1,blue,NA\r\n";

#[test]
fn a_table_with_every_nicety() {
    let data = read_table(TABLE, &ReadOptions::default()).unwrap();
    let names: Vec<&str> = data
        .schema
        .sites
        .iter()
        .map(|site| site.name.as_str())
        .collect();
    assert_eq!(names, ["size", "colour", "n"]);
    assert_eq!(words(&data, 0), ["-1", "9", "10"]);
    assert_eq!(words(&data, 1), ["blue", "red, dark"]);
    assert_eq!(words(&data, 2), ["a", "?"]);
    assert_eq!(
        rows(&data),
        [
            ["10", "red, dark", "a"],
            ["9", "blue", "?"],
            ["-1", "blue", "?"]
        ]
        .map(|row| row.to_vec())
    );
}

#[test]
fn rows_with_missing_fields_can_be_dropped() {
    let drop = ReadOptions {
        missing: Missing::DropRows,
        ..ReadOptions::default()
    };
    assert_eq!(read_table(TABLE, &drop).unwrap().rows(), 1);
    // A missing field in a column that is not read is no reason.
    let only = Some(vec!["colour".to_string(), "size".to_string()]);
    let narrow = ReadOptions {
        only_columns: only,
        ..drop.clone()
    };
    assert_eq!(read_table(TABLE, &narrow).unwrap().rows(), 3);
    let error = read_table("a,b\n?,1\nx,\n", &drop).unwrap_err();
    assert!(matches!(error, DataError::NoData { what, .. } if what.contains("missing")));
}

#[test]
fn columns_by_name_without_header_and_gzip() {
    let options = ReadOptions {
        drop_columns: vec!["n".into()],
        ..ReadOptions::default()
    };
    assert_eq!(read_table(TABLE, &options).unwrap().sites(), 2);
    let error = read_table("a,b\n1,2\n", &options).unwrap_err();
    assert!(
        matches!(error, DataError::UnknownColumn { action: "drop", .. }),
        "{error}"
    );
    let bare = ReadOptions {
        has_header: false,
        ..ReadOptions::default()
    };
    let data = read_table("a,b\nc,b\n", &bare).unwrap();
    assert_eq!(
        (data.rows(), data.schema.sites[1].name.as_str()),
        (2, "column 2")
    );

    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"a\tb\nx\ty, z\n").unwrap();
    let file = sample("a.tsv.gz", encoder.finish().unwrap());
    assert_eq!(
        rows(&read(&file.source, &ReadOptions::default()).unwrap()),
        [["x", "y, z"]]
    );
}

#[test]
fn bad_tables_are_placed() {
    let options = ReadOptions::default();
    let fail = |contents: &str| read_table(contents, &options).unwrap_err();
    assert!(matches!(
        fail(""),
        DataError::NoData {
            what: "the file is empty",
            ..
        }
    ));
    assert!(matches!(
        fail("a,b\n"),
        DataError::NoData {
            what: "there is only a header",
            ..
        }
    ));
    let ragged = fail("a,b\n1,2\n3\n");
    assert!(
        matches!(
            ragged,
            DataError::RaggedRow {
                line: 3,
                found: 1,
                expected: 2,
                ..
            }
        ),
        "{ragged}"
    );
    let ragged = fail("a,b\r\n\"1\r\n1\",2\r\n3,4,5\r\n");
    assert!(
        matches!(
            ragged,
            DataError::RaggedRow {
                line: 4,
                found: 3,
                ..
            }
        ),
        "{ragged}"
    );
    let ragged = fail("a,b\r\n1,2\r\n\r\n\r\n3,4,5\r\n");
    assert!(
        matches!(ragged, DataError::RaggedRow { line: 5, .. }),
        "{ragged}"
    );
    let twice = fail("a,b,a\n1,2,3\n");
    assert!(
        matches!(
            twice,
            DataError::DuplicateColumn {
                first: 1,
                second: 3,
                ..
            }
        ),
        "{twice}"
    );
    let none = ReadOptions {
        only_columns: Some(Vec::new()),
        ..ReadOptions::default()
    };
    assert!(matches!(
        read_table("a\n1\n", &none),
        Err(DataError::NoData { .. })
    ));

    let file = sample("a.csv", b"a,b\nx,y\nz,\xff\n");
    let error = read(&file.source, &options).unwrap_err();
    assert!(matches!(
        &error,
        DataError::File(FileError::InvalidUtf8 {
            line: 3,
            offset: 10,
            ..
        })
    ));

    let identifiers: String = (0..=65_535).map(|row| format!("{row},x\n")).collect();
    let data = read_table(&format!("id,b\n{identifiers}"), &options).unwrap();
    assert_eq!(
        (data.sites(), data.schema.left_out[0].name.as_str()),
        (1, "id")
    );
    let none = fail(&format!("id\n{}", identifiers.replace(",x", "")));
    assert!(matches!(none, DataError::NothingToLearn { .. }), "{none}");

    let gone = DataSource::File(PathBuf::from("no/such/table.csv"));
    assert!(matches!(
        read(&gone, &options),
        Err(DataError::File(FileError::Io { action: "read", .. }))
    ));
}

#[test]
fn reading_into_a_schema_matches_names_and_refuses_strangers() {
    let options = ReadOptions::default();
    let schema = read_table("a,b\nx,1\ny,2\n,3\n", &options).unwrap().schema;
    let read_into = |contents: &str, options: &ReadOptions| {
        read_as(&sample("b.csv", contents).source, &schema, options)
    };
    let mut data = read_into("b,a\n3,y\n1,NA\n", &options).unwrap();
    assert_eq!(data.labels(), [1, 2, 2, 0]);
    let said = std::mem::take(&mut data.schema.notes);
    assert!(said.len() == 1 && said[0].contains("\"NA\""), "{said:?}");
    assert_eq!(data.schema, schema);

    let unseen = read_into("b,a\n3,y\n4,y\n", &options).unwrap_err();
    assert!(
        matches!(&unseen, DataError::UnseenCategory { line: 3, site, value, known: 3, .. }
            if site == "column \"b\"" && value == "4"),
        "{unseen}"
    );
    let missing = read_into("b\n3\n", &options).unwrap_err();
    assert!(
        matches!(&missing, DataError::MissingColumn { column, .. } if column == "a"),
        "{missing}"
    );
    let extra = read_into("b,c,a\n3,0,y\n", &options).unwrap_err();
    assert!(
        matches!(&extra, DataError::ExtraColumn { column, .. } if column == "c"),
        "{extra}"
    );
    let allowed = ReadOptions {
        allow_extra_columns: true,
        ..options.clone()
    };
    assert_eq!(
        read_into("b,c,a\n3,0,y\n", &allowed).unwrap().labels(),
        [1, 2]
    );
    let dropped = ReadOptions {
        drop_columns: vec!["c".into()],
        ..options.clone()
    };
    assert_eq!(
        read_into("b,c,a\n3,0,y\n", &dropped).unwrap().labels(),
        [1, 2]
    );
    assert_eq!(read_into("b,a\n3,y\n", &dropped).unwrap().labels(), [1, 2]);
}

/// Missing fields are unknown, or what they were in the data; columns may be absent, but not all of them.
#[test]
fn partial_tables_leave_open_what_they_do_not_say() {
    let schema = read_table(TABLE, &ReadOptions::default()).unwrap().schema;
    let partial = |contents: &str, missing: MissingIs| {
        let table = sample("p.csv", contents);
        read_partial(&table.source, &schema, &ReadOptions::default(), missing)
    };
    let labels = |contents: &str, missing: MissingIs| -> Vec<Option<u16>> {
        let rows = partial(contents, missing).unwrap();
        (0..3).map(|site| rows.label(0, site)).collect()
    };
    let text = "n,size\n?,NA\n";
    assert_eq!(labels(text, MissingIs::Unknown), [None, None, None]);
    // Only the last column had missing fields.
    assert_eq!(labels(text, MissingIs::Learned), [None, None, Some(1)]);
    assert_eq!(
        labels("size,n\n9,a\n", MissingIs::Learned),
        [Some(1), None, Some(0)]
    );
    let other = partial("x,y\n1,2\n", MissingIs::Unknown).unwrap_err();
    assert!(
        matches!(&other, DataError::MissingColumn { column, .. } if column == "size"),
        "{other}"
    );
    let unseen = partial("n\nb\n", MissingIs::Unknown).unwrap_err();
    assert!(
        matches!(unseen, DataError::UnseenCategory { line: 2, .. }),
        "{unseen}"
    );
}
