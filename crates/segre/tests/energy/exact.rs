//! The junction tree against enumeration and published figures; exact samples; refusals.

use super::{Recipe, SMALL, assert_close, assert_same, largest_difference};
use segre::energy::exact::{ExactPlan, enumerate, infer};
use segre::energy::{EnergyError, EnergyModel, Factor, GridModel, Report};
use segre::progress::{Control, Progress, Silent};

const BUDGET: u64 = 1 << 30;

#[test]
fn table1_is_reproduced_to_the_printed_digits() {
    let result = infer(&GridModel::table1(3, 8).build(), BUDGET, &mut Silent).unwrap();
    assert!((result.log_z.unwrap() - 5.1362).abs() < 5e-5);
    assert!((result.energy.unwrap() + 1.540).abs() < 5.1e-4);
    assert!((result.entropy.unwrap() - 3.597).abs() < 5e-4);
    let outer = [
        0.0149, 0.1406, 0.2826, 0.4274, 0.5726, 0.7174, 0.8594, 0.9851,
    ];
    let middle = [
        0.0110, 0.1378, 0.2814, 0.4271, 0.5729, 0.7186, 0.8622, 0.9890,
    ];
    let expected = [outer, middle, outer].concat();
    for (site, (marginal, expected)) in result.marginals.iter().zip(expected).enumerate() {
        let found = marginal[1];
        assert!((found - expected).abs() <= 5.1e-5, "site {site}: {found}");
    }
}

#[test]
fn the_junction_tree_is_enumeration_with_and_without_evidence() {
    let mut possible = 0;
    for seed in 0..60 {
        let zeros = [0.0, 0.3, 0.6][seed as usize % 3];
        let mut model = Recipe { zeros, ..SMALL }.model(seed);
        if seed % 2 == 0 {
            let last = model.cardinalities()[3] - 1;
            match model.condition(&[(0, 0), (3, last)]) {
                Ok(given) => model = given,
                Err(EnergyError::NoConfiguration { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
        }
        match (infer(&model, BUDGET, &mut Silent), enumerate(&model)) {
            (Ok(found), Ok(expected)) => {
                assert_same(&format!("seed {seed}"), &found, &expected, 1e-10);
                possible += 1;
            }
            (Err(found), Err(expected)) => {
                for error in [found, expected] {
                    let none = matches!(error, EnergyError::NoConfiguration { .. });
                    assert!(none, "{error}");
                }
            }
            (found, expected) => panic!("seed {seed}: {found:?} beside {expected:?}"),
        }
    }
    assert!(
        possible >= 40,
        "only {possible} models have a configuration"
    );
}

#[test]
fn weights_beyond_the_range_of_numbers_are_exact_too() {
    let mut logarithmic = 0;
    for seed in 0..20 {
        let range = [150.0, 400.0, 2000.0, 30000.0][seed as usize % 4];
        let model = Recipe {
            range,
            zeros: 0.2,
            ..SMALL
        }
        .model(seed);
        let Ok(expected) = enumerate(&model) else {
            continue;
        };
        let found = infer(&model, BUDGET, &mut Silent).unwrap();
        // The energy is as large as the range, and so is its rounding error.
        assert_same(&format!("seed {seed}"), &found, &expected, 1e-9);
        let Report::Exact(report) = &found.report else {
            panic!("not the report of the junction tree");
        };
        logarithmic += usize::from(report.logarithmic);
    }
    assert!(logarithmic >= 5, "logarithms were used {logarithmic} times");
}

/// A message that underflows where the rest of the model makes up for it: the sum of a long chain of
/// small weights beside an equally large reward at its end.
#[test]
fn an_underflow_that_later_weights_undo_is_not_lost() {
    let states = vec![2, 2];
    let mut factors: Vec<Factor> = (0..40)
        .map(|i| {
            Factor::new(
                vec![i, i + 1],
                states.clone(),
                vec![0.0, -900.0, -900.0, -20.0],
            )
        })
        .collect();
    factors.push(Factor::new(vec![40], vec![2], vec![0.0, 790.0]));
    let model = EnergyModel::new(vec![2; 41], factors);
    let found = infer(&model, BUDGET, &mut Silent).unwrap();
    // All zeros weigh 1, all ones exp(790 − 800): the rest does not count.
    assert_close(
        "log Z",
        found.log_z.unwrap(),
        (-10_f64).exp().ln_1p(),
        1e-12,
    );
    let ones = 1.0 / (1.0 + 10_f64.exp());
    assert_close("marginal", found.marginals[20][1], ones, 1e-12);
}

#[test]
fn cycles_have_the_value_of_their_transfer_matrix() {
    // A cycle of n Potts spins: Z = λ₁ⁿ + (c − 1) λ₂ⁿ.
    for (n, c, coupling) in [(5, 2, 0.7), (40, 5, 1.3), (300, 3, -0.4_f64)] {
        let text = format!("potts:1x{n},c={c},coupling={coupling},periodic");
        let model = GridModel::parse(&text).unwrap().unwrap().build();
        let off = (-coupling).exp();
        let (first, second) = (1.0 + (f64::from(c) - 1.0) * off, 1.0 - off);
        let ratio: f64 = second / first;
        let expected = f64::from(n) * first.ln() + ((f64::from(c) - 1.0) * ratio.powi(n)).ln_1p();
        let found = infer(&model, BUDGET, &mut Silent).unwrap();
        assert_close(&text, found.log_z.unwrap(), expected, 1e-12);
    }
}

#[test]
fn threads_change_no_digit() {
    let grid = GridModel::parse("potts:9x14,c=3,coupling=0.8,field=0.2")
        .unwrap()
        .unwrap();
    let model = grid.build();
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let plan = ExactPlan::new(&model).unwrap();
            (
                plan.infer(&mut Silent).unwrap(),
                plan.sample(20, 3, &mut Silent).unwrap(),
            )
        })
    };
    assert_eq!(with_threads(1), with_threads(3));
}

