//! The products of `product.rs` by matrix units, of factors rounded to bfloat16; sums have 32 bits.
//!
//! A cube has four planes of 32 units and a tile of 128 rows; each plane has 32 of them, as fragments of 16 × 16.

use burn::tensor::bf16;
use burn_cubecl::cubecl::{
    self, cmma,
    ir::{ElemType, FloatKind, features::MmaConfig},
    prelude::*,
};

use super::product::{
    BEYOND, NOWHERE, Sizes, cubes, launch_sum_of_parts, of_matrix, patch, to_matrix,
};
use super::{Four, Resident, empty, lanes, numbers};

/// Four numbers of a factor.
type Narrow = Vector<bf16, Const<4>>;

/// Length of a slab along the common axis, and its groups of four numbers.
const SLAB: usize = 32;
const GROUPS: usize = SLAB / 4;
/// Rows of a tile, units of a cube.
const ROWS: usize = 128;
const UNITS: usize = 128;
/// Groups of four numbers from a row of a slab to the next in shared memory: eight numbers more than it has.
const SLAB_ROW: usize = GROUPS + 2;
/// Cubes that keep a large processor busy.
const BUSY: usize = 528;

/// Whether the device has such matrix units, and planes of 32 units.
pub(crate) fn is_available(client: &cubecl::client::Client) -> bool {
    let properties = client.properties();
    let (narrow, wide) = (
        ElemType::Float(FloatKind::BF16),
        ElemType::Float(FloatKind::F32),
    );
    let units = MmaConfig {
        a_type: narrow,
        b_type: narrow,
        cd_type: wide,
        m: 16,
        n: 16,
        k: 16,
    };
    let planes = &properties.hardware;
    properties.features.matmul.cmma.contains(&units)
        && planes.plane_size_min == 32
        && planes.plane_size_max == 32
}

/// As [`product::value`](super::product::value).
pub(crate) fn value(
    sizes: &Sizes,
    images: Resident,
    weight: Resident,
    bias: Resident,
    shape: &[usize],
) -> Resident {
    let output = empty(&images, shape);
    let [height, width] = sizes.output;
    let rows = sizes.batch * height * width;
    let columns = if sizes.outputs > 32 { 64 } else { 32 };
    let (left, right) = (lanes(sizes.inputs), lanes(sizes.outputs));
    let client = images.client.clone();
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_narrow::launch_unchecked(
            &client,
            cubes(rows.div_ceil(ROWS), sizes.outputs.div_ceil(columns)),
            CubeDim::new_1d(UNITS as u32),
            left,
            right,
            right,
            numbers(images),
            numbers(weight),
            numbers(bias),
            numbers(output.clone()),
            rows as u32,
            height as u32,
            width as u32,
            sizes.image[0] as u32,
            sizes.image[1] as u32,
            sizes.inputs as u32,
            sizes.outputs as u32,
            sizes.kernel as u32,
            sizes.stride as u32,
            columns,
            false,
        );
    }
    output
}

/// As [`product::input_gradient`](super::product::input_gradient).
pub(crate) fn input_gradient(
    sizes: &Sizes,
    weight: Resident,
    gradient: Resident,
    shape: &[usize],
) -> Resident {
    let output = empty(&gradient, shape);
    let [height, width] = sizes.image;
    let rows = sizes.batch * height * width;
    let columns = if sizes.inputs > 32 { 64 } else { 32 };
    let (left, right) = (lanes(sizes.outputs), lanes(sizes.inputs));
    let client = gradient.client.clone();
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_narrow::launch_unchecked(
            &client,
            cubes(rows.div_ceil(ROWS), sizes.inputs.div_ceil(columns)),
            CubeDim::new_1d(UNITS as u32),
            left,
            left,
            right,
            numbers(gradient),
            numbers(weight.clone()),
            // Not read.
            numbers(weight),
            numbers(output.clone()),
            rows as u32,
            height as u32,
            width as u32,
            sizes.output[0] as u32,
            sizes.output[1] as u32,
            sizes.outputs as u32,
            sizes.inputs as u32,
            sizes.kernel as u32,
            sizes.stride as u32,
            columns,
            true,
        );
    }
    output
}

