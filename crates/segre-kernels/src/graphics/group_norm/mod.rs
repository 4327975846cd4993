//! Group normalisation with the activation that follows it, on graphics processors.
//!
//! An image's pixels are cut in parts. One launch sums every channel of a part, the next one puts the sums of an image's parts
//! together, channel by channel and then group by group, and writes its own part of the output; so does the way back. Of many
//! images each is one part, and both are one launch. Sums are of differences from a channel's first pixel, so that a mean far
//! from 0 costs no digits.

mod backward;
mod forward;

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use self::backward::{by_normalised, sum_gradients, sum_images};
use self::forward::{normalise, sum_channels};

use super::{Resident, empty, lanes, numbers};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Units of a cube that has a part of an image, and of one that has an image for itself.
const UNITS: usize = 256;
const UNITS_ALONE: usize = 1024;
/// Images from which on each has one cube: it sums and normalises in one launch, and what it reads again is still near.
const ALONE: usize = 128;
/// Cubes that keep a large processor busy.
const BUSY: usize = 1056;

/// What is normalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    batch: usize,
    sites: usize,
    channels: usize,
    groups: usize,
    activate: bool,
    /// Whether an image has one cube.
    alone: bool,
}

impl Sizes {
    pub fn of(images: &Resident, groups: usize, activate: bool) -> Self {
        let [batch, height, width, channels] = images.shape().dims();
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "{channels} channels in {groups} groups"
        );
        let most = images.client.properties().hardware.max_units_per_cube;
        Self {
            batch,
            sites: height * width,
            channels,
            groups,
            activate,
            alone: batch >= ALONE && most as usize >= UNITS_ALONE,
        }
    }

    /// Units of a cube.
    fn units(&self) -> usize {
        if self.alone { UNITS_ALONE } else { UNITS }
    }

    /// Parts of an image, and pixels of a part.
    fn parts(&self) -> (usize, usize) {
        if self.alone {
            return (1, self.sites);
        }
        let least = (4 * UNITS).div_ceil(self.channels).max(1);
        let parts = BUSY.div_ceil(self.batch).min(self.sites.div_ceil(least));
        let of_part = self.sites.div_ceil(parts.max(1));
        (self.sites.div_ceil(of_part), of_part)
    }
}

/// Whether a cube has a unit for every column of such images.
pub(crate) fn serves([_, _, _, channels]: [usize; 4]) -> bool {
    channels / lanes(channels) <= UNITS
}

/// The values, and mean and inverse deviation of every group, `[batch, groups, 2]`.
pub(crate) fn value(sizes: &Sizes, [images, scale, shift]: [Resident; 3]) -> (Resident, Resident) {
    let (parts, of_part) = sizes.parts();
    let shape = images.shape().to_vec();
    let (output, statistics) = (
        empty(&images, &shape),
        empty(&images, &[sizes.batch, sizes.groups, 2]),
    );
    let partial = empty(&images, &[sizes.batch, parts, 2, sizes.channels]);
    let (client, width) = (images.client.clone(), lanes(sizes.channels));
    let cubes = CubeCount::Static(parts as u32, sizes.batch as u32, 1);
    let (alone, units) = (sizes.alone, sizes.units());
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        if !alone {
            sum_channels::launch_unchecked(
                &client,
                cubes.clone(),
                CubeDim::new_1d(units as u32),
                width,
                numbers(images.clone()),
                numbers(partial.clone()),
                sizes.sites as u32,
                of_part as u32,
                sizes.channels,
            );
        }
        normalise::launch_unchecked(
            &client,
            cubes,
            CubeDim::new_1d(units as u32),
            width,
            numbers(images),
            numbers(partial),
            numbers(scale),
            numbers(shift),
            numbers(output.clone()),
            numbers(statistics.clone()),
            sizes.sites as u32,
            of_part as u32,
            sizes.channels,
            sizes.groups,
            sizes.activate,
            units,
            alone,
        );
    }
    (output, statistics)
}

