//! The divergence of a velocity on the tangent space: exact, or Hutchinson's estimate, by products `Jᵀv`.
//!
//! `div F = Σ_k q_kᵀ J q_k` for an orthonormal basis `q_k` of the tangent space, or `E[vᵀ J v]` for random `v` with
//! `E[v vᵀ] = Π`. Both need products of the transposed Jacobian with vectors only, which one backward pass gives for
//! a whole batch.
//!
//! Source: EG §4.2; Grathwohl et al. 2019, arXiv 1810.01367; Hutchinson 1990.

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::basis::embed;
use super::{Divergence, ProbeNoise};
use crate::geometry::AssignmentManifold;

/// The vectors `v` of every state of a batch; the same along its whole trajectory.
pub(super) struct Probes {
    /// `[batch · copies, sites, categories]`.
    vectors: Tensor<3>,
    /// Vectors per state.
    copies: usize,
    /// What the sum over a state's vectors is multiplied with.
    weight: f64,
}

impl Probes {
    /// How many vectors a state has.
    pub fn copies(divergence: Divergence, manifold: &AssignmentManifold) -> usize {
        match divergence {
            Divergence::Exact => dimensions(manifold).max(1),
            Divergence::Hutchinson { probes, .. } => probes,
        }
    }

    /// Draws the vectors of states, one generator each.
    pub fn draw(
        divergence: Divergence,
        manifold: &AssignmentManifold,
        generators: &mut [ChaCha8Rng],
        device: &Device,
    ) -> Self {
        let copies = Self::copies(divergence, manifold);
        let width = manifold.sites() * manifold.categories();
        let mut vectors = vec![0.0; generators.len() * copies * width];
        for (own, rng) in vectors.chunks_mut(copies * width).zip(generators) {
            for (copy, vector) in own.chunks_mut(width).enumerate() {
                fill(divergence, manifold, copy, rng, vector);
            }
        }
        let shape = [
            vectors.len() / width,
            manifold.sites(),
            manifold.categories(),
        ];
        Self {
            vectors: Tensor::from_data(TensorData::new(vectors, shape), device),
            copies,
            weight: match divergence {
                Divergence::Exact => 1.0,
                Divergence::Hutchinson { probes, .. } => (probes as f64).recip(),
            },
        }
    }

    /// A velocity and each site's share of its divergence.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `time [batch]` → `[batch, sites, categories]`, `[batch, sites, 1]`.
    pub fn velocity_and_divergence(
        &self,
        velocity: &dyn Fn(Tensor<3>, Tensor<1>) -> Tensor<3>,
        state: Tensor<3>,
        time: Tensor<1>,
    ) -> (Tensor<3>, Tensor<3>) {
        let [batch, sites, categories] = state.dims();
        let (copies, all) = (self.copies, batch * self.copies);
        let repeat = |state: Tensor<3>| {
            let copied: Tensor<4> = state.unsqueeze_dim(1);
            let copied = copied.repeat_dim(1, copies);
            copied.reshape([all, sites, categories])
        };
        let time: Tensor<2> = time.unsqueeze_dim(1);
        let time = time.repeat_dim(1, copies).reshape([all]);
        let tracked = repeat(state).autodiff().require_grad();
        let found = velocity(tracked.clone(), time);
        let mut gradients = (found.clone() * self.vectors.clone()).sum().backward();
        let product = tracked.grad_remove(&mut gradients);
        let product = product.expect("a velocity depends on its state");
        let shares = (product * self.vectors.clone()).sum_dim(2);
        let shares = shares.reshape([batch, copies, sites]).sum_dim(1) * self.weight;
        let found = found.inner().reshape([batch, copies, sites * categories]);
        let found = found.narrow(1, 0, 1).reshape([batch, sites, categories]);
        (found, shares.reshape([batch, sites, 1]))
    }
}

fn dimensions(manifold: &AssignmentManifold) -> usize {
    manifold.cardinalities().iter().map(|c| c - 1).sum()
}

/// One vector in the tangent space of all sites: the basis vector of number `copy`, or noise.
fn fill(
    divergence: Divergence,
    manifold: &AssignmentManifold,
    copy: usize,
    rng: &mut ChaCha8Rng,
    vector: &mut [f32],
) {
    let mut before = 0;
    let places = vector.chunks_mut(manifold.categories());
    for (place, c) in places.zip(manifold.cardinalities()) {
        let dimensions = c - 1;
        let coordinates: Vec<f64> = (before..before + dimensions)
            .map(|axis| match divergence {
                Divergence::Exact => f64::from(u8::from(axis == copy)),
                Divergence::Hutchinson { noise, .. } => match noise {
                    ProbeNoise::Gaussian => StandardNormal.sample(rng),
                    ProbeNoise::Rademacher => 2.0 * f64::from(u8::from(rng.random::<bool>())) - 1.0,
                },
            })
            .collect();
        embed(&coordinates, &mut place[..*c]);
        before += dimensions;
    }
}
