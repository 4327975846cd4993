//! What label maps have in common: shares of classes, neighbouring classes, connected regions.

use crate::data::{DataError, Dataset, Layout};
use crate::evaluation::error::Result;
use rayon::prelude::*;
use serde::Serialize;

/// Statistics of a set of label maps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapStatistics {
    /// Number of maps.
    pub maps: usize,
    /// Share of pixels of every class.
    pub frequencies: Vec<f64>,
    /// Shares of pairs of pixels that touch by a side, `[classes, classes]`, symmetric, summing to 1: every
    /// pair counts once in either order.
    pub neighbours: Vec<f64>,
    /// The connected regions of every class.
    pub regions: Vec<Regions>,
}

/// The connected regions of one class: pixels of the class that are joined by sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Regions {
    /// How many there are in each map, ascending.
    pub numbers: Vec<u32>,
    /// Their areas in pixels, ascending.
    pub areas: Vec<u32>,
}

/// How far two sets of label maps are apart; all are 0 for equal statistics.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MapDistance {
    /// Jensen–Shannon divergence of the shares of classes, in nats (at most ln 2).
    pub frequencies: f64,
    /// Jensen–Shannon divergence of the shares of neighbouring pairs, in nats (at most ln 2).
    pub neighbours: f64,
    /// Mean over classes of the Wasserstein distance of the numbers of regions in a map, in regions.
    pub region_numbers: f64,
    /// Mean over classes of the Kolmogorov–Smirnov distance of the areas of regions (at most 1; 1 for a
    /// class that only one of the sets has).
    pub region_areas: f64,
}

impl MapStatistics {
    /// Counts through all maps.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] if the data are no pictures of one vocabulary, [`DataError::NoRows`].
    pub fn of(data: &Dataset) -> Result<Self> {
        let (Layout::Image { height, width, .. }, [_]) =
            (&data.schema.layout, &data.schema.vocabularies[..])
        else {
            return Err(DataError::SchemaMismatch {
                what: "the layout".into(),
                expected: "an image with the same classes everywhere".into(),
                found: data.schema.layout.describe(),
            }
            .into());
        };
        if data.rows() == 0 {
            return Err(DataError::NoRows.into());
        }
        let (height, width, classes) = (*height, *width, data.schema.max_categories());
        let rows: Vec<&[u16]> = data.iter().collect();
        let counts: Vec<Counts> = rows
            .into_par_iter()
            .map(|map| Counts::of(map, height, width, classes))
            .collect();
        let total = |part: fn(&Counts) -> &Vec<u64>, length: usize| {
            let mut sums = vec![0_u64; length];
            for counts in &counts {
                sums.iter_mut()
                    .zip(part(counts))
                    .for_each(|(sum, count)| *sum += count);
            }
            shares(&sums)
        };
        let regions = (0..classes).map(|class| {
            let mut numbers: Vec<u32> = counts
                .iter()
                .map(|counts| counts.areas[class].len() as u32)
                .collect();
            let mut areas: Vec<u32> = counts
                .iter()
                .flat_map(|counts| counts.areas[class].clone())
                .collect();
            numbers.sort_unstable();
            areas.sort_unstable();
            Regions { numbers, areas }
        });
        Ok(Self {
            maps: data.rows(),
            frequencies: total(|counts| &counts.pixels, classes),
            neighbours: total(|counts| &counts.pairs, classes * classes),
            regions: regions.collect(),
        })
    }

    /// The distance from another set's statistics; it is symmetric.
    ///
    /// # Panics
    /// If the numbers of classes differ.
    pub fn distance(&self, other: &Self) -> MapDistance {
        let classes = self.frequencies.len();
        assert_eq!(classes, other.frequencies.len(), "numbers of classes");
        let mean = |distance: fn(&Regions, &Regions) -> f64| {
            let pairs = self.regions.iter().zip(&other.regions);
            pairs.map(|(a, b)| distance(a, b)).sum::<f64>() / classes as f64
        };
        MapDistance {
            frequencies: jensen_shannon(&self.frequencies, &other.frequencies),
            neighbours: jensen_shannon(&self.neighbours, &other.neighbours),
            region_numbers: mean(|a, b| distances(&a.numbers, &b.numbers).0),
            region_areas: mean(|a, b| match (a.areas.is_empty(), b.areas.is_empty()) {
                (true, true) => 0.0,
                (false, false) => distances(&a.areas, &b.areas).1,
                _ => 1.0,
            }),
        }
    }
}

