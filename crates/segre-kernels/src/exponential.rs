//! The exponential, the logistic function and the logarithm of vectors.

use super::simd::Simd;

/// Adding and subtracting it rounds to an integer: the unit in the last place is 1 there.
const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³

/// `ln 2` in two parts: products of the first with small integers are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `eˣ`, over the whole range including results below the normal numbers; within 2 units in the last place.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(super) unsafe fn exp<S: Simd>(x: S::Vector) -> S::Vector {
    // SAFETY: arithmetic only; the caller vouches for the instructions.
    unsafe {
        // Beyond these limits the result is 0 or infinite. What is not a number is the second argument, and stays.
        let x = S::min(S::splat(89.0), S::max(S::splat(-104.0), x));
        let (fraction, n) = split_exp::<S>(x);
        // In two steps, as 2ⁿ alone may be no normal number; the first is exact.
        let round = S::splat(ROUND);
        let half = S::sub(S::mul_add(n, S::splat(0.5), round), round);
        let scaled = S::mul(fraction, S::power_of_two(half));
        S::mul(scaled, S::power_of_two(S::sub(n, half)))
    }
}

/// `1 / (1 + e^−x)`; at least `e⁻⁸⁷`, below which `e^−x` would need more care and nobody can tell.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(super) unsafe fn sigmoid<S: Simd>(x: S::Vector) -> S::Vector {
    // SAFETY: as in `exp`.
    unsafe {
        let x = S::min(S::splat(87.0), S::max(S::splat(-87.0), x));
        let (fraction, n) = split_exp::<S>(S::sub(S::splat(0.0), x));
        let one = S::splat(1.0);
        let denominator = S::mul_add(fraction, S::power_of_two(n), one);
        S::div(one, denominator)
    }
}

/// `eˣ` as a number near 1 and an integer power `n` of two, for `|x| ≤ 104`.
///
/// `x = n ln 2 + r` with `|r| ≤ ln 2 / 2`, and Taylor's polynomial of degree 7, whose remainder is below `6e-9`.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn split_exp<S: Simd>(x: S::Vector) -> (S::Vector, S::Vector) {
    const INVERSE_FACTORIALS: [f32; 6] = [
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    // SAFETY: as in `exp`.
    unsafe {
        let round = S::splat(ROUND);
        let n = S::sub(
            S::mul_add(x, S::splat(std::f32::consts::LOG2_E), round),
            round,
        );
        let r = S::mul_add(n, S::splat(-LN_2[0]), x);
        let r = S::mul_add(n, S::splat(-LN_2[1]), r);
        let mut sum = S::splat(INVERSE_FACTORIALS[0]);
        let mut k = 1;
        while k < INVERSE_FACTORIALS.len() {
            sum = S::mul_add(sum, r, S::splat(INVERSE_FACTORIALS[k]));
            k += 1;
        }
        let sum = S::mul_add(S::mul(r, r), sum, r);
        (S::add(sum, S::splat(1.0)), n)
    }
}

/// `ln x` for `2⁻¹²⁶ ≤ x ≤ 2¹²⁶`, within 2 units in the last place of the larger of it and 1; below −87 for smaller `x ≥ 0`.
///
/// `x = 2ⁿ m` with `1/√2 ≤ m < √2`, and the series of `2 artanh t` with `t = (m − 1)/(m + 1)`, whose remainder is below `1e-9`.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(super) unsafe fn ln<S: Simd>(x: S::Vector) -> S::Vector {
    const INVERSES: [f32; 5] = [1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    // SAFETY: as in `exp`.
    unsafe {
        let one = S::splat(1.0);
        let n = S::exponent(S::mul(x, S::splat(std::f32::consts::SQRT_2)));
        let n = S::max(S::splat(-126.0), n);
        let m = S::mul(x, S::power_of_two(S::sub(S::splat(0.0), n)));
        let t = S::div(S::sub(m, one), S::add(m, one));
        let square = S::mul(t, t);
        let mut sum = S::splat(INVERSES[0]);
        let mut k = 1;
        while k < INVERSES.len() {
            sum = S::mul_add(sum, square, S::splat(INVERSES[k]));
            k += 1;
        }
        let low = S::mul(S::add(t, t), sum);
        let low = S::mul_add(n, S::splat(LN_2[1]), low);
        S::mul_add(n, S::splat(LN_2[0]), low)
    }
}
