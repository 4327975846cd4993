//! The Chow–Liu tree: of all models in which each site depends on at most one other, the likeliest.
//!
//! Source: C. K. Chow and C. N. Liu, Approximating discrete probability distributions with
//! dependence trees, IEEE Transactions on Information Theory 14(3), 1968. The mutual information of
//! two sites is estimated with each row left out of the counts that predict it: plain frequencies
//! find much information in rare categories (an identifier column would become the parent of all),
//! and the tree would be a needlessly weak yardstick.

mod messages;

use super::independent::Independent;
use super::{Baseline, require_parts};
use crate::data::{Collector, Dataset, Store};
use crate::evaluation::error::Result;
use rayon::prelude::*;

/// Smoothings that are tried for every edge: the weight of the child's marginal in rows.
const SMOOTHINGS: [f64; 9] = [0.02, 0.1, 0.4, 1.5, 5.0, 15.0, 40.0, 120.0, 400.0];

/// Gains up to this, in nats per row, are rounding errors of 0.
const NO_GAIN: f64 = 1e-9;

/// Pairs with at most this many cells per row are counted in a table, others by sorting.
const CELLS_PER_ROW: usize = 4;

/// `P(row) = Π_i P(row_i | row_parent(i))` on the maximum spanning forest of mutual information.
///
/// `P(x | y) = (n(x, y) + a p(x)) / (n(y) + a)` with the training counts `n`, the smoothed marginal
/// `p` of [`Independent`] and one `a` per edge.
#[derive(Debug, Clone, PartialEq)]
pub struct ChowLiu {
    marginals: Independent,
    /// How each site depends on its parent; `None` for a root.
    edges: Vec<Option<Edge>>,
}

/// A child's counts given its parent.
#[derive(Debug, Clone, PartialEq)]
struct Edge {
    parent: usize,
    smoothing: f64,
    parent_counts: Vec<f64>,
    /// Cells `parent label · categories + child label` that occur, ascending, with their counts.
    cells: Vec<(u32, u32)>,
}

impl ChowLiu {
    /// Finds the forest on the training rows and counts along its edges.
    ///
    /// The weight of a pair is the mean over the training rows of `ln P(x | y) / p(x)`, the row left
    /// out of the counts, in the better of both directions and with the best of the smoothings
    /// 0.02 to 400; pairs without gain stay apart. The validation rows choose the smoothing of `p`.
    /// Time grows as `sites² · rows`, memory as `sites · rows`.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) if the parts differ in schema or are
    /// empty.
    pub fn fit(train: &Dataset, validation: &Dataset) -> Result<Self> {
        require_parts(train, validation)?;
        let marginals = Independent::fit(train, validation)?;
        let columns = Columns::new(train, &marginals)?;
        let parents = columns.maximum_spanning_tree();
        let edges = parents
            .into_par_iter()
            .enumerate()
            .map(|(child, parent)| columns.edge(parent?, child))
            .collect();
        Ok(Self { marginals, edges })
    }

    /// The parent of each site, `None` for a root.
    pub fn parents(&self) -> Vec<Option<usize>> {
        self.edges
            .iter()
            .map(|edge| edge.as_ref().map(|edge| edge.parent))
            .collect()
    }

    /// The smoothing of the edge above each site, `None` for a root.
    pub fn smoothings(&self) -> Vec<Option<f64>> {
        self.edges
            .iter()
            .map(|edge| edge.as_ref().map(|edge| edge.smoothing))
            .collect()
    }
}

impl Baseline for ChowLiu {
    fn meaning(&self) -> &'static str {
        "the best tree of pairs of sites"
    }

    fn log_prob(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.edges.len(), "one label per site");
        let site = |(site, edge): (usize, &Option<Edge>)| {
            let log_probs = self.marginals.log_probs(site);
            let marginal = log_probs[usize::from(row[site])];
            let Some(edge) = edge else { return marginal };
            let cell = cell(row[edge.parent], row[site], log_probs.len());
            let found = edge.cells.binary_search_by_key(&cell, |&(cell, _)| cell);
            let joint = found.map_or(0, |place| edge.cells[place].1);
            let given = edge.parent_counts[usize::from(row[edge.parent])];
            smoothed(f64::from(joint), given, edge.smoothing, marginal.exp()).ln()
        };
        self.edges.iter().enumerate().map(site).sum()
    }
}

/// `(n(x, y) + a p(x)) / (n(y) + a)`.
fn smoothed(joint: f64, given: f64, smoothing: f64, marginal: f64) -> f64 {
    (joint + smoothing * marginal) / (given + smoothing)
}

/// The cell of a pair of labels; both are 16-bit, so that 32 bits hold it.
fn cell(parent: u16, child: u16, categories: usize) -> u32 {
    (usize::from(parent) * categories + usize::from(child)) as u32
}

/// The training rows site by site, which the processes of a machine share where they are many.
struct Columns {
    labels: Vec<Store>,
    counts: Vec<Vec<f64>>,
    /// Smoothed marginals `p`.
    marginals: Vec<Vec<f64>>,
}

/// A cell of a pair of sites, seen from the child.
struct Conditional {
    /// `n(x, y)`.
    joint: f64,
    /// `n(y)` of the parent.
    given: f64,
    /// `p(x)` of the child.
    marginal: f64,
}

/// The best smoothing of an edge and its gain in nats per row.
#[derive(Clone, Copy)]
struct Gain {
    smoothing: f64,
    nats: f64,
}

