//! Which sites depend on which: the tree of the largest mutual information.

use rayon::prelude::*;

use crate::data::Dataset;

/// The parent of every site in the tree with the largest sum of mutual information, whose root is its middle.
///
/// What a pair of `a` and `b` categories seems to say of each other without saying anything, `(a − 1)(b − 1)/(2 rows)` nats on
/// average, is taken off; pairs that say no more are no pairs.
///
/// Source: Chow & Liu 1968; the correction: G. Miller 1955.
pub(super) fn parents(data: &Dataset) -> Vec<Option<usize>> {
    let columns = Columns::new(data);
    rooted(data.sites(), &columns.spanning_tree())
}

/// Labels by site.
struct Columns {
    /// `[sites][rows]`.
    labels: Vec<Vec<u16>>,
    /// How often each label occurs, `[sites][categories]`.
    counts: Vec<Vec<u32>>,
}

impl Columns {
    fn new(data: &Dataset) -> Self {
        let sites = 0..data.sites();
        let labels: Vec<Vec<u16>> = sites
            .into_par_iter()
            .map(|site| data.iter().map(|row| row[site]).collect())
            .collect();
        let count = |(labels, own): (&Vec<u16>, usize)| {
            let mut counts = vec![0; own];
            for label in labels {
                counts[usize::from(*label)] += 1;
            }
            counts
        };
        let counts = labels.iter().zip(data.schema.cardinalities()).map(count);
        let counts = counts.collect();
        Self { labels, counts }
    }

    /// Corrected mutual information of two sites, nats per row.
    fn information(&self, first: usize, second: usize) -> f64 {
        let [own, other] = [first, second].map(|site| &self.counts[site]);
        let mut pairs = vec![0_u32; own.len() * other.len()];
        for (x, y) in self.labels[first].iter().zip(&self.labels[second]) {
            pairs[usize::from(*x) * other.len() + usize::from(*y)] += 1;
        }
        let rows = self.labels[first].len() as f64;
        let mut sum = 0.0;
        for (pairs, x) in pairs.chunks(other.len()).zip(own) {
            for (pair, y) in pairs.iter().zip(other).filter(|(pair, _)| **pair > 0) {
                let pair = f64::from(*pair);
                sum += pair * (pair * rows / (f64::from(*x) * f64::from(*y))).ln();
            }
        }
        let seen = |counts: &[u32]| counts.iter().filter(|count| **count > 0).count() as f64;
        (sum - 0.5 * (seen(own) - 1.0) * (seen(other) - 1.0)) / rows
    }

    /// The pairs of the tree, or trees, with the largest sum of information: Prim's algorithm, a row of the matrix of pairs at
    /// a time; ties go to the first site.
    fn spanning_tree(&self) -> Vec<[usize; 2]> {
        let sites = self.labels.len();
        let mut outside: Vec<usize> = (1..sites).collect();
        let mut best = vec![(0.0, None); sites];
        let mut newest = 0;
        let mut pairs = Vec::new();
        while !outside.is_empty() {
            let known: Vec<f64> = outside
                .par_iter()
                .map(|&site| self.information(newest, site))
                .collect();
            for (&site, information) in outside.iter().zip(known) {
                if information > best[site].0 {
                    best[site] = (information, Some(newest));
                }
            }
            let largest = (0..outside.len()).rev();
            let largest =
                largest.max_by(|a, b| best[outside[*a]].0.total_cmp(&best[outside[*b]].0));
            newest = outside.remove(largest.unwrap_or(0));
            pairs.extend(best[newest].1.map(|parent| [parent, newest]));
        }
        pairs
    }
}

/// The parents in a forest, each of whose trees hangs on a site in its middle: leaves are taken off until one or two are left.
fn rooted(sites: usize, pairs: &[[usize; 2]]) -> Vec<Option<usize>> {
    let mut neighbours = vec![Vec::new(); sites];
    for [a, b] in pairs {
        neighbours[*a].push(*b);
        neighbours[*b].push(*a);
    }
    let mut parents = vec![None; sites];
    let mut left: Vec<usize> = neighbours.iter().map(Vec::len).collect();
    let mut leaves: Vec<usize> = (0..sites).filter(|site| left[*site] == 1).collect();
    let mut gone = vec![false; sites];
    while !leaves.is_empty() {
        let mut next = Vec::new();
        for site in leaves {
            // The last of two has lost its neighbour.
            let Some(&parent) = neighbours[site].iter().find(|other| !gone[**other]) else {
                continue;
            };
            parents[site] = Some(parent);
            gone[site] = true;
            left[parent] -= 1;
            if left[parent] == 1 {
                next.push(parent);
            }
        }
        leaves = next;
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Schema;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn trees_hang_on_their_middles() {
        let path = rooted(5, &[[0, 1], [1, 2], [2, 3], [3, 4]]);
        assert_eq!(path, [Some(1), Some(2), None, Some(2), Some(3)]);
        let apart = rooted(5, &[[0, 3], [4, 1]]);
        let roots = apart.iter().filter(|parent| parent.is_none()).count();
        assert_eq!((roots, apart[2]), (3, None));
        let star = rooted(4, &[[3, 0], [3, 1], [3, 2]]);
        assert_eq!(star, [Some(3), Some(3), Some(3), None]);
    }

    #[test]
    fn a_chain_is_found_and_noise_left_alone() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut labels = Vec::new();
        for _ in 0..4000 {
            // Sites 2, 0, 3 copy each other in this order; site 1 is noise.
            let mut row = [0_u16; 4];
            row[2] = rng.random_range(0..3);
            for (from, to) in [(2, 0), (0, 3)] {
                row[to] = match rng.random_bool(0.6) {
                    true => row[from],
                    false => rng.random_range(0..3),
                };
            }
            row[1] = rng.random_range(0..3);
            labels.extend(row);
        }
        let data = Dataset::new(Schema::integers(&[4], false, 3), labels).unwrap();
        let found = parents(&data);
        assert_eq!([found[2], found[0], found[3]], [Some(0), None, Some(0)]);
        assert_eq!(
            found[1],
            None,
            "{:?}",
            Columns::new(&data).information(1, 0)
        );
    }
}
