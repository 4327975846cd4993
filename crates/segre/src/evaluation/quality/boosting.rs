//! Gradient-boosted trees on binned columns: the classifier that samples are shown to.
//!
//! Ours because its trees must be the same for any number of threads, and categories are to be split as the referees do, one
//! against the rest, without a column for each. Settings are XGBoost's defaults: 100 trees of depth 6, rate 0.3, `λ = 1`, at
//! least 1 of second derivatives on either side, about 256 bins.
//!
//! Source: Chen & Guestrin, XGBoost: a scalable tree boosting system, 2016, arXiv 1603.02754.

use rayon::prelude::*;

use super::rows::{Content, Rows};

const TREES: usize = 100;
const DEPTH: usize = 6;
const RATE: f64 = 0.3;
/// Pulls the value of a leaf to 0.
const LAMBDA: f64 = 1.0;
/// Least sum of second derivatives on either side of a split.
const LEAST_WEIGHT: f64 = 1.0;
/// Least gain of a split: below it is rounding.
const LEAST_GAIN: f64 = 1e-6;
/// Bins of a column, about.
const BINS: usize = 256;
/// The bin of missing numbers.
const MISSING: u16 = 0;

/// What is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Loss {
    /// 0 or 1; scores are log-odds.
    Logistic,
    /// A number.
    Squares,
}

/// Columns as bins, for rows that are learned from and for rows that are predicted.
pub(super) struct Binned {
    columns: Vec<BinnedColumn>,
}

struct BinnedColumn {
    bins: Vec<u16>,
    count: usize,
    /// Whether bins are in order, and split by a threshold.
    ordered: bool,
}

impl Binned {
    /// The columns that are not left out.
    pub fn of(rows: &Rows, left_out: Option<usize>) -> Self {
        let kept = rows.columns.iter().enumerate();
        let kept: Vec<&Content> = kept
            .filter(|(place, _)| Some(*place) != left_out)
            .map(|(_, column)| &column.values)
            .collect();
        Self {
            columns: kept.into_par_iter().map(BinnedColumn::of).collect(),
        }
    }
}

impl BinnedColumn {
    fn of(values: &Content) -> Self {
        match values {
            Content::Numbers(numbers) => Self::of_numbers(numbers),
            Content::Categories { codes, count, .. } => Self::of_categories(codes, *count),
        }
    }

    /// Bins of about equal weight; a number that fills one has its own.
    fn of_numbers(numbers: &[f64]) -> Self {
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let weight = sorted.len().div_ceil(BINS);
        let (mut first, mut filled, mut open) = (Vec::new(), 0, false);
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        for same in sorted.chunk_by(|a, b| a == b) {
            let alone = distinct <= BINS || same.len() >= weight;
            if alone || !open || filled + same.len() > weight {
                first.push(same[0]);
                filled = 0;
            }
            filled += same.len();
            open = !alone;
        }
        let bin = |x: &f64| match x.is_nan() {
            true => MISSING,
            false => first.partition_point(|first| first <= x) as u16,
        };
        Self {
            bins: numbers.iter().map(bin).collect(),
            count: first.len() + 1,
            ordered: true,
        }
    }

    /// A bin for each category, the rarest of many together.
    fn of_categories(codes: &[u32], count: usize) -> Self {
        let mut weights = vec![0_usize; count];
        codes.iter().for_each(|code| weights[*code as usize] += 1);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|code| std::cmp::Reverse(weights[*code]));
        let mut bin = vec![0; count];
        for (place, code) in order.into_iter().enumerate() {
            bin[code] = place.min(BINS - 1) as u16;
        }
        Self {
            bins: codes.iter().map(|code| bin[*code as usize]).collect(),
            count: count.min(BINS),
            ordered: false,
        }
    }
}

/// Trees, added up.
pub(super) struct Boosted {
    base: f64,
    trees: Vec<Vec<Node>>,
}

/// A node of a tree, whose root is the first.
#[derive(Clone, Copy, Debug)]
enum Node {
    Leaf(f64),
    Split { split: Split, left: usize },
}

