//! Time grids for methods with fixed steps.

use crate::error::{Error, Result};

/// Strictly increasing or strictly decreasing times, two at least.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeGrid {
    times: Vec<f64>,
}

impl TimeGrid {
    /// A grid of the given times.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] if there are fewer than two times, or they are not finite and
    /// strictly monotone.
    pub fn new(times: Vec<f64>) -> Result<Self> {
        let invalid = |value, expected| {
            Err(Error::InvalidSetting {
                name: "time grid",
                value,
                expected,
            })
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
    /// [`Error::InvalidSetting`] if there is no step, or the times are equal or not finite.
    pub fn uniform(start: f64, end: f64, steps: usize) -> Result<Self> {
        let time = |k: usize| match k {
            k if k == steps => end,
            k => start + (end - start) * (k as f64 / steps as f64),
        };
        Self::new((0..steps + usize::from(steps > 0)).map(time).collect())
    }

    /// From signal-to-noise ratio 0 to `snr.0` in one step, then to `snr.1` in steps of the same
    /// ratio.
    ///
    /// `time_at_snr` is that of the path: [`GaussianPath::time_at_snr`]. The ratios of a path's
    /// sites differ by constant factors, so the grid is uniform in `log γ` for all of them.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] if there are fewer than two steps, or not `0 < snr.0 < snr.1`.
    ///
    /// Source: SPEC §4 (beyond the papers).
    ///
    /// [`GaussianPath::time_at_snr`]: crate::path::GaussianPath::time_at_snr
    pub fn uniform_in_log_snr(
        snr: (f64, f64),
        steps: usize,
        time_at_snr: impl Fn(f64) -> f64,
    ) -> Result<Self> {
        let invalid = |name, value, expected| {
            Err(Error::InvalidSetting {
                name,
                value,
                expected,
            })
        };
        if steps < 2 {
            return invalid("steps", steps as f64, "at least 2 for a grid in log SNR");
        }
        if !(snr.0 > 0.0 && snr.0 < snr.1) {
            return invalid(
                "first SNR of the time grid",
                snr.0,
                "positive and below the last",
            );
        }
        let ratio = (snr.1 / snr.0).ln() / (steps - 1) as f64;
        let growing = (0..steps).map(|k| time_at_snr(snr.0 * (ratio * k as f64).exp()));
        Self::new(std::iter::once(time_at_snr(0.0)).chain(growing).collect())
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
    fn a_log_snr_grid_has_equal_ratios() {
        let grid = TimeGrid::uniform_in_log_snr((0.01, 100.0), 9, |snr| 2.0 * snr.sqrt()).unwrap();
        assert_eq!((grid.steps(), grid.times()[0]), (9, 0.0));
        assert!((grid.times()[1] - 0.2).abs() < 1e-12 && (grid.times()[9] - 20.0).abs() < 1e-12);
        for triple in grid.times()[1..].windows(3) {
            assert!((triple[1] * triple[1] - triple[0] * triple[2]).abs() < 1e-9);
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
        assert!(TimeGrid::uniform_in_log_snr((0.0, 1.0), 3, f64::sqrt).is_err());
    }
}
