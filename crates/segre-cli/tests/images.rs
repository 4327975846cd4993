//! Pictures: read with their classes, refused with place and remedy, compared with the training data.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Room, TINY, dice, npy, number, stdout, with};
use png::{BitDepth, ColorType};

/// An IDX file.
fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    for length in shape {
        bytes.extend(length.to_be_bytes());
    }
    bytes.extend(values);
    bytes
}

/// Pictures of 4 × 5 pixels with a bright half.
fn digits(rows: u32, seed: u64) -> Vec<u8> {
    let mut dice = dice(seed);
    let mut values = Vec::new();
    for _ in 0..rows {
        let bright = dice(2);
        values.extend((0..20_u64).map(|place| match place / 10 == bright {
            true => 128 + dice(128) as u8,
            false => dice(128) as u8,
        }));
    }
    idx(&[rows, 4, 5], &values)
}

fn png(kind: ColorType, depth: BitDepth, (height, width): (u32, u32), packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    if kind == ColorType::Indexed {
        encoder.set_palette((0..96).collect::<Vec<u8>>());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(packed).unwrap();
    writer.finish().unwrap();
    bytes
}

fn ids(size: (u32, u32), values: &[u8]) -> Vec<u8> {
    png(ColorType::Grayscale, BitDepth::Eight, size, values)
}

fn put(room: &Room, name: &str, bytes: &[u8]) {
    std::fs::create_dir_all(room.path(name).parent().unwrap()).unwrap();
    room.write(name, bytes);
}

/// Label maps of 4 × 6 pixels: sky above, ground below a horizon, sometimes a car.
fn scenes(room: &Room, folder: &str, count: u32, seed: u64) {
    let mut dice = dice(seed);
    for index in 0..count {
        let (horizon, car) = (6 * (1 + dice(3)), dice(12));
        let map: Vec<u8> = (0..24_u64)
            .map(|place| match place {
                _ if place == horizon + car && place < 24 => 33,
                _ if place < horizon => 23,
                _ => 7,
            })
            .collect();
        put(
            room,
            &format!("{folder}/{index:04}.png"),
            &ids((4, 6), &map),
        );
    }
}

/// Both commands that read data refuse alike.
#[track_caller]
fn refuse(room: &Room, data: &str, options: &[&str], fragments: &[&str]) {
    room.refuse(&with(&["info", data], options), fragments);
    let fit = with(&["fit", data, "--out", "model"], &TINY);
    room.refuse(&with(&fit, options), fragments);
}

#[test]
fn idx_files_are_described_with_their_labels() {
    let room = Room::new();
    room.write("digits-idx3-ubyte", digits(200, 1));
    room.write("labels", idx(&[200], &[0, 1, 2, 2].repeat(50)));
    let found = room.json(&["info", "digits-idx3-ubyte", "--labels", "labels"]);
    assert_eq!(
        (number(&found, "rows"), number(&found, "sites")),
        (200.0, 20.0)
    );
    assert_eq!(found["label_counts"], serde_json::json!([50, 50, 100]));
    // Half of the pixels are bright.
    assert_eq!(found["category_shares"], serde_json::json!([0.5, 0.5]));
    let found = room.json(&["info", "digits-idx3-ubyte", "--levels", "4", "--pad", "8x8"]);
    assert_eq!(number(&found, "max_categories"), 4.0);
    assert_eq!(
        found["schema"]["layout"]["image"]["pad_to"],
        serde_json::json!([8, 8])
    );
    let found = room.json(&["info", "digits-idx3-ubyte", "--size", "2x2"]);
    assert_eq!(number(&found, "sites"), 4.0);
    let all = room.json(&["info", "digits-idx3-ubyte", "--threshold", "0"]);
    assert!(all["category_shares"][1].as_f64().unwrap() > 0.9);
}

#[test]
fn faulty_idx_files_are_refused() {
    let room = Room::new();
    let whole = digits(10, 1);
    room.write("cut.idx", &whole[..whole.len() - 3]);
    let fragments = ["cut.idx", "197 bytes", "200 (10x4x5)", "again"];
    refuse(&room, "cut.idx", &[], &fragments);
    room.write("long.idx", [&whole[..], &[0]].concat());
    refuse(&room, "long.idx", &[], &["long.idx", "more bytes", "200"]);
    room.write("head.idx", &whole[..9]);
    refuse(&room, "head.idx", &[], &["head.idx", "9 of 16", "again"]);
    room.write("none.idx", "");
    refuse(&room, "none.idx", &[], &["none.idx", "00 00 08 03"]);
    room.write("bad.idx.gz", [&[0x1f, 0x8b][..], &whole].concat());
    refuse(&room, "bad.idx.gz", &[], &["bad.idx.gz"]);
    // Not packed, whatever the name says.
    room.write("named.idx.gz", &whole);
    room.succeed(&["info", "named.idx.gz"]);
    room.write("labels", idx(&[9], &[1; 9]));
    refuse(&room, "labels", &[], &["labels", "00 00 08 01", "--labels"]);
    room.write("good.idx", &whole);
    let info = ["info", "good.idx", "--labels"];
    room.refuse(
        &with(&info, &["labels"]),
        &["labels", "9 labels", "10 rows"],
    );
    room.refuse(&with(&info, &["good.idx"]), &["good.idx", "of labels"]);
    refuse(
        &room,
        "good.idx",
        &["--threshold", "1"],
        &["threshold is 1", "below 1"],
    );
    refuse(
        &room,
        "good.idx",
        &["--levels", "1"],
        &["levels is 1", "2 to 256"],
    );
    refuse(
        &room,
        "good.idx",
        &["--pad", "2x9"],
        &["4x5", "2x9", "--pad"],
    );
    refuse(&room, "good.idx", &["--size", "28"], &["--size", "64x128"]);
    refuse(
        &room,
        "good.idx",
        &["--classes", "camvid12"],
        &["--classes", "leave it out"],
    );
}

#[test]
fn faulty_folders_are_refused() {
    let room = Room::new();
    std::fs::create_dir(room.path("empty")).unwrap();
    let fit = with(&["fit", "empty", "--out", "model"], &TINY);
    room.refuse(&fit, &["empty", "no .png file", "use one of", ".csv"]);
    let add = |name: &str, bytes: &[u8]| {
        put(&room, &format!("{name}/a.png"), &ids((1, 2), &[0, 1]));
        put(&room, &format!("{name}/b.png"), bytes);
    };
    let wide = png(ColorType::Grayscale, BitDepth::Sixteen, (1, 2), &[0; 4]);
    add("wide", &wide);
    refuse(&room, "wide", &[], &["wide/b.png", "16 bits", "convert"]);
    add(
        "colour",
        &png(ColorType::Rgb, BitDepth::Eight, (1, 2), &[0; 6]),
    );
    refuse(
        &room,
        "colour",
        &[],
        &["colour/b.png", "RGB", "class ids", "convert"],
    );
    refuse(
        &room,
        "colour",
        &["--gray"],
        &["colour/b.png", "RGB", "gray values"],
    );
    add("sizes", &ids((2, 2), &[0; 4]));
    refuse(
        &room,
        "sizes",
        &[],
        &["sizes/b.png", "2x2", "1x2", "--size"],
    );
    let whole = ids((1, 2), &[0, 1]);
    add("cut", &whole[..whole.len() - 13]);
    refuse(
        &room,
        "cut",
        &[],
        &["cut/b.png", "not a readable PNG", "again"],
    );
    add("text", b"no picture");
    refuse(&room, "text", &[], &["text/b.png", "not a readable PNG"]);
    add("id", &ids((1, 2), &[5, 77]));
    let fragments = [
        "id/b.png",
        "row 0, column 1",
        "77",
        "0–33",
        "--ignore 77",
        "--gray",
    ];
    refuse(&room, "id", &["--classes", "cityscapes8"], &fragments);
    let options = ["--ignore", "5,77", "--ignore-as", "fill"];
    refuse(
        &room,
        "id",
        &options,
        &["id/b.png", "every pixel", "--ignore-as class"],
    );
    refuse(
        &room,
        "id",
        &["--levels", "3"],
        &["id", "--levels", "--gray"],
    );
    refuse(
        &room,
        "id",
        &["--gray", "--ignore", "3"],
        &["id", "--ignore", "--gray"],
    );
    put(
        &room,
        "photo/a.png",
        &ids((10, 10), &(0..100).collect::<Vec<u8>>()),
    );
    refuse(
        &room,
        "photo",
        &[],
        &["photo", "100 distinct values", "--gray"],
    );
}

#[test]
fn faulty_class_files_are_refused() {
    let room = Room::new();
    put(&room, "maps/a.png", &ids((1, 2), &[0, 1]));
    for (text, fragments) in [
        (
            "id,class\n0,a\n1,b\n0,c\n",
            ["classes.csv:4:", "id 0", "line 2"],
        ),
        (
            "id,class\n0,a\nsky,b\n",
            ["classes.csv:3:", "\"sky\"", "0 to 255"],
        ),
        (
            "id,class,colour\n0,a,blue\n",
            ["classes.csv:2:", "\"blue\"", "#rrggbb"],
        ),
        ("id,name\n0,a\n", ["classes.csv", "\"class\"", "missing"]),
        ("id,class\n", ["classes.csv", "no class", "at least"]),
        (
            "id,class\n0,a\n",
            ["maps/a.png", "row 0, column 1: 1", "--classes"],
        ),
    ] {
        room.write("classes.csv", text);
        refuse(&room, "maps", &["--classes", "classes.csv"], &fragments);
    }
    let fragments = ["\"camvid\"", "cityscapes8, camvid12", "colour"];
    refuse(&room, "maps", &["--classes", "camvid"], &fragments);
}

/// From label maps to samples: classes by name, test data of their own, pictures and statistics.
#[test]
fn label_maps_are_learned_and_compared() {
    let room = Room::new();
    scenes(&room, "maps/train/town", 60, 1);
    scenes(&room, "maps/val/city", 20, 2);
    let fit = [
        "fit",
        "maps/train",
        "--out",
        "model",
        "-q",
        "--classes",
        "cityscapes8",
    ];
    let fit = with(&fit, &["--test-data", "maps/val"]);
    let found = room.json(&with(&fit, &TINY));
    assert!(number(&found, "test_bits_per_dim") < 3.0);
    let card: serde_json::Value = serde_json::from_str(&room.text("model/config.json")).unwrap();
    assert_eq!(card["test_data"]["source"], "maps/val");
    let found = room.json(&["evaluate", "model", "-q"]);
    assert_eq!(number(&found, "rows"), 20.0);
    let part = room.json(&["evaluate", "model", "-q", "--rows", "5"]);
    assert_eq!(number(&part, "rows"), 5.0);
    assert!(found.get("nearest").is_none() && found.get("map_statistics").is_none());

    let evaluate = [
        "evaluate",
        "model",
        "-q",
        "--nearest",
        "3",
        "--map-statistics",
    ];
    let found = room.json(&with(&evaluate, &["--out-dir", "seen", "--images", "40"]));
    assert_eq!(number(&found["nearest"], "samples"), 40.0);
    assert_eq!(number(&found["map_statistics"], "images"), 20.0);
    let classes = &found["map_statistics"]["frequencies"]["classes"];
    assert_eq!(
        (classes[0].as_str(), classes[7].as_str()),
        (Some("void"), Some("vehicle"))
    );
    for picture in ["seen/nearest.png", "seen/distances.png"] {
        assert!(room.bytes(picture).starts_with(b"\x89PNG"), "{picture}");
    }
    let stored: serde_json::Value = serde_json::from_str(&room.text("seen/images.json")).unwrap();
    assert_eq!(stored["nearest"], found["nearest"]);

    // The test part in place of samples: both columns are the same.
    let given = ["--out-dir", "seen", "--images-from", "maps/val"];
    let found = room.json(&with(&evaluate, &given));
    for part in ["nearest", "map_statistics"] {
        let part = &found[part];
        assert_eq!(part["sample_to_train"], part["test_to_train"], "{part}");
    }
    // The training part: it is its own neighbour.
    let given = ["--out-dir", "seen", "--images-from", "maps/train"];
    let found = room.json(&with(&evaluate, &given));
    assert!(number(&found["nearest"], "share_copies") > 0.8, "{found}");
    let text = stdout(&room.succeed(&with(&evaluate, &given)));
    for word in [
        "validation (a perfect model)",
        "nearer than the closest 1 %",
        "construction",
    ] {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// Labels beyond `--data-memory` come from a temporary file, of whichever source, and teach the same.
#[test]
fn labels_may_be_kept_in_a_file() {
    let room = Room::new();
    room.write("digits-idx3-ubyte", digits(200, 1));
    scenes(&room, "maps", 300, 1);
    let labels: Vec<u8> = (0..1200).map(|place| (place * place % 7) as u8).collect();
    room.write("array.npy", npy(&[200, 6], &labels));
    for data in ["digits-idx3-ubyte", "maps", "array.npy"] {
        for (out, memory) in [("memory", "1GiB"), ("file", "100")] {
            let fit = ["fit", data, "--out", out, "--force", "-q", "--data-memory"];
            room.succeed(&with(&with(&fit, &[memory]), &TINY));
        }
        let model = |folder| room.bytes(&format!("{folder}/model.safetensors"));
        assert!(model("memory") == model("file"), "{data}");
    }
    #[cfg(unix)]
    {
        let fit = [
            "fit",
            "digits-idx3-ubyte",
            "--out",
            "none",
            "--data-memory",
            "100",
        ];
        let mut command = room.command(&with(&fit, &TINY));
        let output = command.env("TMPDIR", room.path("absent")).output().unwrap();
        let message = common::check_refusal(&output, "fit with an absent TMPDIR");
        assert!(
            message.contains("absent") && message.contains("--data-memory"),
            "{message}"
        );
    }
    room.refuse(&["info", "maps", "--data-memory", "much"], &["MiB"]);
}

/// Samples are written in the words of the classes, and the run is taken up with its own test data.
#[test]
fn samples_of_label_maps_read_back() {
    let room = Room::new();
    scenes(&room, "maps", 40, 1);
    scenes(&room, "val", 5, 2);
    let fit = ["fit", "maps", "--out", "model", "-q", "--test-data", "val"];
    room.succeed(&with(&fit, &TINY));
    for file in ["s.npz", "s.csv"] {
        room.succeed(&[
            "sample", "model", "-n", "30", "--seed", "3", "-q", "--out", file,
        ]);
        let score = room.json(&["score", "model", file, "-q"]);
        assert_eq!(number(&score, "rows"), 30.0, "{file}");
    }
    let text = room.text("s.csv");
    let words = text.lines().skip(1).flat_map(|line| line.split(','));
    assert!(
        words
            .into_iter()
            .all(|word| ["7", "23", "33"].contains(&word))
    );
    let resume = [
        "fit", "maps", "--out", "model", "-q", "--resume", "--steps", "25",
    ];
    room.succeed(&resume);
    let other = ["maps", "val"].map(|data| with(&resume, &["--test-data", data]));
    room.refuse(&other[0], &["test data", "\"val\"", "\"maps\""]);
    room.succeed(&other[1]);
    scenes(&room, "val", 6, 2);
    room.refuse(&["evaluate", "model"], &["val", "changed since the fit"]);
}

#[test]
fn misplaced_options_of_an_evaluation_are_refused() {
    let room = Room::new();
    room.write("t.csv", common::table(100));
    room.fit("t.csv", "model");
    let evaluate = |options: &[&str]| with(&["evaluate", "model"], options);
    room.refuse(&evaluate(&["--nearest", "3"]), &["--out-dir"]);
    let options = ["--nearest", "3", "--out-dir", "d"];
    room.refuse(&evaluate(&options), &["images", "table", "leave them out"]);
    room.refuse(&evaluate(&["--map-statistics"]), &["images", "table"]);
    room.refuse(&evaluate(&["--out-dir", "d"]), &["--nearest", "add one"]);
    let both = ["--test", "0.2", "--test-data", "t.csv"];
    let fit = with(&["fit", "t.csv", "--out", "new"], &both);
    room.refuse(&fit, &["--test-data", "--test"]);
}
