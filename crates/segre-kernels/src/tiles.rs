//! The inner loops of a convolution: tiles of a matrix product, held in registers.
//!
//! A tile has up to `ROWS` rows of one or two registers. One step multiplies a register or two by a number per row:
//! loads are few for the multiplications, and no instruction moves numbers within a register.

use std::borrow::Cow;

use super::parts::by_parts;
use super::simd::{Simd, Task, store_some};

/// Neighbouring numbers of a patch that meet neighbouring rows of the weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// From the pixel's place in the patch, in numbers.
    pub offset: usize,
    /// How many.
    pub length: usize,
}

/// Output channels in panels of two registers; the last one may be half.
pub(super) fn panel_widths(channels: usize, lanes: usize) -> impl Iterator<Item = usize> {
    let full = channels / (2 * lanes);
    let rest = channels % (2 * lanes);
    let last = rest.div_ceil(lanes) * lanes;
    std::iter::repeat_n(2 * lanes, full).chain((last > 0).then_some(last))
}

/// Channels of all panels together.
pub(super) fn padded_channels(channels: usize, lanes: usize) -> usize {
    channels.div_ceil(lanes) * lanes
}

/// Pixels `[pixel, channels]` panel by panel `[pixel, width]`, zeros beyond the last channel.
pub(super) fn panels(pixels: &[f32], channels: usize, lanes: usize) -> Cow<'_, [f32]> {
    if channels == lanes || channels == 2 * lanes {
        return Cow::Borrowed(pixels);
    }
    let count = pixels.len() / channels;
    let across = 2 * lanes;
    let write = |index: usize, panel: &mut [f32]| {
        fill_panel(panel, panel.len() / count, pixels, channels, index * across);
    };
    let len = count * padded_channels(channels, lanes);
    Cow::Owned(by_parts(len, (count * across).max(1), write).0)
}

/// Channels of all pixels from `channel` on, up to `width`, in a panel that has zeros elsewhere.
pub(super) fn fill_panel(
    panel: &mut [f32],
    width: usize,
    pixels: &[f32],
    channels: usize,
    channel: usize,
) {
    let kept = width.min(channels - channel);
    let rows = panel.chunks_exact_mut(width);
    for (to, from) in rows.zip(pixels.chunks_exact(channels)) {
        to[..kept].copy_from_slice(&from[channel..][..kept]);
    }
}

/// `output[u, v, o] = bias[o] + Σ_m patch[u, v; m] · weight[m, o]`, where `m` walks along the runs from pixel `u, v`.
pub(super) struct Correlate<'a> {
    /// Source pixels.
    pub patch: &'a [f32],
    /// From a source pixel to the one of the next output column, and of the next output row, in numbers.
    pub patch_steps: [usize; 2],
    /// What is summed.
    pub runs: &'a [Run],
    /// Panel by panel `[m, width]`.
    pub weights: &'a [f32],
    /// For all panels.
    pub bias: &'a [f32],
    /// Where to write.
    pub output: &'a mut [f32],
    /// From an output pixel to the next one in its row, and in its column, in numbers.
    pub output_steps: [usize; 2],
    /// Rows and columns of output pixels.
    pub pixels: [usize; 2],
    /// Output channels.
    pub channels: usize,
}

impl Correlate<'_> {
    /// # Panics
    /// Panics if some pixel reaches beyond a slice; there is at least one.
    pub fn check(&self, lanes: usize) {
        let [rows, columns] = self.pixels;
        let depth: usize = self.runs.iter().map(|run| run.length).sum();
        let reach = self.runs.iter().map(|run| run.offset + run.length).max();
        let last = |steps: [usize; 2]| (columns - 1) * steps[0] + (rows - 1) * steps[1];
        assert!(last(self.patch_steps) + reach.unwrap_or(0) <= self.patch.len());
        assert!(last(self.output_steps) + self.channels <= self.output.len());
        let padded = padded_channels(self.channels, lanes);
        assert!(self.bias.len() == padded && self.weights.len() == padded * depth);
    }
}

