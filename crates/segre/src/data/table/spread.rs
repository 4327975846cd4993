//! What a distribution over the cells of a column says of its number: mean, median, and an interval.

use super::cells::Cells;
use super::coding::{Coding, Values};

/// Share of the interval.
pub const INTERVAL: f64 = 0.9;

/// A number that is not known, in units of its column's notation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: i64,
    /// From where to where the middle 90 % of the probability lie.
    pub interval: (i64, i64),
}

impl Spread {
    /// A number that is known after all.
    pub fn certain(number: i64) -> Self {
        Self {
            mean: number as f64,
            median: number,
            interval: (number, number),
        }
    }

    /// What some draws say of a number; 0 where there are none.
    pub fn of(mut draws: Vec<i64>) -> Self {
        if draws.is_empty() {
            return Self::certain(0);
        }
        draws.sort_unstable();
        let last = (draws.len() - 1) as f64;
        let at = |share: f64| draws[(share * last).round() as usize];
        Self {
            mean: draws.iter().map(|draw| *draw as f64).sum::<f64>() / draws.len() as f64,
            median: at(0.5),
            interval: (at((1.0 - INTERVAL) / 2.0), at((1.0 + INTERVAL) / 2.0)),
        }
    }
}

impl Coding {
    /// What probabilities of the cells, and of being missing, say of a number that is there; `None` for words.
    ///
    /// # Shapes
    /// `probabilities [categories]` of the column's one site; they need not sum to 1.
    pub fn spread(&self, probabilities: &[f32]) -> Option<Spread> {
        let Values::Numbers { cells, .. } = &self.values else {
            return None;
        };
        let own = &probabilities[..cells.len()];
        let total: f64 = own.iter().copied().map(f64::from).sum();
        let weighted = own.iter().enumerate();
        let sum: f64 = weighted
            .map(|(cell, p)| f64::from(*p) * cells.mean(cell))
            .sum();
        let at = |share: f64| quantile(cells, own, share * total);
        Some(Spread {
            mean: sum / total,
            median: at(0.5),
            interval: (at((1.0 - INTERVAL) / 2.0), at((1.0 + INTERVAL) / 2.0)),
        })
    }
}

/// Where the probability of smaller numbers reaches an amount.
fn quantile(cells: &Cells, probabilities: &[f32], amount: f64) -> i64 {
    let mut below = 0.0;
    for (cell, &p) in probabilities.iter().enumerate() {
        let own = f64::from(p);
        if below + own >= amount && own > 0.0 {
            return cells.quantile(cell, (amount - below) / own);
        }
        below += own;
    }
    cells.ends().1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::frame::FrameBuilder;
    use crate::data::table::number::Notation;
    use std::path::Path;

    #[test]
    fn a_spread_is_that_of_the_numbers_that_the_cells_were_made_of() {
        let mut builder = FrameBuilder::new(Path::new("t.csv"), ["a".to_owned()], 2);
        for k in 0..10_000_u64 {
            // Squares crowd towards zero.
            builder.push(k + 2, [Some(format!("{}", k * k / 100).as_str())]);
        }
        builder.push(10_002, [None]);
        let frame = builder.finish();
        let column = &frame.columns[0];
        let notation = Notation::find(column.words.iter()).expect("numbers");
        let coding = Coding::numbers(column, notation, 1);
        let Values::Numbers { cells, .. } = &coding.values else {
            panic!("numbers");
        };
        let mut weights: Vec<f32> = cells.iter().map(|cell| cell.count as f32).collect();
        // What is missing has no number.
        weights.push(1e4);
        let found = coding.spread(&weights).expect("numbers");
        let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.01;
        assert!(near(found.mean, 333_283.0), "{found:?}");
        assert!(near(found.median as f64, 250_000.0), "{found:?}");
        assert!(near(found.interval.0 as f64, 2_500.0), "{found:?}");
        assert!(near(found.interval.1 as f64, 902_500.0), "{found:?}");
        let mut one = vec![0.0; weights.len()];
        one[7] = 1.0;
        let found = coding.spread(&one).expect("numbers");
        let cell = cells.get(7);
        assert!(cell.low <= found.interval.0 && found.interval.1 <= cell.high);
    }
}
