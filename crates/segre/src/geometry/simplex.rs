//! Maps on one open probability simplex `S_c`; the last axis of every tensor is the categories.
//!
//! Leading axes are independent copies. `T0 = {v : Σ_j v_j = 0}` is the tangent space. Sites with
//! different numbers of categories are the business of
//! [`AssignmentManifold`](super::AssignmentManifold).

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

/// Removes the mean: `Π v = v − mean(v)`, the orthogonal projection onto `T0`.
///
/// # Shapes
/// `[.., categories]` → the same.
///
/// Source: docs/mathematics.md §1; EG §3.1.
pub fn project<const D: usize>(vector: Tensor<D>) -> Tensor<D> {
    let mean = vector.clone().mean_dim(D - 1);
    vector - mean
}

/// The point with the given e-coordinates: `W = softmax(V)`, the lift at the barycentre.
///
/// # Shapes
/// `[.., categories]` → the same.
///
/// Source: RAF (9).
pub fn point<const D: usize>(coordinates: Tensor<D>) -> Tensor<D> {
    softmax(coordinates, D - 1)
}

/// The e-coordinates of a point: `V = Π log W`, inverse of [`point`] on `T0`.
///
/// # Shapes
/// `[.., categories]` → the same.
///
/// Source: EG (4), at the barycentre.
pub fn coordinates<const D: usize>(point: Tensor<D>) -> Tensor<D> {
    project(point.log())
}

/// The lift `exp_w(v) = softmax(log w + v)`.
///
/// Constants in `v` have no effect. In e-coordinates it is the addition `V + Π v`.
///
/// # Shapes
/// `[.., categories]` twice → the same.
///
/// Source: EG (4b), RAF §2.1.
pub fn lift<const D: usize>(base: Tensor<D>, vector: Tensor<D>) -> Tensor<D> {
    softmax(base.log() + vector, D - 1)
}

/// Inverse of the lift: `exp_w⁻¹(q) = Π (log q − log w)`, in `T0`.
///
/// # Shapes
/// `[.., categories]` twice → the same.
///
/// Source: docs/mathematics.md §1.
pub fn inverse_lift<const D: usize>(base: Tensor<D>, point: Tensor<D>) -> Tensor<D> {
    project(point.log() - base.log())
}

/// Exponential map of the e-connection: `Exp_w(v) = w e^{v/w} / ⟨w, e^{v/w}⟩`.
///
/// # Shapes
/// `[.., categories]` twice → the same.
///
/// Source: EG (3).
pub fn exponential<const D: usize>(base: Tensor<D>, tangent: Tensor<D>) -> Tensor<D> {
    softmax(base.clone().log() + tangent / base, D - 1)
}

/// Inverse of the exponential map: `Exp_w⁻¹(q) = R_w exp_w⁻¹(q)`, in `T0`.
///
/// # Shapes
/// `[.., categories]` twice → the same.
///
/// Source: EG (4b).
pub fn inverse_exponential<const D: usize>(base: Tensor<D>, point: Tensor<D>) -> Tensor<D> {
    replicator(base.clone(), inverse_lift(base, point))
}

/// Replicator operator `R_w v = w⊙v − ⟨w, v⟩ w`: kills constants, inverse of the metric on `T0`.
///
/// # Shapes
/// `[.., categories]` twice → the same.
///
/// Source: EG (2).
pub fn replicator<const D: usize>(base: Tensor<D>, vector: Tensor<D>) -> Tensor<D> {
    let mean = (base.clone() * vector.clone()).sum_dim(D - 1);
    base * (vector - mean)
}

/// Fisher–Rao inner product `⟨u, v⟩_w = Σ_j u_j v_j / w_j` of two tangent vectors.
///
/// # Shapes
/// `[.., categories]` three times → `[.., 1]`.
///
/// Source: EG §3.1.
pub fn inner_product<const D: usize>(base: Tensor<D>, u: Tensor<D>, v: Tensor<D>) -> Tensor<D> {
    (u * v / base).sum_dim(D - 1)
}

/// Squared Fisher–Rao length of the tangent vector `R_w v`: `⟨v, R_w v⟩ = ‖R_w v‖²_w`.
///
/// It is the variance of `v` under `w`, and is computed as one: never negative, no division by `w`.
///
/// # Shapes
/// `[.., categories]` twice → `[.., 1]`.
///
/// Source: EG (23).
pub fn replicator_norm_squared<const D: usize>(base: Tensor<D>, vector: Tensor<D>) -> Tensor<D> {
    let mean = (base.clone() * vector.clone()).sum_dim(D - 1);
    (base * (vector - mean).square()).sum_dim(D - 1)
}

/// Entropy `H(w) = −Σ_j w_j log w_j` in nats of the point with the given e-coordinates.
///
/// # Shapes
/// `[.., categories]` → `[.., 1]`.
///
/// Source: EG (8).
pub fn entropy<const D: usize>(coordinates: Tensor<D>) -> Tensor<D> {
    let log_point = log_softmax(coordinates, D - 1);
    (log_point.clone().exp() * log_point).sum_dim(D - 1).neg()
}
