//! The kernels of the values: sums of a part, and its normalisation.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{EPSILON, UNITS, place, write_part};

/// Sums of a part's pixels, and of their squares, as differences from the channel's first pixel.
#[cube(launch_unchecked)]
pub(super) fn sum_channels<N: Size>(
    images: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
) {
    sum_part::<N>(images, partial, sites, of_part, channels, UNITS);
}

#[cube]
fn sum_part<N: Size>(
    images: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
    #[comptime] units: usize,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let (column, first, step, end) = place(columns, units, sites, of_part);
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
    write_part::<N>(sum, squares, partial, columns, units);
}

/// Normalises a part, with the sums of all parts.
#[cube(launch_unchecked)]
pub(super) fn normalise<N: Size>(
    images: &[Vector<f32, N>],
    partial: &mut [Vector<f32, N>],
    scale: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    output: &mut [Vector<f32, N>],
    statistics: &mut [f32],
    sites: u32,
    of_part: u32,
    #[comptime] channels: usize,
    #[comptime] groups: usize,
    #[comptime] activate: bool,
    #[comptime] units: usize,
    #[comptime] alone: bool,
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

    if comptime!(alone) {
        sum_part::<N>(images, partial, sites, of_part, channels, units);
        sync_storage();
        sync_cube();
    }
    let mut own_column = unit;
    while own_column < columns {
        let mut a = Vector::<f32, N>::new(0.0);
        let mut b = Vector::<f32, N>::new(0.0);
        for part in 0..parts {
            let at = 2 * (CUBE_POS_Y as usize * parts + part) * columns + own_column;
            a += partial[at];
            b += partial[at + columns];
        }
        let mean = a / Vector::<f32, N>::new(count);
        let square = b - a * mean;
        #[unroll]
        for j in 0..width {
            means[own_column * width + j] = mean.extract(j);
            squares[own_column * width + j] = square.extract(j);
        }
        own_column += units;
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
        group += units;
    }
    sync_cube();

    let (column, first, step, end) = place(columns, units, sites, of_part);
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
