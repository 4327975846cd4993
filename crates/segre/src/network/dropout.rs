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
    let units = shape.iter().product::<usize>();
    let mut words = vec![0_u32; units.div_ceil(2)];
    rng.fill(&mut words[..]);
    let mut mask = vec![kept; units];
    for (pair, word) in mask.chunks_mut(2).zip(words) {
        for (unit, bits) in pair.iter_mut().zip([word & 0xFFFF, word >> 16]) {
            *unit = if bits < threshold { 0.0 } else { kept };
        }
    }
    let mask = TensorData::new(mask, shape);
    let device = hidden.device();
    hidden * Tensor::from_data(mask, &device)
}
