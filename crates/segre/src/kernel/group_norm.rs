//! Group normalisation of channels-last images, its activation and their gradient, on slices.
//!
//! Registers hold neighbouring channels, as a group may have one or two of them. An image is read in blocks: moments
//! of a block are taken while it is in the cache, and combined in `f64`, so that large images lose nothing. Blocks
//! are the same whatever the number of threads.

use rayon::prelude::*;

use super::simd::{Level, Simd, Task, exp, load_some, store_some};

/// Added to the variance.
const EPSILON: f64 = 1e-5;
/// Numbers in a block of pixels.
const BLOCK: usize = 1 << 14;

/// Sizes of a group normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
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
pub(super) struct Statistics {
    pub mean: Vec<f32>,
    pub inverse: Vec<f32>,
}

/// The value, and what its gradient needs.
pub(super) fn value(
    level: Level,
    sizes: &Sizes,
    images: &[f32],
    scale: &[f32],
    shift: &[f32],
) -> (Vec<f32>, Statistics) {
    let (image, channels) = (sizes.image(), sizes.channels);
    assert_eq!(images.len(), sizes.batch * image);
    assert!(scale.len() == channels && shift.len() == channels);
    let mut output = vec![0.0; images.len()];
    let mut mean = vec![0.0; sizes.batch * channels];
    let mut inverse = mean.clone();
    let statistics = mean
        .par_chunks_mut(channels)
        .zip(inverse.par_chunks_mut(channels));
    output
        .par_chunks_mut(image)
        .zip(images.par_chunks(image))
        .zip(statistics)
        .for_each(|((output, images), (mean, inverse))| {
            let blocks = images.par_chunks(sizes.block());
            let moments: Vec<Moments> = blocks
                .map(|values| level.run(MomentsOf { values, channels }))
                .collect();
            combine(sizes, &moments, mean, inverse);
            let factor: Vec<f32> = inverse.iter().zip(scale).map(|(a, b)| a * b).collect();
            let blocks = images.par_chunks(sizes.block());
            let blocks = output.par_chunks_mut(sizes.block()).zip(blocks);
            blocks.for_each(|(output, values)| {
                level.run(Apply {
                    values,
                    output,
                    mean,
                    factor: &factor,
                    shift,
                    activate: sizes.activate,
                });
            });
        });
    (output, Statistics { mean, inverse })
}

/// Gradients of images, scale and shift.
pub(super) struct Gradients {
    pub images: Vec<f32>,
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
}

/// The gradients, given that of the output.
pub(super) fn gradients(
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
    let mut result = vec![0.0; images.len()];
    let sums: Vec<[Vec<f64>; 2]> = result
        .par_chunks_mut(image)
        .zip(images.par_chunks(image))
        .zip(gradient.par_chunks(image))
        .enumerate()
        .map(|(index, ((result, images), gradient))| {
            let channel = index * channels..(index + 1) * channels;
            let affine = Affine {
                mean: &statistics.mean[channel.clone()],
                inverse: &statistics.inverse[channel],
                scale,
                shift,
            };
            image_gradient(level, sizes, &affine, images, gradient, result)
        })
        .collect();
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

/// What is applied to the channels of an image: `(x − mean) inverse scale + shift`.
struct Affine<'a> {
    mean: &'a [f32],
    inverse: &'a [f32],
    scale: &'a [f32],
    shift: &'a [f32],
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
fn combine(sizes: &Sizes, moments: &[Moments], mean: &mut [f32], inverse: &mut [f32]) {
    let width = sizes.width();
    let count = (sizes.sites * width) as f64;
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
        mean[channels.clone()].fill(centre as f32);
        inverse[channels].fill((squares / count + EPSILON).sqrt().recip() as f32);
    }
}

/// Moments of a block, by channel.
struct Moments {
    sites: f64,
    mean: Vec<f32>,
    /// Sum of squared deviations from the mean.
    squares: Vec<f32>,
}

/// Computes [`Moments`].
struct MomentsOf<'a> {
    values: &'a [f32],
    channels: usize,
}

