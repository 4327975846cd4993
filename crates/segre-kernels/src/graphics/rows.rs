//! Operations on rows, a cube each, on graphics processors: layer normalisation and the error of a field.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use super::product::launch_sum_of_parts;
use super::{Resident, cubes_of, empty, numbers, sum_of_cube};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Units of a cube.
const UNITS: usize = 64;
/// Rows whose gradients of scale and shift one cube adds.
const ROWS: usize = 64;

/// Normalised rows, and mean and inverse deviation of each, `[rows, 2]`.
pub(crate) fn normalise([input, scale, shift]: [Resident; 3]) -> (Resident, Resident) {
    let [rows, columns] = input.shape().dims();
    let (output, statistics) = (empty(&input, &[rows, columns]), empty(&input, &[rows, 2]));
    let client = input.client.clone();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        normalise_rows::launch_unchecked(
            &client,
            cubes_of(rows),
            CubeDim::new_1d(UNITS as u32),
            numbers(input),
            numbers(scale),
            numbers(shift),
            numbers(output.clone()),
            numbers(statistics.clone()),
            rows as u32,
            columns as u32,
        );
    }
    (output, statistics)
}

/// The gradients of input, scale and shift.
pub(crate) fn normalise_gradients(
    [input, scale, statistics]: [Resident; 3],
    gradient: Resident,
) -> [Resident; 3] {
    let [rows, columns] = input.shape().dims();
    let by_input = empty(&input, &[rows, columns]);
    let (by_scale, by_shift) = (empty(&input, &[columns]), empty(&input, &[columns]));
    let parts = rows.div_ceil(ROWS);
    let partial = empty(&input, &[parts, 2, columns]);
    let client = input.client.clone();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        by_rows::launch_unchecked(
            &client,
            cubes_of(rows),
            CubeDim::new_1d(UNITS as u32),
            numbers(input.clone()),
            numbers(scale),
            numbers(statistics.clone()),
            numbers(gradient.clone()),
            numbers(by_input.clone()),
            rows as u32,
            columns as u32,
        );
        sum_rows::launch_unchecked(
            &client,
            CubeCount::Static(columns.div_ceil(32) as u32, parts as u32, 1),
            CubeDim::new_1d(256),
            numbers(input),
            numbers(statistics),
            numbers(gradient),
            numbers(partial.clone()),
            rows as u32,
            columns as u32,
        );
    }
    launch_sum_of_parts(
        partial,
        [&by_scale, &by_shift],
        parts,
        [columns, 2 * columns],
    );
    [by_input, by_scale, by_shift]
}

#[cube(launch_unchecked)]
fn normalise_rows(
    input: &[f32],
    scale: &[f32],
    shift: &[f32],
    output: &mut [f32],
    statistics: &mut [f32],
    rows: u32,
    columns: u32,
) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let base = (row * columns) as usize;
        let count = f32::cast_from(columns);
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            sum += input[base + column as usize];
            column += comptime!(UNITS as u32);
        }
        let mean = sum_of_cube(sum, UNITS) / count;
        let mut square = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            let difference = input[base + column as usize] - mean;
            square = fma(difference, difference, square);
            column += comptime!(UNITS as u32);
        }
        let variance = sum_of_cube(square, UNITS) / count;
        let inverse = f32::new(1.0) / f32::sqrt(variance + f32::new(EPSILON));
        let mut column = UNIT_POS;
        while column < columns {
            let at = column as usize;
            output[base + at] = (input[base + at] - mean) * inverse * scale[at] + shift[at];
            column += comptime!(UNITS as u32);
        }
        if UNIT_POS == 0 {
            statistics[2 * row as usize] = mean;
            statistics[2 * row as usize + 1] = inverse;
        }
    }
}

/// `inverse (h − mean(h) − n mean(h n))`, `h` the gradient of the normalised values `n`.
#[cube(launch_unchecked)]
fn by_rows(
    input: &[f32],
    scale: &[f32],
    statistics: &[f32],
    gradient: &[f32],
    output: &mut [f32],
    rows: u32,
    columns: u32,
) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let base = (row * columns) as usize;
        let count = f32::cast_from(columns);
        let mean = statistics[2 * row as usize];
        let inverse = statistics[2 * row as usize + 1];
        let mut sum = f32::new(0.0);
        let mut products = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            let at = column as usize;
            let h = gradient[base + at] * scale[at];
            sum += h;
            products = fma(h, (input[base + at] - mean) * inverse, products);
            column += comptime!(UNITS as u32);
        }
        let level = sum_of_cube(sum, UNITS) / count;
        let tilt = sum_of_cube(products, UNITS) / count;
        let mut column = UNIT_POS;
        while column < columns {
            let at = column as usize;
            let normal = (input[base + at] - mean) * inverse;
            output[base + at] = inverse * (gradient[base + at] * scale[at] - level - normal * tilt);
            column += comptime!(UNITS as u32);
        }
    }
}

