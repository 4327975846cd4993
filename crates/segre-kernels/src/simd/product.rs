//! Products of matrices on slices, by the tiles of the convolutions.

use super::Level;
use super::tiles::{Accumulate, Correlate, Run, padded_channels};
use crate::parts::by_parts;

/// Adds the transpose of a matrix (numbers, step between rows, columns that count) times another, which comes in panels
/// with its number of columns, to sums in panels.
pub(crate) fn add_transposed(
    level: Level,
    (left, left_step, columns): (&[f32], usize, usize),
    rows: usize,
    (right, channels): (&[f32], usize),
    sums: &mut [f32],
) {
    level.run(Accumulate {
        patch: left,
        patch_steps: [left_step, 0],
        runs: &[Run {
            offset: 0,
            length: columns,
        }],
        gradient: right,
        sums,
        pixels: [1, rows],
        channels,
    });
}

/// A matrix times another, which comes in panels; each side is numbers, step between rows, and columns.
pub(crate) fn multiply(
    level: Level,
    left: (&[f32], usize, usize),
    panels: &[f32],
    output: (&mut [f32], usize, usize),
) {
    let zeros = vec![0.0; padded_channels(output.2, level.lanes())];
    multiply_add(level, left, panels, &zeros, output);
}

/// [`multiply`], and numbers for all panels added to every row.
pub(crate) fn multiply_add(
    level: Level,
    (left, left_step, depth): (&[f32], usize, usize),
    panels: &[f32],
    added: &[f32],
    (output, output_step, columns): (&mut [f32], usize, usize),
) {
    let rows = left.len() / left_step;
    level.run(Correlate {
        patch: left,
        patch_steps: [left_step, 0],
        runs: &[Run {
            offset: 0,
            length: depth,
        }],
        weights: panels,
        bias: added,
        output,
        output_steps: [output_step, 0],
        pixels: [1, rows],
        channels: columns,
    });
}

/// The transpose of `[rows, width]` in panels `[width, panel]`, zeros beyond the last row.
pub(crate) fn transposed_panels(matrix: &[f32], width: usize, lanes: usize) -> Vec<f32> {
    let rows = matrix.len() / width;
    let across = 2 * lanes;
    let write = |index: usize, target: &mut [f32]| {
        let panel = target.len() / width;
        let source = matrix[index * across * width..]
            .chunks_exact(width)
            .take(panel);
        for (column, values) in source.enumerate() {
            for (target, value) in target.chunks_exact_mut(panel).zip(values) {
                target[column] = *value;
            }
        }
    };
    by_parts(width * padded_channels(rows, lanes), across * width, write).0
}
