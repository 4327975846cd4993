//! The UCI optical digits, embedded: 1797 images of 8 × 8 pixels with 17 levels.
//!
//! Source: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine
//! Learning Repository, CC BY 4.0, converted from scikit-learn's copy; see
//! `assets/DIGITS-ATTRIBUTION.md`.

use crate::data::dataset::Dataset;
use crate::data::error::Result;
use crate::data::schema::Schema;
use crate::file_error::FileError;
use std::io::Read;
use std::path::Path;

/// One byte per pixel, gzip.
static PIXELS: &[u8] = include_bytes!("../../../assets/digits.bin.gz");
/// Pixels along each side.
const SIDE: usize = 8;
/// Grey levels 0..=16: counts of dark pixels in blocks of 4 × 4.
const LEVELS: usize = 17;

/// All images, without their labels.
pub(super) fn digits() -> Result<Dataset> {
    let mut pixels = Vec::new();
    flate2::read::GzDecoder::new(PIXELS)
        .read_to_end(&mut pixels)
        .map_err(|cause| FileError::reading(Path::new("digits"), cause))?;
    let labels = pixels.into_iter().map(u16::from).collect();
    Dataset::new(Schema::integers(&[SIDE, SIDE], true, LEVELS), labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_images_are_the_published_ones() {
        let data = digits().unwrap();
        assert_eq!((data.rows(), data.sites()), (1797, 64));
        // First two rows of pixels of the first image, and the sum over all images, as in the source.
        assert_eq!(
            data.row(0)[..16],
            [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
        );
        assert_eq!(
            data.labels()
                .iter()
                .map(|&level| u64::from(level))
                .sum::<u64>(),
            561_718
        );
        assert_eq!(data.schema.max_categories(), 17);
    }
}
