//! Which device computes: the processor, or a graphics processor that the build has support for.

use anyhow::Result;
use clap::ValueEnum;
use segre::Device;
use segre::ranks;
use segre_kernels::{GraphicsDevice, graphics_devices};

/// Devices by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// The processor.
    Cpu,
    /// A graphics processor if this build reaches one, else the processor.
    Auto,
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
        if let Some(card) = self.of_process() {
            return Ok(card);
        }
        match self {
            Self::Cpu => Ok(Device::flex()),
            Self::Auto => {
                let found = graphics_devices();
                Ok(chosen(&found).map_or_else(Device::flex, |best| best.device.clone()))
            }
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

    /// The card of one of several processes: those of a machine take its cards in turn.
    fn of_process(self) -> Option<Device> {
        if ranks::size() == 1 {
            return None;
        }
        let found = graphics_devices();
        let way = match self {
            Self::Auto => chosen(&found)?.way.to_owned(),
            named => named.to_possible_value()?.get_name().to_owned(),
        };
        let cards = found
            .iter()
            .filter(|card| card.way == way && !card.is_software);
        let cards: Vec<&GraphicsDevice> = cards.collect();
        let own = cards.get(ranks::rank_here() % cards.len().max(1))?;
        Some(own.device.clone())
    }
}

/// What `auto` chooses: the best way to a graphics processor that is no program.
pub fn chosen(found: &[GraphicsDevice]) -> Option<&GraphicsDevice> {
    found.iter().find(|device| !device.is_software)
}
