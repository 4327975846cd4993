//! Files that are not tables, as other programs write them: packed, in other encodings, with old headers, of odd types.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::io::Write;

use common::{Room, npy, npz, stderr, stdout};
use flate2::Compression;
use flate2::write::GzEncoder;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What `info` says, without the file's name, and its notes.
fn info(room: &Room, name: &str, options: &[&str]) -> (String, String) {
    let output = room.succeed(&[&["info", name], options].concat());
    (stdout(&output).replace(name, "FILE"), stderr(&output))
}

/// A `.npy` file by hand.
fn array(version: u8, descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    let length = (header.len() as u32).to_le_bytes();
    file.extend(&length[..if version == 1 { 2 } else { 4 }]);
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

fn idx() -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2];
    bytes.extend([0, 255, 9, 200, 0, 0, 255, 255]);
    bytes
}

/// By its first bytes, with and without `.gz`, and a file that is called so and is not compressed.
#[test]
fn every_reader_takes_gzip_whatever_the_name() {
    let room = Room::new();
    let values: Vec<u8> = (0..24).map(|value| value % 3).collect();
    let array = npy(&[4, 6], &values);
    let idx = idx();
    let uai = b"MARKOV\n1\n2\n1\n1 0\n\n2\n 0.4 0.6\n";
    for (name, bytes, options) in [
        ("a.csv", &b"x,y\n1,a\n2,b\n"[..], &[][..]),
        ("a.tsv", b"x\ty\n1\ta\n2\tb\n", &[]),
        ("a.fasta", b">a\nACGT\n>b\nAC-T\n", &[]),
        ("a.a3m", b">a\nACGT\n>b\nAC-T\n", &[]),
        (
            "a.txt",
            b"some text of two windows",
            &["--text-window", "8"],
        ),
        ("a.npy", &array, &[]),
        ("train-images-idx3-ubyte", &idx, &[]),
        ("images.idx", &idx, &[]),
    ] {
        room.write(name, bytes);
        let plain = info(&room, name, options).0;
        room.write(name, gzip(bytes));
        assert_eq!(info(&room, name, options).0, plain, "{name}, compressed");
        let longer = format!("{name}.gz");
        for bytes in [&gzip(bytes)[..], bytes] {
            room.write(&longer, bytes);
            assert_eq!(info(&room, &longer, options).0, plain, "{longer}");
        }
    }
    for name in ["m.uai", "m.uai.gz"] {
        room.write(name, gzip(uai));
        let said = stdout(&room.succeed(&["energy", "infer", name]));
        assert!(said.contains("log Z"), "{said}");
    }
    room.write("none.evid", gzip(b"0\n"));
    room.succeed(&["energy", "infer", "m.uai", "--evidence", "none.evid"]);
}

#[test]
fn what_cannot_be_unpacked_is_named() {
    let room = Room::new();
    for (name, bytes, fragments) in [
        ("a.csv", &b"\x28\xb5\x2f\xfd\x04"[..], ["zstd", "zstd -d"]),
        ("a.fasta", b"\xfd7zXZ\x00\x00", ["xz", "xz -d"]),
        ("a.npy", b"BZh91AY&SY", ["bzip2", "bzip2 -d"]),
        ("a.csv", b"PK\x03\x04\x14\x00", ["zip archive", ".csv"]),
        ("a.idx", b"\x28\xb5\x2f\xfd\x04", ["zstd", "zstd -d"]),
        (
            "a.npz",
            &gzip(&npz("x", &[1, 2], &[0, 1])),
            ["gzip", "gzip -d"],
        ),
        ("a.parquet", &gzip(b"PAR1 and so on"), ["gzip", "gzip -d"]),
        ("a.arrow", b"\xfd7zXZ\x00\x00", ["xz", "xz -d"]),
        ("a.txt", b"\x93NUMPY\x01\x00", ["array of NumPy", ".npy"]),
    ] {
        room.write(name, bytes);
        room.refuse(&["info", name], &[&[name][..], &fragments].concat());
    }
}

