//! What is learned, and when a run ends: early, by steps, in time.

use rand::RngExt;
use segre::data::Dataset;
use segre::flow::Head;
use segre::flow::likelihood::{ScoreOptions, score};
use segre::flow::training::{Ending, TrainingConfig};
use segre::learning::{Budget, OptimizerConfig};
use segre::progress::Silent;

use super::common::{
    Pmf, Recorder, infinite, learner, learning_run, linear, model_config, residual, rng,
    shared_schema, short_run,
};
use super::{data, trainer};

#[test]
fn noise_stops_early_and_what_is_kept_is_not_beaten() {
    let mut rng = rng(3);
    let mut noise = |rows: usize| {
        let labels = (0..rows * 6).map(|_| rng.random_range(0..3_u16)).collect();
        Dataset::new(shared_schema(6, 3), labels).unwrap()
    };
    let (train, validation) = (noise(60), noise(200));
    let model = model_config(Head::Posterior, infinite(), residual());
    let config = TrainingConfig {
        batch_size: 60,
        validations: 100,
        validation_rows: 200,
        patience: 4,
        optimizer: OptimizerConfig {
            learning_rate: 1e-2,
            ..OptimizerConfig::default()
        },
        ..short_run(1000)
    };
    let mut run = trainer(&model, &config, &train);
    let mut recorder = Recorder::default();
    let ending = run.run(&train, &validation, &mut recorder).unwrap();
    assert_eq!(ending, Ending::EarlyStop);
    let progress = run.progress();
    assert!(
        progress.step < 1000 && progress.finished && progress.stale == 4,
        "{progress:?}"
    );
    let best = recorder
        .validations
        .iter()
        .copied()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    // Overfitting makes the rest worse beyond the noise: what is kept is (nearly) the best.
    let kept = progress.kept_bits_per_dim.unwrap();
    assert!(kept < best.1 + 0.003, "{kept}, {best:?}");
    assert!(recorder.validations.contains(&(progress.kept_step, kept)));
    // The same noise at every validation: the kept model has its validation's bits again.
    let options = ScoreOptions {
        levels: 4,
        rounds: 2,
        std_error: None,
        seed: config.seed,
        ..ScoreOptions::default()
    };
    let again = score(
        &run.best_model().unwrap(),
        &validation,
        &options,
        &mut Silent,
    )
    .unwrap();
    assert_eq!(again.bits_per_dim.value, kept);
    // A finished run has nothing left to do; and the last validation was worse.
    assert!(recorder.validations.last().unwrap().1 > kept);
    let step = progress.step;
    run.run(&train, &validation, &mut Recorder::default())
        .unwrap();
    assert_eq!(run.progress().step, step);
}

#[test]
fn training_learns_two_coupled_bits() {
    let pmf = Pmf::coupled();
    let exact = pmf.entropy() / 2.0 / std::f64::consts::LN_2;
    let (train, validation) = (pmf.in_proportion(2000), pmf.in_proportion(200));
    let config = learning_run();
    let model = model_config(Head::Posterior, infinite(), learner());
    let mut run = trainer(&model, &config, &train);
    run.run(&train, &validation, &mut Recorder::default())
        .unwrap();
    let options = ScoreOptions {
        rounds: 300,
        std_error: None,
        ..ScoreOptions::default()
    };
    let best = run.best_model().unwrap();
    let bits = score(&best, &validation, &options, &mut Silent)
        .unwrap()
        .bits_per_dim;
    println!(
        "{bits:?}, exact {exact:.5}, {} seconds",
        run.progress().seconds
    );
    assert!(bits.std_error < 0.002, "{bits:?}");
    assert!(
        bits.value > exact - 4.0 * bits.std_error,
        "{bits:?} below {exact}"
    );
    assert!(bits.value < exact + 0.01, "{bits:?}, exact {exact}");
}

#[test]
fn a_budget_of_steps_ends_exactly_and_can_be_extended() {
    let (train, validation) = data();
    let model = model_config(Head::Posterior, infinite(), linear());
    for steps in [1, 3, 10, 17] {
        let mut run = trainer(&model, &short_run(steps), &train);
        let mut recorder = Recorder::default();
        assert_eq!(
            run.run(&train, &validation, &mut recorder).unwrap(),
            Ending::Budget
        );
        assert_eq!(
            (run.progress().step, recorder.losses.len() as u64),
            (steps, steps)
        );
        assert!(run.progress().finished);
        // The first validation is at the start, the last at the end, and no more than asked for between.
        assert_eq!(recorder.validations.last().unwrap().0, steps);
        assert!(
            recorder.validations.len() as u64 == steps.min(4) + 1,
            "{:?}",
            recorder.validations
        );
        run.set_budget(Budget {
            steps: Some(steps + 5),
            seconds: None,
        })
        .unwrap();
        run.run(&train, &validation, &mut recorder).unwrap();
        assert_eq!(run.progress().step, steps + 5);
    }
}

