//! Samples as a classifier sees them: trained once, kept in a file, judged beside held-out images; and the baselines
//! of images.

mod common;

use common::{Room, dice, npy, number, stdout, with};
use serde_json::{Value, json};

/// Images of 6 × 6 pixels, the upper or the lower half bright with some noise, and a class for each.
fn halves(rows: u64, seed: u64) -> (Vec<u8>, String) {
    let mut dice = dice(seed);
    let (mut values, mut classes) = (Vec::new(), String::from("kind\n"));
    for _ in 0..rows {
        let lower = dice(2);
        classes += ["top\n", "bottom\n"][lower as usize];
        values.extend((0..36).map(|place| match dice(10) {
            0 => dice(2) as u8,
            _ => u8::from(place / 18 == lower),
        }));
    }
    (npy(&[rows, 6, 6], &values), classes)
}

fn room() -> Room {
    let room = Room::new();
    for (data, labels, rows, seed) in [("i.npy", "c.csv", 200, 1), ("t.npy", "tc.csv", 60, 2)] {
        let (images, classes) = halves(rows, seed);
        room.write(data, images);
        room.write(labels, classes);
    }
    room
}

fn fit(room: &Room, out: &str, further: &[&str]) {
    let fit = ["fit", "i.npy", "--out", out, "-q", "--steps", "4"];
    let unet = [
        "--network",
        "unet",
        "--channels",
        "4",
        "--blocks",
        "1",
        "--set",
        "network.heads=2",
    ];
    room.succeed(&with(&with(&fit, &unet), further));
}

const QUICK: [&str; 5] = ["-q", "--steps", "2", "--images", "30"];

