//! The pinwheel: five bent arms, binned.
//!
//! Arm `k` uniform in 0..5, `u = 1 + 0.3 z₁`, `v = 0.1 z₂`, `θ = 2πk/5 + 0.25 eᵘ`,
//! `x = 2(u cos θ + v sin θ)`, `y = 2(−u sin θ + v cos θ)`.
//! Source: arXiv 2402.07846, Fig. 5; recipe of Johnson et al. 2016 (arXiv 1603.06277).

use super::grid::{BINS, GridTable, bin, upper_edge};
use super::{KnownDistribution, normal};
use crate::data::schema::Schema;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::f64::consts::TAU;
use std::sync::OnceLock;

const ARMS: u8 = 5;
const RADIAL_DEVIATION: f64 = 0.3;
const TANGENTIAL_DEVIATION: f64 = 0.1;
const BEND: f64 = 0.25;
const SCALE: f64 = 2.0;

/// Nodes of the quadrature over `z₁`: the entropy has then converged to 2e-5 nats (see the test).
const NODES: u32 = 2_000;
/// Range of the quadrature; so far out, every cell gets some mass.
const RANGE: f64 = 9.0;
/// The nodes are `z₁ = b s + (range − b) s⁷` for even `s` in (−1, 1): dense where the mass is.
const CENTRE: f64 = 4.0;

static TABLE: OnceLock<GridTable> = OnceLock::new();

/// The distribution; its table is made at first use.
#[derive(Debug)]
pub(super) struct Pinwheel;

/// `u` and the angle `θ` for an arm and `z₁`.
fn arm(index: u8, radial: f64) -> (f64, f64) {
    let u = 1.0 + RADIAL_DEVIATION * radial;
    (u, TAU * f64::from(index) / f64::from(ARMS) + BEND * u.exp())
}

/// The masses of the cells.
///
/// Given the arm and `u`, the point runs on a straight line with `v`, which is Gaussian: the line
/// is cut at the cells' edges and each piece has an exact mass. The integral over `u` is a
/// midpoint rule.
fn masses(nodes: u32) -> Vec<f64> {
    let mut masses = vec![0.0; BINS * BINS];
    for index in 0..ARMS {
        add_arm(&mut masses, index, nodes);
    }
    masses
}

/// Adds one arm, up to the factor that normalises the whole.
fn add_arm(masses: &mut [f64], index: u8, nodes: u32) {
    let mut cuts: Vec<f64> = Vec::with_capacity(2 * BINS);
    for node in 0..nodes {
        let s = 2.0 * (f64::from(node) + 0.5) / f64::from(nodes) - 1.0;
        let radial = CENTRE * s + (RANGE - CENTRE) * s.powi(7);
        let stretch = CENTRE + 7.0 * (RANGE - CENTRE) * s.powi(6);
        let weight = stretch * (-0.5 * radial * radial).exp();
        let (u, angle) = arm(index, radial);
        let (sine, cosine) = angle.sin_cos();
        // Start and step of the line in units of z₂.
        let (x, along_x) = (SCALE * u * cosine, SCALE * TANGENTIAL_DEVIATION * sine);
        let (y, along_y) = (-SCALE * u * sine, SCALE * TANGENTIAL_DEVIATION * cosine);
        cuts.clear();
        for (start, step) in [(x, along_x), (y, along_y)] {
            let crossings = (0..BINS - 1).map(|bin| (upper_edge(bin) - start) / step);
            cuts.extend(crossings.filter(|cut| cut.is_finite()));
        }
        cuts.sort_unstable_by(f64::total_cmp);
        let mut from = f64::NEG_INFINITY;
        for &to in cuts.iter().chain(&[f64::INFINITY]) {
            let inside = match (from.is_finite(), to.is_finite()) {
                (true, true) => 0.5 * (from + to),
                (true, false) => from + 1.0,
                (false, _) => to - 1.0,
            };
            let (column, row) = (bin(x + inside * along_x), bin(y + inside * along_y));
            let cell = usize::from(column) * BINS + usize::from(row);
            masses[cell] += weight * normal::mass(from, to);
            from = to;
        }
    }
}

fn table() -> &'static GridTable {
    TABLE.get_or_init(|| GridTable::new(&masses(NODES)))
}

impl KnownDistribution for Pinwheel {
    fn schema(&self) -> &Schema {
        &table().schema
    }

    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let mut labels = Vec::with_capacity(2 * rows);
        for _ in 0..rows {
            let index = rng.random_range(0..ARMS);
            let (u, angle) = arm(index, rng.sample(StandardNormal));
            let noise: f64 = rng.sample(StandardNormal);
            let v = TANGENTIAL_DEVIATION * noise;
            let (sine, cosine) = angle.sin_cos();
            labels.push(bin(SCALE * (u * cosine + v * sine)));
            labels.push(bin(SCALE * (-u * sine + v * cosine)));
        }
        labels
    }

    fn log_pmf(&self, row: &[u16]) -> f64 {
        table().log_mass(row)
    }

    fn entropy(&self) -> f64 {
        table().entropy
    }

    fn kl_of_uniform(&self) -> f64 {
        table().kl_of_uniform
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quadrature_has_converged() {
        let coarse = GridTable::new(&masses(NODES));
        let fine = GridTable::new(&masses(3 * NODES + 1));
        assert!((coarse.entropy - fine.entropy).abs() < 1e-5);
        for x in 0..BINS as u16 {
            for y in 0..BINS as u16 {
                assert!(
                    coarse.log_mass(&[x, y]).is_finite(),
                    "no mass at ({x}, {y})"
                );
            }
        }
    }
}
