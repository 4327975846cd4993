//! Where the levels of a fixed number of steps lie.

use serde::{Deserialize, Serialize};

/// First signal-to-noise ratio of a grid uniform in `log γ`, relative to the last.
const FIRST_SNR: f64 = 1e-4;

/// Where the levels of a fixed number of steps lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelGrid {
    /// Uniform in the time of the path (in `√γ` on the infinite-time path).
    Uniform,
    /// Uniform in `log γ` after a first step.
    LogSnr,
    /// Uniform in `arsinh √(n γ/γ_end)` for `n` sites: in `log γ` from where all sites together begin to tell, in `√γ` below.
    ///
    /// What all sites say together (which scene, which digit) is decided at `γ ≈ 1/n`, long before any site is. A step
    /// from 0 past that level moves every site towards its marginal, which is nobody's scene: on label maps of 64 × 128 all
    /// samples of a uniform grid have one layout. With few sites the grid is nearly uniform.
    Asinh,
}

impl LevelGrid {
    /// The fewest steps that the grid can have.
    pub(super) fn least_steps(self) -> usize {
        match self {
            Self::LogSnr => 2,
            Self::Uniform | Self::Asinh => 1,
        }
    }

    /// The levels `√γ/√γ_end` after each of the steps; the last is 1.
    pub(super) fn levels(self, sites: usize, steps: usize) -> Vec<f64> {
        let part = |k: usize| k as f64 / steps as f64;
        match self {
            Self::Uniform => (1..=steps).map(part).collect(),
            Self::LogSnr => {
                let ratio = FIRST_SNR.ln() / 2.0 / (steps - 1) as f64;
                let left = (0..steps).rev();
                left.map(|left| (ratio * left as f64).exp()).collect()
            }
            Self::Asinh => {
                let level = |k| match k {
                    k if k == steps => 1.0,
                    k => asinh_level(sites, part(k)),
                };
                (1..=steps).map(level).collect()
            }
        }
    }
}

/// The level `√γ/√γ_end` at a part of the way of [`LevelGrid::Asinh`].
pub(in crate::flow) fn asinh_level(sites: usize, part: f64) -> f64 {
    let scale = (sites as f64).sqrt();
    (part * scale.asinh()).sinh() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_rise_to_the_end() {
        for grid in [LevelGrid::Uniform, LevelGrid::LogSnr, LevelGrid::Asinh] {
            for steps in [2, 3, 16] {
                let levels = grid.levels(784, steps);
                assert_eq!(levels.len(), steps);
                assert!(levels[0] > 0.0 && levels.is_sorted_by(|a, b| a < b));
                assert_eq!(levels[steps - 1], 1.0);
            }
        }
        assert_eq!(LevelGrid::Asinh.levels(784, 1), [1.0]);
    }

    #[test]
    fn a_grid_in_log_snr_has_equal_ratios() {
        let levels = LevelGrid::LogSnr.levels(784, 9);
        assert!((levels[0].powi(2) - FIRST_SNR).abs() < 1e-12);
        for triple in levels.windows(3) {
            assert!((triple[1] * triple[1] - triple[0] * triple[2]).abs() < 1e-12);
        }
    }

    #[test]
    fn many_sites_are_told_little_in_the_first_step_and_few_sites_as_much_as_in_any() {
        // The signal-to-noise ratios of all sites together after the first of 16 steps, where γ_end is 64.
        let first =
            |sites: usize| 64.0 * sites as f64 * LevelGrid::Asinh.levels(sites, 16)[0].powi(2);
        assert!(first(1 << 15) < 10.0, "{}", first(1 << 15));
        let few = LevelGrid::Asinh.levels(2, 16);
        for (level, uniform) in few.iter().zip(LevelGrid::Uniform.levels(2, 16)) {
            assert!((level - uniform).abs() < 0.08, "{level} {uniform}");
        }
    }
}
