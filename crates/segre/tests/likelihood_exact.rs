//! The I-MMSE bound against exact enumeration of small distributions.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{
    Pmf, Recorder, blank, cnn, dense, device, geodesic, infinite, learner, learning_run, linear,
    mixed, model_config, residual, untrained,
};
use segre::data::{BuiltIn, Dataset};
use segre::flow::FlowError;
use segre::flow::likelihood::{
    KnownPosterior, ScoreMethod, ScoreOptions, Scores, immse_gap, score, score_with,
};
use segre::flow::training::Trainer;
use segre::flow::{Denoiser, Head, Model, ModelConfig};
use segre::path::{DiscretePath, ProbabilityPath, SimplexPath};
use segre::progress::{Control, Progress, Silent};

fn options(rounds: usize, seed: u64) -> ScoreOptions {
    ScoreOptions {
        levels: 16,
        rounds,
        std_error: None,
        max_rounds: rounds,
        seed,
        batch: 1024,
        ..ScoreOptions::default()
    }
}

/// As many rounds as give some hundred thousand states, whatever the number of rows.
fn scores(denoiser: &dyn Denoiser, model: &Model, data: &Dataset) -> Scores {
    let options = options(STATES / 16 / data.rows(), 1);
    score_with(denoiser, model, data, &options, &mut Silent).unwrap()
}

const STATES: usize = 400_000;

/// Every row's bound is `−log Q(β)`: each within five standard errors, and their errors in units of
/// the standard error have the mean square 1.
fn assert_rows_are_exact(found: &Scores, truth: &Pmf, name: &str) {
    let mut squares = Vec::new();
    for (row, p) in found.rows.iter().zip(&truth.probabilities) {
        let off = row.value + p.ln();
        // Beyond the last level of the integral up to 1e-5 nats per site may be missing, times the
        // root of a site's prior odds.
        assert!(
            off.abs() < 5.0 * row.std_error + 3e-4,
            "{name}: a row of probability {p} has {row:?}, off by {off}"
        );
        if row.std_error > 1e-4 {
            squares.push((off / row.std_error).powi(2));
        }
    }
    if squares.len() >= 8 {
        let count = squares.len() as f64;
        let mean = squares.iter().sum::<f64>() / count;
        let spread = (2.0 / count).sqrt();
        assert!(
            (mean - 1.0).abs() < 5.0 * spread,
            "{name}: the mean square error of {count} rows is {mean} squared standard errors"
        );
    }
}

/// The mean over the rows of a distribution that lists every configuration once.
fn weighted(found: &Scores, pmf: &Pmf) -> (f64, f64) {
    let variance = found
        .rows
        .iter()
        .zip(&pmf.probabilities)
        .map(|(row, p)| (p * row.std_error).powi(2));
    (
        pmf.mean(found.rows.iter().map(|row| row.value)),
        variance.sum::<f64>().sqrt(),
    )
}

const CASES: [&[usize]; 7] = [
    &[2, 2],
    &[5, 3],
    &[1, 4, 3],
    &[2, 3, 4],
    &[3, 1, 2, 5],
    &[2, 2, 2, 2],
    &[5],
];

#[test]
fn the_bound_of_the_true_posterior_is_the_negative_log_probability() {
    for (seed, cardinalities) in CASES.into_iter().enumerate() {
        let pmf = Pmf::random(cardinalities, 1.0, seed as u64);
        let model = blank(infinite(), &pmf.draw(300, 9));
        let found = scores(&pmf.posterior(), &model, &pmf.every_row());
        let name = format!("{cardinalities:?}");
        assert_rows_are_exact(&found, &pmf, &name);
        let (mean, std_error) = weighted(&found, &pmf);
        let off = mean - pmf.entropy();
        println!(
            "{name}: {mean:.5} ± {std_error:.5}, exact {:.5}",
            pmf.entropy()
        );
        assert!(std_error < 0.005, "{name}: standard error {std_error}");
        assert!(
            off.abs() < 4.0 * std_error,
            "{name}: off by {off} ± {std_error}"
        );
        // The data set's mean is that of its rows, in both units.
        let rows = found.rows.len() as f64;
        let nats = found.rows.iter().map(|row| row.value).sum::<f64>() / rows;
        let bits = nats / std::f64::consts::LN_2 / cardinalities.len() as f64;
        assert!((found.mean_nats.value - nats).abs() < 1e-12);
        assert!((found.bits_per_dim.value - bits).abs() < 1e-12);
    }
}

