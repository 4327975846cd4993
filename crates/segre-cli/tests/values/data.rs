//! The files that the commands read: small, and the same everywhere.

use crate::common::{self, Room, dice, npy};

/// A network of three variables, two of them observed together never.
const NETWORK: &str = "MARKOV\n4\n2 3 2 2\n5\n1 0\n2 0 1\n2 1 2\n2 2 3\n3 0 2 3\n\
    2 0.5 2\n6 1 2 0.5 3 1 0\n6 1 0.2 2 1 0.7 1.5\n4 2 1 1 2\n8 1 2 3 4 4 3 2 1\n";
/// The same kind of thing as libDAI writes it.
const FACTOR_GRAPH: &str =
    "2\n\n1\n0\n2\n2\n0 0.4\n1 1.6\n\n2\n0 1\n2 2\n4\n0 1.5\n1 0.5\n2 0.5\n3 1.5\n";

/// Writes all of them into a room.
pub fn write(room: &Room) {
    tables(room);
    sequences(room);
    pictures(room);
    label_maps(room);
    room.write("net.uai", NETWORK);
    room.write("net.evid", "1\n1 1 2\n");
    room.write("net.fg", FACTOR_GRAPH);
}

/// `large.idx`: as many pictures of as many pixels as it takes for a UNet to be chosen.
pub fn write_many_pictures(room: &Room) {
    let mut dice = dice(15);
    let mut values = Vec::new();
    for _ in 0..2600 {
        let edge = dice(20);
        values.extend((0..400).map(|place| if place / 20 < edge { 255 } else { 0 }));
    }
    room.write("large.idx", idx(&[2600, 20, 20], &values));
}

/// `t.csv`, with quotes and missing fields; `new.csv` of the same kind; `holes.csv` with many missing; `one.csv`.
fn tables(room: &Room) {
    let text = common::table(260);
    let lines: Vec<&str> = text.lines().collect();
    let part = |lines: &[&str]| format!("{}\n{}\n", text.lines().next().unwrap(), lines.join("\n"));
    room.write("t.csv", part(&lines[1..221]));
    room.write("new.csv", part(&lines[221..]));
    let head = "colour,flag,size,\"a \"\"quoted\"\", name\"\n";
    room.write(
        "holes.csv",
        format!("{head}red,,,quiet\n,no,10,\ngreen,,2,quiet\n,,,\n\"blue, dark\",yes,,\n"),
    );
    room.write("one.csv", format!("{head}red,yes,,\n"));
    // Columns of numbers that say the same, and one that does not.
    let mut dice = dice(11);
    let rows: String = (0..200)
        .map(|_| {
            let (first, noise) = (dice(3), dice(10));
            let second = if noise == 0 { dice(3) } else { first };
            format!("{first}\t{second}\t{}\n", dice(4))
        })
        .collect();
    room.write("n.tsv", format!("a\tb\tc\n{rows}"));
}

/// `words.txt` and `family.fasta`.
fn sequences(room: &Room) {
    let mut dice = dice(12);
    let words = ["the ", "cat ", "sat ", "on ", "a ", "mat "];
    let text: String = (0..400).map(|_| words[dice(6) as usize]).collect();
    room.write("words.txt", text);
    let mut fasta = String::new();
    for number in 0..120 {
        // The ends agree, as in a stem of RNA.
        let pairs: Vec<usize> = (0..3).map(|_| dice(4) as usize).collect();
        let loop_: String = (0..3)
            .map(|_| ['A', 'C', 'G', 'U', '-'][dice(5) as usize])
            .collect();
        let left: String = pairs.iter().map(|p| ['A', 'C', 'G', 'U'][*p]).collect();
        let right: String = pairs
            .iter()
            .rev()
            .map(|p| ['U', 'G', 'C', 'A'][*p])
            .collect();
        fasta += &format!(">s{number}\n{left}{loop_}{right}\n");
    }
    room.write("family.fasta", fasta);
}

/// `pictures.idx` with `kinds.idx`: 8 × 8 grey values, three kinds of strokes. `array.npy`, and `holes.npy` with −1 where
/// something is missing.
fn pictures(room: &Room) {
    let mut dice = dice(13);
    let (mut values, mut kinds) = (Vec::new(), Vec::new());
    for _ in 0..120 {
        let (kind, shift) = (dice(3), dice(3));
        kinds.push(kind as u8);
        for (y, x) in (0..8_u64).flat_map(|y| (0..8_u64).map(move |x| (y, x))) {
            let ink = match kind {
                0 => x == 2 + shift,
                1 => y == 2 + shift,
                _ => x == y,
            };
            let noise = dice(20) == 0;
            values.push(if ink != noise {
                200 + dice(55) as u8
            } else {
                dice(60) as u8
            });
        }
    }
    room.write("pictures.idx", idx(&[120, 8, 8], &values));
    room.write("kinds.idx", idx(&[120], &kinds));
    room.write("array.npy", common::images(90));
    let holes: Vec<i16> = (0..24)
        .map(|place| {
            if place % 5 == 0 {
                -1
            } else {
                (place % 4) as i16
            }
        })
        .collect();
    room.write("holes.npy", npy(&[4, 2, 3], &holes));
    let mask: Vec<u8> = (0..6).map(|place| u8::from(place % 2 == 0)).collect();
    room.write("mask.npy", npy(&[2, 3], &mask));
}

fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// `maps/`: label maps of 12 × 16 pixels, sky above, ground below, sometimes a car, some ids ignored; `classes.csv`.
fn label_maps(room: &Room) {
    room.write(
        "classes.csv",
        "id,class,colour\n7,road,#804080\n8,road,\n23,sky,#4682b4\n33,car,#00008e\n",
    );
    std::fs::create_dir(room.path("maps")).unwrap();
    let mut dice = dice(14);
    for index in 0..60 {
        let (horizon, car) = (3 + dice(6), dice(24));
        let map: Vec<u8> = (0..12_u64)
            .flat_map(|y| (0..16_u64).map(move |x| (y, x)))
            .map(|(y, x)| match (y, x) {
                (0, 0) => 255,
                _ if y / 2 == horizon / 2 + 1 && x / 2 == car => 33,
                _ if y < horizon => 23,
                _ => 7 + dice(2) as u8,
            })
            .collect();
        room.write(&format!("maps/{index:03}.png"), png(12, 16, &map));
    }
    let mask: Vec<u8> = (0..192)
        .map(|place| if place % 16 < 8 { 255 } else { 0 })
        .collect();
    room.write("mask.png", png(12, 16, &mask));
}

fn png(height: u32, width: u32, values: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(values).unwrap();
    writer.finish().unwrap();
    bytes
}
