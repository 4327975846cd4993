//! Time grids for methods with fixed steps.

use crate::ode::error::Result;
use crate::setting::InvalidSetting;

/// Strictly increasing or strictly decreasing times, two at least.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeGrid {
    times: Vec<f64>,
}

impl TimeGrid {
    /// A grid of the given times.
    ///
    /// # Errors
    /// [`InvalidSetting`] if there are fewer than two times, or they are not finite and
    /// strictly monotone.
    pub fn new(times: Vec<f64>) -> Result<Self> {
        let invalid = |value, expected| {
            Err(InvalidSetting {
                name: "time grid",
                value,
                expected,
            }
            .into())
        };
        if times.len() < 2 {
            return invalid(times.len() as f64, "two times at least");
        }
        if let Some(time) = times.iter().find(|time| !time.is_finite()) {
            return invalid(*time, "finite");
        }
        let direction = (times[1] - times[0]).signum();
        match times
            .windows(2)
            .find(|pair| (pair[1] - pair[0]) * direction <= 0.0)
        {
            Some(pair) => invalid(pair[1], "strictly monotone"),
            None => Ok(Self { times }),
        }
    }

    /// `steps` steps of the same length from `start` to `end`; backward if `end < start`.
    ///
    /// # Errors
    /// [`InvalidSetting`] if there is no step, or the times are equal or not finite.
    pub fn uniform(start: f64, end: f64, steps: usize) -> Result<Self> {
        let time = |k: usize| match k {
            k if k == steps => end,
            k => start + (end - start) * (k as f64 / steps as f64),
        };
        Self::new((0..steps + usize::from(steps > 0)).map(time).collect())
    }

    /// The same times in the opposite order.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.times.reverse();
        self
    }

    /// The times, the start first.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.times.len() - 1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_grid_ends_exactly_and_runs_backward() {
        let grid = TimeGrid::uniform(0.0, 0.7, 7).unwrap();
        assert_eq!(grid.steps(), 7);
        assert_eq!((grid.times()[0], grid.times()[7]), (0.0, 0.7));
        let back = TimeGrid::uniform(0.7, 0.0, 7).unwrap();
        let reversed = grid.reversed();
        for (a, b) in back.times().iter().zip(reversed.times()) {
            assert!((a - b).abs() < 1e-15);
        }
    }

    #[test]
    fn bad_grids_are_refused() {
        assert!(TimeGrid::new(vec![0.0]).is_err());
        assert!(TimeGrid::new(vec![0.0, 1.0, 1.0]).is_err());
        assert!(TimeGrid::new(vec![0.0, 1.0, 0.5]).is_err());
        assert!(TimeGrid::new(vec![0.0, f64::NAN]).is_err());
        assert!(TimeGrid::uniform(0.0, 1.0, 0).is_err());
        assert!(TimeGrid::uniform(1.0, 1.0, 3).is_err());
    }
}
