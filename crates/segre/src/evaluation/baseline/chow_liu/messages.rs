//! Exact conditionals of the tree: messages from the leaves to the roots and back.

use super::{ChowLiu, Edge};

impl ChowLiu {
    /// `P(x_i = · | known labels)` of every site, by belief propagation, which is exact on a tree.
    ///
    /// Up: `λ_i(x) = [x agrees with what is known] Π_children m(x)`, `m_i(y) = Σ_x P(x | y) λ_i(x)` to the parent. Down:
    /// `π_i(x) = Σ_y P(x | y) π(y) λ(y) / m_i(y)` of the parent. The marginal is `π λ` normalised.
    ///
    /// # Shapes
    /// `row [sites]`, `None` where a label is unknown → `[sites][categories]`.
    ///
    /// # Panics
    /// If the row has another number of sites than the model.
    ///
    /// Source: J. Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, chapter 4.
    pub fn conditional_marginals(&self, row: &[Option<u16>]) -> Vec<Vec<f64>> {
        assert_eq!(row.len(), self.edges.len(), "one label per site");
        let priors: Vec<Vec<f64>> = (0..row.len()).map(|site| self.prior(site)).collect();
        let order = self.parents_first();
        let mut below: Vec<Vec<f64>> = (0..row.len())
            .map(|site| agreement(priors[site].len(), row[site]))
            .collect();
        let mut messages = vec![Vec::new(); row.len()];
        for &site in order.iter().rev() {
            if let Some(edge) = &self.edges[site] {
                let message = edge.up(&below[site], &priors[site]);
                for (own, factor) in below[edge.parent].iter_mut().zip(&message) {
                    *own *= factor;
                }
                normalise(&mut below[edge.parent]);
                messages[site] = message;
            }
        }
        let mut above = priors.clone();
        for &site in &order {
            if let Some(edge) = &self.edges[site] {
                let parent = above[edge.parent].iter().zip(&below[edge.parent]);
                // A message is positive everywhere, as all conditionals are smoothed.
                let rest = parent
                    .zip(&messages[site])
                    .map(|((above, below), own)| above * below / own);
                above[site] = edge.down(&rest.collect::<Vec<_>>(), &priors[site]);
                normalise(&mut above[site]);
            }
        }
        let belief = |(mut above, below): (Vec<f64>, Vec<f64>)| {
            above.iter_mut().zip(below).for_each(|(p, own)| *p *= own);
            normalise(&mut above);
            above
        };
        above.into_iter().zip(below).map(belief).collect()
    }

    /// The smoothed marginal of a site by itself.
    fn prior(&self, site: usize) -> Vec<f64> {
        let logs = self.marginals.log_probs(site).iter();
        logs.map(|log| log.exp()).collect()
    }

    /// All sites, every parent before its children.
    fn parents_first(&self) -> Vec<usize> {
        let mut children = vec![Vec::new(); self.edges.len()];
        let mut order = Vec::with_capacity(self.edges.len());
        for (site, edge) in self.edges.iter().enumerate() {
            match edge {
                Some(edge) => children[edge.parent].push(site),
                None => order.push(site),
            }
        }
        let mut next = 0;
        while let Some(&site) = order.get(next) {
            order.extend_from_slice(&children[site]);
            next += 1;
        }
        order
    }
}

/// 1 for the labels that agree with what is known.
fn agreement(categories: usize, known: Option<u16>) -> Vec<f64> {
    match known {
        None => vec![1.0; categories],
        Some(label) => {
            let mut agrees = vec![0.0; categories];
            agrees[usize::from(label)] = 1.0;
            agrees
        }
    }
}

impl Edge {
    /// `Σ_x P(x | y) λ(x)` for every label `y` of the parent, from the cells that occur and the smoothing.
    fn up(&self, below: &[f64], prior: &[f64]) -> Vec<f64> {
        let smooth: f64 = prior.iter().zip(below).map(|(p, own)| p * own).sum();
        let mut sums = vec![self.smoothing * smooth; self.parent_counts.len()];
        for &(cell, count) in &self.cells {
            let (y, x) = (cell as usize / prior.len(), cell as usize % prior.len());
            sums[y] += f64::from(count) * below[x];
        }
        let totals = self.parent_counts.iter();
        sums.iter_mut()
            .zip(totals)
            .for_each(|(sum, count)| *sum /= count + self.smoothing);
        sums
    }

    /// `Σ_y P(x | y) q(y)` for every label `x` of the child.
    fn down(&self, parent: &[f64], prior: &[f64]) -> Vec<f64> {
        let shares = parent.iter().zip(&self.parent_counts);
        let shares: Vec<f64> = shares.map(|(q, n)| q / (n + self.smoothing)).collect();
        let smooth = self.smoothing * shares.iter().sum::<f64>();
        let mut sums: Vec<f64> = prior.iter().map(|p| p * smooth).collect();
        for &(cell, count) in &self.cells {
            let (y, x) = (cell as usize / prior.len(), cell as usize % prior.len());
            sums[x] += f64::from(count) * shares[y];
        }
        sums
    }
}

fn normalise(weights: &mut [f64]) {
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
}
