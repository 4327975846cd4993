//! How fast the operations are, beside the composed ones, on one thread:
//! `cargo test --release --workspace --lib kernel::tests::timing -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use crate::kernel::{self, stock};

/// Shortest of some runs, in seconds.
fn shortest(mut run: impl FnMut()) -> f64 {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..12).map(time).fold(f64::INFINITY, f64::min)
}

/// Times of a value and of its gradients by all inputs, in milliseconds.
fn times<const N: usize>(
    inputs: &[Tensor<4>; N],
    layer: impl Fn([Tensor<4>; N]) -> Tensor<4>,
) -> [f64; 2] {
    let plain = inputs.clone().map(Tensor::inner);
    let value = shortest(|| drop(black_box(layer(plain.clone()))));
    let gradient = layer(plain.clone()).random_like(Distribution::Default);
    let both = shortest(|| {
        let inputs = inputs.clone().map(Tensor::require_grad);
        let output = layer(inputs);
        let gradient = Tensor::from_inner(gradient.clone());
        black_box((output * gradient).sum().backward());
    });
    [1e3 * value, 1e3 * (both - value)]
}

fn random(dims: [usize; 4]) -> Tensor<4> {
    Tensor::random(dims, Distribution::Default, &Device::flex().autodiff())
}

fn row(vector: Tensor<4>) -> Tensor<1> {
    vector.flatten(0, 3)
}

#[test]
#[ignore = "measures time"]
fn operations_beside_the_composed_ones() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    pool.expect("a thread").install(|| {
        for (batch, height, width, inputs, outputs, stride) in [
            (32, 32, 32, 32, 32, 1),
            (32, 16, 16, 64, 64, 1),
            (32, 16, 16, 128, 64, 1),
            (32, 8, 8, 64, 64, 1),
            (1, 128, 256, 64, 64, 1),
            (32, 32, 32, 2, 32, 1),
            (32, 32, 32, 32, 2, 1),
            (32, 32, 32, 32, 32, 2),
        ] {
            let images = random([batch, height, width, inputs]);
            let weight = random([3, 3, inputs, outputs]);
            let layer = [images, weight, random([1, 1, 1, outputs])];
            let fast = times(&layer, |[x, w, b]| kernel::convolution(x, w, row(b), stride));
            let composed = times(&layer, |[x, w, b]| stock::convolution(x, w, row(b), stride));
            let pixels = batch * height * width / stride.pow(2);
            let flops = 2e-6 * (pixels * 9 * inputs * outputs) as f64;
            println!(
                "convolution {batch} x {height} x {width}, {inputs} to {outputs}, stride {stride}: value {:.2} ms \
                 ({:.0} GFLOP/s), gradients {:.2} ms ({:.0} GFLOP/s); composed {:.2} and {:.2} ms",
                fast[0],
                flops / fast[0],
                fast[1],
                2.0 * flops / fast[1],
                composed[0],
                composed[1],
            );
        }
        for (batch, height, width, channels) in [
            (32, 32, 32, 32),
            (32, 32, 32, 64),
            (32, 16, 16, 64),
            (32, 8, 8, 64),
            (1, 128, 256, 64),
        ] {
            let images = random([batch, height, width, channels]);
            let layer = [images, random([1, 1, 1, channels]), random([1, 1, 1, channels])];
            let fast = times(&layer, |[x, a, b]| {
                kernel::group_norm(x, row(a), row(b), 32, true)
            });
            let composed = times(&layer, |[x, a, b]| {
                stock::group_norm(x, row(a), row(b), 32, true)
            });
            let moved = 4e-6 * (batch * height * width * channels) as f64;
            println!(
                "group norm {batch} x {height} x {width}, {channels}: value {:.2} ms ({:.0} GB/s), gradients {:.2} ms \
                 ({:.0} GB/s); composed {:.2} and {:.2} ms",
                fast[0],
                2.0 * moved / fast[0],
                fast[1],
                3.0 * moved / fast[1],
                composed[0],
                composed[1],
            );
        }
        for (batch, heads, sites, width) in [(32, 4, 64, 16), (32, 1, 256, 64), (1, 1, 4096, 64)] {
            let layer = [(); 3].map(|()| random([batch, heads, sites, width]));
            let fast = times(&layer, |[q, k, v]| kernel::attention(q, k, v));
            let composed = times(&layer, |[q, k, v]| stock::attention(q, k, v));
            let flops = 4e-6 * (batch * heads * sites * sites * width) as f64;
            println!(
                "attention {batch} x {heads} x {sites} x {width}: value {:.2} ms ({:.0} GFLOP/s), gradients {:.2} ms \
                 ({:.0} GFLOP/s); composed {:.2} and {:.2} ms",
                fast[0],
                flops / fast[0],
                fast[1],
                2.5 * flops / fast[1],
                composed[0],
                composed[1],
            );
        }
    });
}
