//! Affine maps of rows, cut off below 0 if wanted: dense layers.
//!
//! Rows are cut in blocks of a fixed size, so that threads change no result.

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, activation};
use rayon::prelude::*;

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, product};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, into_values, tensor, values};
use crate::parts::by_parts;
use crate::simd::Level;
use crate::simd::product::{add_transposed, multiply, multiply_add, transposed_panels};
use crate::simd::tiles::{fill_panel, padded_channels, panel_widths, panels};
use crate::sums::sums_of_rows;

/// Rows of a task.
const ROWS: usize = 64;
/// Fewest rows of a part of a weight gradient: each part has sums of its own.
const PART_ROWS: usize = 128;
/// Numbers of an input that stay in a thread's cache while it goes from panel to panel.
const PART: usize = 1 << 18;
/// Tasks that a weight gradient is cut in, if it has the rows.
const TASKS: usize = 8;

/// An affine map of rows, `x W + b`, then `max(0, ·)` if `rectify`.
///
/// # Shapes
/// `input [rows, inputs]`, `weight [inputs, outputs]`, `bias [outputs]` → `[rows, outputs]`.
pub fn affine(input: Tensor<2>, weight: Tensor<2>, bias: Tensor<1>, rectify: bool) -> Tensor<2> {
    let inputs = [
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
    ];
    let [output] = apply(Affine { rectify }, inputs);
    Tensor::from_dispatch(output)
}

/// See [`affine`].
#[derive(Clone, Copy, Debug)]
struct Affine {
    /// Whether `max(0, ·)` follows.
    rectify: bool,
}

/// What the gradients need.
#[derive(Clone, Debug)]
struct Kept {
    input: Host,
    weight: Host,
    /// The output, where it says what was cut off.
    cut: Option<Host>,
}

impl Operation<3> for Affine {
    type Kept = Kept;

    fn value(&self, [input, weight, bias]: [Host; 3], _: [bool; 3]) -> ([Host; 1], Kept) {
        let sizes = Sizes::of(&weight);
        let [rows, inputs] = input.shape().dims();
        assert_eq!(
            inputs, sizes.inputs,
            "columns of the input and rows of the weight"
        );
        let numbers = [&input, &weight, &bias].map(values);
        let output = value(Level::detect(), sizes, numbers, self.rectify);
        let output = tensor(output, [rows, sizes.outputs]);
        let cut = self.rectify.then(|| output.clone());
        ([output], Kept { input, weight, cut })
    }

    fn gradients(&self, kept: Kept, gradient: Host, wanted: [bool; 3]) -> [Option<Host>; 3] {
        let (level, sizes) = (Level::detect(), Sizes::of(&kept.weight));
        let Sizes { inputs, outputs } = sizes;
        let gradient = match kept.cut {
            Some(output) => cut(gradient, values(&output), outputs),
            None => gradient,
        };
        let [rows, _] = gradient.shape().dims();
        let gradient = values(&gradient);
        let by_input = wanted[0].then(|| {
            let found = input_gradient(level, sizes, values(&kept.weight), gradient);
            tensor(found, [rows, inputs])
        });
        let by_weight = wanted[1].then(|| {
            let found = weight_gradient(level, sizes, values(&kept.input), gradient);
            tensor(found, [inputs, outputs])
        });
        let by_bias = wanted[2].then(|| tensor(sums_of_rows(gradient, outputs, ROWS), [outputs]));
        [by_input, by_weight, by_bias]
    }

