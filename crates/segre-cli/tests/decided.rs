//! Tables whose columns decide others, ranges that are given, constraints, weights, files that say what columns hold.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use common::{Room, stderr, stdout};

/// Orders: a city has a country, `total` is `net` + `tax`, an order starts before it ends.
fn orders(rows: usize) -> String {
    let mut text = "id,city,country,net,tax,total,start,end\n".to_owned();
    for k in 0..rows {
        let city = k * 7 % 11;
        let (net, tax) = (k * 7919 % 9973, k * 613 % 499);
        let (start, days) = (k * 31 % 27 + 1, k * k % 29);
        text += &format!(
            "ID-{k:05},c{city},{},{net},{tax},{},2024-01-{start:02},2024-{:02}-{:02}\n",
            ["north", "south", "west"][city % 3],
            net + tax,
            1 + (start + days) / 30,
            (start + days) % 28
                + 1
                + if (start + days) / 30 == 0 {
                    start.min(1)
                } else {
                    0
                },
        );
    }
    // What the last lines make of dates may be out of order: these are left out.
    let kept = text.lines().filter(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        fields[6] <= fields[7] || fields[0] == "id"
    });
    kept.map(|line| format!("{line}\n")).collect()
}

fn room_with_model() -> Room {
    let room = Room::new();
    room.write("orders.csv", orders(700));
    let fit = [
        "fit",
        "orders.csv",
        "--out",
        "m",
        "--steps",
        "40",
        "--hidden",
        "32",
    ];
    let constraint = ["--constraint", "start <= end", "--blocks", "1"];
    room.succeed(&[&fit[..], &constraint].concat());
    room
}

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let fields = line.split(',').map(str::to_owned);
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(fields)
            .collect()
    };
    lines.map(row).collect()
}

fn number(row: &BTreeMap<String, String>, name: &str) -> i64 {
    row[name]
        .parse()
        .unwrap_or_else(|_| panic!("{name}: {:?}", row[name]))
}

/// That rows keep all that decides them.
#[track_caller]
fn check(rows: &[BTreeMap<String, String>]) {
    for row in rows {
        let city: usize = row["city"][1..].parse().unwrap();
        assert_eq!(
            row["country"],
            ["north", "south", "west"][city % 3],
            "{row:?}"
        );
        assert_eq!(
            number(row, "total"),
            number(row, "net") + number(row, "tax"),
            "{row:?}"
        );
    }
}

#[test]
fn what_columns_decide_holds_in_samples_imputation_and_prediction() {
    let room = room_with_model();
    let info = room.succeed(&["info", "orders.csv"]);
    let notes = stderr(&info);
    for note in [
        "\"country\" is decided by \"city\"",
        "\"total\" is \"net\" + \"tax\"",
    ] {
        assert!(notes.contains(note), "{notes}");
    }
    assert!(stdout(&info).contains("5 columns"), "{}", stdout(&info));
    let kept = room.succeed(&["info", "orders.csv", "--columns-as", "country=category"]);
    assert!(!stderr(&kept).contains("\"country\" is decided"));

    room.succeed(&["sample", "m", "-n", "500", "--out", "s.csv"]);
    let drawn = rows(&room.text("s.csv"));
    check(&drawn);
    assert!(drawn.iter().all(|row| row["start"] <= row["end"]));

    // Every other field is missing; the identifier comes back.
    let mut holes = "id,city,country,net,tax,total,start,end\n".to_owned();
    for k in 0..60 {
        holes += match k % 3 {
            0 => "x1,,west,5,,105,2024-01-03,\n",
            1 => "x2,c4,,,40,1040,,2024-01-20\n",
            _ => "x3,,north,,,,,\n",
        };
    }
    room.write("holes.csv", &holes);
    for mode in ["sample", "map", "expected"] {
        let impute = [
            "impute",
            "m",
            "holes.csv",
            "--out",
            "whole.csv",
            "--mode",
            mode,
        ];
        room.succeed(&impute);
        let whole = rows(&room.text("whole.csv"));
        check(&whole);
        for (k, row) in whole.iter().enumerate() {
            assert_eq!(row["id"], ["x1", "x2", "x3"][k % 3]);
            match k % 3 {
                0 => assert_eq!((number(row, "tax"), &row["country"][..]), (100, "west")),
                1 => assert_eq!((number(row, "net"), &row["country"][..]), (1000, "south")),
                _ => assert_eq!(row["country"], "north"),
            }
        }
    }
    for (target, said) in [
        ("country", "accuracy 100.00 %"),
        ("total", "RMSE 0.0000"),
        ("tax", "RMSE 0.0000"),
    ] {
        let predicted = room.succeed(&["predict", "m", "orders.csv", "--target", target]);
        assert!(stdout(&predicted).contains(said), "{}", stdout(&predicted));
    }
    room.write("open.csv", "country,net\nwest,\n,10\n");
    let predict = [
        "predict", "m", "open.csv", "--target", "total", "--out", "-",
    ];
    let found = rows(&stdout(&room.succeed(&predict)));
    assert!(number(&found[1], "total") >= 10, "{found:?}");
}

