//! The length of rows when compressed: what any data of their kind would cost, whatever was learned.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;

use crate::data::Dataset;

/// Bits of every row's labels after deflate at its best level, one byte a label (two above 256 categories).
///
/// # Panics
/// Never in practice: writing to memory cannot fail.
pub fn deflated_bits(data: &Dataset) -> Vec<f64> {
    let wide = data.schema.max_categories() > 256;
    let rows: Vec<&[u16]> = data.iter().collect();
    let length = |row: &&[u16]| {
        let bytes = row.iter().flat_map(|label| {
            let [low, high] = label.to_le_bytes();
            std::iter::once(low).chain(wide.then_some(high))
        });
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let written = encoder.write_all(&bytes.collect::<Vec<u8>>());
        let compressed = written.and_then(|()| encoder.finish());
        8.0 * compressed.expect("memory takes what is written").len() as f64
    };
    rows.par_iter().map(length).collect()
}
