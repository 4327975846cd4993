//! Pixels given their position and their left and upper neighbour: the local model that images must beat.

use super::{Baseline, require_parts};
use crate::data::DataError;
use crate::data::{Dataset, Layout};
use crate::evaluation::error::Result;
use rayon::prelude::*;

/// Weights of the counts of all positions together that are tried, in rows.
const CONTEXT_WEIGHTS: [f64; 8] = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];
/// Weights of the position's own frequencies that are tried, in rows.
const POSITION_WEIGHTS: [f64; 5] = [0.01, 0.1, 1.0, 10.0, 100.0];

/// `P(row) = Π_ij P_ij(x_ij | left, upper)`, pixels row after row; beyond the border is a label of its own.
///
/// `P_ij(x | l, u) = (n_ij(l, u, x) + a q(x | l, u) + b p_ij(x)) / (n_ij(l, u) + a + b)` with the training counts
/// `n_ij` of the position, `q(x | l, u) = (n(l, u, x) + 1/c) / (n(l, u) + 1)` from those of all positions together,
/// and `p_ij(x) = (n_ij(x) + 1/c) / (rows + 1)`: where a position has seldom seen its neighbours so, it is told by
/// other positions, and by its own frequencies. The factors are normalised, so the product is by the chain rule.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelContext {
    width: usize,
    categories: usize,
    /// `n(l, u, x)`.
    shared: Cells,
    /// `n_ij(l, u, x)` of every pixel.
    pixels: Vec<Cells>,
    /// `p_ij(x)`, `[pixels][categories]`.
    frequencies: Vec<Vec<f64>>,
    weights: Weights,
}

/// How many rows the general distributions count for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weights {
    /// `a`
    context: f64,
    /// `b`
    position: f64,
}

/// Counts of labels in contexts: cells `context · categories + label` that occur, ascending.
#[derive(Debug, Clone, PartialEq)]
struct Cells {
    cells: Vec<(u64, u32)>,
}

/// What is known of a label in its place, whatever the weights.
#[derive(Debug, Clone, Copy)]
struct Facts {
    /// `n_ij(l, u, x)` and `n_ij(l, u)`.
    own: (f64, f64),
    /// `q(x | l, u)`
    shared: f64,
    /// `p_ij(x)`
    frequency: f64,
}

impl PixelContext {
    /// Counts the training rows; of `a` from 0.3 to 1000 and `b` from 0.01 to 100 takes the validation rows' best.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`] for other data and pixels of several vocabularies, [`DataError::SchemaMismatch`] if the
    /// parts differ in schema or are empty.
    pub fn fit(train: &Dataset, validation: &Dataset) -> Result<Self> {
        require_parts(train, validation)?;
        let (Layout::Image { width, .. }, [vocabulary]) =
            (&train.schema.layout, &train.schema.vocabularies[..])
        else {
            return Err(DataError::NotAnImage {
                what: "the baseline of neighbouring pixels",
                remedy: "leave it out",
                found: train.schema.layout.describe(),
            }
            .into());
        };
        let (width, categories) = (*width, vocabulary.count());
        let pixels: Vec<Cells> = (0..train.sites())
            .into_par_iter()
            .map(|site| {
                let cell = |row| cell(row, site, width, categories);
                Cells::of(train.iter().map(cell).collect())
            })
            .collect();
        let mut model = Self {
            width,
            categories,
            shared: Cells::sum(&pixels),
            pixels,
            frequencies: frequencies(train, categories),
            weights: Weights {
                context: CONTEXT_WEIGHTS[0],
                position: POSITION_WEIGHTS[0],
            },
        };
        model.weights = model.best_weights(validation);
        Ok(model)
    }

    /// The weights `a` and `b` that were chosen.
    pub fn weights(&self) -> (f64, f64) {
        (self.weights.context, self.weights.position)
    }

