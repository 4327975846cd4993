//! How well a score tells outliers from other rows.

use serde::Serialize;

/// Three measures of a detector; outliers are what is to be detected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Detection {
    /// Area under the ROC curve: the probability that an outlier has the larger score, ties counting half.
    pub auroc: f64,
    /// Area under the precision–recall curve, as the average precision.
    pub aupr: f64,
    /// Share of other rows that are reported where 95 % of the outliers are.
    pub fpr_at_95_tpr: f64,
}

impl Detection {
    /// Of the scores of rows inside the distribution and of outliers; `None` if either are missing or NaN.
    ///
    /// Rows of equal scores are reported together.
    pub fn of(inside: &[f64], outliers: &[f64]) -> Option<Self> {
        let all = inside.iter().map(|score| (*score, false));
        let mut all: Vec<(f64, bool)> = all
            .chain(outliers.iter().map(|score| (*score, true)))
            .collect();
        if inside.is_empty() || outliers.is_empty() || all.iter().any(|(score, _)| score.is_nan()) {
            return None;
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (negatives, positives) = (inside.len() as f64, outliers.len() as f64);
        let (mut found, mut false_alarms) = (0.0, 0.0);
        let (mut auroc, mut aupr, mut fpr) = (0.0, 0.0, None);
        for tied in all.chunk_by(|a, b| a.0 == b.0) {
            let right = tied.iter().filter(|(_, outlier)| *outlier).count() as f64;
            let wrong = tied.len() as f64 - right;
            auroc += wrong / negatives * (found + 0.5 * right) / positives;
            found += right;
            false_alarms += wrong;
            aupr += right / positives * found / (found + false_alarms);
            if fpr.is_none() && found >= 0.95 * positives {
                fpr = Some(false_alarms / negatives);
            }
        }
        Some(Self {
            auroc,
            aupr,
            fpr_at_95_tpr: fpr.unwrap_or(1.0),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_are_as_by_hand() {
        // Ranks from the top: outlier, inside, outlier, inside.
        let found = Detection::of(&[3.0, 1.0], &[4.0, 2.0]).unwrap();
        assert!((found.auroc - 0.75).abs() < 1e-12);
        assert!((found.aupr - (0.5 * 1.0 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
        assert!((found.fpr_at_95_tpr - 0.5).abs() < 1e-12);
        let perfect = Detection::of(&[0.0, 1.0], &[f64::INFINITY, 2.0]).unwrap();
        assert_eq!(
            (perfect.auroc, perfect.aupr, perfect.fpr_at_95_tpr),
            (1.0, 1.0, 0.0)
        );
        let reversed = Detection::of(&[5.0, 6.0], &[1.0]).unwrap();
        assert_eq!((reversed.auroc, reversed.fpr_at_95_tpr), (0.0, 1.0));
        assert!((reversed.aupr - 1.0 / 3.0).abs() < 1e-12);
        let tied = Detection::of(&[1.0; 30], &[1.0; 10]).unwrap();
        assert!((tied.auroc - 0.5).abs() < 1e-12 && (tied.aupr - 0.25).abs() < 1e-12);
        assert_eq!(Detection::of(&[], &[1.0]), None);
        assert_eq!(Detection::of(&[f64::NAN], &[1.0]), None);
    }

    #[test]
    fn the_area_is_the_share_of_ordered_pairs() {
        let value = |k: usize, step: usize| ((k * step) % 101 / 3) as f64;
        let inside: Vec<f64> = (0..80).map(|k| value(k, 37)).collect();
        let outliers: Vec<f64> = (0..60).map(|k| value(k, 53) + 5.0).collect();
        let pairs = outliers
            .iter()
            .flat_map(|o| inside.iter().map(move |i| (o, i)));
        let share: f64 = pairs
            .map(|(o, i)| match o.total_cmp(i) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .sum();
        let found = Detection::of(&inside, &outliers).unwrap();
        assert!((found.auroc - share / 4800.0).abs() < 1e-12);
    }
}
