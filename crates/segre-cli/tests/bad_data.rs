//! Data that cannot be read: one line with the place and the remedy, and nothing is written.

mod common;

use common::{Room, TINY, images, npy, npz, table, with};

/// `fit FILE` must be refused, with these words.
#[track_caller]
fn refuse_fit(room: &Room, data: &str, options: &[&str], fragments: &[&str]) {
    let arguments = with(&["fit", data, "--out", "model"], &TINY);
    room.refuse(&with(&arguments, options), fragments);
}

#[test]
fn a_missing_file_is_named_beside_the_built_ins() {
    let room = Room::new();
    let fragments = [
        "\"nowhere.csv\"",
        "no such file",
        "digits",
        "path of a file",
    ];
    refuse_fit(&room, "nowhere.csv", &[], &fragments);
    room.refuse(&["info", "nowhere.csv"], &fragments);
    refuse_fit(&room, "digitz", &[], &["\"digitz\"", "digits", "pinwheel"]);
}

#[test]
fn bad_parameters_of_a_built_in_are_named_with_the_legal_ones() {
    let room = Room::new();
    for (source, fragments) in [
        ("product:c=1", ["c=\"1\"", "from 2 to 65535"]),
        ("product:c=many,n=2", ["c=\"many\"", "integer"]),
        ("product:n=0", ["n=\"0\"", "from 1"]),
        ("product:k=3", ["no parameter \"k\"", "c, n, seed, rows"]),
        ("product:c=3,c=4", ["c=\"4\"", "once"]),
        ("coupled-binary:rows=-5", ["rows=\"-5\"", "from 1"]),
        (
            "digits:rows=5",
            ["digits has no parameter \"rows\"", "none"],
        ),
    ] {
        refuse_fit(&room, source, &[], &fragments);
    }
}

#[test]
fn tables_without_rows_or_columns_are_refused() {
    let room = Room::new();
    room.write("empty.csv", "");
    room.write("blank.csv", "\n\n");
    room.write("header.csv", "a,b\n");
    refuse_fit(
        &room,
        "empty.csv",
        &[],
        &["empty.csv", "the file is empty", "at least one row"],
    );
    refuse_fit(
        &room,
        "blank.csv",
        &[],
        &["blank.csv", "empty", "at least one row"],
    );
    refuse_fit(
        &room,
        "header.csv",
        &[],
        &["header.csv", "only a header", "at least one row"],
    );
    room.write("holes.csv", "a,b\n?,1\n2,\n");
    let options = ["--missing", "drop"];
    refuse_fit(
        &room,
        "holes.csv",
        &options,
        &["holes.csv", "missing field"],
    );
    let options = ["--drop", "a,b"];
    refuse_fit(
        &room,
        "holes.csv",
        &options,
        &["holes.csv", "no columns", "one column"],
    );
}

#[test]
fn a_ragged_row_is_named_by_its_line() {
    let room = Room::new();
    room.write("short.csv", "a,b\n1,2\n3\n");
    let fragments = ["short.csv:3:", "1 fields", "2 are expected", "add or quote"];
    refuse_fit(&room, "short.csv", &[], &fragments);
    // Lines count as an editor shows them: blank ones and those within quotes too.
    room.write("long.csv", "a,b\r\n\"1\n1\",2\n\n3,4\n5,6,7\n8,9\n");
    refuse_fit(
        &room,
        "long.csv",
        &[],
        &["long.csv:6:", "3 fields", "2 are expected"],
    );
    room.write("long.tsv", "a\tb\n1\t2\n1\t2\t3\n");
    refuse_fit(&room, "long.tsv", &[], &["long.tsv:3:", "3 fields"]);
}

#[test]
fn text_that_is_not_utf8_is_named_by_its_line() {
    let room = Room::new();
    room.write("latin.csv", b"a,b\n1,2\ncaf\xe9,3\n");
    let fragments = ["latin.csv:3:", "byte 11", "convert", "UTF-8"];
    refuse_fit(&room, "latin.csv", &[], &fragments);
    room.write("latin.txt", b"caf\xe9");
    refuse_fit(
        &room,
        "latin.txt",
        &["--text-window", "2"],
        &["latin.txt:1:", "UTF-8"],
    );
}

#[test]
fn columns_must_have_names_of_their_own() {
    let room = Room::new();
    room.write("twice.csv", "a,b,a\n1,2,3\n");
    let fragments = ["twice.csv", "columns 1 and 3", "\"a\"", "rename"];
    refuse_fit(&room, "twice.csv", &[], &fragments);
}

#[test]
fn unknown_columns_are_refused_with_the_known_ones() {
    let room = Room::new();
    room.write("t.csv", table(50));
    for (option, names, action) in [
        ("--drop", "weight", "drop"),
        ("--columns", "flag,weight", "select"),
    ] {
        let fragments = ["t.csv", "\"weight\"", action, "colour, flag, size"];
        refuse_fit(&room, "t.csv", &[option, names], &fragments);
    }
}