impl Task for Correlate<'_> {
    type Output = ();

    #[cfg(target_arch = "x86_64")]
    fn by_matrices(self) -> Result<(), Self> {
        super::amx::correlate(self).map_or(Ok(()), Err)
    }

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [rows, columns] = self.pixels;
        if rows * columns == 0 {
            return;
        }
        self.check(S::LANES);
        let depth: usize = self.runs.iter().map(|run| run.length).sum();
        let tiles = columns.div_ceil(S::ROWS);
        let mut channel = 0;
        for width in panel_widths(self.channels, S::LANES) {
            for row in 0..rows {
                for tile in 0..tiles {
                    let column = columns * tile / tiles;
                    let count = columns * (tile + 1) / tiles - column;
                    // SAFETY: the asserts above keep everything that the tile reads and writes within the slices:
                    // its pixels exist, and its panel begins at a channel that exists.
                    unsafe {
                        let source = self.patch.as_ptr();
                        let target = self.output.as_mut_ptr();
                        let place = Place {
                            source: source
                                .add(column * self.patch_steps[0] + row * self.patch_steps[1]),
                            source_step: self.patch_steps[0],
                            weights: self.weights.as_ptr().add(channel * depth),
                            bias: self.bias.as_ptr().add(channel),
                            target: target.add(
                                column * self.output_steps[0]
                                    + row * self.output_steps[1]
                                    + channel,
                            ),
                            target_step: self.output_steps[0],
                            channels: (self.channels - channel).min(width),
                        };
                        match width == 2 * S::LANES {
                            true => place.some::<S, 2>(count, self.runs),
                            false => place.some::<S, 1>(count, self.runs),
                        }
                    }
                }
            }
            channel += width;
        }
    }
}

/// Where a tile of [`Correlate`] finds its numbers.
#[derive(Clone, Copy)]
struct Place {
    source: *const f32,
    source_step: usize,
    weights: *const f32,
    bias: *const f32,
    target: *mut f32,
    target_step: usize,
    channels: usize,
}

impl Place {
    /// A tile of `count ≤ ROWS` pixels.
    ///
    /// # Safety
    /// As [`Simd`]; the pointers reach `count` pixels, the runs, and `V` registers of weights and bias.
    #[inline(always)]
    unsafe fn some<S: Simd, const V: usize>(self, count: usize, runs: &[Run]) {
        // SAFETY: the caller's.
        unsafe {
            match count {
                1 => self.tile::<S, 1, V>(runs),
                2 => self.tile::<S, 2, V>(runs),
                3 => self.tile::<S, 3, V>(runs),
                4 => self.tile::<S, 4, V>(runs),
                5 => self.tile::<S, 5, V>(runs),
                6 => self.tile::<S, 6, V>(runs),
                7 if S::ROWS >= 7 => self.tile::<S, 7, V>(runs),
                8 if S::ROWS >= 8 => self.tile::<S, 8, V>(runs),
                9 if S::ROWS >= 9 => self.tile::<S, 9, V>(runs),
                10 if S::ROWS >= 10 => self.tile::<S, 10, V>(runs),
                11 if S::ROWS >= 11 => self.tile::<S, 11, V>(runs),
                12 if S::ROWS >= 12 => self.tile::<S, 12, V>(runs),
                _ => unreachable!("a tile of {count} rows"),
            }
        }
    }

    /// # Safety
    /// As [`Self::some`] with `count = P`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const V: usize>(self, runs: &[Run]) {
        // SAFETY: the caller's; partial panels are stored in part.
        unsafe {
            let mut bias = [S::splat(0.0); V];
            for (v, bias) in bias.iter_mut().enumerate() {
                *bias = S::load(self.bias.add(v * S::LANES));
            }
            let mut sums = [bias; P];
            let mut weights = self.weights;
            for run in runs {
                let mut source = self.source.add(run.offset);
                for _ in 0..run.length {
                    step::<S, P, V>(&mut sums, source, self.source_step, weights);
                    source = source.add(1);
                    weights = weights.add(V * S::LANES);
                }
            }
            for (p, sums) in sums.iter().enumerate() {
                let target = self.target.add(p * self.target_step);
                for (v, sum) in sums.iter().enumerate() {
                    let from = v * S::LANES;
                    match self.channels >= from + S::LANES {
                        true => S::store(target.add(from), *sum),
                        false => store_some::<S>(target.add(from), self.channels - from, *sum),
                    }
                }
            }
        }
    }
}

/// `sums[p] += factors[p step] · vectors`.
///
/// # Safety
/// As [`Simd`]; the pointers reach `P` factors and `V` registers.
#[inline(always)]
unsafe fn step<S: Simd, const P: usize, const V: usize>(
    sums: &mut [[S::Vector; V]; P],
    factors: *const f32,
    step: usize,
    vectors: *const f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut loaded = [S::splat(0.0); V];
        for (v, loaded) in loaded.iter_mut().enumerate() {
            *loaded = S::load(vectors.add(v * S::LANES));
        }
        for (p, sums) in sums.iter_mut().enumerate() {
            let factor = S::splat(*factors.add(p * step));
            for (sum, vector) in sums.iter_mut().zip(loaded) {
                *sum = S::mul_add(factor, vector, *sum);
            }
        }
    }
}