/// What goes to the left child; the right one follows it in the list of nodes.
#[derive(Clone, Copy, Debug)]
struct Split {
    column: usize,
    bin: u16,
    ordered: bool,
    missing_left: bool,
}

impl Split {
    /// Bins up to the threshold, or the one category.
    fn is_left(&self, bin: u16) -> bool {
        match self.ordered {
            true if bin == MISSING => self.missing_left,
            true => bin <= self.bin,
            false => bin == self.bin,
        }
    }
}

/// First and second derivatives of the loss, added up.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    gradient: f64,
    weight: f64,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.gradient += other.gradient;
        self.weight += other.weight;
    }

    fn less(self, other: Sum) -> Sum {
        Sum {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
        }
    }

    fn score(self) -> f64 {
        self.gradient * self.gradient / (self.weight + LAMBDA)
    }
}

/// A node that may still be split: its rows, their derivatives, and these by column and bin.
struct Open {
    node: usize,
    rows: Vec<usize>,
    total: Sum,
    histograms: Vec<Vec<Sum>>,
}

impl Boosted {
    /// Learns the targets of some rows.
    ///
    /// # Panics
    /// Without rows, or if there is not a target for each.
    pub fn fit(data: &Binned, rows: &[usize], targets: &[f64], loss: Loss) -> Self {
        assert_eq!(rows.len(), targets.len(), "a target for every row");
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let base = match loss {
            Loss::Squares => mean,
            Loss::Logistic => {
                let share = mean.clamp(1e-6, 1.0 - 1e-6);
                (share / (1.0 - share)).ln()
            }
        };
        let mut scores = vec![base; rows.len()];
        let mut trees = Vec::with_capacity(TREES);
        for _ in 0..TREES {
            let derivatives: Vec<Sum> = scores
                .par_iter()
                .zip(targets)
                .map(|(score, target)| loss.derivatives(*score, *target))
                .collect();
            trees.push(tree(data, rows, &derivatives, &mut scores));
        }
        Self { base, trees }
    }

    /// The scores of rows: log-odds, or numbers.
    pub fn scores(&self, data: &Binned, rows: &[usize]) -> Vec<f64> {
        let score = |row: &usize| {
            let values = self.trees.iter().map(|tree| leaf(tree, data, *row));
            self.base + values.sum::<f64>()
        };
        rows.par_iter().map(score).collect()
    }
}

impl Loss {
    fn derivatives(self, score: f64, target: f64) -> Sum {
        match self {
            Self::Squares => Sum {
                gradient: score - target,
                weight: 1.0,
            },
            Self::Logistic => {
                let share = 1.0 / (1.0 + (-score).exp());
                Sum {
                    gradient: share - target,
                    weight: (share * (1.0 - share)).max(1e-16),
                }
            }
        }
    }
}

fn leaf(tree: &[Node], data: &Binned, row: usize) -> f64 {
    let mut node = 0;
    loop {
        match tree[node] {
            Node::Leaf(value) => return value,
            Node::Split { split, left } => {
                let right = !split.is_left(data.columns[split.column].bins[row]);
                node = left + usize::from(right);
            }
        }
    }
}

/// Grows a tree level by level, and adds its values to the scores. Rows are told by their place in `rows`.
fn tree(data: &Binned, rows: &[usize], derivatives: &[Sum], scores: &mut [f64]) -> Vec<Node> {
    let all: Vec<usize> = (0..rows.len()).collect();
    let histograms = histograms(data, rows, derivatives, &all);
    let mut nodes = vec![Node::Leaf(0.0)];
    let mut level = vec![Open {
        node: 0,
        total: total(derivatives, &all),
        rows: all,
        histograms,
    }];
    for depth in 0..=DEPTH {
        let mut next = Vec::new();
        for open in level {
            let found = (depth < DEPTH).then(|| best_split(data, &open)).flatten();
            let Some(split) = found else {
                let value = -RATE * open.total.gradient / (open.total.weight + LAMBDA);
                nodes[open.node] = Node::Leaf(value);
                open.rows.iter().for_each(|place| scores[*place] += value);
                continue;
            };
            let left = nodes.len();
            nodes[open.node] = Node::Split { split, left };
            nodes.extend([Node::Leaf(0.0); 2]);
            let bins = &data.columns[split.column].bins;
            let is_left = |place: &usize| split.is_left(bins[rows[*place]]);
            let (on_left, on_right): (Vec<usize>, Vec<usize>) =
                open.rows.into_iter().partition(is_left);
            let last = depth + 1 == DEPTH;
            next.extend(children(
                data,
                rows,
                derivatives,
                open.histograms,
                [on_left, on_right],
                left,
                last,
            ));
        }
        level = next;
    }
    nodes
}

