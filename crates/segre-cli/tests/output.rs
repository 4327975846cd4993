//! What is printed and cannot be written: a reader that leaves is no error, a full disk is one line.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use common::Room;

/// Commands that print texts, tables, JSON and scripts.
const COMMANDS: [&[&str]; 7] = [
    &["energy", "infer", "ising:3x8", "-q"],
    &["energy", "info", "ising:3x8"],
    &["energy", "infer", "ising:3x8", "-q", "--json"],
    &["info", "digits"],
    &["info", "digits", "--json"],
    &["completions", "bash"],
    &["fit", "coupled-binary", "--print-recipe"],
];

#[test]
fn a_reader_that_leaves_ends_a_command_quietly() {
    let room = Room::new();
    for arguments in COMMANDS {
        // Gone before the first line, and after it.
        for lines in [0, 1] {
            let mut command = room.command(arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut reader = BufReader::with_capacity(1, child.stdout.take().unwrap());
            for _ in 0..lines {
                reader.read_line(&mut String::new()).unwrap();
            }
            drop(reader);
            let mut said = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            let status = child.wait().unwrap();
            assert_eq!(said, "", "{arguments:?}");
            assert!(
                matches!(status.code(), Some(0 | 141)),
                "{arguments:?}: {status}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_one_line() {
    let room = Room::new();
    for arguments in COMMANDS {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = room.command(arguments);
        let output = command.stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(
            said.starts_with("error: cannot write to standard output"),
            "{said}"
        );
    }
}
