//! The sequential sampler: sites are drawn one after the other, each given those drawn before.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use segre_kernels::Place;

use super::stochastic::categorical;
use super::{Drawn, Source};
use crate::flow::known::{Conditionals, KnownLabels, conditionals};
use crate::geometry::AssignmentManifold;
use crate::random::row_generator;

/// Draws the unknown sites of every row in an order of its own, in `steps` groups: those of a group from their
/// marginals given all drawn before.
///
/// With one site in a group this is the chain rule `P(β) = Π_k p(β_{σ(k)} | β_{σ(1)}, …, β_{σ(k−1)})`, as in
/// masked diffusion; the states have levels 0 and ∞ only. The sites of a group are independent given those before, so
/// the probability of a row given its order is the product of what its labels were drawn with, whatever the groups.
///
/// Source: docs/mathematics.md §2.1.5; Uria et al. 2014 (orderless NADE), arXiv 1310.1757.
pub(super) fn sequential(
    source: &Source,
    steps: usize,
    members: Range<usize>,
    rng: ChaCha8Rng,
) -> Drawn {
    let (size, manifold) = (members.len(), &source.model.manifold);
    let sites = manifold.sites();
    let mut known = match source.given {
        Some(given) => KnownLabels::of(given, members),
        None => KnownLabels::nothing(size, sites),
    };
    let mut labels = vec![0_u16; size * sites];
    let mut rows: Vec<(ChaCha8Rng, Vec<usize>)> = (0..size)
        .map(|row| {
            let mut rng = row_generator(&rng, row);
            let unknown = |site: &usize| known.labels()[row * sites + site].is_none();
            let mut order: Vec<usize> = (0..sites).filter(unknown).collect();
            order.shuffle(&mut rng);
            (rng, order)
        })
        .collect();
    let mut entropy = 0.0;
    let mut log_probabilities = vec![0.0_f64; size];
    for step in 0..steps {
        let mut places = Vec::with_capacity(size);
        let firsts: Vec<usize> = (0..size)
            .map(|row| {
                let (first, order) = (places.len(), &rows[row].1);
                let columns = order[group(order.len(), step, steps)].iter();
                places.extend(columns.map(|column| Place {
                    row,
                    column: *column,
                }));
                first
            })
            .collect();
        let found = conditionals(source.denoiser, source.model, &known, &places);
        if step + 1 == steps {
            entropy = normalised_entropy(&found, &places, size, manifold);
        }
        known
            .labels_mut()
            .par_chunks_mut(sites)
            .zip(labels.par_chunks_mut(sites))
            .zip(rows.par_iter_mut())
            .zip(log_probabilities.par_iter_mut())
            .zip(&firsts)
            .for_each(|((((known, label), (rng, order)), log), first)| {
                let own = &order[group(order.len(), step, steps)];
                for (place, site) in own.iter().enumerate() {
                    let own = found.of(first + place);
                    let drawn = categorical(own, rng);
                    label[*site] = drawn as u16;
                    // Probabilities of 32 bits add up to 1 only nearly: what was drawn from is their share.
                    let total: f64 = own.iter().copied().map(f64::from).sum();
                    *log += (f64::from(own[drawn]) / total).ln();
                    known[*site] = Some(drawn as u16);
                }
            });
    }
    Drawn {
        labels,
        evaluations: steps,
        entropy,
        log_probabilities,
    }
}

/// The sites of a step, of so many in all.
fn group(sites: usize, step: usize, steps: usize) -> Range<usize> {
    sites * step / steps..sites * (step + 1) / steps
}

/// Mean over rows and sites of `H(W_i)/log c_i`, where only some places are open; sites with one category do not count.
fn normalised_entropy(
    found: &Conditionals,
    places: &[Place],
    rows: usize,
    manifold: &AssignmentManifold,
) -> f64 {
    let entropy = |(at, place): (usize, &Place)| match manifold.cardinalities()[place.column] {
        0 | 1 => 0.0,
        own => {
            let p = found.of(at).iter().map(|p| f64::from(*p));
            let terms = p.filter(|p| *p > 0.0).map(|p| -p * p.ln());
            terms.sum::<f64>() / (own as f64).ln()
        }
    };
    let sum: f64 = places.iter().enumerate().map(entropy).sum();
    let open = manifold.cardinalities().iter().filter(|own| **own > 1);
    sum / (rows * open.count()).max(1) as f64
}
