//! An affine map of rows, cut off below 0 if wanted, and its gradients: burn's products, and the rest in one pass each.

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, into_values, tensor, values};

/// Rows of a task; gradients of the bias are summed over as many, so that threads change nothing.
const ROWS: usize = 64;

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
        let mut output = Flex::float_matmul(input.clone(), weight.clone());
        let bias = values(bias);
        let rectify = self.rectify;
        let rows = output.storage_mut::<f32>();
        rows.par_chunks_mut(ROWS * bias.len()).for_each(|rows| {
            for row in rows.chunks_exact_mut(bias.len()) {
                for (y, b) in row.iter_mut().zip(bias) {
                    let sum = *y + b;
                    // What is not a number stays, and is noticed.
                    *y = if rectify && sum < 0.0 { 0.0 } else { sum };
                }
            }
        });
        let kept = rectify.then(|| output.clone());
        (output, kept)
    }

    fn gradients(
        &self,
        [input, weight, bias]: &[Host; 3],
        kept: &Self::Kept,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let [columns] = bias.shape().dims();
        let gradient = match kept {
            Some(output) => cut(gradient, values(output), columns),
            None => gradient,
        };
        let product = |left: Host, right: Host| Flex::float_matmul(left, right);
        let (by_input, by_weight) = rayon::join(
            || wanted[0].then(|| product(gradient.clone(), weight.transpose(0, 1))),
            || wanted[1].then(|| product(input.transpose(0, 1), gradient.clone())),
        );
        let by_bias = wanted[2].then(|| tensor(sums(values(&gradient), columns), [columns]));
        [by_input, by_weight, by_bias]
    }
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

/// Sums over rows.
pub(super) fn sums(rows: &[f32], columns: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = rows
        .par_chunks(ROWS * columns)
        .map(|rows| {
            let mut sums = vec![0.0; columns];
            for row in rows.chunks_exact(columns) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; columns];
    for part in parts {
        for (total, sum) in total.iter_mut().zip(part) {
            *total += sum;
        }
    }
    total
}
