//! Messages along the rows or columns of images on graphics processors.
//!
//! A cube has some lines, and a unit for every label of theirs; it goes along its lines once in either sense. What a pixel
//! says of itself, and what it believes, lies in shared memory while its line's units make the next message of it.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use super::{Resident, empty, numbers};

/// Units of a cube, if a line has fewer labels.
const UNITS: usize = 64;
/// Most labels of a line: a unit each.
pub(crate) const MOST_LABELS: usize = 256;

/// The sum of the logarithms of the messages of all four directions, right, left, down and up.
///
/// # Shapes
/// `local [batch, height · width, categories]`, `ratios [4, categories, categories]`, `silence [4, height · width,
/// categories]` → as `local`.
pub(crate) fn value(
    local: Resident,
    ratios: Resident,
    silence: Resident,
    [height, width]: [usize; 2],
) -> Resident {
    let [batch, sites, labels] = local.shape().dims();
    let output = empty(&local, &[batch, sites, labels]);
    let client = local.client.clone();
    let together = (UNITS / labels).max(1);
    for axis in 0..2 {
        let lines = batch * [height, width][axis];
        // Safety: every index is below the sizes, which are those of the tensors.
        unsafe {
            along::launch_unchecked(
                &client,
                CubeCount::Static(lines.div_ceil(together) as u32, 1, 1),
                CubeDim::new_1d((together * labels) as u32),
                numbers(local.clone()),
                numbers(ratios.clone()),
                numbers(silence.clone()),
                numbers(output.clone()),
                lines as u32,
                height as u32,
                width as u32,
                axis,
                labels,
                together,
            );
        }
    }
    output
}

#[cube(launch_unchecked)]
fn along(
    local: &[f32],
    ratios: &[f32],
    silence: &[f32],
    output: &mut [f32],
    lines: u32,
    height: u32,
    width: u32,
    #[comptime] axis: usize,
    #[comptime] labels: usize,
    #[comptime] together: usize,
) {
    let mut own = Shared::<[f32]>::new_slice(comptime!(labels * together));
    let mut beliefs = Shared::<[f32]>::new_slice(comptime!(labels * together));
    let unit = UNIT_POS as usize;
    let (slot, label) = (unit / labels, unit % labels);
    let line = CUBE_POS_X * together as u32 + slot as u32;
    let exists = line < lines;
    // Units without a line go along the last one and write nothing.
    let line = min(line, lines - 1);
    let mut length = width;
    let mut across = height;
    let mut stride = 1u32.runtime();
    let mut apart = width;
    if comptime!(axis == 1) {
        length = height;
        across = width;
        stride = width;
        apart = 1u32.runtime();
    }
    let image = (line / across) * height * width;
    let start = (line % across) * apart;

    #[unroll]
    for sense in 0..2usize {
        let table = comptime!((2 * axis + sense) * labels * labels);
        let quiet = comptime!(2 * axis + sense) as u32 * height * width;
        let mut message = f32::new(1.0);
        for step in 0..length {
            let mut place = start + step * stride;
            if comptime!(sense == 1) {
                place = start + (length - 1 - step) * stride;
            }
            let at = (image + place) as usize * labels + label;
            if step > 0 {
                // From what the pixel before believes.
                let mut total = f32::new(0.0);
                let mut sum = f32::new(0.0);
                for a in 0..labels {
                    let belief = beliefs[slot * labels + a];
                    total += belief;
                    sum = fma(belief, ratios[table + a * labels + label], sum);
                }
                message = sum / (total * silence[(quiet + place) as usize * labels + label]);
            }
            if exists {
                let logarithm = f32::ln(message);
                if comptime!(axis == 0 && sense == 0) {
                    output[at] = logarithm;
                } else {
                    output[at] += logarithm;
                }
            }
            let logit = local[at];
            own[unit] = logit;
            sync_cube();
            let mut largest = logit;
            for a in 0..labels {
                largest = max(largest, own[slot * labels + a]);
            }
            beliefs[unit] = f32::exp(logit - largest) * message;
            sync_cube();
        }
        sync_cube();
    }
}
