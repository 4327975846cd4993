//! Samplers driven by exact posteriors reproduce the distribution.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::fmt::Debug;

use burn::tensor::{Tensor, TensorData};
use common::{
    Pmf, blank, dense, geodesic, infinite, linear, model_config, residual, shared_schema, untrained,
};
use segre::InvalidSetting;
use segre::data::Dataset;
use segre::flow::FlowError;
use segre::flow::channel::evidence;
use segre::flow::sampling::{LevelGrid, Sampler, Samples, SamplingOptions, sample, sample_with};
use segre::flow::{Denoiser, Head, Model};
use segre::geometry::AssignmentManifold;
use segre::path::{DiscretePath, ProbabilityPath, SimplexPath};
use segre::progress::{Control, Progress, Silent};

const SAMPLES: usize = 20_000;

fn with(sampler: Sampler, steps: usize) -> SamplingOptions {
    SamplingOptions {
        sampler: Some(sampler),
        steps: Some(steps),
        batch: 5000,
        seed: 11,
        ..SamplingOptions::default()
    }
}

/// Samples of the exact posterior along a path.
fn exact(pmf: &Pmf, path: impl Into<ProbabilityPath>, options: &SamplingOptions) -> Samples {
    let model = blank(path, &pmf.every_row());
    sample_with(&pmf.posterior(), &model, SAMPLES, options, &mut Silent).unwrap()
}

/// The divergence is within four deviations of a perfect sampler's, and a bit for finite steps.
fn assert_reproduced(
    pmf: &Pmf,
    path: &(impl Into<ProbabilityPath> + Clone + Debug),
    options: &SamplingOptions,
    discretisation: f64,
) -> Samples {
    let samples = exact(pmf, path.clone(), options);
    assert_eq!(samples.data.rows(), SAMPLES);
    let (kl, limit) = (pmf.divergence(&samples.data), pmf.divergence_limit(SAMPLES));
    println!(
        "{:?} {path:?} {:?}: KL {kl:.2e}, limit {limit:.2e} + {discretisation:.0e}, {} evaluations, entropy {:.4}",
        pmf.cardinalities, options.sampler, samples.function_evaluations, samples.mean_entropy
    );
    assert!(
        kl < limit + discretisation,
        "{:?} {path:?} {options:?}: {kl} above {limit} + {discretisation}",
        pmf.cardinalities
    );
    samples
}

const SIMPLEX: [SimplexPath; 3] = [
    SimplexPath::Linear,
    SimplexPath::Dirichlet,
    SimplexPath::GreatCircle,
];

fn targets() -> [Pmf; 2] {
    [Pmf::coupled(), Pmf::random(&[2, 3, 4], 1.0, 21)]
}

#[test]
fn stochastic_samplers_reproduce_the_distribution() {
    for pmf in targets() {
        for path in [infinite(), geodesic()] {
            for (sampler, steps, discretisation) in [
                (Sampler::Ancestral, 64, 1e-3),
                (Sampler::Localisation, 64, 1e-3),
                (Sampler::LocalisationHeun, 32, 1e-4),
            ] {
                let options = with(sampler, steps);
                let samples = assert_reproduced(&pmf, &path, &options, discretisation);
                assert_eq!(samples.function_evaluations, 65);
                assert!(samples.mean_entropy < 0.01, "{}", samples.mean_entropy);
            }
        }
    }
}

#[test]
fn paths_on_the_simplex_reproduce_the_distribution() {
    for pmf in targets() {
        for path in SIMPLEX {
            for (sampler, steps, discretisation) in
                [(Sampler::Ancestral, 64, 2e-3), (Sampler::Euler, 128, 2e-3)]
            {
                // A linear flow has no field where the supports part: its Euler steps land where no label leads.
                if (path, sampler) != (SimplexPath::Linear, Sampler::Euler) {
                    assert_reproduced(&pmf, &path, &with(sampler, steps), discretisation);
                }
            }
        }
    }
}

/// Labels drawn from the posterior advance the state exactly, so independent sites need few steps.
#[test]
fn ancestral_steps_on_the_simplex_are_exact_for_independent_sites() {
    let marginals = [
        vec![0.3, 0.7],
        vec![0.5, 0.1, 0.4],
        vec![0.1, 0.2, 0.3, 0.4],
    ];
    let pmf = Pmf::independent(&marginals);
    for path in SIMPLEX {
        for steps in [1, 3] {
            let samples = assert_reproduced(&pmf, &path, &with(Sampler::Ancestral, steps), 0.0);
            assert_eq!(samples.function_evaluations, steps + 1);
        }
    }
}

