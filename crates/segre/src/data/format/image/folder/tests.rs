//! Tests of folders of pictures: ids and grey values through every bit depth, classes, faults.

#![allow(clippy::unwrap_used)]

use super::super::Levels;
use super::*;
use crate::data::{DataSource, Layout, ReadOptions, read as read_any, read_as};
use png::{BitDepth, ColorType};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file of packed pixels.
    fn put(
        &self,
        name: &str,
        (height, width): (u32, u32),
        kind: ColorType,
        depth: BitDepth,
        packed: &[u8],
    ) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), width, height);
        encoder.set_color(kind);
        encoder.set_depth(depth);
        if kind == ColorType::Indexed {
            encoder.set_palette((0..48).collect::<Vec<u8>>());
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(packed).unwrap();
        writer.finish().unwrap();
    }

    fn ids(&self, name: &str, size: (u32, u32), values: &[u8]) {
        self.put(name, size, ColorType::Grayscale, BitDepth::Eight, values);
    }

    fn source(&self) -> DataSource {
        DataSource::File(self.0.path().to_path_buf())
    }

    fn read(&self, images: ImageOptions) -> Result<Dataset> {
        read_any(
            &self.source(),
            &ReadOptions {
                images,
                ..ReadOptions::default()
            },
        )
    }

    fn refuse(&self, images: ImageOptions, fragments: &[&str]) {
        let message = self.read(images).unwrap_err().to_string();
        for fragment in fragments {
            assert!(message.contains(fragment), "no {fragment:?} in {message}");
        }
        assert!(!message.contains('\n'), "{message}");
    }
}

fn names(data: &Dataset) -> Vec<String> {
    let count = data.schema.cardinality(0) as u16;
    (0..count)
        .map(|label| data.schema.category_name(0, label).into_owned())
        .collect()
}

#[test]
fn every_bit_depth_gives_the_same_ids() {
    // 2×3 pixels with ids 0, 1, 1 and 1, 0, 1; rows begin at whole bytes.
    let packed: [(BitDepth, &[u8]); 4] = [
        (BitDepth::One, &[0b0110_0000, 0b1010_0000]),
        (BitDepth::Two, &[0b0001_0100, 0b0100_0100]),
        (BitDepth::Four, &[0x01, 0x10, 0x10, 0x10]),
        (BitDepth::Eight, &[0, 1, 1, 1, 0, 1]),
    ];
    for kind in [ColorType::Grayscale, ColorType::Indexed] {
        for (depth, packed) in packed {
            let folder = Folder::new();
            folder.put("a.png", (2, 3), kind, depth, packed);
            let data = folder.read(ImageOptions::default()).unwrap();
            assert_eq!(data.labels(), [0, 1, 1, 1, 0, 1], "{kind:?} {depth:?}");
            assert_eq!(names(&data), ["0", "1"]);
            let Vocabulary::Classes { classes } = &data.schema.vocabularies[0] else {
                panic!()
            };
            let colour = (kind == ColorType::Indexed).then_some([3, 4, 5]);
            assert_eq!(classes[1].colour, colour);
        }
    }
}

/// Black and white of any depth, and a level between.
#[test]
fn grey_values_are_scaled_to_their_depth() {
    let folder = Folder::new();
    folder.put(
        "b/1.PNG",
        (1, 3),
        ColorType::Grayscale,
        BitDepth::One,
        &[0b0110_0000],
    );
    folder.put(
        "a/2.png",
        (1, 3),
        ColorType::Grayscale,
        BitDepth::Two,
        &[0b0001_1000],
    );
    folder.ids("c.png", (1, 3), &[127, 128, 255]);
    let gray = ImageOptions {
        gray: true,
        ..ImageOptions::default()
    };
    let data = folder.read(gray.clone()).unwrap();
    // In the order of names, folders among files; 2-bit 1 is 85.
    assert_eq!(data.labels(), [0, 0, 1, 0, 1, 1, 0, 1, 1]);
    assert_eq!(data.schema.cardinalities(), [2; 3]);
    let four = ImageOptions {
        levels: Some(Levels::Equal(4)),
        ..gray.clone()
    };
    assert_eq!(folder.read(four).unwrap().row(0), [0, 1, 2]);
    let inverted = ImageOptions {
        invert: true,
        ..gray
    };
    assert_eq!(folder.read(inverted).unwrap().row(0), [1, 1, 0]);
    // Into a schema of grey values a folder is read as such.
    let again = read_as(&folder.source(), &data.schema, &ReadOptions::default()).unwrap();
    assert_eq!(again, data);
}

