//! Values of convolutions and gradients of their images, on slices.
//!
//! Both are the same computation: pixels of the source around a place, times weights. With stride `s` the gradient of the
//! images is `s²` of them, one for every position of a pixel within the stride, and no product is by an inserted zero.
//!
//! Sums of products run over channels: neighbouring ones are a word where the level multiplies pairs.

use rayon::prelude::*;

use super::patch::{Patch, words_of};
use crate::parts::by_parts;
use crate::simd::tiles::{Correlate, padded_channels, panel_widths};
use crate::simd::{Level, pairs};

/// Output pixels of a task: enough to be worth a thread, few enough to stay in its cache.
pub(super) const TASK_PIXELS: usize = 512;
/// Fewest output rows of a task, as the rows around them are copied too.
const TASK_ROWS: usize = 4;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub kernel: usize,
    pub stride: usize,
}

impl Sizes {
    /// Height and width of the output.
    pub fn output(&self) -> [usize; 2] {
        [self.height, self.width].map(|size| size.div_ceil(self.stride))
    }

    pub(super) fn weights(&self) -> usize {
        self.kernel.pow(2) * self.inputs * self.outputs
    }

    /// Least and largest offset of a source pixel.
    pub(super) fn offsets(&self) -> [isize; 2] {
        let radius = (self.kernel / 2) as isize;
        [-radius, self.kernel as isize - 1 - radius]
    }
}

/// The value, `[batch, ⌈height / stride⌉, ⌈width / stride⌉, outputs]`.
pub(crate) fn value(
    level: Level,
    sizes: &Sizes,
    images: &[f32],
    weight: &[f32],
    bias: &[f32],
) -> Vec<f32> {
    assert_eq!(weight.len(), sizes.weights());
    assert_eq!(bias.len(), sizes.outputs);
    let radius = (sizes.kernel / 2) as isize;
    let taps = 0..sizes.kernel as isize;
    let axis: Vec<_> = taps.map(|tap| (tap - radius, tap as usize)).collect();
    let mut padded_bias = bias.to_vec();
    padded_bias.resize(padded_channels(sizes.outputs, level.lanes()), 0.0);
    let phase = Phase {
        first: [0, 0],
        offsets: [range(&axis), range(&axis)],
        weights: pack(level, sizes.outputs, sizes.inputs, [&axis, &axis], |at| {
            weight[(at.tap(sizes) * sizes.inputs + at.source) * sizes.outputs + at.target]
        }),
    };
    let correlation = Correlation {
        level,
        source: [sizes.height, sizes.width, sizes.inputs],
        step: sizes.stride,
        target: [sizes.output()[0], sizes.output()[1], sizes.outputs],
        spread: 1,
        bias: padded_bias,
        phases: vec![phase],
    };
    correlation.run(sizes.batch, images)
}

/// The gradient of the images, given that of the output.
pub(crate) fn input_gradient(
    level: Level,
    sizes: &Sizes,
    weight: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    assert_eq!(weight.len(), sizes.weights());
    let stride = sizes.stride as isize;
    let radius = (sizes.kernel / 2) as isize;
    // x[a] = Σ_i y[(a + r − i) / s] w[i] over the i for which that is an integer; here a = first + s u.
    let axis = |first: usize| -> Vec<(isize, usize)> {
        let taps = (0..sizes.kernel).rev();
        taps.map(|tap| (first as isize + radius - tap as isize, tap))
            .filter(|(offset, _)| offset.rem_euclid(stride) == 0)
            .map(|(offset, tap)| (offset.div_euclid(stride), tap))
            .collect()
    };
    let phase = |first: [usize; 2]| {
        let axes = first.map(axis);
        Phase {
            first,
            offsets: [range(&axes[0]), range(&axes[1])],
            weights: pack(
                level,
                sizes.inputs,
                sizes.outputs,
                [&axes[0], &axes[1]],
                |at| weight[(at.tap(sizes) * sizes.inputs + at.target) * sizes.outputs + at.source],
            ),
        }
    };
    let [height, width] = sizes.output();
    let correlation = Correlation {
        level,
        source: [height, width, sizes.outputs],
        step: 1,
        target: [sizes.height, sizes.width, sizes.inputs],
        spread: sizes.stride,
        bias: vec![0.0; padded_channels(sizes.inputs, level.lanes())],
        phases: (0..sizes.stride.pow(2))
            .map(|k| phase([k / sizes.stride, k % sizes.stride]))
            .collect(),
    };
    correlation.run(sizes.batch, gradient)
}

