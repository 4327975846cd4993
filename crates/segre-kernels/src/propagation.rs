//! Rounds of loopy belief propagation between the sites of rows, and their gradient.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::exponential::{exp, ln};
use super::layer::Operation;
use super::operation::{Host, tensor, values};
use super::parts::by_parts;
use super::simd::{Level, Simd, Task};

/// Pairs of sites that send each other messages. Every site has as many slots for messages as the site with most
/// neighbours; what lies in empty ones says nothing.
#[derive(Debug)]
pub struct Propagation {
    sites: usize,
    categories: usize,
    /// Slots of a site.
    pub(crate) slots: usize,
    /// `e^θ` over its largest entry, `[sites · slots, own label, sender's label]`; 1 for padding and in empty slots.
    pub(crate) weights: Vec<f32>,
    /// The sender of each slot, and the slot at the sender with the message that goes the other way; an empty slot hears from its
    /// own site, with weights that forget it.
    pub(crate) senders: Vec<usize>,
    pub(crate) answers: Vec<usize>,
    pub(crate) rounds: usize,
    /// Share of a message that stays in each round but the first.
    pub(crate) damping: f32,
}

impl Propagation {
    /// The messages between some pairs of different sites, each with its `e^θ` over the largest entry, `[first site's label,
    /// second site's label]`, 1 for padding. They are sent in so many rounds; in each but the first a share of a message, the
    /// `damping`, stays.
    pub fn new(
        [sites, categories]: [usize; 2],
        pairs: &[([usize; 2], Vec<f32>)],
        rounds: usize,
        damping: f32,
    ) -> Self {
        let c = categories;
        let mut degrees = vec![0; sites];
        let mut places = Vec::with_capacity(pairs.len());
        for ([first, second], table) in pairs {
            assert!(first != second, "site {first} sends messages to itself");
            assert_eq!(table.len(), c * c, "a table of {c} by {c} categories");
            places.push([*first, *second].map(|site| {
                degrees[site] += 1;
                degrees[site] - 1
            }));
        }
        let slots = degrees.into_iter().max().unwrap_or(0);
        let mut propagation = Self {
            sites,
            categories,
            slots,
            weights: vec![1.0; sites * slots * c * c],
            senders: (0..sites * slots).map(|slot| slot / slots).collect(),
            answers: (0..sites * slots).collect(),
            rounds,
            damping,
        };
        for ((ends, table), places) in pairs.iter().zip(places) {
            let own = [0, 1].map(|end| ends[end] * slots + places[end]);
            for end in [0, 1] {
                propagation.senders[own[end]] = ends[1 - end];
                propagation.answers[own[end]] = own[1 - end];
                let weights = &mut propagation.weights[own[end] * c * c..][..c * c];
                for (k, weight) in weights.iter_mut().enumerate() {
                    *weight = table[if end == 0 { k } else { k % c * c + k / c }];
                }
            }
        }
        propagation
    }

    /// The slots that are not empty: receiver, slot, sender, answer.
    fn messages(&self) -> impl Iterator<Item = [usize; 4]> {
        let slots = self.senders.iter().zip(&self.answers).enumerate();
        slots
            .map(|(slot, (sender, answer))| [slot / self.slots, slot, *sender, *answer])
            .filter(|[receiver, _, sender, _]| receiver != sender)
    }

    /// What stays of a message in a round, and what comes.
    fn shares(&self, round: usize) -> (f32, f32) {
        match round {
            0 => (0.0, 1.0),
            _ => (self.damping, 1.0 - self.damping),
        }
    }

    /// `e^θ` of a slot, `[own label, sender's label]`.
    fn table(&self, slot: usize) -> &[f32] {
        let entries = self.categories * self.categories;
        &self.weights[slot * entries..][..entries]
    }
}

/// See [`super::propagate`].
#[derive(Clone, Debug)]
pub(super) struct Beliefs {
    pub pairs: Arc<Propagation>,
}

impl Operation<1> for Beliefs {
    type Kept = ();

