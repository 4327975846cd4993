//! Gradients of the weights and the bias of convolutions, on slices.
//!
//! They are summed in a fixed number of parts, so that threads change no result. Sums of products run over pixels: neighbouring
//! ones are a word where the level multiplies pairs.

use rayon::prelude::*;

use super::patch::Patch;
use super::processor::{Sizes, TASK_PIXELS, task_rows};
#[cfg(target_arch = "x86_64")]
use crate::simd::amx;
#[cfg(target_arch = "x86_64")]
use crate::simd::tiles::Run;
use crate::simd::tiles::{Accumulate, padded_channels, panel_widths, panels};
use crate::simd::{Level, pairs};
use crate::sums::sums_of_rows;

/// Parts that a gradient is summed in.
const PARTS: usize = 8;

/// The gradient of the weights, given that of the output.
pub(crate) fn weight_gradient(
    level: Level,
    sizes: &Sizes,
    images: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    #[cfg(target_arch = "x86_64")]
    if level == Level::Amx && fits_matrices(sizes) {
        return weight_gradient_by_matrices(sizes, images, gradient);
    }
    let width = sizes.output()[1];
    let lanes = level.lanes();
    let depth = sizes.kernel.pow(2) * sizes.inputs;
    let len = depth * padded_channels(sizes.outputs, lanes);
    let sums = sums_of_blocks(sizes, images, gradient, len, |mut patch, gradient, sums| {
        let [along, down] = patch.steps(sizes.stride);
        let pairs;
        let (together, gradient) = match level.pairs() {
            false => (1, gradient),
            true => {
                patch.pair_columns(sizes.stride);
                pairs = pair_pixels(gradient, width, sizes.outputs);
                (2, pairs.as_slice())
            }
        };
        let across = width.div_ceil(together);
        let rows = gradient.len() / (across * sizes.outputs);
        level.run(Accumulate {
            patch: &patch.values,
            patch_steps: [together * along, down],
            runs: &patch.runs([sizes.offsets(); 2]),
            gradient: &panels(gradient, sizes.outputs, lanes),
            sums,
            pixels: [rows, across],
            channels: sizes.outputs,
        });
    });
    let mut result = vec![0.0; sizes.weights()];
    let mut channel = 0;
    for panel in panel_widths(sizes.outputs, lanes) {
        let count = panel.min(sizes.outputs - channel);
        for m in 0..depth {
            let result = &mut result[m * sizes.outputs + channel..][..count];
            for sums in &sums {
                let sums = &sums[channel * depth + m * panel..][..count];
                for (result, sum) in result.iter_mut().zip(sums) {
                    *result += sum;
                }
            }
        }
        channel += panel;
    }
    result
}

/// Sums of what the blocks of output rows add, given the source around them and their gradient, in a fixed number of
/// parts.
fn sums_of_blocks(
    sizes: &Sizes,
    images: &[f32],
    gradient: &[f32],
    len: usize,
    add: impl Fn(Patch<'_>, &[f32], &mut [f32]) + Sync,
) -> Vec<Vec<f32>> {
    let [height, width] = sizes.output();
    let source = [sizes.height, sizes.width, sizes.inputs];
    let row = width * sizes.outputs;
    assert_eq!(images.len(), sizes.batch * source.iter().product::<usize>());
    assert_eq!(gradient.len(), sizes.batch * height * row);
    let block = task_rows(width);
    let blocks = height.div_ceil(block);
    let tasks = sizes.batch * blocks;
    let parts = tasks.min(PARTS);
    let part = |part: usize| {
        let mut sums = vec![0.0; len];
        for task in tasks * part / parts..tasks * (part + 1) / parts {
            let (image, block_index) = (task / blocks, task % blocks);
            let rows = block_index * block..height.min((block_index + 1) * block);
            let pixels = images.len() / sizes.batch;
            let patch = Patch::around(
                &images[image * pixels..][..pixels],
                source,
                sizes.stride,
                [rows.clone(), 0..width],
                [sizes.offsets(); 2],
                false,
            );
            let from = (image * height + rows.start) * row;
            add(patch, &gradient[from..][..rows.len() * row], &mut sums);
        }
        sums
    };
    (0..parts).into_par_iter().map(part).collect()
}

/// Whether [`weight_gradient_by_matrices`] can be asked: pixels that lie side by side, and enough channels.
#[cfg(target_arch = "x86_64")]
fn fits_matrices(sizes: &Sizes) -> bool {
    let run = Run {
        offset: 0,
        length: sizes.kernel * sizes.inputs,
    };
    sizes.stride == 1 && amx::piece(&[run]).is_some()
}

/// [`weight_gradient`] where pixels are one long row, with zeros for the gradient where the source reaches beyond.
#[cfg(target_arch = "x86_64")]
fn weight_gradient_by_matrices(sizes: &Sizes, images: &[f32], gradient: &[f32]) -> Vec<f32> {
    let (width, outputs) = (sizes.output()[1], sizes.outputs);
    let depth = sizes.kernel.pow(2) * sizes.inputs;
    let len = depth * outputs.next_multiple_of(amx::SIDE);
    let sums = sums_of_blocks(sizes, images, gradient, len, |patch, gradient, sums| {
        let pixels = gradient.len() / (width * outputs) * patch.columns;
        let words = pixels.div_ceil(2).next_multiple_of(amx::SIDE);
        amx::Accumulate {
            // Words beyond the last pixel meet zeros of the gradient.
            patch: &patch.paired((2 * words + sizes.kernel - pixels) * sizes.inputs),
            step: sizes.inputs,
            runs: &patch.runs([sizes.offsets(); 2]),
            gradient: &pairs::transposed(gradient, [width, outputs], patch.columns, words),
            words,
            sums,
        }
        .run();
    });
    let mut sums = sums.into_iter();
    let mut total = sums.next().unwrap_or_default();
    for sums in sums {
        total
            .iter_mut()
            .zip(sums)
            .for_each(|(total, sum)| *total += sum);
    }
    let mut result = vec![0.0; sizes.weights()];
    for (output, total) in total.chunks_exact(depth.max(1)).take(outputs).enumerate() {
        for (result, total) in result[output..].iter_mut().step_by(outputs).zip(total) {
            *result = *total;
        }
    }
    result
}

/// The gradient of the bias, given that of the output.
pub(crate) fn bias_gradient(outputs: usize, gradient: &[f32]) -> Vec<f32> {
    let together = gradient.len().div_ceil(outputs * PARTS).max(TASK_PIXELS);
    sums_of_rows(gradient, outputs, together)
}

/// Rows of `width` pixels, neighbouring pixels in a word; zeros beside the last one of an odd row.
fn pair_pixels(pixels: &[f32], width: usize, channels: usize) -> Vec<f32> {
    let mut words = vec![0.0; pixels.len() / width * width.div_ceil(2)];
    let zeros = vec![0.0; channels];
    let pairs = pixels
        .chunks_exact(width * channels)
        .flat_map(|row| row.chunks(2 * channels));
    for (pair, words) in pairs.zip(words.chunks_exact_mut(channels)) {
        let (first, second) = pair.split_at(channels);
        let second = if second.is_empty() { &zeros } else { second };
        pairs::zip(first, second, words);
    }
    words
}
