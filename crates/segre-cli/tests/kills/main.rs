//! Fits of every kind, killed at random moments: gone on with, they end as if nothing had happened. And one process a folder.
//!
//! `SEGRE_KILLS=1000 cargo test --release --workspace --locked --test kills -- --ignored --nocapture runs_of` kills so
//! many of each kind.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Room, dice, images, stderr, table, with};
use serde_json::Value;

/// Kills of each kind, if nothing else is said.
const KILLS: u64 = 2;

/// A kind of run: what begins it in a folder, and the files that must not differ.
struct Kind {
    name: &'static str,
    begin: &'static [&'static str],
    same: &'static [&'static str],
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "table",
        begin: &[
            "fit",
            "t.csv",
            "--steps",
            "60",
            "--hidden",
            "16",
            "--blocks",
            "1",
            "--set",
            "training.patience=99",
        ],
        same: &["model.safetensors", "config.json", "samples.csv"],
    },
    Kind {
        name: "unet",
        begin: &[
            "fit",
            "i.npy",
            "--network",
            "unet",
            "--channels",
            "8",
            "--steps",
            "12",
            "--batch-size",
            "8",
            "--set",
            "training.patience=99",
        ],
        same: &["model.safetensors", "config.json"],
    },
    Kind {
        name: "energy, from samples",
        begin: &[
            "energy",
            "fit",
            "m.uai",
            "--method",
            "neural",
            "--samples",
            "2000",
            "--steps",
            "30",
        ],
        // The settings name the file of samples, which lies beside the folder.
        same: &["model.safetensors", "samples.csv"],
    },
    Kind {
        name: "energy, without data",
        begin: &[
            "energy",
            "fit",
            "m.uai",
            "--method",
            "neural",
            "--data-free",
            "--steps",
            "60",
            "--hidden",
            "8",
        ],
        same: &["model.safetensors", "config.json"],
    },
    Kind {
        name: "randomised",
        begin: &[
            "energy",
            "fit",
            "m.uai",
            "--samples",
            "2000",
            "--steps",
            "300",
            "--draws",
            "64",
        ],
        same: &["model.safetensors", "config.json"],
    },
    Kind {
        name: "experiment",
        begin: &["experiment", "run", "coupled-binary", "--quick"],
        same: &[],
    },
];

fn room() -> Room {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.write("i.npy", images(60));
    room.write(
        "m.uai",
        "MARKOV\n3\n2 2 2\n2\n2 0 1\n2 1 2\n4 3 1 1 3\n4 1 2 2 1\n",
    );
    room
}

fn begin(kind: &Kind, out: &str) -> Vec<String> {
    with(kind.begin, &["--out", out, "--quiet", "--seed", "3"])
}

/// The run goes on; one that was killed before it had settings begins again.
fn go_on(room: &Room, kind: &Kind, out: &str) -> Vec<String> {
    let settings = ["config.json", "results.json"].map(|name| room.path(out).join(name));
    if !settings.iter().any(|path| path.is_file()) {
        return with(&begin(kind, out), &["--force"]);
    }
    let words = match kind.begin[..] {
        ["energy", ..] => kind.begin[..3].to_vec(),
        ["fit", ..] => kind.begin[..2].to_vec(),
        _ => kind.begin.to_vec(),
    };
    let method = match kind.begin.iter().position(|word| *word == "--method") {
        Some(at) => &kind.begin[at..at + 2],
        None => &[],
    };
    let free = kind.begin.contains(&"--data-free");
    let free: &[&str] = if free { &["--data-free"] } else { &[] };
    let words = with(&with(&words, method), free);
    with(&words, &["--out", out, "--resume", "--quiet"])
}

