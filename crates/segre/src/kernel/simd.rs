//! Vectors of `f32` in the widest registers of the machine, chosen when the program runs, and their exponential.
//! `SEGRE_SIMD=avx2` or `plain` in the environment keeps to less than the machine has.
//!
//! A kernel is written once, generic over [`Simd`], as a [`Task`]; [`Level::run`] compiles it for every level. What a
//! task calls must be `#[inline(always)]`: only then is it compiled with the instructions of the level.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::sync::OnceLock;

/// Most lanes of any level.
pub(super) const MOST_LANES: usize = 16;

/// Instructions that a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// What every machine of the target has.
    Plain,
    /// AVX2 and fused multiplication and addition.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512F.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX-512F whose products are of pairs of bfloat16 (AVX-512 BF16): see `pairs.rs`.
    #[cfg(target_arch = "x86_64")]
    Bf16,
}

/// A computation that is compiled for every level.
pub(super) trait Task {
    /// The result.
    type Output;

    /// Computes; implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The machine has the instructions of `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

impl Level {
    /// The best level of this machine for numbers of 32 bits, or the lower one that the environment asks for.
    pub fn detect() -> Self {
        static FOUND: OnceLock<Level> = OnceLock::new();
        *FOUND.get_or_init(|| {
            let asked = std::env::var("SEGRE_SIMD").unwrap_or_default();
            let allowed = |level: &Self| match asked.as_str() {
                "plain" => *level == Self::Plain,
                #[cfg(target_arch = "x86_64")]
                "avx2" => *level != Self::Avx512,
                _ => true,
            };
            let best = Self::available().into_iter().rev().find(allowed);
            best.unwrap_or(Self::Plain)
        })
    }

