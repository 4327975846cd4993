//! The kernel of gradients of weights, part by part of the rows, and the sum of the parts.

use burn_cubecl::cubecl::{self, prelude::*};

use super::patch::{divide, multiply, of_matrix, patch, to_matrix};
use super::{ACROSS, SLAB};
use crate::graphics::{Four, Resident, numbers};

/// Patches, transposed, times gradients, for a part of the rows: the gradient of the weight and, last, of the bias.
#[cube(launch_unchecked)]
pub(super) fn scatter_product<A: Size, B: Size>(
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
    #[comptime] lines: usize,
    #[comptime] vectors: usize,
    #[comptime] batched: bool,
) {
    let units = comptime!(ACROSS * lines);
    let left_row = comptime!(2 * lines + 1);
    let right_row = comptime!(ACROSS * vectors + 1);
    let mut left = Shared::<[Four]>::new_slice(comptime!(SLAB * (2 * lines + 1)));
    let mut right = Shared::<[Four]>::new_slice(comptime!(SLAB * (ACROSS * vectors + 1)));
    let unit = UNIT_POS as u32;
    let first_depth = CUBE_POS_X * comptime!(8 * lines as u32);
    let first_column = CUBE_POS_Y * comptime!((4 * ACROSS * vectors) as u32);
    let mut first_row = CUBE_POS_Z * of_part;
    let mut item_row = 0u32.runtime();
    if comptime!(batched) {
        first_row = 0u32.runtime();
        item_row = CUBE_POS_Z * rows;
    }
    let end_row = min(first_row + of_part, rows);
    let total = kernel * kernel * inputs;
    let reach = kernel / 2;
    let by_width = f32::new(1.0) / f32::cast_from(out_width);
    let by_height = f32::new(1.0) / f32::cast_from(out_height);

    // Four numbers of a patch that this unit brings, and the first of its four rows of a slab. What is behind the patch, 1 where
    // the bias is, is added when the numbers are there: whoever used them at once would wait for every single one.
    let wide = comptime!(2 * lines as u32);
    let (own, own_row) = (unit % wide, unit / wide);
    let depth = first_depth + own * 4;
    let tap = depth / inputs;
    let (tap_y, tap_x, channel) = (tap / kernel, tap % kernel, depth % inputs);
    let mut ones = Four::new(0.0);
    #[unroll]
    for j in 0..4usize {
        if comptime!(!batched) && depth + j as u32 == total {
            ones.insert(j, 1.0);
        }
    }

    let shares = comptime!(16 * vectors / lines);
    let mut patches = Array::<Four>::new(4usize);
    let mut factors = Array::<Four>::new(shares);
    let mut sums = Array::<Four>::new(comptime!(8 * vectors));
    #[unroll]
    for i in 0..comptime!(8 * vectors) {
        sums[i] = Four::new(0.0);
    }
    let (line, across) = ((unit / 8) as usize, (unit % 8) as usize);

    let slabs = (end_row - first_row).div_ceil(SLAB as u32);
    for slab in 0..slabs + 1 {
        if slab > 0 {
            sync_cube();
            #[unroll]
            for i in 0..4usize {
                left[(own_row as usize + 4 * i) * left_row + own as usize] = patches[i] + ones;
            }
            #[unroll]
            for j in 0..shares {
                let share = unit as usize + j * units;
                let (row, column) = (
                    share / comptime!(ACROSS * vectors),
                    share % comptime!(ACROSS * vectors),
                );
                right[row * right_row + column] = factors[j];
            }
            sync_cube();
        }
        if slab < slabs {
            let from = first_row + slab * SLAB as u32;
            #[unroll]
            for i in 0..4usize {
                let row = from + own_row + comptime!(4 * i as u32);
                patches[i] = Four::new(0.0);
                if row < end_row {
                    let (line, column) = divide(row, out_width, by_width);
                    let (image, down) = divide(line, out_height, by_height);
                    let y = down * stride - reach;
                    let x = column * stride - reach;
                    patches[i] = patch::<A>(
                        images,
                        item_row + image * height * width,
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
            }
            #[unroll]
            for j in 0..shares {
                let share = unit + (j * units) as u32;
                let row = from + share / comptime!((ACROSS * vectors) as u32);
                let column = first_column + (share % comptime!((ACROSS * vectors) as u32)) * 4;
                factors[j] = Four::new(0.0);
                if row < end_row {
                    factors[j] = of_matrix::<B>(gradient, item_row * outputs, row, column, outputs);
                }
            }
        }
        if slab > 0 {
            multiply(&left, &right, &mut sums, line, across, lines, vectors);
        }
    }

    let down = if comptime!(batched) { total } else { total + 1 };
    let base = CUBE_POS_Z * down;
    #[unroll]
    for h in 0..vectors {
        let column = first_column + (across as u32 + comptime!((h * ACROSS) as u32)) * 4;
        #[unroll]
        for i in 0..8usize {
            let own = comptime!((i / 4) * lines * 4 + i % 4);
            let row = first_depth + (line * 4) as u32 + own as u32;
            if row < down {
                let found = sums[comptime!(i * vectors + h)];
                to_matrix::<B>(partial, base + row, column, outputs, found);
            }
        }
    }
}

/// Adds what parts found, `[parts, total]`, of two tensors, of which the first has `count` numbers and both have `total`.
pub(in crate::graphics) fn launch_sum_of_parts(
    partial: Resident,
    [first, second]: [&Resident; 2],
    parts: usize,
    [count, total]: [usize; 2],
) {
    let client = partial.client.clone();
    // Safety: every index is checked against the counts, which are those of the tensors.
    unsafe {
        sum_of_parts::launch_unchecked(
            &client,
            CubeCount::Static(total.div_ceil(32) as u32, 1, 1),
            CubeDim::new_1d(256),
            numbers(partial),
            numbers(first.clone()),
            numbers(second.clone()),
            parts as u32,
            count as u32,
            total as u32,
        );
    }
}

/// Adds what parts found of two tensors that lie one behind the other: 32 numbers a cube, whose parts eight units share.
#[cube(launch_unchecked)]
fn sum_of_parts(
    partial: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    parts: u32,
    count: u32,
    total: u32,
) {
    let mut sums = Shared::<[f32]>::new_slice(256usize);
    let unit = UNIT_POS as u32;
    let place = CUBE_POS_X * 32 + unit % 32;
    let mut sum = f32::new(0.0);
    if place < total {
        let mut part = unit / 32;
        while part < parts {
            sum += partial[(part * total + place) as usize];
            part += 8;
        }
    }
    sums[unit as usize] = sum;
    sync_cube();
    if unit < 32 && place < total {
        #[unroll]
        for other in 1..8usize {
            sum += sums[unit as usize + 32 * other];
        }
        if place < count {
            first[place as usize] = sum;
        } else {
            second[(place - count) as usize] = sum;
        }
    }
}