impl Columns {
    fn new(data: &Dataset, marginals: &Independent) -> Result<Self> {
        let column = |site: usize| -> Result<Store> {
            let mut labels = Collector::new(u64::MAX);
            labels.reserve(data.rows());
            labels.extend(data.iter().map(|row| row[site]))?;
            Ok(labels.finish()?)
        };
        let labels: Vec<Store> = (0..data.sites()).map(column).collect::<Result<_>>()?;
        let mut counts: Vec<Vec<f64>> = data
            .schema
            .cardinalities()
            .iter()
            .map(|&categories| vec![0.0; categories])
            .collect();
        for (count, column) in counts.iter_mut().zip(&labels) {
            column
                .iter()
                .for_each(|&label| count[usize::from(label)] += 1.0);
        }
        let exponentials = |site| {
            marginals
                .log_probs(site)
                .iter()
                .map(|log| log.exp())
                .collect()
        };
        let marginals = (0..data.sites()).map(exponentials).collect();
        Ok(Self {
            labels,
            counts,
            marginals,
        })
    }

    /// The gain of predicting a child by its parent, from the cells of (parent, child).
    fn gain(&self, parent: usize, child: usize, cells: &[(u32, u32)]) -> Gain {
        let categories = self.counts[child].len();
        let forward = |&(cell, joint): &(u32, u32)| Conditional {
            joint: f64::from(joint),
            given: self.counts[parent][cell as usize / categories],
            marginal: self.marginals[child][cell as usize % categories],
        };
        best_gain(
            &cells.iter().map(forward).collect::<Vec<_>>(),
            self.labels[child].len(),
        )
    }

    /// The larger gain of both directions.
    fn weight(&self, first: usize, second: usize) -> f64 {
        let cells = self.cells(first, second);
        let categories = self.counts[second].len();
        let backward = |&(cell, joint): &(u32, u32)| Conditional {
            joint: f64::from(joint),
            given: self.counts[second][cell as usize % categories],
            marginal: self.marginals[first][cell as usize / categories],
        };
        let back = best_gain(
            &cells.iter().map(backward).collect::<Vec<_>>(),
            self.labels[first].len(),
        );
        self.gain(first, second, &cells).nats.max(back.nats)
    }

    /// The cells of a pair of sites that occur, ascending, with their counts.
    fn cells(&self, first: usize, second: usize) -> Vec<(u32, u32)> {
        let categories = self.counts[second].len();
        let pairs = self.labels[first].iter().zip(self.labels[second].iter());
        let codes = pairs.map(|(&x, &y)| cell(x, y, categories));
        let size = self.counts[first].len() * categories;
        if size <= CELLS_PER_ROW * self.labels[first].len() {
            let mut table = vec![0; size];
            codes.for_each(|code| table[code as usize] += 1);
            return (0..).zip(table).filter(|&(_, count)| count > 0).collect();
        }
        let mut sorted: Vec<u32> = codes.collect();
        sorted.sort_unstable();
        let runs = sorted.chunk_by(|left, right| left == right);
        runs.map(|run| (run[0], run.len() as u32)).collect()
    }

    /// The parent of each site in the tree with the largest sum of weights, rooted at 0.
    ///
    /// Prim's algorithm: one row of the matrix of pairs at a time is in memory; ties go to the
    /// first site, so that the tree does not depend on the number of threads.
    fn maximum_spanning_tree(&self) -> Vec<Option<usize>> {
        let sites = self.labels.len();
        let mut parents = vec![None; sites];
        let mut outside: Vec<usize> = (1..sites).collect();
        let mut best = vec![f64::NEG_INFINITY; sites];
        let mut newest = 0;
        while !outside.is_empty() {
            let weigh = |&site: &usize| self.weight(newest, site);
            let weights: Vec<f64> = outside.par_iter().map(weigh).collect();
            for (&site, weight) in outside.iter().zip(weights) {
                if weight > best[site] {
                    best[site] = weight;
                    parents[site] = Some(newest);
                }
            }
            let mut place = 0;
            for candidate in 1..outside.len() {
                if best[outside[candidate]] > best[outside[place]] {
                    place = candidate;
                }
            }
            newest = outside.remove(place);
        }
        parents
    }

    /// The edge between two sites with its best smoothing; `None` if it gains nothing.
    fn edge(&self, parent: usize, child: usize) -> Option<Edge> {
        let cells = self.cells(parent, child);
        let Gain { smoothing, nats } = self.gain(parent, child, &cells);
        let parent_counts = self.counts[parent].clone();
        (nats > NO_GAIN).then_some(Edge {
            parent,
            smoothing,
            parent_counts,
            cells,
        })
    }
}

/// The largest `(1/N) Σ n(x,y) ln(P(x | y) / p(x))` over the smoothings, each row left out of the
/// counts that predict it.
fn best_gain(cells: &[Conditional], rows: usize) -> Gain {
    let mut best = Gain {
        smoothing: SMOOTHINGS[0],
        nats: f64::NEG_INFINITY,
    };
    for smoothing in SMOOTHINGS {
        let cell = |&Conditional {
                        joint,
                        given,
                        marginal,
                    }: &Conditional| {
            let left_out = smoothed(joint - 1.0, given - 1.0, smoothing, marginal);
            joint * (left_out / marginal).ln()
        };
        let nats = cells.iter().map(cell).sum::<f64>() / rows as f64;
        if nats > best.nats {
            best = Gain { smoothing, nats };
        }
    }
    best
}

#[cfg(test)]
mod tests;
