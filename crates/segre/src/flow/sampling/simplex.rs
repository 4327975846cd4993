//! Samplers of the paths on the simplex: from a uniform point towards the corners.

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::stochastic::categorical;
use super::{Drawn, Sampler, Source, largest, normalised_entropy};
use crate::flow::channel::SAMPLING_REST;
use crate::flow::head::Head;
use crate::learning::parameters::host_values;
use crate::path::SimplexPath;
use crate::random::row_generator;

/// Follows the path in equal steps of time.
///
/// Posterior head: until the evidence decides the labels, which are then drawn from the posterior.
/// [`Sampler::Ancestral`] draws labels from the posterior at every time and advances the states with them, which
/// is exact for independent sites; [`Sampler::Euler`] follows the mean velocity `Σ_j p_j u_t(x | j)`, the
/// published sampler. Field head: Euler to the path's end, where the largest coordinate is read off.
pub(super) fn along_simplex(
    source: &Source,
    path: SimplexPath,
    sampler: Sampler,
    steps: usize,
    size: usize,
    rng: ChaCha8Rng,
) -> Drawn {
    let manifold = &source.model.manifold;
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let cardinalities = manifold.cardinalities();
    let end = match source.head {
        Head::Posterior => path.decisive_time(categories, SAMPLING_REST),
        Head::Field => path.end_time(categories, SAMPLING_REST),
    };
    let mut rows: Vec<ChaCha8Rng> = (0..size).map(|row| row_generator(&rng, row)).collect();
    let mut states = vec![0.0_f32; size * sites * categories];
    states
        .par_chunks_mut(sites * categories)
        .zip(rows.par_iter_mut())
        .for_each(|(state, rng)| {
            for (own, state) in cardinalities.iter().zip(state.chunks_mut(categories)) {
                path.start(&mut state[..*own], rng);
            }
        });
    for step in 0..steps {
        let time = end * step as f64 / steps as f64;
        let next = end * (step + 1) as f64 / steps as f64;
        let found = answer(source, path, &states, time);
        let different = distinct(cardinalities);
        let velocities: Vec<_> = different
            .iter()
            .map(|c| path.velocities(time, *c))
            .collect();
        states
            .par_chunks_mut(sites * categories)
            .zip(found.par_chunks(sites * categories))
            .zip(rows.par_iter_mut())
            .for_each(|((states, found), rng)| {
                let mut velocity = vec![0.0_f32; categories];
                for (site, count) in cardinalities.iter().enumerate() {
                    let own = site * categories..site * categories + count;
                    let (state, found) = (&mut states[own.clone()], &found[own]);
                    let velocity = &mut velocity[..found.len()];
                    match (source.head, sampler) {
                        (Head::Posterior, Sampler::Ancestral) => {
                            path.advance(state, categorical(found, rng), time, next, rng);
                        }
                        (Head::Posterior, _) => {
                            let of = different.binary_search(count);
                            velocities[of.expect("it is among the distinct ones")]
                                .mean(state, found, velocity);
                            path.step(state, velocity, next - time);
                        }
                        (Head::Field, _) => path.step(state, found, next - time),
                    }
                }
            });
    }
    if source.head == Head::Field {
        let labels = labels(cardinalities, categories, &states, largest);
        let points: Vec<f32> = states.iter().map(|x| x.max(0.0)).collect();
        let entropy = normalised_entropy(&points, manifold);
        return Drawn {
            labels,
            evaluations: steps,
            entropy,
            log_probabilities: Vec::new(),
        };
    }
    let found = answer(source, path, &states, end);
    let entropy = normalised_entropy(&found, manifold);
    let labels = found
        .chunks(sites * categories)
        .zip(&mut rows)
        .flat_map(|(found, rng)| {
            labels(cardinalities, categories, found, |own| {
                categorical(own, rng)
            })
        })
        .collect();
    Drawn {
        labels,
        evaluations: steps + 1,
        entropy,
        log_probabilities: Vec::new(),
    }
}

/// One label of each site.
fn labels(
    cardinalities: &[usize],
    categories: usize,
    values: &[f32],
    mut choose: impl FnMut(&[f32]) -> usize,
) -> Vec<u16> {
    let places = values.chunks(categories).zip(cardinalities.iter().cycle());
    places
        .map(|(own, count)| choose(&own[..*count]) as u16)
        .collect()
}

/// The posterior (posterior head) or the velocity (field head) at states of one time, in host memory.
fn answer(source: &Source, path: SimplexPath, states: &[f32], time: f64) -> Vec<f32> {
    let model = source.model;
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let size = states.len() / (sites * categories);
    let level = path.level(time) as f32;
    let level = TensorData::new(vec![level; size * sites], [size, sites]);
    let level = Tensor::from_data(level, model.device());
    let tensor = |values: Vec<f32>| {
        Tensor::from_data(
            TensorData::new(values, [size, sites, categories]),
            model.device(),
        )
    };
    if source.head == Head::Field {
        return host_values(model.field_at_points(tensor(states.to_vec()), level));
    }
    let mut evidence = vec![0.0_f32; states.len()];
    let cardinalities = model.manifold.cardinalities();
    evidence
        .par_chunks_mut(categories)
        .zip(states.par_chunks(categories))
        .enumerate()
        .for_each(|(place, (evidence, state))| {
            let own = cardinalities[place % sites];
            path.evidence(&state[..own], time, &mut evidence[..own]);
        });
    host_values(source.denoiser.posterior(tensor(evidence), level))
}

/// The different cardinalities, ascending.
fn distinct(cardinalities: &[usize]) -> Vec<usize> {
    let mut distinct = cardinalities.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}
