//! The order in which training rows are visited: a function of seed and step.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::data::systematic;
use crate::random::{Purpose, generator};

/// Endless stream of shuffled epochs, cut into batches; a batch may span two epochs.
pub(crate) struct DataOrder {
    seed: u64,
    batch: usize,
    rows: usize,
    /// What each row weighs, where not all weigh the same.
    weights: Option<Vec<f64>>,
    epoch: Option<u64>,
    shuffled: Vec<usize>,
}

impl DataOrder {
    pub fn new(seed: u64, rows: usize, batch: usize) -> Self {
        Self {
            seed,
            batch,
            rows,
            weights: None,
            epoch: None,
            shuffled: Vec::new(),
        }
    }

    /// The order in which every epoch visits rows as often as they weigh, what is left over by chance.
    pub fn weighted(mut self, weights: Option<Vec<f64>>) -> Self {
        self.weights = weights;
        self
    }

    /// The rows of a step.
    pub fn rows(&mut self, step: u64) -> Vec<usize> {
        let first = step * self.batch as u64;
        (first..first + self.batch as u64)
            .map(|position| {
                let count = self.rows as u64;
                self.open(position / count);
                self.shuffled[(position % count) as usize]
            })
            .collect()
    }

    fn open(&mut self, epoch: u64) {
        if self.epoch != Some(epoch) {
            let mut rng = generator(self.seed, Purpose::Order, epoch);
            self.shuffled = match &self.weights {
                None => (0..self.rows).collect(),
                Some(weights) => systematic(weights, rng.random()),
            };
            self.shuffled.shuffle(&mut rng);
            self.epoch = Some(epoch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_visits_every_row_once_and_any_step_can_be_the_first() {
        let mut order = DataOrder::new(7, 10, 4);
        let visits: Vec<usize> = (0..5).flat_map(|step| order.rows(step)).collect();
        for epoch in visits.chunks(10) {
            let mut seen = epoch.to_vec();
            seen.sort_unstable();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(visits[..10], visits[10..]);
        assert_eq!(DataOrder::new(7, 10, 4).rows(3), visits[12..16]);
    }

    #[test]
    fn rows_are_visited_as_often_as_they_weigh() {
        let weights = vec![0.0, 0.5, 2.5, 1.0];
        let mut order = DataOrder::new(7, 4, 40).weighted(Some(weights.clone()));
        let mut counts = [0.0; 4];
        for step in 0..100 {
            order
                .rows(step)
                .into_iter()
                .for_each(|row| counts[row] += 1e-3);
        }
        for (count, weight) in counts.iter().zip(weights) {
            assert!((count - weight).abs() < 0.06, "{counts:?}");
        }
    }
}
