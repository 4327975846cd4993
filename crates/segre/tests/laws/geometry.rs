//! Laws of the simplex, the assignment manifold and the Segre embedding.

use segre::geometry::{segre as embedding, simplex};
use segre::ode::{Method, Stepping, TimeGrid, integrate};

use super::*;

proptest! {
    #![proptest_config(cases())]

    /// RAF (8): `T(exp_W(V)) = exp_{T(W)}(Q V)`.
    #[test]
    fn lifting_lemma(cardinalities in alike(), seed: u64) {
        let mut world = World::new(&cardinalities, seed);
        let (base, vector) = (world.point(), world.vector());
        let below = embedding::embed(world.manifold.lift(base.clone(), vector.clone()));
        let above = simplex::lift(embedding::embed(base), embedding::embed_coordinates(vector));
        assert_close(below, above, 1e-13);
    }

    /// `M T(W) = W`, and `M = Qᵀ`.
    #[test]
    fn marginals_of_the_embedding(cardinalities in alike(), seed: u64) {
        let mut world = World::new(&cardinalities, seed);
        let (sites, categories) = (world.manifold.sites(), world.manifold.categories());
        let (base, vector) = (world.point(), world.vector());
        let joint = embedding::embed(base.clone());
        assert_close(embedding::marginalize(joint, sites, categories), base, 1e-13);
        let joint = embedding::embed(world.vector());
        let above = (joint.clone() * embedding::embed_coordinates(vector.clone())).sum();
        let below = (embedding::marginalize(joint, sites, categories) * vector).sum();
        assert_close(above, below, 1e-10);
    }

    /// EG Prop. 1: with the same marginals, `H(T(W)) − H(p) = KL(p : T(W)) > 0`.
    #[test]
    fn the_embedding_has_maximal_entropy(
        sites in 2..=4_usize,
        categories in 2..=3_usize,
        seed: u64,
    ) {
        let mut world = World::new(&vec![categories; sites], seed);
        let vector = world.vector();
        let base = world.manifold.point(vector.clone());
        let joint = embedding::embed(base.clone());
        // In the kernel of M: mean-free factors at two sites, any factors at the others.
        let shift = (0..sites).map(|site| if site < 2 { 0.0 } else { 1.0 }).collect();
        let factors = world.tangent() + double(shift, [1, sites, 1]);
        let kernel = embedding::embed(factors);
        let size = kernel.clone().abs().max_dim(1);
        let other = joint.clone() + kernel / size * joint.clone().min_dim(1) * 0.5;
        assert_close(embedding::marginalize(other.clone(), sites, categories), base, 1e-13);
        let entropy = |p: &Tensor<2>| (p.clone() * p.clone().log()).sum_dim(1).neg();
        let gain = entropy(&joint) - entropy(&other);
        let divergence = (other.clone() * (other.log() - joint.clone().log())).sum_dim(1);
        assert_close(gain.clone(), divergence, 1e-13);
        prop_assert!(values(gain).into_iter().all(|gain| gain > 0.0));
        // The entropy of a product is the sum of the sites' entropies.
        assert_close(world.manifold.entropy(vector).sum_dim(1), entropy(&joint), 1e-12);
    }

    /// Each exponential map and its inverse, both ways; `exp_W = Exp_W ∘ R_W`.
    #[test]
    fn round_trips(cardinalities in mixed(), seed: u64) {
        let mut world = World::new(&cardinalities, seed);
        let (base, point, vector) = (world.point(), world.point(), world.vector());
        let m = &world.manifold;
        let tangent = m.project(vector.clone());
        let to = m.inverse_lift(base.clone(), point.clone());
        assert_close(m.lift(base.clone(), to), point.clone(), 1e-12);
        let lifted = m.lift(base.clone(), vector.clone());
        assert_close(m.inverse_lift(base.clone(), lifted.clone()), tangent.clone(), 1e-11);
        assert_close(m.coordinates(m.point(vector.clone())), tangent.clone(), 1e-12);
        assert_close(m.point(m.coordinates(point.clone())), point.clone(), 1e-13);
        let to = m.inverse_exponential(base.clone(), point.clone());
        assert_close(m.exponential(base.clone(), to), point, 1e-11);
        let velocity = m.replicator(base.clone(), vector);
        assert_close(m.exponential(base.clone(), velocity.clone()), lifted.clone(), 1e-11);
        assert_close(m.inverse_exponential(base.clone(), lifted.clone()), velocity, 1e-11);
        // In e-coordinates the lift is an addition.
        assert_close(m.coordinates(lifted), m.coordinates(base) + tangent, 1e-11);
    }

    /// `R_W` kills constants, maps into the tangent space and inverts the Fisher–Rao metric there.
    #[test]
    fn the_replicator_is_the_inverse_metric(
        cardinalities in mixed(),
        shift in -5.0..5.0,
        seed: u64,
    ) {
        let mut world = World::new(&cardinalities, seed);
        let (base, vector, tangent) = (world.point(), world.vector(), world.tangent());
        let m = &world.manifold;
        let of_constant = m.replicator(base.clone(), vector.full_like(shift));
        assert_close(of_constant, vector.zeros_like(), 1e-14);
        let image = m.replicator(base.clone(), vector.clone());
        assert_close(m.project(image.clone()), image.clone(), 1e-14);
        let metric = m.inner_product(base.clone(), image.clone(), tangent.clone());
        let euclidean = (vector.clone() * tangent).sum_dim(2).squeeze_dim(2);
        assert_close(metric, euclidean, 1e-12);
        let length = m.replicator_norm_squared(base.clone(), vector);
        assert_close(length, m.inner_product(base, image.clone(), image), 1e-12);
    }

    /// `Ẇ = R_W F` is `V̇ = Π F` in e-coordinates: the derivative, and the integrated flows.
    #[test]
    fn the_assignment_flow_is_a_flat_equation(cardinalities in mixed(), seed: u64) {
        let mut world = World::new(&cardinalities, seed);
        let (start, field) = (world.tangent(), world.vector());
        let m = world.manifold.clone();
        let velocity = m.project(field.clone());
        let step = 1e-4;
        let ahead = m.point(start.clone() + velocity.clone() * step);
        let behind = m.point(start.clone() - velocity * step);
        let expected = m.replicator(m.point(start.clone()), field.clone());
        assert_close((ahead - behind) / (2.0 * step), expected, 1e-7);

        // A fitness that depends on the point and on time: F(W, t) = (1 + t) A ⊙ W.
        let fitness = |point: Tensor<3>, time: Tensor<1>| {
            field.clone() * point * (time + 1.0).reshape([BATCH, 1, 1])
        };
        let flat = |state: Tensor<3>, time: Tensor<1>| m.project(fitness(m.point(state), time));
        let curved =
            |point: Tensor<3>, time: Tensor<1>| m.replicator(point.clone(), fitness(point, time));
        let grid = TimeGrid::uniform(0.0, 1.0, 40).unwrap();
        let stepping = Stepping::Fixed { method: Method::Rk4, grid };
        let below = integrate(&curved, m.point(start.clone()), &stepping).unwrap().state;
        let above = integrate(&flat, start, &stepping).unwrap().state;
        assert_close(m.point(above), below, 1e-6);
    }

    /// EG (14), (19): the closed form of `V_β`; corners and labels; unit length of directions.
    #[test]
    fn corners(cardinalities in mixed(), smoothing in 1e-6..0.9, seed: u64) {
        let mut world = World::new(&cardinalities, seed);
        let (labels, corners) = world.data();
        let m = &world.manifold;
        let expected = m.coordinates(m.smooth(corners.clone(), smoothing));
        assert_close(m.smoothed_coordinates(corners.clone(), smoothing), expected, 1e-11);
        let total = corners.clone().sum_dim(2);
        assert_close(total.clone(), total.ones_like(), 0.0);
        m.labels(corners.clone()).into_data().assert_eq(&labels.into_data(), true);
        let lengths = values(m.directions(corners).square().sum_dim(2));
        for (length, count) in lengths.iter().zip(cardinalities.iter().cycle()) {
            let expected = if *count == 1 { 0.0 } else { 1.0 };
            prop_assert!((length - expected).abs() < 1e-14);
        }
    }
}

