//! The built-in distributions are learned: statistical tests that take minutes, run by `./check --long`.

mod common;

use common::{Room, number};
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
        &["product:c=160,n=4", "--steps", "1500"],
        &["--samples", "100000", "--std-error", "0.01"],
    );
    assert!(number(&found, "kl") < 0.003, "{found}");
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
