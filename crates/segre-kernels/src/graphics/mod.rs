//! Operations on graphics processors, written in CubeCL: one source for CUDA, Vulkan, Metal, HIP and WebGPU.
//!
//! A tensor here is a buffer of 32-bit numbers in order. Kernels read and write four numbers at a time where the length of the
//! last axis allows it. No size is compiled in but those of tiles and, where sums are kept in tables, of channels: so few
//! kernels serve all layers, and little is compiled at the start.

#![allow(
    clippy::too_many_arguments,
    reason = "a kernel's arguments are what it is launched with"
)]

mod adam;
pub(crate) mod attention;
pub(crate) mod group_norm;
pub(crate) mod narrow;
pub(crate) mod pixels;
pub(crate) mod product;
mod recording;
pub(crate) mod rows;
pub(crate) mod scanlines;

use burn::backend::{Dispatch, DispatchTensor, DispatchTensorKind, TensorMetadata};
use burn::tensor::{DType, Device, Shape, Tensor};
use burn_cubecl::cubecl::{self, prelude::*};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

pub use adam::ResidentAdam;
pub use recording::{Recording, overwrite};

/// A tensor in the memory of a graphics processor.
pub(crate) type Resident = CubeTensor;
/// Four numbers of a register, or of memory.
pub(crate) type Four = Vector<f32, Const<4>>;

/// Numbers that are read at once along an axis of some length.
fn lanes(length: usize) -> usize {
    if length.is_multiple_of(4) { 4 } else { 1 }
}

/// An argument of a kernel: all numbers of a tensor that is in order.
fn numbers(tensor: Resident) -> BufferArg {
    debug_assert!(tensor.is_contiguous());
    tensor.into_buffer_arg()
}

/// Cubes of 256 units, one unit for each number.
fn units(count: usize) -> CubeCount {
    let cubes = count.div_ceil(256);
    let layers = cubes.div_ceil(65_535);
    CubeCount::Static(cubes.div_ceil(layers) as u32, layers as u32, 1)
}

/// A cube for every row.
fn cubes_of(rows: usize) -> CubeCount {
    let layers = rows.div_ceil(65_535);
    CubeCount::Static(rows.div_ceil(layers) as u32, layers as u32, 1)
}

/// The sum over the units of a cube, which are a power of two, known to all.
#[cube]
fn sum_of_cube(own: f32, #[comptime] units: usize) -> f32 {
    let mut sums = Shared::<[f32]>::new_slice(units);
    sync_cube();
    sums[UNIT_POS as usize] = own;
    sync_cube();
    let mut reach = comptime!(units as u32 / 2).runtime();
    while reach > 0 {
        if UNIT_POS < reach {
            let other = sums[(UNIT_POS + reach) as usize];
            sums[UNIT_POS as usize] += other;
        }
        sync_cube();
        reach /= 2;
    }
    sums[0usize]
}

/// A tensor beside another one, with numbers that are still to be written.
fn empty(beside: &Resident, shape: &[usize]) -> Resident {
    empty_device_contiguous_dtype(
        beside.client.clone(),
        beside.device(),
        Shape::from(shape.to_vec()),
        beside.dtype,
    )
}

/// The same numbers, in order.
pub(crate) fn contiguous(tensor: Resident) -> Resident {
    into_contiguous(tensor)
}

/// Whether a tensor is where these kernels are.
pub(crate) fn reaches(tensor: &DispatchTensor) -> bool {
    match &tensor.kind {
        DispatchTensorKind::Cube(_) => true,
        DispatchTensorKind::Autodiff(inner) => matches!(**inner, DispatchTensorKind::Cube(_)),
        _ => false,
    }
}

/// Whether a tensor has a gradient.
pub(crate) fn is_tracked(tensor: &DispatchTensor) -> bool {
    Dispatch::is_tracked(tensor)
}

/// Numbers beside a tensor, in a row.
pub(crate) fn from_numbers(beside: &Resident, numbers: &[f32]) -> Resident {
    let handle = beside.client.create_from_slice(f32::as_bytes(numbers));
    CubeTensor::new_contiguous(
        beside.client.clone(),
        beside.device(),
        Shape::from(vec![numbers.len()]),
        handle,
        DType::F32,
    )
}

/// Whether a device has matrix units of bfloat16.
pub(crate) fn has_matrix_units(device: &Device) -> bool {
    let tensor = Tensor::<1>::zeros([1], &device.clone().inner()).into_dispatch();
    match tensor.kind {
        DispatchTensorKind::Cube(tensor) => narrow::is_available(&tensor.float().client),
        _ => false,
    }
}
