//! Loopy belief propagation between the sites of rows.

mod block;
mod pairs;
mod tape;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Int, Tensor, TensorData};
use rayon::prelude::*;

use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;
use crate::simd::Level;
use block::Block;
pub use pairs::Propagation;
use tape::Tape;

/// Beliefs of loopy belief propagation, up to a constant for each site: `b_s = local_s + Σ_t log m_ts`, after some rounds of
/// `m_st(j) ∝ Σ_i e^{θ_st(i, j)} e^{b_s(i)} / m_ts(i)`, damped in the logarithm.
///
/// # Shapes
/// `local [batch, sites, categories]` → the same.
pub fn propagate(local: Tensor<3>, pairs: &Arc<Propagation>) -> Tensor<3> {
    if pairs.slots == 0 {
        return local;
    }
    let pairs = pairs.clone();
    let [beliefs] = apply(Beliefs { pairs }, [local.into_dispatch()]);
    Tensor::from_dispatch(beliefs)
}

/// See [`propagate`].
#[derive(Clone, Debug)]
struct Beliefs {
    pairs: Arc<Propagation>,
}

impl Operation<1> for Beliefs {
    /// The input.
    type Kept = Host;

    fn value(&self, [input]: [Host; 1], _: [bool; 1]) -> ([Host; 1], Host) {
        let shape: [usize; 3] = input.shape().dims();
        let level = Level::detect();
        let part = level.lanes() * shape[1] * shape[2];
        let local = values(&input);
        let write = |index: usize, result: &mut [f32]| {
            level.run(Block {
                pairs: &self.pairs,
                local: &local[index * part..][..result.len()],
                result,
            });
        };
        let beliefs = by_parts(local.len(), part, write).0;
        ([tensor(beliefs, shape)], input)
    }

    fn gradients(&self, input: Host, gradient: Host, _: [bool; 1]) -> [Option<Host>; 1] {
        let shape: [usize; 3] = input.shape().dims();
        let row = shape[1] * shape[2];
        let mut result = values(&gradient).to_vec();
        result
            .par_chunks_mut(row)
            .zip(values(&input).par_chunks(row))
            .for_each(|(gradient, local)| Tape::new(&self.pairs, local).back(gradient));
        [Some(tensor(result, shape))]
    }

    fn reference(&self, [local]: [Anywhere; 1]) -> [Anywhere; 1] {
        let pairs = &*self.pairs;
        let local = Tensor::<3>::from_dispatch(local);
        let ([batch, sites, categories], device) = (local.dims(), local.device());
        let (slots, numbers) = (sites * pairs.slots, categories * batch);
        let weights = TensorData::new(pairs.weights.clone(), [slots, categories, categories]);
        let weights = Tensor::<3>::from_data(weights, &device);
        let index = |places: &[usize]| {
            let places: Vec<i64> = places.iter().map(|place| *place as i64).collect();
            Tensor::<1, Int>::from_data(&places[..], &device)
        };
        let (senders, answers) = (index(&pairs.senders), index(&pairs.answers));
        // The batch runs fastest: messages of all rows are one product of small matrices and long ones.
        let local = local.permute([1, 2, 0]).reshape([sites, numbers]);
        let gathered = |messages: &Tensor<2>| {
            let received = messages.clone().reshape([sites, pairs.slots, numbers]);
            local.clone() + received.sum_dim(1).squeeze_dim::<2>(1)
        };
        let damping = pairs.damping;
        let mut messages = Tensor::<2>::zeros([slots, numbers], &device);
        for round in 0..pairs.rounds {
            let beliefs = gathered(&messages);
            let cavity =
                beliefs.select(0, senders.clone()) - messages.clone().select(0, answers.clone());
            let cavity = cavity.reshape([slots, categories, batch]);
            let cavity = cavity.clone() - cavity.max_dim(1);
            let sent = weights.clone().matmul(cavity.exp()).log();
            let sent = sent.reshape([slots, numbers]);
            messages = match round {
                0 => sent,
                _ => messages * damping + sent * (1.0 - damping),
            };
        }
        let beliefs = gathered(&messages).reshape([sites, categories, batch]);
        [beliefs.permute([2, 0, 1]).into_dispatch()]
    }
}

#[cfg(test)]
mod tests {
    use super::{Beliefs, Propagation};
    use crate::operation::Anywhere;
    use crate::testing::{assert_forms_agree_on, input, numbers};
    use burn::tensor::{Tensor, activation};
    use std::sync::Arc;

    /// Messages of a ring of sites with a chord, so that sites differ in neighbours.
    fn ring(sites: usize, c: usize) -> Propagation {
        let pairs = (0..sites).map(|site| [site, (site + 1) % sites]);
        let pairs: Vec<[usize; 2]> = pairs.chain([[0, sites / 2]]).collect();
        let table = |pair: usize| -> Vec<f32> {
            let exponents = numbers(c * c, pair as u64).into_iter();
            exponents.map(|x| (3.0 * x - 3.0).exp()).collect()
        };
        let pairs = pairs.into_iter().enumerate();
        let pairs: Vec<_> = pairs.map(|(pair, sites)| (sites, table(pair))).collect();
        Propagation::new([sites, c], &pairs, 5, 0.2)
    }

    #[test]
    fn beliefs_of_pairs_agree_with_the_composed_ones() {
        // They are told up to a constant for each site.
        let normalised = |[beliefs]: [Anywhere; 1]| {
            let beliefs = Tensor::<3>::from_dispatch(beliefs);
            [activation::log_softmax(beliefs, 2).into_dispatch()]
        };
        for (batch, sites, c) in [(1, 4, 2), (16, 5, 3), (37, 6, 2), (70, 4, 12)] {
            let pairs = Arc::new(ring(sites, c));
            // Some labels are all but certain, as known ones are.
            let local =
                input([batch, sites, c], 1).with(2, |x, known| 4.0 * x + 80.0 * known.powi(9));
            assert_forms_agree_on(&Beliefs { pairs }, &[local], 1e-4, normalised);
        }
    }
}
