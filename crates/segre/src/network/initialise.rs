//! Initial parameters, drawn from an explicit generator: same seed, same network.

use burn::module::Param;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig1d};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A parameter with the given values.
pub(super) fn parameter<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// A parameter of zeros.
pub(super) fn zeros<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    parameter(vec![0.0; shape.iter().product()], shape, device)
}

/// Independent normal values of the given standard deviation.
pub(super) fn normal(count: usize, deviation: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let draws = StandardNormal.sample_iter(rng).take(count);
    draws.map(|z: f64| (deviation * z) as f32).collect()
}

/// Uniform values on `[−1/√fan_in, 1/√fan_in]`, the usual start of a dense or convolutional layer.
///
/// Source: LeCun et al., Efficient BackProp, 1998, §4.6 (PyTorch's default draws from the same).
pub(super) fn uniform(count: usize, fan_in: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let bound = (fan_in as f32).sqrt().recip();
    (0..count)
        .map(|_| rng.random_range(-bound..=bound))
        .collect()
}

/// A dense layer with uniform start.
pub(crate) fn linear(
    inputs: usize,
    outputs: usize,
    bias: bool,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs)
        .with_bias(bias)
        .init(device);
    layer.weight = parameter(
        uniform(inputs * outputs, inputs, rng),
        [inputs, outputs],
        device,
    );
    layer.bias = bias.then(|| parameter(uniform(outputs, inputs, rng), [outputs], device));
    layer
}

/// A dense layer whose output starts at zero, so that what follows starts as if it were not there.
pub(super) fn zero_linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).init(device);
    layer.weight = zeros([inputs, outputs], device);
    layer.bias = Some(zeros([outputs], device));
    layer
}

/// A one-dimensional convolution that keeps the length, with uniform start.
pub(super) fn convolution(
    [inputs, outputs]: [usize; 2],
    kernel: usize,
    dilation: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Conv1d {
    let reach = dilation * (kernel - 1) / 2;
    let mut layer = Conv1dConfig::new(inputs, outputs, kernel)
        .with_dilation(dilation)
        .with_padding(PaddingConfig1d::Explicit(reach, reach))
        .init(device);
    let fan_in = inputs * kernel;
    let weights = uniform(outputs * fan_in, fan_in, rng);
    layer.weight = parameter(weights, [outputs, inputs, kernel], device);
    layer.bias = Some(parameter(uniform(outputs, fan_in, rng), [outputs], device));
    layer
}
