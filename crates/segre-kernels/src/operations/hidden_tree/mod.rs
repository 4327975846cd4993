//! Marginals of a tree of hidden states, given evidence of every site: exact, by messages up and down the tree.

mod block;
mod expectations;
mod messages;
mod tables;
mod tangent;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, TensorData, activation};
use rayon::prelude::*;

use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;
use crate::simd::Level;
use block::{Block, Width};
pub use expectations::Expectations;
pub use tables::HiddenTree;

/// `log P(x_i = j | evidence)` under a tree of hidden states, where `local` is the logarithm of each site's evidence, up to a
/// constant for each site, and so far below its largest number for padding that `e^x` is 0.
///
/// # Shapes
/// `local [batch, sites, categories]` → the same; padding is as far below as it was.
pub fn tree_marginals(local: Tensor<3>, tree: &Arc<HiddenTree>) -> Tensor<3> {
    let tree = tree.clone();
    let [marginals] = apply(Marginals { tree }, [local.into_dispatch()]);
    Tensor::from_dispatch(marginals)
}

/// See [`tree_marginals`].
#[derive(Clone, Debug)]
struct Marginals {
    tree: Arc<HiddenTree>,
}

impl Operation<1> for Marginals {
    /// The input.
    type Kept = Host;

    fn value(&self, [input]: [Host; 1], _: [bool; 1]) -> ([Host; 1], Host) {
        let shape: [usize; 3] = input.shape().dims();
        let tree = &*self.tree;
        assert_eq!(
            shape[1..],
            [tree.sites(), tree.categories],
            "sites and categories"
        );
        let level = Level::detect();
        let part = level.run(Width) * shape[1] * shape[2];
        let local = values(&input);
        let write = |index: usize, result: &mut [f32]| {
            let local = &local[index * part..][..result.len()];
            level.run(Block {
                tree,
                local,
                result,
            });
        };
        let marginals = by_parts(local.len(), part, write).0;
        ([tensor(marginals, shape)], input)
    }

    fn gradients(&self, input: Host, gradient: Host, _: [bool; 1]) -> [Option<Host>; 1] {
        let shape: [usize; 3] = input.shape().dims();
        let row = shape[1] * shape[2];
        let rows = values(&input).par_chunks(row);
        let found: Vec<Vec<f32>> = rows
            .zip(values(&gradient).par_chunks(row))
            .map(|(local, gradient)| tangent::gradient(&self.tree, local, gradient))
            .collect();
        [Some(tensor(found.concat(), shape))]
    }

    fn reference(&self, [local]: [Anywhere; 1]) -> [Anywhere; 1] {
        let tree = &*self.tree;
        let local = Tensor::<3>::from_dispatch(local);
        let device = local.device();
        let (c, h) = (tree.categories, tree.states);
        let matrix = |numbers: &[f32], shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), shape), &device)
        };
        let transition = |site: usize| matrix(tree.transition(site), [h, h]);
        let emission = |site: usize| matrix(tree.emission(site), [c, h]);
        let scaled = |x: Tensor<2>| x.clone() / x.sum_dim(1);
        let evidence = (local.clone() - local.clone().max_dim(2)).exp();
        let own = |site: usize| {
            let own = evidence.clone().slice_dim(1, site..site + 1);
            own.squeeze_dim::<2>(1).matmul(emission(site))
        };
        let own: Vec<Tensor<2>> = (0..tree.sites()).map(own).collect();
        let mut below = own.clone();
        let mut sent = own.clone();
        for &site in tree.order.iter().rev() {
            below[site] = scaled(below[site].clone());
            if let Some(parent) = tree.parents[site] {
                sent[site] = below[site].clone().matmul(transition(site).transpose());
                below[parent] = below[parent].clone() * sent[site].clone();
            }
        }
        let mut above = own.clone();
        let mut said = own.clone();
        for &site in &tree.order {
            above[site] = match tree.parents[site] {
                None => own[site].zeros_like() + transition(site).slice_dim(0, 0..1),
                Some(parent) => {
                    let known = above[parent].clone() * below[parent].clone();
                    scaled(known / sent[site].clone()).matmul(transition(site))
                }
            };
            let others = above[site].clone() * below[site].clone() / own[site].clone();
            said[site] = scaled(others).matmul(emission(site).transpose()).log();
        }
        let said: Tensor<3> = Tensor::stack(said, 1);
        [activation::log_softmax(local + said, 2).into_dispatch()]
    }
}

#[cfg(test)]
mod tests;
