//! `impute` and `predict`: missing fields filled in, known ones untouched, in the user's own words.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Room, number, with};
use std::fmt::Write;

/// A table whose columns say the same in different words, and one that says nothing.
fn copies(rows: usize) -> String {
    let mut text = String::from("animal,sound,coin\n");
    for row in 0..rows {
        let (animal, sound) = [("cat", "meow"), ("dog", "woof"), ("cow", "moo")][row % 3];
        let coin = ["heads", "tails"][row / 3 % 2];
        writeln!(text, "{animal},{sound},{coin}").unwrap();
    }
    text
}

fn room_with_model() -> Room {
    let room = Room::new();
    room.write("t.csv", copies(600));
    let fit = [
        "fit",
        "t.csv",
        "--out",
        "model",
        "--quiet",
        "--conditional",
        "any",
        // Not what it is: a column that another decides.
        "--columns-as",
        "sound=category",
    ];
    let size = [
        "--steps",
        "300",
        "--hidden",
        "32",
        "--learning-rate",
        "5e-3",
    ];
    room.succeed(&with(&fit, &size));
    room
}

#[test]
fn missing_fields_are_filled_and_known_ones_stay() {
    let room = room_with_model();
    room.write(
        "holes.csv",
        "coin,animal,sound\nheads,cat,\n?,,moo\ntails,NA,woof\n",
    );
    let impute = ["impute", "model", "holes.csv", "--quiet", "--out"];
    let report = room.json(&with(&impute, &["map.csv", "--mode", "map"]));
    assert_eq!(
        (number(&report, "rows"), number(&report, "missing")),
        (3.0, 4.0)
    );
    let text = room.text("map.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "animal,sound,coin");
    assert_eq!(lines[1], "cat,meow,heads");
    assert!(lines[2].starts_with("cow,moo,"), "{text}");
    assert_eq!(lines[3], "dog,woof,tails");

    let report = room.json(&with(&impute, &["draws.csv", "--samples", "200"]));
    assert_eq!(number(&report, "written"), 600.0);
    let text = room.text("draws.csv");
    let draws: Vec<&str> = text.lines().skip(1).collect();
    assert!(
        draws[..200]
            .iter()
            .all(|line| line.ends_with("heads") && line.starts_with("cat"))
    );
    let right = draws[200..400]
        .iter()
        .filter(|line| line.starts_with("cow,moo"))
        .count();
    let heads = draws[200..400]
        .iter()
        .filter(|line| line.ends_with("heads"))
        .count();
    assert!(right >= 190, "{right} of 200 cows");
    assert!((60..140).contains(&heads), "{heads} heads of 200");

    room.succeed(&with(&impute, &["chances.csv", "--mode", "mean"]));
    let text = room.text("chances.csv");
    assert_eq!(text.lines().next(), Some("row,column,category,probability"));
    // One field of 3, then 3 and 2, then 3.
    assert_eq!(text.lines().count(), 1 + 3 + 5 + 3);
    let sum: f64 = text
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert!((sum - 4.0).abs() < 1e-3, "{sum}");
}

#[test]
fn a_column_is_predicted_with_and_without_the_truth() {
    let room = room_with_model();
    room.write("new.csv", copies(90));
    let predict = ["predict", "model", "new.csv", "--target", "animal"];
    let report = room.json(&with(&predict, &["--out", "p.csv", "--quiet"]));
    assert_eq!(number(&report, "accuracy"), 1.0, "{report}");
    assert!(number(&report, "log_loss") < 0.1, "{report}");
    let text = room.text("p.csv");
    assert_eq!(text.lines().next(), Some("row,animal,p(cat),p(cow),p(dog)"));
    assert!(text.lines().nth(2).unwrap().starts_with("1,dog,"), "{text}");

    room.write("blind.csv", "sound,coin\nmoo,tails\n");
    let predict = [
        "predict",
        "model",
        "blind.csv",
        "--target",
        "animal",
        "--quiet",
    ];
    let report = room.json(&predict);
    assert!(
        report["accuracy"].is_null() && number(&report, "known") == 0.0,
        "{report}"
    );
}

#[test]
fn bad_requests_are_refused() {
    let room = room_with_model();
    room.write(
        "holes.csv",
        "animal,sound,coin\ncat,,heads\ncat,quack,heads\n",
    );
    room.write("good.csv", "animal,sound,coin\ncat,,heads\n");
    let impute = ["impute", "model", "holes.csv", "--out", "o.csv"];
    room.refuse(&impute, &["holes.csv:3", "sound", "quack"]);
    let impute = ["impute", "model", "good.csv", "--out", "o.png"];
    room.refuse(&impute, &["o.png", ".csv"]);
    let impute = [
        "impute", "model", "good.csv", "--out", "o.npz", "--mode", "mean",
    ];
    room.refuse(&impute, &["o.npz", ".csv"]);
    let predict = ["predict", "model", "good.csv", "--target", "colour"];
    room.refuse(&predict, &["colour", "animal, sound, coin"]);
    let fit = [
        "fit",
        "t.csv",
        "--out",
        "new",
        "--head",
        "field",
        "--conditional",
        "any",
    ];
    room.refuse(&fit, &["posterior head"]);
}

/// What a copy says is certain given the original, and nothing else is.
#[test]
fn given_columns_are_conditions_of_scores_and_samples() {
    let room = room_with_model();
    room.write("t2.csv", copies(60));
    let bits = |words: &[&str]| {
        let score = ["score", "model", "t2.csv", "--quiet"];
        number(&room.json(&with(&score, words)), "bits_per_dim")
    };
    for method in ["immse", "chain"] {
        // Sound and coin given the animal: nothing and one bit; given both, the animal is known.
        let half = bits(&["--method", method, "--given", "animal"]);
        assert!((half - 0.5).abs() < 0.1, "{method}: {half}");
        let none = bits(&["--method", method, "--given", "sound,coin"]);
        assert!(none.abs() < 0.1, "{method}: {none}");
    }
    let score = ["score", "model", "t2.csv", "--quiet", "--given"];
    room.refuse(
        &with(&score, &["colour"]),
        &["colour", "animal, sound, coin"],
    );
    room.refuse(&with(&score, &["animal,sound,coin"]), &["nothing to score"]);

    room.write("given.csv", "animal\ncow\ndog\n");
    let sample = [
        "sample",
        "model",
        "-n",
        "50",
        "--given",
        "given.csv",
        "--out",
        "s.csv",
    ];
    let report = room.json(&sample);
    assert_eq!(number(&report, "samples"), 100.0);
    let text = room.text("s.csv");
    let (moo, woof) = (
        text.matches("cow,moo,").count(),
        text.matches("dog,woof,").count(),
    );
    assert_eq!(text.matches("cow,").count(), 50, "{text}");
    assert!(moo >= 48 && woof >= 48, "{moo} and {woof} of 50");
    let heads = text.matches("heads").count();
    assert!((30..=70).contains(&heads), "{heads} of 100");
}
