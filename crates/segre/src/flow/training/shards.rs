//! The gradient of one step: shards of the batch are differentiated side by side and added in order, those of this process and
//! then those of all.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::module::Module;
use rayon::prelude::*;
use segre_kernels::is_processor;

use crate::flow::head::{Minibatch, loss};
use crate::flow::model::Model;
use crate::learning::parameters;
use crate::ranks;

/// Most shards of a batch.
const MAX_SHARDS: usize = 2;

/// Fewest numbers of a sum that are worth a task.
const CHUNK: usize = 1 << 15;

/// Loss and gradient of a batch.
pub(super) struct BatchGradient {
    /// Mean loss of the rows.
    pub loss: f64,
    /// By parameter name, in host memory.
    pub gradients: BTreeMap<String, Vec<f32>>,
}

/// Copies of the model with graphs of their own, one for every shard but the first.
pub(super) struct Shards {
    copies: Vec<Model>,
}

impl Shards {
    /// Shards for batches of the given size. Their number depends on it and on the network only, never on
    /// the number of threads, so that threads change no result.
    pub fn new(model: &Model, batch_size: usize) -> Self {
        let alone = model.network.couples_rows() || !is_processor(model.device());
        let shards = match alone {
            true => 1,
            // Two processes do what the shards of one do, bit by bit.
            false => {
                let shards = (batch_size / model.network.rows_of_a_thread()).clamp(1, MAX_SHARDS);
                shards.div_ceil(ranks::size())
            }
        };
        Self {
            copies: vec![model.clone(); shards - 1],
        }
    }

    /// The gradient of the mean loss of a batch.
    pub fn gradient(&mut self, model: &Model, batch: &Minibatch<'_>) -> BatchGradient {
        if !self.copies.is_empty() {
            let inner = model.network.valid();
            for copy in &mut self.copies {
                copy.network = inner.clone().train();
            }
        }
        let (rows, count) = (ranks::share(0..batch.rows.len()), self.copies.len() + 1);
        let from = |k: usize| rows.start + rows.len() * k / count;
        let shards: Vec<(&Model, Range<usize>)> = std::iter::once(model)
            .chain(&self.copies)
            .enumerate()
            .map(|(k, model)| (model, from(k)..from(k + 1)))
            .collect();
        let parts: Vec<BatchGradient> = shards
            .into_par_iter()
            .map(|(model, range)| shard_gradient(model, batch, range))
            .collect();
        let mut parts = parts.into_iter();
        let mut total = parts.next().expect("there is a first shard");
        for part in parts {
            total.loss += part.loss;
            for (name, gradient) in part.gradients {
                let sum = total.gradients.get_mut(&name);
                let sum = sum.expect("all shards have the same parameters");
                sum.par_iter_mut()
                    .with_min_len(CHUNK)
                    .zip(gradient)
                    .for_each(|(sum, value)| *sum += value);
            }
        }
        total.over_ranks();
        total
    }
}

impl BatchGradient {
    /// The sums over all processes, in one exchange of all numbers.
    fn over_ranks(&mut self) {
        if ranks::size() == 1 {
            return;
        }
        let count: usize = self.gradients.values().map(Vec::len).sum();
        let mut all = Vec::with_capacity(1 + count);
        all.push(self.loss as f32);
        self.gradients
            .values()
            .for_each(|gradient| all.extend_from_slice(gradient));
        ranks::sum(&mut all);
        self.loss = f64::from(all[0]);
        let mut rest = &all[1..];
        for gradient in self.gradients.values_mut() {
            let (own, others) = rest.split_at(gradient.len());
            gradient.copy_from_slice(own);
            rest = others;
        }
    }
}

fn shard_gradient(model: &Model, batch: &Minibatch<'_>, range: Range<usize>) -> BatchGradient {
    let weight = range.len() as f64 / batch.rows.len() as f64;
    let loss = loss(model, batch, range) * weight;
    let value = loss.clone().into_scalar::<f64>();
    BatchGradient {
        loss: value,
        gradients: parameters::gradients(&loss, &model.network),
    }
}
