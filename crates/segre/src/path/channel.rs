//! The Gaussian channel `V = s v̄_β + σ Π z` and what follows from it, whatever the path.

use burn::tensor::Tensor;

use crate::geometry::AssignmentManifold;

/// A path at given times, seen as a channel from the unit direction `v̄_β` to the state:
/// `V | β ~ N(s v̄_β, σ² I)` on the tangent space, independently per site.
///
/// All fields are `[batch, sites, 1]` (or `[batch, 1, 1]`) and broadcast over states.
///
/// Source: docs/mathematics.md §2.1.
#[derive(Clone, Debug)]
pub struct GaussianChannel {
    /// Signal `s(t)`.
    pub signal: Tensor<3>,
    /// Noise scale `σ(t)`.
    pub noise_scale: Tensor<3>,
    /// Time derivative `ṡ(t)`.
    pub signal_rate: Tensor<3>,
    /// Time derivative `σ̇(t)`.
    pub noise_rate: Tensor<3>,
}

impl GaussianChannel {
    /// Signal-to-noise ratio `γ = (s/σ)²`.
    ///
    /// # Shapes
    /// → `[batch, sites]` (or `[batch, 1]`).
    pub fn snr(&self) -> Tensor<2> {
        (self.signal.clone() / self.noise_scale.clone())
            .square()
            .squeeze_dim(2)
    }

    /// The state `V_t = s v̄ + σ V_0`.
    ///
    /// # Shapes
    /// `direction`, `noise [batch, sites, categories]` → the same.
    pub fn state(&self, direction: Tensor<3>, noise: Tensor<3>) -> Tensor<3> {
        direction * self.signal.clone() + noise * self.noise_scale.clone()
    }

    /// The velocity of the state for fixed `V_0`: `V̇_t = ṡ v̄ + σ̇ V_0`.
    ///
    /// # Shapes
    /// `direction`, `noise [batch, sites, categories]` → the same.
    pub fn target(&self, direction: Tensor<3>, noise: Tensor<3>) -> Tensor<3> {
        direction * self.signal_rate.clone() + noise * self.noise_rate.clone()
    }

    /// Local evidence: `log p(V_i | β_i = j) = √γ √(c/(c−1)) V_{i,j} / σ`, up to a constant per
    /// site.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]` → the same, in nats; padding 0.
    ///
    /// Source: docs/mathematics.md §2.1.2.
    pub fn evidence(&self, manifold: &AssignmentManifold, state: Tensor<3>) -> Tensor<3> {
        let scale = manifold.per_site(AssignmentManifold::direction_scale, &state);
        state * (self.signal.clone() / self.noise_scale.clone().square() * scale)
    }

    /// The velocity field of a posterior: `E[V̇_t | V_t] = ṡ m + (σ̇/σ)(V_t − s m)`, where
    /// `m = E[v̄ | V_t]` is [`directions`](AssignmentManifold::directions) of `p(β_i = · | V_t)`.
    ///
    /// Infinite-time path: `λ m`. E-geodesic: `(E[V_β | V_t] − V_t)/(1−t)`, which divides by the
    /// noise scale and is not defined at `t = 1`; see [`transport`](Self::transport).
    ///
    /// # Shapes
    /// `state`, `posterior [batch, sites, categories]` → the same.
    ///
    /// Source: docs/mathematics.md §2.1.
    pub fn velocity(
        &self,
        manifold: &AssignmentManifold,
        state: Tensor<3>,
        posterior: Tensor<3>,
    ) -> Tensor<3> {
        let noise_growth = self.noise_rate.clone() / self.noise_scale.clone();
        let signal_gain = self.signal_rate.clone() - self.signal.clone() * noise_growth.clone();
        manifold.directions(posterior) * signal_gain + state * noise_growth
    }

    /// Carries a state to another time of the path with the posterior held fixed:
    /// `V' = s' m + (σ'/σ)(V − s m)`, the exact flow of [`velocity`](Self::velocity) for constant
    /// `p`.
    ///
    /// It divides by the present noise scale only, so the last step may end where the noise
    /// vanishes: at `t = 1` of the e-geodesic it gives `E[V_β | V_t]`. On the infinite-time path
    /// it is Euler's step.
    ///
    /// # Shapes
    /// `state`, `posterior [batch, sites, categories]` → the same.
    ///
    /// Source: docs/mathematics.md §4 (beyond the papers).
    pub fn transport(
        &self,
        target: &Self,
        manifold: &AssignmentManifold,
        state: Tensor<3>,
        posterior: Tensor<3>,
    ) -> Tensor<3> {
        let mean = manifold.directions(posterior);
        let ratio = target.noise_scale.clone() / self.noise_scale.clone();
        let gain = target.signal.clone() - self.signal.clone() * ratio.clone();
        mean * gain + state * ratio
    }
}