#[test]
fn classes_and_ignored_ids() {
    let folder = Folder::new();
    folder.ids("a.png", (2, 2), &[7, 7, 255, 3]);
    folder.ids("b.png", (2, 2), &[3, 255, 255, 255]);
    let plain = folder.read(ImageOptions::default()).unwrap();
    assert_eq!(names(&plain), ["3", "7", "255"]);
    assert_eq!(plain.labels(), [1, 1, 2, 0, 0, 2, 2, 2]);
    let ignoring = ImageOptions {
        ignore: vec![255],
        ..ImageOptions::default()
    };
    let own = folder.read(ignoring.clone()).unwrap();
    assert_eq!(names(&own), ["3", "7", "ignored"]);
    assert_eq!(own.labels(), plain.labels());
    let filled = ImageOptions {
        ignore_as: IgnoreAs::Fill,
        ..ignoring.clone()
    };
    let filled = folder.read(filled).unwrap();
    assert_eq!(names(&filled), ["3", "7"]);
    // The pixel at the bottom left is as near to 7 as to 3: the leftmost column wins.
    assert_eq!(filled.labels(), [1, 1, 1, 0, 0, 0, 0, 0]);

    let class = |name: &str| Class {
        name: name.into(),
        colour: None,
    };
    let map = ClassMap {
        classes: vec![class("void"), class("thing"), class("never")],
        label_of_id: [(3, 1), (7, 1), (9, 2), (255, 0)].into(),
    };
    let mapped = ImageOptions {
        classes: Some(map),
        ..ImageOptions::default()
    };
    let data = folder.read(mapped.clone()).unwrap();
    assert_eq!(names(&data), ["void", "thing", "never"]);
    assert_eq!(data.labels(), [1, 1, 0, 1, 1, 0, 0, 0]);
    // A class whose ids are all ignored is gone.
    let filled = ImageOptions {
        ignore: vec![255],
        ignore_as: IgnoreAs::Fill,
        ..mapped
    };
    let data = folder.read(filled).unwrap();
    assert_eq!(
        (names(&data), data.labels()),
        (vec!["thing".into(), "never".into()], &[0; 8][..])
    );
}

#[test]
fn other_data_are_read_into_the_classes_of_the_fit() {
    for ignore in [vec![], vec![255]] {
        let (folder, other) = (Folder::new(), Folder::new());
        folder.ids("a.png", (1, 3), &[7, 3, 255]);
        other.ids("a.png", (1, 3), &[7, 7, 7]);
        let options = ReadOptions {
            images: ImageOptions {
                ignore,
                ..ImageOptions::default()
            },
            ..ReadOptions::default()
        };
        let schema = read_any(&folder.source(), &options).unwrap().schema;
        let data = read_as(&other.source(), &schema, &options).unwrap();
        assert_eq!((data.labels(), &data.schema), (&[1; 3][..], &schema));
        other.ids("b.png", (1, 3), &[7, 4, 7]);
        let error = read_as(&other.source(), &schema, &options)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("b.png: row 0, column 1: 4 is none") && error.contains("3, 7"),
            "{error}"
        );
        other.ids("b.png", (3, 1), &[7, 7, 7]);
        let error = read_as(&other.source(), &schema, &options)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("b.png: 3x1 pixels") && error.contains("1x3"),
            "{error}"
        );
    }
}

/// The layout of gtFine: files of other meaning beside the label maps, cities in folders, parts above them.
#[test]
fn cityscapes_folders() {
    let folder = Folder::new();
    let ids: Vec<u8> = (0..34).collect();
    for (name, shift) in [
        ("train/aachen/aachen_000000_000019", 0),
        ("train/bochum/bochum_000000_000313", 1),
    ] {
        let values: Vec<u8> = ids.iter().map(|id| (id + shift) % 34).collect();
        folder.ids(&format!("{name}_gtFine_labelIds.png"), (2, 17), &values);
        folder.put(
            &format!("{name}_gtFine_instanceIds.png"),
            (2, 17),
            ColorType::Grayscale,
            BitDepth::Sixteen,
            &[0; 68],
        );
        folder.put(
            &format!("{name}_gtFine_color.png"),
            (2, 17),
            ColorType::Rgba,
            BitDepth::Eight,
            &[0; 136],
        );
    }
    let options = ReadOptions {
        images: ImageOptions {
            classes: Some(ClassMap::load("cityscapes8").unwrap()),
            ..ImageOptions::default()
        },
        ..ReadOptions::default()
    };
    let train = DataSource::File(folder.0.path().join("train"));
    let data = read_any(&train, &options).unwrap();
    assert_eq!((data.rows(), data.sites()), (2, 34));
    assert_eq!(
        names(&data),
        [
            "void",
            "flat",
            "construction",
            "object",
            "nature",
            "sky",
            "human",
            "vehicle"
        ]
    );
    let expected = [
        [0; 7].as_slice(),
        &[1; 4],
        &[2; 6],
        &[3; 4],
        &[4; 2],
        &[5],
        &[6; 2],
        &[7; 8],
    ]
    .concat();
    assert_eq!(data.row(0), expected);
    assert_eq!(data.row(1)[..33], expected[1..]);
    assert_eq!(
        data.schema.layout,
        Layout::Image {
            height: 2,
            width: 17,
            pad_to: None
        }
    );
    folder.ids("val/ulm/ulm_1_gtFine_labelIds.png", (2, 17), &ids);
    let error = read_any(&folder.source(), &options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("train, val"), "{error}");
}

