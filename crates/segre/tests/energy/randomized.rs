//! Randomised assignment flows learn small models, whatever the objective and the number of threads.

use segre::data::Dataset;
use segre::energy::exact::ExactPlan;
use segre::energy::{ChainSampleOptions, EnergyModel, Factor, GridModel, chain_samples, exact};
use segre::learning::Budget;
use segre::progress::Silent;
use segre::randomized::{
    Comparison, Coupling, EntropyGradient, Objective, Parametrisation, RandomizedConfig,
    RandomizedFlow, Target, Trainer, TrainingConfig, schema_of,
};

/// Four spins that agree, with a field: two modes of different weight.
fn grid() -> (EnergyModel, GridModel) {
    let grid = GridModel::parse("ising:2x2,coupling=1.5,field=0.2")
        .unwrap()
        .unwrap();
    (grid.build(), grid)
}

fn training(steps: u64, objective: Objective) -> TrainingConfig {
    TrainingConfig {
        budget: Budget {
            steps: Some(steps),
            seconds: None,
        },
        objective,
        draws: 256,
        batch_size: 256,
        ..TrainingConfig::default()
    }
}

fn exact_samples(model: &EnergyModel, grid: &GridModel, count: usize, seed: u64) -> Dataset {
    let labels = ExactPlan::new(model)
        .unwrap()
        .sample_labels(count, seed, &mut Silent)
        .unwrap();
    Dataset::new(schema_of(model, Some(grid)).unwrap(), labels).unwrap()
}

fn fit(model: RandomizedConfig, steps: u64, objective: Objective) -> RandomizedFlow {
    let (energy, grid) = grid();
    let samples = exact_samples(&energy, &grid, 50_000, 0);
    let schema = samples.schema.clone();
    let config = training(steps, objective);
    let mut trainer = Trainer::new(model, config, schema, Some(&energy)).unwrap();
    let target = Target {
        samples: Some(&samples),
        energy: Some(&energy),
    };
    trainer.run(target, &mut |_| Ok(()), &mut Silent).unwrap();
    trainer.averaged_model()
}

fn divergence(model: &RandomizedFlow) -> f64 {
    let (energy, _) = grid();
    let truth = exact::enumerate(&energy).unwrap();
    let samples = model.sample(50_000, 9, &mut Silent).unwrap();
    Comparison::of(&samples, &energy, truth.log_z, &truth.marginals)
        .kl
        .unwrap()
}

#[test]
fn every_objective_learns_both_modes_of_a_small_grid() {
    let (energy, grid) = grid();
    let schema = schema_of(&energy, Some(&grid)).unwrap();
    let improved = RandomizedConfig::improved(&schema);
    let reverse = Objective::Reverse {
        entropy: EntropyGradient::LogDerivative,
    };
    let untrained = RandomizedFlow::new(improved.clone(), schema, Some(&energy), 0).unwrap();
    assert!(divergence(&untrained) > 0.3, "{}", divergence(&untrained));
    for (objective, most) in [
        (Objective::Forward, 0.01),
        (Objective::Both, 0.02),
        (reverse, 0.05),
    ] {
        let found = divergence(&fit(improved.clone(), 1000, objective));
        assert!(found < most, "{objective:?}: {found}");
    }
}

/// The published form keeps one initial point and a non-negative Ω; with the field the two modes are within its reach.
#[test]
fn the_published_form_lowers_the_divergence() {
    let found = divergence(&fit(RandomizedConfig::published(), 300, Objective::Forward));
    assert!(found < 0.7, "{found}");
    let plug_in = Objective::Reverse {
        entropy: EntropyGradient::SmoothedPlugIn,
    };
    let found = divergence(&fit(RandomizedConfig::published(), 300, plug_in));
    assert!(found < 1.5, "{found}");
}

