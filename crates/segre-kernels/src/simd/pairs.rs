//! Numbers rounded to bfloat16 (8 bits of precision, the range of 32-bit numbers), two to a word of 32 bits.
//!
//! A word lies in a slice of `f32`, where nothing computes with it but [`Simd::mul_add`](super::Simd::mul_add)
//! of [`Level::Bf16`](super::Level): so the loops over registers are the same for both precisions, and what
//! differs is how their operands are packed.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Numbers in a register.
#[cfg(target_arch = "x86_64")]
const LANES: usize = 16;

/// Words that the channels of a pixel take; the last one may be half empty.
pub(crate) fn words(channels: usize) -> usize {
    channels.div_ceil(2)
}

/// The word of two numbers, each rounded to the nearest, ties to even.
pub(crate) fn word(first: f32, second: f32) -> f32 {
    f32::from_bits(u32::from(narrow(first)) | u32::from(narrow(second)) << 16)
}

fn narrow(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = match value.is_nan() {
        // Rounding up could carry into the sign.
        true => bits | 1 << 22,
        false => bits + 0x7fff + (bits >> 16 & 1),
    };
    (rounded >> 16) as u16
}

/// Pixels of some channels each, neighbouring channels in a word; zero beside the last of an odd number.
pub(crate) fn neighbours(pixels: &[f32], channels: usize, to: &mut [f32]) {
    assert_eq!(to.len() * channels, pixels.len() * words(channels));
    // Pixels of an even number of channels are one long one.
    let channels = match channels.is_multiple_of(2) {
        true => pixels.len().max(1),
        false => channels,
    };
    #[cfg(target_arch = "x86_64")]
    if super::has_bf16() {
        // SAFETY: the instructions are there, as just checked.
        return unsafe { neighbours_by_registers(pixels, channels, to) };
    }
    let targets = to.chunks_exact_mut(words(channels));
    for (pixel, to) in pixels.chunks_exact(channels).zip(targets) {
        for (pair, to) in pixel.chunks(2).zip(to) {
            *to = word(pair[0], pair.get(1).copied().unwrap_or(0.0));
        }
    }
}

/// The same, up to 32 channels at a time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn neighbours_by_registers(pixels: &[f32], channels: usize, to: &mut [f32]) {
    let first = |count: usize| (!0_u16).unbounded_shr((LANES - count.min(LANES)) as u32);
    let targets = to.chunks_exact_mut(words(channels));
    for (pixel, to) in pixels.chunks_exact(channels).zip(targets) {
        for (from, to) in pixel.chunks(2 * LANES).zip(to.chunks_mut(LANES)) {
            let beyond = from.len().saturating_sub(LANES);
            // SAFETY: only numbers of the chunks are read and written, the address of the second half is none of its
            // numbers' if there are none; any bits are a register.
            unsafe {
                let low = _mm512_maskz_loadu_ps(first(from.len()), from.as_ptr());
                let high = from.as_ptr().wrapping_add(LANES);
                let high = _mm512_maskz_loadu_ps(first(beyond), high);
                let both = _mm512_cvtne2ps_pbh(high, low);
                let both = std::mem::transmute::<__m512bh, __m512>(both);
                _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), both);
            }
        }
    }
}

/// Words of a number each from two slices.
pub(crate) fn zip(first: &[f32], second: &[f32], to: &mut [f32]) {
    assert!(first.len() == to.len() && second.len() == to.len());
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if super::has_bf16() {
        // SAFETY: the instructions are there, as just checked.
        done = unsafe { zip_of_registers(first, second, to) };
    }
    let rest = first[done..].iter().zip(&second[done..]);
    for ((first, second), to) in rest.zip(&mut to[done..]) {
        *to = word(*first, *second);
    }
}