#[test]
fn a_classifier_is_trained_once_and_judges_samples() {
    let room = room();
    fit(&room, "run", &["--labels", "c.csv"]);
    let evaluate = with(
        &["evaluate", "run", "--classifier", "c.safetensors"],
        &QUICK,
    );
    let asked = ["--agreement", "5", "--guidance", "1.5", "--out-dir", "seen"];
    let first = &room.json(&with(&evaluate, &asked))["classifier"];
    assert_eq!(first["trained"], true);
    assert_eq!(first["trained_on_these_rows"], true);
    assert_eq!(number(first, "training_rows"), 160.0);
    // The halves are plain; a tenth of 200 rows is in each part.
    assert!(number(first, "validation_accuracy") > 0.9, "{first}");
    assert!(number(first, "test_accuracy") > 0.9, "{first}");
    assert_eq!(
        (number(first, "samples"), number(first, "rows")),
        (30.0, 20.0)
    );
    let agreement = &first["agreement"];
    let by_class: Vec<f64> = serde_json::from_value(agreement["by_class"].clone()).unwrap();
    assert_eq!((by_class.len(), number(agreement, "guidance")), (2, 1.5));
    let mean = by_class.iter().sum::<f64>() / 2.0;
    assert!(
        (number(agreement, "overall") - mean).abs() < 1e-12,
        "{agreement}"
    );
    let stored: Value = serde_json::from_str(&room.text("seen/images.json")).unwrap();
    assert_eq!(&stored["classifier"], first);

    // The next time it is read, and says the same.
    let bytes = room.bytes("c.safetensors");
    let second = &room.json(&evaluate)["classifier"];
    assert_eq!(second["trained"], false);
    for key in [
        "validation_accuracy",
        "sample_to_train",
        "shares",
        "test_to_train",
    ] {
        assert_eq!(first[key], second[key], "{key}");
    }
    assert_eq!(bytes, room.bytes("c.safetensors"));
    let text = stdout(&room.succeed(&with(&evaluate, &["--agreement", "2"])));
    for word in [
        "c.safetensors: read",
        "Fréchet",
        "validation (a perfect model)",
        "bottom",
        "assigned to it",
    ] {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
}

/// A model without classes borrows them; test data of their own have labels of their own.
#[test]
fn images_may_be_given_and_labels_be_borrowed() {
    let room = room();
    fit(&room, "run", &["--test-data", "t.npy"]);
    let evaluate = ["evaluate", "run", "-q", "--classifier", "c.safetensors"];
    let evaluate = with(&evaluate, &["--labels", "c.csv", "--test-labels", "tc.csv"]);
    let found = room.json(&with(&evaluate, &["--images-from", "t.npy"]));
    let found = &found["classifier"];
    assert!(number(found, "test_accuracy") > 0.9, "{found}");
    assert_eq!(found["shares"]["classes"], json!(["bottom", "top"]));
    // The test part in place of samples.
    assert_eq!(found["sample_to_train"], found["test_to_train"]);
    assert!(found.get("agreement").is_none());
    // One half only: half of the mass is elsewhere, and the features are far off.
    let tops: Vec<u8> = (0..40 * 36)
        .map(|place| u8::from(place % 36 < 18))
        .collect();
    room.write("tops.npy", npy(&[40, 6, 6], &tops));
    let found = room.json(&with(&evaluate, &["--images-from", "tops.npy"]));
    let (own, test) = ("sample_to_train", "test_to_train");
    let distances = [own, test].map(|part| number(&found["classifier"][part], "frechet"));
    assert!(distances[0] > 5.0 * distances[1], "{distances:?}");
    assert!(
        number(&found["classifier"][own], "classes") > 0.3,
        "{found}"
    );
}

#[test]
fn what_a_classifier_cannot_do_is_refused() {
    let room = room();
    fit(&room, "told", &["--labels", "c.csv"]);
    fit(&room, "run", &["--test-data", "t.npy"]);
    room.write("x.safetensors", "no tensors");
    room.write("short.csv", "kind\ntop\nbottom\n");
    let other = room.text("tc.csv").replace("top", "side");
    room.write("other.csv", other);
    let file = ["--classifier", "c.safetensors"];
    for (model, options, fragments) in [
        ("run", &["--labels", "c.csv"][..], &["required"][..]),
        ("run", &[file[0], file[1], "--guidance", "2"], &["required"]),
        ("run", &file, &["c.safetensors", "no such file", "--labels"]),
        (
            "run",
            &[file[0], "c.csv/c.safetensors", "--labels", "c.csv"],
            &["c.csv", "another folder"],
        ),
        (
            "told",
            &[file[0], file[1], "--labels", "c.csv"],
            &["--labels", "was told"],
        ),
        (
            "run",
            &[file[0], file[1], "--labels", "c.csv", "--agreement", "3"],
            &["not told classes", "--labels"],
        ),
        (
            "told",
            &[file[0], file[1], "--agreement", "3", "--guidance", "-1"],
            &["guidance is -1"],
        ),
        (
            "told",
            &[file[0], "x.safetensors"],
            &["x.safetensors", "damaged"],
        ),
        (
            "told",
            &[file[0], "told/model.safetensors"],
            &["holds no classifier"],
        ),
        (
            "told",
            &[file[0], file[1], "--test-labels", "c.csv"],
            &["--test-labels", "leave"],
        ),
        (
            "run",
            &[file[0], file[1], "--labels", "short.csv"],
            &["short.csv", "2 labels", "200 rows"],
        ),
        (
            "run",
            &[
                file[0],
                file[1],
                "--labels",
                "c.csv",
                "--test-labels",
                "other.csv",
            ],
            &["other.csv", "\"side\"", "bottom, top"],
        ),
    ] {
        room.refuse(
            &with(&with(&["evaluate", model], &QUICK), options),
            fragments,
        );
    }
    // A classifier of other classes, and of other images.
    let evaluate = with(&["evaluate", "told"], &QUICK);
    room.succeed(&with(&evaluate, &file));
    room.write("c.csv", room.text("c.csv").replace("top", "side"));
    fit(&room, "side", &["--labels", "c.csv"]);
    let evaluate = with(&["evaluate", "side"], &QUICK);
    room.refuse(&with(&evaluate, &file), &["bottom, top", "bottom, side"]);
    room.write("small.npy", npy(&[60, 2, 2], &[0_u8, 1, 1, 0].repeat(60)));
    let small = [
        "fit",
        "small.npy",
        "--out",
        "small",
        "-q",
        "--steps",
        "2",
        "--hidden",
        "4",
    ];
    room.succeed(&small);
    let evaluate = with(&["evaluate", "small"], &QUICK);
    room.refuse(&with(&evaluate, &file), &["2×2", "6×6"]);
}

/// Pixels that repeat their neighbours: the local baseline is there for images, and beats independent sites.
#[test]
fn images_have_the_baseline_of_neighbouring_pixels() {
    let room = room();
    fit(&room, "run", &[]);
    let found = room.json(&["evaluate", "run", "-q"]);
    let [local, alone] =
        ["pixel_context", "independent"].map(|name| number(&found["baselines"], name));
    assert!(local < 0.9 * alone, "{local} and {alone}");
    let text = stdout(&room.succeed(&["evaluate", "run", "-q"]));
    assert!(text.contains("neighbouring pixels"), "{text}");
    room.write("t.csv", common::table(100));
    room.fit("t.csv", "table");
    let found = room.json(&["evaluate", "table", "-q"]);
    assert!(found["baselines"].get("pixel_context").is_none(), "{found}");
}