/// Independent sites above a chain: the gap is the log-ratio of the two, and its noise is little.
#[test]
fn the_gap_to_the_true_posterior_is_the_divergence() {
    let chain = BuiltIn::PottsChain {
        categories: 12,
        sites: 4,
        seed: 0,
        rows: None,
    };
    let chain = chain.known_distribution().unwrap();
    let data = chain.sample(2_000, &mut common::rng(1)).unwrap();
    let model = blank(infinite(), &data);
    let exact = KnownPosterior::new(&*chain, model.device()).unwrap();
    let options = options(2, 1);
    let gap = |reference| immse_gap(&model, reference, &model, &data, &options, &mut Silent);
    let found = gap(&exact).unwrap();
    let independent = score(&model, &data, &options, &mut Silent).unwrap();
    let truth = independent.mean_nats.value
        + data.iter().map(|row| chain.log_pmf(row)).sum::<f64>() / data.rows() as f64;
    let off = found.mean_nats.value - truth;
    assert!(truth > 0.5, "the sites depend on each other: {truth}");
    assert!(
        off.abs() < 4.0 * found.mean_nats.std_error + 1e-3,
        "{:?}, exact {truth}",
        found.mean_nats
    );
    let none = gap(&model).unwrap();
    assert_eq!((none.mean_nats.value, none.mean_nats.std_error), (0.0, 0.0));
}

/// The chain rule in random order with true conditionals: every order gives the same, the true probability.
#[test]
fn the_sequential_bound_of_the_true_posterior_is_the_negative_log_probability() {
    for (seed, cardinalities) in CASES.into_iter().enumerate() {
        let pmf = Pmf::random(cardinalities, 1.0, seed as u64);
        for path in [
            infinite().into(),
            ProbabilityPath::from(DiscretePath::Masked),
        ] {
            let model = blank(path, &pmf.draw(300, 9));
            let options = ScoreOptions {
                method: Some(ScoreMethod::Sequential),
                ..options(400, 1)
            };
            let data = pmf.every_row();
            let found = score_with(&pmf.posterior(), &model, &data, &options, &mut Silent).unwrap();
            assert_rows_are_exact(&found, &pmf, &format!("{cardinalities:?}"));
        }
    }
}

/// With some labels given both bounds are `−log P(β_others | β_given)`.
#[test]
fn with_given_sites_the_bounds_are_conditional() {
    let pmf = Pmf::random(&[3, 2, 4], 1.0, 12);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let data = pmf.every_row();
    for given in [vec![0], vec![2, 0], vec![1]] {
        let key = |row: &[u16]| given.iter().map(|site| row[*site]).collect::<Vec<_>>();
        for bound in [ScoreMethod::Immse, ScoreMethod::Sequential] {
            let options = ScoreOptions {
                method: Some(bound),
                given: given.clone(),
                ..options(400, 2)
            };
            let found = score_with(&pmf.posterior(), &model, &data, &options, &mut Silent).unwrap();
            for (row, estimate) in data.iter().zip(&found.rows) {
                let alike = data.iter().zip(&pmf.probabilities);
                let total: f64 = alike
                    .filter(|(other, _)| key(other) == key(row))
                    .map(|(_, p)| p)
                    .sum();
                let exact = total.ln() - pmf.probabilities[pmf.index(row)].ln();
                assert!(
                    (estimate.value - exact).abs() < 5.0 * estimate.std_error + 3e-4,
                    "{bound:?} given {given:?}: {estimate:?} for {exact}"
                );
            }
            let nats = found.mean_nats.value / found.bits_per_dim.value;
            let scored = 3 - given.len();
            assert!((nats / std::f64::consts::LN_2 - scored as f64).abs() < 1e-9);
        }
    }
    let all = ScoreOptions {
        given: vec![0, 1, 2],
        ..options(2, 2)
    };
    let refused = score(&model, &data, &all, &mut Silent).unwrap_err();
    assert!(matches!(refused, FlowError::NothingToScore));
    let none = blank(SimplexPath::Linear, &pmf.draw(300, 9));
    let refused = score(&none, &data, &options(2, 2), &mut Silent).unwrap_err();
    assert!(
        matches!(refused, FlowError::NeedsGaussianPath { .. }),
        "{refused}"
    );
}

