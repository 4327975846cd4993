//! Layer normalisation of rows and its gradients.

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, tensor, values};
use super::parts::by_parts;
use super::sums::{sum_of, sums_of_rows};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Rows of a task.
const ROWS: usize = 64;

/// See [`super::layer_norm`].
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerNorm;

impl Operation<3> for LayerNorm {
    /// Mean and inverse deviation of every row.
    type Kept = Vec<[f32; 2]>;

    fn value(&self, [input, scale, shift]: &[Host; 3]) -> (Host, Self::Kept) {
        let shape: [usize; 2] = input.shape().dims();
        let columns = shape[1];
        let (input, scale, shift) = (values(input), values(scale), values(shift));
        let write = |task: usize, output: &mut [f32]| {
            let input = input[task * ROWS * columns..].chunks_exact(columns);
            let rows = output.chunks_exact_mut(columns).zip(input);
            let statistics = rows.map(|(output, input)| {
                let mean = sum_of([input], |[x]| x) / columns as f32;
                let square = |[x]: [f32; 1]| (x - mean) * (x - mean);
                let variance = sum_of([input], square) / columns as f32;
                let inverse = (variance + EPSILON).sqrt().recip();
                for (((y, x), a), b) in output.iter_mut().zip(input).zip(scale).zip(shift) {
                    *y = (x - mean) * inverse * a + b;
                }
                [mean, inverse]
            });
            statistics.collect::<Vec<_>>()
        };
        let (output, statistics) = by_parts(input.len(), ROWS * columns, write);
        let statistics = statistics.into_iter().flatten().collect();
        (tensor(output, shape), statistics)
    }

    fn gradients(
        &self,
        [input, scale, _]: &[Host; 3],
        kept: &Self::Kept,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let shape: [usize; 2] = input.shape().dims();
        let columns = shape[1];
        let (input, scale, gradient) = (values(input), values(scale), values(&gradient));
        let mut by_input = vec![0.0; input.len()];
        // Gradient times normalised value, whose sums are the gradients of the scale.
        let mut products = vec![0.0; input.len()];
        by_input
            .par_chunks_mut(ROWS * columns)
            .zip(products.par_chunks_mut(ROWS * columns))
            .zip(input.par_chunks(ROWS * columns))
            .zip(gradient.par_chunks(ROWS * columns))
            .zip(kept.par_chunks(ROWS))
            .for_each(|((((by_input, products), input), gradient), kept)| {
                let rows = by_input
                    .chunks_exact_mut(columns)
                    .zip(products.chunks_exact_mut(columns))
                    .zip(input.chunks_exact(columns))
                    .zip(gradient.chunks_exact(columns));
                for ((((by_input, products), input), gradient), [mean, inverse]) in rows.zip(kept) {
                    for ((product, x), g) in products.iter_mut().zip(input).zip(gradient) {
                        *product = g * ((x - mean) * inverse);
                    }
                    // dx = inverse (h − mean(h) − n mean(h n)), h the gradient of the normalised values n.
                    let times_scale = |[g, a]: [f32; 2]| g * a;
                    let first = sum_of([gradient, scale], times_scale) / columns as f32;
                    let second = sum_of([products, scale], times_scale) / columns as f32;
                    let places = by_input.iter_mut().zip(input).zip(gradient).zip(scale);
                    for (((result, x), g), a) in places {
                        *result = inverse * (g * a - first - (x - mean) * inverse * second);
                    }
                }
            });
        [
            wanted[0].then(|| tensor(by_input, shape)),
            wanted[1].then(|| tensor(sums_of_rows(&products, columns, ROWS), [columns])),
            wanted[2].then(|| tensor(sums_of_rows(gradient, columns, ROWS), [columns])),
        ]
    }
}
