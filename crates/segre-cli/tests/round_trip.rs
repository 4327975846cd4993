//! What is written reads back: samples in the data's own vocabulary, scores of every row.

mod common;

use common::{CATEGORIES, COLUMNS, Room, TINY, images, number, parse_csv, stdout, table, with};
use npyz::NpyFile;
use std::f64::consts::LN_2;

#[test]
fn sampled_tables_have_the_header_and_legal_categories_only() {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.fit("t.csv", "model");
    for (file, count) in [("model/samples.csv", 100), ("s.csv", 300)] {
        if file == "s.csv" {
            room.succeed(&["sample", "model", "-n", "300", "--out", file, "-q"]);
        }
        let rows = parse_csv(&room.text(file));
        assert_eq!(rows[0], COLUMNS);
        assert_eq!(rows.len(), count + 1, "{file}");
        let mut seen = [const { Vec::new() }; 4];
        for row in &rows[1..] {
            assert_eq!(row.len(), COLUMNS.len(), "{row:?}");
            for (site, value) in row.iter().enumerate() {
                assert!(CATEGORIES[site].contains(&value.as_str()), "{row:?}");
                seen[site].push(value.clone());
            }
        }
        // Not one value over and over: a tiny model is close to the marginals.
        for (site, values) in seen.iter_mut().enumerate() {
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), CATEGORIES[site].len(), "{}", COLUMNS[site]);
        }
        let score = room.json(&["score", "model", file]);
        assert_eq!(number(&score, "rows"), count as f64);
    }
}

/// Shape and labels of a `.npy` file.
fn array(room: &Room, file: &str) -> (Vec<u64>, Vec<u16>) {
    let bytes = room.bytes(file);
    let array = NpyFile::new(&bytes[..]).expect("an array");
    let shape = array.shape().to_vec();
    (shape, array.into_vec().expect("16-bit integers"))
}

/// The same samples in every file type have the same score.
#[track_caller]
fn assert_one_score(room: &Room, model: &str, files: &[&str]) {
    let mut first = None;
    for file in files {
        let sample = [
            "sample", model, "-n", "40", "--seed", "3", "-q", "--out", file,
        ];
        room.succeed(&sample);
        let score = room.json(&["score", model, file, "-q"]);
        assert_eq!(number(&score, "rows"), 40.0, "{file}");
        let bits = number(&score, "bits_per_dim");
        let first = first.get_or_insert(bits);
        assert!(bits == *first, "{file}: {bits}, others {first}");
    }
}

#[test]
fn tables_read_back_from_every_file_type() {
    let room = Room::new();
    room.write("t.csv", table(200));
    room.fit("t.csv", "model");
    let files = ["s.csv", "s.tsv", "s.npy", "s.npz"];
    assert_one_score(&room, "model", &files);
    // Labels in the arrays are the places of the categories in the table's files.
    let (shape, labels) = array(&room, "s.npy");
    assert_eq!(shape, [40, 4]);
    let rows = parse_csv(&room.text("s.csv"));
    for (index, &label) in labels.iter().enumerate() {
        let value = &rows[1 + index / 4][index % 4];
        assert_eq!(value, CATEGORIES[index % 4][usize::from(label)]);
    }
    #[cfg(feature = "arrow")]
    {
        assert_one_score(&room, "model", &["s.csv", "s.parquet", "s.arrow"]);
        // What is learned of typed files is written in their types.
        room.fit("s.parquet", "typed");
        assert_one_score(&room, "typed", &["s.parquet", "s.feather", "s.csv"]);
    }
}

