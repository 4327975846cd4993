//! Laws of the paths on the simplex: local posteriors are calibrated, velocities move the states, late times and
//! thousands of categories stay finite.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segre::path::SimplexPath;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

const PATHS: [SimplexPath; 3] = [
    SimplexPath::Linear,
    SimplexPath::Dirichlet,
    SimplexPath::GreatCircle,
];

/// The posterior of a label that was uniform before: the normalised exponential of the evidence.
fn posterior(path: SimplexPath, state: &[f32], time: f64) -> Vec<f64> {
    let mut evidence = vec![0.0; state.len()];
    path.evidence(state, time, &mut evidence);
    let largest = evidence.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f64> = evidence
        .iter()
        .map(|e| f64::from(e - largest).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / total).collect()
}

/// For the true posterior `E p_β = E Σ_j p_j²` (both are the chance that a draw from it is right); an evidence
/// that is too bold or too shy breaks it.
#[test]
fn local_posteriors_are_calibrated() {
    let mut rng = rng(3);
    let draws = 40_000;
    for path in PATHS {
        for categories in [2, 3, 7, 40] {
            for share in [0.1, 0.4, 0.8] {
                let time = share * path.decisive_time(categories, 0.05);
                let mut state = vec![0.0; categories];
                let differences: Vec<f64> = (0..draws)
                    .map(|_| {
                        let label = rng.random_range(0..categories);
                        path.draw(&mut state, label, time, &mut rng);
                        let p = posterior(path, &state, time);
                        p[label] - p.iter().map(|p| p * p).sum::<f64>()
                    })
                    .collect();
                let mean = differences.iter().sum::<f64>() / f64::from(draws);
                let square = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>();
                let error = (square / f64::from(draws)).sqrt() / f64::from(draws).sqrt();
                assert!(
                    mean.abs() < 4.5 * error + 1e-9,
                    "{path:?}, {categories} categories, time {time}: {mean} ± {error}"
                );
            }
        }
    }
}

/// Evidence at a later time of an advanced state is calibrated too: the law of the state is that of the path.
#[test]
fn advanced_states_have_the_law_of_the_path() {
    let mut rng = rng(4);
    let draws = 40_000;
    for path in PATHS {
        for categories in [2, 5, 30] {
            let end = 0.7 * path.decisive_time(categories, 0.05);
            let mean_of_label = |advance: bool, rng: &mut ChaCha8Rng| {
                let mut state = vec![0.0; categories];
                let values: Vec<f64> = (0..draws)
                    .map(|_| {
                        if advance {
                            path.start(&mut state, rng);
                            path.advance(&mut state, 1, 0.0, 0.4 * end, rng);
                            path.advance(&mut state, 1, 0.4 * end, end, rng);
                        } else {
                            path.draw(&mut state, 1, end, rng);
                        }
                        f64::from(state[1])
                    })
                    .collect();
                let mean = values.iter().sum::<f64>() / f64::from(draws);
                let square =
                    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(draws);
                (mean, square.sqrt() / f64::from(draws).sqrt())
            };
            let (direct, error) = mean_of_label(false, &mut rng);
            let (advanced, other) = mean_of_label(true, &mut rng);
            assert!(
                (direct - advanced).abs() < 4.5 * error.hypot(other),
                "{path:?}, {categories} categories: {direct} and {advanced} ± {error}"
            );
        }
    }
}

/// A short step along the conditional velocity is the deterministic advance of linear and great-circle paths.
#[test]
fn velocities_are_the_derivatives_of_the_paths() {
    let mut rng = rng(5);
    for path in [SimplexPath::Linear, SimplexPath::GreatCircle] {
        for categories in [2, 4, 9] {
            let (time, duration) = (0.3, 1e-3);
            let mut state = vec![0.0; categories];
            path.draw(&mut state, 0, time, &mut rng);
            let mut velocity = vec![0.0; categories];
            path.target(&state, 0, time, &mut velocity);
            let mut stepped = state.clone();
            path.step(&mut stepped, &velocity, duration);
            let mut advanced = state.clone();
            path.advance(&mut advanced, 0, time, time + duration, &mut rng);
            for (a, b) in stepped.iter().zip(&advanced) {
                assert!(
                    (a - b).abs() < 5e-6,
                    "{path:?}: {stepped:?} and {advanced:?}"
                );
            }
        }
    }
}

/// The mean velocity of a posterior that is certain is the conditional one, also from the interpolated table.
#[test]
fn mean_velocities_of_certain_posteriors_are_conditional_ones() {
    let mut rng = rng(6);
    for path in PATHS {
        for categories in [2, 5, 91] {
            let time = 0.5 * path.decisive_time(categories, 0.05);
            let mut state = vec![0.0; categories];
            path.draw(&mut state, 1, time, &mut rng);
            let mut certain = vec![0.0; categories];
            certain[1] = 1.0;
            let (mut one, mut other) = (vec![0.0; categories], vec![0.0; categories]);
            path.target(&state, 1, time, &mut one);
            path.velocities(time, categories)
                .mean(&state, &certain, &mut other);
            for (a, b) in one.iter().zip(&other) {
                assert!(
                    (a - b).abs() < 1e-4 * (1.0 + a.abs()),
                    "{path:?}: {one:?} {other:?}"
                );
            }
        }
    }
}

#[test]
fn thousands_of_categories_and_late_times_stay_finite() {
    let mut rng = rng(7);
    for path in PATHS {
        for categories in [2, 160, 4096] {
            let decisive = path.decisive_time(categories, 1e-5);
            let end = path.end_time(categories, 1e-5);
            for time in [0.0, 1e-7, decisive, 0.999 * end] {
                let label = categories - 1;
                let mut state = vec![0.0; categories];
                path.draw(&mut state, label, time, &mut rng);
                let p = posterior(path, &state, time);
                assert!(p.iter().all(|p| p.is_finite()), "{path:?} at {time}");
                if time >= decisive {
                    assert!(
                        p[label] > 0.9,
                        "{path:?}, {categories}, {time}: {}",
                        p[label]
                    );
                }
                let posterior: Vec<f32> = p.iter().map(|p| *p as f32).collect();
                let mut velocity = vec![0.0; categories];
                path.velocities(time, categories)
                    .mean(&state, &posterior, &mut velocity);
                assert!(velocity.iter().all(|v| v.is_finite()), "{path:?} at {time}");
                path.target(&state, label, time, &mut velocity);
                assert!(velocity.iter().all(|v| v.is_finite()), "{path:?} at {time}");
            }
        }
    }
}
