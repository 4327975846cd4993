//! Layers of image networks: parameters around the operations of `kernel`, channels last.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use segre_kernels::Precision;

use crate::network::initialise;

/// Most groups of a group normalisation (docs/mathematics.md §3).
const GROUPS: usize = 32;

/// A convolution with bias that keeps the size, or halves it with stride 2.
#[derive(Module, Debug)]
pub(crate) struct Convolution {
    /// `[kernel, kernel, inputs, outputs]`.
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

impl Convolution {
    /// With uniform start.
    pub fn new(
        [inputs, outputs]: [usize; 2],
        kernel: usize,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let fan_in = inputs * kernel * kernel;
        let weight = initialise::uniform(fan_in * outputs, fan_in, rng);
        let bias = initialise::uniform(outputs, fan_in, rng);
        Self {
            weight: initialise::parameter(weight, [kernel, kernel, inputs, outputs], device),
            bias: initialise::parameter(bias, [outputs], device),
        }
    }

    /// With an output that starts at zero.
    pub fn zero([inputs, outputs]: [usize; 2], kernel: usize, device: &Device) -> Self {
        Self {
            weight: initialise::zeros([kernel, kernel, inputs, outputs], device),
            bias: initialise::zeros([outputs], device),
        }
    }

    /// # Shapes
    /// `[batch, height, width, inputs]` → `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
    pub fn forward(&self, images: Tensor<4>, stride: usize, precision: Precision) -> Tensor<4> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        segre_kernels::convolution(images, weight, bias, stride, precision)
    }
}

/// Group normalisation with learned scale and shift.
#[derive(Module, Debug)]
pub(crate) struct GroupNorm {
    scale: Param<Tensor<1>>,
    shift: Param<Tensor<1>>,
    #[module(skip)]
    groups: usize,
}

impl GroupNorm {
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            scale: initialise::parameter(vec![1.0; channels], [channels], device),
            shift: initialise::zeros([channels], device),
            groups: groups(channels),
        }
    }

    /// Normalises, then applies `SiLU` if `activate`. # Shapes: as `images [batch, height, width, channels]`.
    pub fn forward(&self, images: Tensor<4>, activate: bool) -> Tensor<4> {
        let (scale, shift) = (self.scale.val(), self.shift.val());
        segre_kernels::group_norm(images, scale, shift, self.groups, activate)
    }
}

/// The largest number of equal groups up to 32 that leaves two channels to a group.
///
/// A group of one channel would lose what is constant in it: the level's embedding and the bias before the
/// normalisation, which is what 32 groups of 32 channels do.
fn groups(channels: usize) -> usize {
    let most = GROUPS.min(channels / 2).max(1);
    let divides = |groups: &usize| channels.is_multiple_of(*groups);
    (1..=most).rev().find(divides).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_divide_and_hold_two_channels() {
        let expected = [
            (1, 1),
            (2, 1),
            (7, 1),
            (16, 8),
            (24, 12),
            (32, 16),
            (48, 24),
            (64, 32),
            (96, 32),
            (100, 25),
            (256, 32),
        ];
        for (channels, found) in expected {
            assert_eq!(groups(channels), found, "{channels} channels");
        }
    }
}
