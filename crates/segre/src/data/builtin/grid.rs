//! The 91 × 91 grid of the planar distributions: bins, and a table of masses.

use crate::data::schema::{Layout, Schema, Vocabulary};

/// Bins along each axis.
pub(super) const BINS: usize = 91;

/// The bin of a coordinate, `clamp(round(10 t) + 45, 0, 90)`.
pub(super) fn bin(coordinate: f64) -> u16 {
    // A cast to an integer type saturates, and so serves far-away points too.
    (10.0 * coordinate + 45.0).round().clamp(0.0, 90.0) as u16
}

/// The upper edge of a bin, where the next one begins; the last bin has none.
pub(super) fn upper_edge(bin: usize) -> f64 {
    if bin + 1 == BINS {
        f64::INFINITY
    } else {
        (bin as f64 - 44.5) / 10.0
    }
}

/// A probability mass function on the grid.
#[derive(Debug)]
pub(super) struct GridTable {
    pub(super) schema: Schema,
    /// `ln p`, `[x, y]`.
    log_masses: Vec<f64>,
    pub(super) entropy: f64,
    pub(super) kl_of_uniform: f64,
}

impl GridTable {
    /// A table from masses `[x, y]`, which are normalised.
    pub(super) fn new(masses: &[f64]) -> Self {
        assert_eq!(masses.len(), BINS * BINS, "one mass per cell");
        let total: f64 = masses.iter().sum();
        let log_masses: Vec<f64> = masses.iter().map(|mass| (mass / total).ln()).collect();
        let surprise = |(mass, log): (&f64, &f64)| {
            if *mass > 0.0 {
                -mass / total * log
            } else {
                0.0
            }
        };
        let entropy = masses.iter().zip(&log_masses).map(surprise).sum();
        let cells = (BINS * BINS) as f64;
        let kl_of_uniform = -cells.ln() - log_masses.iter().sum::<f64>() / cells;
        let names = vec!["x".into(), "y".into()];
        let schema = Schema::shared(Layout::Table, names, Vocabulary::Integers { count: BINS });
        Self {
            schema,
            log_masses,
            entropy,
            kl_of_uniform,
        }
    }

    /// `ln p(x, y)`.
    pub(super) fn log_mass(&self, row: &[u16]) -> f64 {
        let &[x, y] = row else {
            panic!("a row of 2 sites, not {}", row.len())
        };
        let (x, y) = (usize::from(x), usize::from(y));
        assert!(x < BINS && y < BINS, "bins ({x}, {y}) of {BINS} each");
        self.log_masses[x * BINS + y]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_part_the_bins() {
        for lower in 0..BINS - 1 {
            let edge = upper_edge(lower);
            assert_eq!(usize::from(bin(edge - 1e-9)), lower);
            assert_eq!(usize::from(bin(edge + 1e-9)), lower + 1);
        }
        assert_eq!((bin(-1e300), bin(0.0), bin(1e300)), (0, 45, 90));
    }
}
