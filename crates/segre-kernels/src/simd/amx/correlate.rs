//! Values of convolutions and products of matrices in matrix registers.

use std::arch::asm;

use super::{Factors, SIDE, Shapes, is_available, piece, pieces};
use crate::simd::tiles::{Correlate, padded_channels, panel_widths};

/// Does a task of a convolution, unless its runs are cut badly; then it returns the task.
pub(crate) fn correlate(task: Correlate<'_>) -> Option<Correlate<'_>> {
    assert!(is_available());
    let [rows, columns] = task.pixels;
    let Some(piece) = piece(task.runs).filter(|_| rows * columns > 0) else {
        return Some(task);
    };
    task.check(SIDE);
    let depth: usize = task.runs.iter().map(|run| run.length).sum();
    let pieces: Vec<usize> = pieces(task.runs, piece).iter().map(|at| 4 * at).collect();
    // Groups of as many pixels of a row; the last one of a row may repeat some of the one before.
    let across = columns.div_ceil(SIDE);
    let group = columns.div_ceil(across);
    let groups = rows * across;
    let place = |index: usize, steps: [usize; 2]| {
        let column = (index % across * group).min(columns - group);
        column * steps[0] + index / across * steps[1]
    };
    // SAFETY: there are at most `SIDE` pixels in a group and words in a piece.
    let _shapes = unsafe { Shapes::new(group, piece, SIDE) };
    let mut channel = 0;
    for width in panel_widths(task.channels, SIDE) {
        let kept = width.min(task.channels - channel);
        for first in (0..groups).step_by(2) {
            // An odd group is paired with itself.
            let pair = [first, (first + 1).min(groups - 1)];
            let mut beside = [[0.0_f32; 2 * SIDE * SIDE]; 2];
            // SAFETY: the task was checked, so pixels and panels that exist are within the slices; a group has `group`
            // pixels. What does not fill a panel goes to a place of its own.
            unsafe {
                let source = |of: usize| task.patch.as_ptr().add(place(of, task.patch_steps));
                let weights = task.weights.as_ptr().add(channel * depth);
                let factors = Factors {
                    left: pair.map(source),
                    left_step: 4 * task.patch_steps[0],
                    right: [weights, weights.wrapping_add(SIDE)],
                    right_step: 4 * width,
                };
                let bias = task.bias.as_ptr().add(channel);
                let output = task.output.as_mut_ptr().add(channel);
                let (targets, step) = match kept == width {
                    true => (
                        pair.map(|of| output.add(place(of, task.output_steps))),
                        task.output_steps[0],
                    ),
                    false => (beside.each_mut().map(|sums| sums.as_mut_ptr()), width),
                };
                let block = Block {
                    factors,
                    pieces: pieces.as_ptr_range(),
                    piece,
                    bias,
                    targets,
                    step: 4 * step,
                };
                match width == 2 * SIDE {
                    true => correlate_wide(block),
                    false => correlate_narrow(block),
                }
                if kept < width {
                    for (of, sums) in pair.into_iter().zip(&beside) {
                        let target = output.add(place(of, task.output_steps));
                        for (pixel, sums) in sums.chunks_exact(width).take(group).enumerate() {
                            let target = target.add(pixel * task.output_steps[0]);
                            std::ptr::copy_nonoverlapping(sums.as_ptr(), target, kept);
                        }
                    }
                }
            }
        }
        channel += width;
    }
    debug_assert_eq!(channel, padded_channels(task.channels, SIDE));
    None
}

/// Two groups of pixels of a convolution: `targets = bias + left · right`, summed over the pieces.
struct Block {
    factors: Factors,
    /// Where in the left factors the pieces begin, in bytes.
    pieces: std::ops::Range<*const usize>,
    /// Rows of the right factor for each piece.
    piece: usize,
    bias: *const f32,
    targets: [*mut f32; 2],
    /// From pixel to pixel of a target, in bytes.
    step: usize,
}

/// Two registers of channels.
///
/// # Safety
/// [`Shapes`] are set; there is a piece; left factors reach all pieces of their pixels, right ones their rows for each
/// piece, the bias 32 numbers, the targets 32 numbers of every pixel.
unsafe fn correlate_wide(block: Block) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "tileloadd tmm0, [{place}]",
            "tileloadd tmm1, [{place} + 64]",
            "tileloadd tmm2, [{place}]",
            "tileloadd tmm3, [{place} + 64]",
            "2:",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "mov {place}, [{at}]",
            "add {place}, {first}",
            "tileloadd tmm4, [{place} + {left_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{right} + {right_step}*1 + 64]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "mov {place}, [{at}]",
            "add {place}, {second}",
            "tileloadd tmm5, [{place} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {right}, {advance}",
            "add {at}, 8",
            "cmp {at}, {end}",
            "jne 2b",
            "tilestored [{target} + {step}*1], tmm0",
            "tilestored [{target} + {step}*1 + 64], tmm1",
            "tilestored [{other} + {step}*1], tmm2",
            "tilestored [{other} + {step}*1 + 64], tmm3",
            place = inout(reg) block.bias => _,
            at = inout(reg) block.pieces.start => _,
            end = in(reg) block.pieces.end,
            first = in(reg) block.factors.left[0],
            second = in(reg) block.factors.left[1],
            left_step = in(reg) block.factors.left_step,
            right = inout(reg) block.factors.right[0] => _,
            right_step = in(reg) block.factors.right_step,
            advance = in(reg) block.piece * block.factors.right_step,
            target = in(reg) block.targets[0],
            other = in(reg) block.targets[1],
            step = in(reg) block.step,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// One register of channels.
///
/// # Safety
/// As [`correlate_wide`], with 16 numbers for 32.
unsafe fn correlate_narrow(block: Block) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "tileloadd tmm0, [{place}]",
            "tileloadd tmm2, [{place}]",
            "2:",
            "tileloadd tmm6, [{right} + {right_step}*1]",
            "mov {place}, [{at}]",
            "add {place}, {first}",
            "tileloadd tmm4, [{place} + {left_step}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "mov {place}, [{at}]",
            "add {place}, {second}",
            "tileloadd tmm5, [{place} + {left_step}*1]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "add {right}, {advance}",
            "add {at}, 8",
            "cmp {at}, {end}",
            "jne 2b",
            "tilestored [{target} + {step}*1], tmm0",
            "tilestored [{other} + {step}*1], tmm2",
            place = inout(reg) block.bias => _,
            at = inout(reg) block.pieces.start => _,
            end = in(reg) block.pieces.end,
            first = in(reg) block.factors.left[0],
            second = in(reg) block.factors.left[1],
            left_step = in(reg) block.factors.left_step,
            right = inout(reg) block.factors.right[0] => _,
            right_step = in(reg) block.factors.right_step,
            advance = in(reg) block.piece * block.factors.right_step,
            target = in(reg) block.targets[0],
            other = in(reg) block.targets[1],
            step = in(reg) block.step,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
