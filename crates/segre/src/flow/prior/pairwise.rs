//! What is known before anything is learned: a pairwise energy, whose beliefs the network corrects.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use segre_kernels::Propagation;
use serde::{Deserialize, Serialize};

use crate::flow::error::{FlowError, Result};

/// Rounds of messages: what they have not brought by then is left to the network.
const ROUNDS: usize = 12;
/// Share of a message that stays in each round, so that loops do not swing.
const DAMPING: f32 = 0.2;

/// A pairwise energy `−E(β) = Σ_i θ^i(β_i) + Σ_{st} θ^{st}(β_s, β_t)` with finite entries, nats.
///
/// A model with such a prior has the posterior logits `b(x) + g_θ(x)`, where `b` are the logits of the beliefs of
/// loopy belief propagation under this energy and the evidence of `x`, in place of evidence + log marginals.
/// Beliefs are exact on trees, and nearly so on any graph once some labels are known or nearly known: what is left
/// to learn is what loops and distant sites say of each other when little is known.
///
/// Source: belief propagation, Pearl 1988; corrected by a network as in Satorras & Welling 2021, arXiv 2003.01998;
/// beyond the papers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairwisePrior {
    /// `θ^i`, one list for each site.
    pub sites: Vec<Vec<f32>>,
    /// The pairs.
    pub pairs: Vec<Pair>,
}

/// A table over the labels of two sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// `s` and `t`, different ones.
    pub sites: [usize; 2],
    /// `θ^{st}`, the labels of `t` running fastest.
    pub log_weights: Vec<f32>,
}

/// Messages along the pairs of a prior.
#[derive(Clone, Debug)]
pub(in crate::flow) struct BeliefPropagation {
    /// `[sites, categories]`; 0 for padding.
    site_log_weights: Vec<f32>,
    pairs: Arc<Propagation>,
}

impl PairwisePrior {
    /// The prior of `λ` times the energy.
    pub fn tempered(&self, inverse_temperature: f64) -> Self {
        let scaled = |table: &[f32]| -> Vec<f32> {
            let scale = inverse_temperature as f32;
            table.iter().map(|value| scale * value).collect()
        };
        let pair = |pair: &Pair| Pair {
            sites: pair.sites,
            log_weights: scaled(&pair.log_weights),
        };
        Self {
            sites: self.sites.iter().map(|table| scaled(table)).collect(),
            pairs: self.pairs.iter().map(pair).collect(),
        }
    }

    /// Checks that the tables are those of sites with so many categories.
    ///
    /// # Errors
    /// [`FlowError::PriorMismatch`] names the first table that is not.
    pub(crate) fn check(&self, cardinalities: &[usize]) -> Result<()> {
        let refuse = |what: String| Err(FlowError::PriorMismatch { what });
        let finite = |table: &[f32]| table.iter().all(|value| value.is_finite());
        if self.sites.len() != cardinalities.len() {
            let (own, sites) = (self.sites.len(), cardinalities.len());
            return refuse(format!("{own} tables for {sites} sites"));
        }
        for (site, (table, states)) in self.sites.iter().zip(cardinalities).enumerate() {
            if table.len() != *states || !finite(table) {
                let own = table.len();
                return refuse(format!(
                    "{own} numbers for the {states} categories of site {site}, or infinite ones"
                ));
            }
        }
        for Pair { sites, log_weights } in &self.pairs {
            let [s, t] = *sites;
            let entries = match (cardinalities.get(s), cardinalities.get(t)) {
                (Some(of_s), Some(of_t)) if s != t => of_s * of_t,
                _ => return refuse(format!("a pair of sites {s} and {t}")),
            };
            if log_weights.len() != entries || !finite(log_weights) {
                let own = log_weights.len();
                return refuse(format!(
                    "{own} numbers for the {entries} entries of sites {s} and {t}, or infinite ones"
                ));
            }
        }
        Ok(())
    }
}

impl BeliefPropagation {
    /// # Panics
    /// If [`PairwisePrior::check`] refuses the prior.
    pub fn new(prior: &PairwisePrior, cardinalities: &[usize]) -> Self {
        let sites = cardinalities.len();
        let categories = cardinalities.iter().copied().max().unwrap_or(0);
        let mut site_log_weights = vec![0.0; sites * categories];
        for (own, table) in site_log_weights.chunks_mut(categories).zip(&prior.sites) {
            own[..table.len()].copy_from_slice(table);
        }
        let pairs: Vec<_> = prior
            .pairs
            .iter()
            .map(|pair| {
                let largest = pair.log_weights.iter().copied().fold(f32::MIN, f32::max);
                let rows = pair.log_weights.chunks(cardinalities[pair.sites[1]]);
                let mut weights = vec![1.0; categories * categories];
                for (row, own) in weights.chunks_mut(categories).zip(rows) {
                    for (weight, log_weight) in row.iter_mut().zip(own) {
                        *weight = (log_weight - largest).exp();
                    }
                }
                (pair.sites, weights)
            })
            .collect();
        let messages = Propagation::new([sites, categories], &pairs, ROUNDS, DAMPING);
        Self {
            site_log_weights,
            pairs: Arc::new(messages),
        }
    }

