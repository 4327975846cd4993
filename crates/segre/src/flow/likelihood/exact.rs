//! Exact posteriors of known distributions: by enumeration, the oracle of the tests, or by their own recipe.

use burn::tensor::{Device, Tensor, TensorData, activation};
use rayon::prelude::*;

use crate::data::KnownDistribution;
use crate::flow::channel::{Denoiser, evidence};
use crate::geometry::AssignmentManifold;
use crate::learning::parameters::host_values;

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

/// The Bayes posterior under a distribution that computes it itself, see [`KnownDistribution::posterior`].
#[derive(Clone, Debug)]
pub struct KnownPosterior<'a> {
    manifold: AssignmentManifold,
    target: &'a dyn KnownDistribution,
}

impl<'a> KnownPosterior<'a> {
    /// `None` for a distribution without posterior.
    pub fn new(target: &'a dyn KnownDistribution, device: &Device) -> Option<Self> {
        let manifold = AssignmentManifold::new(&target.schema().cardinalities(), device);
        let width = manifold.sites() * manifold.categories();
        target.posterior(&vec![0.0; width])?;
        Some(Self { manifold, target })
    }
}

impl Denoiser for KnownPosterior<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        self.posterior(evidence(&self.manifold, state, root_snr.clone()), root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, _level: Tensor<2>) -> Tensor<3> {
        let (shape, device) = (evidence.dims(), evidence.device());
        let mut values = host_values(evidence);
        values
            .par_chunks_mut(shape[1] * shape[2])
            .for_each(|state| {
                let evidence: Vec<f64> = state.iter().map(|e| f64::from(*e)).collect();
                let posterior = self.target.posterior(&evidence);
                let posterior = posterior
                    .expect("the distribution has a posterior: that was asked when this was made");
                for (value, p) in state.iter_mut().zip(posterior) {
                    *value = p as f32;
                }
            });
        Tensor::from_data(TensorData::new(values, shape), &device)
    }
}
