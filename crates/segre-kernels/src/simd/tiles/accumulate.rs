//! Sums over pixels: gradients of weights, and products with a transposed matrix.

use super::{Run, padded_channels, panel_widths, step};
use crate::simd::{Simd, Task};

/// `sums[m, o] += Σ_{u, v} patch[u, v; m] · gradient[u, v, o]`, where `m` walks along the runs from pixel `u, v`.
pub(crate) struct Accumulate<'a> {
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
