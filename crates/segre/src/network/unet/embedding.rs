//! The embedding of the noise level that all blocks of the UNet add.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand_chacha::ChaCha8Rng;

use crate::network::initialise;

/// Level 1 (nothing is noise) is step 1000 of the frequencies of Ho et al. 2020.
const STEPS: f64 = 1000.0;
/// The frequencies span this factor.
const SPAN: f64 = 10_000.0;

/// Cosines and sines of a level in `[0, 1]` and two dense layers with SiLU between.
///
/// `e = W₂ SiLU(W₁ (cos f_k t, sin f_k t)_k + b₁) + b₂`, `t = 1000 x`, `f_k = 10000^(−k/K)`, `k = 0 … K − 1`.
///
/// Source: SPEC §3; Vaswani et al. 2017, §3.5; Dhariwal & Nichol 2021.
#[derive(Module, Debug)]
pub(super) struct LevelEmbedding {
    inner: Linear,
    outer: Linear,
    #[module(skip)]
    frequencies: usize,
}

impl LevelEmbedding {
    /// `channels` (an even number) cosines and sines, an embedding four times as wide.
    pub fn new(channels: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        Self {
            inner: initialise::linear(channels, 4 * channels, true, rng, device),
            outer: initialise::linear(4 * channels, 4 * channels, true, rng, device),
            frequencies: channels / 2,
        }
    }

    /// # Shapes
    /// `level [batch, 1]` → `[batch, 4 · channels]`.
    pub fn forward(&self, level: Tensor<2>) -> Tensor<2> {
        let count = self.frequencies;
        let frequency = |k: usize| (STEPS * SPAN.powf(-(k as f64) / count as f64)) as f32;
        let frequencies: Vec<f32> = (0..count).map(frequency).collect();
        let frequencies = TensorData::new(frequencies, [1, count]);
        let angle = level.clone() * Tensor::from_data(frequencies, &level.device());
        let waves = Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1);
        let hidden = activation::silu(self.inner.forward(waves));
        self.outer.forward(hidden)
    }
}
