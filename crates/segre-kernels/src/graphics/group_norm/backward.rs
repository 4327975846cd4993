//! The kernels of the gradients: sums of a part, its own gradient, and those of scale and shift.

use burn_cubecl::cubecl::{self, prelude::*};

use super::{UNITS, place, write_part};

/// `σ(y)` and the slope of `y σ(y)`.
#[cube]
fn slope<N: Size>(y: Vector<f32, N>) -> Vector<f32, N> {
    let one = Vector::<f32, N>::new(1.0);
    let share = one / (one + Vector::exp(-y));
    share * (one + y * (one - share))
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
pub(super) fn sum_gradients<N: Size>(
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
    sum_part::<N>(
        images, gradient, scale, shift, statistics, partial, sites, of_part, channels, groups,
        activate, UNITS,
    );
}

#[cube]
fn sum_part<N: Size>(
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
    #[comptime] units: usize,
) {
    let width = N::value();
    let columns = comptime!(channels / width);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let (column, first, step, end) = place(columns, units, sites, of_part);
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
    write_part::<N>(sum, products, partial, columns, units);
}

/// The gradient of a part's pixels, with the sums of all parts: `inverse (h − mean(h) − n mean(h n))`, `h` the gradient of the
/// normalised values `n`.
#[cube(launch_unchecked)]
pub(super) fn by_normalised<N: Size>(
    images: &[Vector<f32, N>],
    gradient: &[Vector<f32, N>],
    scale: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    statistics: &[f32],
    partial: &mut [Vector<f32, N>],
    output: &mut [Vector<f32, N>],
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
    let mut firsts = Shared::<[f32]>::new_slice(channels);
    let mut seconds = Shared::<[f32]>::new_slice(channels);
    let base = (CUBE_POS_Y * sites) as usize * columns;
    let parts = CUBE_COUNT_X as usize;
    let count = f32::cast_from(sites) * f32::cast_from(own as u32);
    let unit = UNIT_POS as usize;

    if comptime!(alone) {
        sum_part::<N>(
            images, gradient, scale, shift, statistics, partial, sites, of_part, channels, groups,
            activate, units,
        );
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
        let factor = scale[own_column];
        a = a * factor;
        b = b * factor;
        #[unroll]
        for j in 0..width {
            firsts[own_column * width + j] = a.extract(j);
            seconds[own_column * width + j] = b.extract(j);
        }
        own_column += units;
    }
    sync_cube();

    let (column, first, step, end) = place(columns, units, sites, of_part);
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
pub(super) fn sum_images(
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
