//! `evaluate --quality`: what is said of samples, of copies and of columns by themselves.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fmt::Write;

use common::{Room, number, stdout};
use serde_json::Value;

const EVALUATE: [&str; 4] = ["evaluate", "model", "--quality", "--quiet"];

/// Hours and a wage that follow each other, gaps among the hours, a plan that they decide but for chance.
fn wages(rows: usize, from: usize) -> String {
    let mut text = String::from("hours,wage,town,plan\n");
    for row in from..from + rows {
        let random = |step: usize| row * step % 9973 * 7 % 1009;
        let hours = 100 + random(31) % 300;
        let wage = hours * 25 + random(57) % 900;
        let plan = match wage > 6000 && random(77) % 10 != 0 {
            true => "gold",
            false => "basic",
        };
        let hours = match random(91) % 12 {
            0 => String::new(),
            _ => hours.to_string(),
        };
        let (wage, town) = (wage as f64 / 100.0, random(13) % 6);
        writeln!(text, "{hours},{wage:.2},t{town},{plan}").unwrap();
    }
    text
}

/// The same fields, every column in an order of its own.
fn independent(text: &str) -> String {
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let mut out = String::from("hours,wage,town,plan\n");
    for row in 0..rows.len() {
        let field =
            |column: usize| rows[(row * [1, 7, 11, 13][column] + 5 * column) % rows.len()][column];
        let fields: Vec<&str> = (0..4).map(field).collect();
        writeln!(out, "{}", fields.join(",")).unwrap();
    }
    out
}

/// A model of few steps, whose test part is a file.
fn room_with_model() -> Room {
    let room = Room::new();
    room.write("wages.csv", wages(1200, 0));
    room.write("held.csv", wages(400, 1200));
    room.succeed(&[
        "fit",
        "wages.csv",
        "--test-data",
        "held.csv",
        "--out",
        "model",
        "--steps",
        "30",
        "--hidden",
        "16",
    ]);
    room
}

fn value(report: &Value, path: &str) -> f64 {
    number(report.pointer(path).unwrap_or(&Value::Null), "value")
}

#[test]
fn samples_copies_and_columns_by_themselves_are_told_apart() {
    let room = room_with_model();
    let drawn = room.json(&EVALUATE);
    assert_eq!(drawn["training_rows"], 1080);
    assert_eq!(drawn["synthetic_rows"], 1080);
    assert_eq!(drawn["held_out_rows"], 400);
    assert_eq!(drawn["columns"].as_array().unwrap().len(), 4);
    assert_eq!(drawn["pairs"].as_array().unwrap().len(), 6);
    assert_eq!(drawn["columns"][0]["measure"], "KSComplement");
    assert_eq!(drawn["columns"][3]["measure"], "TVComplement");
    assert_eq!(drawn["usefulness"]["target"], "plan");
    for path in [
        "/overall",
        "/column_shapes",
        "/column_pair_trends",
        "/all_column_pairs",
        "/two_sample/score",
    ] {
        let score = value(&drawn, path);
        assert!((0.0..=1.0).contains(&score), "{path}: {score}");
        assert!(
            drawn.pointer(path).unwrap()["perfect"].as_f64().unwrap() > 0.9,
            "{path}"
        );
    }
    assert_eq!(drawn, room.json(&EVALUATE));

    // Nine tenths of the file are the training part.
    let further = ["--synthetic", "wages.csv"];
    let copies = room.json(&common::with(&EVALUATE, &further));
    assert_eq!(copies["memorisation"], "copies");
    assert!(value(&copies, "/privacy/share_copies") >= 0.9);
    assert!(
        value(&copies, "/privacy/membership_auc") > 0.8,
        "{}",
        copies["privacy"]
    );
    assert!(value(&copies, "/column_shapes") > 0.98);
    let text = stdout(&room.succeed(&common::with(&EVALUATE, &further)));
    for words in [
        "wages.csv",
        "a copying model",
        "REPEAT TRAINING ROWS",
        "hours × wage",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }

    room.write("apart.csv", independent(&room.text("wages.csv")));
    let apart = room.json(&common::with(
        &EVALUATE,
        &["--synthetic", "apart.csv", "--target", "wage"],
    ));
    assert!(value(&apart, "/column_shapes") > 0.98);
    assert!(
        value(&apart, "/column_pair_trends") < 0.8,
        "{}",
        apart["pairs"]
    );
    assert!(
        value(&apart, "/two_sample/score") < 0.5,
        "{}",
        apart["two_sample"]
    );
    assert_eq!(apart["usefulness"]["measure"], "R²");
    assert!(
        value(&apart, "/usefulness/synthetic") < 0.3 && number(&apart["usefulness"], "real") > 0.8
    );
    assert_eq!(apart["memorisation"], "none", "{}", apart["verdict"]);
}

#[test]
fn what_cannot_be_judged_is_refused() {
    let room = room_with_model();
    room.write("odd.csv", "hours,wage,town,plan\n120,30.00,t9,gold\n");
    room.write("few.csv", "hours,wage,town,plan\n120,30.00,t1,gold\n");
    for (further, words) in [
        (["--target", "salary"], ["--target", "salary", "plan"]),
        (["--synthetic", "odd.csv"], ["odd.csv:2", "town", "t9"]),
        (
            ["--synthetic", "few.csv"],
            ["--quality", "1 synthetic rows", "give more"],
        ),
        (
            ["--impute", "0.2"],
            ["--quality", "--impute", "cannot be used"],
        ),
    ] {
        room.refuse(&common::with(&EVALUATE, &further), &words);
    }
    room.refuse(
        &["evaluate", "model", "--synthetic", "wages.csv"],
        &["required arguments"],
    );
    room.fit("digits", "pictures");
    room.refuse(
        &["evaluate", "pictures", "--quality"],
        &["--quality is for tables", "image"],
    );
}