#[test]
fn marginals_expectations_and_probabilities_belong_to_the_samples() {
    let (energy, grid) = grid();
    let schema = schema_of(&energy, Some(&grid)).unwrap();
    let config = RandomizedConfig::improved(&schema);
    let model = RandomizedFlow::new(config, schema, Some(&energy), 3).unwrap();
    let count = 40_000;
    let samples = model.sample(count, 1, &mut Silent).unwrap();
    let marginals = model.marginals(count, 2, &mut Silent).unwrap();
    for site in 0..4 {
        let ones = samples.iter().filter(|row| row[site] == 1).count();
        let frequency = ones as f64 / count as f64;
        assert!((frequency - marginals[site][1]).abs() < 0.012, "{site}");
    }
    let phi = vec![vec![0.0, 1.0]; 4];
    let expected: f64 = marginals.iter().map(|marginal| marginal[1]).sum();
    let found = model.expectations(&phi, count, 2, &mut Silent).unwrap();
    assert!((found - expected).abs() < 1e-12);
    // The probabilities of all labelings add to one, and agree with frequencies.
    let all: Vec<u16> = (0..16_u16)
        .flat_map(|k| (0..4).map(move |site| k >> site & 1))
        .collect();
    let all = Dataset::new(samples.schema.clone(), all).unwrap();
    let draws = model.draws(count, 4, &mut Silent).unwrap();
    let probabilities: Vec<f64> = draws
        .log_probabilities(&all)
        .iter()
        .map(|l| l.exp())
        .collect();
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-4);
    for (labels, p) in all.iter().zip(probabilities) {
        let seen = samples.iter().filter(|row| *row == labels).count();
        let error = 5.0 * (p / count as f64).sqrt() * 1.5 + 1e-4;
        assert!(
            (seen as f64 / count as f64 - p).abs() < error,
            "{labels:?} {p}"
        );
    }
}

#[test]
fn threads_change_no_result() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let (energy, grid) = grid();
            let schema = schema_of(&energy, Some(&grid)).unwrap();
            let model = fit(RandomizedConfig::improved(&schema), 20, Objective::Both);
            model.sample(500, 0, &mut Silent).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn chains_and_exact_samples_have_the_marginals_of_the_model() {
    let (energy, grid) = grid();
    let truth = exact::enumerate(&energy).unwrap();
    let found =
        chain_samples(&energy, 20_000, &ChainSampleOptions::default(), &mut Silent).unwrap();
    let chain = Dataset::new(schema_of(&energy, Some(&grid)).unwrap(), found.labels).unwrap();
    for data in [chain, exact_samples(&energy, &grid, 20_000, 5)] {
        let found = Comparison::of(&data, &energy, truth.log_z, &truth.marginals);
        assert!(found.marginal_error < 0.015, "{found:?}");
        assert!(found.kl.unwrap().abs() < 0.005, "{found:?}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let zero = vec![0.0, f64::NEG_INFINITY, 0.0, 0.0];
    let model = EnergyModel::new(vec![2; 2], vec![Factor::new(vec![0, 1], vec![2; 2], zero)]);
    let schema = schema_of(&model, None).unwrap();
    let config = training(1, Objective::Both);
    let improved = RandomizedConfig::improved(&schema);
    let mut trainer = Trainer::new(improved.clone(), config, schema.clone(), None).unwrap();
    let samples = Dataset::new(schema.clone(), vec![0, 0, 1, 0]).unwrap();
    let mut run = |target: Target| {
        let error = trainer.run(target, &mut |_| Ok(()), &mut Silent);
        error.unwrap_err().to_string()
    };
    let target = Target {
        samples: Some(&samples),
        energy: Some(&model),
    };
    let message = run(target);
    assert!(
        message.contains("factor 0") && message.contains("forward"),
        "{message}"
    );
    let without = Target {
        samples: None,
        energy: Some(&model),
    };
    assert!(run(without).contains("samples"));
    let ragged = EnergyModel::new(vec![2, 3], Vec::new());
    let refused = RandomizedFlow::new(
        RandomizedConfig::published(),
        schema_of(&ragged, None).unwrap(),
        None,
        0,
    );
    assert!(refused.unwrap_err().to_string().contains("full coupling"));
    let general = RandomizedConfig {
        coupling: Coupling::Full,
        parametrisation: Parametrisation::Symmetric { epsilon: 1e-3 },
        ..improved
    };
    assert!(RandomizedFlow::new(general, schema, None, 0).is_err());
}
