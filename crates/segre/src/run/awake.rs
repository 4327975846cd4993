//! Threads that stay awake while there is work in short pieces.
//!
//! A thread of the pool that finds nothing to do falls asleep within microseconds, and to wake it takes as long as an
//! operation of a small network. In a fit the next operation is always near.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// How long to wait for sleeping threads. What comes later sleeps on.
const PATIENCE: Duration = Duration::from_millis(20);
/// Vain looks for work before other processes are let through.
const LOOKS: u32 = 64;
/// Bit of the gate that lets no more threads in.
const SHUT: usize = 1 << (usize::BITS - 1);

/// While it lives, the other threads of the pool look for work instead of sleeping.
pub struct Awake {
    done: Arc<AtomicBool>,
}

impl Awake {
    /// Wakes the other threads of the pool.
    ///
    /// It waits until all have come, before any other work: a thread that came in the middle of something, while it
    /// waits for a part of that, would not finish it.
    pub fn start() -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let gate = Arc::new(AtomicUsize::new(0));
        let others = match rayon::current_thread_index() {
            Some(_) => rayon::current_num_threads() - 1,
            None => rayon::current_num_threads(),
        };
        for _ in 0..others {
            let (done, gate) = (done.clone(), gate.clone());
            rayon::spawn(move || watch(&done, &gate));
        }
        let start = Instant::now();
        while gate.load(Ordering::Acquire) < others && start.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        gate.fetch_or(SHUT, Ordering::AcqRel);
        Self { done }
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Release);
    }
}

/// Looks for work until all is done.
fn watch(done: &AtomicBool, gate: &AtomicUsize) {
    if WATCHING.get() {
        return;
    }
    let enter = |inside: usize| (inside & SHUT == 0).then_some(inside + 1);
    if gate
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, enter)
        .is_err()
    {
        return;
    }
    WATCHING.set(true);
    let mut looks = 0;
    while !done.load(Ordering::Acquire) {
        looks = match rayon::yield_now() {
            Some(Yield::Executed) => 0,
            _ => looks + 1,
        };
        match looks % LOOKS {
            0 => std::thread::yield_now(),
            _ => std::hint::spin_loop(),
        }
    }
    WATCHING.set(false);
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    /// Nested work of many short pieces, with and without it, and several of it in turn.
    #[test]
    fn work_is_done_and_the_threads_are_free_afterwards() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build();
        let sum = || -> u64 {
            let inner = |k: u64| (0..100).into_par_iter().map(|j| j * k).sum::<u64>();
            (0..100).into_par_iter().map(inner).sum()
        };
        pool.expect("threads").install(|| {
            for _ in 0..20 {
                let awake = Awake::start();
                let sums: Vec<u64> = (0..50).map(|_| sum()).collect();
                assert!(sums.iter().all(|sum| *sum == 4950 * 4950));
                drop(awake);
                assert_eq!(sum(), 4950 * 4950);
            }
        });
    }
}
