//! Layers of image networks as single operations: the place where they are made fast.
//!
//! Images are `[batch, height, width, channels]`, channels last: a pixel's channels lie side by side, and
//! `[batch, sites, channels]` is the same memory.
//!
//! On the processor, with numbers of 32 bits, an operation is one node of the graph with a gradient of its own
//! (`operation.rs`), computed on slices (`convolution.rs`, `group_norm.rs`, `attention.rs`) by loops over registers
//! (`tiles.rs`, `channels.rs`, `simd.rs`). Elsewhere it is composed of burn's operations (`stock.rs`).

mod attention;
mod channels;
mod convolution;
mod group_norm;
mod operation;
mod simd;
mod stock;
#[cfg(test)]
mod tests;
mod tiles;

use burn::tensor::Tensor;

/// A convolution that keeps the size (`stride` 1) or halves it (`stride` 2), zeros beyond the border.
///
/// `y[b, u, v, o] = bias[o] + Σ_{i, j, k} x[b, s u + i − r, s v + j − r, k] · weight[i, j, k, o]`, `r = kernel / 2`.
///
/// # Shapes
/// `images [batch, height, width, inputs]`, `weight [kernel, kernel, inputs, outputs]` with an odd kernel,
/// `bias [outputs]` → `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
pub(crate) fn convolution(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
) -> Tensor<4> {
    let types = [images.dtype(), weight.dtype(), bias.dtype()];
    match operation::serve(images.device(), types) {
        true => operation::convolve(images, weight, bias, stride),
        false => stock::convolution(images, weight, bias, stride),
    }
}

/// Group normalisation, then `SiLU(y) = y / (1 + e^−y)` if `activate`.
///
/// Mean and (biased) variance are those of a group of neighbouring channels over all pixels of an image;
/// `ε = 1e-5` is added to the variance.
///
/// # Shapes
/// `images [batch, height, width, channels]`, `scale [channels]`, `shift [channels]` → as `images`; `groups` divides
/// the number of channels.
pub(crate) fn group_norm(
    images: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    groups: usize,
    activate: bool,
) -> Tensor<4> {
    let types = [images.dtype(), scale.dtype(), shift.dtype()];
    match operation::serve(images.device(), types) {
        true => operation::normalise(images, scale, shift, groups, activate),
        false => stock::group_norm(images, scale, shift, groups, activate),
    }
}

/// Scaled dot-product attention, `softmax(Q Kᵀ / √d) V` for every head, without a table of all pairs in memory.
///
/// # Shapes
/// `query`, `key`, `value [batch, heads, sites, d]` → the same.
pub(crate) fn attention(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let types = [query.dtype(), key.dtype(), value.dtype()];
    match operation::serve(query.device(), types) {
        true => operation::attend(query, key, value),
        false => stock::attention(query, key, value),
    }
}
