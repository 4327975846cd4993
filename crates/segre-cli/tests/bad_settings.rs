//! Settings out of range and places that cannot be written: refused before anything is touched.

mod common;

use common::{Room, TINY, check_refusal, images, stderr, table, with};

/// A folder with a table and a tiny model of it.
fn room_with_model() -> Room {
    let room = Room::new();
    room.write("t.csv", table(100));
    room.fit("t.csv", "model");
    room
}

#[test]
fn numbers_of_a_fit_out_of_range_are_refused() {
    let room = Room::new();
    room.write("t.csv", table(100));
    for (option, fragments) in [
        ("--learning-rate=nan", ["learning rate", "NaN", "positive"]),
        ("--learning-rate=-1", ["learning rate", "-1", "positive"]),
        ("--learning-rate=0", ["learning rate", "0", "positive"]),
        ("--learning-rate=inf", ["learning rate", "inf", "finite"]),
        (
            "--learning-rate=fast",
            ["--learning-rate", "'fast'", "invalid"],
        ),
        (
            "--set=training.weight_decay=-1",
            ["weight decay", "-1", "positive"],
        ),
        (
            "--set=training.weight_decay=nan",
            ["weight decay", "NaN", "positive"],
        ),
        (
            "--set=path.rate=1",
            ["rate", "--head field", "leave it out"],
        ),
        ("--dropout=1", ["dropout", "1", "below 1"]),
        ("--dropout=nan", ["dropout", "NaN", "below 1"]),
        ("--set=training.patience=0", ["patience", "0", "at least 1"]),
        (
            "--set=training.validations=0",
            ["validations", "0", "at least 1"],
        ),
        ("--batch-size=0", ["--batch-size", "'0'", "at least 1"]),
        ("--hidden=0", ["--hidden", "'0'", "at least 1"]),
        ("--steps=0", ["--steps", "'0'", "1.."]),
        ("--steps=-3", ["--steps", "'-3'", "invalid"]),
        ("--time=0", ["--time", "'0'", "positive"]),
        ("--time=-5s", ["--time", "'-5s'", "positive"]),
        ("--time=nan", ["--time", "'nan'", "s, m or h"]),
        ("--time=5d", ["--time", "'5d'", "s, m or h"]),
        ("--time=soon", ["--time", "'soon'", "s, m or h"]),
        ("--threads=0", ["--threads", "'0'", "1..=1024"]),
        (
            "--network=transformer",
            ["--network", "'transformer'", "invalid"],
        ),
    ] {
        room.refuse(&["fit", "t.csv", "--out", "new", option], &fragments);
    }
    for (value, found) in [("nan", "NaN"), ("0", "0")] {
        let rate = format!("--set=path.rate={value}");
        let fit = ["fit", "t.csv", "--out", "new", "--head=field", &rate];
        room.refuse(&fit, &["rate", found, "positive"]);
    }
}

#[test]
fn unknown_instructions_in_the_environment_are_refused() {
    let room = Room::new();
    let mut command = room.command(&["info", "digits"]);
    let output = command.env("SEGRE_SIMD", "sse9").output().unwrap();
    let said = check_refusal(&output, "SEGRE_SIMD=sse9");
    assert!(said.contains("sse9") && said.contains("avx2"), "{said}");
}

/// Written as two words, too, the message must be about the number rather than an unknown option.
#[test]
fn a_negative_number_after_a_blank_is_refused_as_a_number() {
    let room = Room::new();
    room.write("t.csv", table(100));
    for (option, name) in [("--learning-rate", "learning"), ("--steps", "steps")] {
        let arguments = ["fit", "t.csv", "--out", "new", option, "-1"];
        room.refuse(&arguments, &[name, "-1"]);
    }
}

