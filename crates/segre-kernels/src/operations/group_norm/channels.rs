//! The inner loops of a group normalisation, over the pixels of a block.
//!
//! Registers hold neighbouring channels, not the channels of a group, of which there may be one or two.

use crate::simd::exponential::sigmoid;
use crate::simd::{Simd, Task, load_some, store_some};

/// What is applied to the channels of an image: `(x − mean) inverse scale + shift`.
pub(super) struct Affine<'a> {
    pub mean: &'a [f32],
    pub inverse: &'a [f32],
    pub scale: &'a [f32],
    pub shift: &'a [f32],
}

/// Moments of a block, by channel.
pub(super) struct Moments {
    pub sites: f64,
    pub mean: Vec<f32>,
    /// Sum of squared deviations from the mean.
    pub squares: Vec<f32>,
}

/// Computes [`Moments`].
pub(super) struct MomentsOf<'a> {
    pub values: &'a [f32],
    pub channels: usize,
}

impl Task for MomentsOf<'_> {
    type Output = Moments;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Moments {
        let sites = self.values.len() / self.channels;
        let mut result = Moments {
            sites: sites as f64,
            mean: vec![0.0; self.channels],
            squares: vec![0.0; self.channels],
        };
        for (channel, count) in registers::<S>(self.channels) {
            // SAFETY: these channels exist in every pixel and in the results.
            unsafe {
                match count == S::LANES {
                    true => self.some::<S, true>(&mut result, channel, count),
                    false => self.some::<S, false>(&mut result, channel, count),
                }
            }
        }
        result
    }
}

impl MomentsOf<'_> {
    /// `count` channels from `channel` on.
    ///
    /// # Safety
    /// As [`Simd`]; the channels exist, here and in the result, and fill a register if `WHOLE`.
    #[inline(always)]
    unsafe fn some<S: Simd, const WHOLE: bool>(
        &self,
        result: &mut Moments,
        channel: usize,
        count: usize,
    ) {
        let (step, sites) = (self.channels, self.values.len() / self.channels);
        // SAFETY: the caller's.
        unsafe {
            let from = self.values.as_ptr().add(channel);
            let zero = S::splat(0.0);
            let sum = deviations::<S, WHOLE>(from, step, sites, count, zero, false);
            let mean = S::mul(sum, S::splat(1.0 / sites as f32));
            let squares = deviations::<S, WHOLE>(from, step, sites, count, mean, true);
            put::<S, WHOLE>(result.mean.as_mut_ptr().add(channel), count, mean);
            put::<S, WHOLE>(result.squares.as_mut_ptr().add(channel), count, squares);
        }
    }
}

/// `Σ (x − centre)` over pixels, or the sum of its squares.
///
/// # Safety
/// As [`Simd`]; `count` numbers can be read at each of `sites` addresses `step` numbers apart.
#[inline(always)]
unsafe fn deviations<S: Simd, const WHOLE: bool>(
    from: *const f32,
    step: usize,
    sites: usize,
    count: usize,
    centre: S::Vector,
    squared: bool,
) -> S::Vector {
    /// Independent sums, as an addition takes some cycles.
    const WAYS: usize = 4;
    // SAFETY: the caller's.
    unsafe {
        let add = |sum, site: usize| {
            let value = S::sub(get::<S, WHOLE>(from.add(site * step), count), centre);
            match squared {
                true => S::mul_add(value, value, sum),
                false => S::add(value, sum),
            }
        };
        let mut sums = [S::splat(0.0); WAYS];
        let whole = sites / WAYS * WAYS;
        for site in (0..whole).step_by(WAYS) {
            for (way, sum) in sums.iter_mut().enumerate() {
                *sum = add(*sum, site + way);
            }
        }
        for site in whole..sites {
            sums[0] = add(sums[0], site);
        }
        S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]))
    }
}

/// Normalises a block, and activates.
pub(super) struct Apply<'a> {
    pub values: &'a [f32],
    pub output: &'a mut [f32],
    pub mean: &'a [f32],
    pub factor: &'a [f32],
    pub shift: &'a [f32],
    pub activate: bool,
}

