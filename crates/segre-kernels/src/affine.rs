//! An affine map of rows, cut off below 0 if wanted, as an operation.

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, into_values, tensor, values};
use super::product::{self, ROWS, Sizes};
use super::simd::Level;
use super::sums::sums_of_rows;

/// See [`super::affine`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    /// Whether `max(0, ·)` follows.
    pub rectify: bool,
}

impl Operation<3> for Affine {
    /// The output, where it says what was cut off.
    type Kept = Option<Host>;

    fn value(&self, [input, weight, bias]: &[Host; 3]) -> (Host, Self::Kept) {
        let sizes = sizes(weight);
        let [rows, _] = input.shape().dims();
        let (input, weight, bias) = (values(input), values(weight), values(bias));
        let output = product::value(Level::detect(), sizes, input, weight, bias, self.rectify);
        let output = tensor(output, [rows, sizes.outputs]);
        let kept = self.rectify.then(|| output.clone());
        (output, kept)
    }

    fn gradients(
        &self,
        [input, weight, _]: &[Host; 3],
        kept: &Self::Kept,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let (level, sizes) = (Level::detect(), sizes(weight));
        let Sizes { inputs, outputs } = sizes;
        let gradient = match kept {
            Some(output) => cut(gradient, values(output), outputs),
            None => gradient,
        };
        let [rows, _] = gradient.shape().dims();
        let gradient = values(&gradient);
        let by_input = wanted[0].then(|| {
            let found = product::input_gradient(level, sizes, values(weight), gradient);
            tensor(found, [rows, inputs])
        });
        let by_weight = wanted[1].then(|| {
            let found = product::weight_gradient(level, sizes, values(input), gradient);
            tensor(found, [inputs, outputs])
        });
        let by_bias = wanted[2].then(|| tensor(sums_of_rows(gradient, outputs, ROWS), [outputs]));
        [by_input, by_weight, by_bias]
    }
}

fn sizes(weight: &Host) -> Sizes {
    let [inputs, outputs] = weight.shape().dims();
    Sizes { inputs, outputs }
}

/// The gradient where the output is not cut off.
fn cut(gradient: Host, output: &[f32], columns: usize) -> Host {
    let shape: [usize; 2] = gradient.shape().dims();
    let mut gradient = into_values(gradient);
    gradient
        .par_chunks_mut(ROWS * columns)
        .zip(output.par_chunks(ROWS * columns))
        .for_each(|(gradient, output)| {
            for (g, y) in gradient.iter_mut().zip(output) {
                *g = if *y <= 0.0 { 0.0 } else { *g };
            }
        });
    tensor(gradient, shape)
}
