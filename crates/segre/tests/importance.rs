//! The importance-sampled bound and the quadrature of the deterministic flow, against small known distributions.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{Pmf, Recorder, blank, device, geodesic, infinite, learner, learning_run};
use segre::InvalidSetting;
use segre::data::Dataset;
use segre::flow::FlowError;
use segre::flow::likelihood::importance::{
    Divergence, Form, ImportanceOptions, ProbeNoise, Region,
};
use segre::flow::likelihood::{Meaning, ScoreMethod, ScoreOptions, Scores, score, score_with};
use segre::flow::sampling::{Sampler, SamplingOptions, sample};
use segre::flow::training::Trainer;
use segre::flow::{Denoiser, Model, ModelConfig};
use segre::path::DiscretePath;
use segre::progress::Silent;

fn options(importance: ImportanceOptions) -> ScoreOptions {
    ScoreOptions {
        method: Some(ScoreMethod::Importance),
        importance,
        seed: 3,
        ..ScoreOptions::default()
    }
}

fn bound(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    importance: ImportanceOptions,
) -> Scores {
    score_with(denoiser, model, data, &options(importance), &mut Silent).unwrap()
}

/// The Ising model on a 3 × 3 grid, `P ∝ exp(0.4 Σ s_i s_j + 0.1 Σ s_i)`.
fn ising() -> Pmf {
    let weight = |index: usize| {
        let spin = |site: usize| {
            if index >> (8 - site) & 1 == 1 {
                1.0
            } else {
                -1.0
            }
        };
        let pairs = (0..9).flat_map(|site| {
            let right = (site % 3 < 2).then_some((site, site + 1));
            let below = (site < 6).then_some((site, site + 3));
            right.into_iter().chain(below)
        });
        let field: f64 = (0..9).map(spin).sum();
        (0.4 * pairs.map(|(i, j)| spin(i) * spin(j)).sum::<f64>() + 0.1 * field).exp()
    };
    Pmf::new(&[2; 9], (0..512).map(weight).collect())
}

/// Distributions, and every how many configurations one is scored.
fn cases() -> Vec<(Pmf, usize)> {
    let shapes: [&[usize]; 6] = [
        &[2, 2],
        &[5, 3],
        &[1, 4, 3],
        &[2, 2, 2, 2],
        &[5],
        &[3, 5, 2, 4],
    ];
    let random = shapes.iter().zip(0..).map(|(cardinalities, seed)| {
        let pmf = Pmf::random(cardinalities, 1.0, seed);
        let every = pmf.probabilities.len().div_ceil(16);
        (pmf, every)
    });
    random.chain([(ising(), 73)]).collect()
}

/// Under the true posterior the flow ends in the channel's own mixture, so with a proposal as wide as its noise all
/// weights are `P(β)`, and both forms are the exact value: no gap, and no error but that of integration.
#[test]
fn with_the_true_posterior_and_the_paths_noise_both_forms_are_exact() {
    for (path, form) in [(infinite(), Form::Jensen), (geodesic(), Form::LogMean)] {
        for (pmf, every) in cases() {
            let model = blank(path.clone(), &pmf.draw(300, 9));
            let kept: Vec<usize> = (0..pmf.probabilities.len()).step_by(every).collect();
            let importance = ImportanceOptions {
                samples: 3,
                form: Some(form),
                tolerance: 1e-5,
                ..ImportanceOptions::default()
            };
            let data = pmf.every_row().select(&kept);
            let found = bound(&pmf.posterior(), &model, &data, importance);
            assert_eq!(found.meaning, Meaning::UpperBound);
            let mut worst = 0.0_f64;
            for (row, index) in found.rows.iter().zip(&kept) {
                let off = row.value + pmf.probabilities[*index].ln();
                worst = worst.max(off.abs());
                assert!(
                    off.abs() < 5.0 * row.std_error + 0.004 && row.std_error < 0.02,
                    "{:?}, {form:?}: off by {off}, {row:?}",
                    pmf.cardinalities
                );
            }
            println!("{:?}, {form:?}: worst error {worst:.5}", pmf.cardinalities);
        }
    }
}

/// `KL(ρ ‖ ν/P)` of a site of two categories, for the proposal of deviation `σ` within `±r` and the channel's noise 1.
fn gap_of_a_bit(radius: f64, deviation: f64) -> f64 {
    let steps = 200_000;
    let step = 2.0 * radius / f64::from(steps);
    let places = (0..steps).map(|k| -radius + (f64::from(k) + 0.5) * step);
    let weight = |x: f64| (-0.5 * (x / deviation).powi(2)).exp();
    let total: f64 = places.clone().map(weight).sum::<f64>() * step;
    let log_normal = |x: f64| -0.5 * x * x - 0.5 * (2.0 * std::f64::consts::PI).ln();
    places
        .map(|x| {
            let own = weight(x) / total;
            own * (own.ln() - log_normal(x)) * step
        })
        .sum()
}

