//! Mean field, belief propagation and Markov chains against exact values.

use super::{Recipe, SMALL, assert_close, assert_same, largest_difference};
use segre::energy::exact::{enumerate, infer};
use segre::energy::{
    BeliefPropagationOptions, ChainOptions, EnergyError, EnergyModel, Factor, GridModel, Inference,
    MeanFieldOptions, Report, Schedule, belief_propagation, gibbs, mean_field, swendsen_wang,
};
use segre::progress::Silent;

fn grid(text: &str) -> EnergyModel {
    GridModel::parse(text).unwrap().unwrap().build()
}

fn exact(model: &EnergyModel) -> Inference {
    infer(model, 1 << 30, &mut Silent).unwrap()
}

#[test]
fn mean_field_of_table1_has_the_known_errors() {
    let model = GridModel::table1(3, 8).build();
    let found = mean_field(&model, &MeanFieldOptions::default(), &mut Silent).unwrap();
    let exact = exact(&model);
    let kl = exact.log_z.unwrap() - found.log_z.unwrap();
    assert!((kl - 1.968).abs() < 5e-4, "{kl}");
    assert!((found.mean_marginal_error(&exact) - 0.1979).abs() < 5e-5);
    assert!((found.energy.unwrap() + 1.566).abs() < 5e-4);
    assert!((found.entropy.unwrap() - 1.602).abs() < 5e-4);
}

#[test]
fn mean_field_is_a_bound_and_exact_for_independent_variables() {
    for seed in 0..20 {
        let model = SMALL.model(seed);
        let found = mean_field(&model, &MeanFieldOptions::default(), &mut Silent).unwrap();
        let log_z = enumerate(&model).unwrap().log_z.unwrap();
        assert!(found.log_z.unwrap() <= log_z + 1e-12, "seed {seed}");
        let sum = found.entropy.unwrap() - found.energy.unwrap();
        assert_close("bound", found.log_z.unwrap(), sum, 1e-12);
        let alone = Recipe {
            most_variables_of_a_factor: 1,
            ..SMALL
        };
        let alone = alone.model(seed).condition(&[(1, 0)]).unwrap();
        let found = mean_field(&alone, &MeanFieldOptions::default(), &mut Silent).unwrap();
        assert_same("independent", &found, &enumerate(&alone).unwrap(), 1e-12);
    }
}

#[test]
fn mean_field_avoids_zeros_where_a_product_can() {
    // x0 = x1 exactly: the best product is a point.
    let zero = f64::NEG_INFINITY;
    let equal = Factor::new(vec![0, 1], vec![2, 2], vec![0.0, zero, zero, 1.0]);
    let model = EnergyModel::new(vec![2, 2], vec![equal]);
    let found = mean_field(&model, &MeanFieldOptions::default(), &mut Silent).unwrap();
    assert_close("bound", found.log_z.unwrap(), 1.0, 1e-12);
}

/// A random tree with factors of two and three variables, zeros and evidence.
fn tree(seed: u64) -> EnergyModel {
    let recipe = Recipe {
        variables: 3,
        factors: 1,
        ..SMALL
    };
    let mut factors = Vec::new();
    for i in 0..5_u64 {
        // Factor i joins variables 2i, 2i + 1 and 2i + 2: a chain of triples.
        let start = 2 * i as usize;
        let mut values = recipe.model(seed * 100 + i).factors()[0]
            .log_values()
            .to_vec();
        values.resize(27, 0.5 - i as f64 * 0.1);
        if seed % 2 == 1 {
            values[5] = f64::NEG_INFINITY;
        }
        factors.push(Factor::new(
            vec![start + 2, start, start + 1],
            vec![3; 3],
            values,
        ));
    }
    factors.push(Factor::new(vec![4], vec![3], vec![0.0, 1.0, -2.0]));
    EnergyModel::new(vec![3; 11], factors)
        .condition(&[(3, 1)])
        .unwrap()
}

#[test]
fn belief_propagation_is_exact_on_trees() {
    for seed in 0..8 {
        let model = tree(seed);
        let exact = exact(&model);
        for schedule in [Schedule::Sequential, Schedule::Residual] {
            for damping in [0.0, 0.4] {
                let options = BeliefPropagationOptions {
                    schedule,
                    damping,
                    tolerance: 1e-13,
                    ..BeliefPropagationOptions::default()
                };
                let found = belief_propagation(&model, &options, &mut Silent).unwrap();
                let Report::BeliefPropagation(report) = &found.report else {
                    panic!("not the report of belief propagation");
                };
                assert!(report.converged, "{report:?}");
                assert_same(&format!("{seed} {schedule:?}"), &found, &exact, 1e-10);
            }
        }
    }
}

