//! `--json`: one object on one line, with the documented names and numbers that agree; `--quiet`.

mod common;

use common::{Room, TINY, images, number, stderr, stdout, table, with};
use std::f64::consts::LN_2;

#[test]
fn every_command_on_a_table_prints_one_object() {
    let room = Room::new();
    room.write("t.csv", table(200));
    let fit = room.json(&with(&["fit", "t.csv", "--out", "model"], &TINY));
    assert_eq!(number(&fit, "steps"), 20.0);
    assert!(number(&fit, "seconds") > 0.0, "{fit}");
    // Uniform is log2(3 · 3 · 5 · 2) / 4; a tiny model is not far above and not below 0.
    let uniform = 90_f64.log2() / 4.0;
    let bits = number(&fit, "validation_bits_per_dim");
    assert!(bits > 0.5 * uniform && bits < 1.2 * uniform, "{fit}");
    let parameters = number(&fit, "parameters");
    assert!(parameters > 16.0 * 16.0 && parameters < 1e5, "{fit}");

    let info = room.json(&["info", "model"]);
    assert_eq!(info["kind"], "model");
    assert_eq!(info["source"], "t.csv");
    assert_eq!(number(&info, "parameters"), parameters);
    assert_eq!(info["schema"]["sites"][1]["name"], "flag");
    let info = room.json(&["info", "t.csv"]);
    assert_eq!(info["kind"], "data");
    assert_eq!(
        (number(&info, "rows"), number(&info, "sites")),
        (200.0, 4.0)
    );
    assert_eq!(number(&info, "max_categories"), 5.0);
    assert!(
        (number(&info, "uniform_bits_per_dim") - uniform).abs() < 1e-12,
        "{info}"
    );

    let sample = room.json(&["sample", "model", "-n", "30", "--out", "s.csv"]);
    assert_eq!(number(&sample, "samples"), 30.0);
    // A table of four columns is drawn one after the other.
    assert!(number(&sample, "function_evaluations") == 4.0, "{sample}");
    assert!(number(&sample, "mean_entropy") >= 0.0, "{sample}");
    assert!(number(&sample, "seconds") > 0.0, "{sample}");

    let score = room.json(&["score", "model", "t.csv", "--std-error", "0.001"]);
    assert_eq!(number(&score, "rows"), 200.0);
    let bits = number(&score, "bits_per_dim");
    assert!(
        (number(&score, "nats") - bits * 4.0 * LN_2).abs() < 1e-9,
        "{score}"
    );
    let error = number(&score, "std_error");
    assert!(error > 0.0 && error <= 0.001, "{score}");

    let evaluated = room.json(&["evaluate", "model"]);
    let baselines = &evaluated["baselines"];
    assert!(
        (number(baselines, "uniform") - uniform).abs() < 1e-9,
        "{evaluated}"
    );
    for name in ["independent", "chow_liu"] {
        let value = number(baselines, name);
        assert!(
            value > 0.5 * uniform && value < 1.2 * uniform,
            "{evaluated}"
        );
    }
    assert!(number(&evaluated, "std_error") > 0.0);
    // Nothing is known of a file's distribution.
    assert!(evaluated.get("kl").is_none(), "{evaluated}");
    // The test part of the fit, and the end of the fit itself, are the same numbers.
    assert_eq!(fit["test_bits_per_dim"], evaluated["bits_per_dim"]);
    assert_eq!(&fit["baselines"], baselines);
    // Other data give other numbers.
    let whole = room.json(&["evaluate", "model", "t.csv"]);
    assert_eq!(number(&whole, "rows"), 200.0);
    assert_ne!(whole["bits_per_dim"], evaluated["bits_per_dim"]);
}

