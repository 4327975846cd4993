//! The one-dimensional convolutional network of the class-scaling experiment.

use burn::module::Module;
use burn::nn::conv::Conv1d;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{
    FourierFeatures, LevelFeatures, SiteSpec, TimeEmbeddingConfig, check_size, initialise,
};
use crate::error::Result;

/// Dilations of the residual convolutions (SPEC §3).
const DILATIONS: [usize; 5] = [1, 1, 4, 16, 64];
/// Kernel of all convolutions but the last two (SPEC §3).
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
/// Source: SPEC §3 (the architecture of the Dirichlet flow-matching toy, arXiv 2402.05841).
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
    pub(super) fn validate(&self) -> Result<()> {
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
        let features = match &self.fourier {
            Some(fourier) => fourier.forward(level),
            None => self.bounded.forward(level),
        };
        let time = activation::relu(self.time.forward(features)); // [batch, sites, width]
        let mut hidden = activation::relu(convolve(&self.input, points)); // [batch, sites, width]
        let layers = self
            .norms
            .iter()
            .zip(&self.time_projections)
            .zip(&self.convolutions);
        for ((norm, projection), convolution) in layers {
            let input = norm.forward(hidden.clone()) + projection.forward(time.clone());
            hidden = hidden + activation::relu(convolve(convolution, input));
        }
        self.output
            .forward(activation::relu(self.hidden.forward(hidden)))
    }
}

/// A convolution along the sites of `[batch, sites, channels]`.
fn convolve(convolution: &Conv1d, input: Tensor<3>) -> Tensor<3> {
    convolution.forward(input.swap_dims(1, 2)).swap_dims(1, 2)
}
