//! The density of a flow's end points, by the instantaneous change of variables.
//!
//! `log ν_T(V_T) = log ν_0(V_0) − ∫_0^T div F(V_t, t) dt`, `ν_0 = N(0, I)` on the tangent space. The state is
//! integrated backward together with each site's share of the integral, in one more column, so that the tolerance
//! holds for both.
//!
//! Source: EG §4.2; Chen et al. 2018, arXiv 1806.07366.

use burn::tensor::{Tensor, TensorData};

use super::divergence::Probes;
use crate::flow::channel::Denoiser;
use crate::flow::error::Result;
use crate::flow::model::Model;
use crate::learning::parameters::host_values;
use crate::ode::{AdaptiveOptions, Stepping, integrate};

/// The flow of a model, or of another denoiser along the model's path.
pub(super) struct Flow<'a> {
    pub denoiser: &'a dyn Denoiser,
    pub model: &'a Model,
    /// Time at which it ends.
    pub end: f64,
    /// Relative and absolute tolerance.
    pub tolerance: f64,
}

impl Flow<'_> {
    /// `log ν_T` of states in e-coordinates, `[points · sites · categories]`, nats, and the evaluations it took, each
    /// on one state and with one backward pass.
    pub fn log_densities(&self, states: Vec<f32>, probes: &Probes) -> Result<(Vec<f64>, u64)> {
        let manifold = &self.model.manifold;
        let (sites, categories) = (manifold.sites(), manifold.categories());
        let points = states.len() / (sites * categories);
        let device = self.model.device();
        let shape = [points, sites, categories];
        let states = Tensor::<3>::from_data(TensorData::new(states, shape), device);
        let nothing = Tensor::zeros([points, sites, 1], device);
        let head = self.model.config.head;
        let velocity = |state: Tensor<3>, time: Tensor<1>| {
            head.velocity(self.model, self.denoiser, state, time)
        };
        let field = |state: Tensor<3>, time: Tensor<1>| {
            let state = state.narrow(2, 0, categories);
            let (velocity, shares) = probes.velocity_and_divergence(&velocity, state, time);
            Tensor::cat(vec![velocity, shares], 2)
        };
        let stepping = Stepping::Adaptive {
            start: self.end,
            end: 0.0,
            options: AdaptiveOptions {
                relative_tolerance: self.tolerance,
                absolute_tolerance: self.tolerance,
                ..AdaptiveOptions::default()
            },
        };
        let solution = integrate(&field, Tensor::cat(vec![states, nothing], 2), &stepping)?;
        let start = host_values(solution.state);
        let dimensions: usize = manifold.cardinalities().iter().map(|c| c - 1).sum();
        let normal = 0.5 * dimensions as f64 * (2.0 * std::f64::consts::PI).ln();
        let densities = start.chunks(sites * (categories + 1)).map(|point| {
            let site = |own: &[f32]| {
                let (state, integral) = own.split_at(categories);
                let squares = state.iter().map(|x| f64::from(*x).powi(2));
                f64::from(integral[0]) - 0.5 * squares.sum::<f64>()
            };
            point.chunks(categories + 1).map(site).sum::<f64>() - normal
        });
        Ok((densities.collect(), (solution.evaluations * points) as u64))
    }
}
