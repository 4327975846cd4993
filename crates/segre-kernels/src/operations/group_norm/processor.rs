//! Group normalisation of channels-last images, its activation and their gradient, on slices.
//!
//! An image is read in blocks: moments of a block are taken while it is in the cache, and combined in `f64`, so that
//! large images lose nothing. Blocks are the same whatever the number of threads.

use rayon::prelude::*;

use super::channels::{Affine, Apply, Inner, Moments, MomentsOf, Outer};
use crate::parts::by_parts;
use crate::simd::Level;

/// Added to the variance.
pub(crate) const EPSILON: f64 = 1e-5;
/// Numbers in a block of pixels.
const BLOCK: usize = 1 << 14;

/// Sizes of a group normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub batch: usize,
    /// Pixels of an image.
    pub sites: usize,
    pub channels: usize,
    pub groups: usize,
    /// Whether `SiLU` follows.
    pub activate: bool,
}

impl Sizes {
    fn image(&self) -> usize {
        self.sites * self.channels
    }

    /// Numbers in a block: whole pixels.
    fn block(&self) -> usize {
        (BLOCK / self.channels).max(1) * self.channels
    }

    fn width(&self) -> usize {
        self.channels / self.groups
    }
}

/// Mean and inverse standard deviation of the group of every channel, `[batch, channels]`.
#[derive(Clone, Debug)]
pub(crate) struct Statistics {
    pub mean: Vec<f32>,
    pub inverse: Vec<f32>,
}

/// The value, and what its gradient needs.
pub(crate) fn value(
    level: Level,
    sizes: &Sizes,
    images: &[f32],
    scale: &[f32],
    shift: &[f32],
) -> (Vec<f32>, Statistics) {
    let (image, channels) = (sizes.image(), sizes.channels);
    assert_eq!(images.len(), sizes.batch * image);
    assert!(scale.len() == channels && shift.len() == channels);
    let write = |index: usize, output: &mut [f32]| {
        let images = &images[index * image..][..image];
        let blocks = images.par_chunks(sizes.block());
        let moments: Vec<Moments> = blocks
            .map(|values| level.run(MomentsOf { values, channels }))
            .collect();
        let [mean, inverse] = combine(sizes, &moments);
        let factor: Vec<f32> = inverse.iter().zip(scale).map(|(a, b)| a * b).collect();
        let blocks = images.par_chunks(sizes.block());
        let blocks = output.par_chunks_mut(sizes.block()).zip(blocks);
        blocks.for_each(|(output, values)| {
            level.run(Apply {
                values,
                output,
                mean: &mean,
                factor: &factor,
                shift,
                activate: sizes.activate,
            });
        });
        [mean, inverse]
    };
    let (output, statistics) = by_parts(images.len(), image, write);
    let of_all = |which: usize| {
        let statistics = statistics.iter();
        statistics
            .flat_map(|found| &found[which])
            .copied()
            .collect()
    };
    let (mean, inverse) = (of_all(0), of_all(1));
    (output, Statistics { mean, inverse })
}

/// Gradients of images, scale and shift.
pub(crate) struct Gradients {
    pub images: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// The gradients, given that of the output.
pub(crate) fn gradients(
    level: Level,
    sizes: &Sizes,
    images: &[f32],
    [scale, shift]: [&[f32]; 2],
    statistics: &Statistics,
    gradient: &[f32],
) -> Gradients {
    let (image, channels) = (sizes.image(), sizes.channels);
    assert!(images.len() == sizes.batch * image && gradient.len() == images.len());
    assert!(scale.len() == channels && shift.len() == channels);
    let write = |index: usize, result: &mut [f32]| {
        let channel = index * channels..(index + 1) * channels;
        let affine = Affine {
            mean: &statistics.mean[channel.clone()],
            inverse: &statistics.inverse[channel],
            scale,
            shift,
        };
        let [images, gradient] = [images, gradient].map(|all| &all[index * image..][..image]);
        image_gradient(level, sizes, &affine, images, gradient, result)
    };
    let (result, sums) = by_parts(images.len(), image, write);
    let total = |which: usize| -> Vec<f32> {
        let sum = |channel: usize| sums.iter().map(|sums| sums[which][channel]).sum::<f64>();
        (0..channels).map(|channel| sum(channel) as f32).collect()
    };
    Gradients {
        images: result,
        scale: total(1),
        shift: total(0),
    }
}

/// The gradient of one image; returns `Σ h` and `Σ h n` by channel, for the gradient `h` of the affine function of
/// the normalised values `n`.
fn image_gradient(
    level: Level,
    sizes: &Sizes,
    affine: &Affine<'_>,
    images: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) -> [Vec<f64>; 2] {
    let (block, channels) = (sizes.block(), sizes.channels);
    let blocks = result
        .par_chunks_mut(block)
        .zip(images.par_chunks(block))
        .zip(gradient.par_chunks(block));
    let parts: Vec<[Vec<f32>; 2]> = blocks
        .map(|((result, values), gradient)| {
            level.run(Inner {
                values,
                gradient,
                result,
                affine,
                activate: sizes.activate,
            })
        })
        .collect();
    let sums = [0, 1].map(|which| -> Vec<f64> {
        let sum = |channel: usize| {
            parts
                .iter()
                .map(|part| f64::from(part[which][channel]))
                .sum()
        };
        (0..channels).map(sum).collect()
    });
    // dx = inverse (scale h − mean(scale h) − n mean(scale h n)), the means over the group.
    let width = sizes.width();
    let count = (sizes.sites * width) as f64;
    let mut coefficients = [(); 3].map(|()| vec![0.0; channels]);
    for group in 0..sizes.groups {
        let channels = group * width..(group + 1) * width;
        let mean = |which: usize| {
            let scaled = |c: usize| f64::from(affine.scale[c]) * sums[which][c];
            channels.clone().map(scaled).sum::<f64>() / count
        };
        let (first, second) = (mean(0), mean(1));
        for c in channels.clone() {
            let inverse = f64::from(affine.inverse[c]);
            coefficients[0][c] = (inverse * f64::from(affine.scale[c])) as f32;
            coefficients[1][c] = (-inverse * inverse * second) as f32;
            coefficients[2][c] = (-inverse * first) as f32;
        }
    }
    let blocks = result.par_chunks_mut(block).zip(images.par_chunks(block));
    blocks.for_each(|(result, values)| {
        level.run(Outer {
            values,
            result,
            mean: affine.mean,
            coefficients: &coefficients,
        });
    });
    sums
}

/// Mean and inverse standard deviation of every group, repeated for its channels.
fn combine(sizes: &Sizes, moments: &[Moments]) -> [Vec<f32>; 2] {
    let width = sizes.width();
    let count = (sizes.sites * width) as f64;
    let mut found = [(); 2].map(|()| vec![0.0; sizes.channels]);
    for group in 0..sizes.groups {
        let channels = group * width..(group + 1) * width;
        let each = || {
            let channels = channels.clone();
            moments.iter().flat_map(move |moments| {
                let part = |c: usize| (f64::from(moments.mean[c]), f64::from(moments.squares[c]));
                let sites = moments.sites;
                channels.clone().map(move |c| (sites, part(c)))
            })
        };
        let centre = each().map(|(sites, (mean, _))| sites * mean).sum::<f64>() / count;
        let squares: f64 = each()
            .map(|(sites, (mean, squares))| squares + sites * (mean - centre).powi(2))
            .sum();
        found[0][channels.clone()].fill(centre as f32);
        found[1][channels].fill((squares / count + EPSILON).sqrt().recip() as f32);
    }
    found
}