/// A field's sites have levels of their own; the integral follows them.
#[test]
fn the_identity_holds_along_the_levels_of_a_path() {
    for (path, cardinalities) in [(geodesic(), [2, 5, 3]), (infinite(), [4, 2, 1])] {
        let pmf = Pmf::random(&cardinalities, 1.0, 3);
        let config = model_config(Head::Field, path, linear());
        let model = untrained(config, &pmf.draw(300, 9));
        let found = scores(&pmf.posterior(), &model, &pmf.every_row());
        assert_rows_are_exact(&found, &pmf, &format!("{cardinalities:?}"));
    }
}

#[test]
fn a_uniform_bit_has_log_2() {
    let pmf = Pmf::new(&[2], vec![1.0, 1.0]);
    // Marginals of 0.3 and 0.7, so that the integral has something to do.
    let model = blank(
        infinite(),
        &Pmf::new(&[2], vec![3.0, 7.0]).in_proportion(1000),
    );
    let found = scores(&pmf.posterior(), &model, &pmf.every_row());
    for row in &found.rows {
        let off = row.value - 2_f64.ln();
        assert!(row.std_error > 1e-5 && row.std_error < 0.003, "{row:?}");
        assert!(
            off.abs() < 4.0 * row.std_error + 1e-4,
            "off by {off}, {row:?}"
        );
    }
}

/// The pointwise value under the posterior of another distribution `Q` is `−log Q(β)`, so that the
/// mean under `P` is the cross entropy, above the entropy by `KL(P ‖ Q)`.
#[test]
fn the_posterior_of_another_distribution_gives_its_cross_entropy() {
    for (seed, cardinalities) in [(1, &[2, 3, 2][..]), (2, &[4, 4]), (3, &[2, 2, 2, 2])] {
        let pmf = Pmf::random(cardinalities, 1.0, seed);
        let other = Pmf::random(cardinalities, 1.0, seed + 100);
        let model = blank(infinite(), &pmf.draw(300, 9));
        let found = scores(&other.posterior(), &model, &pmf.every_row());
        assert_rows_are_exact(&found, &other, &format!("{cardinalities:?}"));
        let (mean, std_error) = weighted(&found, &pmf);
        let exact = pmf.cross_entropy(&other);
        assert!(
            std_error < 0.008,
            "{cardinalities:?}: standard error {std_error}"
        );
        assert!(
            (mean - exact).abs() < 4.0 * std_error,
            "{mean} ± {std_error}, exact {exact}"
        );
        assert!(
            mean - 4.0 * std_error > pmf.entropy() + 0.1,
            "{mean} of {}",
            pmf.entropy()
        );
    }
}

/// Without context a model is the product of its marginals, and the control variate gives its
/// likelihood without any error.
#[test]
fn a_model_without_context_scores_as_its_marginals() {
    let pmf = Pmf::random(&[2, 4, 3], 1.0, 6);
    let train = pmf.in_proportion(2000);
    let model = blank(infinite(), &train);
    let found = score(&model, &train, &options(2, 0), &mut Silent).unwrap();
    let product = Pmf::independent(&pmf.marginals());
    assert!(found.mean_nats.std_error < 1e-6, "{:?}", found.mean_nats);
    let off = found.mean_nats.value - pmf.cross_entropy(&product);
    assert!(off.abs() < 2e-3, "off by {off}"); // half counts and rounded frequencies
}

/// The truth minimises the bound: no model gets below the entropy of the data.
#[test]
fn no_model_beats_the_entropy() {
    let pmf = Pmf::random(&[3, 2, 3], 1.2, 4);
    let train = pmf.in_proportion(1000);
    let mut bounds = Vec::new();
    for head in [Head::Posterior, Head::Field] {
        for path in [infinite(), geodesic()] {
            for network in [linear(), dense(), residual(), mixed(), cnn()] {
                let config = model_config(head, path.clone(), network);
                let (mean, std_error) = bound(&untrained(config.clone(), &train), &pmf, 60);
                assert!(
                    mean > pmf.entropy() - 4.0 * std_error,
                    "{config:?}: {mean} ± {std_error} below {}",
                    pmf.entropy()
                );
                bounds.push(mean);
            }
        }
    }
    // They are wrong models, and the bound tells.
    assert!(
        bounds.iter().all(|mean| *mean > pmf.entropy() + 0.05),
        "{bounds:?}"
    );
}

