//! The embedding of the noise level, and of the row's class, that all blocks of the UNet add.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand_chacha::ChaCha8Rng;

use crate::network::affine::linear;
use crate::network::initialise;

/// Level 1 (nothing is noise) is step 1000 of the frequencies of Ho et al. 2020.
const STEPS: f64 = 1000.0;
/// The frequencies span this factor.
const SPAN: f64 = 10_000.0;

/// Cosines and sines of a level in `[0, 1]` and two dense layers with SiLU between.
///
/// `e = W₂ SiLU(W₁ (cos f_k t, sin f_k t)_k + b₁) + b₂`, `t = 1000 x`, `f_k = 10000^(−k/K)`, `k = 0 … K − 1`.
///
/// Source: docs/mathematics.md §3; Vaswani et al. 2017, §3.5; Dhariwal & Nichol 2021.
#[derive(Module, Debug)]
pub(super) struct LevelEmbedding {
    inner: Linear,
    outer: Linear,
    #[module(skip)]
    frequencies: usize,
}

/// A learned vector for every class and one for rows of unknown class, added to the embedding of the level.
#[derive(Module, Debug)]
pub(super) struct ClassEmbedding {
    /// `[classes + 1, width]`, the last row for unknown ones.
    vectors: Param<Tensor<2>>,
}

impl ClassEmbedding {
    pub fn new(classes: usize, width: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let vectors = initialise::normal((classes + 1) * width, 1.0, rng);
        Self {
            vectors: initialise::parameter(vectors, [classes + 1, width], device),
        }
    }

    /// One vector per row, `[batch, width]`; all of unknown class without `classes`.
    pub fn forward(&self, batch: usize, classes: Option<&[Option<u16>]>) -> Tensor<2> {
        let vectors = self.vectors.val();
        let count = vectors.dims()[0];
        let mut chosen = vec![0.0_f32; batch * count];
        for (row, chosen) in chosen.chunks_mut(count).enumerate() {
            let class = classes.and_then(|classes| classes[row]);
            chosen[class.map_or(count - 1, usize::from)] = 1.0;
        }
        let chosen = TensorData::new(chosen, [batch, count]);
        Tensor::from_data(chosen, &vectors.device()).matmul(vectors)
    }
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
        let angle =
            level.clone() * segre_kernels::constant(&frequencies, [1, count], &level.device());
        let waves = Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1);
        let hidden = activation::silu(linear(&self.inner, waves));
        linear(&self.outer, hidden)
    }
}
