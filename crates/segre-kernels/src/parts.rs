//! Vectors that threads write part by part.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Numbers that are not worth two threads.
const FEW: usize = 1 << 14;

/// A vector of `len` numbers: each part of `part` of them, the last one maybe shorter, is filled with zeros and handed
/// to `write`, with its index. What `write` returns comes in the order of the parts.
///
/// `vec![0.0; len]` would have one thread write the zeros, and they would have left the cache when the numbers come.
pub(super) fn by_parts<R: Send>(
    len: usize,
    part: usize,
    write: impl Fn(usize, &mut [f32]) -> R + Sync,
) -> (Vec<f32>, Vec<R>) {
    let mut numbers = Vec::with_capacity(len);
    let room = &mut numbers.spare_capacity_mut()[..len];
    let results = room
        .par_chunks_mut(part)
        .enumerate()
        .map(|(index, room)| {
            let few = room.par_chunks_mut(FEW);
            few.for_each(|room| room.fill(MaybeUninit::new(0.0)));
            // SAFETY: all of it was just filled.
            write(index, unsafe { room.assume_init_mut() })
        })
        .collect();
    // SAFETY: the parts cover the first `len` numbers, and all parts have been filled.
    unsafe { numbers.set_len(len) };
    (numbers, results)
}
