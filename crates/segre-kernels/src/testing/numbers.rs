//! Numbers for tests, and how far apart some are.

/// Reproducible numbers of about unit size.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Largest deviation, relative to the largest number.
pub(crate) fn distance(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    let size = right.iter().fold(1e-3_f32, |size, x| size.max(x.abs()));
    let pairs = left.iter().zip(right);
    let distance = |(a, b): (&f32, &f32)| match (a - b).abs() / size {
        distance if distance.is_nan() => f32::INFINITY,
        distance => distance,
    };
    pairs.map(distance).fold(0.0, f32::max)
}
