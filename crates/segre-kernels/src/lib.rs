//! Layers of networks as single operations: the place where they are made fast.
//!
//! Images are `[batch, height, width, channels]`, channels last: a pixel's channels lie side by side, and
//! `[batch, sites, channels]` is the same memory.
//!
//! On the processor, with numbers of 32 bits, an operation is one node of the graph with a gradient of its own
//! (`operation.rs`), computed on slices (`convolution.rs`, `group_norm.rs`, `attention.rs`) by loops over registers
//! (`tiles.rs`, `channels.rs`, `simd.rs`). Elsewhere it is composed of burn's operations (`stock.rs`).
//!
//! Small networks compute on rows `[rows, columns]` (`product.rs`); each of their layers and the field's loss is an
//! operation, too (`layer.rs`).

mod affine;
#[cfg(feature = "allocator")]
pub mod allocator;
#[cfg(target_arch = "x86_64")]
mod amx;
mod attention;
mod batch_norm;
pub mod bench;
mod channels;
mod convolution;
mod exponential;
mod group_norm;
mod layer;
mod layer_norm;
mod mapped;
mod matching;
mod operation;
mod pairs;
mod parts;
mod patch;
mod product;
mod propagation;
mod registers;
mod scanlines;
mod simd;
mod softmax;
mod stock;
mod sums;
mod taps;
#[cfg(test)]
mod tests;
mod tiles;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use mapped::{LabelFile, MappedLabels};
pub use propagation::Propagation;
pub use scanlines::Scanlines;
pub use softmax::softmax;

/// How exactly factors enter the products of a convolution; sums have 32 bits always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bfloat16, two products at a time.
    Bf16,
}

impl Precision {
    /// Whether the device has such products: bfloat16 is for processors that know it, not for graphics processors.
    pub fn is_available(self, device: &Device) -> bool {
        self == Self::F32 || (is_processor(device) && simd::Level::narrow().is_some())
    }
}

