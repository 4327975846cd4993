//! Tests of the reader of alignments: wraps, case, insertions, what is refused.

use super::*;
use crate::data::{DataSource, ReadOptions};

fn read_fasta(contents: &str, schema: Option<&Schema>) -> Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fasta");
    std::fs::write(&path, contents).unwrap();
    match schema {
        Some(schema) => {
            crate::data::read_as(&DataSource::File(path), schema, &ReadOptions::default())
        }
        None => crate::data::read(&DataSource::File(path), &ReadOptions::default()),
    }
}

#[test]
fn records_may_span_lines_and_the_gap_comes_first() {
    let data = read_fasta(">one x\r\nACg\r\nU-\r\n\r\n>two\n.-\n  ACA\n", None).unwrap();
    let symbols: Vec<_> = (0..6)
        .map(|label| data.schema.category_name(0, label).into_owned())
        .collect();
    assert_eq!(symbols, ["-", ".", "A", "C", "G", "U"]);
    assert_eq!(data.labels(), [2, 3, 4, 5, 0, 1, 0, 2, 3, 2]);
    assert_eq!(data.schema.sites[4].name, "position 5");
    assert_eq!(data.schema.layout, Layout::Sequence);
}

#[test]
fn bad_alignments_are_placed() {
    let fail = |contents: &str| read_fasta(contents, None).unwrap_err();
    let short = fail(">one\nACG\n>two\nAC\n");
    assert!(
        matches!(&short, DataError::UnalignedRecord { line: 3, record, found: 2, expected: 3, .. }
            if record == "two"),
        "{short}"
    );
    assert!(matches!(
        fail("ACG\n>one\nACG\n"),
        DataError::NotFasta { line: 1, .. }
    ));
    assert!(matches!(fail("\n\n"), DataError::NoData { .. }));
    assert!(matches!(
        fail(">one\n>two\n"),
        DataError::UnalignedRecord { found: 0, .. }
    ));
    let schema = read_fasta(">one\nAC-\n", None).unwrap().schema;
    let unseen = read_fasta(">one\nACA\n>two\nAC\nX\n", Some(&schema)).unwrap_err();
    assert!(
        matches!(&unseen, DataError::UnseenCategory { line: 5, value, known: 3, .. } if value == "X"),
        "{unseen}"
    );
    assert!(unseen.to_string().contains("position 3"), "{unseen}");
    let long = read_fasta(">one\nACAA\n", Some(&schema)).unwrap_err();
    assert!(
        matches!(long, DataError::UnalignedRecord { expected: 3, .. }),
        "{long}"
    );
    assert_eq!(
        read_fasta(">x\nca-\n", Some(&schema)).unwrap().labels(),
        [2, 1, 0]
    );
}

/// A record without sequence may be one whose line break is missing; records may be joined anywhere.
#[test]
fn joined_records_are_refused_with_their_line() {
    let fail = |contents: &str| read_fasta(contents, None).unwrap_err().to_string();
    let joined = fail(">one\nACGTAC\n>two ACG-AC\n>three\nAGGTAC\n");
    assert!(
        joined.contains(":3: record \"two ACG-AC\" has 0 symbols") && joined.contains("line break"),
        "{joined}"
    );
    let empty = fail(">one\nACGTAC\n>two\n>three\nAGGTAC\n");
    assert!(
        empty.contains(":3: record \"two\" has 0 symbols"),
        "{empty}"
    );
    let within = fail(">one\nACG>two\nACG\n");
    assert!(
        within.contains(":2:") && within.contains("character 4"),
        "{within}"
    );
    let comment = fail(">one\n; a comment\nACG\n");
    assert!(
        comment.contains(":2:") && comment.contains("';'"),
        "{comment}"
    );
    for (text, name) in [
        ("# STOCKHOLM 1.0\none ACG\n//\n", "Stockholm"),
        ("CLUSTAL W\n\none ACG\n", "Clustal"),
        (" 2 3\none ACG\ntwo ACG\n", "PHYLIP"),
    ] {
        let message = fail(text);
        assert!(
            message.contains(":1:") && message.contains(name),
            "{message}"
        );
    }
}

