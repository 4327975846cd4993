//! The inner loops of a convolution: tiles of a matrix product, held in registers.
//!
//! A tile has up to `ROWS` rows of one or two registers. One step multiplies a register or two by a number per row:
//! loads are few for the multiplications, and no instruction moves numbers within a register.

mod accumulate;
mod correlate;

use std::borrow::Cow;

use super::Simd;
use crate::parts::by_parts;

pub(crate) use accumulate::Accumulate;
pub(crate) use correlate::Correlate;

/// Neighbouring numbers of a patch that meet neighbouring rows of the weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// From the pixel's place in the patch, in numbers.
    pub offset: usize,
    /// How many.
    pub length: usize,
}

/// Output channels in panels of two registers; the last one may be half.
pub(crate) fn panel_widths(channels: usize, lanes: usize) -> impl Iterator<Item = usize> {
    let full = channels / (2 * lanes);
    let rest = channels % (2 * lanes);
    let last = rest.div_ceil(lanes) * lanes;
    std::iter::repeat_n(2 * lanes, full).chain((last > 0).then_some(last))
}

/// Channels of all panels together.
pub(crate) fn padded_channels(channels: usize, lanes: usize) -> usize {
    channels.div_ceil(lanes) * lanes
}

/// Pixels `[pixel, channels]` panel by panel `[pixel, width]`, zeros beyond the last channel.
pub(crate) fn panels(pixels: &[f32], channels: usize, lanes: usize) -> Cow<'_, [f32]> {
    if channels == lanes || channels == 2 * lanes {
        return Cow::Borrowed(pixels);
    }
    let count = pixels.len() / channels;
    let across = 2 * lanes;
    let write = |index: usize, panel: &mut [f32]| {
        fill_panel(panel, panel.len() / count, pixels, channels, index * across);
    };
    let len = count * padded_channels(channels, lanes);
    Cow::Owned(by_parts(len, (count * across).max(1), write).0)
}

/// Channels of all pixels from `channel` on, up to `width`, in a panel that has zeros elsewhere.
pub(crate) fn fill_panel(
    panel: &mut [f32],
    width: usize,
    pixels: &[f32],
    channels: usize,
    channel: usize,
) {
    let kept = width.min(channels - channel);
    let rows = panel.chunks_exact_mut(width);
    for (to, from) in rows.zip(pixels.chunks_exact(channels)) {
        to[..kept].copy_from_slice(&from[channel..][..kept]);
    }
}

/// `sums[p] += factors[p step] · vectors`.
///
/// # Safety
/// As [`Simd`]; the pointers reach `P` factors and `V` registers.
#[inline(always)]
unsafe fn step<S: Simd, const P: usize, const V: usize>(
    sums: &mut [[S::Vector; V]; P],
    factors: *const f32,
    step: usize,
    vectors: *const f32,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut loaded = [S::splat(0.0); V];
        for (v, loaded) in loaded.iter_mut().enumerate() {
            *loaded = S::load(vectors.add(v * S::LANES));
        }
        for (p, sums) in sums.iter_mut().enumerate() {
            let factor = S::splat(*factors.add(p * step));
            for (sum, vector) in sums.iter_mut().zip(loaded) {
                *sum = S::mul_add(factor, vector, *sum);
            }
        }
    }
}
