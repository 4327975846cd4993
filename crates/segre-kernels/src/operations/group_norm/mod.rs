//! Group normalisation of images, and the activation that follows it.

mod channels;
pub(crate) mod processor;
#[cfg(test)]
mod tests;

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, activation};

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, group_norm as graphics};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::simd::Level;
use processor::{EPSILON, Sizes, Statistics};

/// Group normalisation, then `SiLU(y) = y / (1 + e^−y)` if `activate`.
///
/// Mean and (biased) variance are those of a group of neighbouring channels over all pixels of an image;
/// `ε = 1e-5` is added to the variance.
///
/// # Shapes
/// `images [batch, height, width, channels]`, `scale [channels]`, `shift [channels]` → as `images`; `groups` divides
/// the number of channels.
pub fn group_norm(
    images: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    groups: usize,
    activate: bool,
) -> Tensor<4> {
    let inputs = [
        images.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ];
    let [output] = apply(GroupNorm { groups, activate }, inputs);
    Tensor::from_dispatch(output)
}

/// See [`group_norm`].
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupNorm {
    pub groups: usize,
    /// Whether `SiLU` follows.
    pub activate: bool,
}

impl GroupNorm {
    fn sizes(&self, images: &Host) -> Sizes {
        let [batch, height, width, channels] = images.shape().dims();
        let groups = self.groups;
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "{channels} channels in {groups} groups"
        );
        Sizes {
            batch,
            sites: height * width,
            channels,
            groups,
            activate: self.activate,
        }
    }
}

impl Operation<3> for GroupNorm {
    /// The inputs, mean and inverse deviation.
    type Kept = ([Host; 3], Statistics);

    fn value(&self, inputs: [Host; 3], _: [bool; 3]) -> ([Host; 1], Self::Kept) {
        let [images, scale, shift] = inputs.each_ref().map(values);
        let sizes = self.sizes(&inputs[0]);
        let (output, statistics) = processor::value(Level::detect(), &sizes, images, scale, shift);
        let output = tensor(output, inputs[0].shape().dims::<4>());
        ([output], (inputs, statistics))
    }

    fn gradients(
        &self,
        (inputs, statistics): Self::Kept,
        gradient: Host,
        wanted: [bool; 3],
    ) -> [Option<Host>; 3] {
        let [images, scale, shift] = inputs.each_ref().map(values);
        let found = processor::gradients(
            Level::detect(),
            &self.sizes(&inputs[0]),
            images,
            [scale, shift],
            &statistics,
            values(&gradient),
        );
        let dims: [usize; 4] = inputs[0].shape().dims();
        [
            wanted[0].then(|| tensor(found.images, dims)),
            wanted[1].then(|| tensor(found.scale, [dims[3]])),
            wanted[2].then(|| tensor(found.shift, [dims[3]])),
        ]
    }

    fn reference(&self, [images, scale, shift]: [Anywhere; 3]) -> [Anywhere; 1] {
        let images = Tensor::<4>::from_dispatch(images);
        let [scale, shift] = [scale, shift].map(Tensor::<1>::from_dispatch);
        let [batch, height, width, channels] = images.dims();
        let groups = self.groups;
        let grouped = images.reshape([batch, height * width, groups, channels / groups]);
        let mean_of = |values: Tensor<4>| values.mean_dim(1).mean_dim(3); // [batch, 1, groups, 1]
        let centred = grouped.clone() - mean_of(grouped);
        let variance = mean_of(centred.clone().square());
        let normal = centred / (variance + EPSILON).sqrt();
        let normal = normal.reshape([batch, height, width, channels]);
        let output = normal * scale.unsqueeze::<4>() + shift.unsqueeze::<4>();
        let output = match self.activate {
            true => activation::silu(output),
            false => output,
        };
        [output.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for GroupNorm {
    fn serves(&self, [images, _, _]: &[Anywhere; 3]) -> bool {
        graphics::serves(images.shape().dims())
    }

    fn value(
        &self,
        [images, scale, shift]: [Resident; 3],
        _: [bool; 3],
    ) -> ([Resident; 1], Vec<Resident>) {
        let sizes = graphics::Sizes::of(&images, self.groups, self.activate);
        let inputs = [images.clone(), scale.clone(), shift.clone()];
        let (output, statistics) = graphics::value(&sizes, inputs);
        ([output], vec![images, scale, shift, statistics])
    }

    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        _: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let kept = <[Resident; 4]>::try_from(kept).expect("inputs and statistics");
        let sizes = graphics::Sizes::of(&kept[0], self.groups, self.activate);
        graphics::gradients(&sizes, kept, gradient).map(Some)
    }
}
