//! Dropout with explicit generators, one for every row.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::random::row_generator;

/// What is dropped in rows of a batch: a function of a row's place in it, however the batch is divided.
#[derive(Clone, Debug)]
pub struct Dropout {
    rows: Vec<ChaCha8Rng>,
}

impl Dropout {
    /// For some rows of a batch whose masks are drawn by `batch`.
    pub fn of_rows(batch: &ChaCha8Rng, rows: Range<usize>) -> Self {
        Self {
            rows: rows.map(|row| row_generator(batch, row)).collect(),
        }
    }
}

/// Drops numbers with the given probability and scales the rest to keep the mean; without generators nothing is dropped.
///
/// # Shapes
/// `hidden [rows · n, …]`, the n parts of a row one after the other.
///
/// Source: Srivastava et al. 2014, §4 (scaled in training).
pub(super) fn drop_out<const D: usize>(
    hidden: Tensor<D>,
    probability: f64,
    dropout: Option<&mut Dropout>,
) -> Tensor<D> {
    let Some(dropout) = dropout.filter(|_| probability > 0.0) else {
        return hidden;
    };
    let shape = hidden.dims();
    let kept = (1.0 - probability).recip() as f32;
    // 16 random bits per unit: a mask needs no more, and drawing them is a cost.
    let threshold = (probability * 65536.0).round() as u32;
    let units = shape.iter().product::<usize>();
    let of_row = units / dropout.rows.len();
    assert_eq!(of_row * dropout.rows.len(), units, "units of whole rows");
    let mut mask = vec![kept; units];
    let mut words = vec![0_u32; of_row.div_ceil(2)];
    for (mask, rng) in mask.chunks_exact_mut(of_row).zip(&mut dropout.rows) {
        rng.fill(&mut words[..]);
        for (pair, word) in mask.chunks_mut(2).zip(&words) {
            for (unit, bits) in pair.iter_mut().zip([word & 0xFFFF, word >> 16]) {
                *unit = if bits < threshold { 0.0 } else { kept };
            }
        }
    }
    let mask = TensorData::new(mask, shape);
    let device = hidden.device();
    hidden * Tensor::from_data(mask, &device)
}
