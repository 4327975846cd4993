//! The field head: a velocity, trained by matching those of the path.

use std::ops::Range;

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::StepTensors;
use super::field_batch::FieldBatch;
use super::minibatch::{Minibatch, stratified};
use super::simplex_batch::SimplexBatch;
use crate::flow::channel::SAMPLING_REST;
use crate::flow::model::Model;
use crate::geometry::AssignmentManifold;
use crate::path::{GaussianPath, ProbabilityPath, SimplexPath};

/// One time per row.
///
/// # Panics
/// On the masked path, which has no velocity and is refused before there is a model.
pub(super) fn row_times(model: &Model, rows: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let end = match &model.config.path {
        ProbabilityPath::Gaussian(path @ GaussianPath::InfiniteTime(_)) => {
            return path.training_times().sample(rows, rng);
        }
        ProbabilityPath::Gaussian(GaussianPath::EGeodesic(_)) => 1.0,
        ProbabilityPath::Simplex(path) => path.end_time(model.manifold.categories(), SAMPLING_REST),
        ProbabilityPath::Discrete(_) => unreachable!("a path that jumps has no field"),
    };
    stratified(rows, rng).map(|u| end * u).collect()
}

/// The loss of every site, `[rows, sites]`.
pub(super) fn errors(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Tensor<2> {
    match &model.config.path {
        ProbabilityPath::Simplex(path) => simplex_errors(model, *path, batch, range),
        _ => matching_errors(model, batch, range),
    }
}

/// Riemannian conditional flow matching, `⟨d_i, R_{W_i} d_i⟩`, `d = F_θ(W_t, t) − V̇_t`, of every site, `[rows, sites]`.
///
/// Source: EG (23).
fn matching_errors(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> Tensor<2> {
    matching_errors_drawn(model, &drawn(model, batch, range))
}

/// Points of a Gaussian path, their times, and the velocities that are to be matched there.
///
/// # Panics
/// On other paths, which have losses of their own.
pub(super) fn drawn(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> StepTensors {
    let path = model.gaussian_path();
    let path = path.expect("other paths have losses of their own");
    let drawn = FieldBatch::draw(&model.manifold, path, batch, range);
    let (states, aim, level) = drawn.into_tensors(model.device());
    StepTensors { states, aim, level }
}

/// The loss at [drawn] points.
pub(super) fn matching_errors_drawn(model: &Model, tensors: &StepTensors) -> Tensor<2> {
    let (points, time) = (tensors.states.clone(), tensors.level.clone());
    let field = model.network.forward(points.clone(), time, None);
    segre_kernels::matching_error(field, points, tensors.aim.clone())
}

/// Squared errors of the velocity of every site, `[rows, sites]`.
fn simplex_errors(
    model: &Model,
    path: SimplexPath,
    batch: &Minibatch<'_>,
    range: Range<usize>,
) -> Tensor<2> {
    let states = SimplexBatch::draw(model, path, batch, range);
    let target = states.target(model, path);
    let level = states.level(model, path);
    let velocity = model.field_at_points(states.points(model), level);
    let squares = (velocity - target).square().sum_dim(2);
    squares.squeeze_dim(2)
}

impl Model {
    /// The field head's velocity at e-coordinates `V_t`, mean-free.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `time [batch, sites]` → `[batch, sites, categories]`.
    pub(in crate::flow) fn field(&self, state: Tensor<3>, time: Tensor<2>) -> Tensor<3> {
        self.field_at_points(self.manifold.point(state), time)
    }

    /// The field head's velocity at points of the simplices (or of the spheres above them), mean-free.
    ///
    /// # Shapes
    /// As [`field`](Self::field).
    pub(in crate::flow) fn field_at_points(&self, points: Tensor<3>, time: Tensor<2>) -> Tensor<3> {
        self.manifold
            .project(self.network.forward(points, time, None))
    }

    /// The mean of the corners that the field implies, `E[e_β | x]`.
    pub(in crate::flow) fn mean_of_field(
        &self,
        state: Tensor<3>,
        root_snr: Tensor<2>,
    ) -> Tensor<3> {
        // F = ṡ m + (σ̇/σ)(V − s m) solved for the mean direction m, V = σ x.
        let time = self.clock().times_at_snr(&self.manifold, root_snr.square());
        let channel = self.clock().channel(&self.manifold, time.clone());
        let state = self.manifold.project(state) * channel.noise_scale.clone();
        let velocity = self.field(state.clone(), time);
        let growth = channel.noise_rate / channel.noise_scale;
        let gain = channel.signal_rate - channel.signal * growth.clone();
        let direction = (velocity - state * growth) / gain;
        // m = √(c/(c−1)) (p − 1/c) solved for p.
        let inverse = |c| match AssignmentManifold::direction_scale(c) {
            0.0 => 0.0,
            scale => scale.recip(),
        };
        let scale = self.manifold.per_site(inverse, &direction);
        self.manifold.barycentre(&direction) + direction * scale
    }
}
