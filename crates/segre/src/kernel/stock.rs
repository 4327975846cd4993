//! The operations composed of burn's own: on every device, with every gradient, and the reference of the tests.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, activation, module};

/// Added to the variance in a group normalisation.
const EPSILON: f64 = 1e-5;
/// Most numbers in a table of attention weights; queries beyond it come in later chunks.
const MOST_WEIGHTS: usize = 1 << 24;

pub(super) fn convolution(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
) -> Tensor<4> {
    let [_, _, _, inputs] = images.dims();
    let [kernel, _, weight_inputs, outputs] = weight.dims();
    assert_eq!(
        inputs, weight_inputs,
        "channels of the images and of the weight"
    );
    if kernel == 1 && stride == 1 {
        let [batch, height, width, _] = images.dims();
        let flat = images.reshape([batch * height * width, inputs]);
        let product = flat.matmul(weight.reshape([inputs, outputs])) + bias.unsqueeze::<2>();
        return product.reshape([batch, height, width, outputs]);
    }
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
    let images = images.permute([0, 3, 1, 2]);
    module::conv2d(images, weight.permute([3, 2, 0, 1]), Some(bias), options).permute([0, 2, 3, 1])
}

pub(super) fn group_norm(
    images: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    groups: usize,
    activate: bool,
) -> Tensor<4> {
    let [batch, height, width, channels] = images.dims();
    let grouped = images.reshape([batch, height * width, groups, channels / groups]);
    let mean_of = |values: Tensor<4>| values.mean_dim(1).mean_dim(3); // [batch, 1, groups, 1]
    let centred = grouped.clone() - mean_of(grouped);
    let variance = mean_of(centred.clone().square());
    let normal = centred / (variance + EPSILON).sqrt();
    let normal = normal.reshape([batch, height, width, channels]);
    let output = normal * scale.unsqueeze::<4>() + shift.unsqueeze::<4>();
    match activate {
        true => activation::silu(output),
        false => output,
    }
}

pub(super) fn attention(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let [batch, heads, sites, width] = query.dims();
    let scale = (width as f64).sqrt().recip();
    let chunk = (MOST_WEIGHTS / (batch * heads * sites)).clamp(1, sites);
    let key = key.swap_dims(2, 3);
    let attend = |query: Tensor<4>| {
        let weights = activation::softmax(query.matmul(key.clone()) * scale, 3);
        weights.matmul(value.clone())
    };
    if chunk == sites {
        return attend(query);
    }
    let parts = query.split(chunk, 2).into_iter().map(attend).collect();
    Tensor::cat(parts, 2)
}
