//! The Dirichlet path `x ~ Dir(1 + t e_β)`, `t ∈ [0, ∞)`.
//!
//! The coordinate of the label is Beta distributed, `x_β ~ Beta(1+t, c−1)` with distribution function `F_t`
//! and density `f_t`, and the others keep their proportions. The conditional velocity that moves these laws is
//! `u_t(x | β) = C(x_β, t)(e_β − x)` with `C(z, t) = −∂_t F_t(z) / (f_t(z)(1−z))`.
//!
//! Numerically, `−∂_t F_t(z) = ∫_0^z f_t(u) (m − log u) du = ∫_z^1 f_t(u) (log u − m) du` with
//! `m = E log x_β = −Σ_{k<c−1} 1/(1+t+k)`. Left of `e^m` the first integrand is positive, right of it the
//! second, so nothing cancels, and divided by `f_t(z)` nothing overflows: it works for thousands of categories
//! and late times, where a difference quotient of the incomplete Beta function does not.
//!
//! Source: Stark et al. 2024, arXiv 2402.05841, (14)–(16).

use std::f64::consts::FRAC_PI_2;

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Gamma};

use super::IMPOSSIBLE;

/// Log-odds at the ends of the table; states in single precision do not leave them.
const TABLE_END: f64 = 32.0;
/// Distance of the table's log-odds.
const TABLE_STEP: f64 = 0.125;

/// Two labels are told apart but for `E √(p_j/p_β) = Γ(1+t/2)²/Γ(1+t)`, for even `t` one over the central
/// binomial coefficient; at most half of it times the number of other labels is the error.
pub(super) fn decisive_time(categories: usize, rest: f64) -> f64 {
    let mut error = 0.5 * categories.saturating_sub(1) as f64;
    let mut half = 0.0;
    while error > rest {
        half += 1.0;
        error *= half / (2.0 * (2.0 * half - 1.0));
    }
    2.0 * f64::max(half, 1.0)
}

pub(super) fn uniform(state: &mut [f32], rng: &mut ChaCha8Rng) {
    for x in state.iter_mut() {
        *x = Exp1.sample(rng);
    }
    normalise(state);
}

pub(super) fn draw(state: &mut [f32], label: usize, time: f64, rng: &mut ChaCha8Rng) {
    for x in state.iter_mut() {
        *x = Exp1.sample(rng);
    }
    state[label] = gamma(1.0 + time, rng) as f32;
    normalise(state);
}

/// Adds mass to the label: with the total `G ~ Gamma(c+t)`, `G x` are independent Gamma variables, and another
/// `Gamma(t'−t)` at the label makes them those of `t'`.
pub(super) fn advance(state: &mut [f32], label: usize, from: f64, to: f64, rng: &mut ChaCha8Rng) {
    let total = gamma(state.len() as f64 + from, rng);
    state[label] += (gamma(to - from, rng) / total) as f32;
    normalise(state);
}

/// `t log x_j`.
pub(super) fn evidence(state: &[f32], time: f64, evidence: &mut [f32]) {
    for (evidence, x) in evidence.iter_mut().zip(state) {
        *evidence = match *x > 0.0 {
            true => (time * f64::from(*x).ln()) as f32,
            false if time > 0.0 => IMPOSSIBLE,
            false => 0.0,
        };
    }
}

/// `C(x_β, t)(e_β − x)`.
pub(super) fn target(state: &[f32], label: usize, time: f64, velocity: &mut [f32]) {
    let z = f64::from(state[label]);
    // The others' sum, not 1 − z, which cancels near the corner.
    let others = |(j, x): (usize, &f32)| if j == label { 0.0 } else { f64::from(*x) };
    let rest: f64 = state.iter().enumerate().map(others).sum();
    let speed = match rest > 0.0 && z > 0.0 {
        true => Beta::new(time, state.len()).log_odds_speed((z / rest).ln()) * z,
        false => 0.0,
    };
    for (category, (v, x)) in velocity.iter_mut().zip(state).enumerate() {
        let corner = f64::from(u8::from(category == label));
        *v = (speed * (corner - f64::from(*x))) as f32;
    }
}