    fn value(&self, [local]: &[Host; 1]) -> (Host, ()) {
        let shape: [usize; 3] = local.shape().dims();
        let level = Level::detect();
        let part = level.lanes() * shape[1] * shape[2];
        let local = values(local);
        let write = |index: usize, result: &mut [f32]| {
            level.run(Block {
                pairs: &self.pairs,
                local: &local[index * part..][..result.len()],
                result,
            });
        };
        (tensor(by_parts(local.len(), part, write).0, shape), ())
    }

    fn gradients(
        &self,
        [local]: &[Host; 1],
        (): &(),
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let shape: [usize; 3] = local.shape().dims();
        let row = shape[1] * shape[2];
        let mut result = values(&gradient).to_vec();
        result
            .par_chunks_mut(row)
            .zip(values(local).par_chunks(row))
            .for_each(|(gradient, local)| Tape::new(&self.pairs, local).back(gradient));
        [Some(tensor(result, shape))]
    }
}

/// As many rows as a register has lanes, at most.
struct Block<'a> {
    pairs: &'a Propagation,
    local: &'a [f32],
    result: &'a mut [f32],
}

impl Task for Block<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Propagation {
            sites,
            categories: c,
            slots,
            ..
        } = *self.pairs;
        let row = sites * c;
        let rows = self.local.len() / row;
        // Rows side by side; what is in lanes without a row is nobody's.
        let mut local = vec![0.0_f32; row * S::LANES];
        for (lane, own) in self.local.chunks_exact(row).enumerate() {
            for (numbers, value) in local.chunks_exact_mut(S::LANES).zip(own) {
                numbers[lane] = *value;
            }
        }
        let mut messages = vec![0.0_f32; sites * slots * c * S::LANES];
        let mut next = messages.clone();
        let mut beliefs = local.clone();
        let mut weights = vec![0.0_f32; c * S::LANES];
        let at = |site: usize, label: usize| (site * c + label) * S::LANES;
        for round in 0..self.pairs.rounds {
            let (stays, comes) = self.pairs.shares(round);
            for [_, slot, sender, answer] in self.pairs.messages() {
                let table = self.pairs.table(slot);
                // SAFETY: places of labels below `c` of sites and slots that there are; each has room for a register.
                unsafe {
                    let mut most = S::splat(f32::NEG_INFINITY);
                    for label in 0..c {
                        let belief = S::load(beliefs.as_ptr().add(at(sender, label)));
                        let known = S::load(messages.as_ptr().add(at(answer, label)));
                        let cavity = S::sub(belief, known);
                        most = S::max(most, cavity);
                        S::store(weights.as_mut_ptr().add(label * S::LANES), cavity);
                    }
                    for label in 0..c {
                        let place = weights.as_mut_ptr().add(label * S::LANES);
                        S::store(place, exp::<S>(S::sub(S::load(place), most)));
                    }
                    for label in 0..c {
                        let mut sum = S::splat(0.0);
                        for (sent, factor) in table[label * c..][..c].iter().enumerate() {
                            let weight = S::load(weights.as_ptr().add(sent * S::LANES));
                            sum = S::mul_add(weight, S::splat(*factor), sum);
                        }
                        let new = S::mul(ln::<S>(sum), S::splat(comes));
                        let old = S::load(messages.as_ptr().add(at(slot, label)));
                        let damped = S::mul_add(old, S::splat(stays), new);
                        S::store(next.as_mut_ptr().add(at(slot, label)), damped);
                    }
                }
            }
            std::mem::swap(&mut messages, &mut next);
            beliefs.copy_from_slice(&local);
            for [receiver, slot, ..] in self.pairs.messages() {
                let own = &mut beliefs[at(receiver, 0)..][..c * S::LANES];
                let message = &messages[at(slot, 0)..][..c * S::LANES];
                for (belief, message) in own.iter_mut().zip(message) {
                    *belief += message;
                }
            }
        }
        for (lane, own) in self.result.chunks_exact_mut(row).take(rows).enumerate() {
            for (value, numbers) in own.iter_mut().zip(beliefs.chunks_exact(S::LANES)) {
                *value = numbers[lane];
            }
        }
    }
}