fn start(room: &Room, words: &[String]) -> Child {
    let mut command = room.command(words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Whether something is being written in a folder.
fn is_writing(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .into_iter()
        .any(|entry| entry.file_name().to_string_lossy().ends_with(".partial"))
}

/// Kills a process after a while, or from then on when it writes; whether it was alive.
fn kill(room: &Room, mut running: Child, out: &str, after: Duration, writing: bool) -> bool {
    let start = Instant::now();
    let folder = room.path(out);
    let due = || {
        start.elapsed() >= after
            && (!writing || is_writing(&folder) || start.elapsed() > 20 * after)
    };
    while running.try_wait().unwrap().is_none() && !due() {
        sleep(Duration::from_micros(200));
    }
    let alive = running.try_wait().unwrap().is_none();
    // It may end by itself just now.
    let _ = running.kill();
    running.wait().unwrap();
    alive
}

/// What must be the same in two folders.
fn contents(room: &Room, kind: &Kind, out: &str) -> Vec<Vec<u8>> {
    if kind.same.is_empty() {
        let mut results: Value =
            serde_json::from_slice(&room.bytes(&format!("{out}/results.json"))).unwrap();
        for part in ["rows", "summary"] {
            for row in results[part].as_array_mut().unwrap() {
                row.as_object_mut().unwrap().remove("seconds");
            }
        }
        return vec![
            results["rows"].to_string().into_bytes(),
            results["summary"].to_string().into_bytes(),
        ];
    }
    kind.same
        .iter()
        .map(|name| room.bytes(&format!("{out}/{name}")))
        .collect()
}

#[test]
#[ignore = "a campaign: takes a minute for a few kills"]
fn runs_of_every_kind_that_are_killed_end_like_uninterrupted_ones() {
    let kills: u64 = std::env::var("SEGRE_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let room = room();
    let mut dice = dice(26);
    for kind in &KINDS {
        let started = Instant::now();
        let done = room.run(&begin(kind, "whole"));
        assert!(done.status.success(), "{}: {}", kind.name, stderr(&done));
        let whole = contents(&room, kind, "whole");
        let lasted = started.elapsed();
        let (mut killed, mut trials) = (0, 0);
        while killed < kills {
            trials += 1;
            let mut words = begin(kind, "out");
            // Once, or several times in a row.
            for _ in 0..=dice(3) {
                let after = lasted.mul_f64(dice(1000) as f64 / 1000.0);
                let alive = kill(&room, start(&room, &words), "out", after, dice(2) == 0);
                killed += u64::from(alive);
                words = go_on(&room, kind, "out");
            }
            let ended = room.run(&words);
            assert!(
                ended.status.success(),
                "{}, trial {trials}: {}",
                kind.name,
                stderr(&ended)
            );
            let same = contents(&room, kind, "out") == whole;
            assert!(same, "{}, trial {trials}: another end", kind.name);
            let left = is_writing(&room.path("out")) || room.path("out/run.lock").exists();
            assert!(!left, "{}, trial {trials}: files are left", kind.name);
            fs::remove_dir_all(room.path("out")).unwrap();
        }
        fs::remove_dir_all(room.path("whole")).unwrap();
        println!(
            "{}: {killed} kills in {trials} runs, {:.0} s",
            kind.name,
            started.elapsed().as_secs_f64()
        );
    }
}

/// The second is refused with the name of the first, which goes on; when that is dead, the folder is free.
#[test]
fn a_folder_belongs_to_one_process() {
    let room = room();
    for (begin, seconds) in [
        (
            &["fit", "t.csv", "--time", "60s"][..],
            &["fit", "t.csv"][..],
        ),
        (
            &["energy", "fit", "m.uai", "--time", "60s"],
            &["energy", "fit", "m.uai"],
        ),
        (
            &["experiment", "run", "toys"],
            &["experiment", "run", "toys"],
        ),
    ] {
        let mut first = start(&room, &with(begin, &["--out", "run", "--quiet"]));
        let id = first.id().to_string();
        let settings = ["config.json", "results.json"].map(|name| room.path("run").join(name));
        let since = Instant::now();
        while !settings.iter().any(|path| path.is_file()) {
            assert!(first.try_wait().unwrap().is_none(), "{begin:?} has ended");
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "{begin:?}: no settings"
            );
            sleep(Duration::from_millis(5));
        }
        for how in ["--force", "--resume"] {
            let output = room.run(&with(seconds, &["--out", "run", "--quiet", how]));
            let said = stderr(&output);
            let holder = format!("process {id} since 20");
            assert_eq!(output.status.code(), Some(1), "{begin:?} {how}: {said}");
            assert!(
                said.contains("run is in use by") && said.contains(&holder),
                "{said}"
            );
        }
        assert!(first.try_wait().unwrap().is_none(), "{begin:?} has ended");
        first.kill().unwrap();
        first.wait().unwrap();
        assert!(room.path("run/run.lock").is_file());
        let again = start(&room, &with(begin, &["--out", "run", "--quiet", "--force"]));
        sleep(Duration::from_millis(500));
        assert!(
            kill(&room, again, "run", Duration::from_millis(1), false),
            "{begin:?} --force"
        );
        fs::remove_dir_all(room.path("run")).unwrap();
    }
}

/// From Ctrl-C to the end, the longest of some random moments of each command; the table is in `docs/trust.md`.
#[test]
#[ignore = "takes minutes, and the time is that of an idle computer"]
fn every_command_ends_soon_after_an_interrupt() {
    let room = room();
    room.write("large.csv", table(20_000));
    room.write("gaps.csv", table(4_000).replace("red", "?"));
    room.succeed(&[
        "fit",
        "t.csv",
        "--out",
        "m",
        "--steps",
        "20",
        "--conditional",
        "any",
        "-q",
    ]);
    room.succeed(&[
        "energy",
        "fit",
        "m.uai",
        "--method",
        "neural",
        "--steps",
        "20",
        "--samples",
        "500",
        "--out",
        "e",
        "-q",
    ]);
    let fit = ["--time", "60s", "--out", "run", "--force"];
    let mut dice = dice(5);
    for (name, words) in [
        ("fit, table", with(&["fit", "large.csv"], &fit)),
        (
            "fit, pictures",
            with(&["fit", "digits", "--network", "unet"], &fit),
        ),
        (
            "energy fit, samples",
            with(&["energy", "fit", "ising:8x8", "--method", "neural"], &fit),
        ),
        (
            "energy fit, without data",
            with(
                &[
                    "energy",
                    "fit",
                    "ising:8x8",
                    "--method",
                    "neural",
                    "--data-free",
                ],
                &fit,
            ),
        ),
        (
            "energy fit, randomised",
            with(&["energy", "fit", "ising:4x4"], &fit),
        ),
        (
            "experiment run",
            with(
                &["experiment", "run", "toys", "--out", "run", "--force"],
                &[],
            ),
        ),
        (
            "sample",
            with(&["sample", "m", "-n", "5000000", "--out", "s.csv"], &[]),
        ),
        (
            "score",
            with(&["score", "m", "large.csv", "--std-error", "0.00001"], &[]),
        ),
        (
            "evaluate",
            with(
                &["evaluate", "m", "large.csv", "--std-error", "0.00001"],
                &[],
            ),
        ),
        (
            "impute",
            with(&["impute", "m", "gaps.csv", "--out", "f.csv"], &[]),
        ),
        (
            "predict",
            with(
                &[
                    "predict",
                    "m",
                    "large.csv",
                    "--target",
                    "flag",
                    "--out",
                    "p.csv",
                ],
                &[],
            ),
        ),
        (
            "energy infer, chains",
            with(
                &[
                    "energy",
                    "infer",
                    "ising:32x32",
                    "--method",
                    "gibbs",
                    "--sweeps",
                    "1000000",
                ],
                &[],
            ),
        ),
        (
            "energy compare",
            with(
                &["energy", "compare", "m.uai", "e", "--samples", "5000000"],
                &[],
            ),
        ),
    ] {
        let (mut longest, mut stopped) = (Duration::ZERO, 0);
        for _ in 0..8 {
            let mut running = start(&room, &with(&words, &["--quiet"]));
            sleep(Duration::from_millis(200 + dice(3000)));
            if let Some(status) = running.try_wait().unwrap() {
                let mut said = String::new();
                let mut stderr = running.stderr.take().unwrap();
                std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
                assert!(status.success(), "{name}: {said}");
                continue;
            }
            let asked = Instant::now();
            let id = running.id().to_string();
            std::process::Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap();
            running.wait().unwrap();
            longest = longest.max(asked.elapsed());
            stopped += 1;
            let _ = fs::remove_dir_all(room.path("run"));
        }
        println!("| {name} | {stopped} | {:.2} s |", longest.as_secs_f64());
        assert!(longest < Duration::from_secs(5), "{name}: {longest:?}");
    }
}
