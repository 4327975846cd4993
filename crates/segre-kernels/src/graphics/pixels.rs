//! Operations on the pixels of images that move numbers more than they compute, on graphics processors.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use super::product::launch_sum_of_parts;
use super::{Resident, empty, lanes, numbers, units};

/// Units of a cube that adds pixels, cubes that keep a large processor busy, and fewest pixels of one.
const UNITS: usize = 256;
const BUSY: usize = 1056;
const LEAST: usize = 64;

/// Whether a cube has a unit for every column of such images.
pub(crate) fn serves([_, _, _, channels]: [usize; 4]) -> bool {
    channels / lanes(channels) <= UNITS
}

/// A vector added to all pixels of its image.
pub(crate) fn add(images: Resident, vectors: Resident) -> Resident {
    let [batch, height, width, channels] = images.shape().dims();
    let output = empty(&images, &[batch, height, width, channels]);
    let (client, lanes) = (images.client.clone(), lanes(channels));
    let (image, row) = (height * width * channels / lanes, channels / lanes);
    // Safety: units beyond the count do nothing.
    unsafe {
        add_vectors::launch_unchecked(
            &client,
            units(batch * image),
            CubeDim::new_1d(256),
            lanes,
            numbers(images),
            numbers(vectors),
            numbers(output.clone()),
            (batch * image) as u32,
            image as u32,
            row as u32,
        );
    }
    output
}

/// The sum of all pixels of each image, `[batch, channels]`: of parts of them, and then of the parts.
pub(crate) fn sum(images: Resident) -> Resident {
    let [batch, height, width, channels] = images.shape().dims();
    let output = empty(&images, &[batch, channels]);
    let (client, lanes) = (images.client.clone(), lanes(channels));
    let sites = height * width;
    let parts = BUSY.div_ceil(batch).min(sites.div_ceil(LEAST)).max(1);
    let of_part = sites.div_ceil(parts);
    let parts = sites.div_ceil(of_part);
    let partial = match parts {
        1 => output.clone(),
        _ => empty(&images, &[parts, batch, channels]),
    };
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        sum_pixels::launch_unchecked(
            &client,
            CubeCount::Static(batch as u32, parts as u32, 1),
            CubeDim::new_1d(UNITS as u32),
            lanes,
            numbers(images),
            numbers(partial.clone()),
            sites as u32,
            of_part as u32,
            channels / lanes,
        );
    }
    if parts > 1 {
        let (total, none) = (batch * channels, empty(&output, &[1]));
        launch_sum_of_parts(partial, [&output, &none], parts, [total; 2]);
    }
    output
}

/// Every pixel four times.
pub(crate) fn enlarge(images: Resident) -> Resident {
    let [batch, height, width, channels] = images.shape().dims();
    let output = empty(&images, &[batch, 2 * height, 2 * width, channels]);
    let (client, lanes) = (images.client.clone(), lanes(channels));
    let (count, row) = (
        4 * batch * height * width * channels / lanes,
        channels / lanes,
    );
    // Safety: units beyond the count do nothing.
    unsafe {
        repeat_pixels::launch_unchecked(
            &client,
            units(count),
            CubeDim::new_1d(256),
            lanes,
            numbers(images),
            numbers(output.clone()),
            count as u32,
            width as u32,
            row as u32,
        );
    }
    output
}

/// The sums of four pixels each.
pub(crate) fn reduce(large: Resident) -> Resident {
    let [batch, height, width, channels] = large.shape().dims();
    let (height, width) = (height / 2, width / 2);
    let output = empty(&large, &[batch, height, width, channels]);
    let (client, lanes) = (large.client.clone(), lanes(channels));
    let (count, row) = (batch * height * width * channels / lanes, channels / lanes);
    // Safety: units beyond the count do nothing.
    unsafe {
        sum_of_four::launch_unchecked(
            &client,
            units(count),
            CubeDim::new_1d(256),
            lanes,
            numbers(large),
            numbers(output.clone()),
            count as u32,
            width as u32,
            row as u32,
        );
    }
    output
}

#[cube(launch_unchecked)]
fn add_vectors<N: Size>(
    images: &[Vector<f32, N>],
    vectors: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    count: u32,
    image: u32,
    row: u32,
) {
    let at = ABSOLUTE_POS as u32;
    if at < count {
        let vector = (at / image) * row + at % row;
        output[at as usize] = images[at as usize] + vectors[vector as usize];
    }
}

#[cube(launch_unchecked)]
fn sum_pixels<N: Size>(
    images: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] columns: usize,
) {
    let lines = comptime!(UNITS / columns);
    let mut sums = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
    let unit = UNIT_POS as usize;
    let (line, column) = (unit / columns, unit % columns);
    let base = (CUBE_POS_X * sites) as usize * columns + column;
    let from = CUBE_POS_Y * of_part;
    let end = min(from + of_part, sites);
    let mut sum = Vector::<f32, N>::new(0.0);
    // Units that are left over have no pixels.
    let mut pixel = select(line < lines, from + line as u32, end);
    while pixel < end {
        sum += images[base + pixel as usize * columns];
        pixel += lines as u32;
    }
    sums[unit] = sum;
    sync_cube();
    if unit < columns {
        for other in 1..lines {
            sum += sums[other * columns + unit];
        }
        let image = CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X;
        output[image as usize * columns + unit] = sum;
    }
}

/// `width` is that of the small images.
#[cube(launch_unchecked)]
fn repeat_pixels<N: Size>(
    images: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    count: u32,
    width: u32,
    row: u32,
) {
    let at = ABSOLUTE_POS as u32;
    if at < count {
        let (pixel, column) = (at / row, at % row);
        let (y, x) = (pixel / (2 * width), pixel % (2 * width));
        let from = ((y / 2) * width + x / 2) * row + column;
        output[at as usize] = images[from as usize];
    }
}

/// `width` is that of the small images.
#[cube(launch_unchecked)]
fn sum_of_four<N: Size>(
    large: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    count: u32,
    width: u32,
    row: u32,
) {
    let at = ABSOLUTE_POS as u32;
    if at < count {
        let (pixel, column) = (at / row, at % row);
        let (y, x) = (pixel / width, pixel % width);
        let upper = ((2 * y * 2 * width + 2 * x) * row + column) as usize;
        let lower = upper + (2 * width * row) as usize;
        let row = row as usize;
        output[at as usize] =
            large[upper] + large[upper + row] + (large[lower] + large[lower + row]);
    }
}
