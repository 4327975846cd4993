//! Every operation on the first graphics processor that is found, or the first by some way: its values and gradients beside the
//! processor's, and how long a convolution takes. Needs a feature such as `vulkan`.
//!
//!     cargo run --release --example graphics --features vulkan -- [check] [time] [WAY]

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use segre_kernels::{
    AdamStep, GraphicsDevice, Parameter, Precision, Recording, ResidentAdam, Scanlines,
    graphics_devices,
};

/// Largest deviation of values and of gradients, relative to the largest number.
const LIMITS: [f32; 2] = [1e-4, 1e-3];
/// The same of products of bfloat16.
const NARROW: f32 = 2e-2;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let named = |word: &str| words.iter().any(|own| own == word);
    let asked = |word: &str| named(word) || !named("check") && !named("time");
    let devices = graphics_devices();
    let by_way = devices.iter().find(|device| named(device.way));
    let Some(GraphicsDevice {
        way, name, device, ..
    }) = by_way.or(devices.first()).cloned()
    else {
        println!("no graphics processor, and no software driver: nothing is checked");
        return;
    };
    println!("{way}: {name}");
    let narrow = Precision::Bf16.is_available(&device);
    println!("matrix units of bfloat16: {narrow}");
    if asked("check") {
        let mut check = Check {
            device: device.clone(),
            failed: 0,
        };
        check.all(narrow);
        if check.failed > 0 {
            println!("{} parts are wrong", check.failed);
            std::process::exit(1);
        }
    }
    if asked("time") {
        time(&device, narrow);
    }
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

fn values(tensor: Tensor<1>) -> Vec<f32> {
    let values = tensor.into_data().try_into_vec();
    values.expect("32-bit numbers")
}

struct Check {
    device: Device,
    failed: usize,
}