#[test]
fn images_read_back_from_arrays_and_are_drawn() {
    let room = Room::new();
    room.write("i.npy", images(100));
    room.fit("i.npy", "model");
    assert_one_score(&room, "model", &["s.npy", "s.npz", "s.csv"]);
    let mut archive = npyz::npz::NpzArchive::open(room.path("s.npz")).expect("an archive");
    let stored = archive
        .by_name("samples")
        .expect("readable")
        .expect("the key `samples`");
    assert_eq!(stored.shape(), [40, 2, 3]);
    let labels = stored.into_vec::<u16>().expect("16-bit integers");
    assert!(labels.iter().all(|&label| label < 4), "{labels:?}");
    assert_eq!(array(&room, "s.npy"), (vec![40, 2, 3], labels));
    room.succeed(&["sample", "model", "-n", "40", "--out", "s.png", "-q"]);
    for file in ["s.png", "model/samples.png", "model/training.png"] {
        let pixels = decode_png(&room.bytes(file));
        let mut colours: Vec<&[u8]> = pixels.chunks_exact(3).collect();
        colours.sort_unstable();
        colours.dedup();
        // Four levels at least; a blank canvas has one.
        assert!(colours.len() >= 4, "{file}: {} colours", colours.len());
    }
}

/// The pixels of a picture with three channels.
fn decode_png(bytes: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .expect("a picture");
    let mut pixels = vec![
        0;
        reader
            .output_buffer_size()
            .expect("a size that fits memory")
    ];
    let info = reader.next_frame(&mut pixels).expect("pixels");
    assert_eq!(info.color_type, png::ColorType::Rgb);
    assert!(info.width >= 6 && info.height >= 4, "{info:?}");
    pixels
}

#[test]
fn sequences_and_texts_read_back() {
    let room = Room::new();
    let mut dice = common::dice(3);
    let (mut sequences, mut text) = (String::new(), String::new());
    for number in 0..60 {
        let letters: String = (0..12)
            .map(|_| ['A', 'C', 'G', 'T', '-'][dice(5) as usize])
            .collect();
        sequences += &format!(">s{number} of 60\n{}\n{}\n", &letters[..5], &letters[5..]);
        text += ["ab ", "c, ", "déf "][dice(3) as usize];
        text += ["x", "yz", "ab"][dice(3) as usize];
    }
    room.write("a.fasta", sequences);
    room.fit("a.fasta", "sequences");
    assert_one_score(&room, "sequences", &["s.fasta", "s.fa", "s.csv", "s.npz"]);
    let fasta = room.text("s.fasta");
    let lines: Vec<&str> = fasta.lines().collect();
    assert_eq!(lines.len(), 80);
    for pair in lines.chunks_exact(2) {
        assert!(pair[0].starts_with('>'), "{pair:?}");
        assert!(
            pair[1].len() == 12 && pair[1].chars().all(|c| "ACGT-".contains(c)),
            "{pair:?}"
        );
    }
    assert!(room.path("sequences/samples.fasta").exists());

    for (name, text) in [("flat", text.clone()), ("lines", text.replace(' ', "\n"))] {
        let (file, model) = (format!("{name}.txt"), format!("text-{name}"));
        room.write(&file, &text);
        let fit = with(
            &["fit", &file, "--out", &model, "-q", "--text-window", "5"],
            &TINY,
        );
        room.succeed(&fit);
        // Of windows with line breaks only arrays and the text itself keep count.
        if name == "flat" {
            assert_one_score(&room, &model, &["t.txt", "t.npz"]);
            let windows = room.text("t.txt");
            assert_eq!(windows.lines().count(), 40);
            for window in windows.lines() {
                assert_eq!(window.chars().count(), 5, "{window:?}");
                assert!(window.chars().all(|c| text.contains(c)), "{window:?}");
            }
        } else {
            assert_one_score(&room, &model, &["t.npz", "t.npy"]);
        }
        assert!(room.path(&format!("{model}/samples.txt")).exists());
    }
}

