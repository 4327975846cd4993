//! Sums of some rows of a table, as many for every example: embeddings of labels.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Int, Tensor, TensorData};

use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;

/// Examples of a task.
const EXAMPLES: usize = 16;

/// `y_b = Σ_i table[indices_{b,i}]`, with `each` indices for every example.
///
/// # Shapes
/// `table [rows, width]`, `indices [examples, each]` → `[examples, width]`.
///
/// # Panics
/// For an index that is no row of the table.
pub fn sums_of_rows_at(table: Tensor<2>, indices: Arc<[u32]>, each: usize) -> Tensor<2> {
    let [sums] = apply(SumsAt { indices, each }, [table.into_dispatch()]);
    Tensor::from_dispatch(sums)
}

/// See [`sums_of_rows_at`].
#[derive(Clone, Debug)]
struct SumsAt {
    indices: Arc<[u32]>,
    each: usize,
}

impl Operation<1> for SumsAt {
    /// Shape of the table.
    type Kept = [usize; 2];

    fn value(&self, [table]: [Host; 1], _: [bool; 1]) -> ([Host; 1], [usize; 2]) {
        let shape: [usize; 2] = table.shape().dims();
        let (width, examples) = (shape[1], self.indices.len() / self.each);
        let table = values(&table);
        let write = |task: usize, sums: &mut [f32]| {
            let indices = self.indices[task * EXAMPLES * self.each..].chunks_exact(self.each);
            for (sum, indices) in sums.chunks_exact_mut(width).zip(indices) {
                for index in indices {
                    let row = &table[*index as usize * width..][..width];
                    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
                }
            }
        };
        let sums = by_parts(examples * width, EXAMPLES * width, write).0;
        ([tensor(sums, [examples, width])], shape)
    }

    fn gradients(
        &self,
        [rows, width]: [usize; 2],
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let gradient = values(&gradient).chunks_exact(width);
        let mut table = vec![0.0; rows * width];
        for (gradient, indices) in gradient.zip(self.indices.chunks_exact(self.each)) {
            for index in indices {
                let row = &mut table[*index as usize * width..][..width];
                row.iter_mut().zip(gradient).for_each(|(row, g)| *row += g);
            }
        }
        [Some(tensor(table, [rows, width]))]
    }

    fn reference(&self, [table]: [Anywhere; 1]) -> [Anywhere; 1] {
        let table = Tensor::<2>::from_dispatch(table);
        let indices: Vec<i32> = self.indices.iter().map(|index| *index as i32).collect();
        let (count, width) = (indices.len(), table.dims()[1]);
        let indices = TensorData::new(indices, [count]);
        let indices = Tensor::<1, Int>::from_data(indices, &table.device());
        let rows = table.select(0, indices);
        let rows = rows.reshape([count / self.each, self.each, width]);
        [rows.sum_dim(1).squeeze_dim::<2>(1).into_dispatch()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_forms_agree, input};

    #[test]
    fn sums_agree_with_the_composed_ones() {
        for (rows, width, examples, each) in [(1, 1, 1, 1), (5, 3, 40, 4), (9, 33, 17, 2)] {
            let indices = (0..examples * each).map(|k| (k * 7 % rows) as u32);
            let operation = SumsAt {
                indices: indices.collect(),
                each,
            };
            assert_forms_agree(&operation, &[input([rows, width], 1)], 1e-5);
        }
    }
}
