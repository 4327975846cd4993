//! Dropout with an explicit generator.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Drops numbers with the given probability and scales the rest to keep the mean; without a generator nothing
/// is dropped.
///
/// Source: Srivastava et al. 2014, §4 (scaled in training).
pub(super) fn drop_out<const D: usize>(
    hidden: Tensor<D>,
    probability: f64,
    rng: Option<&mut ChaCha8Rng>,
) -> Tensor<D> {
    let Some(rng) = rng.filter(|_| probability > 0.0) else {
        return hidden;
    };
    let shape = hidden.dims();
    let kept = (1.0 - probability).recip() as f32;
    // 16 random bits per unit: a mask needs no more, and drawing them is a cost.
    let threshold = (probability * 65536.0).round() as u32;
    let mut word = 0_u32;
    let mask = (0..shape.iter().product::<usize>()).map(|unit| {
        word = if unit % 2 == 0 {
            rng.random()
        } else {
            word >> 16
        };
        if word & 0xFFFF < threshold { 0.0 } else { kept }
    });
    let mask = TensorData::new(mask.collect::<Vec<f32>>(), shape);
    let device = hidden.device();
    hidden * Tensor::from_data(mask, &device)
}