/// One site after the other is the chain rule: no error whatever the path, and one evaluation per site.
#[test]
fn the_sequential_sampler_is_exact_with_one_site_per_step() {
    for pmf in targets() {
        let sites = pmf.cardinalities.len();
        for path in [
            infinite().into(),
            ProbabilityPath::from(DiscretePath::Masked),
        ] {
            let samples = assert_reproduced(&pmf, &path, &with(Sampler::Sequential, sites), 0.0);
            assert_eq!(samples.function_evaluations, sites);
        }
        // All at once are independent sites.
        let samples = exact(&pmf, infinite(), &with(Sampler::Sequential, 1));
        assert!(pmf.divergence(&samples.data) > 0.05);
    }
}

#[test]
fn samplers_that_a_path_has_no_use_for_are_refused() {
    let pmf = Pmf::coupled();
    let model = blank(SimplexPath::Dirichlet, &pmf.every_row());
    for sampler in [Sampler::Rk4, Sampler::Localisation, Sampler::Sequential] {
        let refused = sample(&model, 10, &with(sampler, 4), &mut Silent).unwrap_err();
        assert!(
            refused.to_string().contains("ancestral or euler"),
            "{refused}"
        );
    }
    let model = blank(DiscretePath::Masked, &pmf.every_row());
    let refused = sample(&model, 10, &with(Sampler::Euler, 4), &mut Silent).unwrap_err();
    assert!(refused.to_string().contains("use sequential"), "{refused}");
}

#[test]
fn deterministic_samplers_reproduce_the_distribution() {
    for pmf in targets() {
        for path in [infinite(), geodesic()] {
            for (sampler, evaluations) in [
                (Sampler::Heun, 2 * 64),
                (Sampler::Rk4, 4 * 64),
                (Sampler::DormandPrince, 0),
            ] {
                let samples = assert_reproduced(&pmf, &path, &with(sampler, 64), 2e-4);
                if evaluations > 0 {
                    assert_eq!(samples.function_evaluations, evaluations);
                } else {
                    assert!((20..600).contains(&samples.function_evaluations));
                }
                // The e-geodesic shrinks the state with its noise, so its points are less decided.
                let limit = if path == infinite() { 0.03 } else { 0.4 };
                assert!(samples.mean_entropy < limit, "{}", samples.mean_entropy);
            }
        }
    }
}

#[test]
fn a_grid_in_log_snr_reproduces_the_distribution() {
    let options = |sampler, steps| SamplingOptions {
        grid: Some(LevelGrid::LogSnr),
        ..with(sampler, steps)
    };
    for path in [infinite(), geodesic()] {
        let pmf = Pmf::random(&[2, 3, 4], 1.0, 21);
        let samples = assert_reproduced(&pmf, &path, &options(Sampler::Rk4, 48), 2e-4);
        assert_eq!(samples.function_evaluations, 4 * 48);
        let samples = assert_reproduced(&pmf, &path, &options(Sampler::Ancestral, 96), 2e-3);
        assert_eq!(samples.function_evaluations, 97);
    }
}

/// Fewer steps are worse, more are better: the divergence of Euler's method falls with the step.
#[test]
fn discretisation_errors_shrink_with_the_step() {
    let pmf = Pmf::coupled();
    for sampler in [
        Sampler::Euler,
        Sampler::Localisation,
        Sampler::LocalisationHeun,
        Sampler::Ancestral,
    ] {
        let kl = |steps| {
            let samples = exact(&pmf, infinite(), &with(sampler, steps));
            if sampler == Sampler::Euler {
                assert_eq!(samples.function_evaluations, steps);
            }
            pmf.divergence(&samples.data)
        };
        let (coarse, fine) = (kl(2), kl(100));
        println!("{sampler:?}: {coarse:.2e} with 2 steps, {fine:.2e} with 100");
        assert!(
            coarse > 10.0 * fine && coarse > 1e-3,
            "{sampler:?}: {coarse}, {fine}"
        );
        assert!(
            fine < pmf.divergence_limit(SAMPLES) + 1e-3,
            "{sampler:?}: {fine}"
        );
    }
}