impl Check {
    /// Compares a function of some inputs, of these lengths, and its gradients on both devices.
    fn agree(
        &mut self,
        name: &str,
        lengths: &[usize],
        tracked: bool,
        limits: [f32; 2],
        function: impl Fn(&[Tensor<1>]) -> Tensor<1>,
    ) {
        let on = |device: &Device| {
            let device = device.clone().autodiff();
            let leaves: Vec<Tensor<1>> = lengths
                .iter()
                .enumerate()
                .map(|(k, length)| {
                    let own = numbers(*length, 1 + k as u64);
                    let leaf = Tensor::from_floats(own.as_slice(), &device);
                    leaf.set_require_grad(tracked)
                })
                .collect();
            let found = function(&leaves);
            let weights = numbers(found.dims()[0], 99);
            let mut parts = vec![values(found.clone())];
            if tracked {
                let weights = Tensor::<1>::from_floats(weights.as_slice(), &device);
                let gradients = (found * weights).sum().backward();
                let grads = leaves.iter().filter_map(|leaf| leaf.grad(&gradients));
                parts.extend(grads.map(values));
            }
            parts
        };
        let (expected, found) = (on(&Device::flex()), on(&self.device));
        assert_eq!(expected.len(), found.len(), "{name}: gradients");
        let mut apart = vec![];
        for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.len(), expected.len());
            let size = expected.iter().fold(1e-3_f32, |size, x| size.max(x.abs()));
            let pairs = found.iter().zip(expected);
            let distance = pairs.fold(0.0_f32, |most, (a, b)| match (a - b).abs() / size {
                own if own.is_nan() => f32::INFINITY,
                own => most.max(own),
            });
            if distance > limits[part.min(1)] {
                self.failed += 1;
                apart.push(format!("{distance:.1e} WRONG"));
            } else {
                apart.push(format!("{distance:.1e}"));
            }
        }
        println!("{name}: {}", apart.join(" "));
    }

    fn all(&mut self, narrow: bool) {
        let precisions: &[(Precision, [f32; 2])] = match narrow {
            true => &[(Precision::F32, LIMITS), (Precision::Bf16, [NARROW; 2])],
            false => &[(Precision::F32, LIMITS)],
        };
        for (precision, limits) in precisions {
            for ([batch, height, width, inputs], kernel, outputs, stride) in [
                ([2, 5, 6, 7], 3, 8, 1),
                ([2, 8, 8, 32], 3, 32, 1),
                ([3, 8, 8, 64], 3, 64, 2),
                ([2, 7, 9, 12], 3, 40, 2),
                ([1, 9, 10, 32], 3, 2, 1),
                ([2, 6, 6, 96], 1, 36, 1),
                ([16, 32, 32, 32], 3, 64, 1),
                ([40, 16, 16, 8], 5, 3, 1),
            ] {
                let weight = kernel * kernel * inputs * outputs;
                let lengths = [batch * height * width * inputs, weight, outputs];
                let name = format!(
                    "convolution {precision:?} {batch}x{height}x{width}x{inputs} -> {outputs}, kernel {kernel}, stride {stride}"
                );
                self.agree(&name, &lengths, true, *limits, |of| {
                    let images = of[0].clone().reshape([batch, height, width, inputs]);
                    let weight = of[1].clone().reshape([kernel, kernel, inputs, outputs]);
                    // The processor may have no bfloat16.
                    let on_processor = segre_kernels::is_processor(&images.device());
                    let own = if on_processor {
                        Precision::F32
                    } else {
                        *precision
                    };
                    let found =
                        segre_kernels::convolution(images, weight, of[2].clone(), stride, own);
                    found.flatten(0, 3)
                });
            }
        }
        for ([batch, height, width, channels], groups, activate) in [
            ([2, 3, 5, 8], 4, true),
            ([3, 16, 16, 32], 16, true),
            ([2, 40, 40, 64], 32, true),
            ([2, 7, 3, 6], 3, false),
            ([4, 4, 4, 96], 32, true),
            ([130, 6, 7, 32], 16, true),
        ] {
            let lengths = [batch * height * width * channels, channels, channels];
            let name = format!("group norm {batch}x{height}x{width}x{channels} in {groups}");
            self.agree(&name, &lengths, true, LIMITS, |of| {
                let images = of[0].clone().reshape([batch, height, width, channels]) * 2.0 + 3.0;
                let (scale, shift) = (of[1].clone(), of[2].clone());
                segre_kernels::group_norm(images, scale, shift, groups, activate).flatten(0, 3)
            });
        }
        for (rows, inputs, outputs, rectify) in [
            (5, 7, 3, true),
            (64, 32, 128, false),
            (512, 183, 256, true),
            (1000, 64, 64, true),
        ] {
            let lengths = [rows * inputs, inputs * outputs, outputs];
            let name = format!("affine {rows} x {inputs} -> {outputs}");
            self.agree(&name, &lengths, true, LIMITS, |of| {
                let input = of[0].clone().reshape([rows, inputs]);
                let weight = of[1].clone().reshape([inputs, outputs]);
                segre_kernels::affine(input, weight, of[2].clone(), rectify).flatten(0, 1)
            });
        }
        for (rows, columns) in [(3, 7), (300, 128), (70, 33)] {
            let lengths = [rows * columns, columns, columns];
            let name = format!("layer norm {rows} x {columns}");
            self.agree(&name, &lengths, true, LIMITS, |of| {
                let input = of[0].clone().reshape([rows, columns]);
                segre_kernels::layer_norm(input, of[1].clone(), of[2].clone()).flatten(0, 1)
            });
        }
        for (batch, heads, sites, width) in [(2, 3, 5, 7), (2, 4, 16, 16), (1, 2, 70, 48)] {
            let name = format!("attention {batch}x{heads}x{sites}x{width}");
            self.agree(
                &name,
                &[batch * heads * sites * width; 3],
                true,
                LIMITS,
                |of| {
                    let [query, key, value] = [0, 1, 2]
                        .map(|k| of[k].clone().reshape([batch, heads, sites, width]) * 2.0);
                    segre_kernels::attention(query, key, value).flatten(0, 3)
                },
            );
        }
        for dims in [[2, 3, 5, 7], [3, 8, 8, 32], [2, 40, 40, 12]] {
            let count = dims.iter().product();
            let lengths = [count, dims[0] * dims[3]];
            self.agree(
                &format!("add to pixels {dims:?}"),
                &lengths,
                true,
                LIMITS,
                |of| {
                    let vectors = of[1].clone().reshape([dims[0], dims[3]]);
                    segre_kernels::add_to_pixels(of[0].clone().reshape(dims), vectors).flatten(0, 3)
                },
            );
            self.agree(&format!("enlarge {dims:?}"), &[count], true, LIMITS, |of| {
                segre_kernels::enlarge(of[0].clone().reshape(dims)).flatten(0, 3)
            });
        }
        for (height, width, labels) in [(5, 4, 2), (3, 7, 12)] {
            let positive = |count, seed| -> Vec<f32> {
                numbers(count, seed)
                    .into_iter()
                    .map(|x| (2.0 * x).exp())
                    .collect()
            };
            let sites = height * width;
            let (ratios, marginals) = (
                positive(2 * labels * labels, 10),
                positive(sites * labels, 14),
            );
            let lines = Arc::new(Scanlines::new([height, width], &ratios, &marginals));
            let name = format!("scanlines {height}x{width}x{labels}");
            self.agree(&name, &[3 * sites * labels], false, LIMITS, |of| {
                let local = of[0].clone().reshape([3, sites, labels]) * 4.0;
                segre_kernels::scanlines(local, &lines).flatten(0, 2)
            });
        }
        for dims in [[3, 2, 5], [70, 2, 91]] {
            let count: usize = dims.iter().product();
            let name = format!("matching error {dims:?}");
            self.agree(&name, &[count], true, LIMITS, |of| {
                let device = of[0].device().inner();
                let constant = |seed| {
                    let data = TensorData::new(numbers(count, seed), dims);
                    Tensor::<3>::from_data(data, &device).autodiff()
                };
                let points = burn::tensor::activation::softmax(constant(7), 2);
                let field = of[0].clone().reshape(dims);
                segre_kernels::matching_error(field, points, constant(8)).flatten(0, 1)
            });
        }
        self.adam();
        self.recording();
    }

    /// A recorded product of what is written over, beside the processor's.
    fn recording(&mut self) {
        let of = |seed| Tensor::<1>::from_floats(numbers(900, seed).as_slice(), &self.device);
        let input = of(70);
        let constant = segre_kernels::constant(&numbers(900, 71), [900], &self.device);
        let (first, recorded) =
            Recording::of(&input, || (input.clone() * constant.clone() + 1.0).exp());
        let expected = |seed| -> Vec<f32> {
            let factors = numbers(900, 71);
            let pairs = numbers(900, seed).into_iter().zip(factors);
            pairs.map(|(a, b)| (a * b + 1.0).exp()).collect()
        };
        let apart = |found: Tensor<1>, seed| {
            let pairs = values(found).into_iter().zip(expected(seed));
            pairs.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()))
        };
        let mut most = apart(first, 70);
        let Some((recording, place)) = recorded else {
            println!("recording: this device records nothing");
            return;
        };
        for seed in [72, 73] {
            segre_kernels::overwrite(&input, of(seed));
            let repeated = recording.repeat();
            most = most.max(match repeated {
                true => apart(place.clone(), seed),
                false => f32::INFINITY,
            });
        }
        let right = most < 1e-4;
        self.failed += usize::from(!right);
        println!("recording: {most:.1e}{}", if right { "" } else { " WRONG" });
    }

    /// Three steps of Adam beside the same in plain Rust.
    fn adam(&mut self) {
        let shapes = [vec![5, 7], vec![33], vec![2, 3, 4]];
        let parameters: Vec<Parameter> = shapes
            .iter()
            .enumerate()
            .map(|(k, shape)| {
                let count = shape.iter().product();
                let values = numbers(count, 40 + k as u64);
                Parameter {
                    shape: shape.clone(),
                    average: values.clone(),
                    values,
                    first: vec![0.0; count],
                    second: vec![0.0; count],
                    decays: shape.len() > 1,
                }
            })
            .collect();
        let mut expected = parameters.clone();
        let beside = Tensor::<1>::zeros([1], &self.device);
        let mut adam = ResidentAdam::new(&beside, &parameters).expect("a graphics processor");
        for k in 0..3_u64 {
            let count = k as i32 + 1;
            let step = AdamStep {
                clip: if k == 1 { 100.0 } else { 1.0 },
                betas: [0.9, 0.99],
                corrections: [
                    1.0 / (1.0 - 0.9_f32.powi(count)),
                    1.0 / (1.0 - 0.99_f32.powi(count)),
                ],
                rate: 0.01,
                epsilon: 1e-8,
                decay: 0.001,
                average: 0.25,
            };
            let gradients: Vec<Vec<f32>> = parameters
                .iter()
                .enumerate()
                .map(|(p, own)| numbers(own.values.len(), 60 + 10 * k + p as u64))
                .collect();
            let own = gradients.iter();
            let own = own.map(|own| Tensor::<1>::from_floats(own.as_slice(), &self.device));
            let gathered = adam.gather(own.collect());
            let found = values(adam.step(gathered, &step))[0];
            let square: f32 = gradients.iter().flatten().map(|g| g * g).sum();
            let scale = (step.clip / square.sqrt()).min(1.0);
            if (found / square - 1.0).abs() > 1e-4 {
                println!("adam: squared norm {found}, not {square} WRONG");
                self.failed += 1;
            }
            for (own, gradients) in expected.iter_mut().zip(&gradients) {
                for (i, g) in gradients.iter().enumerate() {
                    let g = g * scale;
                    own.first[i] = 0.9 * own.first[i] + 0.1 * g;
                    own.second[i] = 0.99 * own.second[i] + 0.01 * g * g;
                    let root = (own.second[i] * step.corrections[1]).sqrt() + step.epsilon;
                    let decay = if own.decays { step.decay } else { 0.0 };
                    own.values[i] -= step.rate * own.first[i] * step.corrections[0] / root
                        + decay * own.values[i];
                    own.average[i] += step.average * (own.values[i] - own.average[i]);
                }
            }
        }
        let apart = adam
            .read()
            .iter()
            .zip(&expected)
            .fold(0.0_f32, |most, (a, b)| {
                let of = |a: &[f32], b: &[f32]| {
                    a.iter()
                        .zip(b)
                        .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()))
                };
                most.max(of(&a.values, &b.values))
                    .max(of(&a.first, &b.first))
                    .max(of(&a.second, &b.second))
                    .max(of(&a.average, &b.average))
            });
        let view = adam.parameter::<2>(0).flatten::<1>(0, 1);
        let viewed = values(view);
        let same = viewed
            .iter()
            .zip(&expected[0].values)
            .all(|(a, b)| (a - b).abs() < 1e-5);
        let right = apart < 1e-5 && same;
        self.failed += usize::from(!right);
        println!("adam: {apart:.1e}{}", if right { "" } else { " WRONG" });
    }
}