impl Task for MomentsOf<'_> {
    type Output = Moments;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Moments {
        let sites = self.values.len() / self.channels;
        let mut result = Moments {
            sites: sites as f64,
            mean: vec![0.0; self.channels],
            squares: vec![0.0; self.channels],
        };
        let mut channel = 0;
        while channel < self.channels {
            let count = S::LANES.min(self.channels - channel);
            // SAFETY: `count` channels from `channel` on exist in every pixel and in the results.
            unsafe {
                let from = self.values.as_ptr().add(channel);
                let zero = S::splat(0.0);
                let sum = deviations::<S>(from, self.channels, sites, count, zero, false);
                let mean = S::mul(sum, S::splat(1.0 / sites as f32));
                let squares = deviations::<S>(from, self.channels, sites, count, mean, true);
                put::<S>(result.mean.as_mut_ptr().add(channel), count, mean);
                put::<S>(result.squares.as_mut_ptr().add(channel), count, squares);
            }
            channel += count;
        }
        result
    }
}

/// `Σ (x − centre)` over pixels, or the sum of its squares.
///
/// # Safety
/// As [`Simd`]; `count` numbers can be read at each of `sites` addresses `step` numbers apart.
#[inline(always)]
unsafe fn deviations<S: Simd>(
    from: *const f32,
    step: usize,
    sites: usize,
    count: usize,
    centre: S::Vector,
    squared: bool,
) -> S::Vector {
    /// Independent sums, as an addition takes some cycles.
    const WAYS: usize = 4;
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [S::splat(0.0); WAYS];
        let mut site = 0;
        while site < sites {
            for (way, sum) in sums.iter_mut().enumerate() {
                if site + way < sites {
                    let value = get::<S>(from.add((site + way) * step), count);
                    let value = S::sub(value, centre);
                    *sum = match squared {
                        true => S::mul_add(value, value, *sum),
                        false => S::add(value, *sum),
                    };
                }
            }
            site += WAYS;
        }
        S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]))
    }
}

/// Normalises a block, and activates.
struct Apply<'a> {
    values: &'a [f32],
    output: &'a mut [f32],
    mean: &'a [f32],
    factor: &'a [f32],
    shift: &'a [f32],
    activate: bool,
}

impl Task for Apply<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let channels = self.mean.len();
        assert!(self.values.len() == self.output.len());
        assert!(self.factor.len() == channels && self.shift.len() == channels);
        let mut channel = 0;
        while channel < channels {
            let count = S::LANES.min(channels - channel);
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // mean, factor and shift.
            unsafe {
                let mean = get::<S>(self.mean.as_ptr().add(channel), count);
                let factor = get::<S>(self.factor.as_ptr().add(channel), count);
                let shift = get::<S>(self.shift.as_ptr().add(channel), count);
                for at in (channel..self.values.len()).step_by(channels) {
                    let value = get::<S>(self.values.as_ptr().add(at), count);
                    let mut value = S::mul_add(S::sub(value, mean), factor, shift);
                    if self.activate {
                        value = S::mul(value, sigmoid::<S>(value));
                    }
                    put::<S>(self.output.as_mut_ptr().add(at), count, value);
                }
            }
            channel += count;
        }
    }
}

/// Writes the gradient `h` of the affine function, and sums `h` and `h n` by channel.
struct Inner<'a> {
    values: &'a [f32],
    gradient: &'a [f32],
    result: &'a mut [f32],
    affine: &'a Affine<'a>,
    activate: bool,
}

