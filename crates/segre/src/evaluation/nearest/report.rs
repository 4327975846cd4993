//! Distances of samples from the training rows beside those of held-out rows.

use serde::Serialize;

use super::{DistanceComparison, DistanceSummary, Neighbour, nearest};
use crate::data::{DataError, Dataset};
use crate::evaluation::error::Result;

/// The closest test rows that samples are compared with.
const CLOSEST: f64 = 0.01;

/// Hamming distances to the nearest training row: whether a model has learned rows by heart.
///
/// Test data may come from elsewhere; the validation rows are drawn as the training rows are, so a perfect model's samples are as
/// far away as they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearestReport {
    /// Number of samples.
    pub samples: usize,
    /// Sites of a row, the largest distance there is.
    pub sites: usize,
    /// Distances of samples, in sites, as all distances here.
    pub sample_to_train: DistanceSummary,
    /// Distances of test rows.
    pub test_to_train: DistanceSummary,
    /// Distances of validation rows.
    pub validation_to_train: DistanceSummary,
    /// Distances of samples against those of test rows.
    pub against_test: DistanceComparison,
    /// And against those of validation rows.
    pub against_validation: DistanceComparison,
    /// Share of samples that are nearer than the closest hundredth of the test rows; about as much, or less, for a model that has
    /// learned nothing by heart.
    pub share_closer: f64,
    /// The same of the test rows themselves: what ties leave of a hundredth.
    pub test_share_closer: f64,
    /// Share of samples that are a training row.
    pub share_copies: f64,
    /// Share of test rows that are.
    pub test_share_copies: f64,
    /// Share of validation rows that are.
    pub validation_share_copies: f64,
    /// For pictures: the nearest training rows of every sample, and all distances.
    #[serde(skip)]
    pub found: Found,
}

/// What the numbers are of.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The nearest training rows of every sample, nearest first.
    pub neighbours: Vec<Vec<Neighbour>>,
    /// Distance of every sample to the nearest of them, in sites.
    pub samples: Vec<u32>,
    /// Distance of every test row.
    pub test: Vec<u32>,
    /// Distance of every validation row.
    pub validation: Vec<u32>,
}

/// Looks through the training rows for the `count` nearest ones of every sample, and the nearest one of test and validation rows.
///
/// # Errors
/// [`DataError::SchemaMismatch`] if the numbers of sites differ, [`DataError::NoRows`] if one of the sets is empty.
pub fn run(
    samples: &Dataset,
    train: &Dataset,
    validation: &Dataset,
    test: &Dataset,
    count: usize,
) -> Result<NearestReport> {
    let neighbours = nearest(samples, train, count)?;
    let own = distances(&neighbours);
    let of_test = distances(&nearest(test, train, 1)?);
    let of_validation = distances(&nearest(validation, train, 1)?);
    let summary = |distances: &[u32]| DistanceSummary::of(distances).ok_or(DataError::NoRows);
    let against = |others: &[u32]| DistanceComparison::of(&own, others).ok_or(DataError::NoRows);
    let copies = |distances: &[u32]| {
        let copies = distances.iter().filter(|&&distance| distance == 0);
        copies.count() as f64 / distances.len() as f64
    };
    Ok(NearestReport {
        samples: samples.rows(),
        sites: samples.sites(),
        sample_to_train: summary(&own)?,
        test_to_train: summary(&of_test)?,
        validation_to_train: summary(&of_validation)?,
        against_test: against(&of_test)?,
        against_validation: against(&of_validation)?,
        share_closer: DistanceSummary::share_closer(&own, &of_test, CLOSEST),
        test_share_closer: DistanceSummary::share_closer(&of_test, &of_test, CLOSEST),
        share_copies: copies(&own),
        test_share_copies: copies(&of_test),
        validation_share_copies: copies(&of_validation),
        found: Found {
            neighbours,
            samples: own,
            test: of_test,
            validation: of_validation,
        },
    })
}

/// The distance of every row to its nearest.
fn distances(found: &[Vec<Neighbour>]) -> Vec<u32> {
    let nearest = found.iter().filter_map(|found| found.first());
    nearest.map(|neighbour| neighbour.distance).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::Schema;
    use crate::evaluation::EvaluationError;

    /// Training rows learned by heart are copies, and nearer than held-out rows.
    #[test]
    fn copies_are_found() {
        let data = |labels: &[u16]| {
            let schema = Schema::integers(&[4], true, 3);
            Dataset::new(schema, labels.to_vec()).unwrap()
        };
        let train = data(&[0, 0, 0, 0, 1, 1, 1, 1]);
        let (validation, test) = (data(&[0, 0, 0, 1]), data(&[1, 1, 0, 2, 2, 2, 2, 2]));
        let copied = run(&train, &train, &validation, &test, 2).unwrap();
        assert_eq!((copied.share_copies, copied.test_share_copies), (1.0, 0.0));
        assert_eq!(copied.against_test.probability_nearer, 1.0);
        assert_eq!(copied.found.test, [2, 4]);
        assert_eq!(copied.found.validation, [1]);
        assert_eq!(copied.found.neighbours[1][1].row, 0);
        // As near as the validation rows are: neither is nearer.
        let honest = run(&validation, &train, &validation, &test, 1).unwrap();
        assert_eq!(honest.against_validation.probability_nearer, 0.5);
        let none = run(&train.select(&[]), &train, &validation, &test, 1);
        assert!(matches!(
            none,
            Err(EvaluationError::Data(DataError::NoRows))
        ));
    }
}
