//! The area under the ROC curve with its error, and the share of variance that is explained.

use crate::evaluation::detection::Detection;

/// An area under the ROC curve and its standard error.
///
/// Source: Hanley & McNeil, The meaning and use of the area under a receiver operating characteristic curve, Radiology 143,
/// 1982.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Auc {
    pub value: f64,
    pub std_error: f64,
}

impl Auc {
    /// That of scores, which are to be larger for the second; `None` if one list is empty or a score is no number.
    pub fn of(negatives: &[f64], positives: &[f64]) -> Option<Self> {
        let value = Detection::of(negatives, positives)?.auroc;
        let (n, p) = (negatives.len() as f64, positives.len() as f64);
        let square = value * value;
        let above = value / (2.0 - value) - square;
        let below = 2.0 * square / (1.0 + value) - square;
        let variance = value * (1.0 - value) + (p - 1.0) * above + (n - 1.0) * below;
        Some(Self {
            value,
            std_error: (variance.max(0.0) / (n * p)).sqrt(),
        })
    }

    /// That of scores of rows of which some are positive.
    pub fn of_rows(scores: &[f64], positive: impl Fn(usize) -> bool) -> Option<Self> {
        let side = |wanted: bool| -> Vec<f64> {
            let rows = (0..scores.len()).filter(|row| positive(*row) == wanted);
            rows.map(|row| scores[row]).collect()
        };
        Self::of(&side(false), &side(true))
    }
}

/// `R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)²`; `None` where all truths are the same.
pub(super) fn r_squared(predicted: &[f64], truth: &[f64]) -> Option<f64> {
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let spread: f64 = truth.iter().map(|y| (y - mean).powi(2)).sum();
    let pairs = predicted.iter().zip(truth);
    let error: f64 = pairs.map(|(p, y)| (y - p).powi(2)).sum();
    (spread > 0.0).then(|| 1.0 - error / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_and_error_are_as_by_hand() {
        let found = Auc::of(&[1.0, 3.0, 5.0, 7.0], &[2.0, 4.0, 4.5, 6.0]).expect("both kinds");
        assert!((found.value - 8.0 / 16.0).abs() < 1e-12);
        // (1/4 + 3/12 + 3/12) / 16, where the rank test has 9 / (12 · 16).
        assert!((found.std_error.powi(2) - 0.75 / 16.0).abs() < 1e-12);
        assert_eq!(Auc::of(&[], &[1.0]), None);
    }

    #[test]
    fn the_explained_share_is_1_for_the_truth_and_0_for_its_mean() {
        let truth = [1.0, 2.0, 6.0];
        assert_eq!(r_squared(&truth, &truth), Some(1.0));
        assert_eq!(r_squared(&[3.0; 3], &truth), Some(0.0));
        assert_eq!(r_squared(&[3.0; 2], &[1.0; 2]), None);
    }
}
