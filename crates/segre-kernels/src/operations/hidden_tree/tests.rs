//! Tests of trees of hidden states: forms agree, marginals and expectations are those of enumeration.

use super::{HiddenTree, Marginals, tree_marginals};
use crate::testing::{assert_forms_agree, input, numbers, values};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;

/// A tree with a root in the middle, whose sites have these categories.
fn tree(cardinalities: &[usize], states: usize) -> HiddenTree {
    let sites = cardinalities.len();
    let parents = (0..sites).map(|site| match site {
        0 => (sites > 1).then_some(1),
        1 => None,
        _ => Some(site / 2),
    });
    let categories = cardinalities.iter().copied().max().unwrap();
    let positive = |count: usize, seed: u64| -> Vec<f64> {
        let numbers = numbers(count, seed).into_iter();
        numbers.map(|x| f64::from(2.0 * x).exp()).collect()
    };
    let mut transitions = positive(sites * states * states, 1);
    for row in transitions.chunks_mut(states) {
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
    let mut emissions = positive(sites * categories * states, 2);
    for (site, own) in cardinalities.iter().enumerate() {
        for state in 0..states {
            let place = |label: usize| (site * categories + label) * states + state;
            let sum: f64 = (0..*own).map(|label| emissions[place(label)]).sum();
            (0..*own).for_each(|label| emissions[place(label)] /= sum);
        }
    }
    let narrow = |numbers: Vec<f64>| numbers.into_iter().map(|x| x as f32).collect();
    let (transitions, emissions) = (narrow(transitions), narrow(emissions));
    HiddenTree::new(
        parents.collect(),
        states,
        cardinalities,
        transitions,
        emissions,
    )
    .unwrap()
}

/// `P(labels, states)`.
fn probability(tree: &HiddenTree, labels: &[u16], hidden: &[usize]) -> f64 {
    let h = tree.states;
    let of_site = |site: usize| {
        let from = tree.parents[site].map_or(0, |parent| hidden[parent]);
        let moved = tree.transition(site)[from * h + hidden[site]];
        f64::from(moved)
            * f64::from(tree.emission(site)[usize::from(labels[site]) * h + hidden[site]])
    };
    (0..labels.len()).map(of_site).product()
}

/// All tuples of numbers below the bounds.
fn tuples(bounds: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    (0..bounds.iter().product::<usize>()).map(|mut index| {
        let digit = |bound: &usize| (index % bound, index /= bound).0;
        bounds.iter().map(digit).collect()
    })
}

#[test]
fn forms_agree() {
    for (cardinalities, states, batch) in [
        (vec![2; 5], 3, 3),
        (vec![2, 3, 2, 4], 2, 70),
        (vec![3; 9], 16, 37),
        (vec![2], 4, 5),
    ] {
        let tree = Arc::new(tree(&cardinalities, states));
        let shape = [batch, cardinalities.len(), tree.categories];
        // Some labels are all but certain, as known ones are.
        let local = input(shape, 1).with(2, |x, known| 4.0 * x + 60.0 * known.powi(9));
        assert_forms_agree(&Marginals { tree }, &[local], 2e-4);
    }
}

#[test]
fn marginals_are_those_of_enumeration_whatever_the_evidence() {
    let cardinalities = [2, 3, 2, 4];
    let tree = Arc::new(tree(&cardinalities, 3));
    let (sites, c) = (cardinalities.len(), 4);
    for (row, scale) in [0.0_f32, 1.0, 30.0, 100.0].into_iter().enumerate() {
        let mut local: Vec<f32> = numbers(sites * c, row as u64).into_iter().collect();
        for (place, x) in local.iter_mut().enumerate() {
            *x = match place % c < cardinalities[place / c] {
                true => *x * scale,
                false => -1e30,
            };
        }
        let mut sums = vec![0.0_f64; sites * c];
        for labels in tuples(&cardinalities) {
            let labels: Vec<u16> = labels.into_iter().map(|label| label as u16).collect();
            let seen = labels.iter().enumerate();
            let seen: f64 = seen
                .map(|(site, label)| f64::from(local[site * c + usize::from(*label)]))
                .sum();
            let p: f64 = tuples(&[3; 4])
                .map(|hidden| probability(&tree, &labels, &hidden))
                .sum();
            for (site, label) in labels.iter().enumerate() {
                // Far below what any site's evidence sums to.
                sums[site * c + usize::from(*label)] += p * (seen - 3.0 * f64::from(scale)).exp();
            }
        }
        let shape = [1, sites, c];
        let tensor = Tensor::<3>::from_data(TensorData::new(local, shape), &Device::flex());
        let found = values(tree_marginals(tensor, &tree));
        for (site, own) in cardinalities.iter().enumerate() {
            let sums = &sums[site * c..][..*own];
            let total: f64 = sums.iter().sum();
            for (label, sum) in sums.iter().enumerate() {
                let log = f64::from(found[site * c + label]);
                let expected = (sum / total).ln();
                assert!(
                    (log - expected).abs() < 1e-4 * (1.0 + expected.abs()),
                    "scale {scale}, site {site}, label {label}: {log}, {expected}"
                );
            }
            assert!(
                found[site * c + own..][..c - own]
                    .iter()
                    .all(|x| *x < -1e29)
            );
        }
    }
}

#[test]
fn expectations_are_those_of_enumeration() {
    let cardinalities = [2, 3, 2, 4];
    let (tree, h, c) = (tree(&cardinalities, 3), 3, 4);
    let rows: Vec<Vec<u16>> = tuples(&cardinalities)
        .map(|labels| labels.into_iter().map(|label| label as u16).collect())
        .collect();
    // More rows than lie side by side, and more than are counted in one part.
    let rows: Vec<&[u16]> = rows.iter().cycle().take(300).map(Vec::as_slice).collect();
    let (found, logs) = tree.expectations(&rows);
    assert_eq!(logs, tree.log_likelihoods(&rows));
    let mut transitions = vec![0.0_f64; tree.transitions.len()];
    let mut emissions = vec![0.0_f64; tree.emissions.len()];
    for (row, log) in rows.iter().zip(logs) {
        let joint: Vec<(Vec<usize>, f64)> = tuples(&[h; 4])
            .map(|hidden| (hidden.clone(), probability(&tree, row, &hidden)))
            .collect();
        let total: f64 = joint.iter().map(|(_, p)| p).sum();
        assert!((log - total.ln()).abs() < 1e-5, "{log} {}", total.ln());
        for (hidden, p) in joint {
            for site in 0..4 {
                let from = tree.parents[site].map_or(0, |parent| hidden[parent]);
                transitions[(site * h + from) * h + hidden[site]] += p / total;
                emissions[(site * c + usize::from(row[site])) * h + hidden[site]] += p / total;
            }
        }
    }
    let pairs = found.transitions.iter().zip(&transitions);
    for (found, expected) in pairs.chain(found.emissions.iter().zip(&emissions)) {
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }
}

#[test]
fn circles_are_no_trees() {
    let tables = || (vec![0.5; 8], vec![0.5; 8]);
    let of = |parents: [Option<usize>; 2]| {
        let (transitions, emissions) = tables();
        HiddenTree::new(parents.to_vec(), 2, &[2, 2], transitions, emissions)
    };
    assert!(of([None, Some(0)]).is_some());
    assert!(of([None, None]).is_some());
    assert!(of([Some(1), Some(0)]).is_none());
    assert!(of([None, Some(1)]).is_none());
    assert!(of([None, Some(2)]).is_none());
}
