//! Sums over a patch around each pixel: values of convolutions, and products of matrices.

use super::{Run, padded_channels, panel_widths, step};
use crate::simd::{Simd, Task, store_some};

/// `output[u, v, o] = bias[o] + Σ_m patch[u, v; m] · weight[m, o]`, where `m` walks along the runs from pixel `u, v`.
pub(crate) struct Correlate<'a> {
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
        crate::simd::amx::correlate(self).map_or(Ok(()), Err)
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
