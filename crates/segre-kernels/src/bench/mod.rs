//! What benchmarks measure: kernels with the arithmetic in them, and the machine's peak.

mod peak;

use std::hint::black_box;

use burn::tensor::Device;

use crate::Precision;
use crate::operations::convolution::weight_gradient::weight_gradient;
use crate::operations::{affine, attention, convolution, group_norm};
use crate::simd::Level;
pub use peak::peak;

/// A computation of known size, on all threads.
pub struct Kernel {
    /// Layer, sizes, and what is computed of it.
    pub name: String,
    /// Additions and multiplications of real numbers.
    pub operations: f64,
    /// Of its products.
    pub precision: Precision,
    run: Box<dyn Fn()>,
}

impl Kernel {
    /// Computes it once.
    pub fn run(&self) {
        (self.run)();
    }
}

/// The kernels of the `mnist` UNet at 64 images, one of the `cityscapes` UNet, and products of the small networks.
pub fn kernels() -> Vec<Kernel> {
    let mut found = Vec::new();
    let precisions = [Precision::F32, Precision::Bf16];
    for precision in precisions
        .into_iter()
        .filter(|own| own.is_available(&Device::flex()))
    {
        for (batch, side, inputs, outputs, kernel, stride) in [
            (64, 32, 32, 32, 3, 1),
            (64, 16, 64, 64, 3, 1),
            (64, 16, 128, 64, 3, 1),
            (64, 8, 64, 64, 3, 1),
            (64, 32, 7, 32, 3, 1),
            (64, 32, 32, 32, 3, 2),
            (64, 16, 64, 192, 1, 1),
            (1, 128, 64, 64, 3, 1),
        ] {
            let sizes = convolution::processor::Sizes {
                batch,
                height: side,
                width: side,
                inputs,
                outputs,
                kernel,
                stride,
            };
            found.extend(convolutions(sizes, precision));
        }
    }
    for (rows, inputs, outputs) in [(512, 183, 256), (512, 256, 256), (512, 640, 128)] {
        found.extend(products(rows, affine::Sizes { inputs, outputs }));
    }
    for (batch, side, channels) in [(64, 32, 32), (64, 16, 64), (64, 16, 128)] {
        found.extend(normalisations(group_norm::processor::Sizes {
            batch,
            sites: side * side,
            channels,
            groups: channels.div_ceil(2).min(32),
            activate: true,
        }));
    }
    for (heads, sites, width) in [(64, 256, 64), (4, 4096, 64)] {
        found.extend(attentions(attention::processor::Sizes {
            heads,
            sites,
            width,
        }));
    }
    found
}

/// Numbers between −1 and 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|k| (k as f32 * 0.731).sin()).collect()
}

fn convolutions(sizes: convolution::processor::Sizes, precision: Precision) -> [Kernel; 3] {
    let level = Level::of(precision);
    let [height, width] = sizes.output();
    let (inputs, outputs) = (sizes.inputs, sizes.outputs);
    let pixels = sizes.batch * height * width;
    let weights = sizes.kernel.pow(2) * inputs * outputs;
    let images = numbers(sizes.batch * sizes.height * sizes.width * inputs);
    let (weight, bias, gradient) = (
        numbers(weights),
        numbers(outputs),
        numbers(pixels * outputs),
    );
    let kernel = |what: &str, run: Box<dyn Fn()>| Kernel {
        name: format!(
            "convolution {k}x{k} of {b} x {h} x {w}, {inputs} to {outputs}, stride {s}: {what}, {precision:?}",
            k = sizes.kernel,
            b = sizes.batch,
            h = sizes.height,
            w = sizes.width,
            s = sizes.stride,
        ),
        operations: 2.0 * (pixels * weights) as f64,
        precision,
        run,
    };
    let (own_images, own_weight, own_gradient) = (images.clone(), weight.clone(), gradient.clone());
    [
        kernel(
            "value",
            Box::new(move || {
                black_box(convolution::processor::value(
                    level,
                    &sizes,
                    &own_images,
                    &own_weight,
                    &bias,
                ));
            }),
        ),
        kernel(
            "gradient of images",
            Box::new(move || {
                black_box(convolution::processor::input_gradient(
                    level,
                    &sizes,
                    &weight,
                    &own_gradient,
                ));
            }),
        ),
        kernel(
            "gradient of weights",
            Box::new(move || {
                black_box(weight_gradient(level, &sizes, &images, &gradient));
            }),
        ),
    ]
}