    /// The weights under which rows are likeliest.
    fn best_weights(&self, rows: &Dataset) -> Weights {
        let candidates: Vec<Weights> = CONTEXT_WEIGHTS
            .iter()
            .flat_map(|&context| {
                POSITION_WEIGHTS
                    .iter()
                    .map(move |&position| Weights { context, position })
            })
            .collect();
        let of_row = |row: &[u16]| -> Vec<f64> {
            let facts: Vec<Facts> = (0..row.len()).map(|site| self.facts(row, site)).collect();
            let score =
                |weights: &Weights| facts.iter().map(|facts| facts.log_prob(*weights)).sum();
            candidates.iter().map(score).collect()
        };
        let rows: Vec<&[u16]> = rows.iter().collect();
        let scores: Vec<Vec<f64>> = rows.par_iter().map(|row| of_row(row)).collect();
        let total = |place: usize| -> f64 { scores.iter().map(|scores| scores[place]).sum() };
        let totals = (0..candidates.len()).map(|place| (place, total(place)));
        let best = totals.max_by(|a, b| a.1.total_cmp(&b.1));
        candidates[best.map_or(0, |(place, _)| place)]
    }

    fn facts(&self, row: &[u16], site: usize) -> Facts {
        let (cell, categories) = (
            cell(row, site, self.width, self.categories),
            self.categories,
        );
        let (label, context) = self.shared.counts(cell, categories);
        Facts {
            own: self.pixels[site].counts(cell, categories),
            shared: (label + 1.0 / categories as f64) / (context + 1.0),
            frequency: self.frequencies[site][usize::from(row[site])],
        }
    }
}

impl Facts {
    fn log_prob(&self, weights: Weights) -> f64 {
        let Weights { context, position } = weights;
        let (label, all) = self.own;
        let general = context * self.shared + position * self.frequency;
        ((label + general) / (all + context + position)).ln()
    }
}

impl Baseline for PixelContext {
    fn meaning(&self) -> &'static str {
        "each pixel by its left and upper one"
    }

    fn log_prob(&self, row: &[u16]) -> f64 {
        assert_eq!(row.len(), self.pixels.len(), "one label per site");
        let site = |site| self.facts(row, site).log_prob(self.weights);
        (0..row.len()).map(site).sum()
    }
}

impl Cells {
    fn of(mut cells: Vec<u64>) -> Self {
        cells.sort_unstable();
        let runs = cells.chunk_by(|a, b| a == b);
        Self {
            cells: runs.map(|run| (run[0], run.len() as u32)).collect(),
        }
    }

    /// All counts together.
    fn sum(parts: &[Self]) -> Self {
        let mut all: Vec<(u64, u32)> = parts.iter().flat_map(|part| &part.cells).copied().collect();
        all.sort_unstable();
        let runs = all.chunk_by(|a, b| a.0 == b.0);
        Self {
            cells: runs
                .map(|run| (run[0].0, run.iter().map(|(_, count)| count).sum()))
                .collect(),
        }
    }

    /// How often the label occurs in its context, and how often the context does.
    fn counts(&self, cell: u64, categories: usize) -> (f64, f64) {
        let first = cell - cell % categories as u64;
        let start = self.cells.partition_point(|(known, _)| *known < first);
        let known = self.cells[start..].iter();
        let context = known.take_while(|(known, _)| *known < first + categories as u64);
        context.fold((0.0, 0.0), |(label, all), (known, count)| {
            let count = f64::from(*count);
            (
                label + if *known == cell { count } else { 0.0 },
                all + count,
            )
        })
    }
}

/// The cell of a pixel of a row: left label, upper label, label.
fn cell(row: &[u16], site: usize, width: usize, categories: usize) -> u64 {
    let beyond = categories as u64;
    let left = match site.is_multiple_of(width) {
        true => beyond,
        false => u64::from(row[site - 1]),
    };
    let upper = match site < width {
        true => beyond,
        false => u64::from(row[site - width]),
    };
    (left * (beyond + 1) + upper) * beyond + u64::from(row[site])
}

