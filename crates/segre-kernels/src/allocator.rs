//! The allocator of a program that computes with tensors, and how long it keeps what they free.

use libmimalloc_sys::mi_option_set;

/// The allocator: the system's own returns large blocks to the operating system after every operation on tensors; keeping
/// them makes matrix products two to four times faster.
pub use mimalloc::MiMalloc as Allocator;

/// Milliseconds for which the allocator keeps what was freed: longer than a step, so that the next one finds its memory
/// where it was. With the allocator's own 10 ms every step has its pages taken away and cleared anew (a UNet step: 13 %).
const KEPT_FOR: i64 = 10_000;

/// `mi_option_purge_delay` of the allocator, whose number its Rust interface does not name.
const PURGE_DELAY: i32 = 15;

/// Has [`Allocator`] keep freed memory from step to step; to be called as the program begins. Whoever sets the allocator's
/// own variable, `MIMALLOC_PURGE_DELAY`, knows better.
pub fn keep_memory() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: sets a number that the allocator reads at each purge, whole or not at all; an option that a later version
        // does not know is refused by it.
        unsafe { mi_option_set(PURGE_DELAY, KEPT_FOR) };
    }
}
