//! The fast operations against the composed ones, at every level of this machine.

mod attention;
mod convolution;
mod group_norm;
mod layer;

use burn::tensor::{DType, Device, Distribution, Tensor};

use super::exponential::{exp, ln};
use super::simd::{Level, MOST_LANES, Simd, Task};
use super::stock;
use super::{Precision, convolution as convolutions, group_norm as normalisations};

const PRECISION: Precision = Precision::F32;

/// The numbers of a tensor.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data().try_into_vec();
    values.expect("a tensor of 32-bit numbers")
}

/// Reproducible numbers of about unit size.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Largest deviation, relative to the largest number.
fn distance(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let size = right.iter().fold(1e-3_f32, |size, x| size.max(x.abs()));
    let pairs = left.iter().zip(right);
    let distance = |(a, b): (&f32, &f32)| match (a - b).abs() / size {
        distance if distance.is_nan() => f32::INFINITY,
        distance => distance,
    };
    pairs.map(distance).fold(0.0, f32::max)
}

/// Central differences of `Σ gradient · function(at)`.
fn differences(
    function: impl Fn(&[f64]) -> Vec<f64>,
    at: &[f32],
    gradient: &[f32],
    step: f64,
) -> Vec<f32> {
    let at: Vec<f64> = at.iter().map(|x| f64::from(*x)).collect();
    let total = |index: usize, step: f64| -> f64 {
        let mut at = at.clone();
        at[index] += step;
        let values = function(&at);
        values
            .iter()
            .zip(gradient)
            .map(|(y, g)| y * f64::from(*g))
            .sum()
    };
    let slope = |index: usize| (total(index, step) - total(index, -step)) / (2.0 * step);
    (0..at.len()).map(|index| slope(index) as f32).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn threads_change_no_number() {
    let sizes = convolutions::Sizes {
        batch: 3,
        height: 33,
        width: 17,
        inputs: 5,
        outputs: 33,
        kernel: 3,
        stride: 1,
    };
    let norm = normalisations::Sizes {
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
                normalisations::value(level, &norm, &large, &bias[..5], &bias[5..10]);
            let parts = [&bias[..5], &bias[5..10]];
            let norm = normalisations::gradients(level, &norm, &large, parts, &statistics, &y);
            [
                convolutions::value(level, &sizes, &images, &weight, &bias),
                convolutions::input_gradient(level, &sizes, &weight, &gradient),
                convolutions::weight_gradient(level, &sizes, &images, &gradient),
                convolutions::bias_gradient(33, &gradient),
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

struct Exponentials<'a>(&'a [f32]);

impl Task for Exponentials<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Vec<f32> {
        let mut result = vec![];
        for chunk in self.0.chunks_exact(S::LANES) {
            let mut buffer = [0.0; MOST_LANES];
            // SAFETY: chunk and buffer have room for a vector.
            unsafe { S::store(buffer.as_mut_ptr(), exp::<S>(S::load(chunk.as_ptr()))) };
            result.extend_from_slice(&buffer[..S::LANES]);
        }
        result
    }
}

struct Logarithms<'a>(&'a [f32]);

impl Task for Logarithms<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Vec<f32> {
        let mut result = self.0.to_vec();
        for chunk in result.chunks_exact_mut(S::LANES) {
            // SAFETY: a chunk is a vector.
            unsafe { S::store(chunk.as_mut_ptr(), ln::<S>(S::load(chunk.as_ptr()))) };
        }
        result
    }
}

#[test]
fn logarithms_are_within_two_units_in_the_last_place_of_them_or_of_1() {
    let whole_range = (0..1 << 16).map(|k| f32::from_bits(0x0080_0000 + k * 0x7e00));
    let near_1 = (0..1 << 16).map(|k| 0.5 + k as f32 / f32::powi(2.0, 15));
    let points: Vec<f32> = whole_range.chain(near_1).collect();
    for level in Level::available() {
        for (x, y) in points.iter().zip(level.run(Logarithms(&points))) {
            let exact = f64::from(*x).ln();
            let unit = f64::from(f32::EPSILON) * exact.abs().max(1.0);
            let error = (f64::from(y) - exact).abs() / unit;
            assert!(error < 2.0, "{level:?}: ln({x}) = {y}, {error} units off");
        }
        let small = vec![0.0; MOST_LANES];
        let found = level.run(Logarithms(&small));
        assert!(found.iter().all(|y| *y < -87.0), "{level:?}: {found:?}");
    }
}

#[test]
fn exponentials_are_within_two_units_in_the_last_place() {
    let special = [
        f32::NEG_INFINITY,
        -1e30,
        -200.0,
        -104.5,
        -103.0,
        -88.0,
        -87.0,
        0.0,
    ];
    let more = [
        f32::INFINITY,
        1e30,
        200.0,
        89.0,
        88.73,
        88.72,
        1e-30,
        -1e-30,
    ];
    let grid = (0..1 << 20).map(|k| -104.0 + 193.0 * k as f32 / (1 << 20) as f32);
    let near = numbers(1 << 16, 1);
    let points: Vec<f32> = special
        .into_iter()
        .chain(more)
        .chain(grid)
        .chain(near)
        .collect();
    for level in Level::available() {
        let results = level.run(Exponentials(&points));
        assert_eq!(results.len(), points.len());
        for (x, y) in points.iter().zip(results) {
            let exact = f64::from(*x).exp();
            if exact > f64::from(f32::MAX) {
                assert!(y >= f32::MAX, "{level:?}: exp({x}) = {y}");
                continue;
            }
            let unit = (exact as f32).max(f32::MIN_POSITIVE);
            let unit = f64::from(unit.next_up()) - f64::from(unit);
            let error = (f64::from(y) - exact).abs() / unit;
            assert!(error <= 2.0, "{level:?}: exp({x}) = {y}, {error} units off");
        }
        assert!(
            level
                .run(Exponentials(&[f32::NAN; 16]))
                .iter()
                .all(|y| y.is_nan())
        );
    }
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
        let layer = |images: Tensor<4>| {
            let [scale, shift] = [scale.clone(), scale.clone() * 2.0];
            let (weight, bias) = (weight.clone(), bias.clone());
            match fast {
                true => {
                    let normal = super::group_norm(images, scale, shift, 7, true);
                    super::convolution(normal, weight, bias, 2, PRECISION)
                }
                false => {
                    let normal = stock::group_norm(images, scale, shift, 7, true);
                    stock::convolution(normal, weight, bias, 2)
                }
            }
        };
        let first = match fast {
            true => {
                super::convolution(constant.clone(), weight.clone(), bias.clone(), 2, PRECISION)
            }
            false => stock::convolution(constant.clone(), weight.clone(), bias.clone(), 2),
        };
        let heads = images.clone().swap_dims(1, 3);
        let parts = [heads.clone(), heads.clone() * 2.0, heads * 3.0];
        let attended = match parts {
            [q, k, v] if fast => super::attention(q, k, v),
            [q, k, v] => stock::attention(q, k, v),
        };
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
