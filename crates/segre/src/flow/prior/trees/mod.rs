//! What is known before anything is learned: a tree of hidden states, learned from the rows, whose exact posterior the network
//! corrects.

mod learning;
mod structure;

use std::sync::Arc;

use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segre_kernels::{HiddenTree, tree_marginals};

use self::learning::{Learned, Shape, learn};
use crate::data::{Dataset, Schema};
use crate::learning::LearningError;
use crate::learning::parameters::Values;

/// Most rows that a tree learns from.
const MOST_ROWS: usize = 1 << 17;
/// Fewest rows of which a tenth is held out, to choose the number of states by.
const FEWEST_SPLIT: usize = 20;
/// Numbers of states to choose from, as long as a pass over the rows costs no more products than this, a third of them upwards.
const MOST_STATES: usize = 64;
const MOST_PRODUCTS: usize = 1 << 31;
/// Passes over all rows at the end, those among them that were held out.
const LAST_PASSES: usize = 2;
/// Names of the tensors in a file; no network's parameter is called so.
const PARENTS: &str = "tree_parents";
const STATES: &str = "tree_states";
const TRANSITIONS: &str = "tree_transitions";
const EMISSIONS: &str = "tree_emissions";

/// Every site has a hidden state, the states form the tree of the largest mutual information between their sites, and each
/// emits its site's label.
///
/// A model with such a prior has the posterior logits `log P(x_i = · | evidence) + g_θ`, where `P` is the tree's exact posterior, in
/// place of evidence + log marginals: where the network says nothing, the model is the tree. Tables and number of states
/// are learned by expectation maximisation within a minute. Mixtures of products are the trees whose states never change from
/// site to site; mixtures of trees of that structure are among them too.
///
/// Source: Liu & Van den Broeck, Tractable Regularization of Probabilistic Circuits, 2021 (hidden Chow–Liu trees); as a prior of a
/// denoiser beyond the papers.
#[derive(Clone, Debug)]
pub(in crate::flow) struct TreePrior {
    tree: Arc<HiddenTree>,
}

impl TreePrior {
    /// Learns a tree; `rng` is left as it is.
    pub fn fit(train: &Dataset, log_marginals: &[f32], rng: &ChaCha8Rng) -> Self {
        let few = train.spread(MOST_ROWS.clamp(1, train.rows()));
        let mut rng = rng.clone();
        let mut order: Vec<usize> = (0..few.rows()).collect();
        order.shuffle(&mut rng);
        let held_out = match few.rows() {
            0..FEWEST_SPLIT => 0,
            rows => rows / 10,
        };
        let rows: Vec<&[u16]> = order.iter().map(|row| few.row(*row)).collect();
        let (validation, learned_from) = match held_out {
            0 => (&rows[..], &rows[..]),
            _ => rows.split_at(held_out),
        };
        let shape = Shape {
            parents: structure::parents(&few.select(&order[held_out..])),
            cardinalities: train.schema.cardinalities(),
            marginals: log_marginals
                .iter()
                .map(|log| f64::from(*log).exp())
                .collect(),
        };
        let of_states = |states| learn(&shape, states, [learned_from, validation], &mut rng);
        let mut best = best_of(states_to_try(train.sites(), few.rows()), of_states);
        for _ in 0..LAST_PASSES {
            best.step(&shape, &rows, 1.0, rows.len());
        }
        let tree = Arc::new(best.tree);
        Self { tree }
    }

    /// What a file keeps: the parent of every site, −1 for a root, the number of states, and the tables.
    pub fn stored(&self) -> Vec<(&'static str, Values)> {
        let tree = &self.tree;
        let (sites, states) = (tree.parents().len(), tree.states());
        let categories = tree.emissions().len() / (sites * states);
        let parents = tree.parents().iter();
        let parents = parents.map(|parent| parent.map_or(-1.0, |parent| parent as f32));
        let of = |shape: &[usize], values: Vec<f32>| Values {
            shape: shape.to_vec(),
            values,
        };
        let transitions = tree.transitions().to_vec();
        let emissions = tree.emissions().to_vec();
        vec![
            (PARENTS, of(&[sites], parents.collect())),
            (STATES, of(&[1], vec![states as f32])),
            (TRANSITIONS, of(&[sites, states, states], transitions)),
            (EMISSIONS, of(&[sites, categories, states], emissions)),
        ]
    }

    /// The prior of what a file keeps.
    ///
    /// # Errors
    /// Those of `take`, which finds the tensor of a name and a shape; [`LearningError::ParameterMismatch`] for parents that are
    /// no tree.
    pub fn of_stored(
        schema: &Schema,
        mut take: impl FnMut(&str, Vec<usize>) -> Result<Vec<f32>, LearningError>,
    ) -> Result<Self, LearningError> {
        let (sites, categories) = (schema.sites(), schema.max_categories());
        let states = take(STATES, vec![1])?[0] as usize;
        let parents = take(PARENTS, vec![sites])?.into_iter();
        let parents = parents.map(|parent| (parent >= 0.0).then_some(parent as usize));
        let transitions = take(TRANSITIONS, vec![sites, states, states])?;
        let emissions = take(EMISSIONS, vec![sites, categories, states])?;
        let cardinalities = schema.cardinalities();
        let parents = parents.collect();
        let tree = HiddenTree::new(parents, states, &cardinalities, transitions, emissions);
        let tree = tree.ok_or_else(|| LearningError::ParameterMismatch {
            name: PARENTS.into(),
            expected: vec![sites],
            found: None,
        })?;
        Ok(Self {
            tree: Arc::new(tree),
        })
    }

