//! The great-circle path: on the sphere `s = √x`, from `s_0` uniform on its positive part straight to `e_β`.
//!
//! In polar coordinates around `e_β`, `s_0 = (θ, u)` with `θ ∈ [0, π/2]` of density `∝ sin^{c−2} θ`, and the
//! path keeps `u` and shrinks the angle: `φ = (1−t) θ`. Hence
//! `p_t(s | β) ∝ [sin(φ_β/(1−t)) / sin φ_β]^{c−2}` where `φ_β ≤ (1−t) π/2`, and 0 elsewhere.
//!
//! Source: sphere map of Åström et al. 2017 (Fisher–Rao metric); Davis et al. 2024, arXiv 2405.14664.

use std::f64::consts::FRAC_PI_2;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::IMPOSSIBLE;

/// What single precision may take from an angle, relative to `π/2`.
const ROUNDING: f64 = 1e-4;

/// Another category `j` is possible only if `u_j ≥ tan(t π/2)`, of probability about `(1 − u_j²)^{(c−2)/2}`.
pub(super) fn decisive_time(categories: usize, rest: f64) -> f64 {
    if categories <= 2 {
        return 0.5;
    }
    let others = (categories - 1) as f64;
    let ratio = 1.0 - (rest / others).min(1.0).powf(2.0 / (others - 1.0));
    ratio.sqrt().atan() / FRAC_PI_2
}

pub(super) fn uniform(state: &mut [f32], rng: &mut ChaCha8Rng) {
    let mut squares = 0.0;
    for s in state.iter_mut() {
        let z: f64 = StandardNormal.sample(rng);
        squares += z * z;
        *s = z.abs() as f32;
    }
    let scale = f64::sqrt(squares).recip() as f32;
    state.iter_mut().for_each(|s| *s *= scale);
}

/// The length of the other coordinates and the angle to `e_j`: exact for small angles too, where
/// `arccos s_j` is not.
fn angle(state: &[f32], category: usize) -> (f64, f64) {
    let squares = |(j, s): (usize, &f32)| match j == category {
        true => 0.0,
        false => f64::from(*s).powi(2),
    };
    let others = state.iter().enumerate().map(squares).sum::<f64>().sqrt();
    (others, others.atan2(f64::from(state[category])))
}

/// The angles to all corners.
fn angles(state: &[f32]) -> impl Iterator<Item = f64> + '_ {
    let total: f64 = state.iter().map(|s| f64::from(*s).powi(2)).sum();
    state.iter().enumerate().map(move |(category, s)| {
        let own = f64::from(*s);
        match own * own > 0.5 * total {
            // The difference below would cancel.
            true => angle(state, category).1,
            false => (total - own * own).sqrt().atan2(own),
        }
    })
}

pub(super) fn advance(state: &mut [f32], label: usize, from: f64, to: f64) {
    let (others, angle) = angle(state, label);
    if others == 0.0 {
        return;
    }
    let angle = angle * (1.0 - to) / (1.0 - from);
    let scale = angle.sin() / others;
    for (category, s) in state.iter_mut().enumerate() {
        *s = match category == label {
            true => angle.cos() as f32,
            false => (f64::from(*s) * scale) as f32,
        };
    }
}

/// A state that no label leads to (an integrator may produce one) counts as that of its nearest corner.
pub(super) fn evidence(state: &[f32], time: f64, evidence: &mut [f32]) {
    let exponent = state.len() as f64 - 2.0;
    let rate = (1.0 - time).recip();
    let nearest = angles(state).fold(f64::INFINITY, f64::min);
    let limit = ((1.0 + ROUNDING) * FRAC_PI_2 / rate).max(nearest);
    for (evidence, angle) in evidence.iter_mut().zip(angles(state)) {
        *evidence = match angle <= limit {
            true if exponent <= 0.0 => 0.0,
            true => (exponent * log_ratio(angle, rate)) as f32,
            false => IMPOSSIBLE,
        };
    }
}

/// `log [sin(rate·φ)/sin φ]`, with its limit at 0.
fn log_ratio(angle: f64, rate: f64) -> f64 {
    let large = (rate * angle).min(FRAC_PI_2);
    match large < 1e-9 {
        true => rate.ln(),
        false => (large.sin() / angle.sin()).ln(),
    }
}

/// `u_t(s | β) = log_s(e_β)/(1−t)`, `log_s(e) = φ (e − s cos φ)/sin φ`.
pub(super) fn target(state: &[f32], label: usize, time: f64, velocity: &mut [f32]) {
    let mut certain = vec![0.0; state.len()];
    certain[label] = 1.0;
    self::velocity(state, &certain, time, velocity);
}

/// `Σ_j p_j log_s(e_j)/(1−t)`.
pub(super) fn velocity(state: &[f32], posterior: &[f32], time: f64, velocity: &mut [f32]) {
    let rate = (1.0 - time).recip();
    let mut back = 0.0;
    let pulls = angles(state).zip(posterior);
    for ((v, s), (angle, p)) in velocity.iter_mut().zip(state).zip(pulls) {
        let sine = angle.sin();
        let pull = match sine > 0.0 {
            true => f64::from(*p) * angle / sine,
            false => 0.0,
        };
        back += pull * f64::from(*s);
        *v = pull as f32;
    }
    for (v, s) in velocity.iter_mut().zip(state) {
        *v = (rate * (f64::from(*v) - back * f64::from(*s))) as f32;
    }
}

/// The exponential map of the sphere, `s cos|hv| + v/|v| sin|hv|`, of the velocity's tangential part.
pub(super) fn step(state: &mut [f32], velocity: &[f32], duration: f64) {
    let squares: f64 = state.iter().map(|s| f64::from(*s).powi(2)).sum();
    let along = |(s, v): (&f32, &f32)| f64::from(*s) * f64::from(*v);
    let radial = state.iter().zip(velocity).map(along).sum::<f64>() / squares;
    let tangent = |s: f32, v: f32| f64::from(v) - radial * f64::from(s);
    let length = state
        .iter()
        .zip(velocity)
        .map(|(s, v)| tangent(*s, *v).powi(2));
    let length = length.sum::<f64>().sqrt();
    if length == 0.0 {
        return;
    }
    let (sine, cosine) = (duration * length).sin_cos();
    for (s, v) in state.iter_mut().zip(velocity) {
        let moved = f64::from(*s) * cosine + tangent(*s, *v) / length * sine;
        *s = moved as f32;
    }
}
