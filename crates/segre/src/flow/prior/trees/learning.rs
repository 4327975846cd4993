//! Learning the tables of a tree of hidden states: expectation maximisation in steps of some rows.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segre_kernels::{Expectations, HiddenTree};

/// Steps of a pass over the rows, if there are rows enough for them, and the fewest rows of a step.
const STEPS: usize = 60;
const FEWEST_ROWS: usize = 100;
/// A step's weight is `(t + 2)^−0.4`: the sums of the `t` steps before are forgotten as fast as they get old. With an exponent of
/// 0.6 plants is after 20 passes where it is now after 10.
const FORGETTING: f64 = 0.4;
/// Passes without a better validation after which learning ends, and the most there are.
const PATIENCE: usize = 3;
const MOST_PASSES: usize = 20;
/// Rows of the marginals, or of even transitions, that are added to what every state has counted: between 0.01 and 0.5 nothing
/// changes, 5 is too much for baudio.
const SMOOTHING: f64 = 0.1;
/// Share of the states that are the parent's at the start. The more, the better: a tree that starts as a mixture of products finds
/// what the sites have in common, and forgets that states are the same where they are not (plants, 8 states: none 14.6 nats a
/// row, a half 14.0, this 13.2).
const KEPT: f64 = 0.98;
/// Half of the range of the logarithms by which states emit other labels at the start.
const UNLIKE: f64 = 2.0;

/// The shape of a tree, and what its labels look like.
pub(super) struct Shape {
    pub parents: Vec<Option<usize>>,
    pub cardinalities: Vec<usize>,
    /// Of the labels, `[sites, categories]`.
    pub marginals: Vec<f64>,
}

/// A tree that has learned something.
#[derive(Clone)]
pub(super) struct Learned {
    pub tree: HiddenTree,
    /// Expectations of one row.
    counts: Expectations,
    /// The mean of `ln P` of the validation rows, nats.
    pub nats: f64,
    passes: usize,
}

/// A tree of so many states, after the pass with the best validation.
///
/// Source: stepwise expectation maximisation, Cappé & Moulines 2009 (arXiv 0712.4273), equation (14); trees of hidden states
/// along the Chow–Liu tree, Liu & Van den Broeck 2021.
pub(super) fn learn(
    shape: &Shape,
    states: usize,
    [train, validation]: [&[&[u16]]; 2],
    rng: &mut ChaCha8Rng,
) -> Learned {
    let counts = shape.start(states, rng);
    let tree = shape.maximise(states, train.len(), &counts);
    let mut own = Learned {
        tree,
        counts,
        nats: f64::NEG_INFINITY,
        passes: 0,
    };
    let mut best = own.clone();
    let mut order: Vec<usize> = (0..train.len()).collect();
    let size = train.len().div_ceil(STEPS).max(FEWEST_ROWS);
    let mut step = 0;
    for passes in 1..=MOST_PASSES {
        order.shuffle(rng);
        for members in order.chunks(size) {
            let members: Vec<&[u16]> = members.iter().map(|row| train[*row]).collect();
            step += 1;
            own.step(
                shape,
                &members,
                f64::from(step + 2).powf(-FORGETTING),
                train.len(),
            );
        }
        own.nats = mean(&own.tree.log_likelihoods(validation));
        own.passes = passes;
        if own.nats > best.nats {
            best = own.clone();
        } else if passes - best.passes >= PATIENCE {
            break;
        }
    }
    best
}

impl Learned {
    /// A step on some rows: what they used gets a weight, what was counted before keeps the rest.
    pub fn step(&mut self, shape: &Shape, members: &[&[u16]], weight: f64, rows: usize) {
        let (found, _) = self.tree.expectations(members);
        let scale = weight / members.len() as f64;
        mix(
            &mut self.counts.transitions,
            &found.transitions,
            weight,
            scale,
        );
        mix(&mut self.counts.emissions, &found.emissions, weight, scale);
        self.tree = shape.maximise(self.tree.states(), rows, &self.counts);
    }
}

fn mix(sums: &mut [f64], found: &[f64], weight: f64, scale: f64) {
    for (sum, found) in sums.iter_mut().zip(found) {
        *sum = (1.0 - weight) * *sum + scale * found;
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Shape {
    fn categories(&self) -> usize {
        self.marginals.len() / self.parents.len()
    }

    /// Random sums, of one row.
    fn start(&self, states: usize, rng: &mut ChaCha8Rng) -> Expectations {
        let even = 1.0 / states as f64;
        let transitions = (0..self.parents.len() * states * states).map(|place| {
            let kept = match place / states % states == place % states {
                true => KEPT,
                false => 0.0,
            };
            even * (kept + (1.0 - KEPT) * even * rng.random_range(0.5..1.5))
        });
        let transitions = transitions.collect();
        let mut emissions = Vec::with_capacity(self.marginals.len() * states);
        for p in &self.marginals {
            let own = (0..states).map(|_| even * p * rng.random_range(-UNLIKE..UNLIKE).exp());
            emissions.extend(own);
        }
        Expectations {
            transitions,
            emissions,
        }
    }

    /// The tables of largest likelihood of such expectations of one of so many rows, and the smoothing.
    fn maximise(&self, states: usize, rows: usize, counts: &Expectations) -> HiddenTree {
        let categories = self.categories();
        let added = SMOOTHING / rows as f64;
        let even = added / states as f64;
        let transitions = counts.transitions.chunks(states).flat_map(|row| {
            let total = row.iter().sum::<f64>() + added;
            row.iter().map(move |count| ((count + even) / total) as f32)
        });
        let mut emissions = vec![0.0_f32; counts.emissions.len()];
        let of_site = categories * states;
        let tables = counts.emissions.chunks(of_site);
        let tables = tables.zip(emissions.chunks_mut(of_site));
        for ((counts, table), marginals) in tables.zip(self.marginals.chunks(categories)) {
            for state in 0..states {
                let places = || (0..categories).map(|label| label * states + state);
                let total = places().map(|place| counts[place]).sum::<f64>() + added;
                for (place, p) in places().zip(marginals) {
                    table[place] = ((counts[place] + added * p) / total) as f32;
                }
            }
        }
        let (parents, transitions) = (self.parents.clone(), transitions.collect());
        HiddenTree::new(parents, states, &self.cardinalities, transitions, emissions)
            .expect("parents in a tree have no circles")
    }
}
