//! Operations on the pixels of an image that move numbers more than they compute: a vector added to all of them, and each of
//! them become four.

use burn::backend::TensorMetadata;
use burn::tensor::Tensor;

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, pixels as graphics};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;

/// Adds a vector to all pixels of its image.
///
/// # Shapes
/// `images [batch, height, width, channels]`, `vectors [batch, channels]` → as `images`.
pub fn add_to_pixels(images: Tensor<4>, vectors: Tensor<2>) -> Tensor<4> {
    let [sum] = apply(
        AddToPixels,
        [images.into_dispatch(), vectors.into_dispatch()],
    );
    Tensor::from_dispatch(sum)
}

/// Every pixel becomes 2 × 2 equal ones.
///
/// # Shapes
/// `[batch, height, width, channels]` → `[batch, 2 height, 2 width, channels]`.
pub fn enlarge(images: Tensor<4>) -> Tensor<4> {
    let [large] = apply(Enlarge, [images.into_dispatch()]);
    Tensor::from_dispatch(large)
}

/// See [`add_to_pixels`].
#[derive(Clone, Copy, Debug)]
struct AddToPixels;

impl Operation<2> for AddToPixels {
    /// The images' shape.
    type Kept = [usize; 4];

    fn value(&self, [images, vectors]: [Host; 2], _: [bool; 2]) -> ([Host; 1], [usize; 4]) {
        let shape: [usize; 4] = images.shape().dims();
        let [_, height, width, channels] = shape;
        let (images, vectors) = (values(&images), values(&vectors));
        let image = height * width * channels;
        let write = |index: usize, output: &mut [f32]| {
            let own = &vectors[index * channels..][..channels];
            let pixels = images[index * image..].chunks_exact(channels);
            for (output, pixel) in output.chunks_exact_mut(channels).zip(pixels) {
                for ((y, x), v) in output.iter_mut().zip(pixel).zip(own) {
                    *y = x + v;
                }
            }
        };
        let sum = by_parts(images.len(), image, write).0;
        ([tensor(sum, shape)], shape)
    }

    fn gradients(
        &self,
        [batch, height, width, channels]: [usize; 4],
        gradient: Host,
        wanted: [bool; 2],
    ) -> [Option<Host>; 2] {
        let by_vectors = wanted[1].then(|| {
            let (numbers, image) = (values(&gradient), height * width * channels);
            let write = |index: usize, sums: &mut [f32]| {
                for pixel in numbers[index * image..][..image].chunks_exact(channels) {
                    sums.iter_mut().zip(pixel).for_each(|(sum, g)| *sum += g);
                }
            };
            tensor(
                by_parts(batch * channels, channels, write).0,
                [batch, channels],
            )
        });
        [wanted[0].then_some(gradient), by_vectors]
    }

    fn reference(&self, [images, vectors]: [Anywhere; 2]) -> [Anywhere; 1] {
        let vectors = Tensor::<2>::from_dispatch(vectors);
        let sum = Tensor::<4>::from_dispatch(images) + vectors.unsqueeze_dims::<4>(&[1, 2]);
        [sum.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<2, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<2, 1> for AddToPixels {
    fn serves(&self, [images, _]: &[Anywhere; 2]) -> bool {
        graphics::serves(images.shape().dims())
    }

    fn value(
        &self,
        [images, vectors]: [Resident; 2],
        _: [bool; 2],
    ) -> ([Resident; 1], Vec<Resident>) {
        ([graphics::add(images, vectors)], vec![])
    }

    fn gradients(
        &self,
        _: Vec<Resident>,
        gradient: Resident,
        wanted: [bool; 2],
    ) -> [Option<Resident>; 2] {
        let by_vectors = wanted[1].then(|| graphics::sum(gradient.clone()));
        [wanted[0].then_some(gradient), by_vectors]
    }
}

/// See [`enlarge`].
#[derive(Clone, Copy, Debug)]
struct Enlarge;

impl Operation<1> for Enlarge {
    /// The images' shape.
    type Kept = [usize; 4];

    fn value(&self, [images]: [Host; 1], _: [bool; 1]) -> ([Host; 1], [usize; 4]) {
        let shape: [usize; 4] = images.shape().dims();
        let [batch, height, width, channels] = shape;
        let images = values(&images);
        // A row of the output.
        let write = |row: usize, output: &mut [f32]| {
            let pixels = images[row / 2 * width * channels..].chunks_exact(channels);
            for (both, pixel) in output.chunks_exact_mut(2 * channels).zip(pixels) {
                both[..channels].copy_from_slice(pixel);
                both[channels..].copy_from_slice(pixel);
            }
        };
        let large = by_parts(4 * images.len(), 2 * width * channels, write).0;
        (
            [tensor(large, [batch, 2 * height, 2 * width, channels])],
            shape,
        )
    }

    fn gradients(&self, shape: [usize; 4], gradient: Host, _: [bool; 1]) -> [Option<Host>; 1] {
        let [_, _, width, channels] = shape;
        let gradient = values(&gradient);
        // A row of the result.
        let write = |row: usize, result: &mut [f32]| {
            let rows = gradient[4 * row * width * channels..].chunks_exact(2 * width * channels);
            for row in rows.take(2) {
                let pairs = row.chunks_exact(2 * channels);
                for (result, pair) in result.chunks_exact_mut(channels).zip(pairs) {
                    let (one, other) = pair.split_at(channels);
                    for ((sum, a), b) in result.iter_mut().zip(one).zip(other) {
                        *sum += a + b;
                    }
                }
            }
        };
        let result = by_parts(gradient.len() / 4, width * channels, write).0;
        [Some(tensor(result, shape))]
    }

    fn reference(&self, [images]: [Anywhere; 1]) -> [Anywhere; 1] {
        let images = Tensor::<4>::from_dispatch(images);
        let [batch, height, width, channels] = images.dims();
        // Rows are repeated whole, then pixels, each time along an axis of its own.
        let rows = images.reshape([batch, height, 1, width * channels]);
        let rows = rows.repeat_dim(2, 2); // [batch, height, 2, width · channels]
        let pixels = rows.reshape([batch * 2 * height, width, 1, channels]);
        let pixels = pixels.repeat_dim(2, 2); // [batch · 2 height, width, 2, channels]
        let large = pixels.reshape([batch, 2 * height, 2 * width, channels]);
        [large.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<1, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<1, 1> for Enlarge {
    fn value(&self, [images]: [Resident; 1], _: [bool; 1]) -> ([Resident; 1], Vec<Resident>) {
        ([graphics::enlarge(images)], vec![])
    }

    fn gradients(
        &self,
        _: Vec<Resident>,
        gradient: Resident,
        _: [bool; 1],
    ) -> [Option<Resident>; 1] {
        [Some(graphics::reduce(gradient))]
    }
}

#[cfg(test)]
mod tests {
    use super::{AddToPixels, Enlarge};
    use crate::testing::{assert_forms_agree, input};

    #[test]
    fn operations_on_pixels_agree_with_the_composed_ones() {
        for dims in [[1, 1, 1, 1], [2, 3, 5, 7], [3, 20, 9, 8]] {
            let vectors = input([dims[0], dims[3]], 2);
            assert_forms_agree(&AddToPixels, &[input(dims, 1), vectors], 1e-5);
            assert_forms_agree(&Enlarge, &[input(dims, 3)], 1e-6);
        }
    }
}
