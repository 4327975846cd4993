//! Logits of some columns of some rows, and the cross-entropy of their categories: no other column is computed.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Int, Tensor, TensorData, activation};
use rayon::prelude::*;

use super::{ByColumn, Columns, Place, gather};
use crate::is_processor;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::operations::affine::{Sizes, input_gradient, value, weight_gradient};
use crate::simd::{Level, softmax};
use crate::sums::sums_of_rows;

/// Rows of a task in sums.
const ROWS: usize = 64;

/// `−log softmax(T_i x_r + b_i)_label` at every place, column `i` of row `r`, with the rows `T_i` of the column's categories.
///
/// # Shapes
/// `hidden [rows, width]`, `table [categories of all columns, width]`, `bias [categories of all columns]`, a label for every
/// place → `[places]`.
///
/// # Panics
/// If there is no place, or one is outside the rows or columns, or a label outside its column.
pub fn cross_entropies(
    [hidden, table]: [Tensor<2>; 2],
    bias: Tensor<1>,
    columns: &Columns,
    places: Arc<[Place]>,
    labels: Arc<[u16]>,
) -> Tensor<1> {
    assert_eq!(places.len(), labels.len(), "a label for every place");
    let inputs = [
        hidden.into_dispatch(),
        table.into_dispatch(),
        bias.into_dispatch(),
    ];
    let operation = CrossEntropies {
        by_column: Arc::new(ByColumn::new(columns, &places)),
        columns: columns.clone(),
        places,
        labels,
    };
    let [found] = apply(operation, inputs);
    Tensor::from_dispatch(found)
}

/// The logits `T_i x_r + b_i` of every place, one after the other, as many as its column has categories; in host memory.
///
/// # Shapes and panics
/// As [`cross_entropies`].
pub fn column_logits(
    [hidden, table]: [Tensor<2>; 2],
    bias: Tensor<1>,
    columns: &Columns,
    places: &[Place],
) -> Vec<f32> {
    let by_column = ByColumn::new(columns, places);
    let of_columns: Vec<Vec<f32>> = match is_processor(&hidden.device()) {
        true => {
            let [hidden, table] = [hidden, table].map(numbers);
            let bias = numbers(bias);
            let width = table.len() / columns.categories();
            (0..columns.count())
                .into_par_iter()
                .map(|column| {
                    let rows = by_column.of(column).iter().map(|place| places[*place].row);
                    let rows = gather(&hidden, width, rows);
                    logits(columns, column, width, &rows, [&table, &bias])
                })
                .collect()
        }
        false => (0..columns.count())
            .map(|column| match by_column.of(column) {
                [] => vec![],
                own => {
                    let rows = own.iter().map(|place| places[*place].row);
                    let inputs = [hidden.clone(), table.clone()];
                    numbers(composed(columns, column, inputs, bias.clone(), rows))
                }
            })
            .collect(),
    };
    let mut parts: Vec<_> = of_columns.iter().map(|own| own.as_slice()).collect();
    let mut found = Vec::with_capacity(of_columns.iter().map(Vec::len).sum());
    for place in places {
        // The places of a column are in order.
        let (own, rest) = parts[place.column].split_at(columns.range(place.column).len());
        found.extend_from_slice(own);
        parts[place.column] = rest;
    }
    found
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let found = tensor.into_data().try_into_vec();
    found.expect("a tensor of 32-bit numbers")
}

/// Logits of one column, `[rows, categories]`.
fn logits(
    columns: &Columns,
    column: usize,
    width: usize,
    rows: &[f32],
    [table, bias]: [&[f32]; 2],
) -> Vec<f32> {
    let own = columns.range(column);
    let table = &table[own.start * width..own.end * width];
    let sizes = Sizes {
        inputs: own.len(),
        outputs: width,
    };
    let mut logits = input_gradient(Level::detect(), sizes, table, rows);
    for row in logits.chunks_exact_mut(own.len()) {
        let bias = &bias[own.clone()];
        row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
    }
    logits
}

/// The same of burn's operations.
fn composed(
    columns: &Columns,
    column: usize,
    [hidden, table]: [Tensor<2>; 2],
    bias: Tensor<1>,
    rows: impl Iterator<Item = usize>,
) -> Tensor<2> {
    let (own, width) = (columns.range(column), hidden.dims()[1]);
    let rows = indices(rows, &hidden);
    let table = table.slice([own.clone(), 0..width]);
    let bias: Tensor<2> = bias.slice([own]).unsqueeze_dim(0);
    hidden.select(0, rows).matmul(table.transpose()) + bias
}