/// Both children of a node: the histograms of the larger are what those of the smaller leave of the node's.
fn children(
    data: &Binned,
    rows: &[usize],
    derivatives: &[Sum],
    mut of_both: Vec<Vec<Sum>>,
    parts: [Vec<usize>; 2],
    node: usize,
    last: bool,
) -> [Open; 2] {
    let left_is_smaller = parts[0].len() <= parts[1].len();
    let smaller = &parts[usize::from(!left_is_smaller)];
    let mut of_smaller = Vec::new();
    if last {
        of_both.clear();
    } else {
        of_smaller = histograms(data, rows, derivatives, smaller);
        for (own, part) in of_both.iter_mut().zip(&of_smaller) {
            own.iter_mut()
                .zip(part)
                .for_each(|(own, part)| *own = own.less(*part));
        }
    }
    let histograms = match left_is_smaller {
        true => [of_smaller, of_both],
        false => [of_both, of_smaller],
    };
    let open = |node: usize, rows: Vec<usize>, histograms: Vec<Vec<Sum>>| Open {
        node,
        total: total(derivatives, &rows),
        rows,
        histograms,
    };
    let ([left, right], [of_left, of_right]) = (parts, histograms);
    [open(node, left, of_left), open(node + 1, right, of_right)]
}

fn total(derivatives: &[Sum], places: &[usize]) -> Sum {
    let mut total = Sum::default();
    places
        .iter()
        .for_each(|place| total.add(derivatives[*place]));
    total
}

/// Derivatives by column and bin.
fn histograms(
    data: &Binned,
    rows: &[usize],
    derivatives: &[Sum],
    places: &[usize],
) -> Vec<Vec<Sum>> {
    let own: Vec<(usize, Sum)> = places
        .iter()
        .map(|place| (rows[*place], derivatives[*place]))
        .collect();
    let of_column = |column: &BinnedColumn| {
        let mut sums = vec![Sum::default(); column.count];
        for (row, derivative) in &own {
            sums[usize::from(column.bins[*row])].add(*derivative);
        }
        sums
    };
    data.columns.par_iter().map(of_column).collect()
}

/// The split of the largest gain, the first of equal ones; none if nothing is gained.
fn best_split(data: &Binned, open: &Open) -> Option<Split> {
    let mut best: Option<(f64, Split)> = None;
    for (column, (own, sums)) in data.columns.iter().zip(&open.histograms).enumerate() {
        let mut consider = |left: Sum, bin: usize, missing_left: bool| {
            let right = open.total.less(left);
            if left.weight < LEAST_WEIGHT || right.weight < LEAST_WEIGHT {
                return;
            }
            let gain = left.score() + right.score() - open.total.score();
            if gain > best.map_or(LEAST_GAIN, |(gain, _)| gain) {
                let split = Split {
                    column,
                    bin: bin as u16,
                    ordered: own.ordered,
                    missing_left,
                };
                best = Some((gain, split));
            }
        };
        if !own.ordered {
            let singles = sums.iter().enumerate();
            singles.for_each(|(bin, sum)| consider(*sum, bin, false));
            continue;
        }
        let missing = sums[usize::from(MISSING)];
        let mut left = Sum::default();
        for (bin, sum) in sums.iter().enumerate().skip(1) {
            left.add(*sum);
            consider(left, bin, false);
            if missing.weight > 0.0 {
                let mut with_missing = left;
                with_missing.add(missing);
                consider(with_missing, bin, true);
            }
        }
    }
    best.map(|(_, split)| split)
}
