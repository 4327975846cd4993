//! IDX files, the format of MNIST: pictures of grey values, and labels. `.gz` is read too.

use super::error::ImageError;
use super::options::Levels;
use super::resample::resample;
use super::{ImageSize, Raster, schema_of, size_of};
use crate::data::dataset::Dataset;
use crate::data::error::{DataError, Result};
use crate::data::options::ReadOptions;
use crate::data::schema::{Schema, Vocabulary};
use crate::data::store::Collector;
use crate::file_error::FileError;
use crate::stream;
use std::io::Read;
use std::path::Path;

/// First bytes of pictures: unsigned bytes, three axes.
const PICTURES: [u8; 4] = [0, 0, 8, 3];
/// First bytes of labels: unsigned bytes, one axis.
const LABELS: [u8; 4] = [0, 0, 8, 1];
/// Labels that memory is reserved for on the word of a header alone.
const MOST_RESERVED: usize = 1 << 24;
/// Pixels of the largest picture.
const MOST_PIXELS: usize = 1 << 26;

/// Whether a file is an IDX file, by its name or by its first bytes.
pub(in crate::data) fn is_idx(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    if plain.ends_with(".idx") || (plain.contains("idx") && plain.ends_with("-ubyte")) {
        return true;
    }
    let mut magic = [0; 4];
    let mut read = || stream::open(path).ok()?.read_exact(&mut magic).ok();
    path.is_file() && read().is_some() && [PICTURES, LABELS].contains(&magic)
}

/// Reads pictures, into a schema if one is given.
pub(in crate::data) fn read(
    path: &Path,
    schema: Option<&Schema>,
    reading: &ReadOptions,
) -> Result<Dataset> {
    let options = &reading.images;
    options.check()?;
    let label_map = options.classes.is_some() || !options.ignore.is_empty();
    if label_map {
        let (option, purpose) = ("`classes` or `ignore`", "label maps, not for grey values");
        let remedy = "leave it out, or give a folder of PNG files";
        return Err(ImageError::Useless {
            path: path.to_path_buf(),
            option,
            purpose,
            remedy,
        }
        .into());
    }
    let mut file = stream::open(path)?;
    let shape = header::<3>(path, &mut file, &PICTURES)?;
    let [rows, height, width] = shape;
    let own = ImageSize { height, width };
    if rows == 0 || height == 0 || width == 0 {
        return Err(DataError::NoData {
            path: path.to_path_buf(),
            what: "there is no picture",
        });
    }
    let size = options.size.unwrap_or(own);
    if let Some(expected) = schema.and_then(size_of)
        && expected != size
    {
        return Err(ImageError::OtherSize {
            path: path.to_path_buf(),
            found: size,
            expected,
        }
        .into());
    }
    let levels = options.levels.unwrap_or_default();
    let mut table = levels.table();
    if options.invert {
        table.reverse();
    }
    // A header may lie, so it is not believed before the pixels are there.
    let mut labels = Collector::new(reading.memory);
    labels.reserve(rows.saturating_mul(size.area()).min(MOST_RESERVED));
    // One picture more than memory could hold is refused before it is asked for.
    let area = height
        .checked_mul(width)
        .filter(|&area| area <= MOST_PIXELS);
    let mut raster = Raster {
        size: own,
        values: Vec::new(),
    };
    let mut grey = 0;
    for row in 0..rows {
        let area = area.unwrap_or(usize::MAX) as u64;
        raster.values.clear();
        let found = file.by_ref().take(area).read_to_end(&mut raster.values);
        let found = found.map_err(|cause| FileError::reading(path, cause))? as u64;
        if found < area {
            return Err(wrong_length(
                path,
                &shape,
                (row as u64 * area + found).to_string(),
            ));
        }
        grey += raster.grey();
        if size == own {
            labels.extend(raster.values.iter().map(|&value| table[usize::from(value)]))?;
        } else if let Some(values) = resample(&raster, size, None) {
            labels.extend(values.iter().map(|&value| table[usize::from(value)]))?;
        }
    }
    at_end(path, &mut file, &shape)?;
    let mut found = schema_of(
        size,
        options.pad_to,
        Vocabulary::Integers {
            count: levels.count(),
        },
    )?;
    match schema {
        Some(schema) => schema.same_as(&found)?,
        None => found.notes.extend(Levels::note(options.levels, grey)),
    }
    Dataset::of_store(found, labels.finish()?)
}