/// What is counted in one map.
struct Counts {
    pixels: Vec<u64>,
    pairs: Vec<u64>,
    /// Areas of the regions of every class.
    areas: Vec<Vec<u32>>,
}

impl Counts {
    fn of(map: &[u16], height: usize, width: usize, classes: usize) -> Self {
        let mut counts = Self {
            pixels: vec![0; classes],
            pairs: vec![0; classes * classes],
            areas: vec![Vec::new(); classes],
        };
        let mut regions = Forest((0..map.len()).collect());
        for row in 0..height {
            for column in 0..width {
                let place = row * width + column;
                let class = usize::from(map[place]);
                counts.pixels[class] += 1;
                let right = (column + 1 < width).then_some(place + 1);
                let below = (row + 1 < height).then_some(place + width);
                for other in [right, below].into_iter().flatten() {
                    let neighbour = usize::from(map[other]);
                    counts.pairs[class * classes + neighbour] += 1;
                    counts.pairs[neighbour * classes + class] += 1;
                    if neighbour == class {
                        regions.join(place, other);
                    }
                }
            }
        }
        let mut areas = vec![0; map.len()];
        for place in 0..map.len() {
            areas[regions.root(place)] += 1;
        }
        for (&area, &class) in areas.iter().zip(map).filter(|(area, _)| **area > 0) {
            counts.areas[usize::from(class)].push(area);
        }
        counts
    }
}

/// Disjoint sets of pixels; the root of a set is its first pixel.
struct Forest(Vec<usize>);

impl Forest {
    fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            // Halves the path for the next time.
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

fn shares(counts: &[u64]) -> Vec<f64> {
    let total = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|&count| count as f64 / total).collect()
}

/// `½ KL(p ‖ m) + ½ KL(q ‖ m)` with `m = ½ (p + q)`.
fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    let term = |a: f64, b: f64| {
        if a > 0.0 {
            0.5 * a * (2.0 * a / (a + b)).ln()
        } else {
            0.0
        }
    };
    let sum: f64 = p
        .iter()
        .zip(q)
        .map(|(&p, &q)| term(p, q) + term(q, p))
        .sum();
    sum.max(0.0)
}