    /// Logits of the labels given the evidence of all sites: the tree's exact posterior.
    ///
    /// # Shapes
    /// `evidence [batch, sites, categories]`, masked → the same.
    pub fn beliefs(&self, evidence: Tensor<3>) -> Tensor<3> {
        tree_marginals(evidence, &self.tree)
    }
}

/// One state, which is independent sites, and twice as many as often as that is affordable.
fn states_to_try(sites: usize, rows: usize) -> impl Iterator<Item = usize> {
    let affordable = move |states: &usize| {
        *states <= 2 || sites.saturating_mul(rows).saturating_mul(states * states) <= MOST_PRODUCTS
    };
    let all = (0..).map(|doublings| 1 << doublings);
    all.take_while(move |states| *states <= MOST_STATES && affordable(states))
}

/// The first that its successor does not beat.
fn best_of(
    states: impl Iterator<Item = usize>,
    mut of_states: impl FnMut(usize) -> Learned,
) -> Learned {
    let mut best: Option<Learned> = None;
    for states in states {
        let found = of_states(states);
        match &best {
            Some(known) if known.nats >= found.nats => break,
            _ => best = Some(found),
        }
    }
    best.expect("one state is always affordable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::prior::Marginals;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    /// Rows of seven sites of two or three categories, in two clusters within which sites copy their left neighbours.
    fn rows(count: usize, seed: u64) -> Dataset {
        let mut rng = generator(seed, Purpose::Sample, 0);
        let cardinalities = [2, 3, 2, 3, 2, 3, 2_u16];
        let mut labels = Vec::new();
        for _ in 0..count {
            let cluster: u16 = rng.random_range(0..2);
            let mut last = cluster;
            for own in cardinalities {
                last = match rng.random_range(0..10) {
                    0..5 => last % own,
                    5..8 => cluster,
                    _ => rng.random_range(0..own),
                };
                labels.push(last);
            }
        }
        Dataset::new(Schema::integers(&[7], false, 3), labels).unwrap()
    }

    fn fit(train: &Dataset) -> TreePrior {
        let marginals = Marginals::of_rows(train);
        let rng = generator(0, Purpose::Initialise, 0);
        TreePrior::fit(train, marginals.logs(), &rng)
    }

    fn nats(tree: &HiddenTree, rows: &Dataset) -> f64 {
        let rows: Vec<&[u16]> = rows.iter().collect();
        -tree.log_likelihoods(&rows).iter().sum::<f64>() / rows.len() as f64
    }

    #[test]
    fn a_tree_reaches_the_entropy_of_clusters_of_chains() {
        let (train, test) = (rows(4000, 1), rows(4000, 2));
        let prior = fit(&train);
        // Laplace's estimate of the entropy, from many more rows than configurations.
        let many = rows(200_000, 3);
        let mut counts = std::collections::BTreeMap::new();
        many.iter()
            .for_each(|row| *counts.entry(row).or_insert(0.0) += 1.0);
        let (total, kinds) = (many.rows() as f64, counts.len() as f64);
        let entropy: f64 = counts
            .values()
            .map(|n: &f64| n / total * (total / n).ln())
            .sum();
        let entropy = entropy + (kinds - 1.0) / (2.0 * total);
        let found = nats(&prior.tree, &test);
        assert!(found < entropy + 0.02, "{found} for {entropy}");
        assert!(prior.tree.states() > 1);
    }

    #[test]
    fn noise_has_one_state_and_a_stored_tree_is_the_same() {
        let mut rng = generator(5, Purpose::Sample, 0);
        let labels = (0..6 * 500).map(|_| rng.random_range(0..2)).collect();
        let noise = Dataset::new(Schema::integers(&[6], false, 2), labels).unwrap();
        assert!(fit(&noise).tree.states() <= 2);
        let train = rows(300, 1);
        let prior = fit(&train);
        let mut stored: std::collections::BTreeMap<_, _> = prior.stored().into_iter().collect();
        let again = TreePrior::of_stored(&train.schema, |name, shape| {
            let values = stored.remove(name).unwrap();
            assert_eq!(values.shape, shape);
            Ok(values.values)
        });
        assert_eq!(*again.unwrap().tree, *prior.tree);
    }

    #[test]
    fn few_rows_are_enough_to_start() {
        for count in [1, 2, 19, 20] {
            let found = nats(&fit(&rows(count, 4)).tree, &rows(100, 5));
            assert!(found.is_finite(), "{count}: {found}");
        }
    }
}
