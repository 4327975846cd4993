//! Networks as proposals for energy models: exact probabilities of what they draw, weights, and fits without data.

use std::collections::BTreeMap;

use segre::Device;
use segre::data::Schema;
use segre::energy::{EnergyModel, Factor, GridModel, exact};
use segre::flow::sampling::{Sampler, SamplingOptions, sample};
use segre::flow::training::TrainingConfig;
use segre::flow::{Model, ModelConfig, PriorConfig};
use segre::learning::Budget;
use segre::network::{NetworkConfig, ResidualConfig};
use segre::neural::{DataFree, DataFreeConfig, WeightedRows, pairwise_prior};
use segre::path::DiscretePath;
use segre::progress::{Control, Event, Progress, Silent};
use segre::randomized::schema_of;

fn settings(hidden: usize, components: usize, steps: u64) -> (ModelConfig, TrainingConfig) {
    let network = ResidualConfig {
        hidden,
        components,
        affinity: false,
        dropout: 0.0,
        ..ResidualConfig::default()
    };
    let model = ModelConfig {
        path: DiscretePath::Masked.into(),
        network: NetworkConfig::Residual(network),
        ..ModelConfig::default()
    };
    let mut training = TrainingConfig {
        seed: 5,
        budget: Budget {
            steps: Some(steps),
            seconds: None,
        },
        batch_size: 256,
        ..TrainingConfig::default()
    };
    training.optimizer.average_decay = 0.98;
    (model, training)
}

fn grid(name: &str) -> (EnergyModel, Schema) {
    let grid = GridModel::parse(name).unwrap().unwrap();
    let model = grid.build();
    let schema = schema_of(&model, Some(&grid)).unwrap();
    (model, schema)
}

/// Fits without data; also the rounds' inverse temperatures.
fn fitted(model: &EnergyModel, schema: &Schema, steps: u64) -> (Model, Vec<f64>) {
    let (config, training) = settings(64, 16, steps);
    let own = DataFreeConfig {
        draws: 1024,
        rows: 2048,
        steps: 30,
        ..DataFreeConfig::of(schema.sites(), training.batch_size)
    };
    let run = DataFree::new(config, training, own, schema, &Device::flex()).unwrap();
    let mut temperatures = Vec::new();
    let trainer = run.run(model, &mut |_, _| Ok(()), &mut |told: &Progress| {
        if let Event::Round(round) = &told.event {
            temperatures.push(round.inverse_temperature);
        }
        Control::Continue
    });
    (trainer.unwrap().best_model().unwrap(), temperatures)
}

#[test]
fn probabilities_of_sequential_samples_add_up_to_one_in_every_order() {
    // A network after a few steps is no consistent distribution: orders differ, which is the point.
    let factor = Factor::new(vec![0, 1], vec![2, 3], vec![1.0, 0.0, -1.0, 0.0, 0.5, 2.0]);
    let energy = EnergyModel::new(vec![2, 3], vec![factor]);
    let schema = schema_of(&energy, None).unwrap();
    let (model, _) = fitted(&energy, &schema, 40);
    for (steps, orders) in [(2, 2.0), (1, 1.0)] {
        let options = SamplingOptions {
            sampler: Some(Sampler::Sequential),
            steps: Some(steps),
            ..SamplingOptions::default()
        };
        let drawn = sample(&model, 20_000, &options, &mut Silent).unwrap();
        let mut seen: BTreeMap<(Vec<u16>, i64), (f64, f64)> = BTreeMap::new();
        for (row, log) in drawn.data.iter().zip(&drawn.log_probabilities) {
            // The same up to rounding within batches.
            let key = (row.to_vec(), (log * 1e4).round() as i64);
            let entry = seen.entry(key).or_insert((log.exp(), 0.0));
            entry.1 += 1.0 / 20_000.0;
        }
        let total: f64 = seen.values().map(|(q, _)| q).sum();
        assert!((total - orders).abs() < 1e-3, "{steps} steps: {total}");
        for (key, (q, share)) in &seen {
            let error = (q / orders * (1.0 - q / orders) / 20_000.0).sqrt();
            assert!((share - q / orders).abs() < 5.0 * error, "{key:?}: {share}");
        }
    }
}

