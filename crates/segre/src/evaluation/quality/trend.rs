//! Pairs of columns: how alike their correlations or contingency tables are.

use rayon::prelude::*;

use super::report::{ColumnPair, Measure};
use super::rows::{Content, Rows};

/// Pairs of numbers count if their correlation among real rows is beyond this, as in SDMetrics' quality report.
const CORRELATED: f64 = 0.5;
/// Other pairs count if Cramér's V among real rows is beyond this, as in SDMetrics' quality report.
const ASSOCIATED: f64 = 0.3;
/// Bins of a number beside a category, as in SDMetrics.
const BINS: usize = 10;
/// Tables of contingency with more cells are counted by sorting.
const MOST_CELLS: usize = 1 << 18;

/// Every pair of columns, those after one another first.
pub(super) fn trends(real: &Rows, synthetic: &Rows) -> Vec<ColumnPair> {
    let (own, other) = (prepare(real), prepare(synthetic));
    let columns = real.columns.len();
    let pairs: Vec<(usize, usize)> = (0..columns)
        .flat_map(|first| (first + 1..columns).map(move |second| (first, second)))
        .collect();
    let trend = |&(first, second): &(usize, usize)| {
        let numbers = |rows: &[Prepared], column: usize| rows[column].is_number;
        let name = |column: usize| real.columns[column].name.clone();
        let (measure, [strength, synthetic_strength], score) =
            match numbers(&own, first) && numbers(&own, second) {
                true => correlation(real, synthetic, first, second),
                false => contingency(&own, &other, first, second),
            };
        let least = match measure {
            Measure::CorrelationSimilarity => CORRELATED,
            _ => ASSOCIATED,
        };
        ColumnPair {
            columns: [name(first), name(second)],
            measure,
            score,
            real_strength: strength,
            synthetic_strength,
            counts: strength.is_some_and(|strength| strength.abs() > least),
        }
    };
    pairs.par_iter().map(trend).collect()
}

/// A column as categories.
struct Prepared {
    codes: Vec<u32>,
    count: usize,
    is_number: bool,
}

/// Categories as they are, that of missing fields too; numbers in bins of equal width from the smallest to the largest of
/// these rows. The largest has a bin of its own, in which missing ones are as well: so does SDMetrics.
fn prepare(rows: &Rows) -> Vec<Prepared> {
    let column = |values: &Content| match values {
        Content::Categories { codes, count, .. } => Prepared {
            codes: codes.clone(),
            count: *count,
            is_number: false,
        },
        Content::Numbers(numbers) => {
            let edges = edges(numbers);
            let bin = |x: &f64| match x.is_nan() {
                true => BINS,
                false => edges.partition_point(|edge| edge <= x) - 1,
            };
            Prepared {
                codes: numbers.iter().map(|x| bin(x) as u32).collect(),
                count: BINS + 1,
                is_number: true,
            }
        }
    };
    rows.columns
        .par_iter()
        .map(|own| column(&own.values))
        .collect()
}

/// Where bins begin, and where the last ends.
fn edges(numbers: &[f64]) -> [f64; BINS + 1] {
    let known = || numbers.iter().copied().filter(|x| !x.is_nan());
    let (mut low, mut high) = (
        known().fold(f64::INFINITY, f64::min),
        known().fold(f64::NEG_INFINITY, f64::max),
    );
    if low == high {
        (low, high) = (low - 0.5, high + 0.5);
    }
    let width = (high - low) / BINS as f64;
    let mut edges = [0.0; BINS + 1];
    for (place, edge) in edges.iter_mut().enumerate() {
        *edge = place as f64 * width + low;
    }
    edges[BINS] = high;
    edges
}

