//! The fast operations against the composed ones, at every level of this machine.

use burn::tensor::{Device, Distribution, Tensor, TensorData};

use crate::network::parameters::host_values as values;

use super::simd::{Level, MOST_LANES, Simd, Task, exp};
use super::{attention, convolution, group_norm, stock};

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

fn convolution_cases() -> Vec<convolution::Sizes> {
    let mut cases = vec![];
    let channels = [1, 2, 3, 16, 32, 33, 48, 64];
    for (index, inputs) in channels.into_iter().enumerate() {
        for (other, outputs) in channels.into_iter().enumerate() {
            for kernel in [1, 3, 5] {
                for stride in [1, 2] {
                    let case = index + 2 * other + kernel + stride;
                    let [height, width] = [[7, 5], [1, 1], [4, 8], [2, 13]][case % 4];
                    cases.push(convolution::Sizes {
                        batch: 1 + case % 3,
                        height,
                        width,
                        inputs,
                        outputs,
                        kernel,
                        stride,
                    });
                }
            }
        }
    }
    // More rows than a task takes, and a stride beyond the kernel.
    for (kernel, stride) in [(3, 1), (3, 2), (1, 3), (5, 3)] {
        cases.push(convolution::Sizes {
            batch: 2,
            height: 39,
            width: 29,
            inputs: 3,
            outputs: 5,
            kernel,
            stride,
        });
    }
    cases
}

#[test]
fn convolution_agrees_with_the_composed_one() {
    let device = Device::flex().autodiff();
    for sizes in convolution_cases() {
        let [height, width] = sizes.output();
        let dims = [sizes.batch, sizes.height, sizes.width, sizes.inputs];
        let weight_dims = [sizes.kernel, sizes.kernel, sizes.inputs, sizes.outputs];
        let output_dims = [sizes.batch, height, width, sizes.outputs];
        let images = numbers(dims.iter().product(), 1);
        let weight = numbers(weight_dims.iter().product(), 2);
        let bias = numbers(sizes.outputs, 3);
        let gradient = numbers(output_dims.iter().product(), 4);

        let tensor = |values: &Vec<f32>, dims: [usize; 4]| {
            Tensor::<4>::from_data(TensorData::new(values.clone(), dims), &device)
        };
        let x = tensor(&images, dims).require_grad();
        let w = tensor(&weight, weight_dims).require_grad();
        let b = Tensor::<1>::from_floats(bias.as_slice(), &device).require_grad();
        let y = stock::convolution(x.clone(), w.clone(), b.clone(), sizes.stride);
        let expected = values(y.clone());
        let gradients = (y * tensor(&gradient, output_dims)).sum().backward();
        let message = "the tensor is tracked";
        let expected_images = values(x.grad(&gradients).expect(message));
        let expected_weight = values(w.grad(&gradients).expect(message));
        let expected_bias = values(b.grad(&gradients).expect(message));

        for level in Level::available() {
            let y = convolution::value(level, &sizes, &images, &weight, &bias);
            let dx = convolution::input_gradient(level, &sizes, &weight, &gradient);
            let dw = convolution::weight_gradient(level, &sizes, &images, &gradient);
            let db = convolution::bias_gradient(sizes.outputs, &gradient);
            for (name, got, expected) in [
                ("value", y, &expected),
                ("images", dx, &expected_images),
                ("weight", dw, &expected_weight),
                ("bias", db, &expected_bias),
            ] {
                let distance = distance(&got, expected);
                assert!(distance < 3e-6, "{level:?} {sizes:?} {name}: {distance}");
            }
        }
    }
}

