//! Vectors of `f32` in the widest registers of the machine, chosen when the program runs.
//! `SEGRE_SIMD=avx512`, `avx2` or `plain` in the environment keeps to less than the machine has.
//!
//! A kernel is written once, generic over [`Simd`], as a [`Task`]; [`Level::run`] compiles it for every level. What a
//! task calls must be `#[inline(always)]`: only then is it compiled with the instructions of the level.

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
pub(crate) mod exponential;
pub(crate) mod pairs;
pub(crate) mod product;
mod registers;
mod softmax;
pub(crate) mod tiles;

use std::sync::OnceLock;

use crate::Precision;
use registers::Plain;
#[cfg(target_arch = "x86_64")]
use registers::{Avx2, Avx512, Bf16};
pub use softmax::softmax;

/// Most lanes of any level.
pub(crate) const MOST_LANES: usize = 16;

/// Instructions that a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
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
    /// The same, and matrix registers where a task knows them: see `amx.rs`.
    #[cfg(target_arch = "x86_64")]
    Amx,
}

/// A computation that is compiled for every level.
pub(crate) trait Task: Sized {
    /// The result.
    type Output;

    /// Computes; implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The machine has the instructions of `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;

    /// Computes in matrix registers, which are there; the task itself where it does not fit them.
    #[cfg(target_arch = "x86_64")]
    fn by_matrices(self) -> Result<Self::Output, Self> {
        Err(self)
    }
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
    pub fn of(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::detect(),
            Precision::Bf16 => Self::narrow().unwrap_or_else(Self::detect),
        }
    }

    /// The best level of products of bfloat16, if the machine has them.
    pub fn narrow() -> Option<Self> {
        static FOUND: OnceLock<Option<Level>> = OnceLock::new();
        *FOUND.get_or_init(|| Self::available_narrow().pop())
    }

    /// All levels of products of bfloat16 that this machine has and the environment allows, the best one last.
    pub fn available_narrow() -> Vec<Self> {
        let mut levels = vec![];
        #[cfg(target_arch = "x86_64")]
        if has_bf16() && Self::detect() == Self::Avx512 {
            levels.push(Self::Bf16);
            if std::env::var_os("SEGRE_SIMD").is_none_or(|asked| asked != "avx512")
                && amx::is_available()
            {
                levels.push(Self::Amx);
            }
        }
        levels
    }

    /// Whether a number of a product is a word of two.
    pub fn pairs(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if matches!(self, Self::Bf16 | Self::Amx) {
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
            Self::Avx512 | Self::Bf16 | Self::Amx => Avx512::LANES,
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
            #[cfg(target_arch = "x86_64")]
            Self::Amx => match task.by_matrices() {
                Ok(output) => output,
                Err(task) => Self::Bf16.run(task),
            },
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
pub(crate) fn has_bf16() -> bool {
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
pub(crate) trait Simd: Copy {
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
    /// The integer `n` with `2ⁿ ≤ x < 2ⁿ⁺¹` of normal positive numbers; −127 of smaller ones.
    unsafe fn exponent(x: Self::Vector) -> Self::Vector;
}

/// The first `count ≤ LANES` numbers of a vector, zeros in the others.
///
/// # Safety
/// As [`Simd`]; `count` numbers can be read at the address.
#[inline(always)]
pub(crate) unsafe fn load_some<S: Simd>(from: *const f32, count: usize) -> S::Vector {
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
pub(crate) unsafe fn store_some<S: Simd>(to: *mut f32, count: usize, value: S::Vector) {
    debug_assert!(count <= S::LANES && S::LANES <= MOST_LANES);
    let mut buffer = [0.0; MOST_LANES];
    // SAFETY: the buffer has room for a vector, and the caller vouches for `count` numbers.
    unsafe {
        S::store(buffer.as_mut_ptr(), value);
        std::ptr::copy_nonoverlapping(buffer.as_ptr(), to, count);
    }
}
