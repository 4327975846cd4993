//! Fragments of tiles: their products, and their way back to shared memory.

use burn_cubecl::cubecl::{self, cmma, prelude::*};

use super::{Narrow, ROWS, SLAB, SLAB_ROW, STAGE};
use crate::graphics::Four;

/// An accumulator for each fragment of a plane's part of the tile.
#[cube]
pub(super) fn accumulators(#[comptime] columns: usize) -> Sequence<cmma::Matrix<f32>> {
    let mut sums = Sequence::<cmma::Matrix<f32>>::new();
    #[unroll]
    for _ in 0..comptime!(2 * (columns / 16)) {
        sums.push(cmma::Matrix::<f32>::from_value(
            cmma::MatrixIdent::Accumulator,
            16usize,
            16usize,
            16usize,
            cmma::MatrixLayout::Undefined,
            0.0,
        ));
    }
    sums
}

/// Adds the product of a slab to a plane's part of the tile.
///
/// `left` is `[rows, slab]`, or `[slab, rows]` if it is `turned`; `right` is `[columns, slab]` with `back`, else `[slab, columns]`.
#[cube]
pub(super) fn multiply(
    left: &Shared<[Narrow]>,
    right: &Shared<[Narrow]>,
    sums: &Sequence<cmma::Matrix<f32>>,
    plane: usize,
    #[comptime] columns: usize,
    #[comptime] turned: bool,
    #[comptime] back: bool,
) {
    let across = comptime!(columns / 16);
    #[unroll]
    for k in 0..comptime!(SLAB / 16) {
        let mut factors = Sequence::<cmma::Matrix<Narrow>>::new();
        #[unroll]
        for j in 0..across {
            if comptime!(back) {
                let from = comptime!(j * 16 * SLAB_ROW + k * 4);
                factors.push(cmma::Matrix::<Narrow>::from_slice(
                    cmma::MatrixIdent::B,
                    16usize,
                    16usize,
                    16usize,
                    cmma::MatrixLayout::ColMajor,
                    &right[from..comptime!(columns * SLAB_ROW)],
                    comptime!(4 * SLAB_ROW as u32),
                ));
            } else {
                let from = comptime!(k * 16 * (columns / 4 + 2) + j * 4);
                factors.push(cmma::Matrix::<Narrow>::from_slice(
                    cmma::MatrixIdent::B,
                    16usize,
                    16usize,
                    16usize,
                    cmma::MatrixLayout::RowMajor,
                    &right[from..comptime!(SLAB * (columns / 4 + 2))],
                    comptime!(columns as u32 + 8),
                ));
            }
        }
        #[unroll]
        for i in 0..2usize {
            if comptime!(turned) {
                let from = comptime!(k * 16 * (ROWS / 4 + 2)) + plane * 8 + comptime!(i * 4);
                let own = cmma::Matrix::<Narrow>::from_slice(
                    cmma::MatrixIdent::A,
                    16usize,
                    16usize,
                    16usize,
                    cmma::MatrixLayout::ColMajor,
                    &left[from..comptime!(SLAB * (ROWS / 4 + 2))],
                    comptime!(ROWS as u32 + 8),
                );
                #[unroll]
                for j in 0..across {
                    let sum = &sums[comptime!(i * across + j)];
                    cmma::execute(&own, &factors[j], sum, sum);
                }
            } else {
                let from = (plane * 32 + comptime!(i * 16)) * SLAB_ROW + comptime!(k * 4);
                let own = cmma::Matrix::<Narrow>::from_slice(
                    cmma::MatrixIdent::A,
                    16usize,
                    16usize,
                    16usize,
                    cmma::MatrixLayout::RowMajor,
                    &left[from..comptime!(ROWS * SLAB_ROW)],
                    comptime!(4 * SLAB_ROW as u32),
                );
                #[unroll]
                for j in 0..across {
                    let sum = &sums[comptime!(i * across + j)];
                    cmma::execute(&own, &factors[j], sum, sum);
                }
            }
        }
    }
}

/// Half of every plane's part of the tile into shared memory, `[planes · 16, columns]`: the whole stays below 48 KiB.
#[cube]
pub(super) fn set_down(
    sums: &Sequence<cmma::Matrix<f32>>,
    tile: &mut Shared<[Four]>,
    plane: usize,
    #[comptime] columns: usize,
    #[comptime] half: usize,
) {
    let across = comptime!(columns / 16);
    // The other half has been read.
    sync_cube();
    #[unroll]
    for j in 0..across {
        let from = plane * comptime!(16 * (columns / 4)) + comptime!(j * 4);
        cmma::store(
            &mut tile[from..comptime!(STAGE * (columns / 4))],
            &sums[comptime!(half * across + j)],
            comptime!(columns as u32),
            cmma::MatrixLayout::RowMajor,
        );
    }
    sync_cube();
}

/// Numbers rounded to bfloat16.
#[cube]
pub(super) fn high(numbers: Four) -> Narrow {
    Narrow::cast_from(numbers)
}

/// What rounding to bfloat16 leaves, rounded to bfloat16 as well: both together have 16 digits of 24.
#[cube]
pub(super) fn low(numbers: Four) -> Narrow {
    Narrow::cast_from(numbers - Four::cast_from(Narrow::cast_from(numbers)))
}
