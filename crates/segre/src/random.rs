//! Seeded generators: every random number is a function of seed, purpose and counter.
//!
//! So nothing of a generator's state has to be stored to resume a run, and the number of threads
//! changes no result.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a generator is for; different purposes never share numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Split = 1,
    Initialise,
    Order,
    Noise,
    Dropout,
    Score,
    Sample,
    Elimination,
    EnergySample,
    MeanField,
    Gibbs,
    SwendsenWang,
    Randomized,
    RandomizedSample,
    Augment,
    Importance,
    Rejuvenation,
    Completion,
    Hiding,
    Classifier,
    Proposal,
    Strange,
    Strata,
    Cells,
    Quality,
    Condition,
}

/// Random words reserved for one row: more than any row of noise uses.
const WORDS_PER_ROW: u32 = 28;

/// The generator of a purpose at a counter (a step, an epoch, a batch).
pub(crate) fn generator(seed: u64, purpose: Purpose, counter: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 56) | counter);
    rng
}

/// The generator of one row of a batch, so that rows can be drawn in any order.
pub(crate) fn row_generator(base: &ChaCha8Rng, row: usize) -> ChaCha8Rng {
    let mut rng = base.clone();
    // Row 0 starts one block on: the first block is the base generator's own.
    rng.set_word_pos((row as u128 + 1) << WORDS_PER_ROW);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    #[test]
    fn generators_differ_by_seed_purpose_counter_and_row() {
        let draw = |mut rng: ChaCha8Rng| rng.random::<u64>();
        let base = generator(1, Purpose::Noise, 5);
        let all = [
            draw(base.clone()),
            draw(generator(2, Purpose::Noise, 5)),
            draw(generator(1, Purpose::Order, 5)),
            draw(generator(1, Purpose::Noise, 6)),
            draw(row_generator(&base, 1)),
            draw(row_generator(&base, 2)),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
        assert_eq!(all[0], draw(generator(1, Purpose::Noise, 5)));
    }
}
