//! Which sites of rows are hidden: a region of a picture, or a file.

use super::format::image::{self, ImageSize};
use super::format::input::FileKind;
use super::format::npy::{self, Stored};
use super::partial::PartialDataset;
use super::schema::{Layout, Schema};
use crate::data::error::{DataError, Result};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A part of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Rows of pixels from the middle up (without the middle one of an odd number).
    UpperHalf,
    /// Rows from the middle down.
    LowerHalf,
    /// Columns left of the middle (without the middle one of an odd number).
    LeftHalf,
    /// Columns from the middle to the right.
    RightHalf,
    /// A rectangle.
    Rectangle {
        /// Its height and width.
        size: [usize; 2],
        /// Row and column of its first pixel, from 0.
        corner: [usize; 2],
    },
}

impl Region {
    /// Height and width, and row and column of the first pixel, in a picture of a size.
    fn rectangle(self, [height, width]: [usize; 2]) -> ([usize; 2], [usize; 2]) {
        match self {
            Self::UpperHalf => ([height / 2, width], [0, 0]),
            Self::LowerHalf => ([height - height / 2, width], [height / 2, 0]),
            Self::LeftHalf => ([height, width / 2], [0, 0]),
            Self::RightHalf => ([height, width - width / 2], [0, width / 2]),
            Self::Rectangle { size, corner } => (size, corner),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UpperHalf => formatter.write_str("upper-half"),
            Self::LowerHalf => formatter.write_str("lower-half"),
            Self::LeftHalf => formatter.write_str("left-half"),
            Self::RightHalf => formatter.write_str("right-half"),
            Self::Rectangle { size, corner } => {
                let ([height, width], [top, left]) = (size, corner);
                write!(formatter, "{height}x{width}+{top}+{left}")
            }
        }
    }
}

impl FromStr for Region {
    type Err = String;

    /// `lower-half` and the like, or `HEIGHTxWIDTH+TOP+LEFT`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let halves = [
            Self::UpperHalf,
            Self::LowerHalf,
            Self::LeftHalf,
            Self::RightHalf,
        ];
        if let Some(half) = halves.into_iter().find(|half| half.to_string() == text) {
            return Ok(half);
        }
        let numbers: Option<Vec<usize>> = text
            .split(['x', '+'])
            .map(|number| number.parse().ok())
            .collect();
        let region = match numbers.as_deref() {
            Some(&[height, width, top, left]) => Some(Self::Rectangle {
                size: [height, width],
                corner: [top, left],
            }),
            _ => None,
        };
        region
            .filter(|region| region.to_string() == text)
            .ok_or_else(|| {
                "use upper-half, lower-half, left-half, right-half or HEIGHTxWIDTH+TOP+LEFT, as 8x8+10+4".into()
            })
    }
}

/// Which sites are hidden, of every row alike or of each by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteMask {
    name: String,
    sites: usize,
    /// `[rows, sites]`, or `[sites]` for all rows.
    hidden: Vec<bool>,
    /// Whether the rows have masks of their own.
    by_row: bool,
}

impl SiteMask {
    /// Hides a part of every picture.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`] for rows that are no pictures, [`DataError::BadRegion`] for a region that is empty
    /// or reaches out of the picture.
    pub fn region(region: Region, schema: &Schema) -> Result<Self> {
        let Layout::Image { height, width, .. } = schema.layout else {
            return Err(DataError::NotAnImage {
                what: "a region to hide",
                remedy: "give a mask",
                found: schema.layout.describe(),
            });
        };
        let ([high, wide], [top, left]) = region.rectangle([height, width]);
        let within = |from: usize, length: usize, all: usize| {
            length > 0 && from.checked_add(length).is_some_and(|end| end <= all)
        };
        if !(within(top, high, height) && within(left, wide, width)) {
            return Err(DataError::BadRegion {
                region: region.to_string(),
                height,
                width,
            });
        }
        let inside = |site: usize| {
            let (row, column) = (site / width, site % width);
            (top..top + high).contains(&row) && (left..left + wide).contains(&column)
        };
        Ok(Self {
            name: region.to_string(),
            sites: schema.sites(),
            hidden: (0..schema.sites()).map(inside).collect(),
            by_row: false,
        })
    }

    /// Reads a mask: hidden is what is not 0.
    ///
    /// A `.png` file (gray or palette) of a picture's size, or a `.npy` or `.npz` array of a row's shape, is one mask for
    /// all rows; an array `[rows, …]` has one for each row.
    ///
    /// # Errors
    /// [`DataError::MaskShape`] for a mask of another shape, [`DataError::UnknownFormat`], and those of the file.
    pub fn read(path: &Path, schema: &Schema) -> Result<Self> {
        let (shape, hidden) = switches(path)?;
        let row_shape = schema.row_shape();
        let by_row = shape.len() == row_shape.len() + 1;
        let own = if by_row { &shape[1..] } else { &shape[..] };
        if own != row_shape {
            return Err(DataError::MaskShape {
                mask: path.display().to_string(),
                found: shape,
                expected: format!("{row_shape:?}, or one of these for every row"),
            });
        }
        Ok(Self {
            name: path.display().to_string(),
            sites: schema.sites(),
            hidden,
            by_row,
        })
    }

