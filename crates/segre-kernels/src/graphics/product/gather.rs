//! The kernel of values and of gradients of images.

use burn_cubecl::cubecl::{self, prelude::*};

use super::patch::{BEYOND, multiply, of_matrix, patch, to_matrix};
use super::{ACROSS, SLAB};
use crate::graphics::Four;

/// Patches times a weight, plus a bias; with `back`, the gradient of the images from that of the products.
#[cube(launch_unchecked)]
pub(super) fn gather_product<A: Size, B: Size, C: Size>(
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
    #[comptime] lines: usize,
    #[comptime] vectors: usize,
    #[comptime] back: bool,
    #[comptime] strided: bool,
    #[comptime] rectify: bool,
    #[comptime] batched: bool,
) {
    let units = comptime!(ACROSS * lines);
    let left_row = comptime!(2 * lines + 1);
    let right_row = comptime!(ACROSS * vectors + 1);
    let mut left = Shared::<[Four]>::new_slice(comptime!(SLAB * (2 * lines + 1)));
    let mut right = Shared::<[Four]>::new_slice(comptime!(SLAB * (ACROSS * vectors + 1)));
    let unit = UNIT_POS as u32;
    let mut first_row = (CUBE_POS_Z * CUBE_COUNT_X + CUBE_POS_X) * comptime!(8 * lines as u32);
    let first_column = CUBE_POS_Y * comptime!((4 * ACROSS * vectors) as u32);
    let total = kernel * kernel * inputs;
    // Products of a batch have rows and a matrix of their own.
    let mut item_row = 0u32.runtime();
    let mut item_weight = 0u32.runtime();
    if comptime!(batched) {
        first_row = CUBE_POS_X * comptime!(8 * lines as u32);
        item_row = CUBE_POS_Z * rows;
        item_weight = CUBE_POS_Z * inputs * outputs;
    }
    let reach = kernel / 2;

    // Four rows whose patches this unit brings, and the four numbers of a slab that it brings of each.
    let (own_depth, own_rows) = ((unit % 4) * 4, (unit / 4) * 4);
    let mut bases = Array::<u32>::new(4usize);
    let mut ys = Array::<u32>::new(4usize);
    let mut xs = Array::<u32>::new(4usize);
    #[unroll]
    for i in 0..4usize {
        let row = first_row + own_rows + i as u32;
        let image = row / (out_height * out_width);
        let within = row - image * out_height * out_width;
        let (y, x) = (within / out_width, within % out_width);
        bases[i] = item_row + image * height * width;
        if comptime!(back) {
            ys[i] = select(row < rows, y + reach, BEYOND.runtime());
            xs[i] = x + reach;
        } else {
            ys[i] = select(row < rows, y * stride - reach, BEYOND.runtime());
            xs[i] = x * stride - reach;
        }
    }
    // Tap and channel of the unit's first number in the slab.
    let mut channel = own_depth;
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

    let shares = comptime!(if back { 4 } else { 16 * vectors / lines });
    let mut patches = Array::<Four>::new(4usize);
    let mut factors = Array::<Four>::new(shares);
    let mut sums = Array::<Four>::new(comptime!(8 * vectors));
    #[unroll]
    for i in 0..comptime!(8 * vectors) {
        sums[i] = Four::new(0.0);
    }
    let (line, across) = ((unit / 8) as usize, (unit % 8) as usize);

    let slabs = total.div_ceil(SLAB as u32);
    for slab in 0..slabs + 1 {
        // What was brought for this slab goes into shared memory, and the next one is brought.
        if slab > 0 {
            sync_cube();
            let at = (unit % 4) * 4;
            #[unroll]
            for k in 0..4usize {
                let mut column = Four::new(patches[0usize].extract(k));
                column.insert(1usize, patches[1usize].extract(k));
                column.insert(2usize, patches[2usize].extract(k));
                column.insert(3usize, patches[3usize].extract(k));
                left[(at as usize + k) * left_row + (unit / 4) as usize] = column;
            }
            if comptime!(back) {
                if unit < comptime!((4 * ACROSS * vectors) as u32) {
                    #[unroll]
                    for k in 0..4usize {
                        let mut column = Four::new(factors[0usize].extract(k));
                        column.insert(1usize, factors[1usize].extract(k));
                        column.insert(2usize, factors[2usize].extract(k));
                        column.insert(3usize, factors[3usize].extract(k));
                        right[(at as usize + k) * right_row + (unit / 4) as usize] = column;
                    }
                }
            } else {
                #[unroll]
                for j in 0..shares {
                    let share = unit as usize + j * units;
                    let (row, column) = (
                        share / comptime!(ACROSS * vectors),
                        share % comptime!(ACROSS * vectors),
                    );
                    right[row * right_row + column] = factors[j];
                }
            }
            sync_cube();
        }
        if slab < slabs {
            let depth = slab * SLAB as u32 + own_depth;
            #[unroll]
            for i in 0..4usize {
                patches[i] = patch::<A>(
                    images, bases[i], ys[i], xs[i], tap_y, tap_x, channel, depth, height, width,
                    inputs, kernel, stride, back, strided,
                );
            }
            if comptime!(back) {
                let column = first_column + (unit / 4) * 4;
                if unit < comptime!((4 * ACROSS * vectors) as u32) {
                    let lanes = B::value();
                    #[unroll]
                    for i in 0..4usize {
                        let own = column + i as u32;
                        let mut found = Four::new(0.0);
                        if comptime!(lanes == 4) {
                            if own < outputs && depth < total {
                                let row = (tap_y * kernel + tap_x) * outputs + own;
                                found = Vector::cast_from(
                                    weight[((item_weight + row * inputs + channel) / 4) as usize],
                                );
                            }
                        } else {
                            #[unroll]
                            for k in 0..4usize {
                                let at = depth + k as u32;
                                if own < outputs && at < total {
                                    let row = (at / inputs) * outputs + own;
                                    let at = item_weight + row * inputs + at % inputs;
                                    let number = weight[at as usize];
                                    found.insert(k, number.extract(0usize));
                                }
                            }
                        }
                        factors[i] = found;
                    }
                }
            } else {
                #[unroll]
                for j in 0..shares {
                    let share = unit + (j * units) as u32;
                    let row = slab * SLAB as u32 + share / comptime!((ACROSS * vectors) as u32);
                    let column = first_column + (share % comptime!((ACROSS * vectors) as u32)) * 4;
                    factors[j] = Four::new(0.0);
                    if row < total {
                        factors[j] = of_matrix::<B>(weight, item_weight, row, column, outputs);
                    }
                }
            }
            channel += SLAB as u32;
            while channel >= inputs && tap_y < kernel {
                channel -= inputs;
                tap_x += 1;
                if tap_x == kernel {
                    tap_x = 0u32.runtime();
                    tap_y += 1;
                }
            }
        }
        if slab > 0 {
            multiply(&left, &right, &mut sums, line, across, lines, vectors);
        }
    }

    #[unroll]
    for h in 0..vectors {
        let column = first_column + (across as u32 + comptime!((h * ACROSS) as u32)) * 4;
        let mut shift = Four::new(0.0);
        if comptime!(!back && !batched) {
            #[unroll]
            for j in 0..4usize {
                if column + (j as u32) < outputs {
                    shift.insert(j, bias[(column + j as u32) as usize]);
                }
            }
        }
        #[unroll]
        for i in 0..8usize {
            let own = comptime!((i / 4) * lines * 4 + i % 4);
            let row = first_row + (line * 4) as u32 + own as u32;
            let mut found = sums[comptime!(i * vectors + h)] + shift;
            if comptime!(rectify) {
                #[unroll]
                for j in 0..4usize {
                    // What is not a number stays.
                    if found.extract(j) < 0.0 {
                        found.insert(j, 0.0);
                    }
                }
            }
            if row < rows {
                to_matrix::<C>(output, item_row + row, column, outputs, found);
            }
        }
    }
}