#[test]
fn other_encodings_are_refused_with_the_place_and_the_remedy() {
    let room = Room::new();
    let utf16 = |text: &str, mark: &[u8]| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        mark.iter().copied().chain(units).collect::<Vec<u8>>()
    };
    for (name, bytes, fragments) in [
        (
            "w.txt",
            &b"I said, don\x92t."[..],
            [":1:", "byte 11", "WINDOWS-1252"],
        ),
        ("w.csv", b"a,b\nx,caf\xe9\n", [":2:", "byte 9", "iconv"]),
        ("w.fasta", b">a\nAC\xe9\n", [":2:", "byte 5", "UTF-8"]),
        ("m.uai", b"MARKOV\n\xff\n", [":2:", "byte 7", "UTF-8"]),
        (
            "u.txt",
            &utf16("some text", b"\xff\xfe"),
            [":1:", "byte 0", "-f UTF-16 "],
        ),
        (
            "u.tsv",
            &utf16("a\tb\n1\t2\n", b"\xff\xfe"),
            [":1:", "byte 0", "-f UTF-16 "],
        ),
        (
            "v.csv",
            &utf16("a,b\n1,2\n", b""),
            [":1:", "byte 1", "-f UTF-16LE "],
        ),
    ] {
        room.write(name, bytes);
        let command = if name == "m.uai" {
            &["energy", "infer"][..]
        } else {
            &["info"]
        };
        room.refuse(
            &[command, &[name]].concat(),
            &[&[name][..], &fragments].concat(),
        );
    }
}

/// Line breaks are one character, whatever they are in the file; what is left out is said.
#[test]
fn line_ends_and_marks_change_no_text() {
    let room = Room::new();
    let text = "one line of text\nand another one\nand a third of them\n";
    room.write("lf.txt", text);
    room.write("crlf.txt", text.replace('\n', "\r\n"));
    room.write("cr.txt", text.replace('\n', "\r"));
    room.write("bom.txt", format!("\u{feff}{text}"));
    let window = ["--text-window", "10"];
    let (plain, notes) = info(&room, "lf.txt", &window);
    assert!(plain.contains("5 rows"), "{plain}");
    assert!(notes.contains("the last 3 characters"), "{notes}");
    for name in ["crlf.txt", "cr.txt", "bom.txt"] {
        assert_eq!(info(&room, name, &window).0, plain, "{name}");
    }
    room.refuse(
        &["info", "lf.txt", "--text-window", "60"],
        &["lf.txt", "53 characters", "window of 60", "--text-window"],
    );
}

#[test]
fn arrays_have_old_headers_and_odd_ones_are_shown() {
    let room = Room::new();
    let values: Vec<u8> = (0..8).map(|value| value % 2).collect();
    let mut described = Vec::new();
    for (name, version, shape) in [
        ("v1.npy", 1, "(4, 2)"),
        ("long.npy", 1, "(4L, 2L)"),
        ("v2.npy", 2, "(4, 2)"),
        ("v3.npy", 3, "(4, 2)"),
    ] {
        room.write(name, array(version, "'|u1'", shape, &values));
        described.push(info(&room, name, &[]).0);
    }
    described.dedup();
    assert_eq!(described.len(), 1, "{described:?}");
    for (name, shape, bytes, fragment) in [
        (
            "calls.npy",
            "(np.int64(4), np.int64(2))",
            &values[..],
            "np.int64(4)",
        ),
        (
            "cut.npy",
            "(4, 2)",
            &values[..6],
            "the data end after 6 of 8 elements",
        ),
        (
            "long.npy",
            "(3, 2)",
            &values,
            "more bytes after the 6 elements",
        ),
        ("deep.npy", "((((((((((4))))))))))", &values, "brackets"),
        (
            "huge.npy",
            "(40000000000, 40000000000)",
            &values,
            "is no data set",
        ),
        ("promise.npy", "(400000000, 4000)", &values, "after 8 of"),
    ] {
        room.write(name, array(1, "'|u1'", shape, bytes));
        room.refuse(&["info", name], &[name, fragment]);
    }
    room.write("text.npy", "1,2\n3,4\n");
    room.refuse(&["info", "text.npy"], &["text.npy", "numpy.save"]);
}

/// Each with its type and what to do; nothing of Python is ever run.
/// One class for every row, as arrays have it; of several arrays none is taken without a word.
#[test]
fn classes_of_rows_may_be_an_array() {
    let room = Room::new();
    room.write("i.npy", npy(&[4, 2, 2], &[0_u8, 1, 1, 0].repeat(4)));
    room.write("y.npy", npy(&[4], &[0_i64, 2, 2, 1]));
    room.write("y1.npy", npy(&[4, 1], &[0_u8, 2, 2, 1]));
    room.write("y.npz", npz("y", &[4], &[0, 2, 2, 1]));
    room.write("y.csv", "kind\na\nc\nc\nb\n");
    for (labels, names) in [
        ("y.npy", ["0", "1", "2"]),
        ("y1.npy", ["0", "1", "2"]),
        ("y.npz", ["0", "1", "2"]),
        ("y.npz:y", ["0", "1", "2"]),
        ("y.csv", ["a", "b", "c"]),
    ] {
        let found = room.json(&["info", "i.npy", "--labels", labels]);
        assert_eq!(
            found["label_counts"],
            serde_json::json!([1, 1, 2]),
            "{labels}"
        );
        assert_eq!(found["label_names"], serde_json::json!(names), "{labels}");
    }
    room.write("y.npy", npy(&[3], &[0_i64, 2, 2]));
    room.write("f.npy", npy(&[4], &[0.5_f64; 4]));
    room.write("w.npy", npy(&[4, 2], &[0_u8; 8]));
    for (labels, fragments) in [
        ("y.npy", ["y.npy: 3 labels", "4 rows"]),
        ("f.npy", ["f.npy", "floating-point"]),
        ("w.npy", ["w.npy", "\"label\""]),
    ] {
        room.refuse(&["info", "i.npy", "--labels", labels], &fragments);
    }
}

