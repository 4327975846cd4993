//! Paths on the simplex itself: linear, Dirichlet and great-circle, the ones that others use.
//!
//! | path | state of a site at time `t`, given label `β` | file |
//! |---|---|---|
//! | linear | `(1−t) x_0 + t e_β`, `x_0` uniform on the simplex | `linear.rs` |
//! | Dirichlet | `x ~ Dir(1 + t e_β)`, `t ∈ [0, ∞)` | `dirichlet.rs` |
//! | great-circle | `s` on the sphere, from `s_0` uniform towards `e_β` along the geodesic; `x = s²` | `great_circle.rs` |
//!
//! All of them have a conditional velocity `u_t(x | β)` and a local likelihood `p_t(x | β)` of closed form.
//! States are in host memory, one slice of single-precision numbers per site; the arithmetic is in double
//! precision.

mod dirichlet;
mod great_circle;
mod linear;

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use self::dirichlet::SpeedTable;

/// Local evidence of a category that a state rules out.
const IMPOSSIBLE: f32 = -1.0e30;

/// A path of points on a simplex (or, for the great circle, on the sphere above it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SimplexPath {
    /// Straight line on the simplex (Lipman et al. 2023, arXiv 2210.02747; Stark et al. 2024).
    Linear,
    /// Dirichlet distributions of growing concentration (Stark et al. 2024, arXiv 2402.05841).
    Dirichlet,
    /// Geodesic of the Fisher–Rao metric (Davis et al. 2024, arXiv 2405.14664).
    GreatCircle,
}

/// Conditional velocities of a path at one time, prepared for sites of one number of categories.
#[derive(Debug)]
pub struct ConditionalVelocity {
    path: SimplexPath,
    time: f64,
    /// Of the Dirichlet path.
    speed: Option<SpeedTable>,
}

impl SimplexPath {
    /// The time at which the path itself ends; for the Dirichlet path, which does not end, that at which a
    /// site with so many categories is decided.
    pub fn end_time(self, categories: usize, rest: f64) -> f64 {
        match self {
            Self::Linear | Self::GreatCircle => 1.0,
            Self::Dirichlet => dirichlet::decisive_time(categories, rest),
        }
    }

    /// The time from which the local evidence mistakes the label with probability below `rest`.
    pub fn decisive_time(self, categories: usize, rest: f64) -> f64 {
        match self {
            Self::Linear => linear::decisive_time(categories, rest),
            Self::Dirichlet => dirichlet::decisive_time(categories, rest),
            Self::GreatCircle => great_circle::decisive_time(categories, rest),
        }
    }

    /// Draws the state of a site before anything is known of it.
    pub fn start(self, state: &mut [f32], rng: &mut ChaCha8Rng) {
        match self {
            Self::Linear | Self::Dirichlet => dirichlet::uniform(state, rng),
            Self::GreatCircle => great_circle::uniform(state, rng),
        }
    }

    /// Draws the state of a site at a time, given its label.
    pub fn draw(self, state: &mut [f32], label: usize, time: f64, rng: &mut ChaCha8Rng) {
        match self {
            Self::Linear => {
                dirichlet::uniform(state, rng);
                linear::advance(state, label, 0.0, time);
            }
            Self::Dirichlet => dirichlet::draw(state, label, time, rng),
            Self::GreatCircle => {
                great_circle::uniform(state, rng);
                great_circle::advance(state, label, 0.0, time);
            }
        }
    }

    /// Carries the state of a site with a given label to a later time: the law of the state stays that of
    /// [`draw`](Self::draw).
    pub fn advance(
        self,
        state: &mut [f32],
        label: usize,
        from: f64,
        to: f64,
        rng: &mut ChaCha8Rng,
    ) {
        match self {
            Self::Linear => linear::advance(state, label, from, to),
            Self::Dirichlet => dirichlet::advance(state, label, from, to, rng),
            Self::GreatCircle => great_circle::advance(state, label, from, to),
        }
    }

    /// Local evidence `log p_t(x | β = j)` of a site, up to a constant, in nats.
    pub fn evidence(self, state: &[f32], time: f64, evidence: &mut [f32]) {
        match self {
            Self::Linear => linear::evidence(state, time, evidence),
            Self::Dirichlet => dirichlet::evidence(state, time, evidence),
            Self::GreatCircle => great_circle::evidence(state, time, evidence),
        }
    }

    /// What a network is told of the time: it grows from 0 and may be infinite.
    pub fn level(self, time: f64) -> f64 {
        match self {
            Self::Dirichlet => time,
            Self::Linear | Self::GreatCircle => time / (1.0 - time),
        }
    }

    /// The conditional velocities `u_t(x | β = j)` of sites with so many categories.
    pub fn velocities(self, time: f64, categories: usize) -> ConditionalVelocity {
        ConditionalVelocity {
            path: self,
            time,
            speed: (self == Self::Dirichlet && categories > 1)
                .then(|| SpeedTable::new(time, categories)),
        }
    }

    /// The conditional velocity `u_t(x | β)` of one site.
    pub fn target(self, state: &[f32], label: usize, time: f64, velocity: &mut [f32]) {
        match self {
            Self::Linear => linear::target(state, label, time, velocity),
            Self::Dirichlet => dirichlet::target(state, label, time, velocity),
            Self::GreatCircle => great_circle::target(state, label, time, velocity),
        }
    }

    /// Follows a velocity for a short time: a straight line, or an arc on the sphere.
    pub fn step(self, state: &mut [f32], velocity: &[f32], duration: f64) {
        match self {
            Self::Linear | Self::Dirichlet => {
                for (x, v) in state.iter_mut().zip(velocity) {
                    *x += (duration * f64::from(*v)) as f32;
                }
            }
            Self::GreatCircle => great_circle::step(state, velocity, duration),
        }
    }
}

impl ConditionalVelocity {
    /// The velocity of a posterior, `Σ_j p_j u_t(x | j)`, for one site.
    pub fn mean(&self, state: &[f32], posterior: &[f32], velocity: &mut [f32]) {
        match (self.path, &self.speed) {
            (SimplexPath::GreatCircle, _) => {
                great_circle::velocity(state, posterior, self.time, velocity);
            }
            (SimplexPath::Dirichlet, Some(speed)) => {
                dirichlet::velocity(state, posterior, speed, velocity);
            }
            _ => linear::velocity(state, posterior, self.time, velocity),
        }
    }
}
