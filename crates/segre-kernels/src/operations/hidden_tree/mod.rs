//! Marginals of a tree of hidden states, given evidence of every site: exact, by messages up and down the tree.

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
use crate::simd::exponential::{exp, ln};
use crate::simd::{Level, Simd, Task};
pub use expectations::Expectations;
use messages::{Messages, Scaled, normalise, product, width};
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

/// How many rows the registers of a level take side by side.
struct Width;

impl Task for Width {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        width::<S>()
    }
}

/// As many rows as are computed with together, at most.
struct Block<'a> {
    tree: &'a HiddenTree,
    local: &'a [f32],
    result: &'a mut [f32],
}

impl Task for Block<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self {
            tree,
            local,
            result,
        } = self;
        let (c, h, width) = (tree.categories, tree.states, width::<S>());
        let (row, of_site) = (tree.sites() * c, h * width);
        let mut messages = Messages::new::<S>(tree);
        // Of all sites, `[sites, categories, width]`: logarithms below the largest one, then the marginals' numbers.
        let mut logs = vec![0.0_f32; row * width];
        for (lane, own) in local.chunks_exact(row).enumerate() {
            for (logs, value) in logs.chunks_exact_mut(width).zip(own) {
                logs[lane] = *value;
            }
        }
        let mut most = vec![0.0_f32; width];
        let mut evidence = vec![0.0_f32; c * width];
        for (site, logs) in logs.chunks_exact_mut(c * width).enumerate() {
            most.fill(f32::NEG_INFINITY);
            for logs in logs.chunks_exact(width) {
                most.iter_mut().zip(logs).for_each(|(m, x)| *m = m.max(*x));
            }
            for logs in logs.chunks_exact_mut(width) {
                logs.iter_mut().zip(&most).for_each(|(x, m)| *x -= m);
            }
            let own = &mut messages.own[site * of_site..][..of_site];
            // SAFETY: the caller vouches for the instructions.
            unsafe {
                each::<S>(logs, &mut evidence, |x| exp::<S>(x));
                product::<S>((tree.emission(site), 1, h), &evidence, own);
            }
        }
        // SAFETY: as above.
        unsafe { messages.up::<S>(tree, &mut vec![Scaled::ONE; width]) };
        let mut others = vec![0.0_f32; of_site];
        for &site in &tree.order {
            // SAFETY: as above.
            unsafe { messages.down::<S>(tree, site) };
            let of_site = site * of_site..(site + 1) * of_site;
            let known = messages.above[of_site.clone()].iter();
            let known = known.zip(&messages.below[of_site.clone()]);
            let known = known.zip(&messages.own[of_site]);
            for (other, ((above, below), own)) in others.iter_mut().zip(known) {
                *other = above * below / own;
            }
            normalise(&mut others, &mut most);
            let logs = &mut logs[site * c * width..][..c * width];
            // SAFETY: as above.
            unsafe {
                // What others say, then the whole; and the logarithm of what both sum to.
                let mut said = vec![0.0_f32; c * width];
                product::<S>((tree.emission(site), h, 1), &others, &mut said);
                each::<S>(logs, &mut evidence, |x| exp::<S>(x));
                most.fill(0.0);
                for (said, evidence) in said.chunks_exact(width).zip(evidence.chunks_exact(width)) {
                    for (sum, (said, own)) in most.iter_mut().zip(said.iter().zip(evidence)) {
                        *sum += said * own;
                    }
                }
                for said in said.chunks_exact_mut(width) {
                    said.iter_mut().zip(&most).for_each(|(x, sum)| *x /= sum);
                }
                each::<S>(&said, &mut evidence, |x| ln::<S>(x));
            }
            logs.iter_mut()
                .zip(&evidence)
                .for_each(|(x, said)| *x += said);
        }
        for (lane, own) in result.chunks_exact_mut(row).enumerate() {
            for (value, logs) in own.iter_mut().zip(logs.chunks_exact(width)) {
                *value = logs[lane];
            }
        }
    }
}

/// A function of every number of whole registers.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn each<S: Simd>(
    input: &[f32],
    output: &mut [f32],
    function: impl Fn(S::Vector) -> S::Vector,
) {
    let registers = output.chunks_exact_mut(S::LANES);
    for (output, input) in registers.zip(input.chunks_exact(S::LANES)) {
        // SAFETY: a register's numbers on both sides; the caller vouches for the instructions.
        unsafe { S::store(output.as_mut_ptr(), function(S::load(input.as_ptr()))) };
    }
}

#[cfg(test)]
mod tests;
