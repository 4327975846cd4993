//! Conditionals: marginals and draws given some labels, against the exact ones of a small distribution.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use common::{
    Pmf, Recorder, device, infinite, learning_run, linear, mixed, model_config, untrained,
};
use segre::data::DataError;
use segre::data::PartialDataset;
use segre::flow::FlowError;
use segre::flow::likelihood::{
    ConditionalOptions, completion_log_probabilities, conditional_divergence,
};
use segre::flow::sampling::{Sampler, SamplingOptions, complete, complete_with};
use segre::flow::training::{Trainer, TrainingConfig};
use segre::flow::{ConditionalMarginals, Head, LegalOnly, Model, conditional_marginals};
use segre::network::{NetworkConfig, ResidualConfig};
use segre::progress::{Control, Progress, Silent};

fn pmf() -> Pmf {
    Pmf::random(&[3, 2, 3], 1.2, 4)
}

/// A model of the distribution that has seen all kinds of conditions.
fn trained(pmf: &Pmf) -> Model {
    let train = pmf.in_proportion(2000);
    let network = NetworkConfig::Residual(ResidualConfig {
        hidden: 64,
        dropout: 0.0,
        ..ResidualConfig::default()
    });
    let config = TrainingConfig {
        conditional: true,
        ..learning_run()
    };
    let model = model_config(Head::Posterior, infinite(), network);
    let mut trainer = Trainer::new(model, config, &train, &device()).unwrap();
    trainer
        .run(&train, &train, &mut Recorder::default())
        .unwrap();
    trainer.best_model().unwrap()
}

/// `p(β_i = · | β_known)` by summation.
fn exact(pmf: &Pmf, given: &PartialDataset, row: usize, site: usize) -> Vec<f64> {
    let mut marginal = vec![0.0; pmf.cardinalities[site]];
    for (index, p) in pmf.probabilities.iter().enumerate() {
        let labels = pmf.row(index);
        let agrees = |i: usize| given.label(row, i).is_none_or(|known| known == labels[i]);
        if (0..labels.len()).all(agrees) {
            marginal[usize::from(labels[site])] += p;
        }
    }
    let total: f64 = marginal.iter().sum();
    marginal.into_iter().map(|p| p / total).collect()
}