/// Sums over some rows of the gradients' products with the normalised values, and of the gradients.
#[cube(launch_unchecked)]
fn sum_rows(
    input: &[f32],
    statistics: &[f32],
    gradient: &[f32],
    partial: &mut [f32],
    rows: u32,
    columns: u32,
) {
    let mut products = Shared::<[f32]>::new_slice(256usize);
    let mut sums = Shared::<[f32]>::new_slice(256usize);
    let unit = UNIT_POS as usize;
    let column = CUBE_POS_X * 32 + UNIT_POS % 32;
    let first = CUBE_POS_Y * comptime!(ROWS as u32);
    let end = min(first + comptime!(ROWS as u32), rows);
    let mut product = f32::new(0.0);
    let mut sum = f32::new(0.0);
    if column < columns {
        let mut row = first + UNIT_POS / 32;
        while row < end {
            let at = (row * columns + column) as usize;
            let mean = statistics[2 * row as usize];
            let inverse = statistics[2 * row as usize + 1];
            let g = gradient[at];
            product = fma(g, (input[at] - mean) * inverse, product);
            sum += g;
            row += 8;
        }
    }
    products[unit] = product;
    sums[unit] = sum;
    sync_cube();
    if unit < 32 && column < columns {
        #[unroll]
        for other in 1..8usize {
            product += products[unit + 32 * other];
            sum += sums[unit + 32 * other];
        }
        let base = 2 * CUBE_POS_Y * columns + column;
        partial[base as usize] = product;
        partial[(base + columns) as usize] = sum;
    }
}

/// `Σ w (d − Σ w d)²`, `d` the field less the target, of every site, and the mean `Σ w d`.
pub(crate) fn matching_error([field, points, target]: [Resident; 3]) -> [Resident; 2] {
    let [batch, sites, categories] = field.shape().dims();
    let (errors, means) = (
        empty(&field, &[batch, sites]),
        empty(&field, &[batch, sites]),
    );
    let client = field.client.clone();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        errors_of_sites::launch_unchecked(
            &client,
            cubes_of(batch * sites),
            CubeDim::new_1d(UNITS as u32),
            numbers(field),
            numbers(points),
            numbers(target),
            numbers(errors.clone()),
            numbers(means.clone()),
            (batch * sites) as u32,
            categories as u32,
        );
    }
    [errors, means]
}

/// The gradient of the field.
pub(crate) fn matching_gradient(
    [field, points, target, means]: [Resident; 4],
    gradient: Resident,
) -> Resident {
    let [batch, sites, categories] = field.shape().dims();
    let output = empty(&field, &[batch, sites, categories]);
    let client = field.client.clone();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        gradients_of_sites::launch_unchecked(
            &client,
            cubes_of(batch * sites),
            CubeDim::new_1d(UNITS as u32),
            numbers(field),
            numbers(points),
            numbers(target),
            numbers(means),
            numbers(gradient),
            numbers(output.clone()),
            (batch * sites) as u32,
            categories as u32,
        );
    }
    output
}

#[cube(launch_unchecked)]
fn errors_of_sites(
    field: &[f32],
    points: &[f32],
    target: &[f32],
    errors: &mut [f32],
    means: &mut [f32],
    rows: u32,
    columns: u32,
) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let base = (row * columns) as usize;
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            sum = fma(points[at], field[at] - target[at], sum);
            column += comptime!(UNITS as u32);
        }
        let mean = sum_of_cube(sum, UNITS);
        let mut square = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            let deviation = field[at] - target[at] - mean;
            square = fma(points[at] * deviation, deviation, square);
            column += comptime!(UNITS as u32);
        }
        let error = sum_of_cube(square, UNITS);
        if UNIT_POS == 0 {
            errors[row as usize] = error;
            means[row as usize] = mean;
        }
    }
}

#[cube(launch_unchecked)]
fn gradients_of_sites(
    field: &[f32],
    points: &[f32],
    target: &[f32],
    means: &[f32],
    gradient: &[f32],
    output: &mut [f32],
    rows: u32,
    columns: u32,
) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let base = (row * columns) as usize;
        let (mean, factor) = (means[row as usize], 2.0 * gradient[row as usize]);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            output[at] = factor * points[at] * (field[at] - target[at] - mean);
            column += comptime!(UNITS as u32);
        }
    }
}