/// The gradients of images, scale and shift.
pub(crate) fn gradients(
    sizes: &Sizes,
    [images, scale, shift, statistics]: [Resident; 4],
    gradient: Resident,
) -> [Resident; 3] {
    let (parts, of_part) = sizes.parts();
    let shape = images.shape().to_vec();
    let by_images = empty(&images, &shape);
    let (by_scale, by_shift) = (
        empty(&scale, &[sizes.channels]),
        empty(&scale, &[sizes.channels]),
    );
    let partial = empty(&images, &[sizes.batch, parts, 2, sizes.channels]);
    let (client, width) = (images.client.clone(), lanes(sizes.channels));
    let cubes = CubeCount::Static(parts as u32, sizes.batch as u32, 1);
    let (alone, units) = (sizes.alone, sizes.units());
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        if !alone {
            sum_gradients::launch_unchecked(
                &client,
                cubes.clone(),
                CubeDim::new_1d(units as u32),
                width,
                numbers(images.clone()),
                numbers(gradient.clone()),
                numbers(scale.clone()),
                numbers(shift.clone()),
                numbers(statistics.clone()),
                numbers(partial.clone()),
                sizes.sites as u32,
                of_part as u32,
                sizes.channels,
                sizes.groups,
                sizes.activate,
            );
        }
        by_normalised::launch_unchecked(
            &client,
            cubes,
            CubeDim::new_1d(units as u32),
            width,
            numbers(images),
            numbers(gradient),
            numbers(scale),
            numbers(shift),
            numbers(statistics),
            numbers(partial.clone()),
            numbers(by_images.clone()),
            sizes.sites as u32,
            of_part as u32,
            sizes.channels,
            sizes.groups,
            sizes.activate,
            units,
            alone,
        );
        sum_images::launch_unchecked(
            &client,
            CubeCount::Static((2 * sizes.channels).div_ceil(16) as u32, 1, 1),
            CubeDim::new_1d(UNITS as u32),
            numbers(partial),
            numbers(by_scale.clone()),
            numbers(by_shift.clone()),
            (sizes.batch * parts) as u32,
            sizes.channels as u32,
        );
    }
    [by_images, by_scale, by_shift]
}

/// Where a unit works: its column (of `N` channels), its first pixel, the pixels to the next one, and the end of its part.
#[cube]
fn place(
    #[comptime] columns: usize,
    #[comptime] units: usize,
    sites: u32,
    of_part: u32,
) -> (u32, u32, u32, u32) {
    let lines = comptime!((units / columns) as u32);
    let unit = UNIT_POS as u32;
    let (line, column) = (unit / columns as u32, unit % columns as u32);
    let from = CUBE_POS_X * of_part;
    let end = min(from + of_part, sites);
    // Units that are left over have no pixels.
    let first = select(line < lines, from + line, end);
    (column, first, lines, end)
}

/// Adds the sums of a cube's units, column by column, and writes those of the part.
#[cube]
fn write_part<N: Size>(
    first: Vector<f32, N>,
    second: Vector<f32, N>,
    partial: &mut [Vector<f32, N>],
    #[comptime] columns: usize,
    #[comptime] units: usize,
) {
    let mut numbers = Shared::<[Vector<f32, N>]>::new_slice(units);
    let unit = UNIT_POS as usize;
    let part = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) as usize;
    numbers[unit] = first;
    sync_cube();
    if unit < columns {
        partial[2 * part * columns + unit] = sum_of_column::<N>(&numbers, unit, columns, units);
    }
    sync_cube();
    numbers[unit] = second;
    sync_cube();
    if unit < columns {
        partial[(2 * part + 1) * columns + unit] =
            sum_of_column::<N>(&numbers, unit, columns, units);
    }
}

/// The sum of a column's units, of which the first is `unit`.
#[cube]
fn sum_of_column<N: Size>(
    numbers: &Shared<[Vector<f32, N>]>,
    unit: usize,
    #[comptime] columns: usize,
    #[comptime] units: usize,
) -> Vector<f32, N> {
    let mut sum = numbers[unit];
    for line in 1..comptime!(units / columns) {
        sum += numbers[line * columns + unit];
    }
    sum
}
