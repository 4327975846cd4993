//! Messages from the leaves to the roots and back, of some rows side by side in the lanes of registers.

use super::tables::HiddenTree;
use crate::simd::{MOST_LANES, Simd};

/// Registers of rows that are computed with together.
const VECTORS: usize = 4;

/// Numbers of rows side by side: what is in lanes without a row is nobody's.
pub(super) const fn width<S: Simd>() -> usize {
    VECTORS * S::LANES
}

/// What the sites hear, `[sites, states, width]` each.
///
/// With the evidence `e_i(z)` of a site's own label, the message to a parent is `m_i(y) = Σ_z P(z | y) β_i(z)`, `β_i = e_i Π m_child`;
/// from there comes `α_i(z) = Σ_y P(z | y) κ_i(y)`, `κ_i = α_p β_p / m_i`. All but the messages are normalised at every step:
/// what underflows then is hopeless. Messages are at least the least transition, so that dividing by them is safe.
///
/// Source: J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, chapter 4.
pub(super) struct Messages {
    /// `e`.
    pub own: Vec<f32>,
    /// `β`.
    pub below: Vec<f32>,
    /// `m`.
    pub sent: Vec<f32>,
    /// `α`.
    pub above: Vec<f32>,
    /// `κ` of the site at hand, `[states, width]`.
    pub cavity: Vec<f32>,
    sums: Vec<f32>,
}

impl Messages {
    pub fn new<S: Simd>(tree: &HiddenTree) -> Self {
        let of_site = tree.states * width::<S>();
        let of_all = || vec![0.0; tree.sites() * of_site];
        Self {
            own: of_all(),
            below: of_all(),
            sent: of_all(),
            above: of_all(),
            cavity: vec![0.0; of_site],
            sums: vec![0.0; width::<S>()],
        }
    }

    /// From the leaves to the roots, given the evidence; multiplies the likelihood of every row into `likelihoods`.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    pub unsafe fn up<S: Simd>(&mut self, tree: &HiddenTree, likelihoods: &mut [Scaled]) {
        let of_site = tree.states * width::<S>();
        self.below.copy_from_slice(&self.own);
        for own in self.below.chunks_exact_mut(of_site) {
            normalise(own, &mut self.sums);
            count(likelihoods, &self.sums);
        }
        for &site in tree.order.iter().rev() {
            let transition = tree.transition(site);
            let below = &self.below[site * of_site..][..of_site];
            let Some(parent) = tree.parents[site] else {
                self.sums.fill(0.0);
                for (state, p) in below.chunks_exact(width::<S>()).zip(transition) {
                    let sums = self.sums.iter_mut().zip(state);
                    sums.for_each(|(sum, state)| *sum += p * state);
                }
                count(likelihoods, &self.sums);
                continue;
            };
            let sent = &mut self.sent[site * of_site..][..of_site];
            // SAFETY: the caller vouches for the instructions.
            unsafe { product::<S>((transition, tree.states, 1), below, sent) };
            let parents = &mut self.below[parent * of_site..][..of_site];
            let both = parents.iter_mut().zip(sent.iter());
            both.for_each(|(below, sent)| *below *= sent);
            normalise(parents, &mut self.sums);
            count(likelihoods, &self.sums);
        }
    }

    /// What the rest of the tree says of the state of a site, whose parent knows the same already; leaves `κ` in the cavity.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    pub unsafe fn down<S: Simd>(&mut self, tree: &HiddenTree, site: usize) {
        let of_site = tree.states * width::<S>();
        let transition = tree.transition(site);
        let Some(parent) = tree.parents[site] else {
            let above = self.above[site * of_site..][..of_site].chunks_exact_mut(width::<S>());
            above.zip(transition).for_each(|(state, p)| state.fill(*p));
            return;
        };
        let of_parent = parent * of_site..(parent + 1) * of_site;
        let known = self.above[of_parent.clone()]
            .iter()
            .zip(&self.below[of_parent]);
        let known = known.zip(&self.sent[site * of_site..][..of_site]);
        for (cavity, ((above, below), sent)) in self.cavity.iter_mut().zip(known) {
            *cavity = above * below / sent;
        }
        normalise(&mut self.cavity, &mut self.sums);
        let above = &mut self.above[site * of_site..][..of_site];
        // SAFETY: the caller vouches for the instructions.
        unsafe { product::<S>((transition, 1, tree.states), &self.cavity, above) };
    }
}

/// A likelihood that no number of factors takes out of range.
#[derive(Clone, Copy)]
pub(super) struct Scaled {
    factor: f64,
    log: f64,
}

