//! Numbers rounded to bfloat16 (8 bits of precision, the range of 32-bit numbers), two to a word of 32 bits.
//!
//! A word lies in a slice of `f32`, where nothing computes with it but [`Simd::mul_add`](super::simd::Simd::mul_add)
//! of [`Level::Bf16`](super::simd::Level): so the loops over registers are the same for both precisions, and what
//! differs is how their operands are packed.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Numbers in a register.
#[cfg(target_arch = "x86_64")]
const LANES: usize = 16;

/// Words that the channels of a pixel take; the last one may be half empty.
pub(super) fn words(channels: usize) -> usize {
    channels.div_ceil(2)
}

/// The word of two numbers, each rounded to the nearest, ties to even.
pub(super) fn word(first: f32, second: f32) -> f32 {
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
pub(super) fn neighbours(pixels: &[f32], channels: usize, to: &mut [f32]) {
    assert_eq!(to.len() * channels, pixels.len() * words(channels));
    // Pixels of an even number of channels are one long one.
    let channels = match channels.is_multiple_of(2) {
        true => pixels.len().max(1),
        false => channels,
    };
    #[cfg(target_arch = "x86_64")]
    if super::simd::has_bf16() {
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
pub(super) fn zip(first: &[f32], second: &[f32], to: &mut [f32]) {
    assert!(first.len() == to.len() && second.len() == to.len());
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if super::simd::has_bf16() {
        // SAFETY: the instructions are there, as just checked.
        done = unsafe { zip_of_registers(first, second, to) };
    }
    let rest = first[done..].iter().zip(&second[done..]);
    for ((first, second), to) in rest.zip(&mut to[done..]) {
        *to = word(*first, *second);
    }
}

/// All words that fill registers; returns how many.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn zip_of_registers(first: &[f32], second: &[f32], to: &mut [f32]) -> usize {
    // The rounded numbers of `first` come before those of `second`: place 2k takes k, place 2k + 1 takes 16 + k.
    let order: [u16; 2 * LANES] = std::array::from_fn(|k| (k / 2 + k % 2 * LANES) as u16);
    // SAFETY: as many bits are read as there are.
    let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
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