#[test]
fn belief_propagation_says_when_it_has_not_converged() {
    let model = grid("ising:6x6,coupling=-3,field=0.1,periodic");
    let options = BeliefPropagationOptions {
        sweeps: 3,
        ..BeliefPropagationOptions::default()
    };
    let found = belief_propagation(&model, &options, &mut Silent).unwrap();
    let Report::BeliefPropagation(report) = &found.report else {
        panic!("not the report of belief propagation");
    };
    assert!(!report.converged && report.residual > options.tolerance);
    let options = BeliefPropagationOptions {
        damping: 1.0,
        ..options
    };
    let error = belief_propagation(&model, &options, &mut Silent).unwrap_err();
    assert!(error.to_string().contains("damping is 1"), "{error}");
}

/// The chains' marginals and energy are as far off as they say themselves.
#[track_caller]
fn assert_agrees(what: &str, found: &Inference, exact: &Inference) {
    let Report::Chains(report) = &found.report else {
        panic!("not the report of chains");
    };
    assert!(report.largest_r_hat < 1.05, "{what}: {report:?}");
    // Eight half chains estimate the error, and the largest of all labels is compared.
    let tolerance = 5.0 * report.largest_marginal_std_error + 1e-12;
    let difference = largest_difference(found, exact);
    assert!(
        difference < tolerance,
        "{what}: {difference} beside {tolerance}"
    );
    assert!(tolerance < 0.05, "{what}: {tolerance} proves nothing");
    let off = (found.energy.unwrap() - exact.energy.unwrap()).abs();
    let error = found.energy_std_error.unwrap();
    assert!(
        off < 5.0 * error,
        "{what}: energy off by {off}, error {error}"
    );
    assert!(found.log_z.is_none() && !found.exact);
}

#[test]
fn chains_agree_with_exact_values() {
    let options = ChainOptions {
        sweeps: 20_000,
        seed: 5,
        ..ChainOptions::default()
    };
    let model = SMALL.model(3).condition(&[(1, 0)]).unwrap();
    let found = gibbs(&model, &options, &mut Silent).unwrap();
    assert_agrees("gibbs", &found, &enumerate(&model).unwrap());
    for text in [
        "potts:4x4,c=3,coupling=1.1,field=0.3,periodic",
        "ising:5x5,coupling=0.8,field=-0.2",
    ] {
        let model = grid(text).condition(&[(6, 1)]).unwrap();
        let exact = exact(&model);
        assert_agrees(text, &gibbs(&model, &options, &mut Silent).unwrap(), &exact);
        assert_agrees(
            text,
            &swendsen_wang(&model, &options, &mut Silent).unwrap(),
            &exact,
        );
    }
}

#[test]
fn swendsen_wang_mixes_where_gibbs_is_stuck_and_both_say_so() {
    let model = grid("ising:16x16,coupling=1.3");
    let options = ChainOptions {
        burn_in: 300,
        sweeps: 2000,
        ..ChainOptions::default()
    };
    let r_hat = |found: Inference| match found.report {
        Report::Chains(report) => report.largest_r_hat,
        other => panic!("{other:?}"),
    };
    let stuck = r_hat(gibbs(&model, &options, &mut Silent).unwrap());
    let mixed = r_hat(swendsen_wang(&model, &options, &mut Silent).unwrap());
    assert!(mixed < 1.02, "Swendsen–Wang: {mixed}");
    assert!(stuck > 1.1, "Gibbs: {stuck}");
}

#[test]
fn swendsen_wang_refuses_antiferromagnets() {
    let model = grid("ising:3x3,coupling=-1");
    let error = swendsen_wang(&model, &ChainOptions::default(), &mut Silent).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("factor 0") && message.contains("antiferromagnetic"),
        "{message}"
    );
}

#[test]
fn gibbs_refuses_when_it_finds_no_start() {
    // No labeling of a triangle with two colours has different neighbours.
    let zero = f64::NEG_INFINITY;
    let differ = |a, b| Factor::new(vec![a, b], vec![2, 2], vec![zero, 0.0, 0.0, zero]);
    let model = EnergyModel::new(vec![2; 3], vec![differ(0, 1), differ(1, 2), differ(2, 0)]);
    let error = gibbs(&model, &ChainOptions::default(), &mut Silent).unwrap_err();
    assert!(matches!(error, EnergyError::NoStart { .. }), "{error}");
}