/// From the rounded numbers of one register before those of another to their words: place 2k takes k, place 2k + 1
/// takes 16 + k.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn order() -> __m512i {
    let order: [u16; 2 * LANES] = std::array::from_fn(|k| (k / 2 + k % 2 * LANES) as u16);
    // SAFETY: as many bits are read as there are.
    unsafe { _mm512_loadu_si512(order.as_ptr().cast()) }
}

/// All words that fill registers; returns how many.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn zip_of_registers(first: &[f32], second: &[f32], to: &mut [f32]) -> usize {
    let order = order();
    let pairs = first.chunks_exact(LANES).zip(second.chunks_exact(LANES));
    let count = pairs.len();
    for ((first, second), to) in pairs.zip(to.chunks_exact_mut(LANES)) {
        // SAFETY: the chunks are as long as what is read and written; any bits are a register.
        unsafe {
            let (low, high) = (
                _mm512_loadu_ps(first.as_ptr()),
                _mm512_loadu_ps(second.as_ptr()),
            );
            let both = _mm512_cvtne2ps_pbh(high, low);
            let both = std::mem::transmute::<__m512bh, __m512i>(both);
            let words = _mm512_permutexvar_epi16(order, both);
            _mm512_storeu_ps(to.as_mut_ptr(), _mm512_castsi512_ps(words));
        }
    }
    count * LANES
}

/// Rows of `width` pixels as they lie in rows of `across`, zeros between them, transposed: for each channel a row of
/// `words`, each of two neighbouring pixels. Rows of zeros fill up the channels to registers.
#[cfg(target_arch = "x86_64")]
pub(crate) fn transposed(
    pixels: &[f32],
    [width, channels]: [usize; 2],
    across: usize,
    words: usize,
) -> Vec<f32> {
    assert!(super::has_bf16());
    let rows = pixels.len() / (width * channels);
    assert!(pixels.len() == rows * width * channels && width <= across);
    assert!(words.is_multiple_of(LANES) && rows * across <= 2 * words);
    let mut result = vec![0.0; channels.next_multiple_of(LANES) * words];
    // SAFETY: the instructions are there, as just checked.
    unsafe { transpose(pixels, [width, channels], across, words, &mut result) };
    result
}

/// The loops of [`transposed`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn transpose(
    pixels: &[f32],
    [width, channels]: [usize; 2],
    across: usize,
    words: usize,
    to: &mut [f32],
) {
    let order = order();
    let count = pixels.len() / (width * channels) * across;
    for channel in (0..channels).step_by(LANES) {
        let kept = LANES.min(channels - channel);
        let mask = (!0_u16).unbounded_shr((LANES - kept) as u32);
        let load = |place: usize| {
            let (row, column) = (place / across, place % across);
            if place >= count || column >= width {
                return _mm512_setzero_ps();
            }
            let numbers = &pixels[(row * width + column) * channels + channel..][..kept];
            // SAFETY: only numbers of the slice are read.
            unsafe { _mm512_maskz_loadu_ps(mask, numbers.as_ptr()) }
        };
        for first in (0..count.div_ceil(2)).step_by(LANES) {
            let mut rows = [_mm512_setzero_ps(); LANES];
            for (k, row) in rows.iter_mut().enumerate() {
                let place = 2 * (first + k);
                let both = _mm512_cvtne2ps_pbh(load(place + 1), load(place));
                // SAFETY: any bits are a register.
                let both = unsafe { std::mem::transmute::<__m512bh, __m512i>(both) };
                *row = _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, both));
            }
            for (k, row) in transpose_registers(rows).into_iter().enumerate() {
                let to = &mut to[(channel + k) * words + first..][..LANES];
                // SAFETY: the slice is as long as what is written.
                unsafe { _mm512_storeu_ps(to.as_mut_ptr(), row) };
            }
        }
    }
}

