//! All operations together: threads, layouts of tensors, and numbers of other types.

use burn::tensor::{DType, Device, Distribution, Tensor, TensorData, activation};

use super::attention::Attention;
use super::convolution::{self, Convolution};
use super::group_norm::{self, GroupNorm};
use crate::Precision;
use crate::operation::{Anywhere, Operation, apply};
use crate::simd::Level;
use crate::testing::{distance, numbers, values};

const PRECISION: Precision = Precision::F32;

/// The value of an operation, in its fast form or composed.
fn by<O: Operation<N>, const N: usize>(
    fast: bool,
    operation: O,
    inputs: [Anywhere; N],
) -> Tensor<4> {
    let [value] = match fast {
        true => apply(operation, inputs),
        false => operation.reference(inputs),
    };
    Tensor::from_dispatch(value)
}

#[test]
fn threads_change_no_number() {
    let sizes = convolution::processor::Sizes {
        batch: 3,
        height: 33,
        width: 17,
        inputs: 5,
        outputs: 33,
        kernel: 3,
        stride: 1,
    };
    let norm = group_norm::processor::Sizes {
        batch: 3,
        sites: 33 * 17 * 8,
        channels: 5,
        groups: 5,
        activate: true,
    };
    let images = numbers(3 * 33 * 17 * 5, 1);
    let weight = numbers(9 * 5 * 33, 2);
    let bias = numbers(33, 3);
    let gradient = numbers(3 * 33 * 17 * 33, 4);
    let large = numbers(3 * norm.sites * 5, 5);
    let compute = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let level = Level::detect();
            let (y, statistics) =
                group_norm::processor::value(level, &norm, &large, &bias[..5], &bias[5..10]);
            let parts = [&bias[..5], &bias[5..10]];
            let norm =
                group_norm::processor::gradients(level, &norm, &large, parts, &statistics, &y);
            [
                convolution::processor::value(level, &sizes, &images, &weight, &bias),
                convolution::processor::input_gradient(level, &sizes, &weight, &gradient),
                convolution::weight_gradient::weight_gradient(level, &sizes, &images, &gradient),
                convolution::weight_gradient::bias_gradient(33, &gradient),
                y,
                norm.images,
                norm.scale,
                norm.shift,
            ]
            .map(|values| values.iter().map(|x| x.to_bits()).collect::<Vec<u32>>())
        })
    };
    assert!(compute(1) == compute(2));
}

#[test]
fn tensors_reach_the_fast_operations_and_get_their_gradients() {
    let device = Device::flex().autodiff();
    let random = |dims: [usize; 4]| Tensor::<4>::random(dims, Distribution::Default, &device);
    // Not in order, as burn permutes without moving numbers.
    let images = random([2, 7, 4, 5]).permute([0, 3, 2, 1]).require_grad();
    let constant = random([2, 5, 4, 7]);
    let weight = random([3, 3, 7, 6]).require_grad();
    let bias = Tensor::<1>::random([6], Distribution::Default, &device).require_grad();
    let scale = Tensor::<1>::random([7], Distribution::Default, &device).require_grad();
    let both = |fast: bool| {
        let convolution = |images: Tensor<4>| {
            let operation = Convolution {
                stride: 2,
                precision: PRECISION,
            };
            let (weight, bias) = (weight.clone().into_dispatch(), bias.clone().into_dispatch());
            by(fast, operation, [images.into_dispatch(), weight, bias])
        };
        let group_norm = |images: Tensor<4>| {
            let operation = GroupNorm {
                groups: 7,
                activate: true,
            };
            let parts = [scale.clone(), scale.clone() * 2.0].map(Tensor::into_dispatch);
            let [scale, shift] = parts;
            by(fast, operation, [images.into_dispatch(), scale, shift])
        };
        let layer = |images: Tensor<4>| convolution(group_norm(images));
        let first = convolution(constant.clone());
        let heads = images.clone().swap_dims(1, 3);
        let parts = [heads.clone(), heads.clone() * 2.0, heads * 3.0];
        let attended = by(fast, Attention, parts.map(Tensor::into_dispatch));
        let value = (layer(images.clone() + attended.swap_dims(1, 3)) + first).square();
        let gradients = value.clone().sum().backward();
        let message = "the tensor is tracked";
        [
            values(value),
            values(images.grad(&gradients).expect(message)),
            values(weight.grad(&gradients).expect(message)),
            values(bias.grad(&gradients).expect(message)),
            values(scale.grad(&gradients).expect(message)),
        ]
    };
    for (fast, composed) in both(true).iter().zip(both(false)) {
        assert!(distance(fast, &composed) < 1e-5);
    }
    let inner = |tensor: Tensor<4>| tensor.inner();
    let plain = super::convolution(
        inner(constant.clone()),
        inner(weight.clone()),
        bias.clone().inner(),
        1,
        PRECISION,
    );
    let tracked = super::convolution(constant, weight, bias, 1, PRECISION);
    assert!(values(plain) == values(tracked));
}

#[test]
fn other_numbers_take_the_composed_operations() {
    let device = Device::flex();
    let random = |dims: [usize; 4]| Tensor::<4>::random(dims, Distribution::Default, &device);
    let (images, weight) = (random([2, 5, 4, 3]), random([3, 3, 3, 6]));
    let bias = Tensor::<1>::random([6], Distribution::Default, &device);
    let layer = |dtype: DType| {
        let (images, weight) = (images.clone().cast(dtype), weight.clone().cast(dtype));
        let bias = bias.clone().cast(dtype);
        let output = super::convolution(images, weight, bias.clone(), 2, PRECISION);
        let output = super::group_norm(output, bias.clone(), bias, 3, true);
        super::attention(output.clone(), output.clone(), output)
    };
    let wide = layer(DType::F64);
    assert_eq!(wide.dtype(), DType::F64);
    let wide = values(wide.cast(DType::F32));
    assert!(distance(&values(layer(DType::F32)), &wide) < 1e-5);
}

#[test]
fn other_numbers_take_the_composed_layers() {
    let random = |dims: [usize; 2], seed| {
        let data = TensorData::new(numbers(dims.iter().product(), seed), dims);
        Tensor::<2>::from_data(data, &Device::flex()).cast(DType::F64)
    };
    let (input, weight) = (random([6, 5], 1), random([5, 5], 2));
    let vector = random([1, 5], 3).squeeze_dim::<1>(0);
    let layer = |input: Tensor<2>, weight: Tensor<2>, vector: Tensor<1>| {
        let output = crate::affine(input, weight.clone(), vector.clone(), true);
        let output = crate::layer_norm(output, vector.clone(), vector.clone());
        let field = output.clone().reshape([2, 3, 5]);
        let kernel = weight.reshape([5, 5, 1]);
        let sites = crate::convolve_sites(field.clone(), kernel, vector, 1);
        let points = activation::softmax(field.clone(), 2);
        let error = crate::matching_error(field, points, sites.reshape([2, 3, 5]));
        assert_eq!(error.dtype(), output.dtype());
        values(error.cast(DType::F32))
    };
    let narrow = |tensor: Tensor<2>| tensor.cast(DType::F32);
    let expected = layer(input.clone(), weight.clone(), vector.clone());
    let found = layer(narrow(input), narrow(weight), vector.cast(DType::F32));
    assert!(distance(&found, &expected) < 1e-4);
}
