//! Rounds of belief propagation for some rows side by side, one in each lane of the registers.

use super::pairs::Propagation;
use crate::simd::exponential::{exp, ln};
use crate::simd::{Simd, Task};

/// As many rows as a register has lanes, at most.
pub(super) struct Block<'a> {
    pub pairs: &'a Propagation,
    pub local: &'a [f32],
    pub result: &'a mut [f32],
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
