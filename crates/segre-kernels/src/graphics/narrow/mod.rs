//! The products of `product` by matrix units of bfloat16; sums have 32 bits.
//!
//! Factors are rounded to bfloat16, or split: `a = a₁ + a₂ + …` with `a₁` the number rounded to bfloat16 and `a₂` what is left,
//! rounded as well, and `a b ≈ a₁ b₁ + a₁ b₂ + a₂ b₁`. Split factors have 16 binary digits, of 24 that they come with and 11 that
//! TF32 leaves them; a product's relative error is below 2⁻¹⁵, and the matrix units still win by their speed.
//!
//! A cube has four planes of 32 units and a tile of 128 rows; each plane has 32 of them, as fragments of 16 × 16.

mod fragments;
mod gather;
mod scatter;

use burn::tensor::bf16;
use burn_cubecl::cubecl::{
    client::Client,
    ir::{ElemType, FloatKind, features::MmaConfig},
    prelude::*,
};

use self::gather::gather_narrow;
use self::scatter::scatter_narrow;
use super::product::{Sizes, cubes, launch_sum_of_parts, parts_of};
use super::{Resident, empty, lanes, numbers};

/// Four numbers of a factor.
type Narrow = Vector<bf16, Const<4>>;

/// Length of a slab along the common axis, and its groups of four numbers.
const SLAB: usize = 32;
const GROUPS: usize = SLAB / 4;
/// Rows of a tile, units of a cube.
const ROWS: usize = 128;
const UNITS: usize = 128;
/// Cubes of a gradient of a weight: several for each that a large processor has at a time, as they do not end together.
const BUSY: usize = 1584;
/// Rows of a tile that are set down at once.
const STAGE: usize = ROWS / 2;
/// Groups of four numbers from a row of a slab to the next in shared memory: eight numbers more than it has.
const SLAB_ROW: usize = GROUPS + 2;

/// Whether the device has such matrix units, and planes of 32 units.
pub(crate) fn is_available(client: &Client) -> bool {
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
    split: bool,
) -> Resident {
    let output = empty(&images, shape);
    gather(sizes, [images, weight, bias, output.clone()], false, split);
    output
}

/// As [`product::input_gradient`](super::product::input_gradient).
pub(crate) fn input_gradient(
    sizes: &Sizes,
    weight: Resident,
    gradient: Resident,
    shape: &[usize],
    split: bool,
) -> Resident {
    let output = empty(&gradient, shape);
    // The bias is not read.
    let tensors = [gradient, weight.clone(), weight, output.clone()];
    gather(&sizes.turned(), tensors, true, split);
    output
}

/// Launches the kernel of values; with `back` that of gradients of images, of sizes that are turned.
fn gather(sizes: &Sizes, [images, weight, bias, output]: [Resident; 4], back: bool, split: bool) {
    let rows = sizes.rows();
    let columns = columns(sizes);
    let (left, right) = (lanes(sizes.inputs), lanes(sizes.outputs));
    let client = images.client.clone();
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_narrow::launch_unchecked(
            &client,
            cubes(rows.div_ceil(ROWS), sizes.outputs.div_ceil(columns)),
            CubeDim::new_1d(UNITS as u32),
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
            columns,
            back,
            sizes.stride > 1,
            split,
            sizes.inputs.is_multiple_of(SLAB),
        );
    }
}

/// Columns of a tile.
fn columns(sizes: &Sizes) -> usize {
    if sizes.outputs > 32 { 64 } else { 32 }
}

/// As [`product::weight_gradient`](super::product::weight_gradient).
pub(crate) fn weight_gradient(
    sizes: &Sizes,
    images: Resident,
    gradient: Resident,
    shape: &[usize],
    split: bool,
) -> [Resident; 2] {
    let rows = sizes.rows();
    let depth = sizes.kernel * sizes.kernel * sizes.inputs;
    let columns = columns(sizes);
    let down = (depth + 1).div_ceil(ROWS);
    let across = sizes.outputs.div_ceil(columns);
    let (parts, of_part) = parts_of(rows, down * across, SLAB, BUSY);
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
            sizes.output[0] as u32,
            sizes.output[1] as u32,
            sizes.image[0] as u32,
            sizes.image[1] as u32,
            sizes.inputs as u32,
            sizes.outputs as u32,
            sizes.kernel as u32,
            sizes.stride as u32,
            of_part as u32,
            columns,
            split,
        );
    }
    let counts = [depth * sizes.outputs, (depth + 1) * sizes.outputs];
    launch_sum_of_parts(partial, [&by_weight, &by_bias], parts, counts);
    [by_weight, by_bias]
}