/// As [`product::weight_gradient`](super::product::weight_gradient).
pub(crate) fn weight_gradient(
    sizes: &Sizes,
    images: Resident,
    gradient: Resident,
    shape: &[usize],
) -> [Resident; 2] {
    let [height, width] = sizes.output;
    let rows = sizes.batch * height * width;
    let depth = sizes.kernel * sizes.kernel * sizes.inputs;
    let columns = if sizes.outputs > 32 { 64 } else { 32 };
    let down = (depth + 1).div_ceil(ROWS);
    let across = sizes.outputs.div_ceil(columns);
    let parts = BUSY
        .div_ceil(down * across)
        .min(rows.div_ceil(16 * SLAB))
        .max(1);
    let of_part = rows.div_ceil(parts).next_multiple_of(SLAB);
    let parts = rows.div_ceil(of_part);
    let partial = empty(&images, &[parts, depth + 1, sizes.outputs]);
    let (by_weight, by_bias) = (empty(&images, shape), empty(&images, &[sizes.outputs]));
    let client = images.client.clone();
    let (left, right) = (lanes(sizes.inputs), lanes(sizes.outputs));
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        scatter_narrow::launch_unchecked(
            &client,
            CubeCount::Static(down as u32, across as u32, parts as u32),
            CubeDim::new_1d(UNITS as u32),
            left,
            right,
            numbers(images),
            numbers(gradient),
            numbers(partial.clone()),
            rows as u32,
            height as u32,
            width as u32,
            sizes.image[0] as u32,
            sizes.image[1] as u32,
            sizes.inputs as u32,
            sizes.outputs as u32,
            sizes.kernel as u32,
            sizes.stride as u32,
            of_part as u32,
            columns,
        );
    }
    let counts = [depth * sizes.outputs, (depth + 1) * sizes.outputs];
    launch_sum_of_parts(partial, [&by_weight, &by_bias], parts, counts);
    [by_weight, by_bias]
}

