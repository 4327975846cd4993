//! Experiments: the list, refusals, what a run writes, and that nothing is lost when it is interrupted.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::sync::LazyLock;

use common::{Room, number, parse_csv, stderr, stdout};
use serde_json::Value;

const NAMES: [&str; 3] = ["coupled-binary", "toys", "tetrahedron"];
const RUN: [&str; 6] = [
    "experiment",
    "run",
    "coupled-binary",
    "--quick",
    "--quiet",
    "--out",
];

/// Cells of such a run.
const CELLS: usize = 6;

/// An uninterrupted run, and what it printed.
static WHOLE: LazyLock<(Room, Value)> = LazyLock::new(|| {
    let room = Room::new();
    let printed = room.json(&common::with(&RUN, &["whole"]));
    (room, printed)
});

fn rows(results: &Value) -> Vec<Value> {
    results["rows"].as_array().unwrap().clone()
}

/// The rows that are stored so far.
fn stored(room: &Room, out: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(room.path(&format!("{out}/results.json")));
    text.map_or_else(
        |_| Vec::new(),
        |text| rows(&serde_json::from_str(&text).unwrap()),
    )
}

#[test]
fn the_list_names_every_experiment_with_its_source() {
    let room = Room::new();
    let text = stdout(&room.succeed(&["experiment", "list"]));
    let json = room.json(&["experiment", "list"]);
    for (name, entry) in NAMES.iter().zip(json["experiments"].as_array().unwrap()) {
        assert_eq!(entry["name"], *name);
        assert!(number(entry, "minutes") > 0.0);
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains("arXiv"), "{line}");
    }
    let help = stdout(&room.succeed(&["experiment", "run", "--help"]));
    assert!(
        NAMES.iter().all(|name| help.contains(name)) && help.contains("Examples"),
        "{help}"
    );
}

#[test]
fn a_name_that_is_none_is_refused_with_the_nearest() {
    let room = Room::new();
    let words = ["experiment", "run", "tetrahedon"];
    room.refuse(&words, &["'tetrahedon'"]);
    let text = stderr(&room.run(&words));
    assert!(
        text.contains("similar value exists: 'tetrahedron'"),
        "{text}"
    );
    room.refuse(&["experiment", "run"], &["required"]);
    room.refuse(&["experiment", "run", "toys", "--seeds", "0"], &["--seeds"]);
    room.refuse(
        &["experiment", "run", "toys", "--force", "--resume"],
        &["--resume", "cannot be used with"],
    );
}

#[test]
fn folders_that_hold_something_else_are_left_alone() {
    let room = Room::new();
    std::fs::create_dir(room.path("mine")).unwrap();
    room.write("mine/thesis.txt", "years of work");
    room.write("file", "");
    let run = |further: &[&str]| common::with(&RUN, further);
    room.refuse(
        &run(&["mine"]),
        &["mine", "not empty", "--resume", "--force"],
    );
    room.refuse(
        &run(&["mine", "--force"]),
        &["mine", "not the folder of an experiment"],
    );
    room.refuse(&run(&["mine", "--resume"]), &["mine", "no results"]);
    room.refuse(&run(&["absent", "--resume"]), &["absent", "no results"]);
    room.refuse(&run(&["file"]), &["file", "not a folder"]);
    room.refuse(
        &run(&["x", "--seeds", "2", "--seed", "18446744073709551615"]),
        &["--seeds"],
    );
}

#[test]
fn coupled_bits_are_learned_and_everything_is_written() {
    let (room, printed) = &*WHOLE;
    let written: Value = serde_json::from_str(&room.text("whole/results.json")).unwrap();
    assert_eq!(&written, printed);
    assert_eq!(written["rows"].as_array().unwrap().len(), CELLS);
    for row in rows(&written) {
        let (kl, error) = (number(&row, "value"), number(&row, "std_error"));
        let floor = 3.0 / 2.0 / 65_536.0;
        assert!((number(&row, "floor") / floor - 1.0).abs() < 0.01, "{row}");
        assert!((number(&row, "uniform") - 0.510_826).abs() < 1e-5, "{row}");
        // The paper's rate is too small for a run this short.
        let learned = row["settings"]["learning_rate"] != "5e-4";
        assert!(!learned || kl < 0.01, "{row}");
        assert!(error > 0.0 && error < 0.01, "{row}");
        let shares = ["p(0,0)", "p(0,1)", "p(1,0)", "p(1,1)"];
        let sum: f64 = shares
            .iter()
            .map(|share| number(&row["further"], share))
            .sum();
        assert!((sum - 1.0).abs() < 1e-9, "{row}");
    }
    let table = parse_csv(&room.text("whole/results.csv"));
    assert_eq!(table.len(), CELLS + 1);
    assert_eq!(table[0][..3], ["path", "head", "network"]);
    let value = table[0].iter().position(|name| name == "value").unwrap();
    for (line, row) in table[1..].iter().zip(rows(&written)) {
        assert_eq!(line[value].parse::<f64>().unwrap(), number(&row, "value"));
    }
    let report = room.text("whole/REPORT.md");
    for part in [
        "segre experiment run coupled-binary --out whole --quick",
        "perfect sampler (floor)",
        "uniform sampler",
        "published",
        "![",
    ] {
        assert!(report.contains(part), "no {part:?} in\n{report}");
    }
    let picture = room.bytes("whole/shares.png");
    assert!(picture.starts_with(b"\x89PNG"));
}

