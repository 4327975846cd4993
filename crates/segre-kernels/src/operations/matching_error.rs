//! The error of a field, site by site: the loss of flow matching.

use burn::backend::TensorMetadata;
use burn::tensor::Tensor;
use rayon::prelude::*;

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, rows};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;
use crate::sums::sum_of;

/// Sites of a task.
const SITES: usize = 64;

/// `⟨d, R_W d⟩` of every site for `d = F − u`: the variance of `d` under the point `W`, which constants in `F` or
/// `u` do not change. Points `W` and target `u` are constants, only the field `F` has a gradient.
///
/// # Shapes
/// `field`, `points`, `target [batch, sites, categories]` → `[batch, sites]`.
///
/// Source: EG (23).
pub fn matching_error(field: Tensor<3>, points: Tensor<3>, target: Tensor<3>) -> Tensor<2> {
    let inputs = [field, points, target].map(Tensor::into_dispatch);
    let [errors] = apply(MatchingError, inputs);
    Tensor::from_dispatch(errors)
}

/// See [`matching_error`].
#[derive(Clone, Copy, Debug)]
struct MatchingError;

/// What the gradients need.
#[derive(Clone, Debug)]
struct Kept {
    /// Field, points and target.
    inputs: [Host; 3],
    /// Mean of the difference under the point, of every site.
    means: Vec<f32>,
}

impl Operation<3> for MatchingError {
    type Kept = Kept;

    fn value(&self, inputs: [Host; 3], wanted: [bool; 3]) -> ([Host; 1], Kept) {
        assert!(
            !wanted[1] && !wanted[2],
            "points and target are constants of the loss"
        );
        let shape = inputs[0].shape();
        assert!(inputs.iter().all(|input| input.shape() == shape));
        let [batch, sites, categories] = shape.dims();
        let all = inputs.each_ref().map(values);
        let mut means = vec![0.0; batch * sites];
        let mut errors = vec![0.0; batch * sites];
        means
            .par_chunks_mut(SITES)
            .zip(errors.par_chunks_mut(SITES))
            .enumerate()
            .for_each(|(task, (means, errors))| {
                for (k, (mean, error)) in means.iter_mut().zip(errors).enumerate() {
                    let from = (task * SITES + k) * categories;
                    let site = all.map(|all| &all[from..from + categories]);
                    *mean = sum_of(site, |[f, w, u]| w * (f - u));
                    let mean = *mean;
                    *error = sum_of(site, |[f, w, u]| {
                        let deviation = f - u - mean;
                        w * deviation * deviation
                    });
                }
            });
        ([tensor(errors, [batch, sites])], Kept { inputs, means })
    }

    fn gradients(&self, kept: Kept, gradient: Host, _: [bool; 3]) -> [Option<Host>; 3] {
        let shape: [usize; 3] = kept.inputs[0].shape().dims();
        let categories = shape[2];
        let all = kept.inputs.each_ref().map(values);
        let gradient = values(&gradient);
        let write = |task: usize, result: &mut [f32]| {
            for (k, result) in result.chunks_exact_mut(categories).enumerate() {
                let site = task * SITES + k;
                let from = site * categories;
                let [field, points, target] = all.map(|all| &all[from..from + categories]);
                let (mean, factor) = (kept.means[site], 2.0 * gradient[site]);
                let places = result.iter_mut().zip(field).zip(points).zip(target);
                for (((result, f), w), u) in places {
                    *result = factor * w * (f - u - mean);
                }
            }
        };
        let result = by_parts(all[0].len(), SITES * categories, write).0;
        [Some(tensor(result, shape)), None, None]
    }

    fn reference(&self, inputs: [Anywhere; 3]) -> [Anywhere; 1] {
        let [field, points, target] = inputs.map(Tensor::<3>::from_dispatch);
        let difference = field - target;
        let mean = (points.clone() * difference.clone()).sum_dim(2);
        let variance = (points * (difference - mean).square()).sum_dim(2);
        [variance.squeeze_dim::<2>(2).into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for MatchingError {
    fn value(&self, inputs: [Resident; 3], _: [bool; 3]) -> ([Resident; 1], Vec<Resident>) {
        let [errors, means] = rows::matching_error(inputs.clone());
        ([errors], inputs.into_iter().chain([means]).collect())
    }

    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        _: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let kept = <[Resident; 4]>::try_from(kept).expect("inputs and means");
        [Some(rows::matching_gradient(kept, gradient)), None, None]
    }
}

#[cfg(test)]
mod tests {
    use super::MatchingError;
    use crate::testing::{assert_forms_agree, input};

    #[test]
    fn the_error_of_a_field_agrees_with_the_composed_one() {
        for dims in [[1, 1, 1], [3, 2, 5], [70, 2, 91]] {
            let mut points = input(dims, 2).map(|x| (3.0 * x).exp()).constant();
            for point in points.numbers.chunks_mut(dims[2]) {
                let total: f32 = point.iter().sum();
                point.iter_mut().for_each(|weight| *weight /= total);
            }
            let inputs = [input(dims, 1), points, input(dims, 3).constant()];
            assert_forms_agree(&MatchingError, &inputs, 1e-5);
        }
    }
}
