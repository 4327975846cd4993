//! Outliers are told from test rows; methods of scoring agree; what makes no sense is refused.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::sync::LazyLock;

use common::{Room, number, with};
use serde_json::Value;

/// A model of handwritten digits after a few seconds, and one of two bits.
static MODELS: LazyLock<Room> = LazyLock::new(|| {
    let room = Room::new();
    room.succeed(&[
        "fit", "digits", "--out", "digits", "--steps", "100", "--quiet",
    ]);
    room.succeed(&[
        "fit",
        "coupled-binary",
        "--out",
        "bits",
        "--steps",
        "100",
        "--quiet",
    ]);
    room
});

fn measure<'a>(report: &'a Value, set: usize, score: &str) -> &'a Value {
    let scores = report["outliers"]["sets"][set]["scores"]
        .as_array()
        .unwrap();
    scores.iter().find(|own| own["score"] == score).unwrap()
}

/// A blank image is likely under a model of digits; the recommended score still finds it.
#[test]
fn the_recommended_score_finds_what_a_likelihood_misses() {
    let evaluate = [
        "evaluate",
        "digits",
        "--ood",
        "shuffled",
        "--ood",
        "constant",
        "--ood",
        "inverted",
        "--ood-rows",
        "100",
        "--out-dir",
        "pictures",
        "--max-rounds",
        "2",
        "--quiet",
    ];
    let report = MODELS.json(&evaluate);
    assert_eq!(report["outliers"]["recommended"], "foreground");
    for (set, name) in ["shuffled", "constant", "inverted"].iter().enumerate() {
        assert_eq!(report["outliers"]["sets"][set]["name"], *name);
        for score in ["combined", "foreground"] {
            let found = number(measure(&report, set, score), "auroc");
            assert!(found > 0.97, "{name}, {score}: {found}");
        }
    }
    let text = MODELS.text("pictures/outliers.csv");
    assert_eq!(text.lines().count(), 1 + 400);
    assert!(
        text.starts_with("set,row,bits,bits_std_error,compressed_bits,foreground_sites,likelihood")
    );
    let column = |set: &str, place: usize| -> Vec<f64> {
        let own = text.lines().filter(|line| line.starts_with(set));
        own.map(|line| line.split(',').nth(place).unwrap().parse().unwrap())
            .collect()
    };
    // The first constant image is blank: likelier than most test images, but stranger than nearly all.
    let share = |place: usize| {
        let blank = column("constant", place)[0];
        let above = column("test", place)
            .iter()
            .filter(|own| **own > blank)
            .count();
        above as f64 / 100.0
    };
    let (bits, combined) = (2, 9);
    assert!(
        share(bits) > 0.5 && share(combined) < 0.1,
        "{} {}",
        share(bits),
        share(combined)
    );
    for file in [
        "outliers.png",
        "outliers-shuffled.png",
        "outliers-constant.png",
    ] {
        assert!(
            MODELS
                .bytes(&format!("pictures/{file}"))
                .starts_with(b"\x89PNG"),
            "{file}"
        );
    }
    let numbers: Value = serde_json::from_str(&MODELS.text("pictures/outliers.json")).unwrap();
    assert_eq!(numbers, report["outliers"]);
}

/// Two bits have an exact likelihood, which all methods bound closely.
#[test]
fn the_methods_of_scoring_agree_where_the_flow_is_learned() {
    let room = &MODELS;
    room.succeed(&["sample", "bits", "-n", "50", "--out", "few.csv", "--quiet"]);
    let score = ["score", "bits", "few.csv", "--quiet", "--method"];
    let found = |words: &[&str]| room.json(&with(&score, words));
    let exact = found(&["exact"]);
    assert_eq!(exact["meaning"], "exact");
    let value = number(&exact, "bits_per_dim");
    for words in [
        &["importance"][..],
        &["importance", "--region", "cone"],
        &["importance", "--form", "jensen"],
        &["importance", "--divergence", "rademacher", "--probes", "2"],
        &["immse", "--std-error", "0.001"],
        &["chain"],
    ] {
        let report = found(words);
        assert_eq!(report["meaning"], "upper bound", "{words:?}");
        let (bits, error) = (
            number(&report, "bits_per_dim"),
            number(&report, "std_error"),
        );
        assert!(
            (bits - value).abs() < 5.0 * error + 0.02,
            "{words:?}: {bits} ± {error}, exact {value}"
        );
    }
    let rough = found(&[
        "importance",
        "--divergence",
        "gaussian",
        "--form",
        "log-mean",
    ]);
    assert_eq!(rough["meaning"], "estimate");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let room = &MODELS;
    room.write("one.csv", "animal,sound\ncat,meow\n");
    let evaluate = ["evaluate", "digits", "--quiet"];
    let refuse = |words: &[&str], fragments: &[&str]| {
        let output = room.run(&with(&evaluate, words));
        assert!(!output.status.success(), "{words:?}");
        let text = common::stderr(&output);
        for fragment in fragments {
            assert!(text.contains(fragment), "{words:?}: {text}");
        }
    };
    refuse(&["--ood", "nowhere.png"], &["nowhere.png"]);
    refuse(&["--ood", "pinwheel"], &["--ood pinwheel"]);
    refuse(&["--ood", "shuffled", "--ood-rows", "0"], &["--ood-rows"]);
    refuse(&["--ood-invert"], &["--ood-invert is for --ood"]);
    refuse(&["--out-dir", "o"], &["--ood", "add one"]);
    let output = room.run(&["evaluate", "bits", "--ood", "shuffled", "--ood-invert"]);
    assert!(
        common::stderr(&output).contains("for pictures"),
        "{output:?}"
    );
    let score = ["score", "bits", "coupled-binary:rows=5", "--quiet"];
    let refuse = |words: &[&str], fragments: &[&str]| {
        let output = room.run(&with(&score, words));
        assert!(!output.status.success(), "{words:?}");
        let text = common::stderr(&output);
        for fragment in fragments {
            assert!(text.contains(fragment), "{words:?}: {text}");
        }
    };
    refuse(
        &["--ball-mass", "0.8"],
        &["--ball-mass", "--method importance"],
    );
    refuse(&["--tolerance", "1e-3"], &["--tolerance", "exact"]);
    refuse(
        &["--method", "importance", "--ball-mass", "1.5"],
        &["ball mass is 1.5"],
    );
    refuse(
        &["--method", "importance", "--importance-samples", "1"],
        &["2 at least"],
    );
    refuse(
        &[
            "--method",
            "importance",
            "--region",
            "cone",
            "--form",
            "jensen",
        ],
        &["log-mean"],
    );
    refuse(
        &[
            "--method",
            "importance",
            "--divergence",
            "exact",
            "--probes",
            "3",
        ],
        &["--probes 3"],
    );
    refuse(&["--method", "bits"], &["immse", "importance"]);
    let output = room.run(&["score", "digits", "digits", "--method", "exact", "--quiet"]);
    assert!(
        common::stderr(&output).contains("at most 3 dimensions"),
        "{output:?}"
    );
    let output = room.run(&["experiment", "run", "toys", "--model", "bits", "--out", "o"]);
    assert!(common::stderr(&output).contains("likelihood"), "{output:?}");
}
