//! Group normalisation with the activation that follows it, on graphics processors.
//!
//! An image's pixels are cut in parts. One launch sums every channel of a part, the next one puts the sums of an image's parts
//! together, channel by channel and then group by group, and writes its own part of the output; so does the way back. Sums are
//! of differences from a channel's first pixel, so that a mean far from 0 costs no digits.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::{self, prelude::*};

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

/// Sums of a part's pixels, and of their squares, as differences from the channel's first pixel.
#[cube(launch_unchecked)]
fn sum_channels<N: Size>(
    images: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let (column, first, step, end) = place(columns, sites, of_part);
    let origin = images[base + column as usize];
    let mut sum = Vector::<f32, N>::new(0.0);
    let mut squares = Vector::<f32, N>::new(0.0);
    let mut pixel = first;
    while pixel < end {
        let difference = images[base + pixel as usize * columns + column as usize] - origin;
        sum += difference;
        squares = fma(difference, difference, squares);
        pixel += step;
    }
    write_part::<N>(sum, squares, partial, columns);
}

/// `σ(y)` and the slope of `y σ(y)`.
#[cube]
fn slope<N: Size>(y: Vector<f32, N>) -> Vector<f32, N> {
    let one = Vector::<f32, N>::new(1.0);
    let share = one / (one + Vector::exp(-y));
    share * (one + y * (one - share))
}

/// Normalises a part, with the sums of all parts.
#[cube(launch_unchecked)]
fn normalise<N: Size>(
    images: &[Vector<f32, N>],
    partial: &[f32],
    scale: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    statistics: &mut [f32],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
    #[comptime] groups: usize,
    #[comptime] activate: bool,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let own = comptime!(channels / groups);
    let mut means = Shared::<[f32]>::new_slice(channels);
    let mut squares = Shared::<[f32]>::new_slice(channels);
    let mut inverses = Shared::<[f32]>::new_slice(groups);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let parts = CUBE_COUNT_X as usize;
    let count = f32::cast_from(sites);
    let unit = UNIT_POS as usize;

    let mut channel = unit;
    while channel < channels {
        let (mut a, mut b) = (f32::new(0.0), f32::new(0.0));
        for part in 0..parts {
            let at = 2 * (CUBE_POS_Y as usize * parts + part) * channels + channel;
            a += partial[at];
            b += partial[at + channels];
        }
        let mean = a / count;
        means[channel] = mean;
        squares[channel] = b - a * mean;
        channel += UNITS;
    }
    sync_cube();
    let mut group = unit;
    while group < groups {
        // The channels' origins are added here, so that a mean far from 0 keeps its digits until now.
        let mut mean = f32::new(0.0);
        #[unroll]
        for k in 0..own {
            let channel = group * own + k;
            let origin = images[base + channel / width].extract_dynamic(channel % width);
            let whole = means[channel] + origin;
            means[channel] = whole;
            mean += whole;
        }
        mean = mean / f32::cast_from(own as u32);
        let mut square = f32::new(0.0);
        #[unroll]
        for k in 0..own {
            let channel = group * own + k;
            let difference = means[channel] - mean;
            square += squares[channel] + count * difference * difference;
        }
        #[unroll]
        for k in 0..own {
            means[group * own + k] = mean;
        }
        let variance = square / (count * f32::cast_from(own as u32));
        let inverse = f32::new(1.0) / f32::sqrt(variance + f32::new(EPSILON));
        inverses[group] = inverse;
        if CUBE_POS_X == 0 {
            let at = 2 * (CUBE_POS_Y as usize * groups + group);
            statistics[at] = mean;
            statistics[at + 1] = inverse;
        }
        group += UNITS;
    }
    sync_cube();

    let (column, first, step, end) = place(columns, sites, of_part);
    let mut mean = Vector::<f32, N>::new(0.0);
    let mut factor = Vector::<f32, N>::new(0.0);
    #[unroll]
    for j in 0..width {
        let channel = column as usize * width + j;
        mean.insert(j, means[channel]);
        factor.insert(j, inverses[channel / own]);
    }
    let factor = factor * scale[column as usize];
    let shift = shift[column as usize];
    let one = Vector::<f32, N>::new(1.0);
    let mut pixel = first;
    while pixel < end {
        let at = base + pixel as usize * columns + column as usize;
        let mut y = fma(images[at] - mean, factor, shift);
        if comptime!(activate) {
            y = y / (one + Vector::exp(-y));
        }
        output[at] = y;
        pixel += step;
    }
}

