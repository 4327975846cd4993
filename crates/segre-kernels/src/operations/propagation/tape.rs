//! The gradient of belief propagation, row by row.

use super::pairs::Propagation;

/// The messages of one row before each round.
pub(super) struct Tape<'a> {
    pairs: &'a Propagation,
    local: &'a [f32],
    rounds: Vec<Vec<f32>>,
}

impl<'a> Tape<'a> {
    pub fn new(pairs: &'a Propagation, local: &'a [f32]) -> Self {
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
    pub fn back(&self, gradient: &mut [f32]) {
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