#[test]
fn hyphens_between_records_are_no_gaps() {
    for text in [
        ">a\nACGTAC\n--\n>b\nACG-AC\n--\n>c\nAGGTAC\n",
        ">a\nACGTAC\n--\n>b\nACG-AC\n--\n>c\nAGGTAC\n--\n",
        ">a\nACG\nTAC\n--\n\n>b\nACG\n-AC\n",
    ] {
        let error = read_fasta(text, None).unwrap_err();
        assert!(matches!(error, DataError::BadAlignment { .. }), "{error}");
    }
    // Lines that break before the last two columns.
    let gaps = read_fasta(">a\nACGT\n--\n>b\nACGT\nA-\n", None).unwrap();
    assert_eq!(gaps.labels(), [1, 2, 3, 4, 0, 0, 1, 2, 3, 4, 1, 0]);
    assert_eq!(read_fasta(">a\nACGT\n--\n", None).unwrap().sites(), 6);
}

#[test]
fn insertions_are_left_out_of_a3m_and_never_shift_columns_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let read_as = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        crate::data::read(&DataSource::File(path), &ReadOptions::default())
    };
    let aligned = ">q\nACGT\n>h\nAacC-T.\n>i\nA-GgT\n";
    let data = read_as("a.a3m", aligned).unwrap();
    assert_eq!(data.labels(), [1, 2, 3, 4, 1, 2, 0, 4, 1, 0, 3, 4]);
    assert_eq!(
        data.schema.notes,
        ["3 lower-case letters are insertions and left out"]
    );
    let error = read_as("a.fasta", aligned).unwrap_err().to_string();
    assert!(error.contains(":3:") && error.contains(".a3m"), "{error}");
    // One insertion each, at different places.
    let error = read_as("a.fasta", ">q\nAcCG\n>h\nACgG\n").unwrap_err();
    assert!(
        matches!(error, DataError::BadAlignment { line: 3, .. }),
        "{error}"
    );
    // Masked columns, and masks that differ in length.
    for masked in [
        ">q\nAcCG\n>h\nAgTG\n",
        ">q\nAcCG\n>h\nAgtG\n",
        ">q\nac\n>h\ngt\n",
    ] {
        let data = read_as("a.fasta", masked).unwrap();
        assert_eq!(
            data.schema.notes,
            ["lower-case letters are read as capitals"]
        );
    }
}

#[test]
fn lines_of_old_macs_end_too() {
    let data = read_fasta(">one\rACG\rT\r>two\rA-GT\r", None).unwrap();
    assert_eq!((data.rows(), data.sites()), (2, 4));
}

#[test]
fn numbers_among_the_symbols_are_refused_and_digits_as_symbols_noted() {
    for contents in [
        ">a\n1 ACGTACGT 8\n",
        ">a\nACGT\n  61 ACGT ACGT\n",
        ">a\nACGT ACGT 120\n",
        ">a\n40 40 38 37\n",
    ] {
        let error = read_fasta(contents, None).unwrap_err().to_string();
        assert!(
            error.contains("the number ") && error.contains("blanks"),
            "{error}"
        );
    }
    for contents in [
        ">a\n0101-\n",
        ">a\n0 1 0 1 -\n",
        ">a\n0101010101 0101010101\n",
        ">a\n01\n10\n",
    ] {
        let notes = read_fasta(contents, None).unwrap().schema.notes;
        assert_eq!(notes, ["digits are read as symbols, each for itself"]);
    }
}

#[test]
fn symbols_that_may_mean_the_same_are_noted() {
    let notes = |contents: &str| read_fasta(contents, None).unwrap().schema.notes;
    assert_eq!(
        notes(">a\nA-C\n>b\nA.C\n"),
        ["'-' and '.' are read as different symbols"]
    );
    assert!(notes(">a\nA-C\n>b\nAGC\n").is_empty());
}