/// Mean and inverse deviation of a column's channels.
#[cube]
fn of_column<N: Size>(
    statistics: &[f32],
    column: u32,
    #[comptime] channels: usize,
    #[comptime] groups: usize,
) -> (Vector<f32, N>, Vector<f32, N>) {
    let width = N::value();
    let own = comptime!(channels / groups);
    let mut mean = Vector::<f32, N>::new(0.0);
    let mut inverse = Vector::<f32, N>::new(0.0);
    #[unroll]
    for j in 0..width {
        let group = (column as usize * width + j) / own;
        let at = 2 * (CUBE_POS_Y as usize * groups + group);
        mean.insert(j, statistics[at]);
        inverse.insert(j, statistics[at + 1]);
    }
    (mean, inverse)
}

/// Sums of a part's gradients, and of their products with the normalised values.
#[cube(launch_unchecked)]
fn sum_gradients<N: Size>(
    images: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    scale: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    statistics: &[f32],
    partial: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
    #[comptime] groups: usize,
    #[comptime] activate: bool,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let (column, first, step, end) = place(columns, sites, of_part);
    let (mean, inverse) = of_column::<N>(statistics, column, channels, groups);
    let (scale, shift) = (scale[column as usize], shift[column as usize]);
    let mut sum = Vector::<f32, N>::new(0.0);
    let mut products = Vector::<f32, N>::new(0.0);
    let mut pixel = first;
    while pixel < end {
        let at = base + pixel as usize * columns + column as usize;
        let normal = (images[at] - mean) * inverse;
        let mut g = gradient[at];
        if comptime!(activate) {
            g = g * slope::<N>(fma(normal, scale, shift));
        }
        sum += g;
        products = fma(g, normal, products);
        pixel += step;
    }
    write_part::<N>(sum, products, partial, columns);
}

/// The gradient of a part's pixels, with the sums of all parts: `inverse (h − mean(h) − n mean(h n))`, `h` the gradient of the
/// normalised values `n`.
#[cube(launch_unchecked)]
fn by_normalised<N: Size>(
    images: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    scale: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    statistics: &[f32],
    partial: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
    #[comptime] groups: usize,
    #[comptime] activate: bool,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let own = comptime!(channels / groups);
    let mut firsts = Shared::<[f32]>::new_slice(channels);
    let mut seconds = Shared::<[f32]>::new_slice(channels);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let parts = CUBE_COUNT_X as usize;
    let count = f32::cast_from(sites) * f32::cast_from(own as u32);
    let unit = UNIT_POS as usize;

    let mut own_column = unit;
    while own_column < columns {
        let mut a = Vector::<f32, N>::new(0.0);
        let mut b = Vector::<f32, N>::new(0.0);
        for part in 0..parts {
            let at = 2 * (CUBE_POS_Y as usize * parts + part) * columns + own_column;
            a += partial[at];
            b += partial[at + columns];
        }
        let factor = scale[own_column];
        a = a * factor;
        b = b * factor;
        #[unroll]
        for j in 0..width {
            firsts[own_column * width + j] = a.extract(j);
            seconds[own_column * width + j] = b.extract(j);
        }
        own_column += UNITS;
    }
    sync_cube();

    let (column, first, step, end) = place(columns, sites, of_part);
    let (mean, inverse) = of_column::<N>(statistics, column, channels, groups);
    let (scale, shift) = (scale[column as usize], shift[column as usize]);
    let mut level = Vector::<f32, N>::new(0.0);
    let mut tilt = Vector::<f32, N>::new(0.0);
    #[unroll]
    for j in 0..width {
        let from = (column as usize * width + j) / own * own;
        let (mut a, mut b) = (f32::new(0.0), f32::new(0.0));
        for k in 0..own {
            a += firsts[from + k];
            b += seconds[from + k];
        }
        level.insert(j, a / count);
        tilt.insert(j, b / count);
    }
    let mut pixel = first;
    while pixel < end {
        let at = base + pixel as usize * columns + column as usize;
        let normal = (images[at] - mean) * inverse;
        let mut g = gradient[at];
        if comptime!(activate) {
            g = g * slope::<N>(fma(normal, scale, shift));
        }
        output[at] = inverse * (g * scale - level - normal * tilt);
        pixel += step;
    }
}

/// The gradients of shift and scale: sums over all parts of all images, of 16 numbers a cube.
#[cube(launch_unchecked)]
fn sum_images(
    partial: &[f32],
    by_scale: &mut [f32],
    by_shift: &mut [f32],
    parts: u32,
    channels: u32,
) {
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let unit = UNIT_POS as u32;
    let place = CUBE_POS_X * 16 + unit % 16;
    let mut sum = f32::new(0.0);
    if place < 2 * channels {
        let mut part = unit / 16;
        while part < parts {
            sum += partial[(2 * part * channels + place) as usize];
            part += 16;
        }
    }
    sums[unit as usize] = sum;
    sync_cube();
    if unit < 16 && place < 2 * channels {
        for other in 1..16u32 {
            sum += sums[(unit + 16 * other) as usize];
        }
        if place < channels {
            by_shift[place as usize] = sum;
        } else {
            by_scale[(place - channels) as usize] = sum;
        }
    }
}