impl Task for Apply<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let channels = self.mean.len();
        assert!(self.values.len() == self.output.len());
        assert!(self.values.len().is_multiple_of(channels));
        assert!(self.factor.len() == channels && self.shift.len() == channels);
        for (channel, count) in registers::<S>(channels) {
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // mean, factor and shift.
            unsafe {
                match count == S::LANES {
                    true => self.some::<S, true>(channel, count),
                    false => self.some::<S, false>(channel, count),
                }
            }
        }
    }
}

impl Apply<'_> {
    /// `count` channels from `channel` on.
    ///
    /// # Safety
    /// As [`Simd`]; the channels exist in every vector, and fill a register if `WHOLE`.
    #[inline(always)]
    unsafe fn some<S: Simd, const WHOLE: bool>(&mut self, channel: usize, count: usize) {
        let channels = self.mean.len();
        // SAFETY: the caller's.
        unsafe {
            let mean = get::<S, WHOLE>(self.mean.as_ptr().add(channel), count);
            let factor = get::<S, WHOLE>(self.factor.as_ptr().add(channel), count);
            let shift = get::<S, WHOLE>(self.shift.as_ptr().add(channel), count);
            for at in (channel..self.values.len()).step_by(channels) {
                let value = get::<S, WHOLE>(self.values.as_ptr().add(at), count);
                let mut value = S::mul_add(S::sub(value, mean), factor, shift);
                if self.activate {
                    value = S::mul(value, sigmoid::<S>(value));
                }
                put::<S, WHOLE>(self.output.as_mut_ptr().add(at), count, value);
            }
        }
    }
}

/// Writes the gradient `h` of the affine function, and sums `h` and `h n` by channel.
pub(super) struct Inner<'a> {
    pub values: &'a [f32],
    pub gradient: &'a [f32],
    pub result: &'a mut [f32],
    pub affine: &'a Affine<'a>,
    pub activate: bool,
}

impl Task for Inner<'_> {
    type Output = [Vec<f32>; 2];

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) -> Self::Output {
        let affine = self.affine;
        let channels = affine.mean.len();
        assert!(self.values.len() == self.result.len() && self.values.len() == self.gradient.len());
        assert!(self.values.len().is_multiple_of(channels));
        assert!(affine.inverse.len() == channels);
        assert!(affine.scale.len() == channels && affine.shift.len() == channels);
        let mut sums = [(); 2].map(|()| vec![0.0; channels]);
        for (channel, count) in registers::<S>(channels) {
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // the vectors of the affine function and the sums.
            unsafe {
                match count == S::LANES {
                    true => self.some::<S, true>(&mut sums, channel, count),
                    false => self.some::<S, false>(&mut sums, channel, count),
                }
            }
        }
        sums
    }
}

impl Inner<'_> {
    /// `count` channels from `channel` on.
    ///
    /// # Safety
    /// As [`Simd`]; the channels exist in every vector, and fill a register if `WHOLE`.
    #[inline(always)]
    unsafe fn some<S: Simd, const WHOLE: bool>(
        &mut self,
        sums: &mut [Vec<f32>; 2],
        channel: usize,
        count: usize,
    ) {
        let affine = self.affine;
        let channels = affine.mean.len();
        // SAFETY: the caller's.
        unsafe {
            let mean = get::<S, WHOLE>(affine.mean.as_ptr().add(channel), count);
            let inverse = get::<S, WHOLE>(affine.inverse.as_ptr().add(channel), count);
            let scale = get::<S, WHOLE>(affine.scale.as_ptr().add(channel), count);
            let shift = get::<S, WHOLE>(affine.shift.as_ptr().add(channel), count);
            let one = S::splat(1.0);
            let (mut first, mut second) = (S::splat(0.0), S::splat(0.0));
            for at in (channel..self.values.len()).step_by(channels) {
                let value = get::<S, WHOLE>(self.values.as_ptr().add(at), count);
                let mut gradient = get::<S, WHOLE>(self.gradient.as_ptr().add(at), count);
                let normal = S::mul(S::sub(value, mean), inverse);
                if self.activate {
                    // (z σ)' = σ (1 + z (1 − σ))
                    let z = S::mul_add(normal, scale, shift);
                    let sigma = sigmoid::<S>(z);
                    let slope = S::mul_add(z, S::sub(one, sigma), one);
                    gradient = S::mul(gradient, S::mul(sigma, slope));
                }
                first = S::add(first, gradient);
                second = S::mul_add(gradient, normal, second);
                put::<S, WHOLE>(self.result.as_mut_ptr().add(at), count, gradient);
            }
            put::<S, WHOLE>(sums[0].as_mut_ptr().add(channel), count, first);
            put::<S, WHOLE>(sums[1].as_mut_ptr().add(channel), count, second);
        }
    }
}

