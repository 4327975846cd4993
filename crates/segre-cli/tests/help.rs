//! Help, version and shell completions.

mod common;

use common::{Room, stdout};

const COMMANDS: [&str; 10] = [
    "fit",
    "sample",
    "score",
    "evaluate",
    "info",
    "report",
    "energy",
    "experiment",
    "completions",
    "devices",
];

#[test]
fn every_help_shows_examples_of_its_command() {
    let room = Room::new();
    let help = stdout(&room.succeed(&["--help"]));
    assert!(help.contains("Examples"), "{help}");
    for command in COMMANDS {
        assert!(help.contains(command), "{help}");
        let own = stdout(&room.succeed(&[command, "--help"]));
        assert!(own.contains("Examples"), "{command}: {own}");
        let (_, examples) = own.split_once("Examples").expect("just found");
        let example = format!("segre {command} ");
        assert!(examples.contains(&example), "{command}: {examples}");
        assert!(own.contains("--json") && own.contains("--seed"), "{own}");
    }
}

/// What a beginner needs fits one screen; the rest is a word away.
#[test]
fn the_short_help_of_a_fit_fits_one_screen() {
    let room = Room::new();
    let [short, long] = ["-h", "--help"].map(|help| stdout(&room.succeed(&["fit", help])));
    let lines = short.lines().count();
    assert!(lines <= 45, "{lines} lines:\n{short}");
    for option in ["--time", "--resume", "--print-recipe", "--set", "--help"] {
        assert!(short.contains(option), "no {option} in\n{short}");
    }
    for heading in ["Recipe:", "Training:", "Model:", "Images:", "Reading data:"] {
        assert!(long.contains(heading), "no {heading} in\n{long}");
    }
}

#[test]
fn completions_know_the_program_and_its_subcommands() {
    let room = Room::new();
    for (shell, mark) in [
        ("bash", "complete "),
        ("zsh", "#compdef segre"),
        ("fish", "complete -c segre"),
    ] {
        let script = stdout(&room.succeed(&["completions", shell]));
        assert!(script.contains(mark), "{shell}: {script}");
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: no {command}");
        }
        assert!(script.contains("learning-rate"), "{shell}");
    }
    room.refuse(&["completions", "cmd"], &["'cmd'"]);
}

#[test]
fn the_version_is_the_packages() {
    let version = stdout(&Room::new().succeed(&["--version"]));
    assert_eq!(version, format!("segre {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn unknown_commands_and_options_are_refused() {
    let room = Room::new();
    room.refuse(&["lern"], &["'lern'"]);
    room.refuse(
        &["fit", "digits", "--out", "x", "--step", "5"],
        &["'--step'"],
    );
    room.refuse(&["fit", "digits"], &["required"]);
}