/// Reads all labels of an IDX file.
pub(in crate::data) fn read_all_labels(path: &Path) -> Result<Vec<u16>> {
    let mut file = stream::open(path)?;
    let shape = header::<1>(path, &mut file, &LABELS)?;
    let mut values = Vec::new();
    let read = file.by_ref().take(shape[0] as u64).read_to_end(&mut values);
    read.map_err(|cause| FileError::reading(path, cause))?;
    if values.len() < shape[0] {
        return Err(wrong_length(path, &shape, values.len().to_string()));
    }
    at_end(path, &mut file, &shape)?;
    Ok(values.into_iter().map(u16::from).collect())
}

/// The lengths of the axes, after the first bytes are checked.
fn header<const AXES: usize>(
    path: &Path,
    file: &mut dyn Read,
    magic: &[u8; 4],
) -> Result<[usize; AXES]> {
    let mut bytes = Vec::new();
    let length = 4 + 4 * AXES;
    file.take(length as u64)
        .read_to_end(&mut bytes)
        .map_err(|cause| FileError::reading(path, cause))?;
    if !bytes.starts_with(magic) {
        let shown: Vec<String> = bytes
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (expected, remedy) = match (magic == &PICTURES, bytes.starts_with(&LABELS)) {
            (true, true) => (
                "00 00 08 03 of pictures",
                "these are labels, for `labels`; give the file of pictures",
            ),
            (true, false) => (
                "00 00 08 03 of pictures",
                "give an IDX file of unsigned bytes with three axes",
            ),
            _ => (
                "00 00 08 01 of labels",
                "give an IDX file of unsigned bytes with one axis",
            ),
        };
        let found = if shown.is_empty() {
            "(none)".into()
        } else {
            shown.join(" ")
        };
        return Err(ImageError::IdxMagic {
            path: path.to_path_buf(),
            found,
            expected,
            remedy,
        }
        .into());
    }
    if bytes.len() < length {
        let detail = format!("the header has {} of {length} bytes", bytes.len());
        return Err(FileError::Damaged {
            path: path.to_path_buf(),
            detail,
        }
        .into());
    }
    Ok(std::array::from_fn(|axis| {
        let at = 4 + 4 * axis;
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
    }))
}

fn at_end(path: &Path, file: &mut dyn Read, shape: &[usize]) -> Result<()> {
    let mut more = Vec::new();
    file.take(1)
        .read_to_end(&mut more)
        .map_err(|cause| FileError::reading(path, cause))?;
    match more.is_empty() {
        true => Ok(()),
        false => Err(wrong_length(path, shape, "more".into())),
    }
}