/// `(n_ij(x) + 1/c) / (rows + 1)`, `[pixels][categories]`.
fn frequencies(data: &Dataset, categories: usize) -> Vec<Vec<f64>> {
    let total = data.rows() as f64 + 1.0;
    let pixel = |site: usize| {
        let mut counts = vec![1.0 / categories as f64; categories];
        for row in data.iter() {
            counts[usize::from(row[site])] += 1.0;
        }
        counts.iter().map(|count| count / total).collect()
    };
    (0..data.sites()).into_par_iter().map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{ChowLiu, Independent};
    use super::*;
    use crate::data::Schema;
    use crate::evaluation::EvaluationError;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    fn images(shape: [usize; 2], categories: usize, labels: Vec<u16>) -> Dataset {
        Dataset::new(Schema::integers(&shape, true, categories), labels).expect("legal labels")
    }

    /// Pixels that repeat their left or upper neighbour, mostly; those of the first row and column do not.
    fn smooth(shape: [usize; 2], categories: usize, rows: usize, seed: u64) -> Dataset {
        let mut rng = generator(seed, Purpose::Noise, 0);
        let mut labels: Vec<u16> = Vec::new();
        for _ in 0..rows {
            let start = labels.len();
            for site in 0..shape[0] * shape[1] {
                let fresh = rng.random_range(0..categories) as u16;
                let inner = site >= shape[1] && !site.is_multiple_of(shape[1]);
                labels.push(match rng.random_range(0..10) {
                    0..4 if inner => labels[start + site - 1],
                    4..8 if inner => labels[start + site - shape[1]],
                    _ => fresh,
                });
            }
        }
        images(shape, categories, labels)
    }

    /// All rows of six pixels with three categories: probabilities sum to 1 for any counts.
    #[test]
    fn probabilities_sum_to_one() {
        let (shape, categories) = ([2, 3], 3_usize);
        let model = PixelContext::fit(
            &smooth(shape, categories, 20, 1),
            &smooth(shape, categories, 10, 2),
        )
        .expect("images");
        let total: f64 = (0..categories.pow(6))
            .map(|code| {
                let digit = |place| (code / categories.pow(place) % categories) as u16;
                let row: Vec<u16> = (0..6).map(digit).collect();
                model.log_prob(&row).exp()
            })
            .sum();
        assert!((total - 1.0).abs() < 1e-12, "{total}");
    }

    /// One pixel in one column, counted by hand.
    #[test]
    fn factors_are_the_formula() {
        let train = images([2, 1], 2, vec![0, 0, 0, 0, 1, 1]);
        let model = PixelContext::fit(&train, &train).expect("images");
        let (a, b) = model.weights();
        // Of the pixels above: 0 twice, 1 once; of those below 0: 0 twice.
        let first = (2.0 + a * (2.5 / 4.0) + b * (2.5 / 4.0)) / (3.0 + a + b);
        let second = (2.0 + a * (2.5 / 3.0) + b * (2.5 / 4.0)) / (2.0 + a + b);
        let found = model.log_prob(&[0, 0]);
        assert!((found - (first * second).ln()).abs() < 1e-12, "{found}");
        // Never seen, and still possible.
        assert!(model.log_prob(&[1, 0]).is_finite());
    }

    /// Two neighbours tell more than one parent, and one parent more than none.
    #[test]
    fn it_beats_independent_sites_and_the_tree_where_both_neighbours_matter() {
        let parts = [4000, 500, 2000].map(|rows| smooth([5, 6], 4, rows, rows as u64));
        let [train, validation, test] = &parts;
        let own = PixelContext::fit(train, validation).expect("images");
        let tree = ChowLiu::fit(train, validation).expect("rows");
        let independent = Independent::fit(train, validation).expect("rows");
        let [own, tree, independent] = [
            own.bits_per_dim(test),
            tree.bits_per_dim(test),
            independent.bits_per_dim(test),
        ];
        assert!(
            own < 0.95 * tree && tree < 0.95 * independent,
            "{own} {tree} {independent}"
        );
    }

    #[test]
    fn other_data_are_refused() {
        let table = Dataset::new(Schema::integers(&[6], false, 2), vec![0; 12]).expect("legal");
        let error = PixelContext::fit(&table, &table).expect_err("no image");
        assert!(
            matches!(error, EvaluationError::Data(DataError::NotAnImage { .. })),
            "{error}"
        );
        let image = images([2, 3], 2, vec![0; 12]);
        assert!(PixelContext::fit(&image.select(&[]), &image).is_err());
        assert!(PixelContext::fit(&image, &images([3, 2], 2, vec![0; 6])).is_err());
    }
}
