//! Networks fitted to an energy without data: figures, models left by interrupted fits, killed ones resumed.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, number, stderr, stdout, with};
use serde_json::Value;

const GRID: &str = "ising:2x3,coupling=0.8,field=0.2";

#[test]
fn a_network_is_fitted_without_data() {
    let room = Room::new();
    let fit = |out: &'static str, threads: &'static str| {
        let words = [
            "energy",
            "fit",
            GRID,
            "--out",
            out,
            "--method",
            "neural",
            "--data-free",
            "-q",
        ];
        with(&words, &["--steps", "240", "--threads", threads])
    };
    let report = room.json(&fit("n", "1"));
    assert_eq!(report["steps"], 240);
    assert_eq!(number(&report, "inverse_temperature"), 1.0);
    let error = number(&report, "log_z_std_error");
    let value = room.json(&["energy", "compare", GRID, "n", "--samples", "20000", "-q"]);
    let log_z = number(&value, "target_log_z");
    assert!(
        (number(&report, "log_z_importance") - log_z).abs() < 4.0 * error,
        "{report}"
    );
    assert!(number(&report, "log_z_bound") < log_z, "{report}");
    // Of what compare draws itself.
    assert_eq!(value["importance_samples"], 4096);
    let error = number(&value, "log_z_std_error");
    assert!(
        (number(&value, "log_z_importance") - log_z).abs() < 4.0 * error,
        "{value}"
    );
    assert!(number(&value, "effective_sample_size") > 2048.0, "{value}");
    assert!(
        number(&value, "importance_marginal_error") < 0.02,
        "{value}"
    );
    assert!(number(&value, "kl") < 0.2, "{value}");
    let compare = [
        "energy",
        "compare",
        GRID,
        "n",
        "--samples",
        "5000",
        "--importance-samples",
        "300",
        "-q",
    ];
    let text = stdout(&room.succeed(&compare));
    assert!(
        text.contains("importance weights: log Z") && text.contains("of 300"),
        "{text}"
    );
    room.succeed(&["sample", "n", "-n", "9", "--out", "s.png", "-q"]);
    // Threads change nothing.
    room.succeed(&fit("two", "2"));
    assert_eq!(
        room.bytes("n/model.safetensors"),
        room.bytes("two/model.safetensors")
    );
    let blind = |further: &[&str], fragments: &[&str]| {
        let words = ["energy", "fit", GRID, "--out", "m", "--data-free"];
        room.refuse(&with(&words, further), fragments);
    };
    blind(
        &[],
        &["--data-free", "--method neural", "--objective reverse"],
    );
    blind(
        &["--method", "neural", "--samples", "9"],
        &["--samples", "--data-free"],
    );
    blind(
        &["--method", "neural", "--resume"],
        &["m: not a model folder"],
    );
    blind(
        &["--method", "neural", "--learning-rate", "-1"],
        &["learning rate is -1"],
    );
    room.refuse(
        &[
            "energy",
            "fit",
            GRID,
            "--out",
            "n",
            "--method",
            "neural",
            "--data-free",
        ],
        &["n exists", "--force"],
    );
    room.refuse(
        &["energy", "fit", GRID, "--out", "m", "--network", "dense"],
        &["--network", "--method neural"],
    );
}

#[test]
fn an_interrupted_fit_without_data_leaves_a_model() {
    let room = Room::new();
    let words = [
        "energy",
        "fit",
        GRID,
        "--out",
        "n",
        "--method",
        "neural",
        "--data-free",
        "--steps",
        "100000",
    ];
    let stopped = {
        let mut running = room.start(&words);
        running.wait_for_log(&room.path("n/metrics.jsonl"));
        running.interrupt()
    };
    assert!(
        stderr(&stopped).contains("the model so far is in n, go on with --resume"),
        "{}",
        stderr(&stopped)
    );
    room.succeed(&["sample", "n", "-n", "3", "--out", "s.npy", "-q"]);
}

#[test]
fn a_killed_fit_without_data_goes_on_as_if_nothing_had_happened() {
    let room = Room::new();
    let words = |out: &'static str| {
        let words = ["energy", "fit", GRID, "--out", out, "--method", "neural"];
        with(
            &words,
            &["--data-free", "--steps", "240", "--threads", "1", "-q"],
        )
    };
    room.succeed(&words("whole"));
    let mut running = room.start(&words("part"));
    let checkpoint = room.path("part/checkpoint.safetensors");
    running.wait_until("the end of a round", || checkpoint.is_file());
    running.kill();
    let resume = |further: &[&str]| {
        let words = ["energy", "fit", GRID, "--out", "part", "--method", "neural"];
        with(&with(&words, &["--data-free", "--resume", "-q"]), further)
    };
    room.refuse(
        &resume(&["--prior", "beliefs"]),
        &["leave --prior out", "--force"],
    );
    room.refuse(
        &resume(&["--set", "network.hidden=8"]),
        &["leave --set out", "--force"],
    );
    room.refuse(&resume(&["--seed", "5"]), &["has seed 0, not 5"]);
    // It is the checkpoint that the run goes on from: a damaged one is refused.
    let stored = room.bytes("part/checkpoint.safetensors");
    room.write("part/checkpoint.safetensors", &stored[..99]);
    room.refuse(
        &resume(&[]),
        &["part/checkpoint.safetensors", "damaged", "--force"],
    );
    room.write("part/checkpoint.safetensors", stored);
    room.succeed(&resume(&[]));
    assert_eq!(
        room.bytes("whole/model.safetensors"),
        room.bytes("part/model.safetensors")
    );
    let rounds = |name: &str| {
        let text = room.text(name);
        let line = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
        text.lines()
            .map(|own| line(own)["round"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(rounds("whole/metrics.jsonl"), rounds("part/metrics.jsonl"));
    let other = [
        "energy",
        "fit",
        "ising:2x2",
        "--out",
        "part",
        "--method",
        "neural",
    ];
    room.refuse(
        &with(&other, &["--data-free", "--resume"]),
        &["was fitted to ising:2x3", "not ising:2x2"],
    );
}