/// Seconds of one of some queued calls: the median of five rounds.
fn seconds(mut call: impl FnMut() -> Tensor<1>) -> f64 {
    let wait = |tensor: Tensor<1>| values(tensor.narrow(0, 0, 1));
    for _ in 0..3 {
        wait(call());
    }
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            let mut last = call();
            for _ in 1..20 {
                last = call();
            }
            wait(last);
            start.elapsed().as_secs_f64() / 20.0
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[2]
}

/// Convolutions of the UNets: time and rate of the value, and of either gradient.
fn time(device: &Device, narrow: bool) {
    let mut cases = vec![];
    for batch in [64, 512] {
        for (side, inputs, outputs) in [
            (32, 32, 32),
            (32, 96, 32),
            (16, 64, 64),
            (8, 128, 64),
            (4, 64, 64),
        ] {
            cases.push(([batch, side, side, inputs], outputs));
        }
    }
    cases.push(([4, 128, 256, 64], 64));
    cases.push(([4, 128, 256, 128], 64));
    let tracking = device.clone().autodiff();
    let precisions: &[Precision] = match narrow {
        true => &[Precision::F32, Precision::Bf16],
        false => &[Precision::F32],
    };
    for (dims, outputs) in cases {
        let [batch, height, width, inputs] = dims;
        let of = |shape: [usize; 4], seed| {
            let data = TensorData::new(numbers(shape.iter().product(), seed), shape);
            Tensor::<4>::from_data(data, &tracking).require_grad()
        };
        let images = of(dims, 1);
        let weight = of([3, 3, inputs, outputs], 2);
        let bias = Tensor::<1>::zeros([outputs], &tracking).require_grad();
        let operations = 2.0 * (batch * height * width * 9 * inputs * outputs) as f64;
        for precision in precisions {
            let call = |tracked: [bool; 2]| {
                let images = match tracked[0] {
                    true => images.clone(),
                    false => Tensor::from_inner(images.clone().inner()),
                };
                let weight = match tracked[1] {
                    true => weight.clone(),
                    false => Tensor::from_inner(weight.clone().inner()),
                };
                let bias = Tensor::from_inner(bias.clone().inner());
                let found =
                    segre_kernels::convolution(images.clone(), weight.clone(), bias, 1, *precision);
                match tracked {
                    [false, false] => found.inner().flatten(0, 3),
                    [true, _] => {
                        let gradients = found.backward();
                        images.grad(&gradients).expect("a gradient").flatten(0, 3)
                    }
                    _ => {
                        let gradients = found.backward();
                        weight.grad(&gradients).expect("a gradient").flatten(0, 3)
                    }
                }
            };
            let value = seconds(|| call([false, false]));
            // A gradient's time is that of both ways less the value's.
            let by_images = seconds(|| call([true, false])) - value;
            let by_weight = seconds(|| call([false, true])) - value;
            let rate = |seconds: f64| operations / seconds / 1e12;
            println!(
                "{precision:?} {batch}x{height}x{width}x{inputs} -> {outputs}: value {:.3} ms ({:.1} TFLOP/s), gradient of the images {:.3} ms ({:.1}), of the weight {:.3} ms ({:.1})",
                1e3 * value,
                rate(value),
                1e3 * by_images,
                rate(by_images),
                1e3 * by_weight,
                rate(by_weight),
            );
        }
    }
}
