//! Products of matrices, and an affine map of rows with its gradients, on slices: the tiles of the convolutions.
//!
//! Rows are cut in blocks of a fixed size, so that threads change no result.

use rayon::prelude::*;

use super::simd::Level;
use super::tiles::{Accumulate, Correlate, Run, padded_channels, panel_widths, panels};

/// Rows of a task.
pub(super) const ROWS: usize = 64;
/// Fewest rows of a part of a weight gradient: each part has sums of its own.
const PART_ROWS: usize = 128;
/// Most parts of a weight gradient.
const PARTS: usize = 8;

/// Sizes of an affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub inputs: usize,
    pub outputs: usize,
}

/// `x W + b` of every row `x`, then `max(0, ·)` if `rectify`; what is not a number stays.
///
/// # Shapes
/// `input [rows, inputs]`, `weight [inputs, outputs]`, `bias [outputs]` → `[rows, outputs]`.
pub(super) fn value(
    level: Level,
    sizes: Sizes,
    input: &[f32],
    weight: &[f32],
    bias: &[f32],
    rectify: bool,
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    assert!(weight.len() == inputs * outputs && bias.len() == outputs);
    let weight = panels(weight, outputs, level.lanes());
    let mut padded = bias.to_vec();
    padded.resize(padded_channels(outputs, level.lanes()), 0.0);
    let mut output = vec![0.0; input.len() / inputs * outputs];
    output
        .par_chunks_mut(ROWS * outputs)
        .zip(input.par_chunks(ROWS * inputs))
        .for_each(|(output, input)| {
            let columns = (&mut *output, outputs, outputs);
            multiply_add(level, (input, inputs, inputs), &weight, &padded, columns);
            if rectify {
                output
                    .iter_mut()
                    .for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y });
            }
        });
    output
}

/// The gradient of the input, given that of `x W + b`.
pub(super) fn input_gradient(
    level: Level,
    sizes: Sizes,
    weight: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    assert_eq!(weight.len(), inputs * outputs);
    let weight = transposed_panels(weight, outputs, level.lanes());
    let mut result = vec![0.0; gradient.len() / outputs * inputs];
    result
        .par_chunks_mut(ROWS * inputs)
        .zip(gradient.par_chunks(ROWS * outputs))
        .for_each(|(result, gradient)| {
            let columns = (result, inputs, inputs);
            multiply(level, (gradient, outputs, outputs), &weight, columns);
        });
    result
}

/// The gradient of the weight, given that of `x W + b`.
pub(super) fn weight_gradient(
    level: Level,
    sizes: Sizes,
    input: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    let rows = input.len() / inputs;
    assert!(input.len() == rows * inputs && gradient.len() == rows * outputs);
    let lanes = level.lanes();
    let of_part = rows.div_ceil(PARTS).max(PART_ROWS);
    let parts: Vec<Vec<f32>> = input
        .par_chunks(of_part * inputs)
        .zip(gradient.par_chunks(of_part * outputs))
        .map(|(input, gradient)| {
            let mut sums = vec![0.0; inputs * padded_channels(outputs, lanes)];
            let (rows, right) = (input.len() / inputs, panels(gradient, outputs, lanes));
            add_transposed(
                level,
                (input, inputs, inputs),
                rows,
                (&right, outputs),
                &mut sums,
            );
            sums
        })
        .collect();
    let mut result = vec![0.0; inputs * outputs];
    let mut first = 0;
    for panel in panel_widths(outputs, lanes) {
        let count = panel.min(outputs - first);
        let rows = result.par_chunks_mut(outputs).with_min_len(ROWS);
        rows.enumerate().for_each(|(m, row)| {
            let row = &mut row[first..][..count];
            for sums in &parts {
                let sums = &sums[first * inputs + m * panel..][..count];
                row.iter_mut().zip(sums).for_each(|(row, sum)| *row += sum);
            }
        });
        first += panel;
    }
    result
}

/// Adds the transpose of a matrix (numbers, step between rows, columns that count) times another, which comes in panels
/// with its number of columns, to sums in panels.
pub(super) fn add_transposed(
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
pub(super) fn multiply(
    level: Level,
    left: (&[f32], usize, usize),
    panels: &[f32],
    output: (&mut [f32], usize, usize),
) {
    let zeros = vec![0.0; padded_channels(output.2, level.lanes())];
    multiply_add(level, left, panels, &zeros, output);
}

/// [`multiply`], and numbers for all panels added to every row.
fn multiply_add(
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
pub(super) fn transposed_panels(matrix: &[f32], width: usize, lanes: usize) -> Vec<f32> {
    let rows = matrix.len() / width;
    let mut result = vec![0.0; width * padded_channels(rows, lanes)];
    let mut first = 0;
    for panel in panel_widths(rows, lanes) {
        let target = &mut result[first * width..][..panel * width];
        let source = matrix[first * width..].chunks_exact(width).take(panel);
        for (column, values) in source.enumerate() {
            for (target, value) in target.chunks_exact_mut(panel).zip(values) {
                target[column] = *value;
            }
        }
        first += panel;
    }
    result
}
