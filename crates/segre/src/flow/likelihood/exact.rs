//! The exact posterior of a small known distribution, by enumeration: the oracle of the tests.

use burn::tensor::{Device, Tensor, TensorData, activation};

use crate::flow::channel::{Denoiser, evidence};
use crate::geometry::AssignmentManifold;

/// Largest number of configurations that is enumerated.
const MAX_CONFIGURATIONS: usize = 1 << 16;

/// The Bayes posterior under a distribution given by the probabilities of its configurations.
#[derive(Clone, Debug)]
pub struct EnumeratedPosterior {
    manifold: AssignmentManifold,
    /// Corners of all configurations, `[configurations, sites · categories]`.
    corners: Tensor<2>,
    /// `[1, configurations]`, nats.
    log_probabilities: Tensor<2>,
}

impl EnumeratedPosterior {
    /// The posterior under `probabilities`, one per configuration, the last site fastest.
    ///
    /// # Panics
    /// If their number is not the product of the cardinalities, or above 65 536.
    pub fn new(cardinalities: &[usize], probabilities: &[f64], device: &Device) -> Self {
        let configurations: usize = cardinalities.iter().product();
        assert!(
            configurations <= MAX_CONFIGURATIONS,
            "{configurations} configurations"
        );
        assert_eq!(
            probabilities.len(),
            configurations,
            "one probability per configuration"
        );
        let manifold = AssignmentManifold::new(cardinalities, device);
        let width = manifold.sites() * manifold.categories();
        let mut corners = vec![0.0_f32; configurations * width];
        for (index, corner) in corners.chunks_mut(width).enumerate() {
            let mut rest = index;
            for (site, own) in cardinalities.iter().enumerate().rev() {
                corner[site * manifold.categories() + rest % own] = 1.0;
                rest /= own;
            }
        }
        let logs: Vec<f32> = probabilities
            .iter()
            .map(|p| p.ln().max(-1e30) as f32)
            .collect();
        let shape = [configurations, width];
        Self {
            manifold,
            corners: Tensor::from_data(TensorData::new(corners, shape), device),
            log_probabilities: Tensor::from_data(
                TensorData::new(logs, [1, configurations]),
                device,
            ),
        }
    }
}

impl Denoiser for EnumeratedPosterior {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        self.posterior(evidence(&self.manifold, state, root_snr.clone()), root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, _level: Tensor<2>) -> Tensor<3> {
        let shape = evidence.dims();
        let flat = evidence.reshape([shape[0], shape[1] * shape[2]]);
        let logits = flat.matmul(self.corners.clone().transpose()) + self.log_probabilities.clone();
        activation::softmax(logits, 1)
            .matmul(self.corners.clone())
            .reshape(shape)
    }
}
