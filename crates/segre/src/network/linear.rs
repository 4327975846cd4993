//! The linear field without bias or normalisation of the coupled binary toy.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{SiteSpec, initialise};

/// Settings of the linear field: there are none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearConfig {}

/// `F(W, t) = A (W, t)`: one matrix on the point with the time as one extra input.
///
/// Source: EG Appendix A (coupled binary variables); docs/mathematics.md §3.
#[derive(Module, Debug)]
pub struct LinearField {
    matrix: Linear,
}

impl LinearConfig {
    /// A field with random matrix.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> LinearField {
        let width = sites.sites() * sites.categories();
        LinearField {
            matrix: initialise::linear(width + 1, width, false, rng, device),
        }
    }
}

impl LinearField {
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(&self, points: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        let [batch, sites, categories] = points.dims();
        let flat = points.reshape([batch, sites * categories]);
        let input = Tensor::cat(vec![flat, level.mean_dim(1)], 1);
        self.matrix
            .forward(input)
            .reshape([batch, sites, categories])
    }
}
