//! Group normalisation with the activation that follows it, on graphics processors.
//!
//! An image's pixels are cut in parts. One launch sums every channel of a part, the next one puts the sums of an image's parts
//! together, channel by channel and then group by group, and writes its own part of the output; so does the way back. Sums are
//! of differences from a channel's first pixel, so that a mean far from 0 costs no digits.

mod backward;
mod forward;

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

use self::backward::{by_normalised, sum_gradients, sum_images};
use self::forward::{normalise, sum_channels};

use super::{Resident, empty, lanes, numbers};

/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Units of a cube.
const UNITS: usize = 256;
/// Cubes that keep a large processor busy.
const BUSY: usize = 264;

/// What is normalised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    batch: usize,
    sites: usize,
    channels: usize,
    groups: usize,
    activate: bool,
}

impl Sizes {
    pub fn of(images: &Resident, groups: usize, activate: bool) -> Self {
        let [batch, height, width, channels] = images.shape().dims();
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "{channels} channels in {groups} groups"
        );
        Self {
            batch,
            sites: height * width,
            channels,
            groups,
            activate,
        }
    }

    /// Parts of an image, and pixels of a part.
    fn parts(&self) -> (usize, usize) {
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
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        sum_channels::launch_unchecked(
            &client,
            cubes.clone(),
            CubeDim::new_1d(UNITS as u32),
            width,
            numbers(images.clone()),
            numbers(partial.clone()),
            sizes.sites as u32,
            of_part as u32,
            sizes.channels,
        );
        normalise::launch_unchecked(
            &client,
            cubes,
            CubeDim::new_1d(UNITS as u32),
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
    // Safety: every index is below the sizes, which are those of the tensors.
    unsafe {
        sum_gradients::launch_unchecked(
            &client,
            cubes.clone(),
            CubeDim::new_1d(UNITS as u32),
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
        by_normalised::launch_unchecked(
            &client,
            cubes,
            CubeDim::new_1d(UNITS as u32),
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
fn place(#[comptime] columns: usize, sites: u32, of_part: u32) -> (u32, u32, u32, u32) {
    let lines = comptime!((UNITS / columns) as u32);
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
) {
    let mut firsts = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
    let mut seconds = Shared::<[Vector<f32, N>]>::new_slice(UNITS);
    let lines = comptime!(UNITS / columns);
    let unit = UNIT_POS as usize;
    firsts[unit] = first;
    seconds[unit] = second;
    sync_cube();
    if unit < columns {
        let (mut a, mut b) = (first, second);
        for line in 1..lines {
            a += firsts[line * columns + unit];
            b += seconds[line * columns + unit];
        }
        let part = (CUBE_POS_Y * CUBE_COUNT_X + CUBE_POS_X) as usize;
        partial[2 * part * columns + unit] = a;
        partial[(2 * part + 1) * columns + unit] = b;
    }
}