#[test]
fn force_replaces_what_a_former_run_left_and_nothing_else() {
    let (whole, _) = &*WHOLE;
    let room = Room::new();
    std::fs::create_dir(room.path("r")).unwrap();
    for name in ["results.json", "results.csv", "REPORT.md", "shares.png"] {
        room.write(&format!("r/{name}"), whole.bytes(&format!("whole/{name}")));
    }
    room.write("r/remarks.txt", "mine");
    let mut running = room.start(&common::with(&RUN, &["r", "--force"]));
    running.wait_until("a new beginning", || stored(&room, "r").len() < CELLS);
    running.kill();
    let report = room.path("r/REPORT.md");
    assert!(!room.path("r/shares.png").exists() && !report.exists());
    assert_eq!(room.text("r/remarks.txt"), "mine");
    // What the killed run was writing is swept away by whoever takes the folder.
    for entry in std::fs::read_dir(room.path("r")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".partial") {
            std::fs::remove_file(path).unwrap();
        }
    }
    // A list of files that leads elsewhere is not followed.
    room.write("precious.txt", "mine");
    let text = whole.text("whole/results.json");
    room.write(
        "r/results.json",
        text.replace("shares.png", "../precious.txt"),
    );
    room.refuse(&common::with(&RUN, &["r", "--force"]), &["no file name"]);
}

#[test]
fn an_interrupted_run_keeps_its_cells_and_goes_on() {
    let room = Room::new();
    let mut running = room.start(&common::with(&RUN, &["r"]));
    running.wait_until("the first cell", || !stored(&room, "r").is_empty());
    let output = running.interrupt();
    let first = stored(&room, "r");
    assert!(!output.status.success() && first.len() < CELLS);
    let text = stderr(&output);
    let line = text
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap();
    assert!(
        line.contains(&format!("{} of {CELLS} cells", first.len())),
        "{line}"
    );
    // The advice works as it stands; this time it is killed.
    let (_, advice) = line.split_once("segre ").unwrap();
    let advice: Vec<&str> = advice.split(' ').collect();
    assert_eq!(advice.last(), Some(&"--resume"));
    let mut running = room.start(&common::with(&advice, &["--quiet"]));
    running.wait_until("another cell", || stored(&room, "r").len() > first.len());
    running.kill();
    let second = stored(&room, "r");
    assert!(second.len() < CELLS && second[..first.len()] == first[..]);
    let end = room.json(&common::with(&advice, &["--quiet"]));
    assert_eq!(rows(&end).len(), CELLS);
    // Kept to the last digit of their wall times, and the others as if nothing had happened.
    assert_eq!(rows(&end)[..second.len()], second[..]);
    let values = |results: &Value| -> Vec<f64> {
        rows(results)
            .iter()
            .map(|row| number(row, "value"))
            .collect()
    };
    assert_eq!(values(&end), values(&WHOLE.1));
    // Another kind of run is not mixed in.
    let full = [
        "experiment",
        "run",
        "coupled-binary",
        "--out",
        "r",
        "--resume",
    ];
    room.refuse(&full, &["--quick"]);
    let other = [
        "experiment",
        "run",
        "tetrahedron",
        "--out",
        "r",
        "--resume",
        "--quick",
    ];
    room.refuse(&other, &["coupled-binary"]);
}

/// Its seeds are those that it was begun with, and further ones are counted from the first of them.
#[test]
fn a_run_goes_on_with_its_own_seeds() {
    let room = Room::new();
    let results = || -> Value {
        let text = std::fs::read_to_string(room.path("r/results.json"));
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    };
    for (further, seeds, part) in [
        (&["--seed", "3"][..], vec![3], "--quick --seed 3"),
        (&["--resume"], vec![3], "--quick --seed 3"),
        (
            &["--resume", "--seeds", "2"],
            vec![3, 4],
            "--quick --seeds 2 --seed 3",
        ),
        (&["--resume"], vec![3, 4], "--quick --seeds 2 --seed 3"),
    ] {
        let before = results()["rows"].as_array().map_or(0, Vec::len);
        let mut running = room.start(&common::with(&common::with(&RUN, &["r"]), further));
        running.wait_until("a cell", || {
            results()["rows"]
                .as_array()
                .is_some_and(|rows| rows.len() > before)
        });
        running.kill();
        let found = results();
        assert_eq!(found["seeds"], serde_json::json!(seeds), "{further:?}");
        let command = found["command"].as_str().unwrap();
        assert!(command.ends_with(part), "{command}");
        let rows = found["rows"].as_array().unwrap();
        let legal = |row: &Value| seeds.contains(&row["seed"].as_u64().unwrap());
        assert!(rows.iter().all(legal), "{rows:?}");
    }
}

#[test]
fn critical_tori_have_the_exact_free_energy_within_the_errors() {
    let room = Room::new();
    let words = ["experiment", "run", "ising-critical", "--quick", "-q"];
    let results = room.json(&common::with(&words, &["--out", "c"]));
    for row in rows(&results) {
        // Side 4, data-free or from samples, is easy; 6 × 6 takes more than a rough run.
        if row["settings"]["side"] == "4" {
            let (value, error) = (number(&row, "value"), number(&row, "std_error"));
            let exact = number(&row, "floor");
            assert!((value - exact).abs() < 5.0 * error + 1e-4, "{row}");
            assert!(number(&row["further"], "variational") > exact, "{row}");
        }
    }
    for file in ["histograms-4.png", "histograms-6.png", "REPORT.md"] {
        assert!(room.path("c").join(file).is_file(), "{file}");
    }
}