/// An accumulator for each fragment of a plane's part of the tile.
#[cube]
fn accumulators(#[comptime] columns: usize) -> Sequence<cmma::Matrix<f32>> {
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
fn multiply(
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

/// A plane's part of the tile into shared memory, `[rows, columns + 4]`.
#[cube]
fn set_down(
    sums: &Sequence<cmma::Matrix<f32>>,
    tile: &mut Shared<[Four]>,
    plane: usize,
    #[comptime] columns: usize,
) {
    let across = comptime!(columns / 16);
    let row = comptime!(columns / 4 + 1);
    #[unroll]
    for i in 0..2usize {
        #[unroll]
        for j in 0..across {
            let from = (plane * 32 + comptime!(i * 16)) * row + comptime!(j * 4);
            cmma::store(
                &mut tile[from..comptime!(ROWS * (columns / 4 + 1))],
                &sums[comptime!(i * across + j)],
                comptime!(columns as u32 + 4),
                cmma::MatrixLayout::RowMajor,
            );
        }
    }
    sync_cube();
}

/// As `product::gather_product`.
#[cube(launch_unchecked)]
fn gather_narrow<A: Size, B: Size, C: Size>(
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
) {
    let right_row = comptime!(if back { SLAB_ROW } else { columns / 4 + 2 });
    let mut left = Shared::<[Narrow]>::new_aligned_slice(comptime!(ROWS * SLAB_ROW), 16usize);
    let mut right = Shared::<[Narrow]>::new_aligned_slice(
        comptime!(if back {
            columns * SLAB_ROW
        } else {
            SLAB * (columns / 4 + 2)
        }),
        16usize,
    );
    let mut tile =
        Shared::<[Four]>::new_aligned_slice(comptime!(ROWS * (columns / 4 + 1)), 16usize);
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
    let mut patches = Array::<Narrow>::new(8usize);
    let mut factors = Array::<Narrow>::new(shares);
    let sums = accumulators(columns);

    let slabs = total.div_ceil(comptime!(SLAB as u32));
    for slab in 0..slabs + 1 {
        if slab > 0 {
            sync_cube();
            #[unroll]
            for i in 0..8usize {
                left[(line as usize + 16 * i) * SLAB_ROW + group as usize] = patches[i];
            }
            #[unroll]
            for j in 0..shares {
                if comptime!(back) {
                    right[(line as usize + 16 * j) * right_row + group as usize] = factors[j];
                } else {
                    let share = unit as usize + j * UNITS;
                    let (row, column) = (
                        share / comptime!(columns / 4),
                        share % comptime!(columns / 4),
                    );
                    right[row * right_row + column] = factors[j];
                }
            }
            sync_cube();
        }
        if slab < slabs {
            let depth = slab * comptime!(SLAB as u32) + group * 4;
            #[unroll]
            for i in 0..8usize {
                patches[i] = Narrow::cast_from(patch::<A>(
                    images, bases[i], ys[i], xs[i], tap_y, tap_x, channel, depth, height, width,
                    inputs, kernel, stride, back,
                ));
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
                    let row = slab * comptime!(SLAB as u32) + share / comptime!(columns as u32 / 4);
                    let column = first_column + (share % comptime!(columns as u32 / 4)) * 4;
                    if row < total {
                        found = of_matrix::<B>(weight, 0, row, column, outputs);
                    }
                }
                factors[j] = Narrow::cast_from(found);
            }
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
        if slab > 0 {
            multiply(&left, &right, &sums, plane, columns, false, back);
        }
    }

    set_down(&sums, &mut tile, plane, columns);
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
    let mut own = unit / wide;
    while own < comptime!(ROWS as u32) {
        let at = own as usize * comptime!(columns / 4 + 1) + (unit % wide) as usize;
        if first_row + own < rows {
            to_matrix::<C>(output, first_row + own, column, outputs, tile[at] + shift);
        }
        own += comptime!((4 * UNITS / columns) as u32);
    }
}

/// As `product::scatter_product`.
#[cube(launch_unchecked)]
fn scatter_narrow<A: Size, B: Size>(
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
) {
    let left_row = comptime!(ROWS / 4 + 2);
    let right_row = comptime!(columns / 4 + 2);
    let mut left = Shared::<[Narrow]>::new_aligned_slice(comptime!(SLAB * (ROWS / 4 + 2)), 16usize);
    let mut right =
        Shared::<[Narrow]>::new_aligned_slice(comptime!(SLAB * (columns / 4 + 2)), 16usize);
    let mut tile =
        Shared::<[Four]>::new_aligned_slice(comptime!(ROWS * (columns / 4 + 1)), 16usize);
    let unit = UNIT_POS as u32;
    let plane = (unit / 32) as usize;
    let first_depth = CUBE_POS_X * comptime!(ROWS as u32);
    let first_column = CUBE_POS_Y * comptime!(columns as u32);
    let first_row = CUBE_POS_Z * of_part;
    let end_row = min(first_row + of_part, rows);
    let total = kernel * kernel * inputs;
    let reach = kernel / 2;

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
    let mut patches = Array::<Narrow>::new(8usize);
    let mut factors = Array::<Narrow>::new(shares);
    let sums = accumulators(columns);

    let slabs = (end_row - first_row).div_ceil(comptime!(SLAB as u32));
    for slab in 0..slabs + 1 {
        if slab > 0 {
            sync_cube();
            #[unroll]
            for i in 0..8usize {
                left[(own_row as usize + 4 * i) * left_row + own as usize] = patches[i];
            }
            #[unroll]
            for j in 0..shares {
                let share = unit as usize + j * UNITS;
                let (row, column) = (
                    share / comptime!(columns / 4),
                    share % comptime!(columns / 4),
                );
                right[row * right_row + column] = factors[j];
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
                    let image = row / (out_height * out_width);
                    let within = row - image * out_height * out_width;
                    let y = (within / out_width) * stride - reach;
                    let x = (within % out_width) * stride - reach;
                    found = ones
                        + patch::<A>(
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
                        );
                }
                patches[i] = Narrow::cast_from(found);
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
                factors[j] = Narrow::cast_from(found);
            }
        }
        if slab > 0 {
            multiply(&left, &right, &sums, plane, columns, true, false);
        }
    }

    set_down(&sums, &mut tile, plane, columns);
    let wide = comptime!(columns as u32 / 4);
    let column = first_column + (unit % wide) * 4;
    let base = CUBE_POS_Z * (total + 1);
    let mut own = unit / wide;
    while own < comptime!(ROWS as u32) {
        let at = own as usize * comptime!(columns / 4 + 1) + (unit % wide) as usize;
        if first_depth + own < total + 1 {
            to_matrix::<B>(partial, base + first_depth + own, column, outputs, tile[at]);
        }
        own += comptime!((4 * UNITS / columns) as u32);
    }
}