/// `Σ_j p_j C(x_j, t)(e_j − x)`.
pub(super) fn velocity(state: &[f32], posterior: &[f32], speed: &SpeedTable, velocity: &mut [f32]) {
    let mut total = 0.0;
    for ((v, x), p) in velocity.iter_mut().zip(state).zip(posterior) {
        let (x, p) = (f64::from(*x), f64::from(*p));
        let pull = match p > 0.0 && x > 0.0 {
            true => p * speed.at(x) * x,
            false => 0.0,
        };
        total += pull;
        *v = pull as f32;
    }
    for (v, x) in velocity.iter_mut().zip(state) {
        *v -= (total * f64::from(*x)) as f32;
    }
}

fn gamma(shape: f64, rng: &mut ChaCha8Rng) -> f64 {
    Gamma::new(shape, 1.0)
        .expect("shapes are positive: times grow")
        .sample(rng)
}

fn normalise(state: &mut [f32]) {
    let scale = state.iter().map(|x| f64::from(*x)).sum::<f64>().recip();
    state
        .iter_mut()
        .for_each(|x| *x = (f64::from(*x) * scale) as f32);
}

/// The law `Beta(1+t, c−1)` of the label's coordinate.
struct Beta {
    time: f64,
    /// `c − 1`.
    others: f64,
    /// `E log x_β`.
    mean_log: f64,
}

impl Beta {
    fn new(time: f64, categories: usize) -> Self {
        let terms = (0..categories - 1).map(|k| (1.0 + time + k as f64).recip());
        Self {
            time,
            others: (categories - 1) as f64,
            mean_log: -terms.sum::<f64>(),
        }
    }

    /// The velocity of the log-odds `log z/(1−z)` at a log-odds: `−∂_t F_t(z) / (f_t(z) z (1−z))`.
    ///
    /// With `u = z v^{1/a}`, `a = 1+t`, on the left, `1−u = (1−z) v^{1/b}`, `b = c−1`, on the right, and
    /// `v = e^{−y}`, both are integrals of a smooth function that falls from `y = 0` on.
    fn log_odds_speed(&self, log_odds: f64) -> f64 {
        let (a, b) = (1.0 + self.time, self.others);
        let (log_z, log_rest) = (-(-log_odds).exp().ln_1p(), -log_odds.exp().ln_1p());
        let (z, rest) = (log_z.exp(), log_rest.exp());
        match log_z <= self.mean_log {
            true => {
                let left = |y: f64| {
                    let shrink = (-z * (-y / a).exp()).ln_1p() - log_rest;
                    (-y + (b - 1.0) * shrink).exp() * (self.mean_log - log_z + y / a)
                };
                half_line(left) / (a * rest)
            }
            false => {
                let right = |y: f64| {
                    let log_u = (-rest * (-y / b).exp()).ln_1p();
                    (-y + self.time * (log_u - log_z)).exp() * (log_u - self.mean_log)
                };
                half_line(right) / (b * z)
            }
        }
    }
}

/// `∫_0^∞ f(y) dy` by the double-exponential rule `y = exp(π/2 sinh τ)`.
///
/// Source: Takahasi & Mori 1974.
fn half_line(f: impl Fn(f64) -> f64) -> f64 {
    const NODES: i32 = 30;
    const STEP: f64 = 0.1;
    let node = |k: i32| {
        let tau = f64::from(k) * STEP;
        let y = (FRAC_PI_2 * tau.sinh()).exp();
        f(y) * y * tau.cosh()
    };
    // To the right, y above 1e3 adds nothing; to the left, below 1e-7, as little.
    (-NODES..=NODES - 8).map(node).sum::<f64>() * FRAC_PI_2 * STEP
}

/// Speeds of the log-odds at one time, by interpolation.
#[derive(Debug)]
pub(super) struct SpeedTable {
    values: Vec<f64>,
}

impl SpeedTable {
    pub fn new(time: f64, categories: usize) -> Self {
        let beta = Beta::new(time, categories);
        let count = (2.0 * TABLE_END / TABLE_STEP) as usize;
        let place = |k: usize| k as f64 * TABLE_STEP - TABLE_END;
        Self {
            values: (0..=count).map(|k| beta.log_odds_speed(place(k))).collect(),
        }
    }