    /// Logits of the beliefs given local evidence, up to a constant for each site.
    ///
    /// With `b_s = evidence + θ^s + Σ_t log m_{ts}` the message is `m_{st}(j) ∝ Σ_i e^{θ^{st}(i, j)} e^{b_s(i)} /
    /// m_{ts}(i)`.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]`, masked → the same.
    pub fn beliefs(&self, evidence: Tensor<3>) -> Tensor<3> {
        let [_, sites, categories] = evidence.dims();
        let device = evidence.device();
        let own = self.site_log_weights.clone();
        let own = Tensor::<3>::from_data(TensorData::new(own, [1, sites, categories]), &device);
        segre_kernels::propagate(evidence + own, &self.pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::AssignmentManifold;
    use burn::tensor::Device;
    use rand::RngExt;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// A tree of five sites with 2, 3 and 4 categories.
    fn tree() -> (PairwisePrior, Vec<usize>) {
        let cardinalities = vec![2, 3, 4, 2, 3];
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut table = |entries: usize| {
            (0..entries)
                .map(|_| rng.random_range(-2.0..2.0_f32))
                .collect()
        };
        let prior = PairwisePrior {
            sites: cardinalities.iter().map(|states| table(*states)).collect(),
            pairs: [[0, 1], [2, 1], [1, 3], [4, 3]]
                .map(|sites: [usize; 2]| Pair {
                    sites,
                    log_weights: table(cardinalities[sites[0]] * cardinalities[sites[1]]),
                })
                .into(),
        };
        (prior, cardinalities)
    }

    /// Against the sum over all configurations.
    #[test]
    fn beliefs_on_a_tree_are_the_marginals_by_enumeration() {
        let (prior, cardinalities) = tree();
        prior.check(&cardinalities).unwrap();
        let device = Device::flex();
        let manifold = AssignmentManifold::new(&cardinalities, &device);
        let (batch, sites, categories) = (3, cardinalities.len(), manifold.categories());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let evidence: Vec<f32> = (0..batch * sites * categories)
            .map(|_| rng.random_range(-3.0..3.0))
            .collect();
        let shape = [batch, sites, categories];
        let tensor = Tensor::<3>::from_data(TensorData::new(evidence.clone(), shape), &device);
        let propagation = BeliefPropagation::new(&prior, &cardinalities);
        let found = manifold.point(propagation.beliefs(manifold.mask_logits(tensor)));
        let found: Vec<f32> = found.into_data().try_to_vec().unwrap();
        for row in 0..batch {
            let mut marginals = vec![0.0_f64; sites * categories];
            for index in 0..cardinalities.iter().product::<usize>() {
                let mut rest = index;
                let labels: Vec<usize> = cardinalities
                    .iter()
                    .map(|states| {
                        let label = rest % states;
                        rest /= states;
                        label
                    })
                    .collect();
                let mut exponent = 0.0_f64;
                for (site, &label) in labels.iter().enumerate() {
                    let seen = evidence[(row * sites + site) * categories + label];
                    exponent += f64::from(prior.sites[site][label] + seen);
                }
                for Pair {
                    sites: [s, t],
                    log_weights,
                } in &prior.pairs
                {
                    let entry = labels[*s] * cardinalities[*t] + labels[*t];
                    exponent += f64::from(log_weights[entry]);
                }
                for (site, label) in labels.into_iter().enumerate() {
                    marginals[site * categories + label] += exponent.exp();
                }
            }
            for site in 0..sites {
                let own = &marginals[site * categories..][..categories];
                let total: f64 = own.iter().sum();
                for (label, mass) in own.iter().enumerate() {
                    let belief = f64::from(found[(row * sites + site) * categories + label]);
                    let exact = mass / total;
                    assert!(
                        (belief - exact).abs() < 1e-4,
                        "site {site}: {belief}, {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn tables_of_other_sites_are_refused() {
        let (prior, cardinalities) = tree();
        assert!(prior.check(&cardinalities[1..]).is_err());
        assert!(prior.check(&[2, 3, 4, 2, 2]).is_err());
        let mut other = prior.clone();
        other.pairs[1].sites = [1, 1];
        assert!(other.check(&cardinalities).is_err());
        let mut other = prior;
        other.sites[0][1] = f32::NEG_INFINITY;
        assert!(other.check(&cardinalities).is_err());
    }
}
