//! Scores of test rows: how they spread, and the most and least likely ones.

use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Layout};
use crate::evaluation::quality::rows::{Content, Rows};
use crate::flow::likelihood::Scores;

/// Bins of the histogram.
const BINS: usize = 40;
/// Rows at either end.
const EXTREMES: usize = 9;

/// How the negative log-likelihoods of rows spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// Where the bins begin and the last one ends, nats.
    pub edges: Vec<f64>,
    /// Rows in every bin.
    pub counts: Vec<usize>,
    /// Names of the fields; of a picture none.
    pub columns: Vec<String>,
    /// The most likely rows first.
    pub most_likely: Vec<Extreme>,
    /// The least likely rows first.
    pub least_likely: Vec<Extreme>,
}

/// A row at one end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extreme {
    /// Bound of its negative log-likelihood, nats.
    pub nats: f64,
    /// Standard error of it.
    pub std_error: f64,
    /// Its fields as the user writes them; of a sequence or a text all in one, of a picture none.
    pub fields: Vec<String>,
    /// Labels of a picture.
    pub labels: Vec<u16>,
}

impl RowScores {
    pub(super) fn of(scores: &Scores, rows: &Dataset) -> Self {
        let nats: Vec<f64> = scores.rows.iter().map(|row| row.value).collect();
        let mut order: Vec<usize> = (0..nats.len()).collect();
        order.sort_by(|a, b| nats[*a].total_cmp(&nats[*b]));
        let (edges, counts) = histogram(nats.iter().copied(), BINS);
        let extremes = |places: Vec<usize>| {
            let found = places.iter().zip(seen(rows, &places));
            let extreme = |(place, (fields, labels)): (&usize, (Vec<String>, Vec<u16>))| Extreme {
                nats: nats[*place],
                std_error: scores.rows[*place].std_error,
                fields,
                labels,
            };
            found.map(extreme).collect()
        };
        let most_likely = first_different(rows, order.iter().copied());
        let least_likely = first_different(rows, order.iter().rev().copied());
        let names = match rows.schema.layout {
            Layout::Table | Layout::Array { .. } => rows.text_names(),
            Layout::Sequence => vec!["sequence".to_owned()],
            Layout::Text => vec!["text".to_owned()],
            Layout::Image { .. } => Vec::new(),
        };
        Self {
            edges,
            counts,
            columns: names,
            most_likely: extremes(most_likely),
            least_likely: extremes(least_likely),
        }
    }
}

/// The first of rows in an order, each once: repeats of a row say nothing new.
fn first_different(rows: &Dataset, order: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    for place in order {
        if shown.len() == EXTREMES {
            break;
        }
        if shown
            .iter()
            .all(|other| rows.row(*other) != rows.row(place))
        {
            shown.push(place);
        }
    }
    shown
}

/// Share of the fields of a table's rows that are missing.
pub(super) fn missing(rows: &Dataset) -> Option<f64> {
    if rows.schema.layout != Layout::Table {
        return None;
    }
    let gone = Rows::of(rows)
        .columns
        .into_iter()
        .map(|column| match column.values {
            Content::Numbers(numbers) => numbers.iter().filter(|x| x.is_nan()).count(),
            Content::Categories { codes, missing, .. } => match missing {
                Some(missing) => codes.iter().filter(|code| **code == missing).count(),
                None => 0,
            },
        });
    let gone: usize = gone.sum();
    let fields = rows.rows() * rows.schema.column_count();
    Some(gone as f64 / fields.max(1) as f64)
}

/// Some rows as they can be shown: fields, or labels of a picture.
fn seen(rows: &Dataset, places: &[usize]) -> Vec<(Vec<String>, Vec<u16>)> {
    let chosen = rows.select(places);
    if matches!(rows.schema.layout, Layout::Image { .. }) {
        return chosen
            .iter()
            .map(|row| (Vec::new(), row.to_vec()))
            .collect();
    }
    let joined = matches!(rows.schema.layout, Layout::Sequence | Layout::Text);
    let fields = |fields: Vec<String>| match joined {
        true => (vec![fields.concat()], Vec::new()),
        false => (fields, Vec::new()),
    };
    chosen.texts().into_iter().map(fields).collect()
}

/// Equal bins from the smallest to the largest finite value: edges and counts.
pub(super) fn histogram(
    values: impl Iterator<Item = f64> + Clone,
    bins: usize,
) -> (Vec<f64>, Vec<usize>) {
    let finite = || values.clone().filter(|x| x.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return (Vec::new(), Vec::new());
    }
    let width = match (high - low) / bins as f64 {
        width if width > 0.0 => width,
        _ => 1.0,
    };
    let mut counts = vec![0; bins];
    for value in finite() {
        counts[(((value - low) / width) as usize).min(bins - 1)] += 1;
    }
    let edges = (0..=bins).map(|bin| low + bin as f64 * width);
    (edges.collect(), counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_count_every_finite_value_once() {
        let values = [0.0, 1.0, 1.9, 4.0, f64::INFINITY, f64::NAN];
        let (edges, counts) = histogram(values.iter().copied(), 4);
        assert_eq!(edges, [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(counts, [1, 2, 0, 1]);
        assert_eq!(histogram([7.0; 3].into_iter(), 2).1, [3, 0]);
        assert!(histogram(std::iter::empty(), 2).0.is_empty());
    }
}
