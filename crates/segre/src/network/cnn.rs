//! The one-dimensional convolutional network of the class-scaling experiment.

use burn::module::Module;
use burn::nn::conv::Conv1d;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::affine::{affine, normalise};
use super::{
    FourierFeatures, LevelFeatures, SiteSpec, TimeEmbeddingConfig, check_size, initialise,
};
use crate::setting::InvalidSetting;

/// Dilations of the residual convolutions (docs/mathematics.md §3).
const DILATIONS: [usize; 5] = [1, 1, 4, 16, 64];
/// Kernel of all convolutions but the last two (docs/mathematics.md §3).
const KERNEL: usize = 9;

/// Sizes of the convolutional network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CnnConfig {
    /// Number of channels, even.
    pub width: usize,
    /// Features of the time.
    pub time_embedding: TimeEmbeddingConfig,
}

impl Default for CnnConfig {
    /// Width 128 as in the reference; bounded features, since levels are not limited to `[0, 1]`.
    fn default() -> Self {
        Self {
            width: 128,
            time_embedding: TimeEmbeddingConfig::Bounded { frequencies: 4 },
        }
    }
}

/// Convolution, five residual dilated convolutions with time, two pointwise layers.
///
/// Source: docs/mathematics.md §3 (the architecture of the Dirichlet flow-matching toy, arXiv 2402.05841).
#[derive(Module, Debug)]
pub struct CnnNetwork {
    input: Conv1d,
    /// Random features of the time; without them, bounded ones.
    fourier: Option<FourierFeatures>,
    #[module(skip)]
    bounded: LevelFeatures,
    time: Linear,
    norms: Vec<LayerNorm>,
    time_projections: Vec<Linear>,
    convolutions: Vec<Conv1d>,
    hidden: Linear,
    output: Linear,
}

impl CnnConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_size("width", self.width, 1 << 16)
    }

    /// A network with random parameters.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> CnnNetwork {
        let (width, categories) = (self.width, sites.categories());
        let (fourier, frequencies) = match self.time_embedding {
            TimeEmbeddingConfig::Bounded { frequencies } => (None, frequencies),
            TimeEmbeddingConfig::Fourier { scale } => {
                (Some(FourierFeatures::new(width, scale, rng, device)), 0)
            }
        };
        let bounded = LevelFeatures::new(frequencies);
        let features = if fourier.is_some() {
            width / 2 * 2
        } else {
            bounded.width()
        };
        CnnNetwork {
            input: initialise::convolution([categories, width], KERNEL, 1, rng, device),
            fourier,
            bounded,
            time: initialise::linear(features, width, true, rng, device),
            norms: DILATIONS
                .map(|_| LayerNormConfig::new(width).init(device))
                .into(),
            time_projections: DILATIONS
                .map(|_| initialise::linear(width, width, true, rng, device))
                .into(),
            convolutions: DILATIONS
                .map(|dilation| initialise::convolution([width; 2], KERNEL, dilation, rng, device))
                .into(),
            hidden: initialise::linear(width, width, true, rng, device),
            output: initialise::linear(width, categories, true, rng, device),
        }
    }
}

impl CnnNetwork {
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(&self, points: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        let [batch, sites, categories] = points.dims();
        let features = match &self.fourier {
            Some(fourier) => fourier.forward(level),
            None => self.bounded.forward(level),
        };
        let time = affine(&self.time, features.flatten(0, 1), true); // [batch · sites, width]
        let mut hidden = convolve(&self.input, points); // [batch · sites, width]
        let layers = self
            .norms
            .iter()
            .zip(&self.time_projections)
            .zip(&self.convolutions);
        for ((norm, projection), convolution) in layers {
            let input = normalise(norm, hidden.clone()) + affine(projection, time.clone(), false);
            let [_, width] = input.dims();
            hidden = hidden + convolve(convolution, input.reshape([batch, sites, width]));
        }
        let hidden = affine(&self.hidden, hidden, true);
        affine(&self.output, hidden, false).reshape([batch, sites, categories])
    }
}

/// A convolution along the sites of `[batch, sites, channels]` and `max(0, ·)`, `[batch · sites, channels]`.
fn convolve(layer: &Conv1d, input: Tensor<3>) -> Tensor<2> {
    let bias = layer.bias.as_ref().expect("convolutions here have a bias");
    segre_kernels::convolve_sites(input, layer.weight.val(), bias.val(), layer.dilation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, activation};
    use rand_chacha::rand_core::SeedableRng;

    /// Against burn's convolution: few sites, where taps fall away, and many.
    #[test]
    fn a_product_of_shifted_sites_is_the_convolution() {
        let device = Device::flex();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (batch, inputs, outputs) = (2, 3, 5);
        for (sites, dilation) in [(1, 1), (4, 1), (4, 4), (7, 4), (30, 1), (30, 4), (30, 64)] {
            let channels = [inputs, outputs];
            let layer = initialise::convolution(channels, KERNEL, dilation, &mut rng, &device);
            let values = initialise::normal(batch * sites * inputs, 1.0, &mut rng);
            let values = TensorData::new(values, [batch, sites, inputs]);
            let input = Tensor::<3>::from_data(values, &device);
            let expected = layer.forward(input.clone().swap_dims(1, 2)).swap_dims(1, 2);
            let expected = activation::relu(expected).flatten::<2>(0, 1);
            let off = (convolve(&layer, input) - expected).abs().max();
            let off = off.into_scalar::<f32>();
            assert!(off < 1e-5, "{sites} sites, dilation {dilation}: {off}");
        }
    }
}
