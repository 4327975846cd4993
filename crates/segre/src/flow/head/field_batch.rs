//! What a velocity field learns on a Gaussian path: points on it, and the velocities to be matched there.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use segre_kernels::softmax;

use super::minibatch::Minibatch;
use crate::flow::channel::direction_scales;
use crate::geometry::AssignmentManifold;
use crate::path::GaussianPath;
use crate::random::row_generator;

/// Points and velocities of some rows, in host memory; every site is finished while it is in the cache.
pub(super) struct FieldBatch {
    /// `[rows, sites, categories]`.
    shape: [usize; 3],
    /// Points `W_t = softmax(V_t)`, padding 0.
    points: Vec<f32>,
    /// Velocities `V̇_t` up to a constant per site, which the loss does not see; padding 0.
    target: Vec<f32>,
    /// Times `t`, `[rows, sites]`.
    times: Vec<f32>,
}

impl FieldBatch {
    /// Draws the noise `V_0` of some rows of a batch and carries it along the path to their times.
    ///
    /// Rows have generators of their own, so neither threads nor the cutting into ranges change anything.
    pub fn draw(
        manifold: &AssignmentManifold,
        path: &GaussianPath,
        batch: &Minibatch<'_>,
        range: Range<usize>,
    ) -> Self {
        let (sites, categories) = (manifold.sites(), manifold.categories());
        let cardinalities = manifold.cardinalities();
        let (first, width) = (range.start, sites * categories);
        let times = batch.levels(&range, sites);
        let rows = &batch.rows[range];
        let scales = direction_scales(manifold);
        let rates: Vec<[f32; 2]> = cardinalities
            .iter()
            .map(|c| path.signal_and_noise_rates(*c).map(|rate| rate as f32))
            .collect();
        let mut points = vec![0.0; rows.len() * width];
        let mut target = vec![0.0; rows.len() * width];
        points
            .par_chunks_mut(width)
            .zip(target.par_chunks_mut(width))
            .zip(times.par_chunks(sites))
            .enumerate()
            .for_each(|(row, ((points, target), times))| {
                let mut rng = row_generator(&batch.noise, first + row);
                for (site, &label) in rows[row].iter().enumerate() {
                    let (own, from) = (cardinalities[site], site * categories);
                    let points = &mut points[from..from + own];
                    let target = &mut target[from..from + own];
                    let (signal, noise) = path.signal_and_noise(f64::from(times[site]), own);
                    let [signal_rate, noise_rate] = rates[site];
                    for (point, target) in points.iter_mut().zip(&mut *target) {
                        let normal: f32 = StandardNormal.sample(&mut rng);
                        *point = noise as f32 * normal;
                        *target = noise_rate * normal;
                    }
                    points[usize::from(label)] += signal as f32 * scales[site];
                    target[usize::from(label)] += signal_rate * scales[site];
                    softmax(points);
                }
            });
        Self {
            shape: [rows.len(), sites, categories],
            points,
            target,
            times,
        }
    }

    /// Points, velocities (both `[rows, sites, categories]`) and times `[rows, sites]` on a device.
    pub fn into_tensors(self, device: &Device) -> (Tensor<3>, Tensor<3>, Tensor<2>) {
        let [rows, sites, _] = self.shape;
        let tensor = |values| Tensor::from_data(TensorData::new(values, self.shape), device);
        let times = Tensor::from_data(TensorData::new(self.times, [rows, sites]), device);
        (tensor(self.points), tensor(self.target), times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::channel::NoisyBatch;
    use crate::learning::parameters::host_values;
    use crate::path::{EGeodesic, InfiniteTime};
    use crate::random::{Purpose, generator};

    /// Against the path in tensors, with sites of several lengths.
    #[test]
    fn points_and_velocities_are_those_of_the_path() {
        let device = Device::flex();
        let manifold = AssignmentManifold::new(&[3, 40, 1, 17], &device);
        let rows: Vec<Vec<u16>> = (0..9).map(|k| vec![k % 3, 4 * k, 0, 16 - k]).collect();
        let times: Vec<f32> = (0..36).map(|k| 0.99 * k as f32 / 35.0).collect();
        let noise = generator(5, Purpose::Noise, 2);
        let batch = Minibatch::of_levels(
            rows.iter().map(Vec::as_slice).collect(),
            times.clone(),
            noise.clone(),
        );
        for path in [
            GaussianPath::EGeodesic(EGeodesic::default()),
            GaussianPath::InfiniteTime(InfiniteTime::default()),
        ] {
            let range = 2..9;
            let quiet = vec![0.0; range.len() * 4];
            let mut noisy = NoisyBatch::draw(&manifold, &batch.rows, range.clone(), quiet, &noise);
            let reference = manifold.project(noisy.states(&device));
            let time = TensorData::new(batch.levels(&range, 4), [range.len(), 4]);
            let time = Tensor::from_data(time, &device);
            let sample = path.sample(&manifold, noisy.corners(&device), reference, time.clone());
            let drawn = FieldBatch::draw(&manifold, &path, &batch, range);
            let (points, target, found) = drawn.into_tensors(&device);
            assert_eq!(host_values(found), host_values(time));
            let off = |a: Tensor<3>, b: Tensor<3>| (a - b).abs().max().into_scalar::<f32>();
            assert!(off(points, manifold.point(sample.state)) < 2e-6);
            let target = manifold.project(target);
            assert!(off(target, sample.target) < 5e-6);
        }
    }
}
