//! A seeded division of the rows into training, validation and test parts.

use crate::data::error::{DataError, Result};
use crate::random::{Purpose, generator};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How rows are divided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitConfig {
    /// Seed of the shuffle.
    pub seed: u64,
    /// Fraction of rows for validation.
    pub validation: f64,
    /// Fraction of rows for the test, without test data of their own.
    pub test: f64,
}

impl Default for SplitConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            validation: 0.1,
            test: 0.1,
        }
    }
}

/// Which rows are trained on, which choose settings, and which are only for the final figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Rows for training, ascending.
    pub train: Vec<usize>,
    /// Rows for early stopping and for choosing settings, ascending.
    pub validation: Vec<usize>,
    /// Rows for the final figure, ascending.
    pub test: Vec<usize>,
}

impl Split {
    /// A random split fixed by its seed, independent of all other uses of that seed.
    ///
    /// # Errors
    /// As [`random`](Self::random).
    pub fn seeded(
        rows: usize,
        validation_fraction: f64,
        test_fraction: f64,
        seed: u64,
    ) -> Result<Self> {
        let mut rng = generator(seed, Purpose::Split, 0);
        Self::random(rows, validation_fraction, test_fraction, &mut rng)
    }

    /// A random split in training and validation alone, for test data of their own.
    ///
    /// # Errors
    /// [`DataError::BadSplit`] if a part would be empty.
    pub fn without_test(rows: usize, validation_fraction: f64, seed: u64) -> Result<Self> {
        let validation = size(rows, "validation", validation_fraction)?;
        if validation >= rows {
            return Err(DataError::BadSplit {
                rows,
                part: "training",
                fraction: 1.0 - validation_fraction,
                count: 0,
            });
        }
        let mut validation_rows: Vec<usize> = (0..rows).collect();
        validation_rows.shuffle(&mut generator(seed, Purpose::Split, 0));
        let mut train = validation_rows.split_off(validation);
        train.sort_unstable();
        validation_rows.sort_unstable();
        Ok(Self {
            train,
            validation: validation_rows,
            test: Vec::new(),
        })
    }

    /// A random split; each row falls in exactly one part.
    ///
    /// The validation and the test part hold `round(rows · fraction)` rows, training the rest.
    ///
    /// # Errors
    /// [`DataError::BadSplit`] if a part would be empty or a fraction is not in `(0, 1)`.
    pub fn random(
        rows: usize,
        validation_fraction: f64,
        test_fraction: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let validation = size(rows, "validation", validation_fraction)?;
        let test = size(rows, "test", test_fraction)?;
        if validation + test >= rows {
            // Rounded for the message: 1 − 0.9 − 0.2 should read −0.1.
            let rest = 1.0 - validation_fraction - test_fraction;
            let fraction = (rest * 1e9).round() / 1e9;
            return Err(DataError::BadSplit {
                rows,
                part: "training",
                fraction,
                count: 0,
            });
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(rng);
        let mut rest = order.split_off(validation);
        let mut train = rest.split_off(test);
        for part in [&mut order, &mut rest, &mut train] {
            part.sort_unstable();
        }
        Ok(Self {
            train,
            validation: order,
            test: rest,
        })
    }
}

/// The number of rows of a part.
fn size(rows: usize, part: &'static str, fraction: f64) -> Result<usize> {
    // A NaN casts to 0 and is refused like a zero.
    let count = (rows as f64 * fraction).round() as usize;
    if count == 0 || !(0.0..1.0).contains(&fraction) {
        return Err(DataError::BadSplit {
            rows,
            part,
            fraction,
            count,
        });
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    proptest! {
        #[test]
        fn every_row_falls_in_one_part(rows in 20_usize..500, seed: u64) {
            let split = Split::random(rows, 0.1, 0.2, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            let mut all = [split.train.clone(), split.validation.clone(), split.test.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
            prop_assert_eq!(split.test.len(), (rows as f64 * 0.2).round() as usize);
            let again = Split::random(rows, 0.1, 0.2, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            prop_assert_eq!(split, again);
        }
    }

    #[test]
    fn without_test_rows_all_others_are_used() {
        let split = Split::without_test(50, 0.1, 3).unwrap();
        assert_eq!((split.validation.len(), split.test.len()), (5, 0));
        let mut all = [split.train.clone(), split.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        assert_eq!(split, Split::without_test(50, 0.1, 3).unwrap());
        assert_ne!(split, Split::without_test(50, 0.1, 4).unwrap());
        for (rows, fraction) in [(3, 0.1), (50, 0.0), (50, 1.0), (1, 0.9)] {
            assert!(Split::without_test(rows, fraction, 0).is_err());
        }
    }

    #[test]
    fn empty_parts_are_refused() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for (rows, validation, test, part) in [
            (4, 0.1, 0.5, "validation"),
            (100, 0.1, 0.0, "test"),
            (100, 0.1, f64::NAN, "test"),
            (100, -0.1, 0.5, "validation"),
            (100, 0.5, 0.5, "training"),
            (2, 0.4, 0.4, "training"),
            (0, 0.1, 0.1, "validation"),
        ] {
            let error = Split::random(rows, validation, test, &mut rng).expect_err("an empty part");
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
