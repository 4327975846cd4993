//! Laws that every built-in distribution obeys, and their known numbers.

use super::*;

/// Every distribution, with its entropy and the tolerance of that figure.
fn all() -> Vec<(Box<dyn KnownDistribution>, f64, f64)> {
    let mut all: Vec<(Box<dyn KnownDistribution>, f64, f64)> = Vec::new();
    // −0.9 ln 0.45 − 0.1 ln 0.05.
    all.push((Box::new(CoupledBinary::new()), 1.018_230_153_4, 1e-9));
    // Published tables of 1e9 and 5e7 draws have 6.320012 and 6.94254.
    all.push((Box::new(EightGaussians), 6.319_964, 1e-5));
    all.push((Box::new(Pinwheel), 6.942_43, 2e-5));
    let product = Product::new(6, 3, 1);
    let marginal = |p: &Vec<f64>| -p.iter().map(|p| p * p.ln()).sum::<f64>();
    let entropy = product
        .site_probabilities()
        .unwrap()
        .iter()
        .map(marginal)
        .sum();
    all.push((Box::new(product), entropy, 1e-12));
    // Its entropy is checked against the sum below; that of one site is the product's.
    for (categories, sites) in [(5, 4), (7, 1)] {
        let chain = PottsChain::new(categories, sites, 2);
        let entropy = chain.entropy();
        all.push((Box::new(chain), entropy, 1e-11));
    }
    all
}

fn configurations(cardinalities: &[usize]) -> impl Iterator<Item = Vec<u16>> {
    (0..cardinalities.iter().product::<usize>()).map(move |mut index| {
        let digit = |&count: &usize| {
            let label = (index % count) as u16;
            index /= count;
            label
        };
        cardinalities.iter().map(digit).collect()
    })
}

#[test]
fn masses_sum_to_one_and_give_the_entropy_and_the_divergences() {
    for (distribution, entropy, tolerance) in all() {
        let (mut total, mut sum, mut logs) = (0.0, 0.0, 0.0);
        for row in configurations(&distribution.schema().cardinalities()) {
            let log = distribution.log_pmf(&row);
            assert!(log.is_finite(), "{distribution:?} at {row:?}");
            total += log.exp();
            sum -= log * log.exp();
            logs += log;
        }
        let support = distribution.support();
        assert!(
            (total - 1.0).abs() < 1e-12,
            "{distribution:?} sums to {total}"
        );
        assert!((sum - distribution.entropy()).abs() < 1e-11);
        assert!(
            (sum - entropy).abs() < tolerance,
            "{distribution:?} has entropy {sum}"
        );
        let of_uniform = -support.ln() - logs / support;
        assert!((of_uniform - distribution.kl_of_uniform()).abs() < 1e-10);
        assert!((support.ln() - sum - distribution.kl_to_uniform()).abs() < 1e-11);
    }
}

/// A perfect sampler: the draws' divergence is the floor, and Pearson's statistic of the cells with
/// at least five expected draws is chi-squared.
#[test]
fn draws_follow_the_masses() {
    const ROWS: usize = 512_000;
    for (number, (distribution, ..)) in all().into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
        let samples = distribution.sample(ROWS, &mut rng).unwrap();
        let cardinalities = distribution.schema().cardinalities();
        let mut counts = std::collections::HashMap::<&[u16], u32>::new();
        samples
            .iter()
            .for_each(|row| *counts.entry(row).or_default() += 1);
        let (mut statistic, mut cells, mut rest, mut rest_count) = (0.0, 0.0, 0.0, 0.0);
        for row in configurations(&cardinalities) {
            let expected = distribution.log_pmf(&row).exp() * ROWS as f64;
            let count = f64::from(counts.get(&row[..]).copied().unwrap_or(0));
            if expected < 5.0 {
                (rest, rest_count) = (rest + expected, rest_count + count);
            } else {
                statistic += (count - expected).powi(2) / expected;
                cells += 1.0;
            }
        }
        let freedom: f64 = cells - 1.0;
        let deviations = (statistic - freedom) / (2.0 * freedom).sqrt();
        assert!(
            deviations.abs() < 4.0,
            "{distribution:?}: {statistic} for {freedom}"
        );
        assert!(
            (rest_count - rest).abs() < 5.0 * rest.sqrt() + 1e-6,
            "{rest_count} for {rest}"
        );
    }
}

#[test]
fn draws_and_targets_depend_on_their_own_seeds_only() {
    let draw = |seed: u64| Pinwheel.draw(50, &mut ChaCha8Rng::seed_from_u64(seed));
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let target = |seed: u64| Product::new(5, 2, seed).log_pmf(&[1, 3]);
    assert_eq!(target(4).to_bits(), target(4).to_bits());
    assert_ne!(target(4).to_bits(), target(5).to_bits());
}
