//! Pictures: IDX files of grey values, folders of PNG files with class ids or grey values.
//!
//! Pictures are data sets like others: one site per pixel, one vocabulary. Grey values become integers, ids of label maps
//! become `Vocabulary::Classes`, which carries names and colours, so that every picture has its legend and a saved model
//! needs no class file. The mapping itself is stored with the read options. Padding is a note in the layout (`pad_to`) and
//! never a site: a network pads within itself, so that likelihoods and files cannot see it. Labels are 16-bit for all data
//! (60 000 × 784 sites take 94 MB), and beyond a limit in an unnamed temporary file that is mapped into memory
//! (`data/store.rs`): pictures and arrays are read into it piece by piece (but for arrays in Fortran's order and compressed
//! archives), and everybody else sees the same slice.

mod classes;
mod error;
mod folder;
pub(in crate::data) mod idx;
mod options;
mod portable;
mod resample;

pub use classes::ClassMap;
pub use error::ImageError;
pub use options::{IgnoreAs, ImageOptions, ImageSize, Levels};

pub(in crate::data) use folder::{has_pictures, read as read_folder};
pub(in crate::data) use idx::{is_idx, read as read_idx};

use crate::data::error::Result;
use crate::data::schema::{Layout, Schema, Vocabulary};
use std::path::Path;

/// Values of one picture, row after row.
struct Raster {
    size: ImageSize,
    values: Vec<u8>,
}

impl Raster {
    /// Pixels that are neither black nor white.
    fn grey(&self) -> u64 {
        let between = |value: &&u8| !matches!(**value, 0 | 255);
        self.values.iter().filter(between).count() as u64
    }
}

/// The size of one PNG file (gray or palette) and its values, row after row.
pub(in crate::data) fn read_ids(path: &Path) -> Result<(ImageSize, Vec<u8>)> {
    let Raster { size, values } = portable::read(path, portable::Wanted::Ids)?.raster;
    Ok((size, values))
}

/// The schema of pictures whose pixels share a vocabulary.
fn schema_of(size: ImageSize, pad_to: Option<ImageSize>, vocabulary: Vocabulary) -> Result<Schema> {
    let mut schema = Schema::integers(&[size.height, size.width], true, 1);
    if let Some(padded) = pad_to {
        if padded.height < size.height || padded.width < size.width {
            return Err(ImageError::Padding { size, padded }.into());
        }
        schema.layout = Layout::Image {
            height: size.height,
            width: size.width,
            pad_to: Some([padded.height, padded.width]),
        };
    }
    schema.vocabularies = vec![vocabulary];
    Ok(schema)
}

/// The size of a schema's pictures.
fn size_of(schema: &Schema) -> Option<ImageSize> {
    match schema.layout {
        Layout::Image { height, width, .. } => Some(ImageSize { height, width }),
        _ => None,
    }
}