#[test]
fn samples_are_independent_draws_of_the_distribution() {
    const SAMPLES: usize = 40_000;
    let model = Recipe {
        zeros: 0.2,
        ..SMALL
    }
    .model(7);
    let given = model.condition(&[(2, 0)]).unwrap();
    let exact = enumerate(&given).unwrap();
    let plan = ExactPlan::new(&given).unwrap();
    let samples = plan.sample(SAMPLES, 1, &mut Silent).unwrap();
    let mut frequencies: Vec<Vec<f64>> = given
        .cardinalities()
        .iter()
        .map(|c| vec![0.0; *c])
        .collect();
    let mut energy = 0.0;
    for labels in &samples {
        let own = given.energy(labels);
        assert!(own < f64::INFINITY, "an impossible sample {labels:?}");
        energy += own / SAMPLES as f64;
        for (frequency, label) in frequencies.iter_mut().zip(labels) {
            frequency[*label] += 1.0 / SAMPLES as f64;
        }
    }
    for (found, expected) in frequencies
        .iter()
        .flatten()
        .zip(exact.marginals.iter().flatten())
    {
        let error = (expected * (1.0 - expected) / SAMPLES as f64).sqrt();
        assert!(
            (found - expected).abs() <= 5.0 * error + 1e-9,
            "{found} {expected}"
        );
    }
    // The mean energy sees the joint distribution, not only single variables.
    assert!((energy - exact.energy.unwrap()).abs() < 0.05, "{energy}");
    assert_eq!(samples[..50], plan.sample(50, 1, &mut Silent).unwrap());
    assert_ne!(samples[..50], plan.sample(50, 2, &mut Silent).unwrap());
}

#[test]
fn what_does_not_fit_is_refused_with_its_estimate_before_any_work() {
    let model = GridModel::parse("potts:40x40,c=3")
        .unwrap()
        .unwrap()
        .build();
    let started = std::time::Instant::now();
    let error = infer(&model, BUDGET, &mut Silent).unwrap_err();
    assert!(matches!(error, EnergyError::TooWide { width, .. } if width >= 40));
    let message = error.to_string();
    assert!(
        message.contains("width") && message.contains("1.0 GiB"),
        "{message}"
    );
    assert!(started.elapsed().as_secs() < 60);
    let small = GridModel::table1(3, 8).build();
    let plan = ExactPlan::new(&small).unwrap();
    plan.check(plan.cost().bytes as u64).unwrap();
    plan.check(plan.cost().bytes as u64 - 1).unwrap_err();
}

#[test]
fn the_caller_can_stop() {
    let model = GridModel::table1(3, 8).build();
    let stopped = infer(&model, BUDGET, &mut |_: &Progress| Control::Stop);
    assert!(matches!(stopped, Err(EnergyError::Interrupted(_))));
}

#[test]
fn enumeration_refuses_what_would_not_end() {
    let model = GridModel::table1(5, 8).build();
    assert!(matches!(
        enumerate(&model),
        Err(EnergyError::TooManyConfigurations { .. })
    ));
}

#[test]
fn models_without_variables_or_factors_have_their_trivial_values() {
    let empty = EnergyModel::new(Vec::new(), vec![Factor::constant(2.5)]);
    let found = infer(&empty, BUDGET, &mut Silent).unwrap();
    assert_close("log Z", found.log_z.unwrap(), 2.5, 1e-15);
    assert_close("entropy", found.entropy.unwrap(), 0.0, 1e-15);
    let free = EnergyModel::new(vec![2, 1, 5], Vec::new());
    let found = infer(&free, BUDGET, &mut Silent).unwrap();
    assert_close("log Z", found.log_z.unwrap(), 10_f64.ln(), 1e-15);
    assert_same("free", &found, &enumerate(&free).unwrap(), 1e-14);
    assert!(largest_difference(&found, &found) == 0.0);
}
