//! Divergences of perfect and of uniform samplers from every built-in distribution.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::{DataError, DataSource, Dataset, KnownDistribution};
use crate::evaluation::EvaluationError;

fn known(source: &str) -> Box<dyn KnownDistribution> {
    let source = DataSource::parse(source).unwrap();
    source.known_distribution().unwrap()
}

fn all() -> impl Iterator<Item = Box<dyn KnownDistribution>> {
    let sources = [
        "coupled-binary",
        "eight-gaussians",
        "pinwheel",
        "product:c=6,n=3,seed=1",
        "potts-chain:c=5,n=4,seed=2",
        "potts-chain:c=7,n=1,seed=2",
    ];
    sources.into_iter().map(known)
}

/// Draws of the distribution itself have the floor.
#[test]
fn a_perfect_sampler_has_the_floor() {
    const ROWS: usize = 512_000;
    for (number, distribution) in all().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
        let samples = distribution.sample(ROWS, &mut rng).unwrap();
        let divergence = Divergence::estimate(&*distribution, &samples).unwrap();
        let spread =
            5.0 * (2.0 * divergence.kl_floor / ROWS as f64).sqrt() + 0.05 * divergence.kl_floor;
        assert!(
            (divergence.kl - divergence.kl_floor).abs() < spread,
            "{divergence:?}"
        );
        assert!(divergence.total_variation < (2.0 * divergence.kl_floor).sqrt());
    }
}

#[test]
fn a_uniform_sampler_has_the_divergence_that_is_printed_for_it() {
    for distribution in all() {
        let schema = distribution.schema().clone();
        let labels = configurations(&schema.cardinalities());
        let samples = Dataset::new(schema, labels).unwrap();
        let divergence = Divergence::estimate(&*distribution, &samples).unwrap();
        assert!(
            (divergence.kl - divergence.kl_uniform).abs() < 1e-9,
            "{divergence:?}"
        );
    }
}

#[test]
fn products_are_compared_by_site() {
    let product = known("product:c=160,n=4,seed=0");
    let samples = product
        .sample(200_000, &mut ChaCha8Rng::seed_from_u64(3))
        .unwrap();
    let divergence = Divergence::estimate(&*product, &samples).unwrap();
    assert_eq!(divergence.comparison, Comparison::SiteAverage);
    assert!(
        (divergence.kl_floor / (159.0 / 400_000.0) - 1.0).abs() < 1e-3,
        "{divergence:?}"
    );
    assert!(
        (divergence.kl / divergence.kl_floor - 1.0).abs() < 0.2,
        "{divergence:?}"
    );
    // ln(e − 1) − 1/2 = 0.0413 for many categories.
    assert!(
        (divergence.kl_uniform - 0.0413).abs() < 0.004,
        "{divergence:?}"
    );
}

#[test]
fn samples_of_another_schema_are_refused() {
    let pinwheel = known("pinwheel");
    let samples = pinwheel
        .sample(5, &mut ChaCha8Rng::seed_from_u64(0))
        .unwrap();
    assert!(matches!(
        Divergence::estimate(&*known("coupled-binary"), &samples),
        Err(EvaluationError::Data(DataError::SchemaMismatch { .. }))
    ));
    let none = samples.select(&[]);
    assert!(Divergence::estimate(&*pinwheel, &none).is_err());
}

/// All rows one after the other, flat.
fn configurations(cardinalities: &[usize]) -> Vec<u16> {
    let mut labels = Vec::new();
    for index in 0..cardinalities.iter().product::<usize>() {
        let mut rest = index;
        for count in cardinalities {
            labels.push((rest % count) as u16);
            rest /= count;
        }
    }
    labels
}
