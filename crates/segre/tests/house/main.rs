//! Rules of the house: rooms know only what lies below them, commands know no other command, messages name settings.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use source::sources;

/// The rooms, from the ground up: each may use those of the rows before its own.
const ROOMS: &[&[&str]] = &[
    &["estimate", "file_error", "random", "ranks", "setting"],
    &["spill"],
    &["atomic", "progress", "stream"],
    &["geometry", "field", "data"],
    &["path", "ode", "learning", "network"],
    &["flow", "energy"],
    &["randomized", "neural"],
    &["recipe"],
    &["run"],
    &["evaluation"],
    &["error"],
    &["model"],
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|row| row.contains(&room))
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let (mut rooms, mut against) = (BTreeSet::new(), BTreeSet::new());
    let mut arrows = BTreeSet::new();
    let sources = sources(&crates().join("segre/src"));
    for source in &sources {
        rooms.extend(source.module().into_iter().next());
    }
    let listed = ROOMS
        .iter()
        .flat_map(|row| row.iter().map(|room| (*room).to_owned()));
    assert_eq!(
        rooms,
        listed.collect(),
        "the rooms of the library and of the table"
    );
    for source in &sources {
        // The front door, lib.rs, may use every room.
        let Some(own) = source.module().into_iter().next() else {
            continue;
        };
        for used in source.paths() {
            let other = &used[0];
            arrows.insert((own.clone(), other.clone()));
            // What lib.rs says again is for those before the door.
            let below = rank(other).is_some_and(|other| Some(other) < rank(&own));
            if *other != own && !below {
                against.insert(format!(
                    "{}: {own} → {}",
                    source.path.display(),
                    used.join("::")
                ));
            }
        }
    }
    assert!(
        arrows.contains(&("flow".into(), "data".into())),
        "{arrows:?}"
    );
    assert!(against.is_empty(), "arrows against the order: {against:#?}");
}

#[test]
fn commands_use_no_other_command() {
    let mut found = BTreeSet::new();
    for source in sources(&crates().join("segre-cli/src")) {
        let module = source.module();
        let [commands, own, ..] = &module[..] else {
            continue;
        };
        if commands != "commands" {
            continue;
        }
        for used in source.paths() {
            if let [commands, other, ..] = &used[..]
                && commands == "commands"
                && other != own
            {
                let path = source.path.strip_prefix("commands").unwrap();
                found.insert((path.display().to_string(), other.clone()));
            }
        }
    }
    assert!(found.is_empty(), "commands that use another: {found:?}");
}

#[test]
fn messages_of_the_library_name_no_flag() {
    let mut flags = Vec::new();
    for source in sources(&crates().join("segre/src")) {
        for text in &source.literals {
            let flag = |(place, _): &(usize, &str)| {
                text[place + 2..].starts_with(|c: char| c.is_ascii_lowercase())
            };
            if text.match_indices("--").any(|found| flag(&found)) {
                flags.push(format!("{}: {text:?}", source.path.display()));
            }
        }
    }
    assert!(
        flags.is_empty(),
        "name the setting, in backticks: {flags:#?}"
    );
}
