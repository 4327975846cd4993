//! Step-size control: a proportional–integral controller that knows numbers only, no states.

use serde::{Deserialize, Serialize};

use crate::ode::error::Result;
use crate::setting::InvalidSetting;

/// Options of the adaptive method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveOptions {
    /// Error allowed per step in proportion to the state.
    pub relative_tolerance: f64,
    /// Error allowed per step where the state is near 0, in nats (e-coordinates are log-ratios).
    pub absolute_tolerance: f64,
    /// Largest number of attempted steps.
    pub max_steps: usize,
}

impl Default for AdaptiveOptions {
    /// Tolerances that `f32` can meet and that leave labels unaffected.
    fn default() -> Self {
        Self {
            relative_tolerance: 1e-4,
            absolute_tolerance: 1e-4,
            max_steps: 10_000,
        }
    }
}

impl AdaptiveOptions {
    /// Checks the options.
    ///
    /// # Errors
    /// [`InvalidSetting`] if a tolerance is not positive and finite, or no step is allowed.
    pub fn validate(&self) -> Result<()> {
        let tolerances = [
            ("relative tolerance", self.relative_tolerance),
            ("absolute tolerance", self.absolute_tolerance),
        ];
        for (name, value) in tolerances {
            if !(value > 0.0 && value.is_finite()) {
                let expected = "positive and finite";
                return Err(InvalidSetting {
                    name,
                    value,
                    expected,
                }
                .into());
            }
        }
        if self.max_steps == 0 {
            let expected = "at least 1";
            return Err(InvalidSetting {
                name: "max steps",
                value: 0.0,
                expected,
            }
            .into());
        }
        Ok(())
    }
}

/// What becomes of an attempted step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Keep the step; multiply the step size by the factor for the next.
    Accept(f64),
    /// Repeat the step with its size multiplied by the factor.
    Reject(f64),
}

/// Proportional–integral controller of the step size.
///
/// Source: Hairer & Wanner, Solving ODEs II, IV.2; constants of their code DOPRI5.
#[derive(Clone, Debug)]
pub(super) struct PiController {
    order: f64,
    previous_error: f64,
    after_rejection: bool,
}

impl PiController {
    /// Safety factor on the predicted step.
    const SAFETY: f64 = 0.9;
    /// Weight of the previous error (stabilisation).
    const BETA: f64 = 0.04;
    /// Bounds of one change of the step size.
    const MIN_FACTOR: f64 = 0.2;
    const MAX_FACTOR: f64 = 10.0;
    /// Smallest previous error that is remembered.
    const MIN_MEMORY: f64 = 1e-4;

    /// A controller for a method whose solution has the given order.
    pub(super) fn new(order: usize) -> Self {
        Self {
            order: order as f64,
            previous_error: Self::MIN_MEMORY,
            after_rejection: false,
        }
    }

    /// Judges a step by its error in units of the tolerance; a NaN error is a rejection.
    pub(super) fn judge(&mut self, error: f64) -> Verdict {
        let exponent = 1.0 / self.order - 0.75 * Self::BETA;
        let proportional = Self::SAFETY * error.powf(-exponent);
        if error <= 1.0 {
            let limit = if self.after_rejection {
                1.0
            } else {
                Self::MAX_FACTOR
            };
            let factor = proportional * self.previous_error.powf(Self::BETA);
            self.previous_error = error.max(Self::MIN_MEMORY);
            self.after_rejection = false;
            Verdict::Accept(factor.clamp(Self::MIN_FACTOR, limit))
        } else {
            self.after_rejection = true;
            // `max` ignores NaN: an undefined error gives the smallest factor.
            Verdict::Reject(proportional.max(Self::MIN_FACTOR))
        }
    }
}

/// The first step size, from norms in units of the tolerance: of the state, of its velocity, and of
/// the change of velocity over the trial step [`trial_step`] divided by that step.
///
/// Source: Hairer, Nørsett & Wanner, Solving ODEs I, II.4 (starting step size).
pub(super) fn first_step(trial_step: f64, velocity: f64, acceleration: f64, order: usize) -> f64 {
    let curvature = velocity.max(acceleration);
    let step = if curvature <= 1e-15 {
        (trial_step * 1e-3).max(1e-6)
    } else {
        (0.01 / curvature).powf(1.0 / order as f64)
    };
    step.min(100.0 * trial_step)
}

/// The size of an Euler step that changes the state by one per cent.
///
/// Source: as [`first_step`].
pub(super) fn trial_step(state: f64, velocity: f64) -> f64 {
    if state < 1e-5 || velocity < 1e-5 {
        1e-6
    } else {
        0.01 * state / velocity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps on a problem whose error is `(h/h*)^5`: the controller must find `h*` times the
    /// safety.
    #[test]
    fn the_controller_settles_at_the_tolerance() {
        let mut controller = PiController::new(5);
        let (mut step, best) = (1e-3_f64, 0.25);
        for _ in 0..60 {
            let (Verdict::Accept(factor) | Verdict::Reject(factor)) =
                controller.judge((step / best).powi(5));
            step *= factor;
        }
        assert!(
            (0.85..=1.0).contains(&(step / best)),
            "settled at {step} instead of {best}"
        );
    }

    #[test]
    fn rejection_shrinks_and_is_not_followed_by_growth() {
        let mut controller = PiController::new(5);
        assert!(matches!(controller.judge(2.0), Verdict::Reject(f) if f < 0.9 && f > 0.2));
        assert!(matches!(controller.judge(1e-9), Verdict::Accept(f) if f == 1.0));
        assert!(matches!(controller.judge(1e-9), Verdict::Accept(f) if f == 10.0));
        assert_eq!(controller.judge(f64::NAN), Verdict::Reject(0.2));
        assert_eq!(controller.judge(f64::INFINITY), Verdict::Reject(0.2));
    }
}