/// `result ← a result + b (value − mean) + c` by channel.
pub(super) struct Outer<'a> {
    pub values: &'a [f32],
    pub result: &'a mut [f32],
    pub mean: &'a [f32],
    pub coefficients: &'a [Vec<f32>; 3],
}

impl Task for Outer<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let channels = self.mean.len();
        assert!(self.values.len() == self.result.len());
        assert!(self.values.len().is_multiple_of(channels));
        assert!(self.coefficients.iter().all(|all| all.len() == channels));
        for (channel, count) in registers::<S>(channels) {
            // SAFETY: `count` channels from `channel` on exist in every pixel, as blocks are whole pixels, and in
            // mean and coefficients.
            unsafe {
                match count == S::LANES {
                    true => self.some::<S, true>(channel, count),
                    false => self.some::<S, false>(channel, count),
                }
            }
        }
    }
}

impl Outer<'_> {
    /// `count` channels from `channel` on.
    ///
    /// # Safety
    /// As [`Simd`]; the channels exist in every vector, and fill a register if `WHOLE`.
    #[inline(always)]
    unsafe fn some<S: Simd, const WHOLE: bool>(&mut self, channel: usize, count: usize) {
        let channels = self.mean.len();
        // SAFETY: the caller's.
        unsafe {
            let mean = get::<S, WHOLE>(self.mean.as_ptr().add(channel), count);
            let a = get::<S, WHOLE>(self.coefficients[0].as_ptr().add(channel), count);
            let b = get::<S, WHOLE>(self.coefficients[1].as_ptr().add(channel), count);
            let c = get::<S, WHOLE>(self.coefficients[2].as_ptr().add(channel), count);
            for at in (channel..self.values.len()).step_by(channels) {
                let value = get::<S, WHOLE>(self.values.as_ptr().add(at), count);
                let place = self.result.as_mut_ptr().add(at);
                let sum = S::mul_add(b, S::sub(value, mean), c);
                let sum = S::mul_add(a, get::<S, WHOLE>(place, count), sum);
                put::<S, WHOLE>(place, count, sum);
            }
        }
    }
}

/// Registers of channels: for all but the last the number of channels is a constant, and their loops are tight.
#[inline(always)]
fn registers<S: Simd>(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..channels)
        .step_by(S::LANES)
        .map(move |channel| (channel, S::LANES.min(channels - channel)))
}

/// A register of numbers if `WHOLE`, else `count` of them.
///
/// # Safety
/// As [`Simd`]; they can be read at the address.
#[inline(always)]
unsafe fn get<S: Simd, const WHOLE: bool>(from: *const f32, count: usize) -> S::Vector {
    // SAFETY: the caller's.
    unsafe {
        match WHOLE {
            true => S::load(from),
            false => load_some::<S>(from, count),
        }
    }
}

/// Stores a register of numbers if `WHOLE`, else `count` of them.
///
/// # Safety
/// As [`Simd`]; they can be written at the address.
#[inline(always)]
unsafe fn put<S: Simd, const WHOLE: bool>(to: *mut f32, count: usize, value: S::Vector) {
    // SAFETY: the caller's.
    unsafe {
        match WHOLE {
            true => S::store(to, value),
            false => store_some::<S>(to, count, value),
        }
    }
}
