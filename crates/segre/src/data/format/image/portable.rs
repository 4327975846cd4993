//! One PNG file: class ids or grey values of its pixels, from any bit depth up to 8.

use super::error::ImageError;
use super::{ImageSize, Raster};
use crate::data::error::{DataError, Result};
use crate::file_error::FileError;
use png::{BitDepth, ColorType};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Largest number of pixels of one file: more than any picture that could be modelled.
const MOST_PIXELS: usize = 1 << 28;

/// A decoded file.
pub(super) struct Picture {
    /// Gray values as they are stored, or palette indices.
    pub(super) raster: Raster,
    /// Colours of the indices.
    pub(super) palette: Option<Vec<[u8; 3]>>,
    /// Largest value that the bit depth has.
    pub(super) largest: u8,
}

/// What the pixels of a file should be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Class ids: gray or palette.
    Ids,
    /// Grey values.
    Gray,
}

/// Reads a file without changing its values.
pub(super) fn read(path: &Path, wanted: Wanted) -> Result<Picture> {
    let unreadable = |error: png::DecodingError| match error {
        png::DecodingError::IoError(cause) if cause.kind() != std::io::ErrorKind::UnexpectedEof => {
            FileError::reading(path, cause).into()
        }
        other => unreadable(path, &other.to_string()),
    };
    let file = File::open(path).map_err(|cause| FileError::reading(path, cause))?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let info = reader.info();
    let size = ImageSize {
        height: info.height as usize,
        width: info.width as usize,
    };
    let (kind, depth) = (info.color_type, info.bit_depth);
    check(path, kind, depth, wanted)?;
    if size
        .height
        .checked_mul(size.width)
        .is_none_or(|area| area > MOST_PIXELS)
    {
        return Err(self::unreadable(
            path,
            &format!("{size} pixels are too many"),
        ));
    }
    let palette = info
        .palette
        .as_ref()
        .filter(|_| kind == ColorType::Indexed)
        .map(|bytes| {
            let colours = bytes.chunks_exact(3);
            colours
                .map(|colour| [colour[0], colour[1], colour[2]])
                .collect()
        });
    let stride = reader
        .output_line_size(info.width)
        .ok_or_else(|| self::unreadable(path, "no pixels"))?;
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| self::unreadable(path, "too many pixels"))?;
    let mut packed = vec![0; length];
    reader.next_frame(&mut packed).map_err(unreadable)?;
    // The rest of the file: what follows the pixels must be whole as well.
    reader.finish().map_err(unreadable)?;
    let bits = depth as usize;
    let per_byte = 8 / bits;
    let largest = (255_u16 >> (8 - bits)) as u8;
    let mut values = Vec::with_capacity(size.area());
    for line in packed.chunks_exact(stride) {
        values.extend((0..size.width).map(|column| {
            let shift = 8 - bits * (column % per_byte + 1);
            line[column / per_byte] >> shift & largest
        }));
    }
    Ok(Picture {
        raster: Raster { size, values },
        palette,
        largest,
    })
}

/// Refuses pixels that are no ids, or no grey values.
fn check(path: &Path, kind: ColorType, depth: BitDepth, wanted: Wanted) -> Result<()> {
    let found = match (kind, wanted) {
        (ColorType::Grayscale, _) | (ColorType::Indexed, Wanted::Ids) => {
            return match depth {
                BitDepth::Sixteen => Err(ImageError::BitDepth {
                    path: path.to_path_buf(),
                }
                .into()),
                _ => Ok(()),
            };
        }
        (ColorType::Indexed, Wanted::Gray) => "indices of a palette",
        (ColorType::GrayscaleAlpha, _) => "gray with transparency",
        (ColorType::Rgb, _) => "RGB colours",
        (ColorType::Rgba, _) => "RGB colours with transparency",
    };
    let (expected, remedy) = match wanted {
        Wanted::Ids => (
            "class ids (gray or palette)",
            "convert the colours to ids, one byte to the pixel",
        ),
        Wanted::Gray => (
            "gray values",
            "convert the file to gray, or leave `gray` out if it is a label map",
        ),
    };
    Err(ImageError::Channels {
        path: path.to_path_buf(),
        found,
        expected,
        remedy,
    }
    .into())
}

fn unreadable(path: &Path, detail: &str) -> DataError {
    let words: Vec<&str> = detail.split_whitespace().collect();
    ImageError::Unreadable {
        path: path.to_path_buf(),
        detail: words.join(" ").chars().take(200).collect(),
    }
    .into()
}

/// The size of a file's picture, from its header.
pub(super) fn size(path: &Path) -> Result<ImageSize> {
    let file = File::open(path).map_err(|cause| FileError::reading(path, cause))?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    let info = decoder
        .read_header_info()
        .map_err(|error| unreadable(path, &error.to_string()))?;
    Ok(ImageSize {
        height: info.height as usize,
        width: info.width as usize,
    })
}