#[test]
fn a_budget_of_time_ends_in_time() {
    let (train, validation) = data();
    let model = model_config(Head::Posterior, infinite(), linear());
    let budget = Budget {
        steps: None,
        seconds: Some(0.5),
    };
    let mut run = trainer(
        &model,
        &TrainingConfig {
            budget,
            ..short_run(1)
        },
        &train,
    );
    let start = std::time::Instant::now();
    run.run(&train, &validation, &mut Recorder::default())
        .unwrap();
    let seconds = run.progress().seconds;
    assert!(run.progress().step > 1);
    assert!((0.5..3.0).contains(&seconds), "{seconds}");
    assert!(start.elapsed().as_secs_f64() >= seconds);
}

/// The network's output starts at zero, so the first loss is that of independent sites:
/// `E[−log p(β | x)]` with log-odds `log p/(1−p) + N(2γ, 4γ)` for a bit, `√γ` uniform up to the last
/// level.
#[test]
fn the_first_loss_is_that_of_independent_sites() {
    let rows = 4000;
    let probabilities = [0.5, 0.2, 0.03];
    let pmf = Pmf::independent(&probabilities.map(|p| vec![1.0 - p, p]));
    let train = pmf.in_proportion(rows);
    let rows = train.rows();
    // Half a count in every category.
    let marginals = pmf_of(&train);
    let end = {
        let run = trainer(
            &model_config(Head::Posterior, infinite(), residual()),
            &short_run(1),
            &train,
        );
        run.best_model().unwrap().end_root_snr()
    };
    let smoothed = |p: f64| (p * rows as f64 + 0.5) / (rows as f64 + 1.0);
    let exact = marginals
        .iter()
        .map(|p| {
            let odds = (smoothed(*p) / smoothed(1.0 - p)).ln();
            p * bit_loss(odds, end) + (1.0 - p) * bit_loss(-odds, end)
        })
        .sum::<f64>()
        / 3.0;
    let mut losses = Vec::new();
    for seed in 0..12 {
        let config = TrainingConfig {
            seed,
            batch_size: rows,
            ..short_run(1)
        };
        let model = model_config(Head::Posterior, infinite(), residual());
        let mut recorder = Recorder::default();
        trainer(&model, &config, &train)
            .run(&train, &train, &mut recorder)
            .unwrap();
        losses.push(recorder.losses[0]);
    }
    let count = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / count;
    let variance = losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let std_error = (variance / count).sqrt();
    println!("first loss {mean:.5} ± {std_error:.5}, exact {exact:.5}");
    assert!(std_error < 0.002, "{std_error}");
    assert!(
        (mean - exact).abs() < 4.0 * std_error,
        "{mean} ± {std_error}, exact {exact}"
    );
}

/// The frequency of label 1 at every site.
fn pmf_of(data: &Dataset) -> Vec<f64> {
    let ones = |site: usize| data.iter().filter(|row| row[site] == 1).count();
    (0..data.sites())
        .map(|site| ones(site) as f64 / data.rows() as f64)
        .collect()
}

/// Mean of `log(1 + e^{−L})`, `L ~ N(odds + 2γ, 4γ)`, over `√γ` uniform on `(0, end)`.
fn bit_loss(odds: f64, end: f64) -> f64 {
    let (levels, nodes) = (400, 400);
    let mut sum = 0.0;
    for level in 0..levels {
        let root = end * (f64::from(level) + 0.5) / f64::from(levels);
        let (mut inner, mut mass) = (0.0, 0.0);
        for node in 0..=nodes {
            let z = -8.0 + 16.0 * f64::from(node) / f64::from(nodes);
            let weight = (-0.5 * z * z).exp();
            let l = odds + 2.0 * root * root + 2.0 * root * z;
            inner += weight * ((-l.abs()).exp().ln_1p() + (-l).max(0.0));
            mass += weight;
        }
        sum += inner / mass;
    }
    sum / f64::from(levels)
}
