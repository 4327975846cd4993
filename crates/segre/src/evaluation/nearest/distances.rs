//! Distributions of distances: in a few numbers, and whether one lies below another.

use serde::Serialize;

/// A distribution of distances in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DistanceSummary {
    /// The mean.
    pub mean: f64,
    /// The smallest.
    pub minimum: u32,
    /// A hundredth of the distances are at most this.
    pub first_percentile: u32,
    /// Quarter, half and three quarters of the distances are at most these.
    pub quartiles: [u32; 3],
    /// All but a hundredth of the distances are at most this.
    pub last_percentile: u32,
    /// The largest.
    pub maximum: u32,
}

impl DistanceSummary {
    /// Summarises distances, `None` without any.
    pub fn of(distances: &[u32]) -> Option<Self> {
        let sorted = sorted(distances);
        let total: f64 = sorted.iter().map(|&distance| f64::from(distance)).sum();
        Some(Self {
            mean: total / sorted.len() as f64,
            minimum: *sorted.first()?,
            first_percentile: quantile(&sorted, 0.01),
            quartiles: [0.25, 0.5, 0.75].map(|fraction| quantile(&sorted, fraction)),
            last_percentile: quantile(&sorted, 0.99),
            maximum: *sorted.last()?,
        })
    }

    /// The share of distances below the closest `fraction` of others: `#{d < q} / #d` with the quantile `q`
    /// of the others. Rows that are as near as the others have a share of at most `fraction`, up to chance.
    ///
    /// # Panics
    /// If one of the two is empty.
    pub fn share_closer(distances: &[u32], others: &[u32], fraction: f64) -> f64 {
        assert!(!distances.is_empty() && !others.is_empty(), "no distances");
        share_below(distances, quantile(&sorted(others), fraction))
    }
}

/// Two samples of distances, whether the first ones are smaller than the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DistanceComparison {
    /// `P(d < e) + P(d = e)/2` for a distance `d` of the first and `e` of the others: ½ where neither are
    /// smaller, 1 where all of the first are. It is the area under the curve of a test that takes the near for
    /// the first (Mann & Whitney 1947).
    pub probability_nearer: f64,
    /// Standard error of it if both have one distribution, `√((m + n + 1) / (12 m n))`; ties make the true one
    /// smaller.
    pub std_error: f64,
    /// The largest difference of the two distribution functions (Kolmogorov–Smirnov distance).
    pub kolmogorov_smirnov: f64,
    /// Share of the first that are below all others.
    pub share_below_all: f64,
}

impl DistanceComparison {
    /// Compares distances with others, `None` if one of the two has none.
    pub fn of(distances: &[u32], others: &[u32]) -> Option<Self> {
        let (own, others) = (sorted(distances), sorted(others));
        let nearest = *others.first()?;
        let (m, n) = (own.len() as f64, others.len() as f64);
        let below = |sorted: &[u32], limit: u32| sorted.partition_point(|&value| value < limit);
        let up_to = |sorted: &[u32], limit: u32| sorted.partition_point(|&value| value <= limit);
        let pairs: f64 = own
            .iter()
            .map(|&distance| {
                let (less, equal_too) = (below(&others, distance), up_to(&others, distance));
                n - (less + equal_too) as f64 / 2.0
            })
            .sum();
        let gap =
            |&value: &u32| (up_to(&own, value) as f64 / m - up_to(&others, value) as f64 / n).abs();
        let gaps = own.iter().chain(&others).map(gap);
        (!own.is_empty()).then(|| Self {
            probability_nearer: pairs / (m * n),
            std_error: ((m + n + 1.0) / (12.0 * m * n)).sqrt(),
            kolmogorov_smirnov: gaps.fold(0.0, f64::max),
            share_below_all: share_below(&own, nearest),
        })
    }
}

fn sorted(distances: &[u32]) -> Vec<u32> {
    let mut sorted = distances.to_vec();
    sorted.sort_unstable();
    sorted
}

fn share_below(distances: &[u32], limit: u32) -> f64 {
    let below = distances.iter().filter(|&&distance| distance < limit);
    below.count() as f64 / distances.len() as f64
}

/// The smallest value that at least a fraction of the sorted values do not exceed; 0 without any.
fn quantile(sorted: &[u32], fraction: f64) -> u32 {
    let rank = (fraction * sorted.len() as f64).ceil() as usize;
    let place = rank.clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_exact() {
        let found = DistanceSummary::of(&[5, 1, 9, 3]).expect("four");
        let expected = DistanceSummary {
            mean: 4.5,
            minimum: 1,
            first_percentile: 1,
            quartiles: [1, 3, 5],
            last_percentile: 9,
            maximum: 9,
        };
        assert_eq!(found, expected);
        assert!(DistanceSummary::of(&[]).is_none());
        // The closest hundredth of 200 is the second: 11.
        let others: Vec<u32> = (10..210).collect();
        let found = DistanceSummary::of(&others).expect("200");
        assert_eq!((found.first_percentile, found.last_percentile), (11, 207));
        let share = |distances| DistanceSummary::share_closer(distances, &others, 0.01);
        assert_eq!(share(&[3, 10, 11, 12]), 0.5);
        assert_eq!(share(&others), 0.005);
    }

    /// Six pairs by hand: 1 < 2, 1 < 4, 2 = 2, 2 < 4, 5 > 2, 5 > 4.
    #[test]
    fn comparisons_are_exact() {
        let found = DistanceComparison::of(&[5, 1, 2], &[4, 2]).expect("both");
        assert!((found.probability_nearer - 3.5 / 6.0).abs() < 1e-15);
        assert!((found.std_error - (6.0_f64 / 72.0).sqrt()).abs() < 1e-15);
        // Up to 1: 1/3 and 0; up to 2: 2/3 and 1/2; up to 4: 2/3 and 1.
        assert!((found.kolmogorov_smirnov - 1.0 / 3.0).abs() < 1e-15);
        assert!((found.share_below_all - 1.0 / 3.0).abs() < 1e-15);
        let same = DistanceComparison::of(&[7, 7, 3], &[3, 7, 7]).expect("both");
        assert_eq!(
            (same.probability_nearer, same.kolmogorov_smirnov),
            (0.5, 0.0)
        );
        assert_eq!(same.share_below_all, 0.0);
        let copies = DistanceComparison::of(&[0, 0], &[9, 8, 7]).expect("both");
        assert_eq!(copies.probability_nearer, 1.0);
        assert_eq!(
            (copies.kolmogorov_smirnov, copies.share_below_all),
            (1.0, 1.0)
        );
        assert!(DistanceComparison::of(&[], &[1]).is_none());
        assert!(DistanceComparison::of(&[1], &[]).is_none());
    }
}