#[test]
fn the_reference_depends_on_the_seed_only() {
    let manifold = AssignmentManifold::new(&[3, 2], &Device::flex());
    let draw = |seed| {
        manifold
            .reference_noise(4, &mut ChaCha8Rng::seed_from_u64(seed))
            .into_data()
    };
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
}

/// Gradients of the log-likelihood `log p(β)` in the logits are `e_β − p`, and 0 in the padding;
/// a manifold made for one device serves tensors with gradients.
#[test]
fn gradients_are_exact_and_pass_by_the_padding() {
    let manifold = AssignmentManifold::new(&[3, 1, 2], &Device::flex());
    let device = Device::flex().autodiff();
    let numbers = [[[0.3, -1.0, 0.5], [2.0, 9.0, 9.0], [-0.7, 0.2, 9.0]]];
    let logits = Tensor::<3>::from_data(numbers, &device).require_grad();
    let labels = Tensor::<2, Int>::from_data([[2, 0, 1]], &device);
    let corners = manifold.corners(labels);
    let point = manifold.point(logits.clone());
    let chosen = (point.clone() * corners.clone()).sum_dim(2);
    let gradient = logits
        .grad(&chosen.log().sum().backward())
        .expect("the logits were used");
    let expected = (corners - point).inner();
    let worst: f32 = (gradient.clone() - expected).abs().max().into_scalar();
    assert!(worst < 1e-6, "gradient off by {worst}");
    let padding: Tensor<3> = 1.0 - manifold.mask().unsqueeze();
    let leaked: f32 = (gradient * padding).abs().max().into_scalar();
    assert_eq!(leaked, 0.0);
}

#[test]
#[should_panic(expected = "configurations")]
fn the_embedding_refuses_large_cases() {
    embedding::embed(Tensor::ones([1, 30, 2], &Device::flex()));
}

#[test]
#[should_panic(expected = "[2, 3, 5] is not on a manifold of 2 sites and 4 categories")]
fn a_wrong_shape_is_printed() {
    let manifold = AssignmentManifold::new(&[4, 4], &Device::flex());
    manifold.project(Tensor::ones([2, 3, 5], &Device::flex()));
}