    /// All levels of this machine for numbers of 32 bits, the best one last.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    levels.push(Self::Avx512);
                }
            }
        }
        levels
    }

    /// The level for products of a precision; [`Self::detect`] where the machine has none of their own.
    pub fn of(precision: super::Precision) -> Self {
        match precision {
            super::Precision::F32 => Self::detect(),
            super::Precision::Bf16 => Self::narrow().unwrap_or_else(Self::detect),
        }
    }

    /// The level of products of bfloat16, if the machine has them.
    pub fn narrow() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if has_bf16() && Self::detect() == Self::Avx512 {
            return Some(Self::Bf16);
        }
        None
    }

    /// Whether a number of a product is a word of two.
    pub fn pairs(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self == Self::Bf16 {
            return true;
        }
        false
    }

    /// Numbers in a register.
    pub fn lanes(self) -> usize {
        match self {
            Self::Plain => Plain::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::LANES,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Bf16 => Avx512::LANES,
        }
    }

    /// Runs a task with the instructions of the level.
    ///
    /// # Panics
    /// Panics if the machine does not have them.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            // SAFETY: every machine has the plain instructions.
            Self::Plain => unsafe { task.run::<Plain>() },
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
                // SAFETY: the instructions are there, as just checked.
                unsafe { run_avx2(task) }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                assert!(is_x86_feature_detected!("avx512f"));
                // SAFETY: the instructions are there, as just checked.
                unsafe { run_avx512(task) }
            }
            #[cfg(target_arch = "x86_64")]
            Self::Bf16 => {
                assert!(has_bf16());
                // SAFETY: the instructions are there, as just checked.
                unsafe { run_bf16(task) }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<T: Task>(task: T) -> T::Output {
    // SAFETY: the caller has checked for the instructions.
    unsafe { task.run::<Avx2>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn run_avx512<T: Task>(task: T) -> T::Output {
    // SAFETY: the caller has checked for the instructions.
    unsafe { task.run::<Avx512>() }
}

/// Whether there are products of pairs of bfloat16, and what is needed to form the pairs.
#[cfg(target_arch = "x86_64")]
pub(super) fn has_bf16() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn run_bf16<T: Task>(task: T) -> T::Output {
    // SAFETY: the caller has checked for the instructions.
    unsafe { task.run::<Bf16>() }
}

/// Vectors of one level.
///
/// # Safety
/// All functions may be called only where the machine has the instructions of the level, i.e. within a [`Task`].
/// `load` and `store` need `LANES` numbers at the address.
pub(super) trait Simd: Copy {
    /// A register.
    type Vector: Copy;
    /// Numbers in it.
    const LANES: usize;
    /// Rows of two registers that fit into the register file as accumulators, besides two operands and a factor.
    const ROWS: usize;

    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, value: Self::Vector);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a b + c`, rounded once or twice.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The smaller one; `b` if one is not a number.
    unsafe fn min(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The larger one; `b` if one is not a number.
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `2ⁿ` for integers `−126 ≤ n ≤ 127`.
    unsafe fn power_of_two(n: Self::Vector) -> Self::Vector;
}

/// The first `count ≤ LANES` numbers of a vector, zeros in the others.
///
/// # Safety
/// As [`Simd`]; `count` numbers can be read at the address.
#[inline(always)]
pub(super) unsafe fn load_some<S: Simd>(from: *const f32, count: usize) -> S::Vector {
    debug_assert!(count <= S::LANES && S::LANES <= MOST_LANES);
    let mut buffer = [0.0; MOST_LANES];
    // SAFETY: the caller vouches for `count` numbers, and the buffer has room for them.
    unsafe {
        std::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), count);
        S::load(buffer.as_ptr())
    }
}

/// Stores the first `count ≤ LANES` numbers of a vector.
///
/// # Safety
/// As [`Simd`]; `count` numbers can be written at the address.
#[inline(always)]
pub(super) unsafe fn store_some<S: Simd>(to: *mut f32, count: usize, value: S::Vector) {
    debug_assert!(count <= S::LANES && S::LANES <= MOST_LANES);
    let mut buffer = [0.0; MOST_LANES];
    // SAFETY: the buffer has room for a vector, and the caller vouches for `count` numbers.
    unsafe {
        S::store(buffer.as_mut_ptr(), value);
        std::ptr::copy_nonoverlapping(buffer.as_ptr(), to, count);
    }
}

/// Adding and subtracting it rounds to an integer: the unit in the last place is 1 there.
const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³

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
    /// `ln 2` in two parts: products of the first with small integers are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
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

/// Four numbers, left to the compiler.
#[derive(Clone, Copy)]
pub(super) struct Plain;

/// Applies a function to the lanes.
#[inline(always)]
fn lanes(function: impl Fn(usize) -> f32) -> [f32; Plain::LANES] {
    [function(0), function(1), function(2), function(3)]
}

impl Simd for Plain {
    type Vector = [f32; Self::LANES];
    const LANES: usize = 4;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self::Vector {
        [value; Self::LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self::Vector {
        // SAFETY: the caller vouches for the numbers; an array of numbers has the alignment of one.
        unsafe { *from.cast() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: Self::Vector) {
        // SAFETY: the caller vouches for the room; an array of numbers has the alignment of one.
        unsafe { *to.cast() = value }
    }
    #[inline(always)]
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| a[k] + b[k])
    }
    #[inline(always)]
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| a[k] - b[k])
    }
    #[inline(always)]
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| a[k] * b[k])
    }
    #[inline(always)]
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| a[k] / b[k])
    }
    #[inline(always)]
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        // Without the instruction `f32::mul_add` is a call of a slow function.
        match cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            true => lanes(|k| a[k].mul_add(b[k], c[k])),
            false => lanes(|k| a[k] * b[k] + c[k]),
        }
    }
    #[inline(always)]
    unsafe fn min(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| if a[k] < b[k] { a[k] } else { b[k] })
    }
    #[inline(always)]
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector {
        lanes(|k| if a[k] > b[k] { a[k] } else { b[k] })
    }
    #[inline(always)]
    unsafe fn power_of_two(n: Self::Vector) -> Self::Vector {
        lanes(|k| f32::from_bits(((n[k] as i32 + 127) << 23) as u32))
    }
}

/// Eight numbers.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx2;

// SAFETY of all blocks: the trait asks the caller for the instructions, and for the numbers at an address.
#[cfg(target_arch = "x86_64")]
impl Simd for Avx2 {
    type Vector = __m256;
    const LANES: usize = 8;
    const ROWS: usize = 6;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m256) {
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn min(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m256, b: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe { _mm256_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn power_of_two(n: __m256) -> __m256 {
        // SAFETY: as above.
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }
}

/// Sixteen numbers.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Avx512;

// SAFETY of all blocks: the trait asks the caller for the instructions, and for the numbers at an address.
#[cfg(target_arch = "x86_64")]
impl Simd for Avx512 {
    type Vector = __m512;
    const LANES: usize = 16;
    const ROWS: usize = 12;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(to, value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_div_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    unsafe fn min(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_min_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn power_of_two(n: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        }
    }
}

/// Sixteen words of two bfloat16 each where they are factors, sixteen numbers of 32 bits where they are sums.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct Bf16;

// SAFETY of all blocks: the trait asks the caller for the instructions, and for the numbers at an address.
#[cfg(target_arch = "x86_64")]
impl Simd for Bf16 {
    type Vector = __m512;
    const LANES: usize = Avx512::LANES;
    const ROWS: usize = Avx512::ROWS;

    #[inline(always)]
    unsafe fn splat(value: f32) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::splat(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::load(from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, value: __m512) {
        // SAFETY: as above.
        unsafe { Avx512::store(to, value) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::add(a, b) }
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::sub(a, b) }
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::mul(a, b) }
    }
    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::div(a, b) }
    }
    /// `c` and the products of both numbers of the words `a` and `b`.
    #[inline(always)]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: as above; a register of 512 bits is what it is read as.
        unsafe {
            let a = std::mem::transmute::<__m512, __m512bh>(a);
            let b = std::mem::transmute::<__m512, __m512bh>(b);
            _mm512_dpbf16_ps(c, a, b)
        }
    }
    #[inline(always)]
    unsafe fn min(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::min(a, b) }
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::max(a, b) }
    }
    #[inline(always)]
    unsafe fn power_of_two(n: __m512) -> __m512 {
        // SAFETY: as above.
        unsafe { Avx512::power_of_two(n) }
    }
}