/// Labels that do not occur are categories all the same, and grey values that are cut are said to be.
#[test]
fn what_is_made_of_numbers_is_said() {
    let room = Room::new();
    room.write("a.npy", npy(&[2, 2], &[0_u16, 3, 50_000, 3]));
    let (found, said) = info(&room, "a.npy", &[]);
    assert!(found.contains("50001 categories"), "{found}");
    assert!(said.contains("only 3 of the 50001 labels"), "{said}");
    room.write("b.npy", npy(&[2, 2], &[0_u16, 3, 30, 3]));
    assert!(info(&room, "b.npy", &[]).1.contains("only 3 of the 31"));
    room.write("c.npy", npy(&[2, 2], &[0_u16, 3, 2, 5]));
    assert!(info(&room, "c.npy", &[]).1.is_empty());
    room.write(
        "g-idx3-ubyte",
        [
            &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3][..],
            &[0, 200, 255],
        ]
        .concat(),
    );
    let said = info(&room, "g-idx3-ubyte", &[]).1;
    assert!(
        said.contains("1 pixels are neither black nor white") && said.contains("--levels"),
        "{said}"
    );
    for options in [["--threshold", "0.5"], ["--levels", "4"]] {
        assert!(info(&room, "g-idx3-ubyte", &options).1.is_empty());
    }
    room.write("z.npy", npy(&[1, 1], &[65_535_u16]));
    room.refuse(&["info", "z.npy"], &["65535 is no label", "65534"]);
}

#[test]
fn arrays_of_other_types_are_refused_by_their_type() {
    let room = Room::new();
    for (descr, shape, bytes, fragments) in [
        ("'|O'", "(3,)", 8, ["'|O'", "objects of Python"]),
        ("'<U2'", "(2, 2)", 32, ["'<U2'", "return_inverse"]),
        (
            "[('a', '<i4'), ('b', '<i4')]",
            "(4,)",
            32,
            ["('b', '<i4')", "several fields"],
        ),
        ("'<f4'", "(2, 2)", 16, ["'<f4'", "astype(numpy.uint16)"]),
        ("'<f2'", "(2, 2)", 8, ["'<f2'", "astype(numpy.uint16)"]),
        ("'<c8'", "(2, 2)", 32, ["'<c8'", "integers"]),
    ] {
        room.write("a.npy", array(1, descr, shape, &vec![0; bytes]));
        room.refuse(&["info", "a.npy"], &[&["a.npy"][..], &fragments].concat());
    }
    room.write("a.npy", array(1, "'|i1'", "(2, 2)", &[0, 1, 255, 1]));
    room.refuse(
        &["info", "a.npy"],
        &["row 1", "site [0]", "-1 is no label", "unknown label"],
    );
}

#[test]
fn what_a_folder_of_pictures_holds_besides_is_said() {
    let room = Room::new();
    std::fs::create_dir(room.path("maps")).unwrap();
    let put = |name: &str, palette: [u8; 6]| {
        let file = std::fs::File::create(room.path(name)).unwrap();
        let mut encoder = png::Encoder::new(file, 2, 1);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.to_vec());
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0, 1]).unwrap();
        writer.finish().unwrap();
    };
    put("maps/a.png", [255, 255, 255, 200, 0, 0]);
    put("maps/b.png", [255, 255, 255, 200, 0, 0]);
    assert_eq!(info(&room, "maps", &[]).1, "");
    room.write("maps/c.jpg", b"a photograph");
    put("maps/d.png", [200, 0, 0, 255, 255, 255]);
    let notes = info(&room, "maps", &[]).1;
    assert!(
        notes.contains("3 files are read, 1 others are not, as \"c.jpg\""),
        "{notes}"
    );
    assert!(notes.contains("d.png: id 0 has another colour"), "{notes}");
}