/// A square of numbers, rows and columns exchanged.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn transpose_registers(rows: [__m512; LANES]) -> [__m512; LANES] {
    let zero = _mm512_setzero_ps();
    let (mut pairs, mut fours, mut all) = ([zero; LANES], [zero; LANES], [zero; LANES]);
    for k in 0..LANES / 2 {
        pairs[2 * k] = _mm512_unpacklo_ps(rows[2 * k], rows[2 * k + 1]);
        pairs[2 * k + 1] = _mm512_unpackhi_ps(rows[2 * k], rows[2 * k + 1]);
    }
    // Then `fours[4 k + j]` has columns `j`, `4 + j`, `8 + j` and `12 + j` of rows `4 k..4 k + 4`.
    for k in 0..LANES / 4 {
        let [a, b, c, d] = std::array::from_fn(|row| _mm512_castps_pd(pairs[4 * k + row]));
        let four = [
            _mm512_unpacklo_pd(a, c),
            _mm512_unpackhi_pd(a, c),
            _mm512_unpacklo_pd(b, d),
            _mm512_unpackhi_pd(b, d),
        ];
        for (j, four) in four.into_iter().enumerate() {
            fours[4 * k + j] = _mm512_castpd_ps(four);
        }
    }
    for j in 0..LANES / 4 {
        let [a, b, c, d] = std::array::from_fn(|k| fours[4 * k + j]);
        const EVEN: i32 = 0b10_00_10_00;
        const ODD: i32 = 0b11_01_11_01;
        let (ab, cd) = (
            _mm512_shuffle_f32x4::<EVEN>(a, b),
            _mm512_shuffle_f32x4::<EVEN>(c, d),
        );
        all[j] = _mm512_shuffle_f32x4::<EVEN>(ab, cd);
        all[8 + j] = _mm512_shuffle_f32x4::<ODD>(ab, cd);
        let (ab, cd) = (
            _mm512_shuffle_f32x4::<ODD>(a, b),
            _mm512_shuffle_f32x4::<ODD>(c, d),
        );
        all[4 + j] = _mm512_shuffle_f32x4::<EVEN>(ab, cd);
        all[12 + j] = _mm512_shuffle_f32x4::<ODD>(ab, cd);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves(word: f32) -> [f32; 2] {
        let bits = word.to_bits();
        [bits << 16, bits & 0xffff_0000].map(f32::from_bits)
    }

    #[test]
    fn numbers_are_rounded_to_the_nearest() {
        let ulp = 1.0 / 128.0;
        for (value, rounded) in [
            (1.0, 1.0),
            (1.0 + 0.49 * ulp, 1.0),
            (1.0 + 0.5 * ulp, 1.0),
            (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
            (-1.0 - 0.51 * ulp, -1.0 - ulp),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
            (0.0, 0.0),
        ] {
            assert_eq!(halves(word(value, 2.0)), [rounded, 2.0], "{value}");
            assert_eq!(halves(word(3.0, value)), [3.0, rounded], "{value}");
        }
        let [low, high] = halves(word(f32::NAN, f32::from_bits(0x7fff_ffff)));
        assert!(low.is_nan() && high.is_nan());
    }

    #[test]
    fn registers_round_as_single_numbers_do() {
        let numbers: Vec<f32> = (0..210)
            .map(|k| (k as f32 * 0.7).sin() * 1.3_f32.powi(k - 100))
            .collect();
        for channels in [1, 2, 3, 5, 6, 35, 70, 105] {
            let mut to = vec![0.0; numbers.len() / channels * words(channels)];
            neighbours(&numbers, channels, &mut to);
            for (pixel, to) in numbers.chunks(channels).zip(to.chunks(words(channels))) {
                for (k, to) in to.iter().enumerate() {
                    let second = pixel.get(2 * k + 1).copied().unwrap_or(0.0);
                    assert_eq!(to.to_bits(), word(pixel[2 * k], second).to_bits());
                }
            }
        }
        let (first, second) = numbers.split_at(105);
        let mut to = vec![0.0; 105];
        zip(first, second, &mut to);
        for ((first, second), to) in first.iter().zip(second).zip(to) {
            assert_eq!(to.to_bits(), word(*first, *second).to_bits());
        }
    }
}
