//! The linear path `x_t = (1−t) x_0 + t e_β`, `x_0` uniform on the simplex.
//!
//! Its supports shrink: at time `t` the label is among the categories with `x_j ≥ t`, all equally likely, so
//! that from `t = ½` on (and, with many categories, long before) one category is left. That is the
//! pathology described by Stark et al. 2024 (arXiv 2402.05841, §3.1).

use super::IMPOSSIBLE;

/// What single precision may take from a state.
const ROUNDING: f64 = 1e-6;

/// With `τ = t/(1−t)` another category is possible with probability `(1−τ)^{c−1}`.
pub(super) fn decisive_time(categories: usize, rest: f64) -> f64 {
    if categories < 2 {
        return 0.5;
    }
    let others = (categories - 1) as f64;
    let ratio = 1.0 - (rest / others).min(1.0).powf(others.recip());
    ratio / (1.0 + ratio)
}

pub(super) fn advance(state: &mut [f32], label: usize, from: f64, to: f64) {
    let shrink = (1.0 - to) / (1.0 - from);
    for (category, x) in state.iter_mut().enumerate() {
        let corner = f64::from(u8::from(category == label));
        *x = (corner + shrink * (f64::from(*x) - corner)) as f32;
    }
}

/// `0` for the categories with `x_j ≥ t`. A state that no label leads to (an integrator may produce one)
/// counts as that of its largest coordinate.
pub(super) fn evidence(state: &[f32], time: f64, evidence: &mut [f32]) {
    let largest = state.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let threshold = (time - ROUNDING).min(f64::from(largest));
    for (evidence, x) in evidence.iter_mut().zip(state) {
        *evidence = match f64::from(*x) >= threshold {
            true => 0.0,
            false => IMPOSSIBLE,
        };
    }
}

/// `u_t(x | β) = (e_β − x)/(1−t)`.
pub(super) fn target(state: &[f32], label: usize, time: f64, velocity: &mut [f32]) {
    let rate = (1.0 - time).recip();
    for (category, (v, x)) in velocity.iter_mut().zip(state).enumerate() {
        let corner = f64::from(u8::from(category == label));
        *v = (rate * (corner - f64::from(*x))) as f32;
    }
}

/// `(p − x)/(1−t)`.
pub(super) fn velocity(state: &[f32], posterior: &[f32], time: f64, velocity: &mut [f32]) {
    let rate = (1.0 - time).recip();
    for ((v, x), p) in velocity.iter_mut().zip(state).zip(posterior) {
        *v = (rate * (f64::from(*p) - f64::from(*x))) as f32;
    }
}