impl Scaled {
    pub const ONE: Self = Self {
        factor: 1.0,
        log: 0.0,
    };

    pub fn ln(self) -> f64 {
        self.log + self.factor.ln()
    }
}

#[inline(always)]
fn count(likelihoods: &mut [Scaled], factors: &[f32]) {
    for (likelihood, factor) in likelihoods.iter_mut().zip(factors) {
        likelihood.factor *= f64::from(*factor);
        if likelihood.factor < 1e-200 {
            likelihood.log += likelihood.factor.ln();
            likelihood.factor = 1.0;
        }
    }
}

/// Scales what lies in each lane to sum 1; the sums were these.
#[inline(always)]
pub(super) fn normalise(numbers: &mut [f32], sums: &mut [f32]) {
    sums.fill(0.0);
    for numbers in numbers.chunks_exact(sums.len()) {
        for (sum, number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    let mut scales = [0.0; VECTORS * MOST_LANES];
    let scales = &mut scales[..sums.len()];
    scales
        .iter_mut()
        .zip(&*sums)
        .for_each(|(x, sum)| *x = sum.recip());
    for numbers in numbers.chunks_exact_mut(scales.len()) {
        for (number, scale) in numbers.iter_mut().zip(&*scales) {
            *number *= scale;
        }
    }
}

/// A matrix, numbers with their steps down and across, times a vector in each lane.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(super) unsafe fn product<S: Simd>(
    (matrix, down, across): (&[f32], usize, usize),
    input: &[f32],
    output: &mut [f32],
) {
    let width = width::<S>();
    let depth = input.len() / width;
    let rows = output.len() / width;
    assert!(matrix.len() > (rows - 1) * down + (depth - 1) * across);
    for (row, output) in output.chunks_exact_mut(width).enumerate() {
        // SAFETY: the matrix was checked to have the row, and vectors the width; the caller vouches for the instructions.
        unsafe {
            let mut sums = [S::splat(0.0); VECTORS];
            for (column, input) in input.chunks_exact(width).enumerate() {
                let factor = S::splat(*matrix.get_unchecked(row * down + column * across));
                for (k, sum) in sums.iter_mut().enumerate() {
                    let own = S::load(input.as_ptr().add(k * S::LANES));
                    *sum = S::mul_add(own, factor, *sum);
                }
            }
            for (k, sum) in sums.into_iter().enumerate() {
                S::store(output.as_mut_ptr().add(k * S::LANES), sum);
            }
        }
    }
}

/// Adds to each entry of a matrix the sum over lanes of the product of its row's and its column's number.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(super) unsafe fn add_outer<S: Simd>(
    rows: &[f32],
    columns: &[f32],
    turned: &mut Vec<f32>,
    sums: &mut [f32],
) {
    let width = width::<S>();
    let (down, across) = (rows.len() / width, columns.len() / width);
    assert_eq!(sums.len(), down * across);
    // The columns of a lane side by side, zeros beyond the last one.
    let padded = across.next_multiple_of(S::LANES);
    turned.clear();
    turned.resize(width * padded, 0.0);
    for (column, numbers) in columns.chunks_exact(width).enumerate() {
        for (turned, number) in turned.chunks_exact_mut(padded).zip(numbers) {
            turned[column] = *number;
        }
    }
    for first in (0..across).step_by(S::LANES) {
        for row in (0..down).step_by(VECTORS) {
            // What there is no row for is computed again, for nobody.
            let own: [&[f32]; VECTORS] = std::array::from_fn(|k| {
                let row = (row + k).min(down - 1);
                &rows[row * width..][..width]
            });
            let mut products = [0.0; MOST_LANES];
            // SAFETY: rows have the width, and every lane a whole number of registers of columns; the caller vouches for the
            // instructions.
            unsafe {
                let mut all = [S::splat(0.0); VECTORS];
                for lane in 0..width {
                    let columns = S::load(turned.as_ptr().add(lane * padded + first));
                    for (sum, row) in all.iter_mut().zip(&own) {
                        *sum = S::mul_add(S::splat(*row.get_unchecked(lane)), columns, *sum);
                    }
                }
                for (k, all) in all.into_iter().enumerate().take(down - row.min(down)) {
                    S::store(products.as_mut_ptr(), all);
                    let sums = sums[(row + k) * across..][..across].iter_mut();
                    let sums = sums.skip(first).zip(&products[..S::LANES]);
                    sums.for_each(|(sum, product)| *sum += product);
                }
            }
        }
    }
}
