//! The exponential, the logistic function and the logarithm of vectors.

use super::Simd;

/// Adding and subtracting it rounds to an integer: the unit in the last place is 1 there.
const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³

/// `ln 2` in two parts: products of the first with small integers are exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// `eˣ`, over the whole range including results below the normal numbers; within 2 units in the last place.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::Vector) -> S::Vector {
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
pub(crate) unsafe fn sigmoid<S: Simd>(x: S::Vector) -> S::Vector {
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
pub(crate) unsafe fn ln<S: Simd>(x: S::Vector) -> S::Vector {
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

#[cfg(test)]
mod tests {
    use super::{exp, ln};
    use crate::simd::{Level, MOST_LANES, Simd, Task};
    use crate::testing::numbers;

    struct Exponentials<'a>(&'a [f32]);

    impl Task for Exponentials<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> Vec<f32> {
            let mut result = vec![];
            for chunk in self.0.chunks_exact(S::LANES) {
                let mut buffer = [0.0; MOST_LANES];
                // SAFETY: chunk and buffer have room for a vector.
                unsafe { S::store(buffer.as_mut_ptr(), exp::<S>(S::load(chunk.as_ptr()))) };
                result.extend_from_slice(&buffer[..S::LANES]);
            }
            result
        }
    }

    struct Logarithms<'a>(&'a [f32]);

    impl Task for Logarithms<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        unsafe fn run<S: Simd>(self) -> Vec<f32> {
            let mut result = self.0.to_vec();
            for chunk in result.chunks_exact_mut(S::LANES) {
                // SAFETY: a chunk is a vector.
                unsafe { S::store(chunk.as_mut_ptr(), ln::<S>(S::load(chunk.as_ptr()))) };
            }
            result
        }
    }

    #[test]
    fn logarithms_are_within_two_units_in_the_last_place_of_them_or_of_1() {
        let whole_range = (0..1 << 16).map(|k| f32::from_bits(0x0080_0000 + k * 0x7e00));
        let near_1 = (0..1 << 16).map(|k| 0.5 + k as f32 / f32::powi(2.0, 15));
        let points: Vec<f32> = whole_range.chain(near_1).collect();
        for level in Level::available() {
            for (x, y) in points.iter().zip(level.run(Logarithms(&points))) {
                let exact = f64::from(*x).ln();
                let unit = f64::from(f32::EPSILON) * exact.abs().max(1.0);
                let error = (f64::from(y) - exact).abs() / unit;
                assert!(error < 2.0, "{level:?}: ln({x}) = {y}, {error} units off");
            }
            let small = vec![0.0; MOST_LANES];
            let found = level.run(Logarithms(&small));
            assert!(found.iter().all(|y| *y < -87.0), "{level:?}: {found:?}");
        }
    }

    #[test]
    fn exponentials_are_within_two_units_in_the_last_place() {
        let special = [
            f32::NEG_INFINITY,
            -1e30,
            -200.0,
            -104.5,
            -103.0,
            -88.0,
            -87.0,
            0.0,
        ];
        let more = [
            f32::INFINITY,
            1e30,
            200.0,
            89.0,
            88.73,
            88.72,
            1e-30,
            -1e-30,
        ];
        let grid = (0..1 << 20).map(|k| -104.0 + 193.0 * k as f32 / (1 << 20) as f32);
        let near = numbers(1 << 16, 1);
        let points: Vec<f32> = special
            .into_iter()
            .chain(more)
            .chain(grid)
            .chain(near)
            .collect();
        for level in Level::available() {
            let results = level.run(Exponentials(&points));
            assert_eq!(results.len(), points.len());
            for (x, y) in points.iter().zip(results) {
                let exact = f64::from(*x).exp();
                if exact > f64::from(f32::MAX) {
                    assert!(y >= f32::MAX, "{level:?}: exp({x}) = {y}");
                    continue;
                }
                let unit = (exact as f32).max(f32::MIN_POSITIVE);
                let unit = f64::from(unit.next_up()) - f64::from(unit);
                let error = (f64::from(y) - exact).abs() / unit;
                assert!(error <= 2.0, "{level:?}: exp({x}) = {y}, {error} units off");
            }
            assert!(
                level
                    .run(Exponentials(&[f32::NAN; 16]))
                    .iter()
                    .all(|y| y.is_nan())
            );
        }
    }
}
