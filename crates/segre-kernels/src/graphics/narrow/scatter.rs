//! The kernel of gradients of weights, by matrix units.

use burn_cubecl::cubecl::{self, prelude::*};

use super::fragments::{accumulators, high, low, multiply, set_down};
use super::{Narrow, ROWS, SLAB, STAGE, UNITS};
use crate::graphics::Four;
use crate::graphics::product::patch::{divide, of_matrix, patch, to_matrix};

/// As `scatter_product`.
#[cube(launch_unchecked)]
pub(super) fn scatter_narrow<A: Size, B: Size>(
    images: &[Vector<f32, A>],
    gradient: &[Vector<f32, B>],
    partial: &mut [Vector<f32, B>],
    rows: u32,
    out_height: u32,
    out_width: u32,
    height: u32,
    width: u32,
    inputs: u32,
    outputs: u32,
    kernel: u32,
    stride: u32,
    of_part: u32,
    #[comptime] columns: usize,
    #[comptime] split: bool,
) {
    let left_row = comptime!(ROWS / 4 + 2);
    let right_row = comptime!(columns / 4 + 2);
    let (left_size, right_size) = (
        comptime!(SLAB * (ROWS / 4 + 2)),
        comptime!(SLAB * (columns / 4 + 2)),
    );
    let mut left = Shared::<[Narrow]>::new_aligned_slice(left_size, 16usize);
    let mut right = Shared::<[Narrow]>::new_aligned_slice(right_size, 16usize);
    let mut left_rest = Shared::<[Narrow]>::new_aligned_slice(
        comptime!(if split { left_size } else { 4 }),
        16usize,
    );
    let mut right_rest = Shared::<[Narrow]>::new_aligned_slice(
        comptime!(if split { right_size } else { 4 }),
        16usize,
    );
    let mut tile = Shared::<[Four]>::new_aligned_slice(comptime!(STAGE * (columns / 4)), 16usize);
    let unit = UNIT_POS as u32;
    let plane = (unit / 32) as usize;
    let first_depth = CUBE_POS_X * comptime!(ROWS as u32);
    let first_column = CUBE_POS_Y * comptime!(columns as u32);
    let first_row = CUBE_POS_Z * of_part;
    let end_row = min(first_row + of_part, rows);
    let total = kernel * kernel * inputs;
    let reach = kernel / 2;
    let by_width = f32::new(1.0) / f32::cast_from(out_width);
    let by_height = f32::new(1.0) / f32::cast_from(out_height);

    // Four numbers of a patch that this unit brings, of eight rows of a slab, four apart.
    let (own, own_row) = (
        unit % comptime!(ROWS as u32 / 4),
        unit / comptime!(ROWS as u32 / 4),
    );
    let depth = first_depth + own * 4;
    let tap = depth / inputs;
    let (tap_y, tap_x, channel) = (tap / kernel, tap % kernel, depth % inputs);
    let mut ones = Four::new(0.0);
    #[unroll]
    for j in 0..4usize {
        if depth + j as u32 == total {
            ones.insert(j, 1.0);
        }
    }

    let shares = comptime!(columns / 16);
    let mut patches = Array::<Four>::new(8usize);
    let mut factors = Array::<Four>::new(shares);
    // These are never read. They are no constants, for the compiler takes a constant vector through no cast.
    #[unroll]
    for i in 0..8usize {
        patches[i] = Four::new(f32::cast_from(rows));
    }
    #[unroll]
    for j in 0..shares {
        factors[j] = Four::new(f32::cast_from(rows));
    }
    let sums = accumulators(columns);

    let slabs = (end_row - first_row).div_ceil(comptime!(SLAB as u32));
    for slab in 0..slabs + 1 {
        if slab > 0 {
            sync_cube();
            #[unroll]
            for i in 0..8usize {
                let at = (own_row as usize + 4 * i) * left_row + own as usize;
                let found = patches[i] + ones;
                left[at] = high(found);
                if comptime!(split) {
                    left_rest[at] = low(found);
                }
            }
            #[unroll]
            for j in 0..shares {
                let share = unit as usize + j * UNITS;
                let (row, column) = (
                    share / comptime!(columns / 4),
                    share % comptime!(columns / 4),
                );
                let at = row * right_row + column;
                right[at] = high(factors[j]);
                if comptime!(split) {
                    right_rest[at] = low(factors[j]);
                }
            }
            sync_cube();
        }
        if slab < slabs {
            let from = first_row + slab * comptime!(SLAB as u32);
            #[unroll]
            for i in 0..8usize {
                let row = from + own_row + comptime!(4 * i as u32);
                let mut found = Four::new(0.0);
                if row < end_row {
                    let (line, column) = divide(row, out_width, by_width);
                    let (image, down) = divide(line, out_height, by_height);
                    let y = down * stride - reach;
                    let x = column * stride - reach;
                    found = patch::<A>(
                        images,
                        image * height * width,
                        y,
                        x,
                        tap_y,
                        tap_x,
                        channel,
                        depth,
                        height,
                        width,
                        inputs,
                        kernel,
                        stride,
                        false,
                        false,
                    );
                }
                patches[i] = found;
            }
            #[unroll]
            for j in 0..shares {
                let share = unit + comptime!((j * UNITS) as u32);
                let row = from + share / comptime!(columns as u32 / 4);
                let column = first_column + (share % comptime!(columns as u32 / 4)) * 4;
                let mut found = Four::new(0.0);
                if row < end_row {
                    found = of_matrix::<B>(gradient, 0, row, column, outputs);
                }
                factors[j] = found;
            }
        }
        if slab > 0 {
            if comptime!(split) {
                multiply(&left_rest, &right, &sums, plane, columns, true, false);
                multiply(&left, &right_rest, &sums, plane, columns, true, false);
            }
            multiply(&left, &right, &sums, plane, columns, true, false);
        }
    }

    let wide = comptime!(columns as u32 / 4);
    let column = first_column + (unit % wide) * 4;
    let base = CUBE_POS_Z * (total + 1);
    #[unroll]
    for half in 0..2usize {
        set_down(&sums, &mut tile, plane, columns, half);
        let mut own = unit / wide;
        while own < comptime!(STAGE as u32) {
            let row = first_depth + (own / 16) * 32 + comptime!(16 * half as u32) + own % 16;
            let at = own as usize * comptime!(columns / 4) + (unit % wide) as usize;
            if row < total + 1 {
                to_matrix::<B>(partial, base + row, column, outputs, tile[at]);
            }
            own += comptime!((4 * UNITS / columns) as u32);
        }
    }
}
