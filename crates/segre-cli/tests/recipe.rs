//! Recipes on the command line: printed, read, set one by one, and what is refused.

mod common;

use common::{Room, TINY, stdout, table, with};
use serde_json::Value;

/// A room with a table of 200 rows.
fn room() -> Room {
    let room = Room::new();
    room.write("t.csv", table(200));
    room
}

#[test]
fn a_printed_recipe_is_followed_to_the_same_model() {
    let room = room();
    let fit = with(&["fit", "t.csv", "--seed", "7"], &TINY);
    let before = room.snapshot();
    let printed = stdout(&room.succeed(&with(&fit, &["--print-recipe"])));
    assert!(room.snapshot() == before, "a folder was touched");
    for part in [
        "# Seed",
        "seed = 7\n",
        "[training]",
        "steps = 20\n",
        "hidden = 16\n",
    ] {
        assert!(printed.contains(part), "no {part:?} in\n{printed}");
    }
    room.write("r.toml", &printed);
    let own = ["fit", "t.csv", "--recipe", "r.toml"];
    let again = stdout(&room.succeed(&with(&own, &["--print-recipe"])));
    assert_eq!(again, printed);
    room.succeed(&with(&fit, &["--out", "a", "-q"]));
    room.succeed(&with(&own, &["--out", "b", "-q"]));
    for name in ["config.json", "model.safetensors"] {
        let [a, b] = ["a", "b"].map(|out| room.bytes(&format!("{out}/{name}")));
        assert!(a == b, "{name}");
    }
}

#[test]
fn a_printed_recipe_of_an_energy_fit_is_followed_to_the_same_model() {
    let room = Room::new();
    let neural = ["energy", "fit", "ising:2x2", "--method", "neural"];
    for (kind, from) in [
        ("data", ["--samples", "600"]),
        ("none", ["--data-free", "-q"]),
    ] {
        let neural = with(&neural, &from);
        let decided = ["--steps", "8", "--seed", "7", "--set", "network.hidden=16"];
        let fit = with(&neural, &decided);
        let before = room.snapshot();
        let printed = stdout(&room.succeed(&with(&fit, &["--print-recipe"])));
        assert!(room.snapshot() == before, "a folder was touched");
        for part in ["seed = 7\n", "steps = 8\n", "hidden = 16\n", "\"masked\""] {
            assert!(printed.contains(part), "no {part:?} in\n{printed}");
        }
        room.write("r.toml", &printed);
        let own = with(&neural, &["--recipe", "r.toml"]);
        let again = stdout(&room.succeed(&with(&own, &["--print-recipe"])));
        assert_eq!(again, printed);
        let [a, b] = ["a", "b"].map(|out| format!("{kind}-{out}"));
        room.succeed(&with(&fit, &["--out", &a]));
        room.succeed(&with(&own, &["--out", &b]));
        let [a, b] = [a, b].map(|out| room.bytes(&format!("{out}/model.safetensors")));
        assert!(a == b, "{kind}");
        room.write("typo.toml", "[network]\nhiden = 4\n");
        for (further, fragments) in [
            (["--recipe", "typo.toml"], ["typo.toml:2:", "'hidden'"]),
            (["--set", "hidden=4"], ["\"hidden\"", "network.hidden"]),
        ] {
            let new = with(&neural, &["--out", "new"]);
            room.refuse(&with(&new, &further), &fragments);
        }
    }
    // A randomised flow has options only.
    for option in ["--print-recipe", "--recipe=r.toml", "--set=seed=1"] {
        let words = ["energy", "fit", "ising:2x2", "--out", "new", option];
        let name = option.split('=').next().unwrap_or_default();
        room.refuse(&words, &[name, "--method neural", "leave it out"]);
    }
}

#[test]
fn options_go_before_what_is_set_and_that_before_the_file() {
    let room = room();
    room.write(
        "r.toml",
        "seed = 3\n[training]\ntime = \"2m\"\nbatch_size = 64\n[network]\nhidden = 8\nblocks = 3\n",
    );
    let recipe: Value = room.json(&[
        "fit",
        "t.csv",
        "--print-recipe",
        "--recipe",
        "r.toml",
        "--set",
        "network.hidden=32",
        "--set",
        "path.kind=masked",
        "--set",
        "training.steps=9",
        "--batch-size",
        "16",
        "--hidden",
        "4",
    ]);
    assert_eq!(recipe["seed"], 3);
    assert_eq!(recipe["network"]["hidden"], 4);
    assert_eq!(recipe["network"]["blocks"], 3);
    assert_eq!(recipe["training"]["batch_size"], 16);
    assert_eq!(recipe["path"]["kind"], "masked");
    // Steps and time are one decision.
    assert_eq!(recipe["training"]["steps"], 9);
    assert_eq!(recipe["training"]["time"], Value::Null);
}

#[test]
fn faults_of_recipes_are_refused_with_file_line_and_key() {
    let room = room();
    room.write("typo.toml", "[network]\nhiden = 4\n");
    room.write("cut.toml", "[network]\nhidden =\n");
    let fit = ["fit", "t.csv", "--out", "new"];
    for (further, fragments) in [
        (
            ["--recipe", "typo.toml"],
            ["typo.toml:2:", "'hiden'", "'hidden'"],
        ),
        (
            ["--recipe", "cut.toml"],
            ["cut.toml:2:", "hidden", "expected"],
        ),
        (
            ["--recipe", "none.toml"],
            ["none.toml", "cannot read", "--recipe"],
        ),
        (
            ["--set", "hidden=4"],
            ["--set", "\"hidden\"", "network.hidden"],
        ),
        (
            ["--set", "network.hidden"],
            ["--set", "KEY=VALUE", "network.hidden=64"],
        ),
        (
            ["--set", "network.kind=brain"],
            ["--set", "'brain'", "'residual'"],
        ),
        (
            ["--set", "network.heads=2"],
            ["--set network.heads", "--network unet", "leave it out"],
        ),
        (["--set", "network.hidden=0"], ["hidden", "0", "from 1"]),
    ] {
        room.refuse(&with(&fit, &further), &fragments);
        room.refuse(
            &with(&["fit", "t.csv", "--print-recipe"], &further),
            &fragments,
        );
    }
    // What is missing stands on a line of its own.
    let output = room.run(&["fit", "t.csv"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("--out"), "{text}");
}
