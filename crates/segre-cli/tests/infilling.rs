//! Infilling: pictures by masks and regions, arrays with unknown elements, checks of imputation and conditionals.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Room, npy, number, with};
use png::{BitDepth, ColorType};

/// Pictures of 2 × 4 pixels whose right half mirrors the left one, in two of three levels.
fn mirrored(rows: u64) -> Vec<u8> {
    let mut dice = common::dice(3);
    let mut values = Vec::new();
    for _ in 0..rows {
        for _ in 0..2 {
            let [a, b] = [dice(3), dice(2)].map(|label| label as i8);
            values.extend([a, b, b, a]);
        }
    }
    npy(&[rows, 2, 4], &values)
}

fn room_with_model() -> Room {
    let room = Room::new();
    room.write("train.npy", mirrored(8000));
    let fit = [
        "fit",
        "train.npy",
        "--out",
        "model",
        "--quiet",
        "--conditional",
        "any",
    ];
    let size = [
        "--steps",
        "600",
        "--hidden",
        "64",
        "--learning-rate",
        "5e-3",
        "--dropout",
        "0",
    ];
    room.succeed(&with(&fit, &size));
    room
}

/// The elements of a `.npy` file of 16-bit labels.
fn labels(room: &Room, name: &str) -> Vec<u16> {
    let bytes = room.bytes(name);
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

fn mask_png((height, width): (u32, u32), kind: ColorType, values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(values).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn hidden_halves_follow_from_the_others() {
    let room = room_with_model();
    room.write("new.npy", mirrored(40));
    let truth = labels_i8(&room, "new.npy");
    let impute = ["impute", "model", "new.npy", "--quiet"];
    let impute = |words: &[&str]| room.json(&with(&impute, words));
    // Right halves from left ones, pixel by pixel and jointly.
    for mode in ["map", "sample"] {
        let words = ["--hide", "right-half", "--mode", mode, "--out", "o.npy"];
        let report = impute(&words);
        assert_eq!(
            (number(&report, "rows"), number(&report, "missing")),
            (40.0, 160.0)
        );
        let found = labels(&room, "o.npy");
        let wrong = found.iter().zip(&truth).enumerate();
        let wrong: Vec<usize> = wrong.filter(|(_, (a, b))| a != b).map(|(k, _)| k).collect();
        assert!(wrong.len() < 10, "{mode}: {} of 160 wrong", wrong.len());
        assert!(
            wrong.iter().all(|cell| cell % 4 >= 2),
            "known pixels have changed"
        );
    }
    // Several draws; the same seed gives the same rows.
    let words = ["--hide", "2x1+0+1", "--samples", "3", "--out", "a.npy"];
    assert_eq!(number(&impute(&words), "written"), 120.0);
    impute(
        &with(&words[..5], &["b.npy"])
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
    assert_eq!(room.bytes("a.npy"), room.bytes("b.npy"));
    let found = labels(&room, "a.npy");
    let draws = found.chunks(8).enumerate().filter(|(draw, row)| {
        let own = &truth[draw / 3 * 8..][..8];
        *row == own
    });
    assert!(draws.count() > 105);

    // A mask for all rows, as a picture or an array, is the region of its pixels.
    room.write(
        "m.png",
        mask_png((2, 4), ColorType::Grayscale, &[0, 0, 255, 1, 0, 0, 7, 9]),
    );
    room.write("m.npy", npy(&[2, 4], &[0_u8, 0, 1, 1, 0, 0, 1, 1]));
    impute(&["--hide", "right-half", "--out", "region.npy"]);
    for mask in ["m.png", "m.npy"] {
        impute(&["--mask", mask, "--out", "masked.npy"]);
        assert_eq!(room.bytes("masked.npy"), room.bytes("region.npy"), "{mask}");
    }
    // One for every row: only the first one's is not empty.
    let mut each = vec![0_u8; 40 * 8];
    each[2] = 1;
    room.write("each.npy", npy(&[40, 2, 4], &each));
    let report = impute(&["--mask", "each.npy", "--mode", "mean", "--out", "p.csv"]);
    assert_eq!(
        (number(&report, "missing"), number(&report, "written")),
        (1.0, 3.0)
    );
    assert!(
        room.text("p.csv")
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("0,r0c2,0,")
    );

    // Before and after, in a picture that is whole.
    impute(&["--hide", "right-half", "--samples", "3", "--out", "s.png"]);
    let decoder = png::Decoder::new(std::io::Cursor::new(room.bytes("s.png")));
    let info = decoder.read_info().unwrap();
    assert!(info.info().width > 400 && info.info().height > 400);
}

/// The elements of a `.npy` file of bytes.
fn labels_i8(room: &Room, name: &str) -> Vec<u16> {
    let bytes = room.bytes(name);
    let labels: Vec<i8> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    labels.into_iter().map(|label| label as u16).collect()
}

#[test]
fn unknown_elements_are_filled_in_and_scores_are_of_what_is_hidden() {
    let room = room_with_model();
    // 2, ?, ?, 2 and an unknown picture; floating-point numbers with NaN are the same.
    let values = [2.0, -1.0, 1.0, -1.0, 0.0, 0.0, f32::NAN, 0.0];
    room.write("holes.npy", npy(&[2, 2, 4], &[values, [-1.0; 8]].concat()));
    let impute = ["impute", "model", "holes.npy", "--quiet", "--mode", "map"];
    let report = room.json(&with(&impute, &["--out", "o.npy"]));
    assert_eq!(number(&report, "missing"), 11.0);
    assert_eq!(labels(&room, "o.npy")[..8], [2, 1, 1, 2, 0, 0, 0, 0]);
    let sample = ["sample", "model", "-n", "20", "--given", "holes.npy"];
    let report = room.json(&with(&sample, &["--quiet", "--out", "s.npy"]));
    assert_eq!(number(&report, "samples"), 40.0);
    let found = labels(&room, "s.npy");
    assert!(found[..160].chunks(8).all(|row| row[0] == 2 && row[2] == 1));

    // Given the left half the right one is certain; by itself it has log2 3 and 1 bit in turns.
    room.write("new.npy", mirrored(200));
    let score = ["score", "model", "new.npy", "--quiet"];
    let bits = |words: &[&str]| number(&room.json(&with(&score, words)), "bits_per_dim");
    for method in ["immse", "chain"] {
        let found = bits(&["--hide", "right-half", "--method", method]);
        assert!(found.abs() < 0.1, "{method}: {found}");
        let found = bits(&["--hide", "1x4+0+0", "--method", method]);
        // Of four pixels two are free: (log2 3 + 1) / 4.
        assert!((found - 0.646).abs() < 0.1, "{method}: {found}");
    }
}

#[test]
fn nothing_and_everything_missing_are_told() {
    let room = room_with_model();
    room.write("new.npy", mirrored(3));
    let impute = ["impute", "model", "new.npy", "--out"];
    let output = room.succeed(&with(&impute, &["same.npy"]));
    assert!(common::stderr(&output).contains("nothing is missing"));
    assert_eq!(labels(&room, "same.npy"), labels_i8(&room, "new.npy"));
    let output = room.succeed(&with(&impute, &["all.npy", "--hide", "2x4+0+0"]));
    assert!(common::stderr(&output).contains("everything is missing"));
    assert_eq!(labels(&room, "all.npy").len(), 24);
}

#[test]
fn bad_masks_and_pictures_are_refused() {
    let room = room_with_model();
    room.write("new.npy", mirrored(3));
    room.write("m.npy", npy(&[4, 2], &[1_u8; 8]));
    room.write("few.npy", npy(&[2, 2, 4], &[1_u8; 16]));
    room.write("m.png", mask_png((2, 3), ColorType::Grayscale, &[1; 6]));
    room.write("rgb.png", mask_png((2, 4), ColorType::Rgb, &[1; 24]));
    room.write("m.csv", "1,1\n");
    let refuse = |command: &[&str], fragments: &[&str]| {
        room.refuse(&with(command, &["--out", "o.npy"]), fragments);
    };
    let impute = |words: &[&'static str]| {
        let all: Vec<&'static str> = [&["impute", "model", "new.npy"], words].concat();
        all
    };
    refuse(
        &impute(&["--mask", "m.npy"]),
        &["m.npy", "[4, 2]", "[2, 4]"],
    );
    refuse(
        &impute(&["--mask", "few.npy"]),
        &["few.npy", "[2, 8]", "[3, 8]"],
    );
    refuse(
        &impute(&["--mask", "m.png"]),
        &["m.png", "[2, 3]", "[2, 4]"],
    );
    refuse(&impute(&["--mask", "rgb.png"]), &["rgb.png", "RGB", "gray"]);
    refuse(&impute(&["--mask", "m.csv"]), &["m.csv", ".png, .npy"]);
    refuse(
        &impute(&["--mask", "none.npy"]),
        &["none.npy", "check the path"],
    );
    refuse(&impute(&["--hide", "half"]), &["half", "lower-half"]);
    refuse(&impute(&["--hide", "3x1+0+0"]), &["3x1+0+0", "2x4"]);
    refuse(
        &impute(&["--samples", "2", "--mode", "map"]),
        &["--samples 2", "--mode sample"],
    );
    room.write("bad.npy", npy(&[1, 2, 4], &[0_i8, 0, 0, 0, -1, 0, 3, 0]));
    refuse(
        &["impute", "model", "bad.npy"],
        &["bad.npy", "row 0", "[1, 2]", "3 is no label"],
    );
    room.write("wide.npy", npy(&[1, 4, 2], &[0_i8; 8]));
    refuse(
        &["impute", "model", "wide.npy"],
        &["wide.npy", "[4, 2]", "[2, 4]"],
    );
    room.write("t.csv", "a,b\n1,2\n");
    refuse(&["impute", "model", "t.csv"], &["t.csv", "r0c0"]);
    let score = ["score", "model", "new.npy"];
    room.refuse(&with(&score, &["--hide", "2x4+0+1"]), &["2x4+0+1"]);
    room.write("each.npy", npy(&[3, 2, 4], &[1_u8; 24]));
    room.refuse(
        &with(&score, &["--mask", "each.npy"]),
        &["one mask for all"],
    );
    room.refuse(
        &with(&score, &["--hide", "left-half", "--given", "r0c0"]),
        &["--given"],
    );
    room.write("none.npy", npy(&[2, 4], &[0_u8; 8]));
    room.refuse(
        &with(&score, &["--mask", "none.npy"]),
        &["nothing to score"],
    );
    let evaluate = ["evaluate", "model"];
    room.refuse(
        &with(&evaluate, &["--conditionals", "5"]),
        &["--conditionals", "not known"],
    );
    room.refuse(
        &with(&evaluate, &["--impute", "1"]),
        &["--impute", "between 0 and 1"],
    );
}

/// Copies in three columns: what is hidden follows from what is not, if one of them is shown.
#[test]
fn imputation_is_compared_with_simpler_methods() {
    let room = Room::new();
    let mut text = String::from("a,b,c,noise\n");
    for row in 0..1200 {
        let (word, noise) = (["x", "y", "z"][row % 3], ["0", "1"][row / 3 % 2]);
        text += &format!("{word},{word},{word}{word},{noise}\n");
    }
    room.write("t.csv", text);
    let fit = [
        "fit", "t.csv", "--out", "model", "--quiet", "--steps", "600",
    ];
    // Copies are decided otherwise, and nothing is left to be learned.
    let copies = ["--columns-as", "b=category,c=category"];
    let fit = with(&fit, &copies);
    room.succeed(&with(&fit, &["--hidden", "32", "--learning-rate", "5e-3"]));
    let report = room.json(&["evaluate", "model", "--impute", "0.3", "--quiet"]);
    let found = &report["imputation"];
    let cells = number(found, "hidden_cells");
    assert!((100.0..190.0).contains(&cells), "{found}");
    let of = |name: &str, key: &str| {
        let methods = found["methods"].as_array().unwrap();
        let method = methods
            .iter()
            .find(|method| method["name"] == name)
            .unwrap();
        method[key].as_f64()
    };
    let score = |name: &str| of(name, "log_score").unwrap();
    // A coin, and one of three words where all three are hidden (a cell in 11): at best −0.175 − 0.075.
    let (own, tree) = (score("segre"), score("Chow–Liu tree"));
    assert!((-0.40..-0.12).contains(&own), "{own}");
    assert!((own - tree).abs() < 0.05, "{own} {tree}");
    assert!(score("independent sites") < -0.9);
    assert!(of("nearest rows", "log_score").is_none());
    for name in ["segre", "Chow–Liu tree", "nearest rows"] {
        assert!(of(name, "accuracy").unwrap() > 0.7, "{name}: {found}");
    }
    assert!(of("independent sites", "accuracy").unwrap() < 0.6);
}

#[test]
fn conditionals_of_a_known_distribution_are_compared() {
    let room = Room::new();
    let fit = [
        "fit",
        "coupled-binary:rows=4000",
        "--out",
        "model",
        "--quiet",
    ];
    room.succeed(&with(
        &fit,
        &["--steps", "600", "--hidden", "32", "--conditional", "any"],
    ));
    let evaluate = ["evaluate", "model", "--samples", "100", "--quiet"];
    let report = room.json(&with(&evaluate, &["--conditionals", "20"]));
    assert_eq!(
        (number(&report, "patterns"), number(&report, "given_sites")),
        (20.0, 1.0)
    );
    // Both completions are listed, so that there is no error; independent bits would have KL 0.37.
    assert_eq!(number(&report, "conditional_kl_std_error"), 0.0);
    let kl = number(&report, "conditional_kl");
    assert!((0.0..0.02).contains(&kl), "{kl}");
}

/// A field that was missing in the data is a category there, but nothing to fill in with.
#[test]
fn missing_fields_are_not_filled_in_as_missing() {
    let room = Room::new();
    let mut text = String::from("a,b\n");
    for row in 0..900 {
        let (a, b) = [("x", ""), ("x", "u"), ("y", "v")][row % 3];
        text += &format!("{a},{b}\n");
    }
    room.write("t.csv", text);
    let fit = [
        "fit", "t.csv", "--out", "model", "--quiet", "--steps", "600",
    ];
    room.succeed(&with(&fit, &["--hidden", "32", "--learning-rate", "5e-3"]));
    room.write("holes.csv", "a,b\nx,\ny,?\n,u\n");
    let impute = ["impute", "model", "holes.csv", "--quiet", "--out"];
    room.succeed(&with(&impute, &["draws.csv", "--samples", "50"]));
    let text = room.text("draws.csv");
    assert!(!text.contains('?'), "{text}");
    assert!(
        text.matches("x,u").count() > 90 && text.matches("y,v").count() > 45,
        "{text}"
    );
    room.succeed(&with(&impute, &["map.csv", "--mode", "map"]));
    assert_eq!(room.text("map.csv"), "a,b\nx,u\ny,v\nx,u\n");
    room.succeed(&with(&impute, &["p.csv", "--mode", "mean"]));
    assert!(
        room.text("p.csv").contains("0,b,?,0.000000"),
        "{}",
        room.text("p.csv")
    );
    // For a prediction a missing field says what it said in the data: x, here.
    room.write("given.csv", "a,b\n,\n");
    let predict = ["predict", "model", "given.csv", "--target", "a", "--quiet"];
    room.succeed(&with(&predict, &["--out", "o.csv"]));
    let text = room.text("o.csv");
    let fields: Vec<&str> = text.lines().nth(1).unwrap().split(',').collect();
    assert!(
        fields[1] == "x" && fields[2].parse::<f64>().unwrap() > 0.9,
        "{text}"
    );
}
