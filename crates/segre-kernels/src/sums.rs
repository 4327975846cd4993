//! Sums over neighbouring numbers and over rows, in a fixed order that fills registers.

use rayon::prelude::*;

/// Interleaved sums.
const WAYS: usize = 16;

/// `Σ_k term(slices[..][k])` over slices of one length.
#[inline(always)]
pub(super) fn sum_of<const N: usize>(slices: [&[f32]; N], term: impl Fn([f32; N]) -> f32) -> f32 {
    assert!(slices.iter().all(|slice| slice.len() == slices[0].len()));
    let parts = slices.map(<[f32]>::as_chunks::<WAYS>);
    let mut sums = [0.0; WAYS];
    for block in 0..parts[0].0.len() {
        let blocks = parts.map(|(whole, _)| &whole[block]);
        for (way, sum) in sums.iter_mut().enumerate() {
            *sum += term(blocks.map(|block| block[way]));
        }
    }
    for (k, sum) in sums.iter_mut().enumerate().take(parts[0].1.len()) {
        *sum += term(parts.map(|(_, rest)| rest[k]));
    }
    sums.iter().sum()
}

/// Sums over rows of some columns: first of so many rows together, then of these, so that threads change nothing.
pub(super) fn sums_of_rows(rows: &[f32], columns: usize, together: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(together * columns)
        .map(|rows| {
            let mut sums = vec![0.0; columns];
            for row in rows.chunks_exact(columns) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; columns];
    for part in parts {
        for (total, sum) in total.iter_mut().zip(part) {
            *total += sum;
        }
    }
    total
}
