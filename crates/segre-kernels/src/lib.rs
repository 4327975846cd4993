//! The fast operations of Segre: layers of networks, losses, and messages between sites, with gradients of their own.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//!
//! let device = Device::flex().autodiff();
//! let rows = Tensor::<2>::ones([512, 3], &device).require_grad();
//! let (weight, bias) = (Tensor::<2>::ones([3, 4], &device), Tensor::<1>::zeros([4], &device));
//! let output = segre_kernels::affine(rows.clone(), weight, bias, true);
//! let gradients = output.sum().backward();
//! assert_eq!(rows.grad(&gradients).unwrap().dims(), [512, 3]);
//! ```
//!
//! # What an operation is
//! A function of tensors of [burn](https://burn.dev) in several forms. On the processor, with numbers of 32 bits, it is one
//! node of the graph of gradients, and both its value and its gradients are computed on slices in host memory, on all
//! threads, with the widest registers that there are; the number of threads changes no result. On graphics processors, in a
//! build that reaches one, most are one node too, computed by kernels of our own (`graphics/`, in CubeCL). Otherwise, and for
//! other numbers, it is composed of burn's operations: its *reference*, by which the tests measure the fast forms.
//!
//! | operation | of | for |
//! |---|---|---|
//! | [`affine`], [`layer_norm`], [`batch_norm`] | rows `[rows, columns]` | small networks |
//! | [`convolve_sites`] | sequences `[batch, sites, channels]` | the network of sequences |
//! | [`convolution`], [`group_norm`], [`attention`], [`add_to_pixels`], [`enlarge`] | images `[batch, height, width, channels]` | networks of images |
//! | [`matching_error`] | points `[batch, sites, categories]` | the loss of a field |
//! | [`coded_rows`], [`sums_of_rows_at`], [`cross_entropies`], [`column_logits`] | columns of categories in one list | the network of tables |
//! | [`scanlines`], [`propagate`], [`tree_marginals`] | logits `[batch, sites, categories]` | what is known before anything is learned |
//!
//! A step of training on a graphics processor can be [recorded](Recording) and repeated, which costs the host next to nothing.
//!
//! Channels come last: those of a pixel lie side by side, and `[batch, sites, channels]` is the same memory as an image.
//!
//! # How to add one
//! 1. `operations/NAME.rs`: a struct of the settings; `impl Operation` for it with `value`, `gradients` and `reference`; a public
//!    function of typed tensors that calls `apply`; a test by `assert_forms_agree`, which compares values and gradients of both
//!    forms. `operations/layer_norm.rs` is a short example.
//! 2. `operations/mod.rs` and `lib.rs`: its name.
//!
//! Nothing else: `operation.rs` says once, for all of them, how they enter burn's graph. A form for graphics processors is an
//! `impl Graphics` beside, which the same test then compares, too. What is worth a loop over registers goes through `simd/`: a `Task` is written once, generic over `Simd`, and
//! compiled for every level of instructions.
//!
//! # Levels of instructions
//! The best level of the machine is found when the program runs.
//!
//! | level | registers | products of |
//! |---|---|---|
//! | plain | four numbers, as the compiler likes | 32 bits |
//! | AVX2 | eight numbers, with FMA | 32 bits |
//! | AVX-512 | sixteen numbers | 32 bits |
//! | AVX-512 BF16 | sixteen pairs | [`Precision::Bf16`] |
//! | AMX | matrices of 16 × 32 | [`Precision::Bf16`], where shapes fit |
//!
//! `SEGRE_SIMD=avx512`, `avx2` or `plain` in the environment keeps to less than the machine has; with `avx512` pairs of bfloat16
//! stay, and AMX is left alone. Sums have 32 bits always. Levels differ in the order of sums, so in the last digits.
//!
//! # `unsafe`
//! This is the only crate of Segre with unsafe code. Besides the operations it has what else needs some: numbers and texts mapped from a
//! file ([`TemporaryFile`]), and behind the feature `allocator` the memory allocator of a program that computes with tensors.