    fn reference(&self, [input, weight, bias]: [Anywhere; 3]) -> [Anywhere; 1] {
        let [input, weight] = [input, weight].map(Tensor::<2>::from_dispatch);
        let output = input.matmul(weight) + Tensor::<1>::from_dispatch(bias).unsqueeze::<2>();
        let output = match self.rectify {
            true => activation::relu(output),
            false => output,
        };
        [output.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for Affine {
    fn value(
        &self,
        [input, weight, bias]: [Resident; 3],
        _: [bool; 3],
    ) -> ([Resident; 1], Vec<Resident>) {
        let ([rows, of_input], [inputs, outputs]) = (input.shape().dims(), weight.shape().dims());
        assert_eq!(
            of_input, inputs,
            "columns of the input and rows of the weight"
        );
        let sizes = product::Sizes::dense(rows, inputs, outputs);
        let mut kept = vec![input.clone(), weight.clone()];
        let output = product::value(&sizes, input, weight, bias, self.rectify, &[rows, outputs]);
        kept.extend(self.rectify.then(|| output.clone()));
        ([output], kept)
    }

    fn gradients(
        &self,
        mut kept: Vec<Resident>,
        gradient: Resident,
        wanted: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let gradient = match self.rectify {
            true => product::cut(gradient, kept.remove(2)),
            false => gradient,
        };
        let [input, weight] = <[Resident; 2]>::try_from(kept).expect("input and weight");
        let ([rows, inputs], [_, outputs]) = (input.shape().dims(), weight.shape().dims());
        let sizes = product::Sizes::dense(rows, inputs, outputs);
        let by_input = wanted[0]
            .then(|| product::input_gradient(&sizes, weight, gradient.clone(), &[rows, inputs]));
        if !wanted[1] && !wanted[2] {
            return [by_input, None, None];
        }
        let shape = [inputs, outputs];
        let [by_weight, by_bias] = product::weight_gradient(&sizes, input, gradient, &shape);
        [by_input, Some(by_weight), Some(by_bias)]
    }
}

/// The gradient where the output is not cut off.
fn cut(gradient: Host, output: &[f32], columns: usize) -> Host {
    let shape: [usize; 2] = gradient.shape().dims();
    let mut gradient = into_values(gradient);
    gradient
        .par_chunks_mut(ROWS * columns)
        .zip(output.par_chunks(ROWS * columns))
        .for_each(|(gradient, output)| {
            for (g, y) in gradient.iter_mut().zip(output) {
                *g = if *y <= 0.0 { 0.0 } else { *g };
            }
        });
    tensor(gradient, shape)
}

/// Sizes of an affine map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub inputs: usize,
    pub outputs: usize,
}

impl Sizes {
    fn of(weight: &Host) -> Self {
        let [inputs, outputs] = weight.shape().dims();
        Self { inputs, outputs }
    }
}

/// `x W + b` of every row `x`, then `max(0, ·)` if `rectify`; what is not a number stays.
///
/// # Shapes
/// `input [rows, inputs]`, `weight [inputs, outputs]`, `bias [outputs]` → `[rows, outputs]`.
pub(crate) fn value(
    level: Level,
    sizes: Sizes,
    [input, weight, bias]: [&[f32]; 3],
    rectify: bool,
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    assert!(weight.len() == inputs * outputs && bias.len() == outputs);
    let weight = panels(weight, outputs, level.lanes());
    let mut padded = bias.to_vec();
    padded.resize(padded_channels(outputs, level.lanes()), 0.0);
    let len = input.len() / inputs * outputs;
    let task = |task: usize, output: &mut [f32]| {
        let rows = output.len() / outputs;
        let input = &input[task * ROWS * inputs..][..rows * inputs];
        let columns = (&mut *output, outputs, outputs);
        multiply_add(level, (input, inputs, inputs), &weight, &padded, columns);
        if rectify {
            output
                .iter_mut()
                .for_each(|y| *y = if *y < 0.0 { 0.0 } else { *y });
        }
    };
    by_parts(len, ROWS * outputs, task).0
}

/// The gradient of the input, given that of `x W + b`.
pub(crate) fn input_gradient(
    level: Level,
    sizes: Sizes,
    weight: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    assert_eq!(weight.len(), inputs * outputs);
    let weight = transposed_panels(weight, outputs, level.lanes());
    let len = gradient.len() / outputs * inputs;
    let task = |task: usize, result: &mut [f32]| {
        let rows = result.len() / inputs;
        let gradient = &gradient[task * ROWS * outputs..][..rows * outputs];
        let columns = (result, inputs, inputs);
        multiply(level, (gradient, outputs, outputs), &weight, columns);
    };
    by_parts(len, ROWS * inputs, task).0
}

/// The gradient of the weight, given that of `x W + b`: panel by panel of the outputs, and few panels in parts of rows.
pub(crate) fn weight_gradient(
    level: Level,
    sizes: Sizes,
    input: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let Sizes { inputs, outputs } = sizes;
    let rows = input.len() / inputs;
    assert!(input.len() == rows * inputs && gradient.len() == rows * outputs);
    let lanes = level.lanes();
    let widths: Vec<usize> = panel_widths(outputs, lanes).collect();
    let firsts = (0..outputs).step_by(2 * lanes);
    let parts = TASKS.div_ceil(widths.len()).min(rows / PART_ROWS);
    let parts = parts
        .max(rows.div_ceil(PART_ROWS.max(PART / inputs)))
        .max(1);
    let of_part = rows.div_ceil(parts);
    let task = |((first, width), part): ((usize, usize), usize)| {
        let rows = part * of_part..rows.min((part + 1) * of_part);
        let count = width.min(outputs - first);
        let mut right = vec![0.0; rows.len() * width];
        let gradient = &gradient[rows.start * outputs..rows.end * outputs];
        fill_panel(&mut right, width, gradient, outputs, first);
        let left = &input[rows.start * inputs..rows.end * inputs];
        let mut sums = vec![0.0; inputs * width];
        let left = (left, inputs, inputs);
        add_transposed(level, left, rows.len(), (&right, count), &mut sums);
        sums
    };
    let panels = firsts.zip(widths);
    let tasks: Vec<_> = (0..parts)
        .flat_map(|part| panels.clone().map(move |panel| (panel, part)))
        .collect();
    let sums: Vec<Vec<f32>> = tasks.par_iter().map(|of| task(*of)).collect();
    let collect = |task: usize, result: &mut [f32]| {
        for (((first, width), _), sums) in tasks.iter().zip(&sums) {
            let sums = sums[task * ROWS * width..].chunks_exact(*width);
            for (row, sums) in result.chunks_exact_mut(outputs).zip(sums) {
                let row = row[*first..].iter_mut().take(*width);
                row.zip(sums).for_each(|(row, sum)| *row += sum);
            }
        }
    };
    by_parts(inputs * outputs, ROWS * outputs, collect).0
}

#[cfg(test)]
mod tests {
    use super::{Affine, affine};
    use crate::testing::{assert_forms_agree, input, numbers, values};
    use burn::tensor::{Device, Tensor, TensorData};

    #[test]
    fn affine_maps_agree_with_the_composed_ones() {
        for (rows, inputs, outputs) in [(1, 1, 1), (3, 7, 17), (200, 33, 40)] {
            for rectify in [false, true] {
                let of = [
                    input([rows, inputs], 1),
                    input([inputs, outputs], 2),
                    input([outputs], 3),
                ];
                assert_forms_agree(&Affine { rectify }, &of, 1e-5);
            }
        }
    }

    #[test]
    fn what_is_not_a_number_passes_a_rectified_map() {
        let device = Device::flex();
        let random = |dims: [usize; 2], seed| {
            let numbers = numbers(dims.iter().product(), seed);
            Tensor::<2>::from_data(TensorData::new(numbers, dims), &device)
        };
        let (weight, bias) = (random([3, 4], 2), random([1, 4], 3).squeeze_dim(0));
        let output = affine(random([2, 3], 1) * f32::NAN, weight, bias, true);
        assert!(values(output).iter().all(|y| y.is_nan()));
    }
}
