//! The dense network of the papers' toys: batch normalisation, dense layers, ReLU.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use segre_kernels::has_graphics_kernels;
use serde::{Deserialize, Serialize};

use super::affine::affine;
use super::{SiteSpec, check_size, initialise};
use crate::setting::InvalidSetting;

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
/// Source: EG Appendix A (pinwheel, mixture of Gaussians); docs/mathematics.md §3.
#[derive(Module, Debug)]
pub struct DenseNetwork {
    norms: Vec<BatchNorm>,
    layers: Vec<Linear>,
    output: Linear,
}

impl DenseConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
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
            hidden = affine(layer, normalise(norm, hidden), true);
        }
        affine(&self.output, hidden, false).reshape([batch, sites, categories])
    }
}

/// Batch normalisation; in training by the statistics of the batch, which the running ones follow as in burn's own.
fn normalise(norm: &BatchNorm, input: Tensor<2>) -> Tensor<2> {
    if !(input.device().is_autodiff() && norm.training.is_enabled()) {
        return norm.forward(input);
    }
    let (output, mean, variance) =
        segre_kernels::batch_norm(input, norm.gamma.val(), norm.beta.val());
    for (running, found) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let kept = running.value_sync() * (1.0 - norm.momentum);
        let moved = (kept + found * norm.momentum).detach();
        match has_graphics_kernels(&moved.device()) {
            // In their place: a step may be recorded.
            true => segre_kernels::overwrite(&running.value(), moved),
            false => running.update(moved),
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::parameters::host_values;
    use burn::tensor::Distribution;

    #[test]
    fn running_statistics_follow_as_in_the_library_layer() {
        let device = Device::flex().autodiff();
        let norms = [(); 2].map(|()| BatchNormConfig::new(5).init(&device));
        for _ in 0..3 {
            let range = Distribution::Uniform(-1.0, 3.0);
            let input = Tensor::<2>::random([200, 5], range, &device);
            let ours = host_values(normalise(&norms[0], input.clone()));
            let theirs = host_values(norms[1].forward(input));
            assert!(ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-5));
        }
        let [ours, theirs] = norms.map(|norm| {
            let norm = norm.valid();
            [norm.running_mean.value(), norm.running_var.value()].map(host_values)
        });
        for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
        }
    }
}
