//! The dense network of the papers' toys: batch normalisation, dense layers, ReLU.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{SiteSpec, check_size, initialise};
use crate::error::Result;

/// Sizes of the dense network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
}

impl Default for DenseConfig {
    /// EG Appendix A: (256, 256).
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
        }
    }
}

/// A stack of batch normalisation → dense → ReLU, and a dense output layer.
///
/// Source: EG Appendix A (pinwheel, mixture of Gaussians); SPEC §3.
#[derive(Module, Debug)]
pub struct DenseNetwork {
    norms: Vec<BatchNorm>,
    layers: Vec<Linear>,
    output: Linear,
}

impl DenseConfig {
    pub(super) fn validate(&self) -> Result<()> {
        self.hidden
            .iter()
            .try_for_each(|width| check_size("hidden width", *width, 1 << 16))
    }

    /// A network with random parameters.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> DenseNetwork {
        let outputs = sites.sites() * sites.categories();
        let mut width = outputs + 1;
        let (mut norms, mut layers) = (Vec::new(), Vec::new());
        for hidden in &self.hidden {
            norms.push(BatchNormConfig::new(width).init(device));
            layers.push(initialise::linear(width, *hidden, true, rng, device));
            width = *hidden;
        }
        let output = initialise::linear(width, outputs, true, rng, device);
        DenseNetwork {
            norms,
            layers,
            output,
        }
    }
}

impl DenseNetwork {
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(&self, points: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        let [batch, sites, categories] = points.dims();
        let flat = points.reshape([batch, sites * categories]);
        let mut hidden = Tensor::cat(vec![flat, level.mean_dim(1)], 1); // [batch, n·c + 1]
        for (norm, layer) in self.norms.iter().zip(&self.layers) {
            hidden = activation::relu(layer.forward(norm.forward(hidden)));
        }
        self.output
            .forward(hidden)
            .reshape([batch, sites, categories])
    }
}
