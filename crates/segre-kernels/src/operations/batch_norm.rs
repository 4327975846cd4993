//! Batch normalisation of rows: group normalisation of one image whose pixels are the rows, every column a group.

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, module};

use super::group_norm::processor::{self, EPSILON, Sizes, Statistics};
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::simd::Level;

/// Batch normalisation in training: every column less its mean, over the root of its (biased) variance and `1e-5`.
/// Returns also mean and variance, which pass no gradient on.
///
/// # Shapes
/// `input [rows, columns]`, `scale [columns]`, `shift [columns]` → as `input`, `[columns]`, `[columns]`.
pub fn batch_norm(
    input: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
) -> (Tensor<2>, Tensor<1>, Tensor<1>) {
    let inputs = [
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ];
    let [output, mean, variance] = apply(BatchNorm, inputs);
    (
        Tensor::from_dispatch(output),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}

/// See [`batch_norm`].
#[derive(Clone, Copy, Debug)]
struct BatchNorm;

fn sizes([rows, columns]: [usize; 2]) -> Sizes {
    Sizes {
        batch: 1,
        sites: rows,
        channels: columns,
        groups: columns,
        activate: false,
    }
}

impl Operation<3, 3> for BatchNorm {
    /// The inputs, mean and inverse deviation.
    type Kept = ([Host; 3], Statistics);

    fn value(&self, inputs: [Host; 3], _: [bool; 3]) -> ([Host; 3], Self::Kept) {
        let shape: [usize; 2] = inputs[0].shape().dims();
        let [input, scale, shift] = inputs.each_ref().map(values);
        let (output, statistics) =
            processor::value(Level::detect(), &sizes(shape), input, scale, shift);
        let variance = |inverse: &f32| (f64::from(*inverse).powi(-2) - EPSILON).max(0.0) as f32;
        let variances = statistics.inverse.iter().map(variance).collect();
        let moments = [statistics.mean.clone(), variances];
        let [mean, variance] = moments.map(|numbers| tensor(numbers, [shape[1]]));
        (
            [tensor(output, shape), mean, variance],
            (inputs, statistics),
        )
    }

    fn gradients(
        &self,
        (inputs, statistics): Self::Kept,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let shape: [usize; 2] = inputs[0].shape().dims();
        let [input, scale, shift] = inputs.each_ref().map(values);
        let found = processor::gradients(
            Level::detect(),
            &sizes(shape),
            input,
            [scale, shift],
            &statistics,
            values(&gradient),
        );
        [
            wanted[0].then(|| tensor(found.images, shape)),
            wanted[1].then(|| tensor(found.scale, [shape[1]])),
            wanted[2].then(|| tensor(found.shift, [shape[1]])),
        ]
    }

    fn reference(&self, [input, scale, shift]: [Anywhere; 3]) -> [Anywhere; 3] {
        let input = Tensor::<2>::from_dispatch(input);
        let [scale, shift] = [scale, shift].map(Tensor::<1>::from_dispatch);
        let found = module::batch_norm_train(input, scale, shift, EPSILON);
        let moments = [found.mean, found.variance].map(|moment| moment.detach().into_dispatch());
        let [mean, variance] = moments;
        [found.output.into_dispatch(), mean, variance]
    }
}

#[cfg(test)]
mod tests {
    use super::BatchNorm;
    use crate::testing::{assert_forms_agree, input};

    /// Also that mean and variance pass no gradient on.
    #[test]
    fn batch_norms_agree_with_the_composed_ones() {
        for (rows, columns) in [(7, 1), (9, 16), (300, 37)] {
            let rows = input([rows, columns], 1).map(|x| 3.0 * x + 2.0);
            let inputs = [rows, input([columns], 2), input([columns], 3)];
            assert_forms_agree(&BatchNorm, &inputs, 2e-5);
        }
    }
}
