//! The levels of a round's draws: one draw in each of as many equal parts of their density as there are draws, and of every row one
//! in each of as many larger parts as a row has draws (a Latin hypercube of rows and levels).

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::integral::Draw;
use super::levels::LevelDistribution;

/// Which part of the density each pair of row and draw has.
pub(super) struct Strata {
    rows: usize,
    /// Draws of a row.
    levels: usize,
    /// By pair, a row's draws beside each other: its part, in order of level.
    parts: Vec<u32>,
}

impl Strata {
    pub fn draw(rows: usize, levels: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut parts = vec![0; rows * levels];
        let mut places: Vec<u32> = (0..rows as u32).collect();
        for level in 0..levels {
            places.shuffle(rng);
            for (row, place) in places.iter().enumerate() {
                parts[row * levels + level] = (level * rows) as u32 + place;
            }
        }
        Self {
            rows,
            levels,
            parts,
        }
    }

    /// The draw of a pair, its value still to be found.
    pub fn level(&self, pair: usize, density: &LevelDistribution, rng: &mut ChaCha8Rng) -> Draw {
        let within = f64::from(self.parts[pair]) + rng.random::<f64>();
        Draw {
            pair,
            row: pair / self.levels,
            level: density.quantile(within / self.parts.len() as f64),
            value: 0.0,
        }
    }

    /// The variance of the mean of these values (by pair), if it can be told.
    ///
    /// Neighbouring parts differ by little but noise: half the mean square of successive differences, beyond what
    /// sets the rows apart, of which every row has an equal share in the mean. What of either is left makes it too large.
    pub fn variance(&self, values: &[f64]) -> Option<f64> {
        let count = values.len();
        let (centred, lost) = match self.levels {
            1 => (false, 1.0),
            levels => (true, levels as f64 / (levels - 1) as f64),
        };
        let mut ordered = vec![0.0; count];
        for row in 0..self.rows {
            let pairs = row * self.levels..(row + 1) * self.levels;
            let mean = match centred {
                true => values[pairs.clone()].iter().sum::<f64>() / self.levels as f64,
                false => 0.0,
            };
            for pair in pairs {
                ordered[self.parts[pair] as usize] = values[pair] - mean;
            }
        }
        let squares: f64 = ordered
            .windows(2)
            .map(|two| (two[1] - two[0]).powi(2))
            .sum();
        let variance = squares / 2.0 / (count - 1) as f64 * lost;
        (count > 1).then(|| variance / count as f64)
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::random::{Purpose, generator};

    /// Mean and its variance by [`Strata::variance`] of rows that differ, a smooth integrand and noise.
    fn estimate(rows: usize, levels: usize, seed: u64) -> (f64, f64) {
        let mut rng = generator(seed, Purpose::Strata, 0);
        let strata = Strata::draw(rows, levels, &mut rng);
        let density = LevelDistribution::uniform();
        let value = |pair| {
            let draw = strata.level(pair, &density, &mut rng);
            let noise: f64 = StandardNormal.sample(&mut rng);
            3.0 * draw.row as f64 / rows as f64 + (6.0 * draw.level).sin() + 0.2 * noise
        };
        let values: Vec<f64> = (0..rows * levels).map(value).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, strata.variance(&values).unwrap())
    }

    #[test]
    fn every_part_has_one_draw_and_every_row_one_in_each_larger_part() {
        let strata = Strata::draw(5, 3, &mut generator(1, Purpose::Strata, 0));
        let mut parts = strata.parts.clone();
        for row in parts.chunks(3) {
            let larger: Vec<u32> = row.iter().map(|part| part / 5).collect();
            assert_eq!(larger, [0, 1, 2]);
        }
        parts.sort_unstable();
        assert_eq!(parts, (0..15).collect::<Vec<u32>>());
    }

    #[test]
    fn the_variance_is_that_of_the_estimates() {
        for (rows, levels) in [(40, 4), (1, 64), (20, 16), (300, 1)] {
            let found: Vec<(f64, f64)> = (0..400).map(|s| estimate(rows, levels, s)).collect();
            let mean = found.iter().map(|(m, _)| m).sum::<f64>() / 400.0;
            let spread = found.iter().map(|(m, _)| (m - mean).powi(2)).sum::<f64>() / 399.0;
            let told = found.iter().map(|(_, v)| v).sum::<f64>() / 400.0;
            let ratio = told / spread;
            // The integrand has a variance of 0.09 within a quarter of the range, of which a third is left, beside noise of 0.04;
            // one draw of a row cannot tell rows apart.
            let most = match levels {
                1 => 25.0,
                4 => 2.0,
                _ => 1.5,
            };
            assert!(ratio > 0.8 && ratio < most, "{rows} × {levels}: {ratio}");
            let alone = (0.04 + 0.5) / (rows * levels) as f64;
            assert!(levels == 1 || spread < alone / 3.0, "{rows} × {levels}");
        }
    }

    #[test]
    fn one_draw_tells_no_variance() {
        let strata = Strata::draw(1, 1, &mut generator(1, Purpose::Strata, 0));
        assert_eq!(strata.variance(&[0.5]), None);
    }
}
