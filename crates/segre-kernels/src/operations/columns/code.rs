//! Rows of a table that share what they learn: each is a row of its own and a combination of common ones.

use std::ops::Range;
use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, TensorData};

use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::operations::affine::{Sizes, value, weight_gradient};
use crate::simd::Level;

/// What rows have in common: the rows of a block are `features · W` for the block's own `W`.
#[derive(Clone, Debug, Default)]
pub struct Code {
    scales: Vec<f32>,
    blocks: Vec<Block>,
    /// Common rows of all blocks.
    common: usize,
}

/// Rows with common ones.
#[derive(Clone, Debug)]
struct Block {
    rows: Range<usize>,
    common: Range<usize>,
    /// `[rows, common]`.
    features: Vec<f32>,
}

impl Code {
    /// Rows that are scaled so, and have nothing in common yet.
    pub fn new(scales: Vec<f32>) -> Self {
        Self {
            scales,
            ..Self::default()
        }
    }

    /// Has some rows share `common` further ones.
    ///
    /// # Panics
    /// If `features` is not `[rows, common]`, or the rows are none of the code's or before those of another block.
    pub fn share(&mut self, rows: Range<usize>, common: usize, features: Vec<f32>) {
        let last = self.blocks.last().map_or(0, |block| block.rows.end);
        assert!(last <= rows.start && rows.end <= self.scales.len());
        assert_eq!(features.len(), rows.len() * common, "features");
        self.blocks.push(Block {
            rows,
            common: self.common..self.common + common,
            features,
        });
        self.common += common;
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.scales.len()
    }

    /// Number of common rows of all blocks.
    pub fn common(&self) -> usize {
        self.common
    }
}

/// The table of a code: `scale_r · own_r + Σ_k features_rk · common_k`, the common rows being those of the row's block.
///
/// # Shapes
/// `own [rows, width]`, `common [common rows, width]` → `[rows, width]`.
pub fn coded_rows(code: &Arc<Code>, own: Tensor<2>, common: Tensor<2>) -> Tensor<2> {
    let inputs = [own.into_dispatch(), common.into_dispatch()];
    let [table] = apply(Coded { code: code.clone() }, inputs);
    Tensor::from_dispatch(table)
}

/// See [`coded_rows`].
#[derive(Clone, Debug)]
struct Coded {
    code: Arc<Code>,
}

impl Coded {
    fn scaled(&self, numbers: &[f32], width: usize) -> Vec<f32> {
        let rows = numbers.chunks_exact(width).zip(&self.code.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |x| x * scale))
            .collect()
    }
}

impl Operation<2> for Coded {
    /// The width.
    type Kept = usize;

    fn value(&self, [own, common]: [Host; 2], _: [bool; 2]) -> ([Host; 1], usize) {
        let [rows, width] = own.shape().dims();
        assert_eq!(rows, self.code.rows(), "rows of the table and of its code");
        let common = values(&common);
        assert_eq!(common.len(), self.code.common * width, "common rows");
        let mut table = self.scaled(values(&own), width);
        let nothing = vec![0.0; width];
        for block in &self.code.blocks {
            let inputs = block.common.len();
            let sizes = Sizes {
                inputs,
                outputs: width,
            };
            let common = &common[block.common.start * width..block.common.end * width];
            let numbers = [&block.features, common, &nothing];
            let shared = value(Level::detect(), sizes, numbers, false);
            let table = &mut table[block.rows.start * width..block.rows.end * width];
            table.iter_mut().zip(shared).for_each(|(x, y)| *x += y);
        }
        ([tensor(table, [rows, width])], width)
    }

    fn gradients(&self, width: usize, gradient: Host, wanted: [bool; 2]) -> [Option<Host>; 2] {
        let gradient = values(&gradient);
        let own = wanted[0].then(|| {
            let found = self.scaled(gradient, width);
            tensor(found, [self.code.rows(), width])
        });
        let common = wanted[1].then(|| {
            let blocks = self.code.blocks.iter().flat_map(|block| {
                let inputs = block.common.len();
                let sizes = Sizes {
                    inputs,
                    outputs: width,
                };
                let gradient = &gradient[block.rows.start * width..block.rows.end * width];
                weight_gradient(Level::detect(), sizes, &block.features, gradient)
            });
            tensor(blocks.collect(), [self.code.common, width])
        });
        [own, common]
    }

    fn reference(&self, [own, common]: [Anywhere; 2]) -> [Anywhere; 1] {
        let [own, common] = [own, common].map(Tensor::<2>::from_dispatch);
        let ([rows, width], device) = (own.dims(), own.device());
        let scales = TensorData::new(self.code.scales.clone(), [rows, 1]);
        let mut table = own * Tensor::from_data(scales, &device);
        for block in &self.code.blocks {
            let features = TensorData::new(
                block.features.clone(),
                [block.rows.len(), block.common.len()],
            );
            let features = Tensor::<2>::from_data(features, &device);
            let shared = features.matmul(common.clone().slice([block.common.clone(), 0..width]));
            let place = [block.rows.clone(), 0..width];
            let own = table.clone().slice(place.clone());
            table = table.slice_assign(place, own + shared);
        }
        [table.into_dispatch()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_forms_agree, input, numbers};

    #[test]
    fn coded_rows_agree_with_the_composed_ones() {
        let mut code = Code::new(vec![0.2, 0.2, 3.0, 1.0, 0.5, 0.5, 0.5]);
        code.share(0..2, 5, numbers(10, 1));
        code.share(4..7, 3, numbers(9, 2));
        let code = Arc::new(code);
        for width in [1, 6, 40] {
            let inputs = [input([7, width], 3), input([8, width], 4)];
            assert_forms_agree(&Coded { code: code.clone() }, &inputs, 1e-5);
        }
    }
}
