//! Batch normalisation of rows: group normalisation of one image whose pixels are the rows, every column a group.

use burn::backend::TensorMetadata;

use super::group_norm::{self, EPSILON, Statistics};
use super::layer::Operation;
use super::operation::{Host, tensor, values};
use super::simd::Level;

/// See [`super::batch_norm`].
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchNorm;

fn sizes([rows, columns]: [usize; 2]) -> group_norm::Sizes {
    group_norm::Sizes {
        batch: 1,
        sites: rows,
        channels: columns,
        groups: columns,
        activate: false,
    }
}

impl BatchNorm {
    /// Mean and variance of every column.
    pub fn moments(statistics: &Statistics) -> [Host; 2] {
        let variance = |inverse: &f32| (f64::from(*inverse).powi(-2) - EPSILON).max(0.0) as f32;
        let variances = statistics.inverse.iter().map(variance).collect();
        [statistics.mean.clone(), variances].map(|values| {
            let columns = values.len();
            tensor(values, [columns])
        })
    }
}

impl Operation<3> for BatchNorm {
    type Kept = Statistics;

    fn value(&self, inputs: &[Host; 3]) -> (Host, Statistics) {
        let shape: [usize; 2] = inputs[0].shape().dims();
        let [input, scale, shift] = inputs.each_ref().map(values);
        let (output, statistics) =
            group_norm::value(Level::detect(), &sizes(shape), input, scale, shift);
        (tensor(output, shape), statistics)
    }

    fn gradients(
        &self,
        inputs: &[Host; 3],
        kept: &Statistics,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let shape: [usize; 2] = inputs[0].shape().dims();
        let [input, scale, shift] = inputs.each_ref().map(values);
        let parts = [scale, shift];
        let sizes = sizes(shape);
        let gradient = values(&gradient);
        let found = group_norm::gradients(Level::detect(), &sizes, input, parts, kept, gradient);
        [
            wanted[0].then(|| tensor(found.images, shape)),
            wanted[1].then(|| tensor(found.scale, [shape[1]])),
            wanted[2].then(|| tensor(found.shift, [shape[1]])),
        ]
    }
}
