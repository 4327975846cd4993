//! Gradients of the weights of convolutions in matrix registers.

use std::arch::asm;

use super::{Factors, SIDE, Shapes, is_available, piece, pieces};
use crate::simd::tiles::Run;

/// Two by two registers of sums in memory.
struct Sums {
    /// Of each left factor; the second right one's lie beside the first one's.
    rows: [*mut f32; 2],
    /// Where they begin; rows are `step` apart.
    columns: [usize; 2],
    step: usize,
}

/// `sums[o, m] += Σ_p gradient[o, p] · patch[p; m]` over pixels `p`, where `m` walks along the runs from pixel `p`.
pub(crate) struct Accumulate<'a> {
    /// Every number in a word with that of the next pixel.
    pub patch: &'a [f32],
    /// Words of a pixel.
    pub step: usize,
    /// What the pixels contribute.
    pub runs: &'a [Run],
    /// `[o, words]`, a word for two neighbouring pixels, see [`transposed_pairs`].
    pub gradient: &'a [f32],
    /// Words of a row of the gradient, a multiple of [`SIDE`].
    pub words: usize,
    /// `[o, m]`, the number of rows a multiple of [`SIDE`].
    pub sums: &'a mut [f32],
}

impl Accumulate<'_> {
    /// Adds to the sums.
    ///
    /// # Panics
    /// Panics without matrix registers, or if [`piece`] finds none.
    pub fn run(self) {
        assert!(is_available());
        let piece = piece(self.runs).expect("runs that can be cut");
        let depth: usize = self.runs.iter().map(|run| run.length).sum();
        let reach = self.runs.iter().map(|run| run.offset + run.length).max();
        let last = (2 * self.words).saturating_sub(2) * self.step;
        assert!(self.words.is_multiple_of(SIDE) && self.words > 0);
        assert!(last + reach.unwrap_or(0) <= self.patch.len());
        let rows = self.gradient.len() / self.words;
        assert!(rows.is_multiple_of(SIDE) && self.gradient.len() == rows * self.words);
        assert!(self.sums.len() == rows * depth);
        let pieces = pieces(self.runs, piece);
        // SAFETY: a piece has at most `SIDE` words.
        let _shapes = unsafe { Shapes::new(SIDE, SIDE, piece) };
        for row in (0..rows).step_by(2 * SIDE) {
            // What is odd is paired with itself: both sums begin as, and become, the same.
            let pair = [row, (row + SIDE).min(rows - SIDE)];
            for first in (0..pieces.len()).step_by(2) {
                let columns = [first, (first + 1).min(pieces.len() - 1)];
                // SAFETY: the asserts above keep all that is read and written within the slices.
                unsafe {
                    let gradient = |row: usize| self.gradient.as_ptr().add(row * self.words);
                    let patch = |of: usize| self.patch.as_ptr().add(pieces[of]);
                    let factors = Factors {
                        left: pair.map(gradient),
                        left_step: 4 * self.words,
                        right: columns.map(patch),
                        right_step: 8 * self.step,
                    };
                    let sums = self.sums.as_mut_ptr();
                    let sums = Sums {
                        rows: pair.map(|row| sums.add(row * depth)),
                        columns: columns.map(|of| 4 * of * piece),
                        step: 4 * depth,
                    };
                    accumulate(&factors, self.words / SIDE, &sums);
                }
            }
        }
    }
}

/// Adds the product of left and right factors, `count` registers of words long, to two by two registers of sums.
///
/// # Safety
/// [`Shapes`] are set; the factors have as many words, the sums a register each.
unsafe fn accumulate(factors: &Factors, count: usize, sums: &Sums) {
    let corner = |row: usize, column: usize| sums.rows[row].wrapping_byte_add(sums.columns[column]);
    let corners = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)];
    // SAFETY: the caller's; the registers are named as changed.
    unsafe {
        asm!(
            "mov {at}, [{corners}]",
            "tileloadd tmm0, [{at} + {step}*1]",
            "mov {at}, [{corners} + 8]",
            "tileloadd tmm1, [{at} + {step}*1]",
            "mov {at}, [{corners} + 16]",
            "tileloadd tmm2, [{at} + {step}*1]",
            "mov {at}, [{corners} + 24]",
            "tileloadd tmm3, [{at} + {step}*1]",
            "2:",
            "tileloadd tmm4, [{first} + {left_step}*1]",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{other} + {right_step}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{second} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {first}, 64",
            "add {second}, 64",
            "add {right}, {advance}",
            "add {other}, {advance}",
            "dec {count}",
            "jnz 2b",
            "mov {at}, [{corners}]",
            "tilestored [{at} + {step}*1], tmm0",
            "mov {at}, [{corners} + 8]",
            "tilestored [{at} + {step}*1], tmm1",
            "mov {at}, [{corners} + 16]",
            "tilestored [{at} + {step}*1], tmm2",
            "mov {at}, [{corners} + 24]",
            "tilestored [{at} + {step}*1], tmm3",
            at = out(reg) _,
            corners = in(reg) corners.as_ptr(),
            step = in(reg) sums.step,
            first = inout(reg) factors.left[0] => _,
            second = inout(reg) factors.left[1] => _,
            left_step = in(reg) factors.left_step,
            right = inout(reg) factors.right[0] => _,
            other = inout(reg) factors.right[1] => _,
            right_step = in(reg) factors.right_step,
            advance = in(reg) SIDE * factors.right_step,
            count = inout(reg) count => _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