/// Wasserstein distance `∫ |F − G|` and Kolmogorov–Smirnov distance `max |F − G|` of two samples in
/// ascending order.
fn distances(a: &[u32], b: &[u32]) -> (f64, f64) {
    let (mut i, mut j, mut sum, mut most) = (0, 0, 0.0, 0.0_f64);
    while i < a.len() || j < b.len() {
        let next = |values: &[u32], at: usize| values.get(at).copied();
        let value = match (next(a, i), next(b, j)) {
            (Some(a), Some(b)) => a.min(b),
            (Some(value), None) | (None, Some(value)) => value,
            (None, None) => break,
        };
        i += a[i..].iter().take_while(|&&other| other == value).count();
        j += b[j..].iter().take_while(|&&other| other == value).count();
        let gap = (i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs();
        most = most.max(gap);
        let following = match (next(a, i), next(b, j)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        if let Some(following) = following {
            sum += gap * f64::from(following - value);
        }
    }
    (sum, most)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{Schema, Vocabulary};
    use std::f64::consts::LN_2;

    fn maps(height: usize, width: usize, classes: usize, labels: &[u16]) -> Dataset {
        let mut schema = Schema::integers(&[height, width], true, 1);
        schema.vocabularies = vec![Vocabulary::Integers { count: classes }];
        Dataset::new(schema, labels.to_vec()).unwrap()
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    /// Two maps of 3×3 with three classes, counted by hand.
    #[test]
    fn counts_of_tiny_maps() {
        let data = maps(
            3,
            3,
            3,
            &[0, 0, 1, 1, 0, 1, 0, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2],
        );
        let found = MapStatistics::of(&data).unwrap();
        assert_eq!(found.maps, 2);
        for (share, pixels) in found.frequencies.iter().zip([4.0, 5.0, 9.0]) {
            close(*share, pixels / 18.0);
        }
        // First map: 0-0 twice, 1-1 three times, 0-1 seven times, of 12 pairs; second: 2-2 twelve times.
        let pairs = [4.0, 7.0, 0.0, 7.0, 6.0, 0.0, 0.0, 0.0, 24.0];
        for (share, count) in found.neighbours.iter().zip(pairs) {
            close(*share, count / 48.0);
        }
        let region = |numbers: &[u32], areas: &[u32]| Regions {
            numbers: numbers.to_vec(),
            areas: areas.to_vec(),
        };
        assert_eq!(found.regions[0], region(&[0, 2], &[1, 3]));
        assert_eq!(found.regions[1], region(&[0, 2], &[1, 4]));
        assert_eq!(found.regions[2], region(&[0, 1], &[9]));
    }

    /// A ring around a pixel, and a spiral whose ends meet late: unions of unions.
    #[test]
    fn regions_are_joined_across_rows() {
        let ring = [0, 0, 0, 0, 1, 0, 0, 0, 0];
        let found = MapStatistics::of(&maps(3, 3, 2, &ring)).unwrap();
        assert_eq!(
            (&found.regions[0].areas[..], &found.regions[1].areas[..]),
            (&[8][..], &[1][..])
        );
        let comb = [1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1];
        let found = MapStatistics::of(&maps(3, 5, 2, &comb)).unwrap();
        assert_eq!(
            (&found.regions[1].areas[..], &found.regions[0].areas[..]),
            (&[11][..], &[2, 2][..])
        );
    }

    #[test]
    fn distances_are_exact() {
        let blank = MapStatistics::of(&maps(2, 2, 2, &[0; 4])).unwrap();
        let full = MapStatistics::of(&maps(2, 2, 2, &[1; 4])).unwrap();
        let split = MapStatistics::of(&maps(2, 2, 2, &[0, 1, 0, 1])).unwrap();
        let same = blank.distance(&blank);
        assert_eq!(
            (
                same.frequencies,
                same.neighbours,
                same.region_numbers,
                same.region_areas
            ),
            (0.0, 0.0, 0.0, 0.0)
        );
        let far = blank.distance(&full);
        close(far.frequencies, LN_2);
        close(far.neighbours, LN_2);
        close(far.region_numbers, 1.0);
        close(far.region_areas, 1.0);
        let half = blank.distance(&split);
        assert_eq!(half, split.distance(&blank));
        // p = (1, 0), q = (½, ½): ½ ln(4/3) + ¼ ln(2/3) + ¼ ln 2.
        close(
            half.frequencies,
            0.5 * (4.0_f64 / 3.0).ln() + 0.25 * (2.0_f64 / 3.0).ln() + 0.25 * LN_2,
        );
        // p = (1, 0, 0, 0), q = (¼, ¼, ¼, ¼).
        let q = 0.5 * 1.6_f64.ln() + 0.125 * 0.4_f64.ln() + 0.375 * LN_2;
        close(half.neighbours, q);
        close(half.region_numbers, 0.5);
        close(half.region_areas, 1.0);
    }

    #[test]
    fn distances_of_samples_of_different_size() {
        let (wasserstein, smirnov) = distances(&[0, 0, 4], &[1, 2]);
        // F = ⅔ from 0, 1 from 4; G = ½ from 1, 1 from 2.
        close(wasserstein, 2.0 / 3.0 + 1.0 / 6.0 + 2.0 * (1.0 / 3.0));
        close(smirnov, 2.0 / 3.0);
        let (wasserstein, smirnov) = distances(&[3, 3], &[3]);
        assert_eq!((wasserstein, smirnov), (0.0, 0.0));
    }
}