#[test]
fn faulty_pictures_are_named() {
    let with = |fill: &dyn Fn(&Folder), images: ImageOptions, fragments: &[&str]| {
        let folder = Folder::new();
        folder.ids("a.png", (1, 2), &[0, 1]);
        fill(&folder);
        folder.refuse(images, fragments);
    };
    let none = ImageOptions::default;
    let gray = || ImageOptions {
        gray: true,
        ..none()
    };
    let sixteen = |folder: &Folder| {
        folder.put(
            "b.png",
            (1, 2),
            ColorType::Grayscale,
            BitDepth::Sixteen,
            &[0; 4],
        )
    };
    with(&sixteen, none(), &["b.png", "16 bits", "convert"]);
    with(&sixteen, gray(), &["b.png", "16 bits"]);
    let rgb =
        |folder: &Folder| folder.put("b.png", (1, 2), ColorType::Rgb, BitDepth::Eight, &[0; 6]);
    with(&rgb, none(), &["b.png", "RGB", "class ids", "convert"]);
    with(&rgb, gray(), &["b.png", "RGB", "gray values"]);
    let indexed = |folder: &Folder| {
        folder.put(
            "b.png",
            (1, 2),
            ColorType::Indexed,
            BitDepth::Eight,
            &[0; 2],
        )
    };
    with(&indexed, gray(), &["b.png", "palette", "leave `gray` out"]);
    let large = |folder: &Folder| folder.ids("b.png", (2, 2), &[0; 4]);
    with(&large, none(), &["b.png: 2x2", "1x2", "`size = 1x2`"]);
    with(&large, gray(), &["b.png: 2x2", "`size = "]);
    let text =
        |folder: &Folder| std::fs::write(folder.0.path().join("b.png"), "no picture").unwrap();
    with(&text, none(), &["b.png", "not a readable PNG", "again"]);
    let cut = |folder: &Folder| {
        let bytes = std::fs::read(folder.0.path().join("a.png")).unwrap();
        std::fs::write(folder.0.path().join("b.png"), &bytes[..bytes.len() - 14]).unwrap();
    };
    with(&cut, none(), &["b.png", "not a readable PNG"]);
    let many = |folder: &Folder| folder.ids("b.png", (1, 2), &[0, 34]);
    let map = || ImageOptions {
        classes: Some(ClassMap::load("cityscapes8").unwrap()),
        ..none()
    };
    with(
        &many,
        map(),
        &[
            "b.png: row 0, column 1: 34",
            "0–33",
            "`ignore = 34`",
            "`gray`",
        ],
    );
    let nothing = |folder: &Folder| folder.ids("b.png", (1, 2), &[9, 9]);
    let fill = ImageOptions {
        ignore: vec![9],
        ignore_as: IgnoreAs::Fill,
        ..none()
    };
    with(&nothing, fill, &["b.png", "every pixel is ignored"]);
    with(
        &|_| (),
        ImageOptions {
            levels: Some(Levels::Equal(4)),
            ..none()
        },
        &["`threshold` or `levels`", "`gray`"],
    );
    with(
        &|_| (),
        ImageOptions {
            gray: true,
            ..map()
        },
        &["`classes`", "leave it out"],
    );

    let folder = Folder::new();
    folder.refuse(none(), &["no .png file"]);
    folder.ids("a.png", (10, 10), &(0..100).collect::<Vec<u8>>());
    folder.refuse(none(), &["100 distinct values", "`gray`"]);
}
