//! Sums over neighbouring numbers, in a fixed order that fills registers.

/// Interleaved sums.
const WAYS: usize = 16;

/// `Σ_k term(slices[..][k])` over slices of one length.
#[inline(always)]
pub(super) fn sum_of<const N: usize>(slices: [&[f32]; N], term: impl Fn([f32; N]) -> f32) -> f32 {
    assert!(slices.iter().all(|slice| slice.len() == slices[0].len()));
    let parts = slices.map(<[f32]>::as_chunks::<WAYS>);
    let mut sums = [0.0; WAYS];
    for block in 0..parts[0].0.len() {
        let blocks = parts.map(|(whole, _)| &whole[block]);
        for (way, sum) in sums.iter_mut().enumerate() {
            *sum += term(blocks.map(|block| block[way]));
        }
    }
    for (k, sum) in sums.iter_mut().enumerate().take(parts[0].1.len()) {
        *sum += term(parts.map(|(_, rest)| rest[k]));
    }
    sums.iter().sum()
}