/// The messages of one row before each round.
struct Tape<'a> {
    pairs: &'a Propagation,
    local: &'a [f32],
    rounds: Vec<Vec<f32>>,
}

impl<'a> Tape<'a> {
    fn new(pairs: &'a Propagation, local: &'a [f32]) -> Self {
        let mut tape = Self {
            pairs,
            local,
            rounds: vec![vec![0.0; pairs.sites * pairs.slots * pairs.categories]],
        };
        for round in 0..pairs.rounds {
            let (stays, comes) = pairs.shares(round);
            let former = &tape.rounds[round];
            let mut messages = former.clone();
            let beliefs = tape.beliefs(former);
            for [_, slot, sender, answer] in pairs.messages() {
                let (_, sums) = tape.sent(&beliefs, former, [slot, sender, answer]);
                let own = &mut messages[slot * pairs.categories..][..pairs.categories];
                for (message, sum) in own.iter_mut().zip(sums) {
                    *message = stays * *message + comes * sum.ln();
                }
            }
            tape.rounds.push(messages);
        }
        tape
    }

    fn beliefs(&self, messages: &[f32]) -> Vec<f32> {
        let c = self.pairs.categories;
        let mut beliefs = self.local.to_vec();
        for [receiver, slot, ..] in self.pairs.messages() {
            for label in 0..c {
                beliefs[receiver * c + label] += messages[slot * c + label];
            }
        }
        beliefs
    }

    /// What a sender believes without the receiver, over the largest, and the sums under it: the message is their logarithm.
    fn sent(
        &self,
        beliefs: &[f32],
        messages: &[f32],
        [slot, sender, answer]: [usize; 3],
    ) -> (Vec<f32>, Vec<f32>) {
        let c = self.pairs.categories;
        let own = beliefs[sender * c..][..c].iter();
        let cavity = own.zip(&messages[answer * c..][..c]).map(|(b, m)| b - m);
        let mut weights: Vec<f32> = cavity.collect();
        let most = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for weight in &mut weights {
            *weight = (*weight - most).exp();
        }
        let rows = self.pairs.table(slot).chunks_exact(c);
        let sum = |row: &[f32]| row.iter().zip(&weights).map(|(f, w)| f * w).sum();
        let sums = rows.map(sum).collect();
        (weights, sums)
    }

    /// Turns the gradient of the beliefs into that of what they are made of, for functions that a constant added to all
    /// beliefs of a site does not change.
    fn back(&self, gradient: &mut [f32]) {
        let c = self.pairs.categories;
        let mut of_messages = vec![0.0; self.rounds[0].len()];
        for [receiver, slot, ..] in self.pairs.messages() {
            of_messages[slot * c..][..c].copy_from_slice(&gradient[receiver * c..][..c]);
        }
        for round in (0..self.pairs.rounds).rev() {
            let (stays, comes) = self.pairs.shares(round);
            let messages = &self.rounds[round];
            let beliefs = self.beliefs(messages);
            let mut of_former: Vec<f32> = of_messages.iter().map(|g| stays * g).collect();
            let mut of_beliefs = vec![0.0; gradient.len()];
            for [_, slot, sender, answer] in self.pairs.messages() {
                let (weights, sums) = self.sent(&beliefs, messages, [slot, sender, answer]);
                let table = self.pairs.table(slot);
                for (sent, weight) in weights.iter().enumerate() {
                    let terms = (0..c).map(|label| {
                        of_messages[slot * c + label] * table[label * c + sent] / sums[label]
                    });
                    let slope = comes * weight * terms.sum::<f32>();
                    of_beliefs[sender * c + sent] += slope;
                    of_former[answer * c + sent] -= slope;
                }
            }
            for (sum, own) in gradient.iter_mut().zip(&of_beliefs) {
                *sum += own;
            }
            for [receiver, slot, ..] in self.pairs.messages() {
                for label in 0..c {
                    of_former[slot * c + label] += of_beliefs[receiver * c + label];
                }
            }
            of_messages = of_former;
        }
    }
}