#[test]
fn numbers_of_sampling_out_of_range_are_refused() {
    let room = room_with_model();
    let arguments = ["sample", "model", "--out", "s.csv"];
    room.refuse(
        &with(&arguments, &["-n", "0"]),
        &["--number", "'0'", "at least 1"],
    );
    room.refuse(
        &with(&arguments, &["-n", "ten"]),
        &["--number", "'ten'", "whole number"],
    );
    let arguments = with(&arguments, &["-n", "5"]);
    for (options, fragments) in [
        (["--steps=0", "--sampler=euler"], ["--steps", "at least 1"]),
        (["--batch=0", "--sampler=euler"], ["--batch", "at least 1"]),
        (["--sampler=magic", "--quiet"], ["--sampler", "'magic'"]),
        (
            ["--tolerance=nan", "--sampler=dormand-prince"],
            ["tolerance", "NaN"],
        ),
        (
            ["--tolerance=-1", "--sampler=dormand-prince"],
            ["tolerance", "-1"],
        ),
        (
            ["--tolerance=0", "--sampler=dormand-prince"],
            ["tolerance", "0"],
        ),
    ] {
        room.refuse(&with(&arguments, &options), &fragments);
    }
}

#[test]
fn numbers_of_scoring_out_of_range_are_refused() {
    let room = room_with_model();
    for (option, fragments) in [
        ("--max-rounds=0", ["max-rounds", "0", "at least 1"]),
        ("--std-error=nan", ["std", "NaN", "must be"]),
        ("--std-error=-1", ["std", "-1", "must be"]),
    ] {
        room.refuse(
            &["score", "model", "t.csv", "--out", "s.csv", option],
            &fragments,
        );
    }
}

#[cfg(not(any(feature = "cuda", feature = "metal")))]
#[test]
fn devices_that_the_build_lacks_are_refused_with_the_feature() {
    let room = room_with_model();
    let fit = with(&["fit", "t.csv", "--out", "new"], &TINY);
    let sample = with(&["sample", "model", "-n", "3", "--out", "s.csv"], &[]);
    let score = with(&["score", "model", "t.csv", "--out", "s.csv"], &[]);
    for command in [
        fit,
        sample,
        score,
        with(&["evaluate", "model"], &[]),
        with(&["info", "model"], &[]),
    ] {
        for device in ["cuda", "metal"] {
            let feature = format!("--features {device}");
            let fragments = ["--device", device, &feature, "--device cpu"];
            room.refuse(&with(&command, &["--device", device]), &fragments);
        }
    }
    room.refuse(
        &["info", "model", "--device", "abacus"],
        &["--device", "'abacus'"],
    );
}

#[test]
fn an_existing_folder_is_kept_without_resume_or_force() {
    let room = room_with_model();
    let fit = with(&["fit", "t.csv", "--out", "model"], &TINY);
    room.refuse(&fit, &["model", "--resume", "--force", "another --out"]);
    room.refuse(
        &with(&fit, &["--resume", "--force"]),
        &["--resume", "--force"],
    );
    std::fs::create_dir(room.path("empty")).expect("a new folder");
    let fit = with(&["fit", "t.csv", "--out", "empty"], &TINY);
    room.refuse(&fit, &["empty", "exists", "--force"]);
}

#[test]
fn force_replaces_models_and_nothing_else() {
    let room = room_with_model();
    let old = room.bytes("model/model.safetensors");
    std::fs::create_dir_all(room.path("mine/deep")).expect("a new folder");
    room.write("mine/thesis.txt", "years of work");
    room.write("mine/model.safetensors", "not of a fit");
    let forced = |out: &str| with(&["fit", "t.csv", "--out", out, "--force", "--quiet"], &TINY);
    room.refuse(
        &forced("mine"),
        &["mine", "not a model folder", "another --out"],
    );
    room.refuse(
        &forced("t.csv"),
        &["t.csv", "not a folder", "another --out"],
    );
    // A fit that is refused leaves the old model even with --force.
    room.refuse(
        &with(&forced("model"), &["--learning-rate=nan"]),
        &["learning rate"],
    );
    room.refuse(
        &with(&forced("model"), &["--validation=0.95"]),
        &["cannot split"],
    );
    room.write("bad.csv", "a,b\n1\n");
    room.refuse(
        &with(&["fit", "bad.csv", "--out", "model", "--force"], &TINY),
        &["bad.csv:2:"],
    );
    // And where it may, it does replace: model and settings are the new ones, other files stay.
    room.write("model/notes.txt", "mine");
    room.succeed(&with(&forced("model"), &["--seed", "5"]));
    assert_ne!(room.bytes("model/model.safetensors"), old);
    assert_eq!(room.text("model/notes.txt"), "mine");
    assert!(room.text("model/config.json").contains("\"seed\": 5"));
}