#[test]
fn rows_that_contradict_what_decides_them_are_refused_or_read_without() {
    let room = room_with_model();
    room.write(
        "new.csv",
        "city,country,net,tax,total,start,end\n\
         c1,south,1,2,3,2024-01-02,2024-01-03\n\
         c1,north,1,2,3,2024-01-02,2024-01-03\n\
         c2,west,1,2,4,2024-01-02,2024-01-03\n",
    );
    room.refuse(
        &["score", "m", "new.csv"],
        &[
            "new.csv:3",
            "\"country\"",
            "\"north\"",
            "makes it \"south\"",
            "2 of 3 rows",
        ],
    );
    let scored = room.json(&["score", "m", "new.csv", "--unseen", "skip"]);
    assert_eq!(scored["rows"], 1);
    let scored = room.json(&["score", "m", "new.csv", "--unseen", "missing"]);
    assert_eq!(scored["rows"], 3);
    let sample = ["sample", "m", "-n", "5", "--out", "s.csv", "--given"];
    for (given, words) in [
        (
            "total=1000",
            &["more than one of the columns", "\"net\" + \"tax\""][..],
        ),
        ("city=c1,country=north", &["makes it \"south\""]),
        ("total=5..", &["\"net\" + \"tax\"", "give ranges of these"]),
        ("net=40..30", &["before it begins"]),
        ("city=c1..c2", &["no order"]),
    ] {
        room.refuse(&[&sample[..], &[given]].concat(), words);
    }
    room.refuse(
        &["score", "m", "orders.csv", "--given", "country"],
        &[
            "\"country\" is decided by \"city\"",
            "name city in its place",
        ],
    );
}

#[test]
fn ranges_and_sets_hold_exactly() {
    let room = room_with_model();
    for (given, holds) in [
        (
            "net=1000..1100",
            (|row| (1000..=1100).contains(&number(row, "net"))) as fn(&BTreeMap<_, _>) -> bool,
        ),
        ("net=..50|9000..", |row| {
            !(51..9000).contains(&number(row, "net"))
        }),
        ("city=c1|c2,tax=300..", |row| {
            ["c1", "c2"].contains(&&row["city"][..]) && number(row, "tax") >= 300
        }),
        ("country=west|north,start=2024-01-05..2024-01-07", |row| {
            row["country"] != "south" && ("2024-01-05"..="2024-01-07").contains(&&row["start"][..])
        }),
        ("total=1200,tax=200", |row| number(row, "net") == 1000),
    ] {
        room.succeed(&[
            "sample", "m", "-n", "150", "--out", "s.csv", "--given", given,
        ]);
        let drawn = rows(&room.text("s.csv"));
        assert_eq!(drawn.len(), 150);
        check(&drawn);
        let stranger = drawn.iter().find(|row| !holds(row));
        assert!(stranger.is_none(), "{given}: {stranger:?}");
    }
    room.write("open.csv", "city,net\nc1,\nc2,\nc3,1050\n");
    let given = ["--given", "net=1000..1100"];
    for mode in ["sample", "map", "expected"] {
        let impute = ["impute", "m", "open.csv", "--out", "w.csv", "--mode", mode];
        room.succeed(&[&impute[..], &given].concat());
        let whole = rows(&room.text("w.csv"));
        assert!(
            whole
                .iter()
                .all(|row| (1000..=1100).contains(&number(row, "net")))
        );
    }
    let predict = ["predict", "m", "open.csv", "--target", "net", "--out", "-"];
    let found = rows(&stdout(&room.succeed(&[&predict[..], &given].concat())));
    assert!(
        found
            .iter()
            .all(|row| (900..=1200).contains(&number(row, "net"))),
        "{found:?}"
    );
    room.refuse(
        &[
            "impute", "m", "open.csv", "--out", "x.csv", "--given", "net=..10",
        ],
        &["\"net\"", "row 2", "another value"],
    );
}

