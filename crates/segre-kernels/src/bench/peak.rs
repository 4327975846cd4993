//! The most that the machine computes with all threads.

use std::hint::black_box;
use std::time::Instant;

use rayon::prelude::*;

use crate::Precision;
#[cfg(target_arch = "x86_64")]
use crate::simd::amx;
use crate::simd::{Level, MOST_LANES, Simd, Task};

/// Operations in a second that all threads together make of products and sums in registers.
pub fn peak(precision: Precision) -> f64 {
    const ROUNDS: usize = 4_000_000;
    let level = Level::of(precision);
    let threads = rayon::current_num_threads();
    let once = || {
        let start = Instant::now();
        (0..threads).into_par_iter().for_each(|_| {
            black_box(level.run(Sums { rounds: ROUNDS }));
        });
        start.elapsed().as_secs_f64()
    };
    let shortest = (0..5).map(|_| once()).fold(f64::INFINITY, f64::min);
    let products = if level.pairs() { 2 } else { 1 };
    let operations = match level {
        #[cfg(target_arch = "x86_64")]
        Level::Amx => amx::OPERATIONS,
        _ => 2 * products * level.lanes() * CHAINS,
    };
    (operations * ROUNDS * threads) as f64 / shortest
}

/// Sums that do not wait for each other.
const CHAINS: usize = 12;

/// Products added to sums in registers.
struct Sums {
    rounds: usize,
}

impl Task for Sums {
    type Output = f32;

    #[cfg(target_arch = "x86_64")]
    fn by_matrices(self) -> Result<f32, Self> {
        amx::multiply(self.rounds);
        Ok(0.0)
    }

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f32 {
        // SAFETY: the caller vouches for the instructions, and the buffer has room for a register.
        unsafe {
            let (a, b) = (S::splat(black_box(1.0)), S::splat(black_box(1e-9)));
            let mut sums = [S::splat(0.0); CHAINS];
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = S::mul_add(a, b, *sum);
                }
            }
            let total = sums
                .into_iter()
                .fold(S::splat(0.0), |total, sum| S::add(total, sum));
            let mut buffer = [0.0; MOST_LANES];
            S::store(buffer.as_mut_ptr(), total);
            buffer[0]
        }
    }
}