    /// The sites that are shown, the same of every row; `None` if rows have masks of their own.
    pub fn shown(&self) -> Option<Vec<usize>> {
        let shown = (0..self.sites).filter(|site| !self.hidden[*site]);
        (!self.by_row).then(|| shown.collect())
    }

    /// What is left of rows, beside what they do not tell anyway.
    ///
    /// # Errors
    /// [`DataError::MaskShape`] if the mask has another number of rows or sites.
    pub fn hide(&self, rows: &PartialDataset) -> Result<PartialDataset> {
        let masks = self.hidden.len() / self.sites;
        if self.sites != rows.sites() || (self.by_row && masks != rows.rows()) {
            return Err(DataError::MaskShape {
                mask: self.name.clone(),
                found: vec![masks, self.sites],
                expected: format!("[{}, {}]", rows.rows(), rows.sites()),
            });
        }
        Ok(rows.without(|row, site| {
            let row = if self.by_row { row } else { 0 };
            self.hidden[row * self.sites + site]
        }))
    }
}

/// The switches of a mask file and their shape.
fn switches(path: &Path) -> Result<(Vec<usize>, Vec<bool>)> {
    let extension = path.extension().unwrap_or_default();
    if extension.eq_ignore_ascii_case("png") {
        let (ImageSize { height, width }, values) = image::read_ids(path)?;
        let switches = values.into_iter().map(|value| value != 0).collect();
        return Ok((vec![height, width], switches));
    }
    let unknown = || DataError::UnknownFormat {
        path: path.to_path_buf(),
        legal: ".png, .npy, .npz",
    };
    let kind = FileKind::of(path).map_err(|_| unknown())?;
    let stored = Stored::of(path, &kind).ok_or_else(unknown)?;
    npy::read_switches(stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use npyz::WriterBuilder;

    fn pictures() -> PartialDataset {
        let schema = Schema::integers(&[3, 2], true, 9);
        let data = Dataset::new(schema, (0..12).map(|label| label % 9).collect()).unwrap();
        PartialDataset::hiding(&data, |row, site| (row, site) == (1, 0))
    }

    fn hidden(rows: &PartialDataset) -> Vec<usize> {
        let cells = 0..rows.rows() * 6;
        cells
            .filter(|cell| rows.label(cell / 6, cell % 6).is_none())
            .collect()
    }

    #[test]
    fn regions_hide_their_pixels_and_nothing_else() {
        let rows = pictures();
        let left = |text: &str| {
            let region: Region = text.parse().unwrap();
            assert_eq!(region.to_string(), text);
            let mask = SiteMask::region(region, &rows.schema).unwrap();
            hidden(&mask.hide(&rows).unwrap())
        };
        // What was not known before, cell 6, stays unknown.
        assert_eq!(left("upper-half"), [0, 1, 6, 7]);
        assert_eq!(left("lower-half"), [2, 3, 4, 5, 6, 8, 9, 10, 11]);
        assert_eq!(left("left-half"), [0, 2, 4, 6, 8, 10]);
        assert_eq!(left("right-half"), [1, 3, 5, 6, 7, 9, 11]);
        assert_eq!(left("1x2+1+0"), [2, 3, 6, 8, 9]);
        for bad in [
            "half",
            "1x2",
            "1x2+1",
            "1x2+1+",
            "-1x2+1+0",
            "1+2x1+0",
            "1x2+1+0+0",
            "",
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad}");
        }
        for outside in ["4x1+0+0", "1x1+3+0", "0x1+0+0", "1x2+0+1"] {
            let region = outside.parse().unwrap();
            let error = SiteMask::region(region, &rows.schema).unwrap_err();
            assert!(matches!(error, DataError::BadRegion { .. }), "{error}");
        }
    }

    #[test]
    fn masks_are_for_all_rows_or_for_each() {
        let rows = pictures();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.npy");
        let read = |shape: &[u64], values: &[f32]| {
            let file = std::fs::File::create(&path).unwrap();
            let options = npyz::WriteOptions::<f32>::new()
                .default_dtype()
                .shape(shape);
            let mut array = options.writer(file).begin_nd().unwrap();
            array.extend(values.iter().copied()).unwrap();
            array.finish().unwrap();
            SiteMask::read(&path, &rows.schema)
        };
        let one = read(&[3, 2], &[0.0, 1.0, 0.0, 0.0, 0.0, -3.0]).unwrap();
        assert_eq!(hidden(&one.hide(&rows).unwrap()), [1, 5, 6, 7, 11]);
        assert_eq!(one.shown(), Some(vec![0, 2, 3, 4]));
        let each = [[0.0; 6], [1.0; 6]].concat();
        let each = read(&[2, 3, 2], &each).unwrap();
        assert_eq!(hidden(&each.hide(&rows).unwrap()), [6, 7, 8, 9, 10, 11]);
        assert_eq!(each.shown(), None);
        let error = read(&[1, 3, 2], &[1.0; 6])
            .unwrap()
            .hide(&rows)
            .unwrap_err();
        assert!(error.to_string().contains("[1, 6]"), "{error}");
        for shape in [&[2, 3][..], &[6], &[1, 1, 3, 2]] {
            let error = read(shape, &[1.0; 6]).unwrap_err();
            assert!(matches!(error, DataError::MaskShape { .. }), "{error}");
        }
    }
}
