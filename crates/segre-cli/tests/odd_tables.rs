//! Tables as other programs write them, and tables that differ a little from the fit's.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::Room;

fn info(room: &Room, arguments: &[&str]) -> (String, String) {
    let output = room.succeed(&[&["info"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Pubs in two regions; beer goes with north, wine with south.
fn room_with_model() -> Room {
    let room = Room::new();
    let row = |k: usize| match k % 2 {
        0 => "north,beer\n",
        _ => "south,wine\n",
    };
    let rows: String = (0..120).map(row).collect();
    room.write("pubs.csv", format!("region,drink\n{rows}"));
    room.succeed(&["fit", "pubs.csv", "--out", "model", "--steps", "150"]);
    room
}

#[test]
fn what_separates_fields_is_found_and_said() {
    let room = Room::new();
    for (text, said) in [
        ("a;b\n1,5;x\n2,5;y\n", "separated by ';'"),
        ("a|b\n1|x\n2|y\n", "separated by '|'"),
        ("a\tb\r1\tx\r2\ty\r", "separated by '\\t'"),
        ("a,b\r\n1,x\r\n2,y\r\n", ""),
    ] {
        room.write("t.csv", text);
        let (out, notes) = info(&room, &["t.csv"]);
        assert!(out.contains("2 rows") && out.contains("2 sites"), "{out}");
        assert!(out.contains("a: 2") && out.contains("b: 2"), "{out}");
        assert!(notes.contains(said), "{notes}");
        assert_eq!(notes.is_empty(), said.is_empty(), "{notes}");
    }
}

/// Columns that a table lacks, or has nothing in, are named where they are filled in or predicted from.
#[test]
fn columns_without_values_are_named() {
    let room = room_with_model();
    for (name, text) in [
        ("absent.csv", "drink\nbeer\nwine\n"),
        ("empty.csv", "region,drink\n,beer\n?,wine\n"),
    ] {
        room.write(name, text);
        let impute = ["impute", "model", name, "--out", "f.csv"];
        let said = common::stderr(&room.succeed(&impute));
        assert!(said.contains("no row has a value of \"region\""), "{said}");
        let predict = |target| {
            let words = [
                "predict", "model", name, "--target", target, "--out", "p.csv",
            ];
            common::stderr(&room.succeed(&words))
        };
        assert!(!predict("region").contains("no row"));
        assert!(predict("drink").contains("\"region\""));
        room.refuse(
            &["score", "model", "absent.csv"],
            &["\"region\" is missing"],
        );
        std::fs::remove_file(room.path("f.csv")).unwrap();
        std::fs::remove_file(room.path("p.csv")).unwrap();
    }
    room.write("some.csv", "region,drink\n,beer\nsouth,wine\n");
    let said = room.succeed(&["impute", "model", "some.csv", "--out", "f.csv"]);
    assert!(!common::stderr(&said).contains("no row"));
}

#[test]
fn words_that_differ_in_capitals_only_are_said() {
    let room = Room::new();
    room.write("a.csv", "city,size\nRome,s\nrome,m\nPisa,s\n");
    let (found, said) = info(&room, &["a.csv"]);
    assert!(found.contains("3 categories"), "{found}");
    assert!(
        said.contains("\"city\": \"Rome\" and \"rome\" differ in capitals only")
            && !said.contains("size"),
        "{said}"
    );
}

#[test]
fn a_stray_quote_is_refused_with_its_line() {
    let room = Room::new();
    room.write("t.tsv", "a\tb\n1\tx\n2\t\"y\n3\tz\n");
    room.refuse(&["info", "t.tsv"], &["t.tsv:3", "quote"]);
    let text = "a,b\n1,\"two\nlines\"\n2,\"said \"\"yes\"\"\"\n";
    room.write("t.csv", text);
    let (out, _) = info(&room, &["t.csv"]);
    assert!(out.contains("t.csv: 2 rows"), "{out}");
}

#[test]
fn words_that_count_as_missing_are_named_and_can_be_set() {
    let room = Room::new();
    room.write("t.csv", "country,n\nNA,1\nDE,2\nNA,-\n?,2\n");
    let (out, notes) = info(&room, &["t.csv"]);
    assert!(out.contains("country: 2 categories \"DE\" \"?\""), "{out}");
    assert!(
        notes.contains("\"country\": 2 fields \"NA\" count as missing")
            && notes.contains("--missing-words \"?\""),
        "{notes}"
    );
    let (out, notes) = info(&room, &["t.csv", "--missing-words", "?,-"]);
    assert!(
        out.contains("country: 3 categories \"DE\" \"NA\" \"?\"")
            && out.contains("n: 3 categories \"1\" \"2\" \"?\""),
        "{out}"
    );
    assert!(notes.contains("1 fields \"-\""), "{notes}");
    let (_, notes) = info(&room, &["t.csv", "--missing", "drop"]);
    assert!(notes.contains("3 of 4 rows lack a field"), "{notes}");
}

#[test]
fn names_with_commas_stand_in_double_quotes() {
    let room = Room::new();
    room.write("t.csv", "\"income, yearly\",b\nlow,1\nhigh,2\n");
    let (out, _) = info(&room, &["t.csv", "--drop", "\"income, yearly\""]);
    assert!(!out.contains("income"), "{out}");
    let kinds = "\"income, yearly=leave-out\"";
    let (out, _) = info(&room, &["t.csv", "--columns-as", kinds]);
    assert!(!out.contains("income, yearly:"), "{out}");
    room.refuse(
        &["info", "t.csv", "--drop", "income, yearly"],
        &[
            "no column \"income\"",
            "did you mean \"income, yearly\", in double quotes?",
        ],
    );
}

#[test]
fn unknown_columns_are_refused_with_the_one_that_was_meant() {
    let room = room_with_model();
    room.write("typo.csv", "Region,drink\nnorth,?\n");
    let words = ["typo.csv", "\"Region\"", "did you mean region?"];
    let sample = ["sample", "model", "-n", "2", "--out", "s.csv", "--given"];
    room.refuse(&[&sample[..], &["typo.csv"]].concat(), &words);
    room.refuse(&["impute", "model", "typo.csv", "--out", "i.csv"], &words);
    room.refuse(
        &["predict", "model", "typo.csv", "--target", "drink"],
        &words,
    );
    room.refuse(
        &[&sample[..], &["Drink=beer"]].concat(),
        &["\"Drink\"", "did you mean drink?"],
    );
}

#[test]
fn values_that_the_fit_has_not_seen_are_an_error_missing_or_left_out() {
    let room = room_with_model();
    room.write(
        "new.csv",
        "region,drink\nnorth,beer\neast,wine\nwest,wine\n",
    );
    let score = ["score", "model", "new.csv"];
    let unseen = |what: &'static str| [&score[..], &["--unseen", what]].concat();
    room.refuse(
        &score,
        &[
            "new.csv:3",
            "\"east\"",
            "2 values in 2 of 3 rows",
            "--unseen missing",
        ],
    );
    let skipped = room.succeed(&unseen("skip"));
    assert!(String::from_utf8_lossy(&skipped.stdout).contains("over 1 rows"));
    assert!(String::from_utf8_lossy(&skipped.stderr).contains("left out, with their rows"));
    // Regions are never missing in the fit: nothing to score them by.
    room.refuse(&unseen("missing"), &["\"region\"", "\"?\""]);
    let filled = [
        "impute", "model", "new.csv", "--out", "i.csv", "--unseen", "missing",
    ];
    let filled = room.succeed(&filled);
    assert!(String::from_utf8_lossy(&filled.stderr).contains("count as missing"));
    let text = room.text("i.csv");
    assert_eq!(text.lines().nth(1), Some("north,beer"));
    let mut others = text.lines().skip(2);
    assert!(others.all(|line| line.ends_with("wine")), "{text}");
}

#[test]
fn samples_can_be_given_values() {
    let room = room_with_model();
    let given = |given: &'static str| {
        let sample = ["sample", "model", "-n", "40", "--out", "s.csv", "--given"];
        [&sample[..], &[given]].concat()
    };
    room.succeed(&given("region=north"));
    let text = room.text("s.csv");
    let beers = text.lines().filter(|line| *line == "north,beer").count();
    assert!(text.lines().count() == 41 && beers >= 35, "{text}");
    room.succeed(&given("drink=\"wine\""));
    let text = room.text("s.csv");
    let mut rows = text.lines().skip(1);
    assert!(rows.all(|line| line.ends_with(",wine")), "{text}");
    for (wrong, words) in [
        ("region=east", ["\"east\"", "none of the 2 categories"]),
        ("region", ["region", "no built-in"]),
        ("region=north,drink", ["--given", "NAME=VALUE"]),
    ] {
        room.refuse(&given(wrong), &words);
    }
}
