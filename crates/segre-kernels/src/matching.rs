//! The loss of a field, site by site, and its gradient.

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, contiguous, tensor, values};
use super::parts::by_parts;
use super::sums::sum_of;

/// Sites of a task.
const SITES: usize = 64;

/// See [`super::matching_error`].
#[derive(Clone, Debug)]
pub(super) struct MatchingError {
    points: Host,
    target: Host,
}

impl MatchingError {
    pub fn new(points: Host, target: Host) -> Self {
        Self {
            points: contiguous(points),
            target: contiguous(target),
        }
    }
}

impl Operation<1> for MatchingError {
    /// Mean of the difference under the point, of every site.
    type Kept = Vec<f32>;

    fn value(&self, [field]: &[Host; 1]) -> (Host, Self::Kept) {
        let shape = field.shape();
        assert!(self.points.shape() == shape && self.target.shape() == shape);
        let [batch, sites, categories] = shape.dims();
        let [field, points, target] = [field, &self.points, &self.target].map(values);
        let mut means = vec![0.0; batch * sites];
        let mut errors = vec![0.0; batch * sites];
        means
            .par_chunks_mut(SITES)
            .zip(errors.par_chunks_mut(SITES))
            .enumerate()
            .for_each(|(task, (means, errors))| {
                for (k, (mean, error)) in means.iter_mut().zip(errors).enumerate() {
                    let from = (task * SITES + k) * categories;
                    let site = [field, points, target].map(|all| &all[from..from + categories]);
                    *mean = sum_of(site, |[f, w, u]| w * (f - u));
                    let mean = *mean;
                    *error = sum_of(site, |[f, w, u]| {
                        let deviation = f - u - mean;
                        w * deviation * deviation
                    });
                }
            });
        (tensor(errors, [batch, sites]), means)
    }

    fn gradients(
        &self,
        [field]: &[Host; 1],
        means: &Self::Kept,
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let shape: [usize; 3] = field.shape().dims();
        let categories = shape[2];
        let [field, points, target] = [field, &self.points, &self.target].map(values);
        let gradient = values(&gradient);
        let write = |task: usize, result: &mut [f32]| {
            for (k, result) in result.chunks_exact_mut(categories).enumerate() {
                let site = task * SITES + k;
                let from = site * categories;
                let [field, points, target] =
                    [field, points, target].map(|all| &all[from..from + categories]);
                let (mean, factor) = (means[site], 2.0 * gradient[site]);
                let places = result.iter_mut().zip(field).zip(points).zip(target);
                for (((result, f), w), u) in places {
                    *result = factor * w * (f - u - mean);
                }
            }
        };
        let result = by_parts(field.len(), SITES * categories, write).0;
        [Some(tensor(result, shape))]
    }
}