#[test]
fn one_ancestral_step_is_exact_for_independent_sites_only() {
    let independent = Pmf::independent(&[vec![0.9, 0.1], vec![0.2, 0.5, 0.3], vec![1.0]]);
    let samples = assert_reproduced(&independent, &infinite(), &with(Sampler::Ancestral, 1), 0.0);
    assert_eq!(samples.function_evaluations, 2);
    let coupled = Pmf::coupled();
    let samples = exact(&coupled, infinite(), &with(Sampler::Ancestral, 1));
    assert!(coupled.divergence(&samples.data) > 0.1);
}

/// A model without context is the product of its marginals, by the public entry point too.
#[test]
fn a_blank_model_samples_its_marginals() {
    let pmf = Pmf::random(&[2, 3, 4], 1.0, 21);
    let product = Pmf::independent(&pmf.marginals());
    for path in [infinite(), geodesic()] {
        let model = blank(path, &pmf.in_proportion(20_000));
        for options in [
            SamplingOptions {
                steps: Some(16),
                ..SamplingOptions::default()
            },
            with(Sampler::Rk4, 32),
            with(Sampler::Localisation, 64),
        ] {
            let samples = sample(&model, SAMPLES, &options, &mut Silent).unwrap();
            let kl = product.divergence(&samples.data);
            let limit = product.divergence_limit(SAMPLES) + 1e-3;
            assert!(kl < limit, "{options:?}: {kl} above {limit}");
            if options.sampler.is_none() {
                assert_eq!(samples.function_evaluations, 33, "Heun's by default");
            }
        }
    }
}

const ALL: [Sampler; 7] = [
    Sampler::Ancestral,
    Sampler::Localisation,
    Sampler::LocalisationHeun,
    Sampler::Euler,
    Sampler::Heun,
    Sampler::Rk4,
    Sampler::DormandPrince,
];

fn few(model: &Model, options: &SamplingOptions) -> Dataset {
    let samples = sample(model, 300, options, &mut Silent).unwrap();
    assert!((0.0..=1.0).contains(&samples.mean_entropy));
    // `Dataset::new` refuses illegal labels: these are legal.
    assert_eq!(samples.data.rows(), 300);
    assert_eq!(samples.data.schema, *model.schema());
    samples.data
}

#[test]
fn samples_depend_on_the_seed_and_on_nothing_else() {
    let train = Pmf::random(&[2, 3, 1, 5], 1.0, 2).draw(200, 3);
    for head in [Head::Posterior, Head::Field] {
        for path in [infinite(), geodesic()] {
            let model = untrained(model_config(head, path.clone(), dense()), &train);
            for sampler in ALL {
                // The one is refused; the other's drift alone decides with an untrained field.
                if head == Head::Field && sampler.is_stochastic() {
                    continue;
                }
                let options = with(sampler, 8);
                let first = few(&model, &options);
                let threads = |count| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
                    pool.unwrap().install(|| few(&model, &options))
                };
                assert_eq!(first, threads(1), "{head:?} {path:?} {sampler:?}");
                assert_eq!(first, threads(2), "{head:?} {path:?} {sampler:?}");
                let seed = SamplingOptions {
                    seed: 12,
                    ..options.clone()
                };
                assert_ne!(first, few(&model, &seed), "{head:?} {path:?} {sampler:?}");
                for batch in [7, 300, 301] {
                    few(
                        &model,
                        &SamplingOptions {
                            batch,
                            ..options.clone()
                        },
                    );
                }
            }
        }
    }
}

#[test]
fn a_batch_does_not_repeat_another() {
    let pmf = Pmf::random(&[5, 5, 5, 5], 0.1, 2);
    let model = blank(infinite(), &pmf.every_row());
    for sampler in [Sampler::Ancestral, Sampler::Rk4] {
        let options = SamplingOptions {
            batch: 100,
            ..with(sampler, 4)
        };
        let data = few(&model, &options);
        let batches: Vec<&[u16]> = data.labels().chunks(400).collect();
        assert_ne!(batches[0], batches[1]);
        assert_ne!(batches[1], batches[2]);
        assert_ne!(batches[0][..200], batches[0][200..]);
    }
}