#[test]
fn unknown_file_types_are_refused_with_the_known_ones() {
    let room = Room::new();
    room.write("data.xlsx", "PAR1");
    refuse_fit(
        &room,
        "data.xlsx",
        &[],
        &["data.xlsx", ".csv", ".npy", ".txt"],
    );
    std::fs::create_dir(room.path("folder")).expect("a new folder");
    let fragments = ["folder", "no .png file", "use one of"];
    refuse_fit(&room, "folder", &[], &fragments);
}

#[test]
fn arrays_must_hold_labels() {
    let room = Room::new();
    room.write("negative.npy", npy::<i32>(&[3, 2], &[0, 1, 2, 3, -7, 1]));
    let fragments = ["negative.npy", "row 2", "-7", "from 0", "correct or map"];
    refuse_fit(&room, "negative.npy", &[], &fragments);
    room.write("large.npy", npy::<i64>(&[2, 2], &[0, 1, 70_000, 3]));
    refuse_fit(
        &room,
        "large.npy",
        &[],
        &["large.npy", "row 1", "70000", "65534"],
    );
    room.write("float.npy", npy::<f64>(&[2, 2], &[0.0, 1.0, 2.0, 3.0]));
    refuse_fit(
        &room,
        "float.npy",
        &[],
        &["float.npy", "f8", "labels are integers", "astype"],
    );
    room.write("flat.npy", npy::<u8>(&[4], &[0, 1, 2, 3]));
    refuse_fit(
        &room,
        "flat.npy",
        &[],
        &["flat.npy", "[4]", "[rows, sites]"],
    );
    room.write("none.npy", npy::<u8>(&[0, 4], &[]));
    refuse_fit(
        &room,
        "none.npy",
        &[],
        &["none.npy", "empty", "at least one row"],
    );
}

#[test]
fn truncated_arrays_are_refused_wherever_they_end() {
    let room = Room::new();
    let values: Vec<u16> = (0..400).map(|value| value % 7).collect();
    let whole = npz("samples", &[100, 4], &values);
    for length in [0, 10, whole.len() / 2, whole.len() - 1] {
        room.write("cut.npz", &whole[..length]);
        refuse_fit(&room, "cut.npz", &[], &["cut.npz", "again"]);
    }
    let whole = images(20);
    for length in [0, 5, 40, whole.len() - 1] {
        room.write("cut.npy", &whole[..length]);
        refuse_fit(
            &room,
            "cut.npy",
            &[],
            &["cut.npy", "truncated or damaged", "again"],
        );
    }
    // The other way round: damaged within, at its full length.
    let mut damaged = npz("samples", &[100, 4], &values);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    room.write("bad.npz", &damaged);
    refuse_fit(&room, "bad.npz", &[], &["bad.npz", "again"]);
    room.write("good.npz", npz("samples", &[100, 4], &values));
    refuse_fit(
        &room,
        "good.npz:other",
        &[],
        &["good.npz", "\"other\"", "samples"],
    );
}

#[test]
fn sequences_must_be_aligned_and_texts_long_enough() {
    let room = Room::new();
    room.write("a.fasta", ">one\nACGT\n>two\nACG\n");
    refuse_fit(
        &room,
        "a.fasta",
        &[],
        &["a.fasta:3:", "\"two\"", "3 symbols", "4 are expected"],
    );
    room.write("b.fasta", "ACGT\n");
    refuse_fit(&room, "b.fasta", &[], &["b.fasta:1:", "'>'"]);
    room.write("empty.fasta", "");
    refuse_fit(
        &room,
        "empty.fasta",
        &[],
        &["empty.fasta", "at least one row"],
    );
    room.write("short.txt", "abc");
    refuse_fit(
        &room,
        "short.txt",
        &[],
        &["short.txt", "3 characters", "window of 64", "shorter"],
    );
    room.write("empty.txt", "");
    refuse_fit(&room, "empty.txt", &[], &["empty.txt"]);
}

#[test]
fn every_part_of_the_split_needs_a_row() {
    let room = Room::new();
    room.write("three.csv", table(3));
    let fragments = ["cannot split 3 rows", "every part needs a row", "more data"];
    refuse_fit(&room, "three.csv", &[], &fragments);
    room.write("t.csv", table(100));
    for (validation, test, part) in [
        ("0.9", "0.2", "training"),
        ("0", "0.2", "validation"),
        ("0.1", "0", "test"),
        ("nan", "0.1", "validation"),
        ("0.1", "1.5", "test"),
        ("0.5", "0.5", "training"),
    ] {
        let options = ["--validation", validation, "--test", test];
        let fragments = ["cannot split 100 rows", part, "other fractions"];
        refuse_fit(&room, "t.csv", &options, &fragments);
    }
    let negative = ["--validation=-0.1"];
    refuse_fit(
        &room,
        "t.csv",
        &negative,
        &["cannot split 100 rows", "-0.1"],
    );
}