    /// The speed of the log-odds of a coordinate, by the cubic through the four nearest points.
    fn at(&self, coordinate: f64) -> f64 {
        let rest = 1.0 - coordinate;
        // A coordinate that single precision cannot tell from 1 has no way to go.
        if rest <= 0.0 {
            return 0.0;
        }
        let place = ((coordinate / rest).ln() + TABLE_END) / TABLE_STEP;
        let first = (place.floor() - 1.0).clamp(0.0, (self.values.len() - 4) as f64);
        let x = place - first;
        let [p, q, r, s] = [0, 1, 2, 3].map(|k| self.values[first as usize + k]);
        let weights = [
            -(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0,
            x * (x - 2.0) * (x - 3.0) / 2.0,
            -x * (x - 1.0) * (x - 3.0) / 2.0,
            x * (x - 1.0) * (x - 2.0) / 6.0,
        ];
        weights[0] * p + weights[1] * q + weights[2] * r + weights[3] * s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two categories have `F_t(z) = z^{1+t}`, three `(2+t) z^{1+t} − (1+t) z^{2+t}`: closed forms.
    #[test]
    fn speeds_of_two_and_three_categories_are_the_closed_forms() {
        for time in [0.0, 0.3, 2.0, 20.0] {
            for log_odds in [-12.0, -2.0, -0.1, 0.5, 3.0, 12.0_f64] {
                let (a, z) = (1.0 + time, (1.0 + (-log_odds).exp()).recip());
                let rest = (1.0 + log_odds.exp()).recip();
                let two = -z.ln() / (a * rest);
                let three = -(rest + z.ln() * (1.0 + a * rest)) / (a * (a + 1.0) * rest * rest);
                for (categories, expected) in [(2, two), (3, three)] {
                    let found = Beta::new(time, categories).log_odds_speed(log_odds);
                    // The closed form of three cancels near z = 1.
                    let tolerance = if categories == 3 && log_odds > 1.0 {
                        1e-3
                    } else {
                        1e-7
                    };
                    assert!(
                        (found / expected - 1.0).abs() < tolerance
                            || (categories == 3 && log_odds > 5.0),
                        "c = {categories}, t = {time}, z = {z}: {found} for {expected}"
                    );
                }
            }
        }
    }

    /// The flow of the velocity carries quantiles to quantiles: moved along it, a sample of `Beta(1+t, c−1)`
    /// has the mean of `log x` and of `x` of the later law.
    #[test]
    fn the_velocity_moves_the_laws_for_thousands_of_categories() {
        use rand::SeedableRng;
        for (categories, from, to) in [
            (2, 0.0, 3.0),
            (5, 1.0, 4.0),
            (160, 0.0, 9.0),
            (4096, 20.0, 40.0),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(categories as u64);
            let (count, steps) = (20_000, 60);
            let others = (categories - 1) as f64;
            let mut log_odds: Vec<f64> = (0..count)
                .map(|_| (gamma(1.0 + from, &mut rng) / gamma(others, &mut rng)).ln())
                .collect();
            let step = (to - from) / f64::from(steps);
            for k in 0..steps {
                let middle = SpeedTable::new(from + (f64::from(k) + 0.5) * step, categories);
                let now = SpeedTable::new(from + f64::from(k) * step, categories);
                let z = |l: f64| (1.0 + (-l).exp()).recip();
                for l in &mut log_odds {
                    let half = *l + 0.5 * step * now.at(z(*l));
                    *l += step * middle.at(z(half));
                }
            }
            let logs: Vec<f64> = log_odds.iter().map(|l| -(-l).exp().ln_1p()).collect();
            let mean = logs.iter().sum::<f64>() / f64::from(count);
            let square = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(count);
            let expected = Beta::new(to, categories).mean_log;
            // Trigamma(a) − trigamma(a+b).
            let variance: f64 = (0..categories - 1)
                .map(|k| (1.0 + to + k as f64).powi(-2))
                .sum();
            let error = (variance / f64::from(count)).sqrt();
            assert!(
                (mean - expected).abs() < 5.0 * error + 2e-3,
                "c = {categories}: {mean} for {expected}"
            );
            assert!(
                (square / variance - 1.0).abs() < 0.06,
                "c = {categories}: {square} for {variance}"
            );
        }
    }

    #[test]
    fn decisive_times_bound_the_error() {
        assert_eq!(decisive_time(2, 0.25), 2.0);
        let time = decisive_time(160, 5e-3);
        assert!((10.0..24.0).contains(&time), "{time}");
        assert!(decisive_time(4096, 5e-3) > time);
    }
}
