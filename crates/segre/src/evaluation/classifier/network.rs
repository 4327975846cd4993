//! The network of the classifier: convolutions down to a few pixels, features, logits.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use segre_kernels::Precision;

use crate::network::initialise;
use crate::network::unet::layers::{Convolution, GroupNorm};

/// Features that the logits are linear in.
pub(super) const FEATURES: usize = 64;
/// Channels of the first resolution and of all others.
const CHANNELS: [usize; 2] = [32, 64];
/// Widths of the kernels of the first resolution and of all others: the first sees bare labels.
const KERNELS: [usize; 2] = [5, 3];
/// Sides of the coarsest resolution have at most so many pixels.
const COARSEST: usize = 4;

/// What a network depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub image: [usize; 2],
    pub categories: usize,
    pub classes: usize,
}

#[derive(Module, Debug)]
pub(super) struct ClassifierNetwork {
    stages: Vec<Stage>,
    features: Linear,
    output: Linear,
}

/// Half the resolution.
#[derive(Module, Debug)]
struct Stage {
    convolution: Convolution,
    norm: GroupNorm,
}

impl ClassifierNetwork {
    pub fn new(sizes: Sizes, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let (mut image, mut channels) = (sizes.image, sizes.categories);
        let mut stages = Vec::new();
        while stages.is_empty() || image.iter().any(|side| *side > COARSEST) {
            let place = stages.len().min(1);
            let ends = [channels, CHANNELS[place]];
            stages.push(Stage {
                convolution: Convolution::new(ends, KERNELS[place], rng, device),
                norm: GroupNorm::new(CHANNELS[place], device),
            });
            channels = CHANNELS[place];
            image = image.map(|side| side.div_ceil(2));
        }
        let inputs = image[0] * image[1] * channels;
        Self {
            stages,
            features: initialise::linear(inputs, FEATURES, true, rng, device),
            output: initialise::linear(FEATURES, sizes.classes, true, rng, device),
        }
    }

    /// # Shapes
    /// `images [batch, height, width, categories]` → features `[batch, 64]`, logits `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let mut images = images;
        for stage in &self.stages {
            let found = stage.convolution.forward(images, 2, Precision::F32);
            images = stage.norm.forward(found, true);
        }
        let flat = images.flatten(1, 3); // [batch, height · width · channels]
        let features = activation::silu(self.features.forward(flat));
        let logits = self.output.forward(features.clone());
        (features, logits)
    }
}