/// Whether the device is the processor, where the kernels are, and threads are ours to use.
pub fn is_processor(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// A convolution that keeps the size (`stride` 1) or halves it (`stride` 2), zeros beyond the border.
///
/// `y[b, u, v, o] = bias[o] + Σ_{i, j, k} x[b, s u + i − r, s v + j − r, k] · weight[i, j, k, o]`, `r = kernel / 2`.
///
/// Its products and those of its gradients have the given precision, on a processor that has it.
///
/// # Shapes
/// `images [batch, height, width, inputs]`, `weight [kernel, kernel, inputs, outputs]` with an odd kernel,
/// `bias [outputs]` → `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
pub fn convolution(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    precision: Precision,
) -> Tensor<4> {
    let types = [images.dtype(), weight.dtype(), bias.dtype()];
    match operation::serve(images.device(), types) {
        true => operation::convolve(images, weight, bias, stride, precision),
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
pub fn group_norm(
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
pub fn attention(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let types = [query.dtype(), key.dtype(), value.dtype()];
    match operation::serve(query.device(), types) {
        true => operation::attend(query, key, value),
        false => stock::attention(query, key, value),
    }
}

/// An affine map of rows, `x W + b`, then `max(0, ·)` if `rectify`.
///
/// # Shapes
/// `input [rows, inputs]`, `weight [inputs, outputs]`, `bias [outputs]` → `[rows, outputs]`.
pub fn affine(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, rectify: bool) -> Tensor<2> {
    let types = [input.dtype(), weight.dtype(), bias.dtype()];
    match operation::serve(input.device(), types) {
        true => layer::affine(input, weight, bias, rectify),
        false => stock::affine(input, weight, bias, rectify),
    }
}

/// A convolution along sites that keeps their number, zeros beyond the ends, then `max(0, ·)`.
///
/// `y[b, s, o] = max(0, bias[o] + Σ_{i, t} x[b, s + (t − r) · dilation, i] · weight[o, i, t])`, `r = kernel / 2`.
/// Taps that meet zeros only, whatever the site, are left out: with four sites that is all but the middle one of
/// dilations above 3.
///
/// # Shapes
/// `input [batch, sites, inputs]`, `weight [outputs, inputs, kernel]` with an odd kernel, `bias [outputs]` →
/// `[batch · sites, outputs]`.
pub fn convolve_sites(
    input: Tensor<3>,
    weight: Tensor<3>,
    bias: Tensor<1>,
    dilation: usize,
) -> Tensor<2> {
    let [batch, sites, inputs] = input.dims();
    let [outputs, _, kernel] = weight.dims();
    let taps = 2 * (kernel / 2).min((sites - 1) / dilation) + 1;
    let serves = operation::serve(
        input.device(),
        [input.dtype(), weight.dtype(), bias.dtype()],
    );
    let columns = match (taps, serves) {
        (1, _) => input.reshape([batch * sites, inputs]),
        (_, true) => layer::columns(input, taps, dilation),
        (_, false) => stock::columns(input, taps, dilation),
    };
    let weight = match serves {
        true => layer::taps(weight, taps),
        false => stock::taps(weight, taps),
    };
    debug_assert_eq!(weight.dims(), [taps * inputs, outputs]);
    affine(columns, weight, bias, true)
}

/// Layer normalisation: every row less its mean, over the root of its (biased) variance and `1e-5`.
///
/// # Shapes
/// `input [rows, columns]`, `scale [columns]`, `shift [columns]` → as `input`.
pub fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<2> {
    let types = [input.dtype(), scale.dtype(), shift.dtype()];
    match operation::serve(input.device(), types) {
        true => layer::layer_norm(input, scale, shift),
        false => stock::layer_norm(input, scale, shift),
    }
}

/// Batch normalisation in training: every column less its mean, over the root of its (biased) variance and `1e-5`.
/// Returns also mean and variance, which pass no gradient on.
///
/// # Shapes
/// `input [rows, columns]`, `scale [columns]`, `shift [columns]` → as `input`, `[columns]`, `[columns]`.
pub fn batch_norm(
    input: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
) -> (Tensor<2>, Tensor<1>, Tensor<1>) {
    let types = [input.dtype(), scale.dtype(), shift.dtype()];
    match operation::serve(input.device(), types) {
        true => layer::batch_norm(input, scale, shift),
        false => stock::batch_norm(input, scale, shift),
    }
}

/// `⟨d, R_W d⟩` of every site for `d = F − u`: the variance of `d` under the point `W`, which constants in `F` or
/// `u` do not change. Points `W` and target `u` are constants, only the field `F` has a gradient.
///
/// # Shapes
/// `field`, `points`, `target [batch, sites, categories]` → `[batch, sites]`.
///
/// Source: EG (23).
pub fn matching_error(field: Tensor<3>, points: Tensor<3>, target: Tensor<3>) -> Tensor<2> {
    let types = [field.dtype(), points.dtype(), target.dtype()];
    match operation::serve(field.device(), types) {
        true => layer::matching_error(field, points, target),
        false => stock::matching_error(field, points, target),
    }
}

/// What the pixels of an image say of each other along rows and columns: the sum of the logarithms of the messages that come
/// to a pixel from the left, the right, above and below.
///
/// A message goes along its line and knows the pixels that it has passed: with `p_s ∝ e^{local_s} M_s` it is
/// `M_t(b) = Σ_a p_s(a) R(a, b) / S_t(b)`, and 1 at the beginning of a line.
///
/// # Shapes
/// `local [batch, height · width, categories]` → the same.
pub fn scanlines(local: Tensor<3>, lines: &Arc<Scanlines>) -> Tensor<3> {
    match operation::serve(local.device(), [local.dtype()]) {
        true => layer::scanlines(local, lines.clone()),
        false => stock::scanlines(local, lines),
    }
}

/// Beliefs of loopy belief propagation, up to a constant for each site: `b_s = local_s + Σ_t log m_ts`, after some rounds of
/// `m_st(j) ∝ Σ_i e^{θ_st(i, j)} e^{b_s(i)} / m_ts(i)`, damped in the logarithm.
///
/// # Shapes
/// `local [batch, sites, categories]` → the same.
pub fn propagate(local: Tensor<3>, pairs: &Arc<Propagation>) -> Tensor<3> {
    if pairs.slots == 0 {
        return local;
    }
    match operation::serve(local.device(), [local.dtype()]) {
        true => layer::propagate(local, pairs.clone()),
        false => stock::propagate(local, pairs),
    }
}