fn wrong_length(path: &Path, shape: &[usize], found: String) -> DataError {
    let expected = shape.iter().map(|&length| length as u128).product();
    let shape = shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join("x");
    ImageError::IdxLength {
        path: path.to_path_buf(),
        found,
        expected,
        shape,
    }
    .into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{ImageOptions, Levels};
    use super::*;
    use crate::data::{DataSource, Layout, read as read_any, read_as};
    use std::io::Write;

    fn idx(shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, shape.len() as u8];
        shape
            .iter()
            .for_each(|length| bytes.extend(length.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn options(images: ImageOptions) -> ReadOptions {
        ReadOptions {
            images,
            ..ReadOptions::default()
        }
    }

    fn read_bytes(name: &str, bytes: &[u8], images: ImageOptions) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        read_any(&DataSource::File(path), &options(images))
    }

    #[test]
    fn grey_values_become_labels() {
        let bytes = idx(
            &[2, 2, 3],
            &[0, 127, 128, 255, 64, 200, 1, 2, 3, 250, 251, 252],
        );
        let plain = read_bytes("t10k-images-idx3-ubyte", &bytes, ImageOptions::default()).unwrap();
        assert_eq!(plain.labels(), [0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1]);
        assert_eq!(
            plain.schema.layout,
            Layout::Image {
                height: 2,
                width: 3,
                pad_to: None
            }
        );
        assert_eq!(plain.schema.cardinalities(), [2; 6]);
        let inverted = ImageOptions {
            invert: true,
            ..Default::default()
        };
        let inverted = read_bytes("a.idx", &bytes, inverted).unwrap();
        assert!(
            plain
                .labels()
                .iter()
                .zip(inverted.labels())
                .all(|(a, b)| a + b == 1)
        );
        let four = ImageOptions {
            levels: Some(Levels::Equal(4)),
            ..Default::default()
        };
        assert_eq!(
            read_bytes("a.idx", &bytes, four).unwrap().row(0),
            [0, 1, 2, 3, 1, 3]
        );
        let one = ImageOptions {
            size: Some(ImageSize {
                height: 1,
                width: 1,
            }),
            ..Default::default()
        };
        assert_eq!(read_bytes("a.idx", &bytes, one).unwrap().labels(), [0, 1]);
    }

    /// By name or by the first bytes, compressed or not.
    #[test]
    fn the_kind_is_told_by_name_or_magic() {
        let bytes = idx(&[1, 1, 2], &[9, 200]);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&bytes).unwrap();
        let compressed = encoder.finish().unwrap();
        for (name, bytes) in [
            ("x-idx3-ubyte.gz", &compressed),
            ("x.gz", &compressed),
            ("x", &bytes),
            ("x.idx", &bytes),
        ] {
            let data = read_bytes(name, bytes, ImageOptions::default()).unwrap();
            assert_eq!(data.labels(), [0, 1], "{name}");
        }
        let cut = read_bytes(
            "x.idx.gz",
            &compressed[..compressed.len() - 9],
            ImageOptions::default(),
        )
        .unwrap_err();
        assert!(
            matches!(cut, DataError::File(FileError::Damaged { .. })),
            "{cut}"
        );
    }

    #[test]
    fn files_of_other_lengths_are_refused() {
        let fail = |bytes: &[u8]| {
            read_bytes("a.idx", bytes, ImageOptions::default())
                .unwrap_err()
                .to_string()
        };
        let short = fail(&idx(&[2, 2, 2], &[0; 7]));
        assert!(
            short.contains("7 bytes after the header where it promises 8 (2x2x2)"),
            "{short}"
        );
        assert!(fail(&idx(&[2, 2, 2], &[0; 9])).contains("more bytes"));
        assert!(fail(&idx(&[u32::MAX; 3], &[0; 9])).contains("9 bytes"));
        assert!(fail(&[0, 0, 8, 3, 0]).contains("5 of 16"));
        assert!(fail(&idx(&[2], &[0, 1])).contains("`labels`"));
        assert!(fail(&[0, 0, 13, 3]).contains("00 00 0d 03"));
        assert!(fail(b"").contains("(none)"));
        assert!(fail(&idx(&[0, 2, 2], &[])).contains("no picture"));
    }

    #[test]
    fn a_schema_has_its_size_and_padding() {
        let folder = tempfile::tempdir().unwrap();
        let source = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            DataSource::File(folder.path().join(name))
        };
        let padded = ImageOptions {
            pad_to: Some(ImageSize {
                height: 4,
                width: 4,
            }),
            ..Default::default()
        };
        let first = source("a.idx", &idx(&[1, 2, 3], &[0; 6]));
        let data = read_any(&first, &options(padded.clone())).unwrap();
        assert_eq!(
            data.schema.layout,
            Layout::Image {
                height: 2,
                width: 3,
                pad_to: Some([4, 4])
            }
        );
        assert_eq!(data.sites(), 6);
        let again = read_as(&first, &data.schema, &options(padded.clone())).unwrap();
        assert_eq!(again, data);
        let other = source("b.idx", &idx(&[1, 3, 2], &[0; 6]));
        let error = read_as(&other, &data.schema, &options(padded))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("b.idx") && error.contains("3x2") && error.contains("`size = 2x3`"),
            "{error}"
        );
        let tight = ImageOptions {
            pad_to: Some(ImageSize {
                height: 4,
                width: 2,
            }),
            ..Default::default()
        };
        let error = read_any(&first, &options(tight)).unwrap_err().to_string();
        assert!(error.contains("2x3 cannot be padded to 4x2"), "{error}");
    }

    #[test]
    fn labels_have_one_axis() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l.idx");
        std::fs::write(&path, idx(&[4], &[3, 0, 2, 2])).unwrap();
        assert_eq!(read_all_labels(&path).unwrap(), [3, 0, 2, 2]);
        std::fs::write(&path, idx(&[4], &[3, 0, 2])).unwrap();
        assert!(
            read_all_labels(&path)
                .unwrap_err()
                .to_string()
                .contains("3 bytes")
        );
        std::fs::write(&path, idx(&[1, 2, 2], &[3, 0, 2, 2])).unwrap();
        assert!(
            read_all_labels(&path)
                .unwrap_err()
                .to_string()
                .contains("one axis")
        );
    }
}