#[test]
fn a_small_grid_is_learned_without_data() {
    let (energy, schema) = grid("ising:2x3,coupling=0.8,field=0.2");
    let truth = exact::infer(&energy, 1 << 30, &mut Silent).unwrap();
    let log_z = truth.log_z.unwrap();
    let (model, temperatures) = fitted(&energy, &schema, 450);
    assert!(temperatures.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!(temperatures.last(), Some(&1.0));
    let rows = WeightedRows::draw(&model, &energy, 8192, 6, 11, &mut Silent).unwrap();
    let found = rows.estimate(1.0);
    let error = (found.log_z.value - log_z) / found.log_z.std_error;
    assert!(error.abs() < 3.0, "{found:?}, exact {log_z}");
    // KL(q(·|σ) : P*), which is not below that of the mixture over the orders.
    let kl = log_z - found.bound.value;
    assert!(kl < 0.01, "KL {kl}");
    assert!(found.effective_share > 0.95, "{}", found.effective_share);
    // Groups of sites leave the weights exact.
    let rows = WeightedRows::draw(&model, &energy, 8192, 3, 11, &mut Silent).unwrap();
    let found = rows.estimate(1.0);
    let error = (found.log_z.value - log_z) / found.log_z.std_error;
    assert!(error.abs() < 3.0, "{found:?}, exact {log_z}");
    assert!(log_z - found.bound.value > kl);
}

#[test]
fn beliefs_of_the_energy_need_no_learning_on_trees_and_little_on_grids() {
    // The bound of a network after one step, from the marginals and from the energy.
    let bound = |name: &str, known: bool| {
        let (energy, schema) = grid(name);
        let truth = exact::infer(&energy, 1 << 30, &mut Silent).unwrap();
        let (mut config, training) = settings(16, 0, 1);
        if known {
            let energy = pairwise_prior(&energy).expect("a pairwise energy");
            config.prior = PriorConfig::Pairwise(energy);
        }
        let own = DataFreeConfig::of(schema.sites(), training.batch_size);
        let run = DataFree::new(config, training, own, &schema, &Device::flex()).unwrap();
        let trainer = run.run(&energy, &mut |_, _| Ok(()), &mut Silent).unwrap();
        let model = trainer.best_model().unwrap();
        let rows = WeightedRows::draw(&model, &energy, 4096, schema.sites(), 1, &mut Silent);
        truth.log_z.unwrap() - rows.unwrap().estimate(1.0).bound.value
    };
    let chain = bound("potts:1x7,c=3,coupling=0.9,field=0.3", true);
    assert!(chain.abs() < 1e-3, "{chain}");
    let square = "ising:4x4,coupling=0.8,field=0.1";
    let (beliefs, marginals) = (bound(square, true), bound(square, false));
    assert!(beliefs < 0.2 * marginals, "{beliefs}, {marginals}");
}

#[test]
fn energies_without_finite_pairs_are_no_prior() {
    let zero = f64::NEG_INFINITY;
    let differ = Factor::new(vec![0, 1], vec![2, 2], vec![zero, 0.0, 0.0, zero]);
    assert!(pairwise_prior(&EnergyModel::new(vec![2; 2], vec![differ])).is_none());
    let three = Factor::new(vec![0, 1, 2], vec![2; 3], vec![0.5; 8]);
    assert!(pairwise_prior(&EnergyModel::new(vec![2; 3], vec![three])).is_none());
}

#[test]
fn the_same_seed_gives_the_same_model() {
    let (energy, schema) = grid("ising:2x2,coupling=0.8,field=0.2");
    let rows = || {
        let (model, _) = fitted(&energy, &schema, 60);
        let rows = WeightedRows::draw(&model, &energy, 100, 4, 1, &mut Silent).unwrap();
        (rows.data().labels().to_vec(), rows.log_weights(1.0))
    };
    assert_eq!(rows(), rows());
}

#[test]
fn hard_constraints_are_kept_or_refused() {
    // Neighbours differ: of 16 rows two are possible, and Gibbs sweeps alone do not lead from one to the other.
    let zero = f64::NEG_INFINITY;
    let differ = |a| Factor::new(vec![a, a + 1], vec![2, 2], vec![zero, 0.0, 0.0, zero]);
    let energy = EnergyModel::new(vec![2; 4], (0..3).map(differ).collect());
    let schema = schema_of(&energy, None).unwrap();
    let (model, _) = fitted(&energy, &schema, 300);
    let rows = WeightedRows::draw(&model, &energy, 4000, 4, 1, &mut Silent).unwrap();
    let found = rows.estimate(1.0);
    assert!((found.log_z.value - 2_f64.ln()).abs() < 0.05, "{found:?}");
    let impossible = EnergyModel::new(
        vec![2; 24],
        (0..23)
            .map(|a| Factor::new(vec![a, a + 1], vec![2, 2], vec![zero, 0.0, 0.0, zero]))
            .collect(),
    );
    let schema = schema_of(&impossible, None).unwrap();
    let (config, training) = settings(16, 0, 10);
    let own = DataFreeConfig::of(24, 256);
    let run = DataFree::new(config, training, own, &schema, &Device::flex()).unwrap();
    let Err(error) = run.run(&impossible, &mut |_, _| Ok(()), &mut Silent) else {
        panic!("nothing was possible");
    };
    assert!(
        error.to_string().contains("`samples_from = chain`"),
        "{error}"
    );
}