fn products(rows: usize, sizes: affine::Sizes) -> [Kernel; 3] {
    let level = Level::detect();
    let affine::Sizes { inputs, outputs } = sizes;
    let (input, gradient) = (numbers(rows * inputs), numbers(rows * outputs));
    let (weight, bias) = (numbers(inputs * outputs), numbers(outputs));
    let kernel = |what: &str, run: Box<dyn Fn()>| Kernel {
        name: format!("product of {rows} rows, {inputs} to {outputs}: {what}"),
        operations: 2.0 * (rows * inputs * outputs) as f64,
        precision: Precision::F32,
        run,
    };
    let (own_input, own_weight, own_gradient) = (input.clone(), weight.clone(), gradient.clone());
    [
        kernel(
            "value",
            Box::new(move || {
                black_box(affine::value(
                    level,
                    sizes,
                    [&own_input, &own_weight, &bias],
                    true,
                ));
            }),
        ),
        kernel(
            "gradient of the input",
            Box::new(move || {
                black_box(affine::input_gradient(level, sizes, &weight, &own_gradient));
            }),
        ),
        kernel(
            "gradient of the weight",
            Box::new(move || {
                black_box(affine::weight_gradient(level, sizes, &input, &gradient));
            }),
        ),
    ]
}

/// Limited by memory and exponentials: counted as twelve operations a number, to be read beside each other only.
fn normalisations(sizes: group_norm::processor::Sizes) -> [Kernel; 2] {
    let level = Level::detect();
    let count = sizes.batch * sizes.sites * sizes.channels;
    let (images, gradient) = (numbers(count), numbers(count));
    let (scale, shift) = (numbers(sizes.channels), numbers(sizes.channels));
    let (_, statistics) = group_norm::processor::value(level, &sizes, &images, &scale, &shift);
    let kernel = |what: &str, run: Box<dyn Fn()>| Kernel {
        name: format!(
            "group norm and SiLU of {} x {}, {} channels: {what}",
            sizes.batch, sizes.sites, sizes.channels
        ),
        operations: 12.0 * count as f64,
        precision: Precision::F32,
        run,
    };
    let own = (images.clone(), scale.clone(), shift.clone());
    [
        kernel(
            "value",
            Box::new(move || {
                black_box(group_norm::processor::value(
                    level, &sizes, &own.0, &own.1, &own.2,
                ));
            }),
        ),
        kernel(
            "gradients",
            Box::new(move || {
                let parts = [&scale[..], &shift];
                let found = group_norm::processor::gradients(
                    level,
                    &sizes,
                    &images,
                    parts,
                    &statistics,
                    &gradient,
                );
                black_box(found.images);
            }),
        ),
    ]
}

fn attentions(sizes: attention::processor::Sizes) -> [Kernel; 2] {
    let level = Level::detect();
    let numbers = numbers(sizes.heads * sizes.sites * sizes.width);
    let (output, logarithms) = attention::processor::value(level, &sizes, [&numbers; 3]);
    let products = 2.0 * (sizes.heads * sizes.sites.pow(2) * sizes.width) as f64;
    let kernel = |what: &str, products_of: f64, run: Box<dyn Fn()>| Kernel {
        name: format!(
            "attention of {} x {} sites, width {}: {what}",
            sizes.heads, sizes.sites, sizes.width
        ),
        operations: products_of * products,
        precision: Precision::F32,
        run,
    };
    let own = numbers.clone();
    [
        kernel(
            "value",
            2.0,
            Box::new(move || {
                black_box(attention::processor::value(level, &sizes, [&own; 3]));
            }),
        ),
        kernel(
            "gradients",
            5.0,
            Box::new(move || {
                let known = attention::processor::Known {
                    output: &output,
                    logarithms: &logarithms,
                };
                black_box(attention::processor::gradients(
                    level,
                    &sizes,
                    [&numbers; 3],
                    known,
                    &numbers,
                ));
            }),
        ),
    ]
}
