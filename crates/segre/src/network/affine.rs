//! Dense layers and layer normalisation on rows, by the fast operations.

use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Tensor, activation};
use segre_kernels::has_graphics_kernels;

/// `x W + b`, then `max(0, ·)` if `rectify`.
///
/// # Shapes
/// `input [rows, inputs]` → `[rows, outputs]`.
pub(super) fn affine(layer: &Linear, input: Tensor<2>, rectify: bool) -> Tensor<2> {
    match (&layer.bias, rectify) {
        (Some(bias), _) => segre_kernels::affine(input, layer.weight.val(), bias.val(), rectify),
        (None, true) => activation::relu(layer.forward(input)),
        (None, false) => layer.forward(input),
    }
}

/// `x W + b` by burn's product, whose digits stored results have, on the processor; by our kernels on graphics processors.
///
/// # Shapes
/// As [`affine`].
pub(super) fn linear(layer: &Linear, input: Tensor<2>) -> Tensor<2> {
    match has_graphics_kernels(&input.device()) {
        true => affine(layer, input, false),
        false => layer.forward(input),
    }
}

/// Layer normalisation.
///
/// # Shapes
/// `input [rows, columns]` → the same.
pub(super) fn normalise(layer: &LayerNorm, input: Tensor<2>) -> Tensor<2> {
    match &layer.beta {
        Some(shift) => segre_kernels::layer_norm(input, layer.gamma.val(), shift.val()),
        None => layer.forward(input),
    }
}
