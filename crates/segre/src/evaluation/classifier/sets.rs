//! Distances of disjoint sets of images from the training images: means over the sets, and how far these scatter.

use serde::Serialize;

use super::{Classification, Moments, total_variation};

/// Most disjoint sets of rows whose distances are averaged.
const SETS: usize = 10;

/// Distances from all training rows, over disjoint sets of equally many rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SetDistances {
    /// How many sets there are.
    pub sets: usize,
    /// Fréchet distance of the features, the mean over sets.
    pub frechet: f64,
    /// Standard deviation among sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frechet_deviation: Option<f64>,
    /// Total variation of the shares of classes, between 0 and 1, the mean over sets.
    pub classes: f64,
    /// Standard deviation among sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes_deviation: Option<f64>,
}

impl SetDistances {
    /// Distances of disjoint sets of `rows` rows, each spread over all, from rows with these moments and shares of classes.
    ///
    /// # Panics
    /// If there are not so many rows, or none.
    pub fn of(found: &Classification, rows: usize, moments: &Moments, shares: &[f64]) -> Self {
        let total = found.classes.len();
        let sets = (total / rows).clamp(1, SETS);
        let (mut frechet, mut classes) = (Vec::new(), Vec::new());
        for set in 0..sets {
            let places: Vec<usize> = (0..rows).map(|k| k * total / rows + set).collect();
            let part = found.select(&places);
            frechet.push(Moments::of(&part).frechet_distance(moments));
            classes.push(total_variation(&part.shares(shares.len()), shares));
        }
        let (frechet, frechet_deviation) = mean_and_deviation(&frechet);
        let (classes, classes_deviation) = mean_and_deviation(&classes);
        Self {
            sets,
            frechet,
            frechet_deviation,
            classes,
            classes_deviation,
        }
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let variance = squares.sum::<f64>() / (count - 1.0);
    (mean, (values.len() > 1).then(|| variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets are disjoint and of equal size, whatever the numbers: each row is counted once at most.
    #[test]
    fn sets_are_disjoint() {
        for (total, rows) in [(10, 10), (10, 3), (11, 4), (100, 7), (7, 2), (25, 1)] {
            let found = Classification {
                classes: (0..total as u16).collect(),
                features: vec![0.0; total],
                width: 1,
            };
            let moments = Moments::of_vectors(&[0.0, 0.0], 1);
            // All classes differ, so a repeated one would change the shares.
            let shares = vec![0.0; total];
            let found = SetDistances::of(&found, rows, &moments, &shares);
            assert_eq!(found.sets, (total / rows).clamp(1, SETS), "{total} {rows}");
            assert!((found.classes - 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn means_and_deviations() {
        assert_eq!(mean_and_deviation(&[2.0]), (2.0, None));
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), (2.0, Some(2.0_f64.sqrt())));
    }
}
