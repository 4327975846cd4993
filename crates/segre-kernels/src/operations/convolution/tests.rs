//! Convolutions against the composed ones and the definition.

use burn::tensor::{Device, Tensor, TensorData};

use super::Convolution;
use super::processor::{Sizes, input_gradient, value};
use super::weight_gradient::{bias_gradient, weight_gradient};
use crate::Precision;
use crate::operation::Operation;
use crate::simd::Level;
use crate::testing::{differences, distance, numbers, values, wide};

fn convolution_cases() -> Vec<Sizes> {
    let mut cases = vec![];
    let channels = [1, 2, 3, 16, 32, 33, 48, 64];
    for (index, inputs) in channels.into_iter().enumerate() {
        for (other, outputs) in channels.into_iter().enumerate() {
            for kernel in [1, 3, 5] {
                for stride in [1, 2] {
                    let case = index + 2 * other + kernel + stride;
                    let [height, width] = [[7, 5], [1, 1], [4, 8], [2, 13]][case % 4];
                    cases.push(Sizes {
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
        cases.push(Sizes {
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
        let operation = Convolution {
            stride: sizes.stride,
            precision: Precision::F32,
        };
        let [y] = operation.reference([
            x.clone().into_dispatch(),
            w.clone().into_dispatch(),
            b.clone().into_dispatch(),
        ]);
        let y = Tensor::<4>::from_dispatch(y);
        let expected = values(y.clone());
        let gradients = (y * tensor(&gradient, output_dims)).sum().backward();
        let message = "the tensor is tracked";
        let expected_images = values(x.grad(&gradients).expect(message));
        let expected_weight = values(w.grad(&gradients).expect(message));
        let expected_bias = values(b.grad(&gradients).expect(message));

        for level in Level::available() {
            let y = value(level, &sizes, &images, &weight, &bias);
            let dx = input_gradient(level, &sizes, &weight, &gradient);
            let dw = weight_gradient(level, &sizes, &images, &gradient);
            let db = bias_gradient(sizes.outputs, &gradient);
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

/// Of numbers that bfloat16 has, products are exact in either precision.
#[test]
fn products_of_pairs_agree_with_single_ones() {
    let narrow = Level::available_narrow();
    if narrow.is_empty() {
        println!("not checked: this processor has no products of bfloat16");
    }
    let rounded = |count: usize, seed: u64| -> Vec<f32> {
        let exact = numbers(count, seed).into_iter();
        exact
            .map(|x| f32::from_bits(x.to_bits() & 0xffff_0000))
            .collect()
    };
    for sizes in convolution_cases() {
        let [height, width] = sizes.output();
        let images = rounded(sizes.batch * sizes.height * sizes.width * sizes.inputs, 1);
        let weight = rounded(sizes.kernel.pow(2) * sizes.inputs * sizes.outputs, 2);
        let gradient = rounded(sizes.batch * height * width * sizes.outputs, 4);
        let bias = numbers(sizes.outputs, 3);
        let computed = |level: Level| {
            [
                value(level, &sizes, &images, &weight, &bias),
                input_gradient(level, &sizes, &weight, &gradient),
                weight_gradient(level, &sizes, &images, &gradient),
            ]
        };
        let single = computed(Level::Plain);
        for level in &narrow {
            let double = computed(*level);
            for (name, (single, double)) in ["value", "images", "weight"]
                .into_iter()
                .zip(single.iter().zip(&double))
            {
                let distance = distance(double, single);
                assert!(distance < 3e-6, "{level:?} {sizes:?} {name}: {distance}");
            }
        }
    }
}

/// A convolution by its definition, in 64 bits.
fn direct(sizes: &Sizes, images: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
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

#[test]
fn convolution_and_its_gradients_follow_from_the_definition() {
    for stride in [1, 2] {
        let sizes = Sizes {
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
            let y = value(level, &sizes, &images, &weight, &bias);
            let dx = input_gradient(level, &sizes, &weight, &gradient);
            let dw = weight_gradient(level, &sizes, &images, &gradient);
            let db = bias_gradient(2, &gradient);
            assert!(distance(&y, &expected) < 1e-6);
            assert!(distance(&dx, &by_images) < 1e-6);
            assert!(distance(&dw, &by_weight) < 1e-6);
            assert!(distance(&db, &by_bias) < 1e-6);
        }
    }
}
