//! Convolutions of channels-last images.

mod patch;
pub(crate) mod processor;
#[cfg(test)]
mod tests;
pub(crate) mod weight_gradient;

use burn::backend::TensorMetadata;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, module};

use crate::Precision;
#[cfg(feature = "graphics")]
use crate::graphics::{Resident, narrow, product};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::simd::Level;
use processor::{Sizes, input_gradient};
use weight_gradient::{bias_gradient, weight_gradient};

/// A convolution that keeps the size (`stride` 1) or halves it (`stride` 2), zeros beyond the border.
///
/// `y[b, u, v, o] = bias[o] + Σ_{i, j, k} x[b, s u + i − r, s v + j − r, k] · weight[i, j, k, o]`, `r = kernel / 2`.
///
/// Its products and those of its gradients have the given precision, on a processor that has it.
///
/// # Shapes
/// `images [batch, height, width, inputs]`, `weight [kernel, kernel, inputs, outputs]` with an odd kernel,
/// `bias [outputs]` → `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
pub fn convolution(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    precision: Precision,
) -> Tensor<4> {
    let inputs = [
        images.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ];
    let [output] = apply(Convolution { stride, precision }, inputs);
    Tensor::from_dispatch(output)
}

/// See [`convolution`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Convolution {
    pub stride: usize,
    pub precision: Precision,
}

/// What the gradients need.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    sizes: Sizes,
    /// For the gradient of the weight, if it is wanted.
    images: Option<Host>,
    /// For the gradient of the images, if it is wanted.
    weight: Option<Host>,
}

impl Convolution {
    fn sizes(&self, images: &Host, weight: &Host) -> Sizes {
        let ([batch, height, width, inputs], [kernel, columns, weight_inputs, outputs]) =
            (images.shape().dims(), weight.shape().dims());
        assert_eq!(
            inputs, weight_inputs,
            "channels of the images and of the weight"
        );
        assert!(
            kernel == columns && kernel % 2 == 1,
            "the kernel is {kernel}x{columns}"
        );
        assert!(self.stride > 0, "a stride of 0");
        Sizes {
            batch,
            height,
            width,
            inputs,
            outputs,
            kernel,
            stride: self.stride,
        }
    }
}

impl Operation<3> for Convolution {
    type Kept = Kept;

    fn value(&self, [images, weight, bias]: [Host; 3], wanted: [bool; 3]) -> ([Host; 1], Kept) {
        let sizes = self.sizes(&images, &weight);
        let output = processor::value(
            Level::of(self.precision),
            &sizes,
            values(&images),
            values(&weight),
            values(&bias),
        );
        let [height, width] = sizes.output();
        let output = tensor(output, [sizes.batch, height, width, sizes.outputs]);
        let kept = Kept {
            sizes,
            images: wanted[1].then_some(images),
            weight: wanted[0].then_some(weight),
        };
        ([output], kept)
    }

    fn gradients(&self, kept: Kept, gradient: Host, wanted: [bool; 3]) -> [Option<Host>; 3] {
        let (level, sizes) = (Level::of(self.precision), &kept.sizes);
        let gradient = values(&gradient);
        let by_images = kept.weight.map(|weight| {
            let found = input_gradient(level, sizes, values(&weight), gradient);
            tensor(
                found,
                [sizes.batch, sizes.height, sizes.width, sizes.inputs],
            )
        });
        let by_weight = kept.images.map(|images| {
            let found = weight_gradient(level, sizes, values(&images), gradient);
            tensor(
                found,
                [sizes.kernel, sizes.kernel, sizes.inputs, sizes.outputs],
            )
        });
        let by_bias = wanted[2].then(|| {
            let found = bias_gradient(sizes.outputs, gradient);
            tensor(found, [sizes.outputs])
        });
        [by_images, by_weight, by_bias]
    }

    fn reference(&self, [images, weight, bias]: [Anywhere; 3]) -> [Anywhere; 1] {
        let [images, weight] = [images, weight].map(Tensor::<4>::from_dispatch);
        let bias = Tensor::<1>::from_dispatch(bias);
        let [batch, height, width, inputs] = images.dims();
        let [kernel, _, weight_inputs, outputs] = weight.dims();
        assert_eq!(
            inputs, weight_inputs,
            "channels of the images and of the weight"
        );
        if kernel == 1 && self.stride == 1 {
            let flat = images.reshape([batch * height * width, inputs]);
            let product = flat.matmul(weight.reshape([inputs, outputs])) + bias.unsqueeze::<2>();
            let output = product.reshape([batch, height, width, outputs]);
            return [output.into_dispatch()];
        }
        let options = ConvOptions::new([self.stride; 2], [kernel / 2; 2], [1; 2], 1);
        let images = images.permute([0, 3, 1, 2]);
        let output = module::conv2d(images, weight.permute([3, 2, 0, 1]), Some(bias), options);
        [output.permute([0, 2, 3, 1]).into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Convolution {
    /// Whether matrix units are to keep more than bfloat16 has of a factor.
    fn is_split(&self) -> bool {
        self.precision == Precision::F32
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for Convolution {
    fn value(
        &self,
        [images, weight, bias]: [Resident; 3],
        _: [bool; 3],
    ) -> ([Resident; 1], Vec<Resident>) {
        let sizes = product::convolution_sizes(&images, &weight, self.stride);
        let [height, width] = sizes.output;
        let shape = [sizes.batch, height, width, sizes.outputs];
        let kept = vec![images.clone(), weight.clone()];
        let output = match narrow::is_available(&images.client) {
            true => narrow::value(&sizes, images, weight, bias, &shape, self.is_split()),
            false => product::value(&sizes, images, weight, bias, false, &shape),
        };
        ([output], kept)
    }

    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        wanted: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let [images, weight] = <[Resident; 2]>::try_from(kept).expect("images and weight");
        let sizes = product::convolution_sizes(&images, &weight, self.stride);
        let dims = |tensor: &Resident| tensor.shape().dims::<4>();
        let (of_images, of_weight) = (dims(&images), dims(&weight));
        let (units, split) = (narrow::is_available(&images.client), self.is_split());
        let by_images = wanted[0].then(|| {
            let (weight, gradient) = (weight, gradient.clone());
            match units {
                true => narrow::input_gradient(&sizes, weight, gradient, &of_images, split),
                false => product::input_gradient(&sizes, weight, gradient, &of_images),
            }
        });
        if !wanted[1] && !wanted[2] {
            return [by_images, None, None];
        }
        let [by_weight, by_bias] = match units {
            true => narrow::weight_gradient(&sizes, images, gradient, &of_weight, split),
            false => product::weight_gradient(&sizes, images, gradient, &of_weight),
        };
        [by_images, Some(by_weight), Some(by_bias)]
    }
}