#[test]
fn a_trained_model_comes_close_to_the_entropy_from_above() {
    let pmf = Pmf::random(&[3, 2, 3], 1.2, 4);
    let train = pmf.in_proportion(1000);
    let config = ModelConfig {
        network: learner(),
        ..ModelConfig::default()
    };
    let before = bound(&untrained(config.clone(), &train), &pmf, 60).0;
    let mut trainer = Trainer::new(config, learning_run(), &train, &device()).unwrap();
    trainer
        .run(&train, &train, &mut Recorder::default())
        .unwrap();
    let (mean, std_error) = bound(&trainer.best_model().unwrap(), &pmf, 600);
    let above = mean - pmf.entropy();
    println!(
        "entropy {:.4}, untrained {before:.4}, trained {mean:.4} ± {std_error:.4}",
        pmf.entropy()
    );
    assert!(std_error < 0.006, "standard error {std_error}");
    // The data hold rounded frequencies, which costs 1e-3 nats at most.
    assert!(
        above > -4.0 * std_error - 1e-3,
        "below the entropy by {above} ± {std_error}"
    );
    assert!(
        above < 0.3 * (before - pmf.entropy()),
        "above by {above}, before {before}"
    );
}

/// A model's bound on every configuration, weighted by their probabilities.
fn bound(model: &Model, pmf: &Pmf, rounds: usize) -> (f64, f64) {
    let data = pmf.every_row();
    let found = score(model, &data, &options(rounds, 2), &mut Silent).unwrap();
    weighted(&found, pmf)
}

#[test]
fn the_standard_error_is_the_spread_over_seeds() {
    let pmf = Pmf::random(&[2, 3, 2], 1.0, 8);
    let data = pmf.in_proportion(40);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let posterior = pmf.posterior();
    let (mut values, mut reported) = (Vec::new(), 0.0);
    for seed in 0..30 {
        let options = options(6, seed);
        let found = score_with(&posterior, &model, &data, &options, &mut Silent).unwrap();
        values.push(found.mean_nats.value);
        reported += found.mean_nats.std_error.powi(2);
    }
    let count = values.len() as f64;
    let reported = (reported / count).sqrt();
    let mean = values.iter().sum::<f64>() / count;
    let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let ratio = spread.sqrt() / reported;
    println!("spread over reported standard error: {ratio:.3}");
    assert!(
        (ratio - 1.0).abs() < 0.35,
        "spread over reported standard error: {ratio}"
    );
}

#[test]
fn the_marginals_of_the_control_variate_do_not_bias() {
    let pmf = Pmf::random(&[3, 4], 1.0, 12);
    let posterior = pmf.posterior();
    let found: Vec<Scores> = [
        pmf.in_proportion(1000),
        Pmf::random(&[3, 4], 2.0, 77).in_proportion(1000),
        pmf.every_row(),
    ]
    .iter()
    .map(|train| scores(&posterior, &blank(infinite(), train), &pmf.every_row()))
    .collect();
    for other in &found {
        assert_rows_are_exact(other, &pmf, "other marginals");
        let (a, b) = (found[0].mean_nats, other.mean_nats);
        let error = a.std_error.hypot(b.std_error);
        assert!((a.value - b.value).abs() <= 4.0 * error, "{a:?}, {b:?}");
    }
    // The estimates are different ones: other marginals, other integrands.
    assert_ne!(found[0].rows, found[1].rows);
}

#[test]
fn more_rounds_are_spent_until_the_asked_precision() {
    let pmf = Pmf::random(&[2, 3, 2], 1.0, 8);
    let model = blank(infinite(), &pmf.draw(300, 9));
    let goal = 0.004;
    let options = ScoreOptions {
        std_error: Some(goal),
        max_rounds: 2000,
        ..options(2, 3)
    };
    let data = pmf.every_row();
    let found = score_with(&pmf.posterior(), &model, &data, &options, &mut Silent).unwrap();
    assert!(
        found.bits_per_dim.std_error <= goal,
        "{:?}",
        found.bits_per_dim
    );
    assert!(found.rows[0].samples > 2 * 16, "{:?}", found.rows[0]);
    let stopped = score_with(
        &pmf.posterior(),
        &model,
        &data,
        &options,
        &mut |_: &Progress| Control::Stop,
    );
    assert!(matches!(stopped, Err(FlowError::Interrupted(_))));
}