/// The published proposal is wider than the noise, and Jensen's inequality costs the divergence between them.
#[test]
fn the_published_mass_costs_its_stated_gap() {
    let pmf = Pmf::random(&[2, 2, 2], 1.0, 4);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let data = pmf.every_row();
    let found = |form| {
        let importance = ImportanceOptions {
            samples: 200,
            mass: Some(0.8),
            form: Some(form),
            ..ImportanceOptions::default()
        };
        bound(&pmf.posterior(), &model, &data, importance)
    };
    let (jensen, log_mean) = (found(Form::Jensen), found(Form::LogMean));
    // For two categories the ball's radius is the centre's length; 0.8^(1/3) lies within ±1.8011 deviations.
    let radius = model.end_root_snr();
    let gap = 3.0 * gap_of_a_bit(radius, radius / 1.801_131);
    assert!(gap > 1.0, "{gap}");
    let entropy = -pmf.probabilities.iter().map(|p| p.ln()).sum::<f64>() / 8.0;
    for (found, expected) in [
        (jensen.mean_nats, entropy + gap),
        (log_mean.mean_nats, entropy),
    ] {
        println!("{found:?} for {expected:.4}, gap {gap:.4}");
        assert!(
            (found.value - expected).abs() < 5.0 * found.std_error + 0.01,
            "{found:?}"
        );
    }
    for ((a, b), p) in jensen
        .rows
        .iter()
        .zip(&log_mean.rows)
        .zip(&pmf.probabilities)
    {
        assert!(
            (a.value + p.ln() - gap).abs() < 5.0 * a.std_error + 0.01,
            "{a:?}, {gap}"
        );
        assert!((b.value + p.ln()).abs() < 5.0 * b.std_error + 0.01, "{b:?}");
    }
}

/// Rounded by the cone it is the same; without rounding, states near other labels lend some of their mass.
#[test]
fn the_cone_and_the_unrounded_model_have_their_own_values() {
    let pmf = Pmf::random(&[2, 2], 1.5, 5);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let data = pmf.every_row();
    let found = |region| {
        let importance = ImportanceOptions {
            samples: 400,
            region,
            form: Some(Form::LogMean),
            mass: (region == Region::Unrounded).then_some(0.3),
            ..ImportanceOptions::default()
        };
        bound(&pmf.posterior(), &model, &data, importance)
    };
    for (row, p) in found(Region::Cone).rows.iter().zip(&pmf.probabilities) {
        assert!(
            (row.value + p.ln()).abs() < 5.0 * row.std_error + 0.005,
            "{row:?} for {p}"
        );
    }
    // What a state `±m + z` gives to the label 1 is the logistic function of √2 times it.
    let level = model.end_root_snr();
    let kept: f64 = (-800..=800)
        .map(|k| {
            let z = f64::from(k) / 100.0;
            let normal = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() / 100.0;
            normal / (1.0 + (-(level + z) * 2_f64.sqrt()).exp())
        })
        .sum();
    for (index, row) in found(Region::Unrounded).rows.iter().enumerate() {
        let all = pmf.probabilities.iter().enumerate();
        let exact: f64 = all
            .map(|(other, p)| {
                let differ = (index ^ other).count_ones() as i32;
                p * kept.powi(2 - differ) * (1.0 - kept).powi(differ)
            })
            .sum();
        let off = row.value + exact.ln();
        assert!(
            off.abs() < 5.0 * row.std_error + 0.005,
            "{row:?}, off by {off}"
        );
    }
}

/// Hutchinson's estimate has no bias in Jensen's form, whatever the vectors, and more of them leave less variance.
#[test]
fn an_estimated_divergence_leaves_the_mean_of_logarithms_as_it_is() {
    let pmf = Pmf::random(&[3, 2, 4], 1.0, 6);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let data = pmf.every_row();
    let mut errors = Vec::new();
    for (noise, probes) in [
        (ProbeNoise::Gaussian, 1),
        (ProbeNoise::Gaussian, 4),
        (ProbeNoise::Rademacher, 1),
    ] {
        let importance = ImportanceOptions {
            samples: 200,
            divergence: Some(Divergence::Hutchinson { probes, noise }),
            ..ImportanceOptions::default()
        };
        let found = bound(&pmf.posterior(), &model, &data, importance);
        assert_eq!(found.meaning, Meaning::UpperBound);
        let mean = found.mean_nats;
        let exact = -pmf.probabilities.iter().map(|p| p.ln()).sum::<f64>() / 24.0;
        assert!(
            (mean.value - exact).abs() < 5.0 * mean.std_error + 0.004,
            "{mean:?}, {exact}"
        );
        errors.push(mean.std_error);
    }
    println!("standard errors {errors:?}");
    assert!(
        errors[1] < 0.7 * errors[0] && errors[2] < 0.7 * errors[0],
        "{errors:?}"
    );
}

