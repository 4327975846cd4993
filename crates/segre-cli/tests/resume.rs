//! Interrupted runs: killed or asked to stop, then resumed, they end as if nothing had happened.

#![cfg(unix)]

mod common;

use common::{Room, checkpoint_step, number, stderr, table, with};
use serde_json::Value;

const STEPS: u64 = 200;
const CHECKPOINT: &str = "killed/checkpoint.safetensors";

/// A fit slow enough to be killed in between, of about a second.
fn fit(out: &str, further: &[&str]) -> Vec<String> {
    let fixed = [
        "fit",
        "t.csv",
        "--out",
        out,
        "--quiet",
        "--seed",
        "4",
        "--hidden",
        "32",
        "--blocks",
        "1",
        "--batch-size",
        "256",
        "--set",
        "training.patience=1000",
    ];
    with(&with(&fixed, &["--steps", &STEPS.to_string()]), further)
}

fn resume(out: &str) -> Vec<String> {
    with(&["fit", "t.csv", "--out", out, "--resume", "--quiet"], &[])
}

fn room_with_whole_run() -> Room {
    let room = Room::new();
    room.write("t.csv", table(400));
    room.succeed(&fit("whole", &[]));
    room
}

/// Steps of the last line of the metrics, as a poller sees them.
fn last_step(room: &Room, out: &str) -> u64 {
    let text =
        std::fs::read_to_string(room.path(&format!("{out}/metrics.jsonl"))).unwrap_or_default();
    let lines = text.lines().rev();
    let mut steps =
        lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()?["step"].as_u64());
    steps.next().unwrap_or(0)
}

/// The lines of the metrics without their wall times.
fn metrics(room: &Room, out: &str) -> Vec<Value> {
    let text = room.text(&format!("{out}/metrics.jsonl"));
    let parse = |line: &str| {
        let mut value: Value = serde_json::from_str(line).expect("a JSON object per line");
        let object = value.as_object_mut().expect("an object");
        assert!(object.remove("seconds").is_some(), "{line}");
        value
    };
    text.lines().map(parse).collect()
}

#[track_caller]
fn assert_same_run(room: &Room, out: &str) {
    for name in ["model.safetensors", "samples.csv"] {
        let [one, other] = ["whole", out].map(|folder| room.bytes(&format!("{folder}/{name}")));
        assert!(one == other, "{name} differs from the uninterrupted run's");
    }
    assert_steps_in_order(&metrics(room, out));
}

/// Steps rise, each with at most one line of training and one of validation.
#[track_caller]
fn assert_steps_in_order(lines: &[Value]) {
    let keys: Vec<(u64, bool)> = lines
        .iter()
        .map(|line| {
            let step = line["step"].as_u64().expect("a step");
            (step, line.get("validation_bits_per_dim").is_some())
        })
        .collect();
    assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{keys:?}");
}

/// Kills a run when `moment` has come and the first checkpoint is there.
#[track_caller]
fn kill_at(room: &Room, arguments: &[String], moment: impl Fn() -> bool) -> u64 {
    let mut running = room.start(arguments);
    running.wait_until("the moment to kill it", || {
        room.path(CHECKPOINT).exists() && moment()
    });
    running.kill();
    let step = checkpoint_step(&room.bytes(CHECKPOINT));
    assert!(step < STEPS, "killed at step {step}");
    step
}

#[test]
fn a_run_killed_after_its_first_checkpoint_ends_like_an_uninterrupted_one() {
    let room = room_with_whole_run();
    let step = kill_at(&room, &fit("killed", &[]), || true);
    assert_eq!(step % (STEPS / 20), 0, "checkpoints belong to validations");
    // A model to use is there beside the checkpoint.
    room.succeed(&["sample", "killed", "-n", "3", "--out", "s.csv", "-q"]);
    room.succeed(&resume("killed"));
    assert_same_run(&room, "killed");
    assert_eq!(metrics(&room, "killed"), metrics(&room, "whole"));
}

#[test]
fn a_run_killed_twice_ends_like_an_uninterrupted_one() {
    let room = room_with_whole_run();
    let first = kill_at(&room, &fit("killed", &[]), || {
        last_step(&room, "killed") >= 40
    });
    let second = kill_at(&room, &resume("killed"), || {
        last_step(&room, "killed") >= 90
    });
    assert!(first < second, "killed at {first}, then at {second}");
    room.succeed(&resume("killed"));
    assert_same_run(&room, "killed");
    assert_eq!(metrics(&room, "killed"), metrics(&room, "whole"));
}

#[test]
fn a_run_killed_before_its_first_checkpoint_starts_again() {
    let room = room_with_whole_run();
    let mut running = room.start(&fit("killed", &[]));
    running.wait_until("the settings", || room.path("killed/config.json").exists());
    running.kill();
    room.succeed(&resume("killed"));
    assert_same_run(&room, "killed");
    // What was half written when it was killed is gone or harmless.
    room.succeed(&["evaluate", "killed", "-q"]);
}

