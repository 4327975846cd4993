//! The UNet on the command line: sizes, labels of rows, classes of samples, resuming, and what is refused.

mod common;

use common::{Room, images, with};
use serde_json::Value;

/// Options of a run of a fraction of a second.
const SMALL: [&str; 10] = [
    "--network",
    "unet",
    "--channels",
    "4",
    "--blocks",
    "1",
    "--set",
    "network.heads=2",
    "--steps",
    "4",
];

/// A room with 60 small images, and a class for each.
fn room() -> Room {
    let room = Room::new();
    room.write("i.npy", images(60));
    let classes: String = (0..60)
        .map(|row| format!("{}\n", ["cat", "dog"][row % 2]))
        .collect();
    room.write("c.csv", format!("kind\n{classes}"));
    room
}

fn fit<'a>(further: &[&'a str]) -> Vec<&'a str> {
    [&["fit", "i.npy", "--out", "run", "-q"], &SMALL[..], further].concat()
}

#[test]
fn classes_of_rows_become_classes_of_samples() {
    let room = room();
    room.succeed(&fit(&[
        "--labels",
        "c.csv",
        "--flip",
        "--set",
        "network.attention=[1]",
    ]));
    let config: Value = serde_json::from_str(&room.text("run/config.json")).unwrap();
    assert_eq!(config["model"]["network"]["kind"], "unet");
    assert_eq!(config["model"]["network"]["classes"], 2);
    assert_eq!(config["labels"]["names"], serde_json::json!(["cat", "dog"]));
    assert_eq!(config["training"]["flip"], true);
    let sample = |out: &str, further: &[&str]| {
        let all = ["sample", "run", "--out", out, "--steps", "2", "-q"];
        room.succeed(&with(&all, further));
        room.bytes(out)
    };
    let all = sample("all.npy", &["-n", "4", "--class", "all"]);
    assert_eq!(all, sample("again.npy", &["-n", "4", "--class", "all"]));
    let dogs = sample("dogs.npy", &["-n", "2", "--class", "dog"]);
    let two_rows = all.len() - dogs.len();
    assert!(
        two_rows > 0 && all.ends_with(&dogs[dogs.len() - two_rows..]),
        "the last two of four are the dogs"
    );
    let sample = ["sample", "run", "--out", "s.npy"];
    for (options, fragments) in [
        (["-n", "4", "--class", "cow"], ["\"cow\"", "cat, dog"]),
        (["-n", "3", "--class", "all"], ["3 samples", "4"]),
        (["-n", "3", "--guidance", "2"], ["required", "arguments"]),
    ] {
        room.refuse(&with(&sample, &options), &fragments);
    }
    let guided = with(&sample, &["-n", "2", "--class", "cat", "--guidance", "-1"]);
    room.refuse(&guided, &["guidance", "-1"]);
    // A run with labels goes on with them, and only with them.
    room.succeed(&[
        "fit", "i.npy", "--out", "run", "--resume", "--steps", "6", "-q",
    ]);
    room.write("c.csv", "kind\ncat\n");
    room.refuse(
        &["fit", "i.npy", "--out", "run", "--resume", "--steps", "8"],
        &["c.csv", "1 labels", "60 rows"],
    );
}

#[test]
fn what_a_unet_cannot_do_is_refused_before_anything_is_touched() {
    let room = room();
    room.write("short.csv", "kind\ncat\ndog\n");
    room.write("t.csv", common::table(100));
    for (further, fragments) in [
        (&["--hidden", "8"][..], &["--hidden", "--channels"][..]),
        (
            &["--set", "network.components=8"],
            &["--set network.components is for", "--network residual"],
        ),
        (
            &["--set", "network.affinity=true"],
            &["--set network.affinity is for", "--network residual"],
        ),
        (
            &["--set", "network.multipliers=[1, 0]"],
            &["multiplier", "0"],
        ),
        (&["--set", "network.attention=[3]"], &["attention", "3"]),
        (&["--preset", "huge"], &["--preset", "'huge'"]),
        (
            &["--labels", "short.csv"],
            &["short.csv", "2 labels", "i.npy", "60 rows"],
        ),
        (
            &["--labels", "c.csv", "--label-column", "label"],
            &["\"label\"", "kind"],
        ),
        (&["--label-column", "kind"], &["required"]),
        (&["--labels", "c.csv", "--head", "field"], &["head"]),
    ] {
        room.refuse(&fit(further), fragments);
    }
    for (arguments, fragments) in [
        (
            ["t.csv", "--network", "unet"],
            ["a table", "--network residual"],
        ),
        (
            ["i.npy", "--channels", "8"],
            ["--channels", "--network unet"],
        ),
        (
            ["i.npy", "--labels", "c.csv"],
            ["--labels", "--network unet"],
        ),
    ] {
        room.refuse(&with(&["fit", "--out", "new"], &arguments), &fragments);
    }
    room.refuse(
        &["fit", "t.csv", "--flip", "--out", "new"],
        &["--flip", "a table"],
    );
    // A model without classes has none to sample.
    room.succeed(&fit(&[]));
    room.refuse(
        &["sample", "run", "-n", "2", "--class", "1", "--out", "s.npy"],
        &["--class", "--labels"],
    );
}
