//! Stochastic samplers: the channel is followed level by level, labels are drawn at the end.

use std::ops::Range;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::{Drawn, Sampler, Source, largest, normalised_entropy};
use crate::flow::channel::{KnownSites, direction_scales};
use crate::flow::head::Head;
use crate::random::row_generator;

/// Follows the channel `y_γ = γ v̄ + B_γ` level by level.
///
/// Source: docs/mathematics.md §2.1.4.
pub(super) fn stochastic(
    source: &Source,
    sampler: Sampler,
    levels: &[f64],
    members: Range<usize>,
    rng: ChaCha8Rng,
) -> Drawn {
    let size = members.len();
    let model = source.model;
    // Levels are those that the model was trained at, whatever the denoiser.
    let head = model.config.head;
    let manifold = &model.manifold;
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let mut rows: Vec<ChaCha8Rng> = (0..size).map(|row| row_generator(&rng, row)).collect();
    let scales = direction_scales(manifold);
    // y up to a constant per site, [batch, sites, categories].
    let mut walk = vec![0.0_f32; size * sites * categories];
    let mut current = head.levels_at(model, 0.0);
    let mut evaluations = 0;
    for next in levels {
        evaluations += 1;
        let mean = posterior_of_walk(source, &walk, &current, &members);
        let next = head.levels_at(model, *next);
        walk.par_chunks_mut(sites * categories)
            .zip(mean.par_chunks(sites * categories))
            .zip(rows.par_iter_mut())
            .for_each(|((walk, mean), rng)| {
                for site in 0..sites {
                    let own = site * categories..site * categories + manifold.cardinalities()[site];
                    let (walk, mean) = (&mut walk[own.clone()], &mean[own]);
                    let growth = (next[site].powi(2) - current[site].powi(2)) as f32;
                    if sampler == Sampler::Ancestral {
                        walk[categorical(mean, rng)] += scales[site] * growth;
                    } else {
                        for (y, p) in walk.iter_mut().zip(mean) {
                            *y += scales[site] * growth * p;
                        }
                    }
                    let deviation = growth.sqrt();
                    for y in walk {
                        let z: f32 = StandardNormal.sample(rng);
                        *y += deviation * z;
                    }
                }
            });
        if sampler == Sampler::LocalisationHeun {
            let corrected = posterior_of_walk(source, &walk, &next, &members);
            evaluations += 1;
            walk.par_chunks_mut(sites * categories)
                .zip(mean.par_chunks(sites * categories))
                .zip(corrected.par_chunks(sites * categories))
                .for_each(|((walk, mean), corrected)| {
                    for site in 0..sites {
                        let own =
                            site * categories..site * categories + manifold.cardinalities()[site];
                        let growth = (next[site].powi(2) - current[site].powi(2)) as f32;
                        let gain = 0.5 * scales[site] * growth;
                        for k in own {
                            walk[k] += gain * (corrected[k] - mean[k]);
                        }
                    }
                });
        }
        current = next;
    }
    let mean = posterior_of_walk(source, &walk, &current, &members);
    let entropy = normalised_entropy(&mean, manifold);
    let labels: Vec<u16> = mean
        .par_chunks(sites * categories)
        .zip(rows.par_iter_mut())
        .flat_map_iter(|(mean, rng)| {
            (0..sites).map(move |site| {
                let from = site * categories;
                let own = &mean[from..from + manifold.cardinalities()[site]];
                let label = match source.head {
                    Head::Posterior => categorical(own, rng),
                    Head::Field => largest(own),
                };
                label as u16
            })
        })
        .collect();
    Drawn {
        labels,
        evaluations: evaluations + 1,
        entropy,
        log_probabilities: Vec::new(),
    }
}

/// The posterior means at `y = √γ x` of some samples, in host memory.
fn posterior_of_walk(
    source: &Source,
    walk: &[f32],
    levels: &[f64],
    members: &Range<usize>,
) -> Vec<f32> {
    let model = source.model;
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let size = members.len();
    let mut states = walk.to_vec();
    states
        .par_chunks_mut(sites * categories)
        .flat_map_iter(|own| own.chunks_mut(categories).zip(levels))
        .for_each(|(state, level)| {
            // At level 0 there is no evidence, whatever the state.
            let inverse = if *level > 0.0 {
                level.recip() as f32
            } else {
                0.0
            };
            state.iter_mut().for_each(|y| *y *= inverse);
        });
    let levels: Vec<f32> = levels.iter().map(|level| *level as f32).collect();
    let mut root_snr = levels.repeat(size);
    let known = KnownSites::new(&model.manifold);
    if let Some(given) = source.given {
        let row = |k: usize| members.start + k;
        known.show_rows(given, row, &mut states, &mut root_snr);
    }
    known.posterior(source.denoiser, model.device(), states, root_snr)
}

/// A category drawn with the given probabilities.
pub(super) fn categorical(probabilities: &[f32], rng: &mut ChaCha8Rng) -> usize {
    let total: f32 = probabilities.iter().sum();
    let mut rest = rng.random::<f32>() * total;
    for (label, probability) in probabilities.iter().enumerate() {
        rest -= probability;
        if rest < 0.0 {
            return label;
        }
    }
    // Rounding ate the rest: the last category that can occur.
    probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn categories_are_drawn_with_their_probabilities() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut counts = [0_u32; 4];
        for _ in 0..40_000 {
            counts[categorical(&[0.5, 0.0, 0.2, 0.3], &mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, p) in counts.iter().zip([0.5, 0.0, 0.2, 0.3]) {
            assert!((f64::from(*count) / 40_000.0 - p).abs() < 0.01);
        }
    }
}
