//! What the kernels of products share: patches of images, rows of matrices, and the product of two slabs.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{ACROSS, SLAB};
use crate::graphics::Four;

/// What no pixel is at.
pub(in crate::graphics) const NOWHERE: u32 = u32::MAX;
/// A coordinate beyond every image.
pub(in crate::graphics) const BEYOND: u32 = 1 << 30;

/// Quotient and rest, given the divisor's inverse: a division of whole numbers costs as much as ten products.
#[cube]
pub(in crate::graphics) fn divide(number: u32, divisor: u32, inverse: f32) -> (u32, u32) {
    // The guess is off by one at most, so the rest is at most one divisor out, below 0 as large as numbers are.
    let guess = u32::cast_from(f32::cast_from(number) * inverse);
    let rest = number - guess * divisor;
    let below = rest >= (1u32 << 31);
    let above = !below && rest >= divisor;
    let quotient = select(below, guess - 1, select(above, guess + 1, guess));
    let rest = select(below, rest + divisor, select(above, rest - divisor, rest));
    (quotient, rest)
}

/// The pixel that a row of the product sees at a tap.
///
/// With `back`, rows are pixels of the images and taps lead to the products that saw them.
#[cube]
fn pixel(
    y: u32,
    x: u32,
    tap_y: u32,
    tap_x: u32,
    height: u32,
    width: u32,
    stride: u32,
    #[comptime] back: bool,
    #[comptime] strided: bool,
) -> u32 {
    let mut place = NOWHERE.runtime();
    if comptime!(back && !strided) {
        let (row, column) = (y - tap_y, x - tap_x);
        if row < height && column < width {
            place = row * width + column;
        }
    } else if comptime!(back) {
        let (v, u) = (y - tap_y, x - tap_x);
        let (row, column) = (v / stride, u / stride);
        if row < height && column < width && row * stride == v && column * stride == u {
            place = row * width + column;
        }
    } else {
        let (row, column) = (y + tap_y, x + tap_x);
        if row < height && column < width {
            place = row * width + column;
        }
    }
    place
}

/// Four numbers of a row's patch, at `depth` and behind it, of which the first is `channel` of a tap.
#[cube]
pub(in crate::graphics) fn patch<N: Size>(
    images: &[Vector<f32, N>],
    base: u32,
    y: u32,
    x: u32,
    tap_y: u32,
    tap_x: u32,
    channel: u32,
    depth: u32,
    height: u32,
    width: u32,
    inputs: u32,
    kernel: u32,
    stride: u32,
    #[comptime] back: bool,
    #[comptime] strided: bool,
) -> Four {
    let lanes = N::value();
    let mut found = Four::new(0.0);
    if comptime!(lanes == 4) {
        let place = pixel(y, x, tap_y, tap_x, height, width, stride, back, strided);
        if place != NOWHERE && tap_y < kernel {
            found = Vector::cast_from(images[(((base + place) * inputs + channel) / 4) as usize]);
        }
    } else {
        #[unroll]
        for j in 0..4usize {
            let at = depth + j as u32;
            let tap = at / inputs;
            let (row, column) = (tap / kernel, tap % kernel);
            let place = pixel(y, x, row, column, height, width, stride, back, strided);
            if place != NOWHERE && row < kernel {
                let number = images[((base + place) * inputs + at % inputs) as usize];
                found.insert(j, number.extract(0usize));
            }
        }
    }
    found
}

/// Four numbers of a row of a matrix, which begins at `base`, 0 beyond its columns.
#[cube]
pub(in crate::graphics) fn of_matrix<N: Size>(
    matrix: &[Vector<f32, N>],
    base: u32,
    row: u32,
    column: u32,
    columns: u32,
) -> Four {
    let lanes = N::value();
    let mut found = Four::new(0.0);
    if comptime!(lanes == 4) {
        if column < columns {
            found = Vector::cast_from(matrix[((base + row * columns + column) / 4) as usize]);
        }
    } else {
        #[unroll]
        for j in 0..4usize {
            if column + (j as u32) < columns {
                let number = matrix[(base + row * columns + column + j as u32) as usize];
                found.insert(j, number.extract(0usize));
            }
        }
    }
    found
}

/// Writes four numbers of a row of a matrix, as far as it has columns.
#[cube]
pub(in crate::graphics) fn to_matrix<N: Size>(
    matrix: &mut [Vector<f32, N>],
    row: u32,
    column: u32,
    columns: u32,
    numbers: Four,
) {
    let lanes = N::value();
    if comptime!(lanes == 4) {
        if column < columns {
            matrix[((row * columns + column) / 4) as usize] = Vector::cast_from(numbers);
        }
    } else {
        #[unroll]
        for j in 0..4usize {
            if column + (j as u32) < columns {
                matrix[(row * columns + column + j as u32) as usize] =
                    Vector::new(numbers.extract(j));
            }
        }
    }
}

/// Adds the product of a slab to a unit's part of the tile.
#[cube]
pub(super) fn multiply(
    left: &Shared<[Four]>,
    right: &Shared<[Four]>,
    sums: &mut Array<Four>,
    line: usize,
    across: usize,
    #[comptime] lines: usize,
    #[comptime] vectors: usize,
) {
    let left_row = comptime!(2 * lines + 1);
    let right_row = comptime!(ACROSS * vectors + 1);
    for k in 0..SLAB {
        let upper = left[k * left_row + line];
        let lower = left[k * left_row + lines + line];
        #[unroll]
        for h in 0..vectors {
            let factor = right[k * right_row + across + h * ACROSS];
            #[unroll]
            for i in 0..4usize {
                let at = comptime!(i * vectors + h);
                sums[at] = fma(Four::new(upper.extract(i)), factor, sums[at]);
                let at = comptime!((4 + i) * vectors + h);
                sums[at] = fma(Four::new(lower.extract(i)), factor, sums[at]);
            }
        }
    }
}