mod adam;
#[cfg(feature = "allocator")]
pub mod allocator;
pub mod bench;
#[cfg(feature = "graphics")]
mod graphics;
mod mapped;
mod operation;
mod operations;
mod parts;
mod recording;
mod simd;
mod sums;
#[cfg(test)]
mod testing;

use burn::tensor::Device;
#[cfg(feature = "graphics")]
use burn::tensor::DeviceType;
use serde::{Deserialize, Serialize};

pub use adam::{AdamStep, Parameter, ResidentAdam};
pub use mapped::{Mapped, MappedText, TemporaryFile};
pub use operations::{
    Code, Columns, Expectations, HiddenTree, Place, Propagation, Scanlines, add_to_pixels, affine,
    attention, batch_norm, coded_rows, column_logits, convolution, convolve_sites, cross_entropies,
    enlarge, group_norm, layer_norm, matching_error, propagate, scanlines, sums_of_rows_at,
    tree_marginals,
};
pub use recording::{Recording, constant, overwrite};
pub use simd::softmax;

/// How exactly factors enter the products of a convolution; sums have 32 bits always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As they are; for matrix units of a graphics processor as two numbers of bfloat16, which have 16 binary digits together.
    #[default]
    F32,
    /// Rounded to bfloat16, two products at a time.
    Bf16,
}

impl Precision {
    /// Whether the device has such products: bfloat16 is for processors that know it, and for graphics processors with matrix
    /// units of bfloat16.
    pub fn is_available(self, device: &Device) -> bool {
        match self {
            Self::F32 => true,
            Self::Bf16 if is_processor(device) => simd::Level::narrow().is_some(),
            #[cfg(feature = "graphics")]
            Self::Bf16 => graphics::has_matrix_units(device),
            #[cfg(not(feature = "graphics"))]
            Self::Bf16 => false,
        }
    }
}

/// Whether the device is the processor, where the kernels are, and threads are ours to use.
pub fn is_processor(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Whether the device is a graphics processor that this build has kernels for, where an optimiser's state can live.
pub fn has_graphics_kernels(device: &Device) -> bool {
    cfg!(feature = "graphics") && !is_processor(device)
}

/// A graphics processor that this build reaches.
#[derive(Clone, Debug)]
pub struct GraphicsDevice {
    /// The way to it: the name of a cargo feature.
    pub way: &'static str,
    /// What it calls itself.
    pub name: String,
    /// Whether it is a program on the processor, for tests.
    pub is_software: bool,
    /// For tensors.
    pub device: Device,
}

/// The graphics processors that this build reaches, the best way first.
#[allow(unused_mut, reason = "a build without such a way finds none")]
pub fn graphics_devices() -> Vec<GraphicsDevice> {
    let mut found = vec![];
    #[cfg(feature = "cuda")]
    found.extend(by_way("cuda", DeviceType::Cuda));
    #[cfg(feature = "rocm")]
    found.extend(by_way("rocm", DeviceType::Rocm));
    #[cfg(feature = "metal")]
    found.extend(by_way("metal", DeviceType::Metal));
    #[cfg(feature = "vulkan")]
    found.extend(by_way("vulkan", DeviceType::Vulkan));
    #[cfg(feature = "wgpu")]
    found.extend(by_way("wgpu", DeviceType::Wgpu));
    found
}

#[cfg(feature = "graphics")]
fn by_way(way: &'static str, kind: DeviceType) -> Vec<GraphicsDevice> {
    let devices = Device::enumerate(kind).into_iter();
    let describe = |device: Device| {
        let name = device
            .identity()
            .map_or_else(String::new, |found| found.name);
        GraphicsDevice {
            way,
            is_software: name.contains("llvmpipe") || name.contains("SwiftShader"),
            name,
            device,
        }
    };
    devices.map(describe).collect()
}
