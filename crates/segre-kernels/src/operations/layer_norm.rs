//! Layer normalisation of rows.

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, module};
use rayon::prelude::*;

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, rows};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;
use crate::sums::{sum_of, sums_of_rows};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Rows of a task.
const ROWS: usize = 64;

/// Layer normalisation: every row less its mean, over the root of its (biased) variance and `1e-5`.
///
/// # Shapes
/// `input [rows, columns]`, `scale [columns]`, `shift [columns]` → as `input`.
pub fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<2> {
    let inputs = [
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ];
    let [output] = apply(LayerNorm, inputs);
    Tensor::from_dispatch(output)
}

/// See [`layer_norm`].
#[derive(Clone, Copy, Debug)]
struct LayerNorm;

/// What the gradients need.
#[derive(Clone, Debug)]
struct Kept {
    input: Host,
    scale: Host,
    /// Mean and inverse deviation of every row.
    statistics: Vec<[f32; 2]>,
}

impl Operation<3> for LayerNorm {
    type Kept = Kept;

    fn value(&self, [input, scale, shift]: [Host; 3], _: [bool; 3]) -> ([Host; 1], Kept) {
        let shape: [usize; 2] = input.shape().dims();
        let columns = shape[1];
        let (numbers, factors, shift) = (values(&input), values(&scale), values(&shift));
        let write = |task: usize, output: &mut [f32]| {
            let input = numbers[task * ROWS * columns..].chunks_exact(columns);
            let rows = output.chunks_exact_mut(columns).zip(input);
            let statistics = rows.map(|(output, input)| {
                let mean = sum_of([input], |[x]| x) / columns as f32;
                let square = |[x]: [f32; 1]| (x - mean) * (x - mean);
                let variance = sum_of([input], square) / columns as f32;
                let inverse = (variance + EPSILON).sqrt().recip();
                for (((y, x), a), b) in output.iter_mut().zip(input).zip(factors).zip(shift) {
                    *y = (x - mean) * inverse * a + b;
                }
                [mean, inverse]
            });
            statistics.collect::<Vec<_>>()
        };
        let (output, statistics) = by_parts(numbers.len(), ROWS * columns, write);
        let statistics = statistics.into_iter().flatten().collect();
        let kept = Kept {
            input,
            scale,
            statistics,
        };
        ([tensor(output, shape)], kept)
    }

    fn gradients(&self, kept: Kept, gradient: Host, wanted: [bool; 3]) -> [Option<Host>; 3] {
        let shape: [usize; 2] = kept.input.shape().dims();
        let columns = shape[1];
        let [input, scale, gradient] = [&kept.input, &kept.scale, &gradient].map(values);
        let mut by_input = vec![0.0; input.len()];
        // Gradient times normalised value, whose sums are the gradients of the scale.
        let mut products = vec![0.0; input.len()];
        by_input
            .par_chunks_mut(ROWS * columns)
            .zip(products.par_chunks_mut(ROWS * columns))
            .zip(input.par_chunks(ROWS * columns))
            .zip(gradient.par_chunks(ROWS * columns))
            .zip(kept.statistics.par_chunks(ROWS))
            .for_each(|((((by_input, products), input), gradient), statistics)| {
                let rows = by_input
                    .chunks_exact_mut(columns)
                    .zip(products.chunks_exact_mut(columns))
                    .zip(input.chunks_exact(columns))
                    .zip(gradient.chunks_exact(columns));
                for ((((by_input, products), input), gradient), [mean, inverse]) in
                    rows.zip(statistics)
                {
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

    fn reference(&self, [input, scale, shift]: [Anywhere; 3]) -> [Anywhere; 1] {
        let input = Tensor::<2>::from_dispatch(input);
        let [scale, shift] = [scale, shift].map(Tensor::<1>::from_dispatch);
        let output = module::layer_norm(input, scale, Some(shift), f64::from(EPSILON));
        [output.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for LayerNorm {
    fn value(
        &self,
        [input, scale, shift]: [Resident; 3],
        _: [bool; 3],
    ) -> ([Resident; 1], Vec<Resident>) {
        let (output, statistics) = rows::normalise([input.clone(), scale.clone(), shift]);
        ([output], vec![input, scale, statistics])
    }

    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        _: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let kept = <[Resident; 3]>::try_from(kept).expect("input, scale and statistics");
        rows::normalise_gradients(kept, gradient).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::LayerNorm;
    use crate::testing::{assert_forms_agree, input};

    #[test]
    fn layer_norms_agree_with_the_composed_ones() {
        for (rows, columns) in [(7, 1), (9, 16), (300, 37)] {
            let rows = input([rows, columns], 1).map(|x| 3.0 * x + 2.0);
            let inputs = [rows, input([columns], 2), input([columns], 3)];
            assert_forms_agree(&LayerNorm, &inputs, 2e-5);
        }
    }
}
