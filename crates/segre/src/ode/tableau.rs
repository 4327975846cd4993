//! Butcher tableaux: Runge–Kutta methods as numbers.

use serde::{Deserialize, Serialize};

/// An explicit Runge–Kutta method: `k_i = F(y + h Σ_j a_ij k_j, t + c_i h)`,
/// `y' = y + h Σ_i b_i k_i`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tableau {
    /// Order of the solution: the global error is `O(h^order)`.
    pub order: usize,
    /// Nodes `c_i`, one per stage.
    pub nodes: &'static [f64],
    /// Coefficients `a_ij`, `j < i`, one row per stage.
    pub coefficients: &'static [&'static [f64]],
    /// Weights `b_i` of the solution.
    pub weights: &'static [f64],
    /// Weights `b_i − b̂_i` of the error estimate, for methods with an embedded second solution.
    pub error_weights: Option<&'static [f64]>,
}

impl Tableau {
    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the last stage is the first one of the next step ("first same as last"): its row of
    /// coefficients equals the weights.
    pub fn first_same_as_last(&self) -> bool {
        let (last, inner) = (self.stages() - 1, self.weights.len() - 1);
        last > 0 && self.coefficients[last] == &self.weights[..inner] && self.weights[inner] == 0.0
    }
}

/// The methods on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Euler, order 1.
    Euler,
    /// Heun, order 2.
    Heun,
    /// The classical Runge–Kutta method, order 4.
    Rk4,
    /// Dormand–Prince, order 5 with an embedded solution of order 4.
    DormandPrince,
}

impl Method {
    /// All methods, by increasing order.
    pub const ALL: [Self; 4] = [Self::Euler, Self::Heun, Self::Rk4, Self::DormandPrince];

    /// The numbers of the method.
    pub const fn tableau(self) -> &'static Tableau {
        match self {
            Self::Euler => &EULER,
            Self::Heun => &HEUN,
            Self::Rk4 => &RK4,
            Self::DormandPrince => &DORMAND_PRINCE,
        }
    }
}

/// Source: Hairer, Nørsett & Wanner, Solving ODEs I, II.1.
const EULER: Tableau = Tableau {
    order: 1,
    nodes: &[0.0],
    coefficients: &[&[]],
    weights: &[1.0],
    error_weights: None,
};

/// Source: Hairer, Nørsett & Wanner, Solving ODEs I, II.1 (the trapezoidal variant).
const HEUN: Tableau = Tableau {
    order: 2,
    nodes: &[0.0, 1.0],
    coefficients: &[&[], &[1.0]],
    weights: &[0.5, 0.5],
    error_weights: None,
};

/// Source: Hairer, Nørsett & Wanner, Solving ODEs I, table II.1.2.
const RK4: Tableau = Tableau {
    order: 4,
    nodes: &[0.0, 0.5, 0.5, 1.0],
    coefficients: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    weights: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error_weights: None,
};

/// Source: Dormand & Prince 1980; Hairer, Nørsett & Wanner, Solving ODEs I, table II.5.2.
const DORMAND_PRINCE: Tableau = Tableau {
    order: 5,
    nodes: &[0.0, 1.0 / 5.0, 3.0 / 10.0, 4.0 / 5.0, 8.0 / 9.0, 1.0, 1.0],
    coefficients: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[
            19372.0 / 6561.0,
            -25360.0 / 2187.0,
            64448.0 / 6561.0,
            -212.0 / 729.0,
        ],
        &[
            9017.0 / 3168.0,
            -355.0 / 33.0,
            46732.0 / 5247.0,
            49.0 / 176.0,
            -5103.0 / 18656.0,
        ],
        &[
            35.0 / 384.0,
            0.0,
            500.0 / 1113.0,
            125.0 / 192.0,
            -2187.0 / 6784.0,
            11.0 / 84.0,
        ],
    ],
    weights: &[
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
        0.0,
    ],
    error_weights: Some(&[
        71.0 / 57600.0,
        0.0,
        -71.0 / 16695.0,
        71.0 / 1920.0,
        -17253.0 / 339200.0,
        22.0 / 525.0,
        -1.0 / 40.0,
    ]),
};

#[cfg(test)]
mod tests {
    use super::*;

    /// A rooted tree: its branches. Order conditions are indexed by these (Butcher).
    struct Tree(Vec<Tree>);

    impl Tree {
        /// All rooted trees with the given number of nodes, as branches in non-increasing order.
        fn all(size: usize) -> Vec<Self> {
            Self::forests(size - 1, size - 1)
                .into_iter()
                .map(Tree)
                .collect()
        }