#[test]
fn marginals_and_draws_follow_the_exact_conditionals() {
    let pmf = pmf();
    let model = trained(&pmf);
    let rows = pmf.draw(40, 7);
    let (mut total, mut count) = (0.0, 0);
    for pattern in 0..7_usize {
        let given = PartialDataset::hiding(&rows, |_, site| pattern & (1 << site) == 0);
        let marginals = conditional_marginals(&model, &given, &mut Silent).unwrap();
        for row in 0..given.rows() {
            for site in 0..3 {
                let own = marginals.of(row, site);
                assert!((own.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{own:?}");
                if let Some(label) = given.label(row, site) {
                    assert_eq!(own[usize::from(label)], 1.0, "what is known is certain");
                    continue;
                }
                let exact = exact(&pmf, &given, row, site);
                let terms = exact
                    .iter()
                    .zip(own)
                    .map(|(p, q)| p * (p / f64::from(*q)).ln());
                total += terms.sum::<f64>();
                count += 1;
            }
        }
    }
    let mean = total / f64::from(count);
    println!("mean KL of conditional marginals {mean:.2e} nats over {count}");
    assert!(mean < 0.01, "{mean} nats over {count}");

    // Joint draws of two sites given the third, against the exact conditional pmf.
    let given = PartialDataset::hiding(&rows.select(&[0]), |_, site| site != 1).repeat_rows(20_000);
    for sampler in [None, Some(Sampler::Ancestral)] {
        let options = SamplingOptions {
            sampler,
            batch: 5000,
            ..SamplingOptions::default()
        };
        let drawn = complete(&model, &given, &options, &mut Silent)
            .unwrap()
            .data;
        assert!(drawn.iter().all(|row| row[1] == rows.row(0)[1]));
        let agreeing = pmf.probabilities.iter().enumerate();
        let weights = agreeing.map(|(index, p)| match pmf.row(index)[1] == rows.row(0)[1] {
            true => *p,
            false => 0.0,
        });
        let conditional = Pmf::new(&pmf.cardinalities, weights.collect());
        let kl = conditional.divergence(&drawn);
        println!("KL of conditional draws {kl:.2e} nats");
        assert!(kl < 0.02, "{sampler:?}: {kl}");
    }
}

/// `P(A) P(B|A) = P(B) P(A|B)`: nothing in the network makes its conditionals those of one distribution, so this is
/// what it has learned. Half the mean square of a difference of logarithms is what a divergence is for small ones.
#[test]
fn conditionals_are_those_of_one_distribution() {
    let pmf = pmf();
    let rows = pmf.every_row();
    let log_probability = |model: &Model, known: &[usize], site: usize| -> Vec<f64> {
        let given = PartialDataset::hiding(&rows, |_, other| !known.contains(&other));
        let marginals = conditional_marginals(model, &given, &mut Silent).unwrap();
        let own = |row| marginals.of(row, site)[usize::from(rows.row(row)[site])];
        (0..rows.rows())
            .map(|row| f64::from(own(row)).ln())
            .collect()
    };
    let model = trained(&pmf);
    let log_probability = |known: &[usize], site: usize| log_probability(&model, known, site);
    let (mut disagreement, mut dependence) = (0.0, 0.0);
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        let [p_a, p_b] = [a, b].map(|site| log_probability(&[], site));
        let (b_given_a, a_given_b) = (log_probability(&[a], b), log_probability(&[b], a));
        for (row, weight) in pmf.probabilities.iter().enumerate() {
            let difference = p_a[row] + b_given_a[row] - p_b[row] - a_given_b[row];
            disagreement += weight * difference.powi(2) / 6.0;
            dependence += weight * (b_given_a[row] - p_b[row]).powi(2) / 6.0;
        }
    }
    println!(
        "P(A)P(B|A) against P(B)P(A|B): {disagreement:.2e} nats, P(B|A) against P(B): {dependence:.2e}"
    );
    assert!(
        disagreement < 0.01 && dependence > 5.0 * disagreement,
        "{disagreement}, {dependence}"
    );
}

/// Over all completions the averaged probabilities of the sampler sum to 1, as its draws are frequent, and the divergence
/// of conditionals is what the sum over all of them gives.
#[test]
fn probabilities_of_completions_are_the_frequencies_of_draws() {
    let pmf = pmf();
    let model = trained(&pmf);
    let every = pmf.every_row();
    let given = PartialDataset::hiding(&every, |_, site| site != 1);
    let log_probabilities = |orders: usize| {
        completion_log_probabilities(&model, &given, &every, orders, 5, &mut Silent).unwrap()
    };
    // Two hidden sites have two orders: 64 draws of them leave little error.
    let logs = log_probabilities(64);
    let options = SamplingOptions {
        batch: 5000,
        ..SamplingOptions::default()
    };
    let repeated = given.select(&[0]).repeat_rows(20_000);
    let options = SamplingOptions {
        sampler: Some(Sampler::Sequential),
        ..options
    };
    let drawn = complete(&model, &repeated, &options, &mut Silent).unwrap();
    let mut total = 0.0;
    for (row, log) in every.iter().zip(&logs) {
        if row[1] == every.row(0)[1] {
            let count = drawn.data.iter().filter(|drawn| *drawn == row).count();
            let (p, found) = (log.exp(), count as f64 / 20_000.0);
            assert!((p - found).abs() < 0.015, "{row:?}: {p} {found}");
            total += p;
        }
    }
    assert!((total - 1.0).abs() < 0.01, "{total}");

    let rows = pmf.draw(6, 3);
    let log_weight = |row: &[u16]| 2.0 + pmf.probabilities[pmf.index(row)].ln();
    let divergence = |draws: usize| {
        let options = ConditionalOptions {
            given: 1,
            draws,
            orders: 64,
            seed: 1,
        };
        conditional_divergence(&model, &log_weight, &rows, &options, &mut Silent).unwrap()
    };
    let whole = divergence(1000);
    assert_eq!(whole.mean.std_error, 0.0);
    assert!(whole.rows.iter().all(|row| row.value > -1e-3), "{whole:?}");
    assert!(whole.mean.value < 0.02, "{whole:?}");
    // Drawn completions estimate the same: patterns do not depend on their number, but 5 of at least 6 are drawn.
    let drawn = divergence(5);
    assert!(drawn.mean.std_error > 0.0);
    let distance = (drawn.mean.value - whole.mean.value).abs();
    assert!(distance < 5.0 * drawn.mean.std_error + 1e-3, "{drawn:?}");
    let all = ConditionalOptions {
        given: 3,
        ..ConditionalOptions::default()
    };
    let refused = conditional_divergence(&model, &log_weight, &rows, &all, &mut Silent);
    assert!(matches!(refused, Err(FlowError::NothingToScore)));
}

/// What is excluded is never drawn, and what is left has the conditionals of the rest.
#[test]
fn excluded_categories_leave_the_others_their_shares() {
    let pmf = pmf();
    let model = trained(&pmf);
    let legal = LegalOnly::new(&model, |site| (site == 2).then_some(0));
    let first = pmf.every_row().select(&[0]);
    let given = PartialDataset::hiding(&first, |_, site| site == 2).repeat_rows(20_000);
    for sampler in [Sampler::Sequential, Sampler::Ancestral] {
        let options = SamplingOptions {
            sampler: Some(sampler),
            batch: 5000,
            ..SamplingOptions::default()
        };
        let drawn = complete_with(&legal, &model, &given, &options, &mut Silent).unwrap();
        let found = |label: u16| drawn.data.iter().filter(|row| row[2] == label).count() as f64;
        let exact = exact(&pmf, &given, 0, 2);
        let share = exact[1] / (exact[1] + exact[2]);
        assert_eq!(found(0), 0.0);
        // The restricted channel is not that of a distribution, so only the sampler by the chain rule has no error here.
        let bound = if sampler == Sampler::Sequential {
            0.03
        } else {
            0.1
        };
        let error = (found(1) / 20_000.0 - share).abs();
        assert!(error < bound, "{sampler:?}: {error} at {share}");
    }
}

/// The mixture's conditionals are consistent by construction: `p(a) p(b|a) = p(b) p(a|b)`.
#[test]
fn a_mixture_alone_has_consistent_conditionals() {
    let pmf = Pmf::random(&[3, 3], 1.0, 9);
    let model = untrained(
        model_config(Head::Posterior, infinite(), mixed()),
        &pmf.in_proportion(500),
    );
    let every = pmf.every_row();
    let marginals = |hidden: [bool; 2]| {
        let given = PartialDataset::hiding(&every, |_, site| hidden[site]);
        conditional_marginals(&model, &given, &mut Silent).unwrap()
    };
    let (none, first, second) = (
        marginals([true, true]),
        marginals([true, false]),
        marginals([false, true]),
    );
    for (row, labels) in every.iter().enumerate() {
        let at = |own: &ConditionalMarginals, site: usize| {
            f64::from(own.of(row, site)[usize::from(labels[site])])
        };
        let one = at(&none, 0) * at(&second, 1);
        let other = at(&none, 1) * at(&first, 0);
        assert!(
            (one / other - 1.0).abs() < 1e-3,
            "{labels:?}: {one} {other}"
        );
    }
}

#[test]
fn conditions_need_a_posterior_and_the_schema() {
    let pmf = pmf();
    let train = pmf.every_row();
    let given = PartialDataset::hiding(&train, |_, site| site == 0);
    let field = untrained(model_config(Head::Field, infinite(), linear()), &train);
    let options = SamplingOptions::default();
    let refused = complete(&field, &given, &options, &mut Silent);
    assert!(matches!(refused, Err(FlowError::ConditionNeedsPosterior)));
    let refused = conditional_marginals(&field, &given, &mut Silent);
    assert!(matches!(refused, Err(FlowError::ConditionNeedsPosterior)));
    let config = TrainingConfig {
        conditional: true,
        ..learning_run()
    };
    let model = model_config(Head::Field, infinite(), linear());
    let refused = Trainer::new(model, config, &train, &device());
    assert!(matches!(refused, Err(FlowError::ConditionNeedsPosterior)));

    let posterior = untrained(model_config(Head::Posterior, infinite(), mixed()), &train);
    let deterministic = SamplingOptions {
        sampler: Some(Sampler::Rk4),
        ..SamplingOptions::default()
    };
    let refused = complete(&posterior, &given, &deterministic, &mut Silent);
    assert!(matches!(refused, Err(FlowError::ConditionNeedsPosterior)));
    let other = PartialDataset::hiding(&Pmf::coupled().every_row(), |_, _| true);
    let refused = complete(&posterior, &other, &options, &mut Silent);
    assert!(matches!(
        refused,
        Err(FlowError::Data(DataError::SchemaMismatch { .. }))
    ));
    let stopped = conditional_marginals(&posterior, &given, &mut |_: &Progress| Control::Stop);
    assert!(matches!(stopped, Err(FlowError::Interrupted(_))));
}