/// The pmf is (0.45, 0.05, 0.05, 0.45): everything that needs no model is known.
#[test]
fn evaluate_tells_divergences_where_the_distribution_is_known() {
    let room = Room::new();
    room.fit("coupled-binary:rows=20000", "model");
    let found = room.json(&["evaluate", "model", "--samples", "20000"]);
    let entropy = -(0.9 * 0.45_f64.ln() + 0.1 * 0.05_f64.ln());
    let tree = entropy / (2.0 * LN_2);
    let baselines = &found["baselines"];
    assert!(
        (number(baselines, "uniform") - 1.0).abs() < 1e-12,
        "{found}"
    );
    assert!(
        (number(baselines, "independent") - 1.0).abs() < 0.005,
        "{found}"
    );
    // 2 000 test rows: standard error 0.011.
    assert!(
        (number(baselines, "chow_liu") - tree).abs() < 0.05,
        "{found}"
    );
    assert!(number(&found, "bits_per_dim") > tree - 0.05, "{found}");
    let of_uniform = -(4_f64.ln()) - 0.5 * (0.45_f64.ln() + 0.05_f64.ln());
    assert!(
        (number(&found, "kl_uniform") - of_uniform).abs() < 1e-9,
        "{found}"
    );
    // (categories − 1) / (2 samples), Miller 1955.
    let floor = number(&found, "kl_floor");
    assert!((floor - 3.0 / 40_000.0).abs() < 2e-5, "{found}");
    assert!(
        (0.0..of_uniform * 2.0).contains(&number(&found, "kl")),
        "{found}"
    );
    // Pinsker: the two measures of one distance cannot contradict each other.
    let variation = number(&found, "total_variation");
    assert!((0.0..1.0).contains(&variation), "{found}");
    assert!(
        2.0 * variation * variation <= number(&found, "kl") + 1e-9,
        "{found}"
    );
    assert_eq!(number(&found, "samples"), 20_000.0);
}

#[test]
fn objects_of_images_and_built_ins() {
    let room = Room::new();
    room.write("i.npy", images(60));
    let info = room.json(&["info", "i.npy"]);
    assert_eq!(info["schema"]["layout"]["image"]["height"], 2);
    assert_eq!(info["schema"]["layout"]["image"]["width"], 3);
    assert_eq!(number(&info, "uniform_bits_per_dim"), 2.0);
    let info = room.json(&["info", "digits"]);
    assert_eq!(
        (number(&info, "rows"), number(&info, "sites")),
        (1797.0, 64.0)
    );
    let info = room.json(&["info", "product:c=5,n=3,rows=10"]);
    assert_eq!((number(&info, "rows"), number(&info, "sites")), (10.0, 3.0));
    let fit = room.json(&with(&["fit", "i.npy", "--out", "model"], &TINY));
    assert_eq!(fit["out"], "model");
    let sample = room.json(&["sample", "model", "-n", "4", "--out", "s.png"]);
    assert_eq!(
        (number(&sample, "samples"), &sample["out"]),
        (4.0, &"s.png".into())
    );
}

#[test]
fn quiet_leaves_standard_error_empty_and_its_absence_does_not() {
    let room = Room::new();
    room.write("t.csv", table(100));
    let commands = [
        with(&["fit", "t.csv", "--out", "model", "--force"], &TINY),
        with(&["sample", "model", "-n", "9", "--out", "s.csv"], &[]),
        with(&["score", "model", "t.csv"], &[]),
        with(&["evaluate", "model"], &[]),
        with(&["info", "model"], &[]),
        with(&["info", "t.csv"], &[]),
    ];
    for command in commands {
        for further in [&["--quiet"][..], &["--quiet", "--json"], &["-q", "--json"]] {
            let output = room.succeed(&with(&command, further));
            assert_eq!(stderr(&output), "", "{command:?}");
            assert!(!stdout(&output).trim().is_empty(), "{command:?}");
        }
        if command[0] != "info" {
            // Progress goes to standard error and never to standard output.
            let output = room.succeed(&with(&command, &["--json"]));
            assert!(stderr(&output).contains(&command[0].replace("evaluate", "score")));
            assert_eq!(stdout(&output).lines().count(), 1);
        }
    }
}
