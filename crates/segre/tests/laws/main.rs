//! Laws of the geometry and of the probability paths, on random cases in `f64`.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod geometry;
mod path;
mod simplex;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use segre::geometry::AssignmentManifold;

/// Cases per law; failures are printed, not written to files.
fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Numbers of categories of up to three sites, all alike.
fn alike() -> impl Strategy<Value = Vec<usize>> {
    (1..=3_usize, 2..=4_usize).prop_map(|(sites, categories)| vec![categories; sites])
}

/// Numbers of categories of up to four sites: mixed, so with padding, and some with one category.
fn mixed() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..=5_usize, 1..=4)
}

const BATCH: usize = 2;

/// A manifold with a generator of random vectors on it.
struct World {
    manifold: AssignmentManifold,
    rng: ChaCha8Rng,
}

impl World {
    fn new(cardinalities: &[usize], seed: u64) -> Self {
        let manifold = AssignmentManifold::new(cardinalities, &Device::flex());
        Self {
            manifold,
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Normal numbers everywhere, in the padding too: nothing may depend on them.
    fn vector(&mut self) -> Tensor<3> {
        let shape = [BATCH, self.manifold.sites(), self.manifold.categories()];
        let count = shape.iter().product();
        double(
            StandardNormal
                .sample_iter(&mut self.rng)
                .take(count)
                .collect(),
            shape,
        )
    }

    fn tangent(&mut self) -> Tensor<3> {
        let vector = self.vector();
        self.manifold.project(vector)
    }

    fn point(&mut self) -> Tensor<3> {
        let vector = self.vector();
        self.manifold.point(vector)
    }

    /// The labels of a random state, and their corners in `f64`.
    fn data(&mut self) -> (Tensor<2, Int>, Tensor<3>) {
        let state = self.vector();
        let labels = self.manifold.labels(state);
        let corners = self.manifold.corners(labels.clone()).cast(DType::F64);
        (labels, corners)
    }
}

fn double<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(
        TensorData::new(values, shape),
        (&Device::flex(), DType::F64),
    )
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    assert_eq!(
        tensor.dtype(),
        DType::F64,
        "a law must be checked in double precision"
    );
    tensor.into_data().iter::<f64>().collect()
}

/// The same time for all sites of all examples.
fn at(time: f64) -> Tensor<2> {
    double(vec![time; BATCH], [BATCH, 1])
}

#[track_caller]
fn assert_close<const D: usize>(left: Tensor<D>, right: Tensor<D>, tolerance: f64) {
    assert_eq!(left.dims(), right.dims());
    let (left, right) = (values(left), values(right));
    let difference = left.iter().zip(&right).map(|(a, b)| (a - b).abs());
    // A NaN is a difference, too.
    let worst = difference.fold(0.0, |worst, d| if d <= worst { worst } else { d });
    assert!(
        worst <= tolerance,
        "they differ by {worst:e}:\n{left:?}\n{right:?}"
    );
}
