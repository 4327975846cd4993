//! Attention on graphics processors: products of batches of matrices, and softmax along the rows of the table of weights, which
//! is made again for the gradients instead of being kept.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use super::product::{Batch, products, turned_products};
use super::{Resident, cubes_of, empty, numbers, sum_of_cube};

/// Units of a cube.
const UNITS: usize = 64;
/// Most numbers of a table of weights.
const MOST_WEIGHTS: usize = 1 << 28;
/// Most products of a launch.
const MOST_ITEMS: usize = 65_535;

/// Whether the table of weights of such queries is small enough.
pub(crate) fn serves([batch, heads, sites, _]: [usize; 4]) -> bool {
    batch * heads <= MOST_ITEMS && batch * heads * sites * sites <= MOST_WEIGHTS
}

/// Sizes of the products along the sites and along the width.
fn sizes(query: &Resident) -> [Batch; 2] {
    let [batch, heads, sites, width] = query.shape().dims();
    let of = |inner, columns| Batch {
        items: batch * heads,
        rows: sites,
        inner,
        columns,
    };
    [of(width, sites), of(sites, width)]
}

/// A tensor of the same numbers with the shape of another one.
fn like(tensor: Resident, shape: &Resident) -> Resident {
    Resident::new_contiguous(
        tensor.client.clone(),
        tensor.device.clone(),
        shape.shape(),
        tensor.handle.clone(),
        tensor.dtype,
    )
}

/// `softmax(Q Kᵀ / √d)`.
fn weights(query: Resident, key: Resident) -> Resident {
    let [to_weights, _] = sizes(&query);
    let logits = products(to_weights, query, key, true);
    let (weights, rows) = (empty(&logits, &logits.shape().to_vec()), to_weights);
    let client = logits.client.clone();
    let scale = (rows.inner as f32).sqrt().recip();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        softmax_rows::launch_unchecked(
            &client,
            cubes_of(rows.items * rows.rows),
            CubeDim::new_1d(UNITS as u32),
            numbers(logits),
            numbers(weights.clone()),
            (rows.items * rows.rows) as u32,
            rows.columns as u32,
            scale,
        );
    }
    weights
}

/// `softmax(Q Kᵀ / √d) V`.
pub(crate) fn value([query, key, value]: [Resident; 3]) -> Resident {
    let [_, from_weights] = sizes(&query);
    let weights = weights(query.clone(), key);
    like(products(from_weights, weights, value, false), &query)
}

/// The gradients of query, key and value.
pub(crate) fn gradients([query, key, value]: [Resident; 3], gradient: Resident) -> [Resident; 3] {
    let [to_weights, from_weights] = sizes(&query);
    let weights = weights(query.clone(), key.clone());
    let by_value = turned_products(from_weights, weights.clone(), gradient.clone());
    let by_weights = products(to_weights, gradient, value.clone(), true);
    let by_logits = empty(&weights, &weights.shape().to_vec());
    let client = weights.client.clone();
    let rows = to_weights.items * to_weights.rows;
    let scale = (to_weights.inner as f32).sqrt().recip();
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        softmax_gradients::launch_unchecked(
            &client,
            cubes_of(rows),
            CubeDim::new_1d(UNITS as u32),
            numbers(weights),
            numbers(by_weights),
            numbers(by_logits.clone()),
            rows as u32,
            to_weights.columns as u32,
            scale,
        );
    }
    let by_query = products(from_weights, by_logits.clone(), key.clone(), false);
    let by_key = turned_products(from_weights, by_logits, query.clone());
    [
        like(by_query, &query),
        like(by_key, &key),
        like(by_value, &value),
    ]
}

#[cube(launch_unchecked)]
fn softmax_rows(logits: &[f32], weights: &mut [f32], rows: u32, columns: u32, scale: f32) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let mut largest_of = Shared::<[f32]>::new_slice(UNITS);
        let base = (row * columns) as usize;
        let mut largest = f32::new(-3.0e38);
        let mut column = UNIT_POS;
        while column < columns {
            largest = max(largest, logits[base + column as usize]);
            column += comptime!(UNITS as u32);
        }
        largest_of[UNIT_POS as usize] = largest;
        sync_cube();
        for other in 0..UNITS {
            largest = max(largest, largest_of[other]);
        }
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            sum += f32::exp(scale * (logits[base + column as usize] - largest));
            column += comptime!(UNITS as u32);
        }
        let share = f32::new(1.0) / sum_of_cube(sum, UNITS);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            weights[at] = f32::exp(scale * (logits[at] - largest)) * share;
            column += comptime!(UNITS as u32);
        }
    }
}

#[cube(launch_unchecked)]
fn softmax_gradients(
    weights: &[f32],
    gradient: &[f32],
    output: &mut [f32],
    rows: u32,
    columns: u32,
    scale: f32,
) {
    let row = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
    if row < rows {
        let base = (row * columns) as usize;
        let mut sum = f32::new(0.0);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            sum = fma(weights[at], gradient[at], sum);
            column += comptime!(UNITS as u32);
        }
        let mean = sum_of_cube(sum, UNITS);
        let mut column = UNIT_POS;
        while column < columns {
            let at = base + column as usize;
            output[at] = scale * weights[at] * (gradient[at] - mean);
            column += comptime!(UNITS as u32);
        }
    }
}
