//! The built-in distributions are learned: statistical tests that take minutes, run by `./check --long`.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Room, number};
use segre::data::{self, DataSource, ReadOptions};
use serde_json::Value;

/// Fits with the given options and compares samples with the known distribution.
fn divergence(fit: &[&str], evaluate: &[&str]) -> Value {
    let room = Room::new();
    let fit = [&["fit"], fit, &["--out", "model", "--quiet"]].concat();
    room.succeed(&fit);
    let found = room.json(&[&["evaluate", "model", "--quiet"], evaluate].concat());
    println!("{}: {found}", fit[1]);
    found
}

#[test]
#[ignore = "a minute"]
fn eight_gaussians_are_learned() {
    let found = divergence(
        &["eight-gaussians", "--steps", "4000"],
        &["--samples", "100000", "--std-error", "0.01"],
    );
    assert!(number(&found, "kl") < 0.03, "{found}");
    assert!(number(&found, "kl_uniform") > 20.0, "{found}");
}

#[test]
#[ignore = "a minute"]
fn the_pinwheel_is_learned() {
    let found = divergence(
        &["pinwheel", "--steps", "4000"],
        &["--samples", "100000", "--std-error", "0.01"],
    );
    assert!(number(&found, "kl") < 0.06, "{found}");
    // The bound cannot lie below the entropy by more than its error.
    assert!(number(&found, "bits_per_dim") > 5.008 - 0.04, "{found}");
}

#[test]
#[ignore = "a minute"]
fn a_product_of_160_categories_is_learned() {
    let found = divergence(
        &["product:c=160,n=4", "--steps", "2500"],
        &["--samples", "100000", "--std-error", "0.01"],
    );
    assert!(number(&found, "kl") < 0.003, "{found}");
}

/// `p(y | x)` at random `x` against the exact one, and the joint distribution none the worse for it.
#[test]
#[ignore = "a minute"]
fn conditionals_of_the_pinwheel_are_learned() {
    const ROWS: usize = 50;
    let source = DataSource::parse("pinwheel").unwrap();
    let DataSource::BuiltIn(built_in) = &source else {
        panic!("the pinwheel is built in");
    };
    let target = built_in.known_distribution().unwrap();
    let room = Room::new();
    let fit = [
        "fit",
        "pinwheel",
        "--out",
        "model",
        "--quiet",
        "--conditional",
        "any",
    ];
    room.succeed(&[&fit[..], &["--steps", "4000"]].concat());
    let options = ReadOptions {
        builtin_rows: Some(ROWS),
        builtin_seed: 99,
        ..ReadOptions::default()
    };
    let rows = data::read(&source, &options).unwrap();
    let names: Vec<&str> = rows
        .schema
        .sites
        .iter()
        .map(|site| &site.name[..])
        .collect();
    let mut holes = names.join(",") + "\n";
    for row in rows.iter() {
        holes += &format!("{},\n", row[0]);
    }
    room.write("holes.csv", holes);
    let impute = [
        "impute",
        "model",
        "holes.csv",
        "--out",
        "p.csv",
        "--mode",
        "mean",
    ];
    room.succeed(&impute);
    let text = room.text("p.csv");
    let found: Vec<f64> = text
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap().parse().unwrap())
        .collect();
    let mut total = 0.0;
    for (row, found) in rows.iter().zip(found.chunks(91)) {
        let masses: Vec<f64> = (0..91)
            .map(|y| target.log_pmf(&[row[0], y]).exp())
            .collect();
        let sum: f64 = masses.iter().sum();
        let term = |(mass, q): (&f64, &f64)| match mass / sum {
            0.0 => 0.0,
            p => p * (p / q.max(1e-6)).ln(),
        };
        total += masses.iter().zip(found).map(term).sum::<f64>();
    }
    let mean = total / ROWS as f64;
    println!("mean KL(exact ‖ model) of y given x: {mean:.4} nats");
    assert!(mean < 0.03, "{mean}");
    let joint = [
        "evaluate",
        "model",
        "--samples",
        "100000",
        "--std-error",
        "0.01",
    ];
    let joint = room.json(&joint);
    println!("{joint}");
    assert!(number(&joint, "kl") < 0.08, "{joint}");
}

/// EG, Figure 5: the linear field on two coupled binary variables.
#[test]
#[ignore = "half a minute"]
fn the_linear_field_of_the_paper_learns_the_coupled_bits() {
    let found = divergence(
        &[
            "coupled-binary",
            "--head",
            "field",
            "--path",
            "e-geodesic",
            "--network",
            "linear",
            "--steps",
            "2000",
            "--batch-size",
            "512",
            "--learning-rate",
            "2e-2",
        ],
        &["--samples", "100000", "--std-error", "0.05"],
    );
    assert!(number(&found, "kl") < 0.01, "{found}");
}