/// Below a regular file nobody can create a folder, not even root.
#[test]
fn places_that_cannot_be_written_are_refused_before_the_work() {
    let room = room_with_model();
    room.write("file", "contents");
    let fit = with(&["fit", "t.csv", "--out", "file/model"], &TINY);
    room.refuse(&fit, &["file/model", "another --out"]);
    let (path, fragments) = (
        "file/s.csv",
        ["cannot write to file", "choose another folder"],
    );
    // As many samples as would take minutes: the refusal comes first.
    room.refuse(
        &["sample", "model", "-n", "100000000", "--out", path],
        &fragments,
    );
    room.refuse(&["score", "model", "t.csv", "--out", path], &fragments);
    // A folder stands where the file should go.
    std::fs::create_dir(room.path("taken.csv")).expect("a new folder");
    let sample = [
        "sample",
        "model",
        "-n",
        "5",
        "--quiet",
        "--out",
        "taken.csv",
    ];
    room.refuse(&sample, &["taken.csv"]);
    let score = ["score", "model", "t.csv", "--quiet", "--out", "taken.csv"];
    room.refuse(&score, &["taken.csv"]);
}

#[test]
fn samples_go_to_file_types_that_fit_the_data() {
    let room = room_with_model();
    let sample = |out: &str| with(&["sample", "model", "-n", "5", "--out", out], &[]);
    for out in ["s.xyz", "s", "s.fasta", "s.txt", "s.csv.gz"] {
        room.refuse(&sample(out), &[out, "table", ".csv", ".npz", "use one of"]);
    }
    let line = room.refuse(
        &sample("s.png"),
        &["s.png", "table", "picture", "use one of", ".csv"],
    );
    assert!(!line.contains("or .png"), "{line}");
    room.refuse(
        &["score", "model", "t.csv", "--out", "s.txt"],
        &["s.txt", ".csv", "change the name"],
    );
    room.write("i.npy", images(60));
    room.fit("i.npy", "images");
    room.refuse(
        &["sample", "images", "-n", "5", "--out", "s.fasta"],
        &["s.fasta", "image", ".npz", ".png"],
    );
}

#[test]
fn the_ancestral_sampler_is_refused_for_a_field() {
    let room = Room::new();
    let fit = with(
        &[
            "fit",
            "coupled-binary:rows=100",
            "--out",
            "field",
            "--head",
            "field",
        ],
        &TINY,
    );
    room.succeed(&with(&fit, &["--quiet"]));
    let sample = [
        "sample",
        "field",
        "-n",
        "5",
        "--out",
        "s.csv",
        "--quiet",
        "--sampler",
    ];
    room.refuse(
        &with(&sample, &["ancestral"]),
        &["ancestral", "rk4", "euler"],
    );
    room.succeed(&with(&sample, &["rk4"]));
}

/// A rate that breaks training down: step and layer are named, the last good model is kept.
#[test]
fn numbers_that_are_not_finite_end_a_run_with_step_and_place() {
    let room = Room::new();
    room.write("t.csv", table(100));
    let fit = with(
        &[
            "fit",
            "t.csv",
            "--out",
            "model",
            "--quiet",
            "--learning-rate=1e30",
        ],
        &TINY,
    );
    let output = room.run(&fit);
    assert_eq!(output.status.code(), Some(1));
    let text = stderr(&output);
    assert!(!text.contains("panicked"), "{text}");
    let line = text.lines().find(|line| line.starts_with("error: "));
    let line = line.unwrap_or_else(|| panic!("no error in {text}"));
    for fragment in ["step", "not finite", "lower learning rate"] {
        assert!(line.contains(fragment), "no {fragment:?} in\n{line}");
    }
    if room.path("model/model.safetensors").exists() {
        room.succeed(&["sample", "model", "-n", "5", "--out", "s.csv", "--quiet"]);
    }
}