/// Output rows of a task.
pub(super) fn task_rows(width: usize) -> usize {
    (TASK_PIXELS / width).max(TASK_ROWS)
}

/// Least and largest offset; `[0, −1]` if there is none.
fn range(axis: &[(isize, usize)]) -> [isize; 2] {
    match axis {
        [] => [0, -1],
        [.., last] => [axis[0].0, last.0],
    }
}

/// Which weight is packed.
struct At {
    taps: [usize; 2],
    source: usize,
    target: usize,
}

impl At {
    fn tap(&self, sizes: &Sizes) -> usize {
        self.taps[0] * sizes.kernel + self.taps[1]
    }
}

/// Weights panel by panel `[taps, source channels, width]`, zeros beyond the last channel.
fn pack(
    level: Level,
    targets: usize,
    sources: usize,
    axes: [&[(isize, usize)]; 2],
    weight: impl Fn(At) -> f32,
) -> Vec<f32> {
    let words = words_of(level.pairs(), sources);
    let depth = axes[0].len() * axes[1].len() * words;
    let mut packed = vec![0.0; depth * padded_channels(targets, level.lanes())];
    let mut channel = 0;
    for width in panel_widths(targets, level.lanes()) {
        let panel = &mut packed[channel * depth..][..width * depth];
        let mut rows = panel.chunks_exact_mut(width);
        for &(_, i) in axes[0] {
            for &(_, j) in axes[1] {
                for (place, row) in (0..words).zip(&mut rows) {
                    for (target, packed) in (channel..targets).zip(row) {
                        let taps = [i, j];
                        let weight = |source| match source < sources {
                            true => weight(At {
                                taps,
                                source,
                                target,
                            }),
                            false => 0.0,
                        };
                        *packed = match level.pairs() {
                            true => pairs::word(weight(2 * place), weight(2 * place + 1)),
                            false => weight(place),
                        };
                    }
                }
            }
        }
        channel += width;
    }
    packed
}

/// Target pixels `first + spread · (u, v)` are sums over source pixels `step · (u, v) + offset`, zero outside.
struct Correlation {
    level: Level,
    /// Height, width and channels.
    source: [usize; 3],
    step: usize,
    /// Height, width and channels.
    target: [usize; 3],
    spread: usize,
    bias: Vec<f32>,
    phases: Vec<Phase>,
}

/// The target pixels of one position within the spread.
struct Phase {
    first: [usize; 2],
    /// Least and largest offset by axis.
    offsets: [[isize; 2]; 2],
    weights: Vec<f32>,
}

impl Correlation {
    fn run(&self, batch: usize, source: &[f32]) -> Vec<f32> {
        let [height, width, channels] = self.target;
        let pixels: usize = self.source.iter().product();
        assert_eq!(source.len(), batch * pixels);
        // Tasks begin at the first phase.
        let rows = task_rows(width).next_multiple_of(self.spread);
        let image = |index: usize, target: &mut [f32]| {
            let source = &source[index * pixels..][..pixels];
            let tasks = target.par_chunks_mut(rows * width * channels);
            tasks.enumerate().for_each(|(task, target)| {
                for phase in &self.phases {
                    self.task(phase, source, task * rows, target);
                }
            });
        };
        let size = height * width * channels;
        by_parts(batch * size, size, image).0
    }

    /// The pixels of a phase in target rows `top..` of an image.
    fn task(&self, phase: &Phase, source: &[f32], top: usize, target: &mut [f32]) {
        if phase.weights.is_empty() {
            return; // No output depends on these pixels: their gradient is 0.
        }
        let [_, width, channels] = self.target;
        let rows = target.len() / (width * channels);
        let count = |size: usize, first: usize| size.saturating_sub(first).div_ceil(self.spread);
        let pixels = [count(rows, phase.first[0]), count(width, phase.first[1])];
        let above = top / self.spread;
        let patch = Patch::around(
            source,
            self.source,
            self.step,
            [above..above + pixels[0], 0..pixels[1]],
            phase.offsets,
            self.level.pairs(),
        );
        let from = (phase.first[0] * width + phase.first[1]) * channels;
        self.level.run(Correlate {
            patch: &patch.values,
            patch_steps: patch.steps(self.step),
            runs: &patch.runs(phase.offsets),
            weights: &phase.weights,
            bias: &self.bias,
            output: target.get_mut(from..).unwrap_or_default(),
            output_steps: [self.spread * channels, self.spread * width * channels],
            pixels,
            channels,
        });
    }
}
