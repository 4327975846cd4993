//! Memory is refused before it is taken, in every command that can grow; a full disk costs nothing that was saved.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use common::{Room, stderr, table, with};

/// More than any computer has room for.
const MANY: &str = "1000000000000";

/// One line with the figure and what to do, and no result.
#[track_caller]
fn refuse_memory(room: &Room, words: &[&str]) {
    let output = room.run(words);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
    let last = said.lines().last().unwrap_or_default();
    let begins = last.starts_with("error: this would take ");
    assert!(
        begins && last.contains("iB of memory") && last.contains("--memory"),
        "{words:?}: {said}"
    );
}

#[test]
fn what_would_take_more_memory_than_there_is_is_refused_with_the_figure() {
    let room = Room::new();
    room.write("t.csv", table(60));
    room.write("given.csv", "colour\nred\n");
    room.fit("t.csv", "m");
    let fitted = ["energy", "fit", "ising:3x3", "--out", "e", "--quiet"];
    room.succeed(&with(
        &fitted,
        &["--steps", "5", "--samples", "50", "--draws", "8"],
    ));
    let before = room.snapshot();
    for words in [
        &["sample", "m", "-n", MANY, "--out", "s.csv", "-q"][..],
        &[
            "sample",
            "m",
            "-n",
            MANY,
            "--given",
            "given.csv",
            "--out",
            "s.csv",
            "-q",
        ],
        &["sample", "e", "-n", MANY, "--out", "s.csv", "-q"],
        &[
            "energy",
            "compare",
            "ising:3x3",
            "e",
            "--samples",
            MANY,
            "-q",
        ],
        &[
            "energy",
            "infer",
            "ising:3x3",
            "--method",
            "gibbs",
            "--chains",
            MANY,
            "-q",
        ],
        &[
            "energy",
            "infer",
            "ising:3x3",
            "--method",
            "gibbs",
            "--sweeps",
            MANY,
            "-q",
        ],
    ] {
        refuse_memory(&room, words);
    }
    for words in [
        &["sample", "m", "-n", "60000000", "--out", "s.csv", "-q"][..],
        &[
            "energy",
            "compare",
            "ising:3x3",
            "e",
            "--samples",
            "60000000",
            "-q",
        ],
    ] {
        refuse_memory(&room, &[words, &["--memory", "1MiB"]].concat());
    }
    assert!(before == room.snapshot(), "something was written");
    let samples = [
        "energy",
        "fit",
        "ising:3x3",
        "--samples",
        MANY,
        "--out",
        "f",
        "-q",
    ];
    refuse_memory(&room, &samples);
    // What fits is done.
    let few = [
        "sample", "m", "-n", "20", "--out", "s.csv", "--memory", "64MiB",
    ];
    room.succeed(&few);
}

/// A file system of a megabyte.
struct Disk(PathBuf);

impl Disk {
    /// None where nothing can be mounted.
    fn new(path: PathBuf) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(&path)
            .output();
        mounted
            .is_ok_and(|done| done.status.success())
            .then_some(Self(path))
    }

    /// Fills it but for so many bytes.
    fn fill_but(&self, bytes: u64) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        let mut filled = 0;
        while let Ok(written) = file.write(&[0; 4096]) {
            filled += written as u64;
        }
        file.set_len(filled - bytes).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_in_the_middle_of_a_save_loses_nothing() {
    let room = Room::new();
    let Some(disk) = Disk::new(room.path("disk")) else {
        eprintln!("not tested: nothing can be mounted here");
        return;
    };
    room.write("t.csv", table(200));
    let fit = ["fit", "t.csv", "--out", "disk/run", "-q"];
    let settings = "--steps 20 --hidden 64 --blocks 1 --set training.patience=99";
    let settings: Vec<&str> = settings.split(' ').collect();
    room.succeed(&with(&fit, &settings));
    let saved =
        ["model.safetensors", "checkpoint.safetensors"].map(|name| format!("disk/run/{name}"));
    let before: Vec<Vec<u8>> = saved.iter().map(|name| room.bytes(name)).collect();
    assert!(before[0].len() > 16 << 10, "too small: {}", before[0].len());
    // Settings have room, the model has not.
    disk.fill_but(16 << 10);
    let go_on = with(&fit, &["--resume", "--steps", "60"]);
    let stopped = room.run(&go_on);
    let said = stderr(&stopped);
    assert_eq!(stopped.status.code(), Some(1), "{said}");
    assert!(said.contains("make room"), "{said}");
    let after: Vec<Vec<u8>> = saved.iter().map(|name| room.bytes(name)).collect();
    assert!(before == after, "what was saved is not as it was");
    let left = fs::read_dir(room.path("disk/run")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.ends_with(".partial")).collect();
    assert!(left.is_empty(), "{left:?}");
    room.succeed(&["sample", "disk/run", "-n", "5", "--out", "s.csv"]);
    fs::remove_file(room.path("disk/filler")).unwrap();
    room.succeed(&go_on);
}