fn indices<const D: usize>(
    indices: impl Iterator<Item = usize>,
    beside: &Tensor<D>,
) -> Tensor<1, Int> {
    let indices: Vec<i32> = indices.map(|index| index as i32).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), &beside.device())
}

/// See [`cross_entropies`].
#[derive(Clone, Debug)]
struct CrossEntropies {
    columns: Columns,
    places: Arc<[Place]>,
    labels: Arc<[u16]>,
    by_column: Arc<ByColumn>,
}

/// What the gradients need.
#[derive(Clone, Debug)]
struct Kept {
    hidden: Host,
    table: Host,
    /// Of every column, `[places, categories]`.
    probabilities: Vec<Vec<f32>>,
}

impl CrossEntropies {
    fn rows(&self, column: usize) -> impl Iterator<Item = usize> {
        let own = self.by_column.of(column).iter();
        own.map(|place| self.places[*place].row)
    }
}

impl Operation<3> for CrossEntropies {
    type Kept = Kept;

    fn value(&self, [hidden, table, bias]: [Host; 3], _: [bool; 3]) -> ([Host; 1], Kept) {
        let [_, width] = hidden.shape().dims();
        let [rows, table_rows, bias] = [values(&hidden), values(&table), values(&bias)];
        let found: Vec<(Vec<f32>, Vec<f32>)> = (0..self.columns.count())
            .into_par_iter()
            .map(|column| {
                let rows = gather(rows, width, self.rows(column));
                let mut logits = logits(&self.columns, column, width, &rows, [table_rows, bias]);
                let of_places = logits.chunks_exact_mut(self.columns.range(column).len());
                let losses = of_places
                    .zip(self.by_column.of(column))
                    .map(|(own, place)| {
                        let label = usize::from(self.labels[*place]);
                        cross_entropy(own, label)
                    });
                let losses = losses.collect();
                (losses, logits)
            })
            .collect();
        let mut losses = vec![0.0; self.places.len()];
        let (mut probabilities, mut column) = (Vec::with_capacity(found.len()), 0);
        for (own, kept) in found {
            for (place, loss) in self.by_column.of(column).iter().zip(own) {
                losses[*place] = loss;
            }
            probabilities.push(kept);
            column += 1;
        }
        let losses = tensor(losses, [self.places.len()]);
        let kept = Kept {
            hidden,
            table,
            probabilities,
        };
        ([losses], kept)
    }

    fn gradients(&self, kept: Kept, gradient: Host, _: [bool; 3]) -> [Option<Host>; 3] {
        let level = Level::detect();
        let [all_rows, width] = kept.hidden.shape().dims();
        let (hidden, table, gradient) =
            (values(&kept.hidden), values(&kept.table), values(&gradient));
        let nothing = vec![0.0; width];
        let found: Vec<[Vec<f32>; 3]> = kept
            .probabilities
            .into_par_iter()
            .enumerate()
            .map(|(column, mut by_logit)| {
                let own = self.columns.range(column);
                let sizes = Sizes {
                    inputs: own.len(),
                    outputs: width,
                };
                let places = self.by_column.of(column);
                if places.is_empty() {
                    return [vec![], vec![0.0; own.len() * width], vec![0.0; own.len()]];
                }
                for (row, place) in by_logit.chunks_exact_mut(own.len()).zip(places) {
                    row[usize::from(self.labels[*place])] -= 1.0;
                    row.iter_mut().for_each(|p| *p *= gradient[*place]);
                }
                let rows = gather(hidden, width, self.rows(column));
                let table = &table[own.start * width..own.end * width];
                let by_rows = value(level, sizes, [&by_logit, table, &nothing], false);
                let by_table = weight_gradient(level, sizes, &by_logit, &rows);
                let by_bias = sums_of_rows(&by_logit, own.len(), ROWS);
                [by_rows, by_table, by_bias]
            })
            .collect();
        let mut by_hidden = vec![0.0; all_rows * width];
        let (mut by_table, mut by_bias) = (Vec::with_capacity(table.len()), Vec::new());
        for (column, [rows, own_table, own_bias]) in found.into_iter().enumerate() {
            for (row, own) in self.rows(column).zip(rows.chunks_exact(width)) {
                let sum = &mut by_hidden[row * width..(row + 1) * width];
                sum.iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
            }
            by_table.extend(own_table);
            by_bias.extend(own_bias);
        }
        let categories = self.columns.categories();
        [
            Some(tensor(by_hidden, [all_rows, width])),
            Some(tensor(by_table, [categories, width])),
            Some(tensor(by_bias, [categories])),
        ]
    }

