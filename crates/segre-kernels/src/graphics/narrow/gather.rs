//! The kernel of values and of gradients of images, by matrix units.

use burn_cubecl::cubecl::{self, prelude::*};

use super::fragments::{accumulators, high, low, multiply, set_down};
use super::{GROUPS, Narrow, ROWS, SLAB, SLAB_ROW, STAGE, UNITS};
use crate::graphics::Four;
use crate::graphics::product::patch::{BEYOND, of_matrix, patch, to_matrix};

/// As `gather_product`.
#[cube(launch_unchecked)]
pub(super) fn gather_narrow<A: Size, B: Size, C: Size>(
    images: &[Vector<f32, A>],
    weight: &[Vector<f32, B>],
    bias: &[f32],
    output: &mut [Vector<f32, C>],
    rows: u32,
    out_height: u32,
    out_width: u32,
    height: u32,
    width: u32,
    inputs: u32,
    outputs: u32,
    kernel: u32,
    stride: u32,
    #[comptime] columns: usize,
    #[comptime] back: bool,
    #[comptime] strided: bool,
    #[comptime] split: bool,
    #[comptime] chunked: bool,
) {
    let right_row = comptime!(if back { SLAB_ROW } else { columns / 4 + 2 });
    let (left_size, right_size) = (
        comptime!(ROWS * SLAB_ROW),
        comptime!(if back {
            columns * SLAB_ROW
        } else {
            SLAB * (columns / 4 + 2)
        }),
    );
    let mut left = Shared::<[Narrow]>::new_aligned_slice(left_size, 16usize);
    let mut right = Shared::<[Narrow]>::new_aligned_slice(right_size, 16usize);
    // What is left of the factors, where they are split.
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
    let first_row = (CUBE_POS_Z * CUBE_COUNT_X + CUBE_POS_X) * comptime!(ROWS as u32);
    let first_column = CUBE_POS_Y * comptime!(columns as u32);
    let total = kernel * kernel * inputs;
    let reach = kernel / 2;

    // Eight rows whose patches this unit brings, sixteen apart, and its four numbers of a slab.
    let (group, line) = (
        unit % comptime!(GROUPS as u32),
        unit / comptime!(GROUPS as u32),
    );
    let mut bases = Array::<u32>::new(8usize);
    let mut ys = Array::<u32>::new(8usize);
    let mut xs = Array::<u32>::new(8usize);
    #[unroll]
    for i in 0..8usize {
        let row = first_row + line + comptime!(16 * i as u32);
        let image = row / (out_height * out_width);
        let within = row - image * out_height * out_width;
        let (y, x) = (within / out_width, within % out_width);
        bases[i] = image * height * width;
        if comptime!(back) {
            ys[i] = select(row < rows, y + reach, BEYOND.runtime());
            xs[i] = x + reach;
        } else {
            ys[i] = select(row < rows, y * stride - reach, BEYOND.runtime());
            xs[i] = x * stride - reach;
        }
    }
    let mut channel = group * 4;
    let mut tap_y = 0u32.runtime();
    let mut tap_x = 0u32.runtime();
    while channel >= inputs {
        channel -= inputs;
        tap_x += 1;
        if tap_x == kernel {
            tap_x = 0u32.runtime();
            tap_y += 1;
        }
    }

    let shares = comptime!(columns / 16);
    // As they come: whoever rounded them at once would wait for each by itself.
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

    let slabs = total.div_ceil(comptime!(SLAB as u32));
    for slab in 0..slabs + 1 {
        if slab > 0 {
            sync_cube();
            #[unroll]
            for i in 0..8usize {
                let at = (line as usize + 16 * i) * SLAB_ROW + group as usize;
                left[at] = high(patches[i]);
                if comptime!(split) {
                    left_rest[at] = low(patches[i]);
                }
            }
            #[unroll]
            for j in 0..shares {
                let mut at = (line as usize + 16 * j) * right_row + group as usize;
                if comptime!(!back) {
                    let share = unit as usize + j * UNITS;
                    let (row, column) = (
                        share / comptime!(columns / 4),
                        share % comptime!(columns / 4),
                    );
                    at = row * right_row + column;
                }
                right[at] = high(factors[j]);
                if comptime!(split) {
                    right_rest[at] = low(factors[j]);
                }
            }
            sync_cube();
        }
        if slab < slabs {
            let depth = slab * comptime!(SLAB as u32) + group * 4;
            #[unroll]
            for i in 0..8usize {
                patches[i] = patch::<A>(
                    images, bases[i], ys[i], xs[i], tap_y, tap_x, channel, depth, height, width,
                    inputs, kernel, stride, back, strided,
                );
            }
            #[unroll]
            for j in 0..shares {
                let mut found = Four::new(0.0);
                if comptime!(back) {
                    let lanes = B::value();
                    let own = first_column + line + comptime!(16 * j as u32);
                    if comptime!(lanes == 4) {
                        if own < outputs && depth < total {
                            let row = (tap_y * kernel + tap_x) * outputs + own;
                            let at = (row * inputs + channel) / 4;
                            found = Vector::cast_from(weight[at as usize]);
                        }
                    } else {
                        #[unroll]
                        for k in 0..4usize {
                            let at = depth + k as u32;
                            if own < outputs && at < total {
                                let row = (at / inputs) * outputs + own;
                                let number = weight[(row * inputs + at % inputs) as usize];
                                found.insert(k, number.extract(0usize));
                            }
                        }
                    }
                } else {
                    let share = unit + comptime!((j * UNITS) as u32);
                    let own = share / comptime!(columns as u32 / 4);
                    let mut row = slab * comptime!(SLAB as u32) + own;
                    if comptime!(chunked) {
                        row = (tap_y * kernel + tap_x) * inputs + channel - group * 4 + own;
                    }
                    let column = first_column + (share % comptime!(columns as u32 / 4)) * 4;
                    if row < total {
                        found = of_matrix::<B>(weight, 0, row, column, outputs);
                    }
                }
                factors[j] = found;
            }
            if comptime!(chunked) {
                // All taps of some channels one after the other: what the next tap sees is still near.
                tap_x += 1;
                if tap_x == kernel {
                    tap_x = 0u32.runtime();
                    tap_y += 1;
                    if tap_y == kernel {
                        tap_y = 0u32.runtime();
                        channel += comptime!(SLAB as u32);
                    }
                }
            } else {
                channel += comptime!(SLAB as u32);
                while channel >= inputs && tap_y < kernel {
                    channel -= inputs;
                    tap_x += 1;
                    if tap_x == kernel {
                        tap_x = 0u32.runtime();
                        tap_y += 1;
                    }
                }
            }
        }
        if slab > 0 {
            if comptime!(split) {
                multiply(&left_rest, &right, &sums, plane, columns, false, back);
                multiply(&left, &right_rest, &sums, plane, columns, false, back);
            }
            multiply(&left, &right, &sums, plane, columns, false, back);
        }
    }

    let wide = comptime!(columns as u32 / 4);
    let column = first_column + (unit % wide) * 4;
    let mut shift = Four::new(0.0);
    if comptime!(!back) {
        #[unroll]
        for j in 0..4usize {
            if column + (j as u32) < outputs {
                shift.insert(j, bias[(column + j as u32) as usize]);
            }
        }
    }
    // Every plane sets down half of its rows at a time.
    #[unroll]
    for half in 0..2usize {
        set_down(&sums, &mut tile, plane, columns, half);
        let mut own = unit / wide;
        while own < comptime!(STAGE as u32) {
            let row = first_row + (own / 16) * 32 + comptime!(16 * half as u32) + own % 16;
            let at = own as usize * comptime!(columns / 4) + (unit % wide) as usize;
            if row < rows {
                to_matrix::<C>(output, row, column, outputs, tile[at] + shift);
            }
            own += comptime!((4 * UNITS / columns) as u32);
        }
    }
}
