//! The gradient of what was cut off below 0.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use crate::graphics::{Resident, empty, numbers, units};

/// The gradient where the output is above 0.
pub(crate) fn cut(gradient: Resident, output: Resident) -> Resident {
    let shape: Vec<usize> = gradient.shape().to_vec();
    let found = empty(&gradient, &shape);
    let count: usize = shape.iter().product();
    let client = gradient.client.clone();
    // Safety: units beyond the count do nothing.
    unsafe {
        cut_off::launch_unchecked(
            &client,
            units(count),
            CubeDim::new_1d(256),
            numbers(gradient),
            numbers(output),
            numbers(found.clone()),
            count as u32,
        );
    }
    found
}

#[cube(launch_unchecked)]
fn cut_off(gradient: &[f32], output: &[f32], found: &mut [f32], count: u32) {
    if (ABSOLUTE_POS as u32) < count {
        found[ABSOLUTE_POS] = select(output[ABSOLUTE_POS] <= 0.0, 0.0, gradient[ABSOLUTE_POS]);
    }
}
