//! Scaled dot-product attention and its gradients, on slices.
//!
//! Queries come in blocks, and a table of weights exists for one block at a time; the gradients compute it again.
//! One task is one head of one image.

use rayon::prelude::*;

use crate::parts::by_parts;
use crate::simd::exponential::exp;
use crate::simd::product::{add_transposed, multiply, transposed_panels};
use crate::simd::tiles::{padded_channels, panel_widths, panels};
use crate::simd::{Level, MOST_LANES, Simd, Task};

/// Queries of a block: whole tiles at every level.
const QUERIES: usize = 60;

/// Sizes of an attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Heads of all images together.
    pub heads: usize,
    pub sites: usize,
    /// Numbers of a query.
    pub width: usize,
}

impl Sizes {
    fn head(&self) -> usize {
        self.sites * self.width
    }

    /// `1 / √width`.
    fn scale(&self) -> f32 {
        (self.width as f32).sqrt().recip()
    }

    /// Numbers from a row of weights to the next: whole registers, and one more, as rows that are a power of two
    /// apart would share their places in the cache.
    fn row(&self, level: Level) -> usize {
        self.sites.next_multiple_of(level.lanes()) + level.lanes()
    }
}

/// The value, and the logarithm of the sum of the exponentials for every query.
pub(crate) fn value(
    level: Level,
    sizes: &Sizes,
    [query, key, value]: [&[f32]; 3],
) -> (Vec<f32>, Vec<f32>) {
    let (head, row, width) = (sizes.head(), sizes.row(level), sizes.width);
    assert!([query, key, value].map(<[f32]>::len) == [sizes.heads * head; 3]);
    let write = |index: usize, output: &mut [f32]| {
        let [query, key, value] = [query, key, value].map(|all| &all[index * head..][..head]);
        let keys = transposed_panels(key, width, level.lanes());
        let values = panels(value, width, level.lanes());
        let mut weights = vec![0.0; QUERIES.min(sizes.sites) * row];
        let mut logarithms = vec![0.0; sizes.sites];
        let queries = query.chunks(QUERIES * width);
        let outputs = output.chunks_mut(QUERIES * width);
        for ((query, output), logarithms) in
            queries.zip(outputs).zip(logarithms.chunks_mut(QUERIES))
        {
            let rows = logarithms.len();
            let weights = &mut weights[..rows * row];
            multiply(
                level,
                (query, width, width),
                &keys,
                (weights, row, sizes.sites),
            );
            level.run(Exponentials {
                weights,
                row,
                sites: sizes.sites,
                scale: sizes.scale(),
                logarithms,
            });
            multiply(
                level,
                (weights, row, sizes.sites),
                &values,
                (output, width, width),
            );
        }
        logarithms
    };
    let (output, logarithms) = by_parts(query.len(), head, write);
    (output, logarithms.concat())
}

/// What the gradients need of the value.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub output: &'a [f32],
    pub logarithms: &'a [f32],
}

/// The gradients of query, key and value, given that of the output.
pub(crate) fn gradients(
    level: Level,
    sizes: &Sizes,
    [query, key, value]: [&[f32]; 3],
    known: Known<'_>,
    gradient: &[f32],
) -> [Vec<f32>; 3] {
    let head = sizes.head();
    let inputs = [query, key, value, known.output, gradient];
    assert!(inputs.map(<[f32]>::len) == [sizes.heads * head; 5]);
    assert_eq!(known.logarithms.len(), sizes.heads * sizes.sites);
    let mut results = [(); 3].map(|()| vec![0.0; query.len()]);
    let [by_query, by_key, by_value] = &mut results;
    by_query
        .par_chunks_mut(head)
        .zip(by_key.par_chunks_mut(head))
        .zip(by_value.par_chunks_mut(head))
        .enumerate()
        .for_each(|(index, ((by_query, by_key), by_value))| {
            let inputs = inputs.map(|all| &all[index * head..][..head]);
            let logarithms = &known.logarithms[index * sizes.sites..][..sizes.sites];
            head_gradients(
                level,
                sizes,
                inputs,
                logarithms,
                [by_query, by_key, by_value],
            );
        });
    results
}

