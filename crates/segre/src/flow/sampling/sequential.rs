//! The sequential sampler: sites are drawn one after the other, each given those drawn before.

use std::ops::Range;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::stochastic::categorical;
use super::{Drawn, Source, normalised_entropy};
use crate::flow::channel::KnownSites;
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
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let known = KnownSites::new(manifold);
    let (mut states, mut levels) = known.nothing(size);
    let mut labels = vec![0_u16; size * sites];
    if let Some(given) = source.given {
        let row = |k: usize| members.start + k;
        known.show_rows(given, row, &mut states, &mut levels);
    }
    let mut rows: Vec<(ChaCha8Rng, Vec<usize>)> = (0..size)
        .map(|row| {
            let mut rng = row_generator(&rng, row);
            let unknown = |site: &usize| levels[row * sites + site] == 0.0;
            let mut order: Vec<usize> = (0..sites).filter(unknown).collect();
            order.shuffle(&mut rng);
            (rng, order)
        })
        .collect();
    let mut entropy = 0.0;
    let mut log_probabilities = vec![0.0_f64; size];
    for step in 0..steps {
        let mean = known.posterior(
            source.denoiser,
            source.model.device(),
            states.clone(),
            levels.clone(),
        );
        if step + 1 == steps {
            entropy = normalised_entropy(&mean, manifold);
        }
        states
            .par_chunks_mut(sites * categories)
            .zip(levels.par_chunks_mut(sites))
            .zip(labels.par_chunks_mut(sites))
            .zip(mean.par_chunks(sites * categories))
            .zip(rows.par_iter_mut())
            .zip(log_probabilities.par_iter_mut())
            .for_each(|(((((state, level), label), mean), (rng, order)), log)| {
                let group = order.len() * step / steps..order.len() * (step + 1) / steps;
                for site in &order[group] {
                    let from = site * categories;
                    let own = &mean[from..from + manifold.cardinalities()[*site]];
                    let drawn = categorical(own, rng);
                    label[*site] = drawn as u16;
                    // Probabilities of 32 bits add up to 1 only nearly: what was drawn from is their share.
                    let total: f64 = own.iter().copied().map(f64::from).sum();
                    *log += (f64::from(own[drawn]) / total).ln();
                    known.show(
                        &mut state[from..from + categories],
                        &mut level[*site],
                        *site,
                        drawn,
                    );
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
