//! States of a batch of labelings on a path on the simplex.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::minibatch::Minibatch;
use crate::flow::model::Model;
use crate::path::SimplexPath;
use crate::random::row_generator;

/// States `x_t | β` of some rows, in host memory; padding 0.
pub(super) struct SimplexBatch {
    /// `[rows, sites, categories]`.
    shape: [usize; 3],
    states: Vec<f32>,
    /// One per row.
    times: Vec<f64>,
    /// `[rows, sites]`.
    labels: Vec<usize>,
}

impl SimplexBatch {
    /// Draws the states of some rows of a batch at the batch's times, every row with a generator of its own.
    pub fn draw(
        model: &Model,
        path: SimplexPath,
        batch: &Minibatch<'_>,
        range: Range<usize>,
    ) -> Self {
        let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
        let cardinalities = model.manifold.cardinalities();
        let times = batch.levels(&range, sites);
        let times: Vec<f64> = times.iter().step_by(sites).map(|t| f64::from(*t)).collect();
        let first = range.start;
        let rows = &batch.rows[range];
        let mut states = vec![0.0_f32; rows.len() * sites * categories];
        states
            .par_chunks_mut(sites * categories)
            .enumerate()
            .for_each(|(row, states)| {
                let mut rng = row_generator(&batch.noise, first + row);
                for (site, state) in states.chunks_mut(categories).enumerate() {
                    let label = usize::from(rows[row][site]);
                    path.draw(
                        &mut state[..cardinalities[site]],
                        label,
                        times[row],
                        &mut rng,
                    );
                }
            });
        Self {
            shape: [rows.len(), sites, categories],
            states,
            times,
            labels: rows
                .iter()
                .flat_map(|row| row.iter().map(|label| usize::from(*label)))
                .collect(),
        }
    }

    /// The states, `[rows, sites, categories]`.
    pub fn points(&self, model: &Model) -> Tensor<3> {
        self.tensor(model, self.states.clone())
    }

    /// What the network is told of the time, `[rows, sites]`.
    pub fn level(&self, model: &Model, path: SimplexPath) -> Tensor<2> {
        let [rows, sites, _] = self.shape;
        let level = |time: &f64| std::iter::repeat_n(path.level(*time) as f32, sites);
        let levels: Vec<f32> = self.times.iter().flat_map(level).collect();
        Tensor::from_data(TensorData::new(levels, [rows, sites]), model.device())
    }

    /// One-hot labels, `[rows, sites, categories]`.
    pub fn corners(&self, model: &Model) -> Tensor<3> {
        self.each_site(model, |_, label, _, corner| corner[label] = 1.0)
    }

    /// Local evidence, `[rows, sites, categories]`, nats.
    pub fn evidence(&self, model: &Model, path: SimplexPath) -> Tensor<3> {
        self.each_site(model, |state, _, time, evidence| {
            path.evidence(state, time, evidence)
        })
    }

    /// Conditional velocities `u_t(x | β)`, `[rows, sites, categories]`.
    pub fn target(&self, model: &Model, path: SimplexPath) -> Tensor<3> {
        self.each_site(model, |state, label, time, velocity| {
            path.target(state, label, time, velocity);
        })
    }

    /// A tensor of what `write` makes of state, label and time of each site.
    fn each_site(
        &self,
        model: &Model,
        write: impl Fn(&[f32], usize, f64, &mut [f32]) + Sync,
    ) -> Tensor<3> {
        let [_, sites, categories] = self.shape;
        let cardinalities = model.manifold.cardinalities();
        let mut values = vec![0.0_f32; self.states.len()];
        values
            .par_chunks_mut(categories)
            .zip(self.states.par_chunks(categories))
            .enumerate()
            .for_each(|(place, (values, state))| {
                let own = cardinalities[place % sites];
                let (label, time) = (self.labels[place], self.times[place / sites]);
                write(&state[..own], label, time, &mut values[..own]);
            });
        self.tensor(model, values)
    }

    fn tensor(&self, model: &Model, values: Vec<f32>) -> Tensor<3> {
        Tensor::from_data(TensorData::new(values, self.shape), model.device())
    }
}