/// The gradients of one head.
fn head_gradients(
    level: Level,
    sizes: &Sizes,
    [query, key, value, output, gradient]: [&[f32]; 5],
    logarithms: &[f32],
    [by_query, by_key, by_value]: [&mut [f32]; 3],
) {
    let (sites, width, row, lanes) = (sizes.sites, sizes.width, sizes.row(level), level.lanes());
    let keys = panels(key, width, lanes);
    let transposed_keys = transposed_panels(key, width, lanes);
    let transposed_values = transposed_panels(value, width, lanes);
    let mut weights = vec![0.0; QUERIES.min(sites) * row];
    let mut slopes = weights.clone();
    let mut sums = [(); 2].map(|()| vec![0.0; sites * padded_channels(width, lanes)]);
    for first in (0..sites).step_by(QUERIES) {
        let rows = QUERIES.min(sites - first);
        let block = first * width..(first + rows) * width;
        let (query, gradient) = (&query[block.clone()], &gradient[block.clone()]);
        let (weights, slopes) = (&mut weights[..rows * row], &mut slopes[..rows * row]);
        multiply(
            level,
            (query, width, width),
            &transposed_keys,
            (weights, row, sites),
        );
        multiply(
            level,
            (gradient, width, width),
            &transposed_values,
            (slopes, row, sites),
        );
        let products = output[block.clone()]
            .chunks(width)
            .zip(gradient.chunks(width));
        let means = products.map(|(y, g)| y.iter().zip(g).map(|(y, g)| y * g).sum());
        level.run(Slopes {
            weights,
            slopes,
            row,
            sites,
            scale: sizes.scale(),
            logarithms: &logarithms[first..][..rows],
            means: &means.collect::<Vec<f32>>(),
        });
        multiply(
            level,
            (slopes, row, sites),
            &keys,
            (&mut by_query[block], width, width),
        );
        let [key_sums, value_sums] = &mut sums;
        for (left, right, sums) in [(slopes, query, key_sums), (weights, gradient, value_sums)] {
            let right = panels(right, width, lanes);
            add_transposed(level, (left, row, sites), rows, (&*right, width), sums);
        }
    }
    for (result, sums) in [by_key, by_value].into_iter().zip(&sums) {
        let mut channel = 0;
        for panel in panel_widths(width, lanes) {
            let count = panel.min(width - channel);
            let rows = sums[channel * sites..][..panel * sites].chunks_exact(panel);
            for (result, sums) in result.chunks_exact_mut(width).zip(rows) {
                result[channel..][..count].copy_from_slice(&sums[..count]);
            }
            channel += panel;
        }
    }
}

/// Turns products of queries and keys into weights, and says the logarithm of the sum of exponentials.
struct Exponentials<'a> {
    weights: &'a mut [f32],
    row: usize,
    sites: usize,
    scale: f32,
    logarithms: &'a mut [f32],
}

impl Task for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        assert!(self.row.is_multiple_of(S::LANES) && self.row >= self.sites);
        let rows = self.weights.chunks_exact_mut(self.row);
        for (row, logarithm) in rows.zip(self.logarithms) {
            // No site has the numbers beyond: their weights are 0.
            row[self.sites..].fill(f32::NEG_INFINITY);
            // SAFETY: a row is whole registers.
            unsafe {
                let scale = S::splat(self.scale);
                let mut most = S::splat(f32::NEG_INFINITY);
                for register in row.chunks_exact(S::LANES) {
                    most = S::max(most, S::load(register.as_ptr()));
                }
                let most = lanes::<S>(most).fold(f32::NEG_INFINITY, f32::max);
                let mut sum = S::splat(0.0);
                for register in row.chunks_exact_mut(S::LANES) {
                    let excess = S::sub(S::load(register.as_ptr()), S::splat(most));
                    let weight = exp::<S>(S::mul(excess, scale));
                    sum = S::add(sum, weight);
                    S::store(register.as_mut_ptr(), weight);
                }
                let sum = lanes::<S>(sum).sum::<f32>();
                let inverse = S::splat(sum.recip());
                for register in row.chunks_exact_mut(S::LANES) {
                    let weight = S::mul(S::load(register.as_ptr()), inverse);
                    S::store(register.as_mut_ptr(), weight);
                }
                *logarithm = most * self.scale + sum.ln();
            }
        }
    }
}

/// Turns products of queries and keys into weights `p`, and the gradients `d` of the weights into those of the products,
/// `p (d − mean) / √width`, with the mean of `d` under the weights.
struct Slopes<'a> {
    weights: &'a mut [f32],
    slopes: &'a mut [f32],
    row: usize,
    sites: usize,
    scale: f32,
    logarithms: &'a [f32],
    means: &'a [f32],
}

impl Task for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        assert!(self.row.is_multiple_of(S::LANES) && self.row >= self.sites);
        let rows = self.weights.chunks_exact_mut(self.row);
        let rows = rows.zip(self.slopes.chunks_exact_mut(self.row));
        for ((weights, slopes), (logarithm, mean)) in
            rows.zip(self.logarithms.iter().zip(self.means))
        {
            weights[self.sites..].fill(f32::NEG_INFINITY);
            let registers = weights.chunks_exact_mut(S::LANES);
            for (weights, slopes) in registers.zip(slopes.chunks_exact_mut(S::LANES)) {
                // SAFETY: a row is whole registers.
                unsafe {
                    let scale = S::splat(self.scale);
                    let product = S::load(weights.as_ptr());
                    let exponent = S::sub(S::mul(product, scale), S::splat(*logarithm));
                    let weight = exp::<S>(exponent);
                    let slope = S::sub(S::load(slopes.as_ptr()), S::splat(*mean));
                    S::store(weights.as_mut_ptr(), weight);
                    S::store(slopes.as_mut_ptr(), S::mul(S::mul(weight, slope), scale));
                }
            }
        }
    }
}

/// The numbers of a register.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn lanes<S: Simd>(register: S::Vector) -> impl Iterator<Item = f32> {
    let mut values = [0.0; MOST_LANES];
    // SAFETY: there is room for a register.
    unsafe { S::store(values.as_mut_ptr(), register) };
    values.into_iter().take(S::LANES)
}