/// `sums[m, o] += Σ_{u, v} patch[u, v; m] · gradient[u, v, o]`, where `m` walks along the runs from pixel `u, v`.
pub(super) struct Accumulate<'a> {
    /// Source pixels.
    pub patch: &'a [f32],
    /// From a source pixel to the one of the next output column, and of the next output row, in numbers.
    pub patch_steps: [usize; 2],
    /// What the pixels contribute.
    pub runs: &'a [Run],
    /// Panel by panel `[u, v, width]`.
    pub gradient: &'a [f32],
    /// Panel by panel `[m, width]`.
    pub sums: &'a mut [f32],
    /// Rows and columns of output pixels.
    pub pixels: [usize; 2],
    /// Output channels.
    pub channels: usize,
}

impl Task for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [rows, columns] = self.pixels;
        if rows * columns == 0 {
            return;
        }
        let depth: usize = self.runs.iter().map(|run| run.length).sum();
        let reach = self.runs.iter().map(|run| run.offset + run.length).max();
        let last = (columns - 1) * self.patch_steps[0] + (rows - 1) * self.patch_steps[1];
        assert!(last + reach.unwrap_or(0) <= self.patch.len());
        let padded = padded_channels(self.channels, S::LANES);
        assert!(self.gradient.len() == padded * rows * columns);
        assert!(self.sums.len() == padded * depth);
        let mut channel = 0;
        for width in panel_widths(self.channels, S::LANES) {
            let mut m = 0;
            for run in self.runs {
                let tiles = run.length.div_ceil(S::ROWS);
                for tile in 0..tiles {
                    let begin = run.length * tile / tiles;
                    let count = run.length * (tile + 1) / tiles - begin;
                    // SAFETY: the asserts above keep everything that the tile reads and writes within the slices.
                    unsafe {
                        let rows = Rows {
                            source: self.patch.as_ptr().add(run.offset + begin),
                            source_steps: self.patch_steps,
                            gradient: self.gradient.as_ptr().add(channel * rows * columns),
                            target: self
                                .sums
                                .as_mut_ptr()
                                .add(channel * depth + (m + begin) * width),
                            pixels: self.pixels,
                        };
                        match width == 2 * S::LANES {
                            true => rows.some::<S, 2>(count),
                            false => rows.some::<S, 1>(count),
                        }
                    }
                }
                m += run.length;
            }
            channel += width;
        }
    }
}

/// Where a tile of [`Accumulate`] finds its numbers.
#[derive(Clone, Copy)]
struct Rows {
    source: *const f32,
    source_steps: [usize; 2],
    gradient: *const f32,
    target: *mut f32,
    pixels: [usize; 2],
}

impl Rows {
    /// A tile of `count ≤ ROWS` rows of the sums.
    ///
    /// # Safety
    /// As [`Simd`]; the pointers reach `count` rows, and `V` registers for every pixel.
    #[inline(always)]
    unsafe fn some<S: Simd, const V: usize>(self, count: usize) {
        // SAFETY: the caller's.
        unsafe {
            match count {
                1 => self.tile::<S, 1, V>(),
                2 => self.tile::<S, 2, V>(),
                3 => self.tile::<S, 3, V>(),
                4 => self.tile::<S, 4, V>(),
                5 => self.tile::<S, 5, V>(),
                6 => self.tile::<S, 6, V>(),
                7 if S::ROWS >= 7 => self.tile::<S, 7, V>(),
                8 if S::ROWS >= 8 => self.tile::<S, 8, V>(),
                9 if S::ROWS >= 9 => self.tile::<S, 9, V>(),
                10 if S::ROWS >= 10 => self.tile::<S, 10, V>(),
                11 if S::ROWS >= 11 => self.tile::<S, 11, V>(),
                12 if S::ROWS >= 12 => self.tile::<S, 12, V>(),
                _ => unreachable!("a tile of {count} rows"),
            }
        }
    }

    /// # Safety
    /// As [`Self::some`] with `count = P`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const V: usize>(self) {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [[S::splat(0.0); V]; P];
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = S::load(self.target.add((p * V + v) * S::LANES));
                }
            }
            let mut gradient = self.gradient;
            for row in 0..self.pixels[0] {
                let mut source = self.source.add(row * self.source_steps[1]);
                for _ in 0..self.pixels[1] {
                    step::<S, P, V>(&mut sums, source, 1, gradient);
                    source = source.wrapping_add(self.source_steps[0]);
                    gradient = gradient.add(V * S::LANES);
                }
            }
            for (p, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    S::store(self.target.add((p * V + v) * S::LANES), *sum);
                }
            }
        }
    }
}
