//! Products of matrices, and an affine map of rows with its gradients, on slices: the tiles of the convolutions.
//!
//! Rows are cut in blocks of a fixed size, so that threads change no result.

use rayon::prelude::*;

use super::parts::by_parts;
use super::simd::Level;
use super::tiles::{Accumulate, Correlate, Run, fill_panel, padded_channels, panel_widths, panels};

/// Rows of a task.
pub(super) const ROWS: usize = 64;
/// Fewest rows of a part of a weight gradient: each part has sums of its own.
const PART_ROWS: usize = 128;
/// Numbers of an input that stay in a thread's cache while it goes from panel to panel.
const PART: usize = 1 << 18;
/// Tasks that a weight gradient is cut in, if it has the rows.
const TASKS: usize = 8;

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
    let len = input.len() / inputs * outputs;
    let task = |task: usize, output: &mut [f32]| {
        let rows = output.len() / outputs;
        let input = &input[task * ROWS * inputs..][..rows * inputs];
        let columns = (&mut *output, outputs, outputs);
        multiply_add(level, (input, inputs, inputs), &weight, &padded, columns);
        if rectify {
            output
                .iter_mut()
                .for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y });
        }
    };
    by_parts(len, ROWS * outputs, task).0
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
    let len = gradient.len() / outputs * inputs;
    let task = |task: usize, result: &mut [f32]| {
        let rows = result.len() / inputs;
        let gradient = &gradient[task * ROWS * outputs..][..rows * outputs];
        let columns = (result, inputs, inputs);
        multiply(level, (gradient, outputs, outputs), &weight, columns);
    };
    by_parts(len, ROWS * inputs, task).0
}

/// The gradient of the weight, given that of `x W + b`: panel by panel of the outputs, and few panels in parts of rows.
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
    let widths: Vec<usize> = panel_widths(outputs, lanes).collect();
    let firsts = (0..outputs).step_by(2 * lanes);
    let parts = TASKS.div_ceil(widths.len()).min(rows / PART_ROWS);
    let parts = parts
        .max(rows.div_ceil(PART_ROWS.max(PART / inputs)))
        .max(1);
    let of_part = rows.div_ceil(parts);
    let task = |((first, width), part): ((usize, usize), usize)| {
        let rows = part * of_part..rows.min((part + 1) * of_part);
        let count = width.min(outputs - first);
        let mut right = vec![0.0; rows.len() * width];
        let gradient = &gradient[rows.start * outputs..rows.end * outputs];
        fill_panel(&mut right, width, gradient, outputs, first);
        let left = &input[rows.start * inputs..rows.end * inputs];
        let mut sums = vec![0.0; inputs * width];
        let left = (left, inputs, inputs);
        add_transposed(level, left, rows.len(), (&right, count), &mut sums);
        sums
    };
    let panels = firsts.zip(widths);
    let tasks: Vec<_> = (0..parts)
        .flat_map(|part| panels.clone().map(move |panel| (panel, part)))
        .collect();
    let sums: Vec<Vec<f32>> = tasks.par_iter().map(|of| task(*of)).collect();
    let collect = |task: usize, result: &mut [f32]| {
        for (((first, width), _), sums) in tasks.iter().zip(&sums) {
            let sums = sums[task * ROWS * width..].chunks_exact(*width);
            for (row, sums) in result.chunks_exact_mut(outputs).zip(sums) {
                let row = row[*first..].iter_mut().take(*width);
                row.zip(sums).for_each(|(row, sum)| *row += sum);
            }
        }
    };
    by_parts(inputs * outputs, ROWS * outputs, collect).0
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