/// A convolution by its definition, in 64 bits.
fn direct(sizes: &convolution::Sizes, images: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let [height, width] = sizes.output();
    let radius = (sizes.kernel / 2) as isize;
    let mut result = vec![];
    for place in 0..sizes.batch * height * width * sizes.outputs {
        let (place, o) = (place / sizes.outputs, place % sizes.outputs);
        let (place, v) = (place / width, place % width);
        let (b, u) = (place / height, place % height);
        let mut sum = bias[o];
        for tap in 0..sizes.kernel.pow(2) {
            let [i, j] = [tap / sizes.kernel, tap % sizes.kernel];
            let row = (sizes.stride * u + i) as isize - radius;
            let column = (sizes.stride * v + j) as isize - radius;
            let inside = (0..sizes.height as isize).contains(&row)
                && (0..sizes.width as isize).contains(&column);
            if inside {
                let pixel = (b * sizes.height + row as usize) * sizes.width + column as usize;
                for k in 0..sizes.inputs {
                    sum += images[pixel * sizes.inputs + k]
                        * weight[(tap * sizes.inputs + k) * sizes.outputs + o];
                }
            }
        }
        result.push(sum);
    }
    result
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
fn convolution_and_its_gradients_follow_from_the_definition() {
    for stride in [1, 2] {
        let sizes = convolution::Sizes {
            batch: 2,
            height: 5,
            width: 4,
            inputs: 3,
            outputs: 2,
            kernel: 3,
            stride,
        };
        let [height, width] = sizes.output();
        let images = numbers(2 * 5 * 4 * 3, 1);
        let weight = numbers(9 * 3 * 2, 2);
        let bias = numbers(2, 3);
        let gradient = numbers(2 * height * width * 2, 4);
        let (x, w, b) = (wide(&images), wide(&weight), wide(&bias));
        let expected: Vec<f32> = direct(&sizes, &x, &w, &b)
            .iter()
            .map(|y| *y as f32)
            .collect();
        let by_images = differences(|x| direct(&sizes, x, &w, &b), &images, &gradient, 1e-3);
        let by_weight = differences(|w| direct(&sizes, &x, w, &b), &weight, &gradient, 1e-3);
        let by_bias = differences(|b| direct(&sizes, &x, &w, b), &bias, &gradient, 1e-3);
        for level in Level::available() {
            let y = convolution::value(level, &sizes, &images, &weight, &bias);
            let dx = convolution::input_gradient(level, &sizes, &weight, &gradient);
            let dw = convolution::weight_gradient(level, &sizes, &images, &gradient);
            let db = convolution::bias_gradient(2, &gradient);
            assert!(distance(&y, &expected) < 1e-6);
            assert!(distance(&dx, &by_images) < 1e-6);
            assert!(distance(&dw, &by_weight) < 1e-6);
            assert!(distance(&db, &by_bias) < 1e-6);
        }
    }
}

fn group_norm_cases() -> Vec<group_norm::Sizes> {
    let mut cases = vec![];
    let channels = [
        (1, 1),
        (2, 1),
        (3, 3),
        (16, 4),
        (32, 32),
        (33, 11),
        (48, 3),
        (64, 32),
    ];
    for (index, (channels, groups)) in channels.into_iter().enumerate() {
        for (sites, batch) in [(35, 1 + index % 3), (4, 2), (1200, 2)] {
            for activate in [false, true] {
                cases.push(group_norm::Sizes {
                    batch,
                    sites,
                    channels,
                    groups,
                    activate,
                });
            }
        }
    }
    cases
}

#[test]
fn group_norm_agrees_with_the_composed_one() {
    let device = Device::flex().autodiff();
    for sizes in group_norm_cases() {
        let dims = [sizes.batch, sizes.sites, 1, sizes.channels];
        let images: Vec<f32> = numbers(dims.iter().product(), 1)
            .iter()
            .enumerate()
            .map(|(index, x)| x * 2.0 + (index % sizes.channels) as f32 * 0.1)
            .collect();
        let scale = numbers(sizes.channels, 2);
        let shift = numbers(sizes.channels, 3);
        let gradient = numbers(images.len(), 4);
        let tensor = |values: &Vec<f32>| {
            Tensor::<4>::from_data(TensorData::new(values.clone(), dims), &device)
        };
        let vector = |values: &Vec<f32>| Tensor::<1>::from_floats(values.as_slice(), &device);
        let x = tensor(&images).require_grad();
        let a = vector(&scale).require_grad();
        let b = vector(&shift).require_grad();
        let y = stock::group_norm(
            x.clone(),
            a.clone(),
            b.clone(),
            sizes.groups,
            sizes.activate,
        );
        let expected = values(y.clone());
        let gradients = (y * tensor(&gradient)).sum().backward();
        let message = "the tensor is tracked";
        let expected_images = values(x.grad(&gradients).expect(message));
        let expected_scale = values(a.grad(&gradients).expect(message));
        let expected_shift = values(b.grad(&gradients).expect(message));
        for level in Level::available() {
            let (y, statistics) = group_norm::value(level, &sizes, &images, &scale, &shift);
            let got = group_norm::gradients(
                level,
                &sizes,
                &images,
                [&scale, &shift],
                &statistics,
                &gradient,
            );
            for (name, got, expected) in [
                ("value", y, &expected),
                ("images", got.images, &expected_images),
                ("scale", got.scale, &expected_scale),
                ("shift", got.shift, &expected_shift),
            ] {
                let distance = distance(&got, expected);
                assert!(distance < 2e-5, "{level:?} {sizes:?} {name}: {distance}");
            }
        }
    }
}

/// Group normalisation and `SiLU` by their definition, in 64 bits; one image.
fn normalise(groups: usize, images: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
    let (channels, width) = (scale.len(), scale.len() / groups);
    let group = |index: usize| (index % channels) / width;
    let each = |of: usize| {
        images
            .iter()
            .enumerate()
            .filter(move |(k, _)| group(*k) == of)
    };
    let count = (images.len() / groups) as f64;
    let result = images.iter().enumerate().map(|(index, value)| {
        let mean = each(group(index)).map(|(_, x)| x).sum::<f64>() / count;
        let squares = each(group(index)).map(|(_, x)| (x - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count + 1e-5).sqrt();
        let channel = index % channels;
        let y = (value - mean) / deviation * scale[channel] + shift[channel];
        y / (1.0 + (-y).exp())
    });
    result.collect()
}

#[test]
fn group_norm_and_its_gradients_follow_from_the_definition() {
    let sizes = group_norm::Sizes {
        batch: 1,
        sites: 9,
        channels: 6,
        groups: 3,
        activate: true,
    };
    let images = numbers(54, 1);
    let scale = numbers(6, 2);
    let shift = numbers(6, 3);
    let gradient = numbers(54, 4);
    let (x, a, b) = (wide(&images), wide(&scale), wide(&shift));
    let expected: Vec<f32> = normalise(3, &x, &a, &b).iter().map(|y| *y as f32).collect();
    let by_images = differences(|x| normalise(3, x, &a, &b), &images, &gradient, 1e-4);
    let by_scale = differences(|a| normalise(3, &x, a, &b), &scale, &gradient, 1e-4);
    let by_shift = differences(|b| normalise(3, &x, &a, b), &shift, &gradient, 1e-4);
    for level in Level::available() {
        let (y, statistics) = group_norm::value(level, &sizes, &images, &scale, &shift);
        let parts = [scale.as_slice(), shift.as_slice()];
        let got = group_norm::gradients(level, &sizes, &images, parts, &statistics, &gradient);
        assert!(distance(&y, &expected) < 2e-6);
        assert!(distance(&got.images, &by_images) < 2e-6);
        assert!(distance(&got.scale, &by_scale) < 2e-6);
        assert!(distance(&got.shift, &by_shift) < 2e-6);
    }
}

#[test]
fn group_norm_is_accurate_far_from_zero() {
    let sizes = group_norm::Sizes {
        batch: 1,
        sites: 1 << 16,
        channels: 2,
        groups: 1,
        activate: false,
    };
    let images: Vec<f32> = numbers(2 << 16, 1).iter().map(|x| 1000.0 + x).collect();
    let mean = wide(&images).iter().sum::<f64>() / images.len() as f64;
    let squares = wide(&images).into_iter().map(|x| (x - mean).powi(2));
    let deviation = (squares.sum::<f64>() / images.len() as f64 + 1e-5).sqrt();
    for level in Level::available() {
        let (_, statistics) = group_norm::value(level, &sizes, &images, &[1.0; 2], &[0.0; 2]);
        assert!((f64::from(statistics.mean[0]) - mean).abs() < 1e-4);
        assert!((f64::from(statistics.inverse[0]) * deviation - 1.0).abs() < 1e-5);
    }
}

#[test]
fn attention_agrees_with_the_composed_one() {
    let device = Device::flex().autodiff();
    for (heads, sites, width) in [(1, 1, 1), (2, 5, 3), (3, 64, 16), (2, 67, 33), (1, 200, 64)] {
        let sizes = attention::Sizes {
            heads,
            sites,
            width,
        };
        let [query, key, value, gradient] =
            [1, 2, 3, 4].map(|seed| numbers(heads * sites * width, seed));
        let query: Vec<f32> = query.iter().map(|x| 3.0 * x).collect();
        let tensor = |values: &[f32]| {
            Tensor::<4>::from_data(
                TensorData::new(values.to_vec(), [1, heads, sites, width]),
                &device,
            )
        };
        let parts = [&query, &key, &value].map(|part| tensor(part).require_grad());
        let [q, k, v] = parts.clone();
        let y = stock::attention(q, k, v);
        let expected = values(y.clone());
        let found = (y * tensor(&gradient)).sum().backward();
        let expected_gradients = parts.map(|part| values(part.grad(&found).expect("tracked")));
        for level in Level::available() {
            let parts = [query.as_slice(), &key, &value];
            let (y, logarithms) = attention::value(level, &sizes, parts);
            let found = distance(&y, &expected);
            assert!(found < 5e-6, "{level:?} {sizes:?} value: {found}");
            let known = attention::Known {
                output: &y,
                logarithms: &logarithms,
            };
            let got = attention::gradients(level, &sizes, parts, known, &gradient);
            for (got, expected) in got.iter().zip(&expected_gradients) {
                let found = distance(got, expected);
                assert!(found < 1e-5, "{level:?} {sizes:?} gradient: {found}");
            }
        }
    }
}

#[test]
fn threads_change_no_number() {
    let sizes = convolution::Sizes {
        batch: 3,
        height: 33,
        width: 17,
        inputs: 5,
        outputs: 33,
        kernel: 3,
        stride: 1,
    };
    let norm = group_norm::Sizes {
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
            let (y, statistics) = group_norm::value(level, &norm, &large, &bias[..5], &bias[5..10]);
            let parts = [&bias[..5], &bias[5..10]];
            let norm = group_norm::gradients(level, &norm, &large, parts, &statistics, &y);
            [
                convolution::value(level, &sizes, &images, &weight, &bias),
                convolution::input_gradient(level, &sizes, &weight, &gradient),
                convolution::weight_gradient(level, &sizes, &images, &gradient),
                convolution::bias_gradient(33, &gradient),
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
                    super::convolution(normal, weight, bias, 2)
                }
                false => {
                    let normal = stock::group_norm(images, scale, shift, 7, true);
                    stock::convolution(normal, weight, bias, 2)
                }
            }
        };
        let first = match fast {
            true => super::convolution(constant.clone(), weight.clone(), bias.clone(), 2),
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
    );
    let tracked = super::convolution(constant, weight, bias, 1);
    assert!(values(plain) == values(tracked));
}
