//! The exact partition function of the Ising model on a torus.

use std::f64::consts::PI;

use super::grid::GridModel;

impl GridModel {
    /// `log Z` in nats of the Ising model on a torus without fields, whatever its size; `None` for any other model.
    ///
    /// With `K` half the coupling, `m` rows and `n` columns, spins `±1` have
    ///
    /// `Z = ½ (2 sinh 2K)^{mn/2} [Π 2 cosh(½ m γ_{2r+1}) + Π 2 sinh(½ m γ_{2r+1}) + Π 2 cosh(½ m γ_{2r}) + Π 2 sinh(½ m γ_{2r})]`,
    ///
    /// products over `r = 0 … n−1`, `cosh γ_l = cosh²2K / sinh 2K − cos(πl/n)` with `γ_l > 0` but
    /// `γ_0 = 2K + log tanh K`. The energy here counts edges between different labels, `2K` each, so `2mnK` is taken off.
    ///
    /// Source: Kaufman 1949, Phys. Rev. 76, 1232, eqs. (48), (49).
    pub fn torus_log_z(&self) -> Option<f64> {
        let torus = self.periodic && self.rows > 2 && self.columns > 2;
        let plain = self.states == 2 && self.field == 0.0 && self.boundary == 0.0;
        if !torus || !plain || self.coupling <= 0.0 {
            return None;
        }
        let (m, n) = (self.rows as f64, self.columns);
        let k = 0.5 * self.coupling;
        let gamma = |l: usize| match l {
            0 => 2.0 * k + k.tanh().ln(),
            l => {
                let (sinh, cosh) = ((2.0 * k).sinh(), (2.0 * k).cosh());
                (cosh * cosh / sinh - (PI * l as f64 / n as f64).cos()).acosh()
            }
        };
        // Logarithms of the factors' sizes; only γ_0 can be negative.
        let cosh = |x: f64| x.abs() + (-2.0 * x.abs()).exp().ln_1p();
        let sinh = |x: f64| x.abs() + (-(-2.0 * x.abs()).exp()).ln_1p();
        let product = |first: usize, factor: &dyn Fn(f64) -> f64| -> f64 {
            (0..n).map(|r| factor(0.5 * m * gamma(2 * r + first))).sum()
        };
        let terms = [
            (product(1, &cosh), 1.0),
            (product(1, &sinh), 1.0),
            (product(0, &cosh), 1.0),
            (product(0, &sinh), gamma(0).signum()),
        ];
        let largest = terms.iter().map(|(log, _)| *log).fold(f64::MIN, f64::max);
        let sum: f64 = terms
            .iter()
            .map(|(log, sign)| sign * (log - largest).exp())
            .sum();
        let sites = m * n as f64;
        let of_spins = 0.5 * sites * (2.0 * (2.0 * k).sinh()).ln() + largest + (0.5 * sum).ln();
        Some(of_spins - 2.0 * sites * k)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::energy::exact::ExactPlan;

    fn torus(rows: usize, columns: usize, coupling: f64) -> GridModel {
        GridModel {
            coupling,
            boundary: 0.0,
            periodic: true,
            ..GridModel::table1(rows, columns)
        }
    }

    #[test]
    fn small_tori_have_the_log_z_of_the_junction_tree() {
        for (rows, columns) in [(3, 3), (4, 4), (3, 5), (6, 4)] {
            for coupling in [0.3, 0.881_373_587, 1.7] {
                let grid = torus(rows, columns, coupling);
                let exact = ExactPlan::new(&grid.build()).unwrap();
                let exact = exact
                    .infer(&mut crate::progress::Silent)
                    .unwrap()
                    .log_z
                    .unwrap();
                let found = grid.torus_log_z().unwrap();
                assert!(
                    (found - exact).abs() < 1e-9,
                    "{rows}×{columns}, {coupling}: {found}, not {exact}"
                );
            }
        }
    }

    /// The value that is printed for samplers of this model is that of β = 0.4407, which is β_c rounded.
    #[test]
    fn the_free_energy_of_24_by_24_is_the_published_one() {
        let free_energy = |beta: f64| {
            let log_z = torus(24, 24, 2.0 * beta).torus_log_z().unwrap();
            -(log_z / 576.0 + 2.0 * beta) / beta
        };
        assert!((free_energy(0.4407) + 2.11215).abs() < 5e-6);
        let critical = 0.5 * (1.0 + 2_f64.sqrt()).ln();
        assert!((free_energy(critical) + 2.112_172_7).abs() < 1e-7);
    }

    #[test]
    fn other_models_have_no_such_value() {
        assert_eq!(GridModel::table1(3, 8).torus_log_z(), None);
        assert_eq!(torus(2, 5, 1.0).torus_log_z(), None);
        assert_eq!(torus(4, 5, -1.0).torus_log_z(), None);
    }
}