        /// Multisets of trees with `size` nodes in all and at most `largest` nodes each.
        fn forests(size: usize, largest: usize) -> Vec<Vec<Self>> {
            if size == 0 {
                return vec![Vec::new()];
            }
            let mut forests = Vec::new();
            for first in 1..=largest.min(size) {
                for index in 0..Self::all(first).len() {
                    for rest in Self::forests(size - first, first) {
                        // Equal sizes in non-increasing index: each multiset once.
                        let repeats = rest.first().is_some_and(|next| {
                            next.size() == first && Self::position(next, first) > index
                        });
                        if !repeats {
                            let mut forest = vec![Self::all(first).swap_remove(index)];
                            forest.extend(rest);
                            forests.push(forest);
                        }
                    }
                }
            }
            forests
        }

        /// Index of a tree among all of its size.
        fn position(tree: &Self, size: usize) -> usize {
            let index = Self::all(size)
                .iter()
                .position(|other| other.name() == tree.name());
            index.expect("the list holds every tree")
        }

        fn name(&self) -> String {
            format!("[{}]", self.0.iter().map(Self::name).collect::<String>())
        }

        fn size(&self) -> usize {
            1 + self.0.iter().map(Self::size).sum::<usize>()
        }

        /// Density `γ(τ)`: product of the sizes of all subtrees.
        fn density(&self) -> f64 {
            self.size() as f64 * self.0.iter().map(Self::density).product::<f64>()
        }

        /// Elementary weight of stage `i`: `Π_branches Σ_j a_ij (branch)_j`.
        fn stage_weight(&self, tableau: &Tableau, i: usize) -> f64 {
            let branch = |branch: &Self| {
                let row = tableau.coefficients[i].iter().enumerate();
                row.map(|(j, a)| a * branch.stage_weight(tableau, j))
                    .sum::<f64>()
            };
            self.0.iter().map(branch).product()
        }
    }

    /// Largest violation of `Σ_i b_i Φ_i(τ) = 1/γ(τ)` among the trees of one size.
    fn violation(tableau: &Tableau, weights: &[f64], size: usize) -> f64 {
        let residual = |tree: &Tree| {
            let sum = weights
                .iter()
                .enumerate()
                .map(|(i, b)| b * tree.stage_weight(tableau, i));
            (sum.sum::<f64>() - 1.0 / tree.density()).abs()
        };
        Tree::all(size).iter().map(residual).fold(0.0, f64::max)
    }

    #[test]
    fn there_are_as_many_rooted_trees_as_known() {
        let counts: Vec<usize> = (1..=6).map(|size| Tree::all(size).len()).collect();
        assert_eq!(counts, [1, 1, 2, 4, 9, 20]);
    }

    #[test]
    fn methods_meet_the_conditions_of_their_order_and_no_more() {
        for method in Method::ALL {
            let tableau = method.tableau();
            for size in 1..=tableau.order {
                let violation = violation(tableau, tableau.weights, size);
                assert!(
                    violation < 1e-14,
                    "{method:?}: order {size} violated by {violation:e}"
                );
            }
            let beyond = violation(tableau, tableau.weights, tableau.order + 1);
            assert!(
                beyond > 1e-5,
                "{method:?} has a higher order than it claims"
            );
        }
    }

    #[test]
    fn the_embedded_solution_is_one_order_lower() {
        let tableau = Method::DormandPrince.tableau();
        let errors = tableau
            .error_weights
            .expect("Dormand–Prince has an embedded solution");
        let embedded: Vec<f64> = tableau
            .weights
            .iter()
            .zip(errors)
            .map(|(b, e)| b - e)
            .collect();
        for size in 1..tableau.order {
            assert!(violation(tableau, &embedded, size) < 1e-14, "order {size}");
        }
        assert!(violation(tableau, &embedded, tableau.order) > 1e-5);
    }

    #[test]
    fn nodes_are_row_sums() {
        for method in Method::ALL {
            let tableau = method.tableau();
            assert_eq!(tableau.coefficients.len(), tableau.stages());
            assert_eq!(tableau.weights.len(), tableau.stages());
            for (i, (row, node)) in tableau.coefficients.iter().zip(tableau.nodes).enumerate() {
                assert_eq!(row.len(), i);
                assert!(
                    (row.iter().sum::<f64>() - node).abs() < 1e-14,
                    "{method:?} stage {i}"
                );
            }
        }
    }

    #[test]
    fn only_dormand_prince_reuses_its_last_stage() {
        let reusing = Method::ALL.map(|method| method.tableau().first_same_as_last());
        assert_eq!(reusing, [false, false, false, true]);
    }
}
