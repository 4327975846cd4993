//! Which device computes: the processor, or a graphics processor that the build has support for.

use anyhow::Result;
use clap::ValueEnum;
use segre::Device;

/// Devices by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// The processor.
    Cpu,
    /// NVIDIA graphics processors (cargo feature `cuda`).
    Cuda,
    /// Apple graphics processors (cargo feature `metal`).
    Metal,
    /// AMD graphics processors (cargo feature `rocm`).
    Rocm,
    /// Any graphics processor through Vulkan (cargo feature `vulkan`).
    Vulkan,
    /// Any graphics processor through WebGPU (cargo feature `wgpu`).
    Wgpu,
}

impl DeviceName {
    /// The device.
    ///
    /// # Errors
    /// If the build has no support for it.
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[cfg(feature = "metal")]
            Self::Metal => Ok(Device::metal(Default::default())),
            #[cfg(feature = "rocm")]
            Self::Rocm => Ok(Device::rocm(0)),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Ok(Device::vulkan(Default::default())),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(Default::default())),
            #[allow(
                unreachable_patterns,
                reason = "with all features every device is covered"
            )]
            other => {
                let name = other
                    .to_possible_value()
                    .map(|value| value.get_name().to_owned());
                let name = name.unwrap_or_default();
                anyhow::bail!(
                    "--device {name}: this build has no support for it; \
                     rebuild with `cargo build --release --features {name}` or use --device cpu"
                )
            }
        }
    }
}
