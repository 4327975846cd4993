//! Mean field, belief propagation and Markov chains against exact values.

use super::{Recipe, SMALL, assert_close, assert_same, largest_difference, seconds_computed};
use segre::energy::exact::{enumerate, infer};
use segre::energy::infer::{Choice, InferOptions, InferReport};
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

/// Neighbours have different labels, of so many colours.
fn colouring(colours: usize, edges: &[[usize; 2]]) -> EnergyModel {
    let variables = 1 + edges.iter().flatten().max().unwrap();
    let table: Vec<f64> = (0..colours * colours)
        .map(|i| match i / colours == i % colours {
            true => f64::NEG_INFINITY,
            false => 0.0,
        })
        .collect();
    let factor = |edge: &[usize; 2]| Factor::new(edge.to_vec(), vec![colours; 2], table.clone());
    EnergyModel::new(vec![colours; variables], edges.iter().map(factor).collect())
}

/// No single factor shows that a triangle has no two colours, and messages around it agree on everything.
#[test]
fn what_is_impossible_is_refused_by_every_method() {
    let two = colouring(2, &[[0, 1], [1, 2], [2, 0]]);
    // The same far away from what else there is: a cycle of 11 variables.
    let mut edges: Vec<[usize; 2]> = (0..11).map(|i| [20 + i, 20 + (i + 1) % 11]).collect();
    edges.extend((0..19).map(|i| [i, i + 1]));
    for model in [two, colouring(2, &edges)] {
        let found = [
            belief_propagation(&model, &BeliefPropagationOptions::default(), &mut Silent),
            mean_field(&model, &MeanFieldOptions::default(), &mut Silent),
            gibbs(&model, &ChainOptions::default(), &mut Silent),
            infer(&model, 1 << 30, &mut Silent),
        ];
        for error in found.map(Result::unwrap_err) {
            let none = matches!(error, EnergyError::NoConfiguration { .. });
            assert!(none && error.to_string().contains("Z = 0"), "{error}");
        }
    }
}

/// Two parts that no chain goes between, as 0.3 and 0.7 of the probability.
fn divided() -> EnergyModel {
    let zero = f64::NEG_INFINITY;
    let field = Factor::new(vec![0], vec![2], vec![0.3_f64.ln(), 0.7_f64.ln()]);
    let differ = |a, b| Factor::new(vec![a, b], vec![2, 2], vec![zero, 0.0, 0.0, zero]);
    EnergyModel::new(vec![2; 3], vec![field, differ(0, 1), differ(1, 2)])
}

fn report(model: &EnergyModel, method: Choice) -> InferReport {
    let options = InferOptions {
        method,
        memory: 1 << 30,
        compare: false,
    };
    segre::energy::infer::run(model, &options, &mut Silent).unwrap()
}

#[test]
fn chains_that_cannot_mix_say_so_whatever_their_seed() {
    // Two labels of 25 variables that are all the same: too large to be compared with exact marginals.
    let equal: Vec<f64> = [0.0, f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0].to_vec();
    let pairs = (0..24).map(|i| Factor::new(vec![i, i + 1], vec![2, 2], equal.clone()));
    let field = Factor::new(vec![9], vec![2], vec![0.0, 2.0]);
    let chain = EnergyModel::new(vec![2; 25], pairs.chain([field]).collect());
    let antiferromagnet = grid("ising:4x4,coupling=-3,periodic");
    for model in [divided(), chain, antiferromagnet] {
        for seed in 0..6 {
            for chains in [1, 4] {
                let options = ChainOptions {
                    chains,
                    sweeps: 500,
                    seed,
                    ..ChainOptions::default()
                };
                let found = report(&model, Choice::Gibbs(options));
                let warned = found.warnings.iter().any(|w| w.contains("chains"));
                assert!(warned, "seed {seed}, {chains} chains: {found:?}");
            }
        }
    }
}

#[test]
fn chains_that_mix_are_not_doubted() {
    // Three colours of a path: every change is possible, step by step.
    let path: Vec<[usize; 2]> = (0..8).map(|i| [i, i + 1]).collect();
    for model in [
        colouring(3, &path),
        grid("ising:4x4,coupling=0.5,field=0.2"),
        SMALL.model(3),
    ] {
        let found = report(&model, Choice::Gibbs(ChainOptions::default()));
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        let Report::Chains(own) = &found.inference.report else {
            panic!("{found:?}");
        };
        assert_eq!((own.chains, own.unreached), (4, None));
    }
}

#[test]
fn mean_field_starts_at_a_configuration_where_no_random_start_finds_one() {
    let options = MeanFieldOptions {
        restarts: 1,
        ..MeanFieldOptions::default()
    };
    for model in [divided(), colouring(3, &[[0, 1], [1, 2], [2, 0]])] {
        let found = mean_field(&model, &options, &mut Silent).unwrap();
        let exact = exact(&model).log_z.unwrap();
        assert!(found.log_z.unwrap() <= exact + 1e-12, "{found:?}");
        assert!(found.energy.unwrap().is_finite());
    }
}

/// Uniform messages of a model without a field are a fixed point: it takes a sweep to see that, and strong couplings leave it.
#[test]
fn a_symmetric_fixed_point_is_counted_and_doubted_where_it_is_unstable() {
    let bp = || Choice::Bp(BeliefPropagationOptions::default());
    let sweeps = |found: &InferReport| match &found.inference.report {
        Report::BeliefPropagation(report) => (report.sweeps, report.converged),
        other => panic!("{other:?}"),
    };
    let strong = report(&grid("ising:3x3,coupling=2.5"), bp());
    assert_eq!(sweeps(&strong), (1, true));
    assert!(matches!(&strong.warnings[..], [one] if one.contains("unstable")));
    for stable in ["ising:3x3,coupling=0.3", "ising:1x9,coupling=2.5"] {
        let found = report(&grid(stable), bp());
        assert_eq!(sweeps(&found), (1, true), "{stable}");
        assert!(found.warnings.is_empty(), "{stable}: {:?}", found.warnings);
    }
}

/// A variable of many factors: what all of them tell it takes steps linear in their number, with either schedule.
#[test]
fn belief_propagation_is_linear_in_the_factors_of_a_variable() {
    let leaf = |i: usize| {
        let turn = i as f64 * 0.618;
        let field = Factor::new(vec![0], vec![3], vec![turn.fract(), 0.0, -turn.fract()]);
        let table = (0..6).map(|k| ((k as f64 + 1.0) * turn).fract()).collect();
        [field, Factor::new(vec![0, i], vec![3, 2], table)]
    };
    let count = 1500;
    let states = std::iter::once(3).chain(std::iter::repeat_n(2, count));
    let model = EnergyModel::new(states.collect(), (1..=count).flat_map(leaf).collect());
    let exact = exact(&model);
    for schedule in [Schedule::Sequential, Schedule::Residual] {
        let options = BeliefPropagationOptions {
            schedule,
            ..BeliefPropagationOptions::default()
        };
        let started = seconds_computed();
        let found = belief_propagation(&model, &options, &mut Silent).unwrap();
        let seconds = seconds_computed() - started;
        assert_same(&format!("{schedule:?}"), &found, &exact, 1e-6);
        // The square of 1500 factors takes a minute.
        assert!(seconds < 10.0, "{schedule:?}: {seconds:.1} s");
    }
}