#[test]
fn constraints_are_checked_and_said() {
    let room = Room::new();
    let row = |k: usize| format!("{},{},{}\n", k * 7919 % 199, k * 7919 % 199 + k % 3, k % 2);
    let rows_text: String = (0..400).map(row).collect();
    room.write("t.csv", format!("low,high,b\n{rows_text}"));
    for (constraint, words) in [
        (
            "high < low",
            &["t.csv:2", "high < low", "400 of 400 rows"][..],
        ),
        ("low != high", &["write it as"]),
        ("low <= hihg", &["no column \"hihg\"", "did you mean high?"]),
    ] {
        let fit = ["fit", "t.csv", "--out", "x", "--constraint", constraint];
        room.refuse(&fit, words);
    }
    let fit = [
        "fit",
        "t.csv",
        "--out",
        "m",
        "--constraint",
        "low <= high",
        "--steps",
        "20",
    ];
    room.succeed(&[&fit[..], &["--hidden", "16", "--blocks", "1"]].concat());
    let drawn = room.succeed(&["sample", "m", "-n", "400", "--out", "s.csv"]);
    let notes = stderr(&drawn);
    assert!(
        notes.contains("broke low <= high and were drawn again"),
        "{notes}"
    );
    let drawn = rows(&room.text("s.csv"));
    assert!(
        drawn
            .iter()
            .all(|row| number(row, "low") <= number(row, "high"))
    );
}

#[test]
fn rows_count_as_they_weigh() {
    let room = Room::new();
    let row = |k: usize| format!("{},{},{}\n", ["a", "b"][k % 2], k / 2 % 3, [9, 1][k % 2]);
    let text: String = (0..600).map(row).collect();
    room.write("t.csv", format!("letter,n,w\n{text}"));
    let fit = [
        "fit",
        "t.csv",
        "--out",
        "m",
        "--weights",
        "w",
        "--steps",
        "200",
    ];
    room.succeed(&fit);
    room.succeed(&["sample", "m", "-n", "2000", "--out", "s.csv"]);
    let drawn = rows(&room.text("s.csv"));
    assert!(!drawn[0].contains_key("w"));
    let share = drawn.iter().filter(|row| row["letter"] == "a").count() as f64 / 2000.0;
    assert!((share - 0.9).abs() < 0.04, "{share}");
    // The mean of the score is that of the rows as they weigh.
    let score = |file: &str| room.json(&["score", "m", file])["nats"].as_f64().unwrap();
    let weighed = score("t.csv");
    let expected = 3.0_f64.ln() - 0.9 * 0.9_f64.ln() - 0.1 * 0.1_f64.ln();
    assert!((weighed - expected).abs() < 0.1, "{weighed} {expected}");
    let evaluated = room.json(&["evaluate", "m"]);
    let independent = evaluated["baselines"]["independent"].as_f64().unwrap();
    let bits = expected / (2.0 * std::f64::consts::LN_2);
    assert!((independent - bits).abs() < 0.1, "{independent} {bits}");
    let without: String = text
        .lines()
        .map(|line| format!("{}\n", &line[..3]))
        .collect();
    room.write("plain.csv", format!("letter,n\n{without}"));
    assert!(score("plain.csv") > weighed + 0.3);
    for (weight, value) in [("-1", "\"-1\""), ("", "missing"), ("x", "\"x\"")] {
        room.write("bad.csv", format!("letter,n,w\na,0,1\nb,1,{weight}\n"));
        let fit = ["fit", "bad.csv", "--out", "x", "--weights", "w"];
        room.refuse(&fit, &["bad.csv:3", "\"w\"", value]);
    }
    room.refuse(
        &["fit", "t.csv", "--out", "x", "--weights", "v"],
        &["no column \"v\" to weigh rows by"],
    );
}

