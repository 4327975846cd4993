//! Blocks of the UNet: residual convolutions with the level's embedding, and attention among pixels.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use segre_kernels::{Precision, has_graphics_kernels};

use super::layers::{Convolution, GroupNorm};
use crate::network::affine::linear;
use crate::network::dropout::{Dropout, drop_out};
use crate::network::initialise;

/// A residual block, and attention after it.
#[derive(Module, Debug)]
pub(super) struct Block {
    residual: ResidualBlock,
    attention: Option<AttentionBlock>,
}

/// What all blocks of a network share.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockSettings {
    /// Width of the level's embedding.
    pub embedding: usize,
    pub heads: usize,
    pub dropout: f64,
}

impl Block {
    pub fn new(
        channels: [usize; 2],
        attention: bool,
        settings: &BlockSettings,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let residual = ResidualBlock::new(channels, settings, rng, device);
        let attention =
            attention.then(|| AttentionBlock::new(channels[1], settings.heads, rng, device));
        Self {
            residual,
            attention,
        }
    }

    /// # Shapes
    /// `images [batch, height, width, inputs]`, `embedding [batch, embedding]` (activated) → `[…, outputs]`.
    pub fn forward(
        &self,
        images: Tensor<4>,
        embedding: Tensor<2>,
        dropout: Option<&mut Dropout>,
        precision: Precision,
    ) -> Tensor<4> {
        let images = self.residual.forward(images, embedding, dropout, precision);
        match &self.attention {
            Some(attention) => attention.forward(images, precision),
            None => images,
        }
    }
}

/// `skip(x) + conv₂(SiLU(norm₂(conv₁(SiLU(norm₁(x))) + linear(embedding))))`; `conv₂` starts at zero, `skip` is
/// a 1 × 1 convolution where the number of channels changes.
#[derive(Module, Debug)]
struct ResidualBlock {
    input_norm: GroupNorm,
    input: Convolution,
    level: Linear,
    result_norm: GroupNorm,
    result: Convolution,
    skip: Option<Convolution>,
    #[module(skip)]
    dropout: f64,
}

impl ResidualBlock {
    fn new(
        [inputs, outputs]: [usize; 2],
        settings: &BlockSettings,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        Self {
            input_norm: GroupNorm::new(inputs, device),
            input: Convolution::new([inputs, outputs], 3, rng, device),
            level: initialise::linear(settings.embedding, outputs, true, rng, device),
            result_norm: GroupNorm::new(outputs, device),
            result: Convolution::zero([outputs; 2], 3, device),
            skip: (inputs != outputs).then(|| Convolution::new([inputs, outputs], 1, rng, device)),
            dropout: settings.dropout,
        }
    }

    fn forward(
        &self,
        images: Tensor<4>,
        embedding: Tensor<2>,
        dropout: Option<&mut Dropout>,
        precision: Precision,
    ) -> Tensor<4> {
        let hidden = self.input_norm.forward(images.clone(), true);
        let hidden = self.input.forward(hidden, 1, precision);
        let level = linear(&self.level, embedding); // [batch, outputs]
        let hidden = match has_graphics_kernels(&hidden.device()) {
            true => segre_kernels::add_to_pixels(hidden, level),
            // Its gradient adds pixels in another order, and stored results have the digits of this one.
            false => hidden + level.unsqueeze_dims::<4>(&[1, 2]),
        };
        let hidden = self.result_norm.forward(hidden, true);
        let hidden = drop_out(hidden, self.dropout, dropout);
        let hidden = self.result.forward(hidden, 1, precision);
        match &self.skip {
            Some(skip) => skip.forward(images, 1, precision) + hidden,
            None => images + hidden,
        }
    }
}

/// `x + project(attention(norm(x)))` among all pixels of an image; the projection starts at zero.
#[derive(Module, Debug)]
struct AttentionBlock {
    norm: GroupNorm,
    /// Queries, keys and values, each of all heads.
    input: Convolution,
    result: Convolution,
    #[module(skip)]
    heads: usize,
}

impl AttentionBlock {
    fn new(channels: usize, heads: usize, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        Self {
            norm: GroupNorm::new(channels, device),
            input: Convolution::new([channels, 3 * channels], 1, rng, device),
            result: Convolution::zero([channels; 2], 1, device),
            heads,
        }
    }

    /// # Shapes
    /// `[batch, height, width, channels]` → the same.
    fn forward(&self, images: Tensor<4>, precision: Precision) -> Tensor<4> {
        let [batch, height, width, channels] = images.dims();
        let (pixels, own) = (height * width, channels / self.heads);
        let normal = self.norm.forward(images.clone(), false);
        let all = self.input.forward(normal, 1, precision);
        let all = all.reshape([batch, pixels, 3 * channels]);
        let [query, key, value] = [0, 1, 2].map(|part| {
            let part = all.clone().narrow(2, part * channels, channels);
            part.reshape([batch, pixels, self.heads, own])
                .swap_dims(1, 2) // [batch, heads, pixels, own]
        });
        let found = segre_kernels::attention(query, key, value).swap_dims(1, 2);
        let found = found.reshape([batch, height, width, channels]);
        images + self.result.forward(found, 1, precision)
    }
}