#[test]
fn bad_requests_are_refused() {
    let train = Dataset::new(shared_schema(2, 3), vec![0, 1, 2, 2]).unwrap();
    let posterior = untrained(
        model_config(Head::Posterior, infinite(), residual()),
        &train,
    );
    let field = untrained(model_config(Head::Field, infinite(), linear()), &train);
    let refused = |model: &Model, count, options: &SamplingOptions| {
        sample(model, count, options, &mut Silent).unwrap_err()
    };
    let good = SamplingOptions::default();
    let log = SamplingOptions {
        grid: Some(LevelGrid::LogSnr),
        steps: Some(1),
        ..good.clone()
    };
    for (model, count, options, name) in [
        (&posterior, 0, good.clone(), "number of samples"),
        (&field, 0, good.clone(), "number of samples"),
        (
            &posterior,
            1,
            SamplingOptions {
                steps: Some(0),
                ..good.clone()
            },
            "steps",
        ),
        (
            &field,
            1,
            SamplingOptions {
                steps: Some(0),
                ..good.clone()
            },
            "steps",
        ),
        (
            &posterior,
            1,
            SamplingOptions {
                batch: 0,
                ..good.clone()
            },
            "batch",
        ),
        (&posterior, 1, log, "steps"),
    ] {
        let error = refused(model, count, &options);
        assert!(
            matches!(error, FlowError::Setting(InvalidSetting { name: found, .. }) if found == name),
            "{name}: {error}"
        );
    }
    let error = refused(&field, 1, &with(Sampler::Ancestral, 4));
    assert!(matches!(error, FlowError::SamplerNeedsPosterior), "{error}");
    let stopped = sample(&posterior, 3, &good, &mut |_: &Progress| Control::Stop);
    assert!(matches!(stopped, Err(FlowError::Interrupted(_))));
    // By default a field follows its velocity to the end of its path.
    let samples = sample(&field, 3, &good, &mut Silent).unwrap();
    assert_eq!(samples.function_evaluations, 4 * 32);
}

/// Three scenes, each a third of the time, whose many sites show label 0 with these probabilities.
struct Scenes(AssignmentManifold);

const SCENES: [f64; 3] = [0.9, 0.5, 0.1];
const SCENE_SITES: usize = 2000;

impl Denoiser for Scenes {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        self.posterior(evidence(&self.0, state, root_snr.clone()), root_snr)
    }

    fn posterior(&self, evidence: Tensor<3>, _: Tensor<2>) -> Tensor<3> {
        let (shape, device) = (evidence.dims(), evidence.device());
        let evidence: Vec<f32> = evidence.into_data().try_to_vec().unwrap();
        let mut means = Vec::with_capacity(evidence.len());
        for row in evidence.chunks(2 * SCENE_SITES) {
            let odds: Vec<f64> = row
                .chunks(2)
                .map(|site| f64::from(site[0] - site[1]).exp())
                .collect();
            let log = |p: f64| -> f64 { odds.iter().map(|x| (p * x + 1.0 - p).ln()).sum() };
            let logs = SCENES.map(log);
            let largest = logs.into_iter().fold(f64::MIN, f64::max);
            let masses = logs.map(|log| (log - largest).exp());
            let total: f64 = masses.iter().sum();
            for x in &odds {
                let seen = SCENES.map(|p| p * x / (p * x + 1.0 - p));
                let zero: f64 = masses.iter().zip(seen).map(|(mass, p)| mass * p).sum();
                means.extend([(zero / total) as f32, (1.0 - zero / total) as f32]);
            }
        }
        Tensor::from_data(TensorData::new(means, shape), &device)
    }
}

/// With levels uniform in `√γ` the first step takes all sites to their marginals, past the level that decides the scene:
/// then all samples are of the scene in the middle.
#[test]
fn images_are_of_all_scenes() {
    let rows = [vec![0; SCENE_SITES], vec![1; SCENE_SITES]].concat();
    let data = Dataset::new(shared_schema(SCENE_SITES, 2), rows).unwrap();
    let model = blank(infinite(), &data);
    let scenes = Scenes(model.manifold().clone());
    let counts = |sampler, grid| {
        let options = SamplingOptions {
            grid,
            ..with(sampler, 16)
        };
        let samples = sample_with(&scenes, &model, 300, &options, &mut Silent).unwrap();
        let mut counts = [0; SCENES.len()];
        for row in samples.data.iter() {
            let share = row.iter().filter(|label| **label == 0).count() as f64 / SCENE_SITES as f64;
            let scene = SCENES.iter().position(|p| (share - p).abs() < 0.06);
            counts[scene.unwrap_or_else(|| panic!("{sampler:?} {grid:?}: {share} of no scene"))] +=
                1;
        }
        counts
    };
    for sampler in [Sampler::LocalisationHeun, Sampler::Rk4] {
        let found = counts(sampler, None);
        assert!(found.iter().all(|n| (60..=140).contains(n)), "{found:?}");
        let uniform = counts(sampler, Some(LevelGrid::Uniform));
        assert!(uniform[1] > 280, "then the grid has no merit: {uniform:?}");
    }
}
