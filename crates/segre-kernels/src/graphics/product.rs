//! Products of patches of images and matrices on graphics processors: convolutions, dense layers, and their gradients.
//!
//! A convolution is a product of a matrix that is never written, `[batch · height · width, taps · inputs]`, and the weight; a
//! dense layer is a convolution of one tap over images of one pixel. Every cube of units computes a tile of the product; it
//! goes along the common axis in slabs, whose numbers the units bring from memory into registers while they multiply those
//! of the slab before, which lie in shared memory.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use super::{Four, Resident, empty, four, lanes, numbers};

/// Length of a slab along the common axis.
const SLAB: usize = 16;
/// Units side by side along the columns of a tile; each has four columns, once or twice.
const ACROSS: usize = 8;
/// What no pixel is at.
pub(super) const NOWHERE: u32 = u32::MAX;
/// A coordinate beyond every image.
pub(super) const BEYOND: u32 = 1 << 30;
/// Cubes that keep a large processor busy.
const BUSY: usize = 528;
/// Most cubes along an axis of a launch.
const MOST_CUBES: usize = 65_535;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub batch: usize,
    /// Height and width of the images, and of the output.
    pub image: [usize; 2],
    pub output: [usize; 2],
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
}

impl Sizes {
    /// Of a dense layer.
    pub fn dense(rows: usize, inputs: usize, outputs: usize) -> Self {
        Self {
            batch: rows,
            image: [1; 2],
            output: [1; 2],
            inputs,
            outputs,
            kernel: 1,
            stride: 1,
        }
    }
}

/// Units along the rows of a tile, and vectors of four columns that a unit has: large tiles where they keep the processor busy.
fn tile(rows: usize, columns: usize) -> (usize, usize) {
    let vectors = if columns > 4 * ACROSS { 2 } else { 1 };
    let large = rows.div_ceil(128) * columns.div_ceil(4 * ACROSS * vectors);
    (if large >= BUSY / 2 { 16 } else { 8 }, vectors)
}

/// Cubes for some tiles along the rows, which may be too many for one axis.
pub(super) fn cubes(rows: usize, columns: usize) -> CubeCount {
    let layers = rows.div_ceil(MOST_CUBES);
    CubeCount::Static(rows.div_ceil(layers) as u32, columns as u32, layers as u32)
}

/// `bias + x · weight` of every patch `x`, cut off below 0 if `rectify`.
pub(crate) fn value(
    sizes: &Sizes,
    images: Resident,
    weight: Resident,
    bias: Resident,
    rectify: bool,
    shape: &[usize],
) -> Resident {
    let output = empty(&images, shape);
    let [height, width] = sizes.output;
    let rows = sizes.batch * height * width;
    let (lines, vectors) = tile(rows, sizes.outputs);
    let (left, right) = (lanes(sizes.inputs), lanes(sizes.outputs));
    let client = images.client.clone();
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_product::launch_unchecked(
            &client,
            cubes(
                rows.div_ceil(8 * lines),
                sizes.outputs.div_ceil(4 * ACROSS * vectors),
            ),
            CubeDim::new_1d((ACROSS * lines) as u32),
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
            lines,
            vectors,
            false,
            rectify,
            false,
        );
    }
    output
}

/// The gradient of the images, given that of the products.
pub(crate) fn input_gradient(
    sizes: &Sizes,
    weight: Resident,
    gradient: Resident,
    shape: &[usize],
) -> Resident {
    let output = empty(&gradient, shape);
    let [height, width] = sizes.image;
    let rows = sizes.batch * height * width;
    let (lines, vectors) = tile(rows, sizes.inputs);
    let (left, right) = (lanes(sizes.outputs), lanes(sizes.inputs));
    let client = gradient.client.clone();
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_product::launch_unchecked(
            &client,
            cubes(
                rows.div_ceil(8 * lines),
                sizes.inputs.div_ceil(4 * ACROSS * vectors),
            ),
            CubeDim::new_1d((ACROSS * lines) as u32),
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
            lines,
            vectors,
            true,
            false,
            false,
        );
    }
    output
}

/// The gradients of weight and bias, given that of the products.
pub(crate) fn weight_gradient(
    sizes: &Sizes,
    images: Resident,
    gradient: Resident,
    shape: &[usize],
) -> [Resident; 2] {
    let [height, width] = sizes.output;
    let rows = sizes.batch * height * width;
    let depth = sizes.kernel * sizes.kernel * sizes.inputs;
    // The bias is the weight of a patch's last number, which is 1.
    let (lines, vectors) = (
        if depth > 64 { 16 } else { 8 },
        if sizes.outputs > 4 * ACROSS { 2 } else { 1 },
    );
    let down = (depth + 1).div_ceil(8 * lines);
    let across = sizes.outputs.div_ceil(4 * ACROSS * vectors);
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
        scatter_product::launch_unchecked(
            &client,
            CubeCount::Static(down as u32, across as u32, parts as u32),
            CubeDim::new_1d((ACROSS * lines) as u32),
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
            lines,
            vectors,
            false,
        );
    }
    let counts = [depth * sizes.outputs, (depth + 1) * sizes.outputs];
    launch_sum_of_parts(partial, [&by_weight, &by_bias], parts, counts);
    [by_weight, by_bias]
}

