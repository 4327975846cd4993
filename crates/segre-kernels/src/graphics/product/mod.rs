//! Products of patches of images and matrices on graphics processors: convolutions, dense layers, and their gradients.
//!
//! A convolution is a product of a matrix that is never written, `[batch · height · width, taps · inputs]`, and the weight; a
//! dense layer is a convolution of one tap over images of one pixel. Every cube of units computes a tile of the product; it
//! goes along the common axis in slabs, whose numbers the units bring from memory into registers while they multiply those
//! of the slab before, which lie in shared memory.

mod batch;
mod cut;
mod gather;
pub(super) mod patch;
mod scatter;

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::prelude::*;

pub(crate) use batch::{Batch, products, turned_products};
pub(crate) use cut::cut;
pub(super) use scatter::launch_sum_of_parts;

use self::gather::gather_product;
use self::scatter::scatter_product;
use super::{Resident, empty, lanes, numbers};

/// Length of a slab along the common axis.
const SLAB: usize = 16;
/// Units side by side along the columns of a tile; each has four columns, once or twice.
const ACROSS: usize = 8;
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

    /// With images and products exchanged, as gradients of images see them.
    pub fn turned(&self) -> Self {
        Self {
            image: self.output,
            output: self.image,
            inputs: self.outputs,
            outputs: self.inputs,
            ..*self
        }
    }

    /// Rows of the product: one for every pixel of the output.
    pub fn rows(&self) -> usize {
        self.batch * self.output[0] * self.output[1]
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
    gather(
        sizes,
        [images, weight, bias, output.clone()],
        false,
        rectify,
    );
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
    // The bias is not read.
    let tensors = [gradient, weight.clone(), weight, output.clone()];
    gather(&sizes.turned(), tensors, true, false);
    output
}

/// Launches the kernel of values; with `back` that of gradients of images, of sizes that are turned.
fn gather(sizes: &Sizes, [images, weight, bias, output]: [Resident; 4], back: bool, rectify: bool) {
    let rows = sizes.rows();
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
            if back { left } else { right },
            right,
            numbers(images),
            numbers(weight),
            numbers(bias),
            numbers(output),
            rows as u32,
            sizes.output[0] as u32,
            sizes.output[1] as u32,
            sizes.image[0] as u32,
            sizes.image[1] as u32,
            sizes.inputs as u32,
            sizes.outputs as u32,
            sizes.kernel as u32,
            sizes.stride as u32,
            lines,
            vectors,
            back,
            sizes.stride > 1,
            rectify,
            false,
        );
    }
}

/// Parts of the rows whose gradients of weights are found side by side, for so many cubes with so many tiles, and the rows of each.
pub(super) fn parts_of(rows: usize, tiles: usize, slab: usize, cubes: usize) -> (usize, usize) {
    let parts = cubes.div_ceil(tiles).min(rows.div_ceil(16 * slab)).max(1);
    let of_part = rows.div_ceil(parts).next_multiple_of(slab);
    (rows.div_ceil(of_part), of_part)
}

/// The gradients of weight and bias, given that of the products.
pub(crate) fn weight_gradient(
    sizes: &Sizes,
    images: Resident,
    gradient: Resident,
    shape: &[usize],
) -> [Resident; 2] {
    let rows = sizes.rows();
    let depth = sizes.kernel * sizes.kernel * sizes.inputs;
    // The bias is the weight of a patch's last number, which is 1.
    let (lines, vectors) = (
        if depth > 64 { 16 } else { 8 },
        if sizes.outputs > 4 * ACROSS { 2 } else { 1 },
    );
    let down = (depth + 1).div_ceil(8 * lines);
    let across = sizes.outputs.div_ceil(4 * ACROSS * vectors);
    let (parts, of_part) = parts_of(rows, down * across, SLAB, BUSY);
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
            sizes.output[0] as u32,
            sizes.output[1] as u32,
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

/// The sizes of a convolution.
///
/// # Panics
/// If shapes do not go together.
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
