//! What rows weigh: means by weights, and rows as often as they weigh where nothing can be weighed.

use std::borrow::Cow;

use super::Dataset;
use crate::data::error::{DataError, Result};

impl Dataset {
    /// The data with what each row weighs, for weights that are no column of them.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if there are not as many as rows, [`DataError::BadWeight`] for one that is no number from 0 on,
    /// and if all are 0.
    pub fn weighed(self, weights: &[f64]) -> Result<Self> {
        if weights.len() != self.rows() {
            return Err(DataError::SchemaMismatch {
                what: "the number of weights".into(),
                expected: format!("{} rows", self.rows()),
                found: weights.len().to_string(),
            });
        }
        let refused = |row: usize, value: String| DataError::BadWeight {
            path: "the weights".into(),
            line: row as u64,
            column: "weights".to_owned(),
            value,
        };
        let wrong = |weight: &f64| !(weight.is_finite() && *weight >= 0.0);
        if let Some(row) = weights.iter().position(wrong) {
            return Err(refused(row, weights[row].to_string()));
        }
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(refused(0, "0 in every row".to_owned()));
        }
        let weights = weights.iter().map(|weight| *weight as f32).collect();
        Ok(self.with_weights(Some(weights)))
    }

    /// What each row weighs, 1 on average; `None` if all weigh the same.
    pub fn weights(&self) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?.iter().copied().map(f64::from);
        let mean = weights.clone().sum::<f64>() / self.rows() as f64;
        Some(match mean > 0.0 {
            true => weights.map(|weight| weight / mean).collect(),
            // Nothing weighs anything here: no mean exists but the plain one.
            false => vec![1.0; self.rows()],
        })
    }

    /// The mean of a number of each row, by their weights.
    ///
    /// # Panics
    /// If there are not as many as rows.
    pub fn mean_of(&self, numbers: &[f64]) -> f64 {
        assert_eq!(numbers.len(), self.rows(), "numbers of rows");
        let sum: f64 = match self.weights() {
            None => numbers.iter().sum(),
            Some(weights) => numbers.iter().zip(weights).map(|(x, w)| x * w).sum(),
        };
        sum / numbers.len() as f64
    }

    /// As many rows, each as often as it weighs, up to rounding: what stands for the data where rows cannot be weighed.
    pub fn by_weight(&self) -> Cow<'_, Self> {
        match self.weights() {
            None => Cow::Borrowed(self),
            Some(weights) => {
                let mut chosen = self.select(&systematic(&weights, 0.5));
                chosen.weights = None;
                Cow::Owned(chosen)
            }
        }
    }
}

/// As many places as there are weights, each as often as it weighs, with what is left over decided by an offset from 0 to 1.
pub(crate) fn systematic(weights: &[f64], offset: f64) -> Vec<usize> {
    let count = weights.len();
    let step = weights.iter().sum::<f64>() / count as f64;
    let mut places = Vec::with_capacity(count);
    let mut sum = 0.0;
    for (place, weight) in weights.iter().enumerate() {
        sum += weight;
        while places.len() < count && (places.len() as f64 + offset) * step < sum {
            places.push(place);
        }
    }
    // Rounding may leave the last one over.
    let last = weights.iter().rposition(|weight| *weight > 0.0);
    places.resize(count, last.unwrap_or(0));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::schema::{Layout, Schema, Vocabulary};

    fn schema(names: &[&str]) -> Schema {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Schema::shared(Layout::Table, names, Vocabulary::Integers { count: 3 })
    }

    #[test]
    fn means_are_by_weight_and_weights_are_numbers_from_0_on() {
        let data = Dataset::new(schema(&["a"]), vec![0, 1, 2]).expect("legal labels");
        assert_eq!(data.mean_of(&[1.0, 2.0, 6.0]), 3.0);
        let weighed = data.clone().weighed(&[0.0, 1.0, 3.0]).expect("weights");
        assert_eq!(weighed.mean_of(&[1.0, 2.0, 6.0]), 5.0);
        assert_eq!(weighed.by_weight().labels(), [1, 2, 2]);
        for wrong in [[1.0, -1.0, 0.0], [f64::NAN, 1.0, 1.0], [0.0; 3]] {
            let error = data.clone().weighed(&wrong).expect_err("no weights");
            assert!(matches!(error, DataError::BadWeight { .. }), "{error}");
        }
        let error = data.weighed(&[1.0]).expect_err("too few");
        assert!(
            error.to_string().contains("the number of weights"),
            "{error}"
        );
    }

    #[test]
    fn rows_are_chosen_as_often_as_they_weigh() {
        assert_eq!(systematic(&[1.0, 1.0, 1.0], 0.3), [0, 1, 2]);
        assert_eq!(systematic(&[0.0, 3.0, 1.0, 0.0], 0.5), [1, 1, 1, 2]);
        let weights = [0.3, 2.4, 0.1, 1.2];
        let mut counts = [0.0; 4];
        for offset in 0..1000 {
            let chosen = systematic(&weights, (f64::from(offset) + 0.5) / 1000.0);
            chosen.into_iter().for_each(|place| counts[place] += 1e-3);
        }
        for (count, weight) in counts.iter().zip(weights) {
            assert!((count - weight).abs() < 0.01, "{counts:?}");
        }
        let data = Dataset::new(schema(&["a", "b"]), vec![0, 1, 2, 0, 1, 1]).expect("legal labels");
        let data = data.with_weights(Some(vec![2.0, 0.0, 4.0]));
        assert_eq!(data.weights(), Some(vec![1.0, 0.0, 2.0]));
        assert_eq!(
            data.select(&[2, 0]).weights(),
            Some(vec![4.0 / 3.0, 2.0 / 3.0])
        );
        assert_eq!(data.by_weight().labels(), [0, 1, 1, 1, 1, 1]);
    }
}
