//! The allocator of a program that computes with tensors: how long it keeps what they free, and how much it gives.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libmimalloc_sys::mi_option_set;
use mimalloc::MiMalloc;

/// Milliseconds for which the allocator keeps what was freed: longer than a step, so that the next one finds its memory
/// where it was. With the allocator's own 10 ms every step has its pages taken away and cleared anew (a UNet step: 13 %).
const KEPT_FOR: i64 = 10_000;

/// `mi_option_purge_delay` of the allocator, whose number its Rust interface does not name.
const PURGE_DELAY: i32 = 15;

/// Bytes of a block that counts towards the limit: what grows with data is in large ones, and small ones are not to be slowed
/// down.
const COUNTED: usize = 1 << 16;

/// Bytes in blocks that count.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// Bytes that they may take.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);
/// Who ends the program.
static REFUSE: OnceLock<Refuse> = OnceLock::new();

/// Ends the program for want of memory; told the bytes that are asked for and those taken before. It must take no large block
/// itself.
pub type Refuse = fn(asked: u64, taken: u64) -> !;

/// The allocator: the system's own returns large blocks to the operating system after every operation on tensors; keeping
/// them makes matrix products two to four times faster.
pub struct Allocator;

// SAFETY: all blocks are those of MiMalloc, which is asked with the layouts that this one is given; what is done besides
// counts, or does not return.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        give_back(layout.size());
        take(size);
        // SAFETY: the caller's promise.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}

/// Counts a block before it is taken, and ends the program if that is beyond the limit.
fn take(size: usize) {
    if size >= COUNTED {
        let before = TAKEN.fetch_add(size as u64, Ordering::Relaxed);
        if before.saturating_add(size as u64) > LIMIT.load(Ordering::Relaxed)
            && let Some(refuse) = REFUSE.get()
        {
            refuse(size as u64, before);
        }
    }
}

fn give_back(size: usize) {
    if size >= COUNTED {
        TAKEN.fetch_sub(size as u64, Ordering::Relaxed);
    }
}

/// Refuses so many bytes, as if they were asked for, before the work that will ask for them little by little.
pub fn require_memory(bytes: usize) {
    take(bytes);
    give_back(bytes);
}

/// Has [`Allocator`] give so many bytes in large blocks at most, and call a function in place of more.
pub fn limit_memory(bytes: u64, refuse: Refuse) {
    // The first one stays.
    let _ = REFUSE.set(refuse);
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Has [`Allocator`] keep freed memory from step to step; to be called as the program begins. Whoever sets the allocator's
/// own variable, `MIMALLOC_PURGE_DELAY`, knows better.
pub fn keep_memory() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: sets a number that the allocator reads at each purge, whole or not at all; an option that a later version
        // does not know is refused by it.
        unsafe { mi_option_set(PURGE_DELAY, KEPT_FOR) };
    }
}