#[test]
fn an_interrupt_keeps_the_work_and_tells_how_to_go_on() {
    let room = room_with_whole_run();
    let mut running = room.start(&fit("killed", &[]));
    running.wait_until("step 30", || last_step(&room, "killed") >= 30);
    let output = running.interrupt();
    let text = stderr(&output);
    assert!(
        output.status.code().is_some_and(|code| code != 0),
        "{:?}",
        output.status
    );
    let line = text.lines().find(|line| line.starts_with("error: "));
    let line = line.unwrap_or_else(|| panic!("no error in {text:?}"));
    let stopped = checkpoint_step(&room.bytes(CHECKPOINT));
    assert!((30..STEPS).contains(&stopped), "stopped at {stopped}");
    assert!(
        line.contains(&format!("stopped at step {stopped}")),
        "{line}"
    );
    assert!(!text.contains("panicked"), "{text}");
    // The advice works as it stands.
    let (_, advice) = line.split_once("segre ").expect("a command");
    let advice: Vec<&str> = advice.split(' ').collect();
    assert_eq!(advice, ["fit", "t.csv", "--out", "killed", "--resume"]);
    room.succeed(&with(&advice, &["--quiet"]));
    assert_same_run(&room, "killed");
    // Losses of every line, too; a mean since the last validation starts anew.
    let losses = |out: &str| -> Vec<Value> {
        let lines = metrics(&room, out).into_iter();
        lines.map(|line| line["loss"].clone()).collect()
    };
    assert_eq!(losses("killed"), losses("whole"));
}

#[test]
fn an_interrupted_sampling_leaves_no_file() {
    let room = Room::new();
    room.fit("coupled-binary:rows=200", "model");
    let before = room.snapshot();
    let sample = ["sample", "model", "-n", "5000000", "--out", "s.csv", "-q"];
    let running = room.start(&sample);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let output = running.interrupt();
    assert!(!output.status.success());
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert!(room.snapshot() == before, "files were left");
}

#[test]
fn a_finished_run_goes_on_with_more_steps_and_stays_as_it_is_without() {
    let room = Room::new();
    // Two sites of one bit each: a few hundred steps learn how they hang together.
    let again = ["fit", "coupled-binary:rows=4000", "--out", "run", "--quiet"];
    let fixed = [
        "--hidden",
        "16",
        "--blocks",
        "1",
        "--set",
        "training.patience=1000",
    ];
    let first = with(
        &with(&again, &fixed),
        &["--steps", "20", "--learning-rate", "0.01"],
    );
    let first = room.json(&first);
    let model = room.bytes("run/model.safetensors");
    let again = with(&again, &["--resume"]);
    assert_eq!(number(&room.json(&again), "steps"), 20.0);
    assert!(
        room.bytes("run/model.safetensors") == model,
        "nothing was left to do"
    );
    let more = room.json(&with(&again, &["--steps", "300"]));
    assert_eq!(number(&more, "steps"), 300.0);
    let [before, after] = [&first, &more].map(|report| number(report, "validation_bits_per_dim"));
    assert!(after < before - 0.05, "{before} bits/dim, then {after}");
    assert!(
        room.bytes("run/model.safetensors") != model,
        "the better model is not there"
    );
    let lines = metrics(&room, "run");
    assert_steps_in_order(&lines);
    let steps: Vec<u64> = lines
        .iter()
        .filter(|line| line.get("learning_rate").is_some())
        .filter_map(|line| line["step"].as_u64())
        .collect();
    assert_eq!(steps, (1..=30).map(|tens| 10 * tens).collect::<Vec<u64>>());
    assert_eq!(
        checkpoint_step(&room.bytes("run/checkpoint.safetensors")),
        300
    );
    // The larger budget is the run's own now.
    assert_eq!(number(&room.json(&again), "steps"), 300.0);
}

#[test]
fn a_time_budget_is_kept() {
    let room = Room::new();
    room.write("t.csv", table(200));
    let fit = [
        "fit", "t.csv", "--out", "run", "--time", "0.6s", "--hidden", "16", "--blocks", "1", "-q",
    ];
    let fit = with(&fit, &["--set", "training.patience=1000"]);
    let report = room.json(&fit);
    let seconds = number(&report, "seconds");
    assert!((0.6..5.0).contains(&seconds), "{report}");
    assert!(number(&report, "steps") >= 5.0, "{report}");
    let more = room.json(&[
        "fit", "t.csv", "--out", "run", "--resume", "--time", "1s", "-q",
    ]);
    assert!((1.0..8.0).contains(&number(&more, "seconds")), "{more}");
    assert!(number(&more, "steps") > number(&report, "steps"), "{more}");
}

/// What is asked for is not silently ignored; what the run has anyway may be repeated.
#[test]
fn a_resumed_run_refuses_other_settings() {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.fit("t.csv", "model");
    let again = |more: &[&str]| -> Vec<String> {
        let words = ["fit", "t.csv", "--out", "model", "--resume", "--quiet"];
        words
            .iter()
            .chain(more)
            .map(|word| (*word).to_owned())
            .collect()
    };
    room.succeed(&again(&["--hidden", "16", "--blocks", "1"]));
    for (option, value, name) in [
        ("--hidden", "32", "hidden 16, not 32"),
        ("--learning-rate", "0.01", "learning rate 0.001, not 0.01"),
        ("--head", "field", "head \"posterior\", not \"field\""),
        ("--test", "0.2", "test 0.1, not 0.2"),
        (
            "--set",
            "training.weight_decay=0.5",
            "weight decay 0.0, not 0.5",
        ),
        ("--missing", "drop", "missing"),
    ] {
        room.refuse(&again(&[option, value]), &["model", name, "--force"]);
    }
}
