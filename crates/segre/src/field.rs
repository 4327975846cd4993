//! Vector fields on e-coordinates: what an integrator follows.

use burn::tensor::Tensor;

/// A time-dependent vector field `F(V, t)`; the flow it generates is `V̇ = F(V, t)`.
///
/// For the assignment flow `Ẇ = R_W F` the state is the e-coordinates `V` of `W` and the velocity
/// is mean-free, `Π F`. Every closure of this signature is a field.
///
/// Source: EG (1); docs/mathematics.md §1.
pub trait VectorField {
    /// The velocity at each state.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `time [batch]` → `[batch, sites, categories]`.
    fn velocity(&self, state: Tensor<3>, time: Tensor<1>) -> Tensor<3>;
}

impl<F: Fn(Tensor<3>, Tensor<1>) -> Tensor<3>> VectorField for F {
    fn velocity(&self, state: Tensor<3>, time: Tensor<1>) -> Tensor<3> {
        self(state, time)
    }
}