    fn reference(&self, [hidden, table, bias]: [Anywhere; 3]) -> [Anywhere; 1] {
        let [hidden, table] = [hidden, table].map(Tensor::<2>::from_dispatch);
        let bias = Tensor::<1>::from_dispatch(bias);
        let columns = 0..self.columns.count();
        let losses = columns.filter(|column| !self.by_column.of(*column).is_empty());
        let losses = losses.map(|column| {
            let inputs = [hidden.clone(), table.clone()];
            let rows = self.rows(column);
            let logits = composed(&self.columns, column, inputs, bias.clone(), rows);
            let labels = self.by_column.of(column).iter();
            let labels = indices(
                labels.map(|place| usize::from(self.labels[*place])),
                &hidden,
            );
            let log = activation::log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1));
            -log.squeeze_dim::<1>(1)
        });
        let losses = Tensor::cat(losses.collect(), 0);
        let mut back = vec![0; self.places.len()];
        for (at, place) in self.by_column.order.iter().enumerate() {
            back[*place] = at;
        }
        let back = indices(back.into_iter(), &losses);
        [losses.select(0, back).into_dispatch()]
    }
}

/// Turns logits into probabilities; returns the cross-entropy of a label, which may be far below the least probability.
fn cross_entropy(logits: &mut [f32], label: usize) -> f32 {
    let own = logits[label];
    let larger = |best: usize, at: usize| match logits[at] > logits[best] {
        true => at,
        false => best,
    };
    let best = (0..logits.len()).fold(0, larger);
    let largest = logits[best];
    softmax(logits);
    (largest - own) - logits[best].ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_forms_agree, distance, input, values};
    use burn::tensor::Device;

    fn places(rows: usize, columns: &Columns) -> (Arc<[Place]>, Arc<[u16]>) {
        let all = (0..rows).flat_map(|row| (0..columns.count()).map(move |column| (row, column)));
        let some = all.filter(|(row, column)| column != &2 && (row + column) % 3 != 1);
        let places: Vec<Place> = some.map(|(row, column)| Place { row, column }).collect();
        let label = |place: &Place| (place.row * 5 % columns.range(place.column).len()) as u16;
        let labels = places.iter().map(label).collect();
        (places.into(), labels)
    }

    #[test]
    fn cross_entropies_agree_with_the_composed_ones() {
        for (rows, width, cardinalities) in
            [(1, 1, &[2_usize][..]), (70, 33, &[3, 40, 2, 1, 17][..])]
        {
            let columns = Columns::new(cardinalities);
            let (places, labels) = places(rows, &columns);
            let operation = CrossEntropies {
                by_column: Arc::new(ByColumn::new(&columns, &places)),
                places,
                labels,
                columns,
            };
            let categories = cardinalities.iter().sum();
            let inputs = [
                input([rows, width], 1),
                input([categories, width], 2),
                input([categories], 3),
            ];
            assert_forms_agree(&operation, &inputs, 1e-5);
        }
    }

    #[test]
    fn logits_of_places_come_in_their_order() {
        let columns = Columns::new(&[3, 40, 2, 1, 17]);
        let (places, labels) = places(9, &columns);
        let device = Device::flex();
        let random = |dims: [usize; 2], seed| {
            let numbers = crate::testing::numbers(dims[0] * dims[1], seed);
            Tensor::<2>::from_data(TensorData::new(numbers, dims), &device)
        };
        let inputs = [random([9, 5], 1), random([63, 5], 2)];
        let bias = random([63, 1], 3).squeeze_dim(1);
        let logits = column_logits(inputs.clone(), bias.clone(), &columns, &places);
        let mut rest = logits.as_slice();
        let losses = places.iter().zip(&*labels).map(|(place, label)| {
            let (own, others) = rest.split_at(columns.range(place.column).len());
            rest = others;
            cross_entropy(&mut own.to_vec(), usize::from(*label))
        });
        let losses: Vec<f32> = losses.collect();
        let expected = values(cross_entropies(
            inputs,
            bias,
            &columns,
            places.clone(),
            labels,
        ));
        assert!(distance(&losses, &expected) < 1e-6);
        assert!(rest.is_empty());
    }

    #[test]
    fn the_least_probable_category_has_a_finite_cross_entropy() {
        let mut logits = [500.0, -500.0];
        assert_eq!(cross_entropy(&mut logits, 1), 1000.0);
    }
}
