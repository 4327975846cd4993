//! Eight Gaussians on a circle, binned.
//!
//! Centres `4 (cos a, sin a)`, `a` a uniform multiple of 45°, noise `N(0, 0.2²)` per coordinate.
//! Source: arXiv 2402.07846, Fig. 5; recipe of Lippe et al., Categorical Normalizing Flows.

use super::grid::{BINS, GridTable, bin, upper_edge};
use super::{KnownDistribution, normal};
use crate::data::schema::Schema;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::f64::consts::FRAC_PI_4;
use std::sync::OnceLock;

const CENTRES: u8 = 8;
const RADIUS: f64 = 4.0;
const DEVIATION: f64 = 0.2;

static TABLE: OnceLock<GridTable> = OnceLock::new();

/// The distribution; its table is made at first use.
#[derive(Debug)]
pub(super) struct EightGaussians;

fn centre(index: u8) -> (f64, f64) {
    let (sine, cosine) = (f64::from(index) * FRAC_PI_4).sin_cos();
    (RADIUS * cosine, RADIUS * sine)
}

/// Cells are products of intervals, so that a cell's mass is exact; edge bins take the tails.
fn table() -> &'static GridTable {
    TABLE.get_or_init(|| {
        let axis = |centre: f64| -> Vec<f64> {
            let scaled = |edge: f64| (edge - centre) / DEVIATION;
            let mut lower = f64::NEG_INFINITY;
            let mut step = |bin| {
                let from = std::mem::replace(&mut lower, scaled(upper_edge(bin)));
                normal::mass(from, lower)
            };
            (0..BINS).map(&mut step).collect()
        };
        let mut masses = vec![0.0; BINS * BINS];
        for index in 0..CENTRES {
            let (x, y) = centre(index);
            let (along_x, along_y) = (axis(x), axis(y));
            for (cell, mass) in masses.iter_mut().enumerate() {
                *mass += along_x[cell / BINS] * along_y[cell % BINS];
            }
        }
        GridTable::new(&masses)
    })
}

impl KnownDistribution for EightGaussians {
    fn schema(&self) -> &Schema {
        &table().schema
    }

    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
        let mut labels = Vec::with_capacity(2 * rows);
        for _ in 0..rows {
            let (x, y) = centre(rng.random_range(0..CENTRES));
            for coordinate in [x, y] {
                let noise: f64 = rng.sample(StandardNormal);
                labels.push(bin(coordinate + DEVIATION * noise));
            }
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