/// A learned model is not the posterior of anything; quadrature says what its flow draws, and all bounds are below.
#[test]
fn bounds_lie_below_the_exact_likelihood_of_a_learned_model() {
    let pmf = Pmf::random(&[2, 2], 1.2, 4);
    let train = pmf.in_proportion(1000);
    let config = ModelConfig {
        network: learner(),
        ..ModelConfig::default()
    };
    let mut run = learning_run();
    run.budget.steps = Some(150);
    let mut trainer = Trainer::new(config, run, &train, &device()).unwrap();
    trainer
        .run(&train, &train, &mut Recorder::default())
        .unwrap();
    let model = trainer.best_model().unwrap();
    let data = pmf.every_row();
    let exact = ScoreOptions {
        method: Some(ScoreMethod::Exact),
        ..ScoreOptions::default()
    };
    let exact = score(&model, &data, &exact, &mut Silent).unwrap();
    assert_eq!(exact.meaning, Meaning::Exact);
    let total: f64 = exact.rows.iter().map(|row| (-row.value).exp()).sum();
    assert!(
        (total - 1.0).abs() < 2e-3,
        "the probabilities sum to {total}"
    );
    // They are what the sampler draws.
    let drawn = 10_000;
    let sampling = SamplingOptions {
        sampler: Some(Sampler::DormandPrince),
        seed: 8,
        ..SamplingOptions::default()
    };
    let samples = sample(&model, drawn, &sampling, &mut Silent).unwrap().data;
    for (index, row) in exact.rows.iter().enumerate() {
        let p = (-row.value).exp();
        let count = samples.iter().filter(|own| pmf.index(own) == index).count();
        let off = count as f64 / drawn as f64 - p;
        let error = (p * (1.0 - p) / drawn as f64).sqrt();
        assert!(off.abs() < 5.0 * error + 1e-3, "{index}: {p}, off by {off}");
    }
    for (mass, region, form) in [
        (None, Region::Ball, Form::Jensen),
        (None, Region::Ball, Form::LogMean),
        (None, Region::Cone, Form::LogMean),
        (Some(0.8), Region::Ball, Form::Jensen),
        (Some(0.8), Region::Ball, Form::LogMean),
    ] {
        let importance = ImportanceOptions {
            samples: 200,
            mass,
            region,
            form: Some(form),
            ..ImportanceOptions::default()
        };
        let found = score(&model, &data, &options(importance), &mut Silent).unwrap();
        let gap = found.mean_nats.value - exact.mean_nats.value;
        println!("{mass:?} {region:?} {form:?}: above the exact score by {gap:.4}");
        for (row, exact) in found.rows.iter().zip(&exact.rows) {
            let above = row.value - exact.value;
            assert!(
                above > -5.0 * row.std_error - 0.005,
                "{region:?} {form:?}: {row:?}, {exact:?}"
            );
            let tight = form == Form::LogMean;
            assert!(
                !tight || above < 5.0 * row.std_error + 0.02,
                "{region:?}: {row:?}, {exact:?}"
            );
        }
    }
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let pmf = Pmf::random(&[3, 3], 1.0, 2);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let data = pmf.every_row();
    let refused = |options: &ScoreOptions| score(&model, &data, options, &mut Silent).unwrap_err();
    let default = ImportanceOptions::default;
    let with = |importance| options(importance);
    for mass in [0.0, 1.0, -0.2, f64::NAN] {
        let found = refused(&with(ImportanceOptions {
            mass: Some(mass),
            ..default()
        }));
        assert!(
            matches!(
                found,
                FlowError::Setting(InvalidSetting {
                    name: "ball mass",
                    ..
                })
            ),
            "{found}"
        );
    }
    let found = refused(&with(ImportanceOptions {
        samples: 1,
        ..default()
    }));
    assert!(matches!(
        found,
        FlowError::Setting(InvalidSetting {
            name: "importance samples",
            ..
        })
    ));
    let found = refused(&with(ImportanceOptions {
        tolerance: 0.0,
        ..default()
    }));
    assert!(matches!(
        found,
        FlowError::Setting(InvalidSetting {
            name: "tolerance",
            ..
        })
    ));
    let found = refused(&with(ImportanceOptions {
        region: Region::Cone,
        form: Some(Form::Jensen),
        ..default()
    }));
    assert!(matches!(found, FlowError::ConeHasNoJensenForm));
    let given = ScoreOptions {
        given: vec![0],
        ..with(default())
    };
    assert!(matches!(refused(&given), FlowError::FlowIsNotConditional));
    let exact = ScoreOptions {
        method: Some(ScoreMethod::Exact),
        ..with(default())
    };
    let found = refused(&exact);
    assert!(
        matches!(found, FlowError::TooManyDimensions { found: 4, most: 3 }),
        "{found}"
    );
    let masked = blank(DiscretePath::Masked, &pmf.draw(300, 9));
    let found = score(&masked, &data, &with(default()), &mut Silent).unwrap_err();
    assert!(
        matches!(found, FlowError::NeedsGaussianPath { .. }),
        "{found}"
    );
}