/// Adds what parts found, `[parts, total]`, of two tensors, of which the first has `count` numbers and both have `total`.
pub(super) fn launch_sum_of_parts(
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
) -> u32 {
    let mut place = NOWHERE.runtime();
    if comptime!(back) {
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
pub(super) fn patch<N: Size>(
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
) -> Four {
    let lanes = N::value();
    let mut found = Four::new(0.0);
    if comptime!(lanes == 4) {
        let place = pixel(y, x, tap_y, tap_x, height, width, stride, back);
        if place != NOWHERE && tap_y < kernel {
            found = Vector::cast_from(images[(((base + place) * inputs + channel) / 4) as usize]);
        }
    } else {
        #[unroll]
        for j in 0..4usize {
            let at = depth + j as u32;
            let tap = at / inputs;
            let (row, column) = (tap / kernel, tap % kernel);
            let place = pixel(y, x, row, column, height, width, stride, back);
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
pub(super) fn of_matrix<N: Size>(
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
pub(super) fn to_matrix<N: Size>(
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
fn multiply(
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

/// Patches times a weight, plus a bias; with `back`, the gradient of the images from that of the products.
#[cube(launch_unchecked)]
fn gather_product<A: Size, B: Size, C: Size>(
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
                    inputs, kernel, stride, back,
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

/// Patches, transposed, times gradients, for a part of the rows: the gradient of the weight and, last, of the bias.
#[cube(launch_unchecked)]
fn scatter_product<A: Size, B: Size>(
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

    // Four numbers of a patch that this unit brings, and the first of its four rows of a slab.
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
                left[(own_row as usize + 4 * i) * left_row + own as usize] = patches[i];
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
                    let image = row / (out_height * out_width);
                    let within = row - image * out_height * out_width;
                    let y = (within / out_width) * stride - reach;
                    let x = (within % out_width) * stride - reach;
                    patches[i] = ones
                        + patch::<A>(
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

/// Sizes of products of a batch of matrices: rows of each left one, the common axis, columns of each right one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub items: usize,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
}

/// `left · right` of every item, `[items, rows, columns]`; with `turned`, `right` is `[items, columns, inner]`.
pub(crate) fn products(sizes: Batch, left: Resident, right: Resident, turned: bool) -> Resident {
    let Batch {
        items,
        rows,
        inner,
        columns,
    } = sizes;
    let output = empty(&left, &[items, rows, columns]);
    let vectors = if columns > 4 * ACROSS { 2 } else { 1 };
    let lines = 8;
    let client = left.client.clone();
    let count = CubeCount::Static(
        rows.div_ceil(8 * lines) as u32,
        columns.div_ceil(4 * ACROSS * vectors) as u32,
        items as u32,
    );
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_product::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d((ACROSS * lines) as u32),
            lanes(inner),
            lanes(if turned { inner } else { columns }),
            lanes(columns),
            numbers(left),
            numbers(right.clone()),
            // Not read.
            numbers(right),
            numbers(output.clone()),
            rows as u32,
            1,
            1,
            1,
            1,
            inner as u32,
            columns as u32,
            1,
            1,
            lines,
            vectors,
            turned,
            false,
            true,
        );
    }
    output
}

/// `leftᵀ · right` of every item, `[items, inner, columns]`: `left` is `[items, rows, inner]`, `right` `[items, rows, columns]`.
pub(crate) fn turned_products(sizes: Batch, left: Resident, right: Resident) -> Resident {
    let Batch {
        items,
        rows,
        inner,
        columns,
    } = sizes;
    let output = empty(&left, &[items, inner, columns]);
    let vectors = if columns > 4 * ACROSS { 2 } else { 1 };
    let lines = 8;
    let client = left.client.clone();
    let count = CubeCount::Static(
        inner.div_ceil(8 * lines) as u32,
        columns.div_ceil(4 * ACROSS * vectors) as u32,
        items as u32,
    );
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        scatter_product::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d((ACROSS * lines) as u32),
            lanes(inner),
            lanes(columns),
            numbers(left),
            numbers(right),
            numbers(output.clone()),
            rows as u32,
            1,
            1,
            1,
            1,
            inner as u32,
            columns as u32,
            1,
            1,
            rows as u32,
            lines,
            vectors,
            true,
        );
    }
    output
}

/// The columns of a dense layer's weight or a convolution's kernel, as sizes for the launches above.
pub(crate) fn convolution_sizes(images: &Resident, weight: &Resident, stride: usize) -> Sizes {
    let ([batch, height, width, inputs], [kernel, columns, of_weight, outputs]) =
        (images.shape().dims(), weight.shape().dims());
    assert_eq!(
        inputs, of_weight,
        "channels of the images and of the weight"
    );
    assert!(
        kernel == columns && kernel % 2 == 1,
        "the kernel is {kernel}x{columns}"
    );
    assert!(stride > 0, "a stride of 0");
    Sizes {
        batch,
        image: [height, width],
        output: [height.div_ceil(stride), width.div_ceil(stride)],
        inputs,
        outputs,
        kernel,
        stride,
    }
}

/// The gradient where the output is above 0.
pub(crate) fn cut(gradient: Resident, output: Resident) -> Resident {
    let shape: Vec<usize> = gradient.shape().to_vec();
    let found = empty(&gradient, &shape);
    let count: usize = shape.iter().product();
    let client = gradient.client.clone();
    // Safety: units beyond the count do nothing.
    unsafe {
        cut_off::launch_unchecked(
            &client,
            super::units(count),
            CubeDim::new_1d(256),
            numbers(gradient),
            numbers(output),
            numbers(found.clone()),
            count as u32,
        );
    }
    found
}

#[cube(launch_unchecked)]
fn cut_off(gradient: &[f32], output: &[f32], found: &mut [f32], count: u32) {
    if (ABSOLUTE_POS as u32) < count {
        found[ABSOLUTE_POS] = select(output[ABSOLUTE_POS] <= 0.0, 0.0, gradient[ABSOLUTE_POS]);
    }
}