/// `1 − ½ |r − r'|` of Pearson's correlations, of rows in which both numbers are known.
fn correlation(
    real: &Rows,
    synthetic: &Rows,
    first: usize,
    second: usize,
) -> (Measure, [Option<f64>; 2], Option<f64>) {
    let of = |rows: &Rows| match (&rows.columns[first].values, &rows.columns[second].values) {
        (Content::Numbers(x), Content::Numbers(y)) => pearson(x, y),
        _ => None,
    };
    let (own, other) = (of(real), of(synthetic));
    // A constant among the synthetic rows has no correlation, and SDMetrics leaves the pair out.
    let score = own.zip(other).map(|(r, s)| 1.0 - (r - s).abs() / 2.0);
    (
        Measure::CorrelationSimilarity,
        [other.and(own), other],
        score,
    )
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let pairs = || {
        let both = x.iter().zip(y).map(|(x, y)| (*x, *y));
        both.filter(|(x, y)| !x.is_nan() && !y.is_nan())
    };
    let (mut count, mut sums) = (0.0, [0.0; 2]);
    for (x, y) in pairs() {
        count += 1.0;
        sums[0] += x;
        sums[1] += y;
    }
    let means = sums.map(|sum| sum / count);
    let [mut xx, mut yy, mut xy] = [0.0; 3];
    for (x, y) in pairs() {
        let (x, y) = (x - means[0], y - means[1]);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    let root = (xx * yy).sqrt();
    (count >= 2.0 && root > 0.0).then(|| (xy / root).clamp(-1.0, 1.0))
}

/// `1 − ½ Σ |p − q|` of two contingency tables, and Cramér's V of the first.
fn contingency(
    real: &[Prepared],
    synthetic: &[Prepared],
    first: usize,
    second: usize,
) -> (Measure, [Option<f64>; 2], Option<f64>) {
    let width = real[second].count;
    let cells = real[first].count * width;
    let keys = |rows: &[Prepared]| {
        let both = rows[first].codes.iter().zip(&rows[second].codes);
        both.map(|(a, b)| u64::from(*a) * width as u64 + u64::from(*b))
            .collect::<Vec<u64>>()
    };
    let (own, other) = (keys(real), keys(synthetic));
    if own.is_empty() || other.is_empty() {
        return (Measure::ContingencySimilarity, [None; 2], None);
    }
    let counts = count_cells(&own, &other, cells);
    let (n, m) = (own.len() as f64, other.len() as f64);
    let differences = counts
        .iter()
        .map(|(_, a, b)| (*a as f64 / n - *b as f64 / m).abs());
    let score = 1.0 - differences.sum::<f64>() / 2.0;
    let sizes = [real[first].count, width];
    let of_real = counts.iter().map(|(key, count, _)| (*key, *count));
    let of_synthetic = counts.iter().map(|(key, _, count)| (*key, *count));
    let strengths = [
        cramers_v(of_real, sizes, n),
        cramers_v(of_synthetic, sizes, m),
    ];
    (Measure::ContingencySimilarity, strengths, Some(score))
}

/// Every cell that occurs, in ascending order, with its two counts.
fn count_cells(own: &[u64], other: &[u64], cells: usize) -> Vec<(u64, u32, u32)> {
    if cells <= MOST_CELLS {
        let mut counts = vec![(0, 0); cells];
        own.iter().for_each(|key| counts[*key as usize].0 += 1);
        other.iter().for_each(|key| counts[*key as usize].1 += 1);
        let there = (0..).zip(counts).filter(|(_, counts)| *counts != (0, 0));
        return there.map(|(key, (a, b))| (key, a, b)).collect();
    }
    let mut keys: Vec<(u64, bool)> = own.iter().map(|key| (*key, true)).collect();
    keys.extend(other.iter().map(|key| (*key, false)));
    keys.sort_unstable();
    let count = |cell: &[(u64, bool)]| {
        let real = cell.iter().filter(|(_, real)| *real).count();
        (cell[0].0, real as u32, (cell.len() - real) as u32)
    };
    keys.chunk_by(|a, b| a.0 == b.0).map(count).collect()
}

/// `√(χ²/n / (min(rows, columns) − 1))` of a table of counts by cell; `None` if it has one row or column.
fn cramers_v(
    counts: impl Iterator<Item = (u64, u32)> + Clone,
    [rows, columns]: [usize; 2],
    n: f64,
) -> Option<f64> {
    let (mut down, mut across) = (vec![0.0; rows], vec![0.0; columns]);
    let place = |key: u64| (key as usize / columns, key as usize % columns);
    for (key, count) in counts.clone() {
        let (row, column) = place(key);
        down[row] += f64::from(count);
        across[column] += f64::from(count);
    }
    let occur = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count();
    let smaller = occur(&down).min(occur(&across));
    if smaller < 2 {
        return None;
    }
    let share = |(key, count): (u64, u32)| {
        let (row, column) = place(key);
        let count = f64::from(count);
        match count > 0.0 {
            true => count * count / (down[row] * across[column]),
            false => 0.0,
        }
    };
    let chi_squared = n * (counts.map(share).sum::<f64>() - 1.0);
    Some((chi_squared.max(0.0) / n / (smaller - 1) as f64).sqrt())
}