impl Task for Inner<'_> {
    type Output = [Vec<f32>; 2];

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Self::Output {
        let affine = self.affine;
        let channels = affine.mean.len();
        assert!(self.values.len() == self.result.len() && self.values.len() == self.gradient.len());
        assert!(affine.inverse.len() == channels);
        assert!(affine.scale.len() == channels && affine.shift.len() == channels);
        let mut sums = [(); 2].map(|()| vec![0.0; channels]);
        let mut channel = 0;
        while channel < channels {
            let count = S::LANES.min(channels - channel);
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // the vectors of the affine function and the sums.
            unsafe {
                let mean = get::<S>(affine.mean.as_ptr().add(channel), count);
                let inverse = get::<S>(affine.inverse.as_ptr().add(channel), count);
                let scale = get::<S>(affine.scale.as_ptr().add(channel), count);
                let shift = get::<S>(affine.shift.as_ptr().add(channel), count);
                let one = S::splat(1.0);
                let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
                for at in (channel..self.values.len()).step_by(channels) {
                    let value = get::<S>(self.values.as_ptr().add(at), count);
                    let mut gradient = get::<S>(self.gradient.as_ptr().add(at), count);
                    let normal = S::mul(S::sub(value, mean), inverse);
                    if self.activate {
                        // (z σ)' = σ (1 + z (1 − σ))
                        let z = S::mul_add(normal, scale, shift);
                        let sigma = sigmoid::<S>(z);
                        let slope = S::mul_add(z, S::sub(one, sigma), one);
                        gradient = S::mul(gradient, S::mul(sigma, slope));
                    }
                    first = S::add(first, gradient);
                    second = S::mul_add(gradient, normal, second);
                    put::<S>(self.result.as_mut_ptr().add(at), count, gradient);
                }
                put::<S>(sums[0].as_mut_ptr().add(channel), count, first);
                put::<S>(sums[1].as_mut_ptr().add(channel), count, second);
            }
            channel += count;
        }
        sums
    }
}

/// `result ← a result + b (value − mean) + c` by channel.
struct Outer<'a> {
    values: &'a [f32],
    result: &'a mut [f32],
    mean: &'a [f32],
    coefficients: &'a [Vec<f32>; 3],
}

impl Task for Outer<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let channels = self.mean.len();
        assert!(self.values.len() == self.result.len());
        assert!(self.coefficients.iter().all(|all| all.len() == channels));
        let mut channel = 0;
        while channel < channels {
            let count = S::LANES.min(channels - channel);
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // mean and coefficients.
            unsafe {
                let mean = get::<S>(self.mean.as_ptr().add(channel), count);
                let a = get::<S>(self.coefficients[0].as_ptr().add(channel), count);
                let b = get::<S>(self.coefficients[1].as_ptr().add(channel), count);
                let c = get::<S>(self.coefficients[2].as_ptr().add(channel), count);
                for at in (channel..self.values.len()).step_by(channels) {
                    let value = get::<S>(self.values.as_ptr().add(at), count);
                    let place = self.result.as_mut_ptr().add(at);
                    let sum = S::mul_add(b, S::sub(value, mean), c);
                    let sum = S::mul_add(a, get::<S>(place, count), sum);
                    put::<S>(place, count, sum);
                }
            }
            channel += count;
        }
    }
}

/// `1 / (1 + e^−x)`.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn sigmoid<S: Simd>(x: S::Vector) -> S::Vector {
    // SAFETY: the caller's.
    unsafe {
        let one = S::splat(1.0);
        S::div(one, S::add(one, exp::<S>(S::sub(S::splat(0.0), x))))
    }
}

/// `count ≤ LANES` numbers, mostly all.
///
/// # Safety
/// As [`Simd`]; they can be read at the address.
#[inline(always)]
unsafe fn get<S: Simd>(from: *const f32, count: usize) -> S::Vector {
    // SAFETY: the caller's.
    unsafe {
        match count == S::LANES {
            true => S::load(from),
            false => load_some::<S>(from, count),
        }
    }
}

/// Stores `count ≤ LANES` numbers, mostly all.
///
/// # Safety
/// As [`Simd`]; they can be written at the address.
#[inline(always)]
unsafe fn put<S: Simd>(to: *mut f32, count: usize, value: S::Vector) {
    // SAFETY: the caller's.
    unsafe {
        match count == S::LANES {
            true => S::store(to, value),
            false => store_some::<S>(to, count, value),
        }
    }
}