#[test]
fn scores_have_one_line_per_row_and_their_mean_is_the_reported_one() {
    let room = Room::new();
    room.write("t.csv", table(150));
    room.fit("t.csv", "model");
    let score = room.json(&["score", "model", "t.csv", "--out", "scores.csv", "-q"]);
    let lines = parse_csv(&room.text("scores.csv"));
    assert_eq!(lines[0], ["row", "nats", "nats_std_error", "bits_per_dim"]);
    assert_eq!(lines.len(), 151);
    let (mut nats, mut bits) = (0.0, 0.0);
    for (row, line) in lines[1..].iter().enumerate() {
        assert_eq!(line[0], row.to_string());
        let numbers: Vec<f64> = line
            .iter()
            .map(|field| field.parse().expect("a number"))
            .collect();
        assert!(
            (numbers[1] - numbers[3] * 4.0 * LN_2).abs() < 1e-5,
            "{line:?}"
        );
        assert!(numbers[1] > 0.0 && numbers[2] >= 0.0, "{line:?}");
        (nats, bits) = (nats + numbers[1] / 150.0, bits + numbers[3] / 150.0);
    }
    assert!(
        (nats - number(&score, "nats")).abs() < 1e-5,
        "{nats}, {score}"
    );
    assert!(
        (bits - number(&score, "bits_per_dim")).abs() < 1e-5,
        "{bits}, {score}"
    );
    // Rows are scored in the order of the data: equal rows have nearly equal scores.
    room.write("one.csv", {
        let whole = table(150);
        let lines: Vec<&str> = whole.lines().take(2).collect();
        format!("{}\n{}\n", lines[0], lines[1])
    });
    let one = room.json(&["score", "model", "one.csv", "--std-error", "0.001", "-q"]);
    let first: f64 = lines[1][1].parse().expect("a number");
    let error: f64 = lines[1][2].parse().expect("a number");
    let gap = (number(&one, "nats") - first).abs();
    assert!(
        gap < 6.0 * error.hypot(0.001 * 4.0 * LN_2) + 1e-5,
        "{gap}, {error}"
    );
}

#[test]
fn options_of_reading_are_remembered_by_the_model() {
    let room = Room::new();
    room.write("t.csv", table(100));
    let fit = with(
        &[
            "fit",
            "t.csv",
            "--out",
            "model",
            "-q",
            "--drop",
            "size",
            "--missing",
            "drop",
        ],
        &TINY,
    );
    room.succeed(&fit);
    room.succeed(&["sample", "model", "-n", "50", "--out", "s.csv", "-q"]);
    let rows = parse_csv(&room.text("s.csv"));
    assert_eq!(rows[0], [COLUMNS[0], COLUMNS[1], COLUMNS[3]]);
    assert!(
        rows[1..]
            .iter()
            .all(|row| row[1] == "yes" || row[1] == "no"),
        "{rows:?}"
    );
    // The original file, with the dropped column and rows, can be scored.
    let kept = parse_csv(&table(100))
        .iter()
        .skip(1)
        .filter(|row| row[1] != "?")
        .count();
    let score = room.json(&["score", "model", "t.csv", "-q"]);
    assert_eq!(number(&score, "rows"), kept as f64);
    // Without a header, columns are numbered.
    room.write(
        "bare.csv",
        parse_csv(&table(60))
            .iter()
            .skip(1)
            .fold(String::new(), |text, row| {
                text + &row[1] + "," + &row[2] + "\n"
            }),
    );
    let fit = with(
        &["fit", "bare.csv", "--out", "bare", "-q", "--no-header"],
        &TINY,
    );
    room.succeed(&fit);
    assert_eq!(
        number(&room.json(&["info", "bare.csv", "--no-header"]), "rows"),
        60.0
    );
    assert_eq!(
        number(&room.json(&["score", "bare", "bare.csv", "-q"]), "rows"),
        60.0
    );
    room.succeed(&["sample", "bare", "-n", "20", "--out", "b.csv", "-q"]);
    let shown = stdout(&room.succeed(&["info", "bare"]));
    assert!(shown.contains("column 1"), "{shown}");
}