#[test]
fn files_say_what_columns_hold() {
    let room = Room::new();
    let row = |k: usize| format!("{k},{:02}/03/24,{},{}\n", k % 28 + 1, k % 30, k * 5 % 7);
    let text: String = (0..90).map(row).collect();
    room.write("t.csv", format!("key,day,zip,n\n{text}"));
    let metadata = r#"{"tables": {"t": {"primary_key": "key", "columns": {
        "key": {"sdtype": "id"}, "day": {"sdtype": "datetime", "datetime_format": "%d/%m/%y"},
        "zip": {"sdtype": "categorical"}, "n": {"sdtype": "numerical"}}}}, "relationships": []}"#;
    room.write("meta.json", metadata);
    let known = room.json(&["info", "t.csv", "--columns-as", "meta.json"]);
    assert_eq!(known["columns_as"]["key"], "leave-out");
    assert_eq!(known["columns_as"]["day"], "date");
    assert_eq!(known["date_formats"]["day"], "%d/%m/%y");
    assert_eq!(known["columns_as"]["zip"], "category");
    assert_eq!(known["columns_as"]["n"], "number");
    // What is printed says the same again.
    room.write("own.json", known.to_string());
    let again = room.json(&["info", "t.csv", "--columns-as", "own.json"]);
    assert_eq!(again, known);
    let words = ["info", "t.csv", "--columns-as", "own.json,zip=number"];
    assert_eq!(room.json(&words)["columns_as"]["zip"], "number");
    room.write("bad.json", "{}");
    room.refuse(
        &["info", "t.csv", "--columns-as", "bad.json"],
        &["bad.json", "columns_as"],
    );
}

#[test]
fn tables_come_from_standard_input_and_go_to_standard_output() {
    let room = Room::new();
    let text: String = (0..80)
        .map(|k| format!("{},{}\n", ["x", "y"][k % 2], k / 2 % 2))
        .collect();
    let text = format!("a,b\n{text}");
    let pipe = |arguments: &[&str], input: &str| {
        let mut command = room.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        stdout(&output)
    };
    pipe(
        &[
            "fit", "-", "--out", "m", "--steps", "20", "--hidden", "16", "--blocks", "1",
        ],
        &text,
    );
    let drawn = pipe(&["sample", "m", "-n", "30", "--out", "-"], "");
    assert_eq!(
        (drawn.lines().next(), drawn.lines().count()),
        (Some("a,b"), 31)
    );
    let whole = pipe(&["impute", "m", "-", "--out", "-"], "a,b\nx,\n,1\n");
    assert!(
        whole.lines().count() == 3 && !whole.contains('?'),
        "{whole}"
    );
    let scores = pipe(&["score", "m", "-", "--out", "-"], &drawn);
    assert!(
        scores.starts_with("row,nats") && scores.lines().count() == 31,
        "{scores}"
    );
    let predicted = pipe(
        &["predict", "m", "-", "--target", "a", "--out", "-"],
        &drawn,
    );
    assert!(predicted.starts_with("row,a,p(x),p(y)"), "{predicted}");
    room.refuse(
        &["sample", "m", "-n", "3", "--out", "-", "--json"],
        &["--out -", "--json"],
    );
}

#[test]
fn missing_fields_that_the_fit_knows_are_filled_in_or_stay_as_asked() {
    let room = Room::new();
    let text: String = (0..200)
        .map(|k| format!("{},{}\n", ["x", "y", ""][k % 3], ["u", "v"][k / 3 % 2]))
        .collect();
    room.write("t.csv", format!("a,b\n{text}"));
    room.fit("t.csv", "m");
    room.write("holes.csv", "a,b\n,u\nx,\n,\n");
    let impute = ["impute", "m", "holes.csv", "--out", "w.csv"];
    room.succeed(&impute);
    assert!(!room.text("w.csv").contains('?'));
    let said = room.json(&[&impute[..], &["--fill", "missing"]].concat());
    assert_eq!(
        (said["missing"].as_u64(), said["kept_missing"].as_u64()),
        (Some(2), Some(2))
    );
    let whole = rows(&room.text("w.csv"));
    assert_eq!(
        [0, 1, 2].map(|row| whole[row]["a"] == "?"),
        [true, false, true]
    );
    assert!(whole.iter().all(|row| row["b"] != "?"));
}

#[test]
fn samples_of_one_class_are_as_many_as_asked() {
    let room = Room::new();
    let text: String = (0..300)
        .map(|k| format!("{},{}\n", k % 4, if k % 10 == 0 { ">50K" } else { "<=50K" }))
        .collect();
    room.write("t.csv", format!("n,income\n{text}"));
    room.fit("t.csv", "m");
    let sample = [
        "sample",
        "m",
        "-n",
        "200",
        "--out",
        "s.csv",
        "--given",
        "income=\">50K\"",
    ];
    room.succeed(&sample);
    let drawn = rows(&room.text("s.csv"));
    assert!(drawn.len() == 200 && drawn.iter().all(|row| row["income"] == ">50K"));
}
