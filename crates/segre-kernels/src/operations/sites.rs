//! Convolutions along sites, as products of two matrices: their rows are sites beside those at the taps, and the weights.

use burn::backend::TensorMetadata;
use burn::tensor::Tensor;

use super::affine::affine;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;

/// Examples of a task.
const EXAMPLES: usize = 16;
/// Outputs that are moved together: a line of the cache.
const OUTPUTS: usize = 16;

/// A convolution along sites that keeps their number, zeros beyond the ends, then `max(0, ·)`.
///
/// `y[b, s, o] = max(0, bias[o] + Σ_{i, t} x[b, s + (t − r) · dilation, i] · weight[o, i, t])`, `r = kernel / 2`.
/// Taps that meet zeros only, whatever the site, are left out: with four sites that is all but the middle one of
/// dilations above 3.
///
/// # Shapes
/// `input [batch, sites, inputs]`, `weight [outputs, inputs, kernel]` with an odd kernel, `bias [outputs]` →
/// `[batch · sites, outputs]`.
pub fn convolve_sites(
    input: Tensor<3>,
    weight: Tensor<3>,
    bias: Tensor<1>,
    dilation: usize,
) -> Tensor<2> {
    let [batch, sites, inputs] = input.dims();
    let [outputs, _, kernel] = weight.dims();
    let taps = 2 * (kernel / 2).min((sites - 1) / dilation) + 1;
    let rows = match taps {
        1 => input.reshape([batch * sites, inputs]),
        _ => {
            let [rows] = apply(Columns { taps, dilation }, [input.into_dispatch()]);
            Tensor::from_dispatch(rows)
        }
    };
    let [weight] = apply(Taps { taps }, [weight.into_dispatch()]);
    let weight = Tensor::from_dispatch(weight);
    debug_assert_eq!(weight.dims(), [taps * inputs, outputs]);
    affine(rows, weight, bias, true)
}

/// Sites beside those at the taps: `[batch, sites, c]` → `[batch · sites, taps · c]`, zeros beyond the ends.
#[derive(Clone, Copy, Debug)]
struct Columns {
    /// Number of taps, odd; the middle one is the site itself.
    taps: usize,
    /// Sites from a tap to the next.
    dilation: usize,
}

impl Columns {
    /// Tap and place of each site of an example that a site sees.
    fn seen(&self, site: usize, sites: usize) -> impl Iterator<Item = (usize, usize)> {
        let (reach, dilation) = (self.taps / 2 * self.dilation, self.dilation);
        (0..self.taps).filter_map(move |tap| {
            let place = (site + tap * dilation).checked_sub(reach)?;
            (place < sites).then_some((tap, place))
        })
    }
}

impl Operation<1> for Columns {
    /// Batch, sites and channels.
    type Kept = [usize; 3];

    fn value(&self, [input]: [Host; 1], _: [bool; 1]) -> ([Host; 1], [usize; 3]) {
        let shape = input.shape().dims();
        let [batch, sites, channels] = shape;
        let row = self.taps * channels;
        let input = values(&input);
        let write = |task: usize, output: &mut [f32]| {
            let examples =
                input[task * EXAMPLES * sites * channels..].chunks_exact(sites * channels);
            for (output, input) in output.chunks_exact_mut(sites * row).zip(examples) {
                for (site, output) in output.chunks_exact_mut(row).enumerate() {
                    for (tap, place) in self.seen(site, sites) {
                        output[tap * channels..][..channels]
                            .copy_from_slice(&input[place * channels..][..channels]);
                    }
                }
            }
        };
        let output = by_parts(batch * sites * row, EXAMPLES * sites * row, write).0;
        ([tensor(output, [batch * sites, row])], shape)
    }

    fn gradients(
        &self,
        [batch, sites, channels]: [usize; 3],
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let row = self.taps * channels;
        let gradient = values(&gradient);
        let write = |task: usize, result: &mut [f32]| {
            let gradient = gradient[task * EXAMPLES * sites * row..].chunks_exact(sites * row);
            for (result, gradient) in result.chunks_exact_mut(sites * channels).zip(gradient) {
                for (site, gradient) in gradient.chunks_exact(row).enumerate() {
                    for (tap, place) in self.seen(site, sites) {
                        let result = &mut result[place * channels..][..channels];
                        let gradient = &gradient[tap * channels..][..channels];
                        for (result, gradient) in result.iter_mut().zip(gradient) {
                            *result += gradient;
                        }
                    }
                }
            }
        };
        let numbers = sites * channels;
        let result = by_parts(batch * numbers, EXAMPLES * numbers, write).0;
        [Some(tensor(result, [batch, sites, channels]))]
    }

    fn reference(&self, [input]: [Anywhere; 1]) -> [Anywhere; 1] {
        let Self { taps, dilation } = *self;
        let input = Tensor::<3>::from_dispatch(input);
        let [batch, sites, inputs] = input.dims();
        let padding = Tensor::zeros([batch, taps / 2 * dilation, inputs], &input.device());
        let padded = Tensor::cat(vec![padding.clone(), input, padding], 1);
        let shifted = |tap: usize| {
            let from = tap * dilation;
            padded.clone().slice([0..batch, from..from + sites])
        };
        let columns = Tensor::cat((0..taps).map(shifted).collect(), 2);
        let rows = columns.reshape([batch * sites, taps * inputs]);
        [rows.into_dispatch()]
    }
}

/// The middle taps as a matrix: `[outputs, inputs, kernel]` → `[taps · inputs, outputs]`.
#[derive(Clone, Copy, Debug)]
struct Taps {
    /// Number of taps, odd and at most the length of the kernel.
    taps: usize,
}

impl Operation<1> for Taps {
    /// Outputs, inputs and length of the kernel.
    type Kept = [usize; 3];

    fn value(&self, [weight]: [Host; 1], _: [bool; 1]) -> ([Host; 1], [usize; 3]) {
        let shape = weight.shape().dims();
        let [outputs, inputs, kernel] = shape;
        let (weight, first) = (values(&weight), kernel / 2 - self.taps / 2);
        // One tap.
        let write = |tap: usize, matrix: &mut [f32]| {
            for block in (0..outputs).step_by(OUTPUTS) {
                for (input, targets) in matrix.chunks_exact_mut(outputs).enumerate() {
                    let from = input * kernel + first + tap;
                    let sources = weight[from..].iter().step_by(inputs * kernel).skip(block);
                    for (to, from) in targets[block..].iter_mut().take(OUTPUTS).zip(sources) {
                        *to = *from;
                    }
                }
            }
        };
        let matrix = by_parts(self.taps * inputs * outputs, inputs * outputs, write).0;
        ([tensor(matrix, [self.taps * inputs, outputs])], shape)
    }

    fn gradients(
        &self,
        [outputs, inputs, kernel]: [usize; 3],
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let (gradient, first) = (values(&gradient), kernel / 2 - self.taps / 2);
        // Some outputs.
        let write = |block: usize, result: &mut [f32]| {
            for row in 0..self.taps * inputs {
                let to = row % inputs * kernel + first + row / inputs;
                let targets = result[to..].iter_mut().step_by(inputs * kernel);
                let sources = &gradient[row * outputs..][..outputs];
                for (to, from) in targets.zip(&sources[block * OUTPUTS..]) {
                    *to = *from;
                }
            }
        };
        let each = inputs * kernel;
        let result = by_parts(outputs * each, OUTPUTS * each, write).0;
        [Some(tensor(result, [outputs, inputs, kernel]))]
    }

    fn reference(&self, [weight]: [Anywhere; 1]) -> [Anywhere; 1] {
        let weight = Tensor::<3>::from_dispatch(weight);
        let [outputs, inputs, kernel] = weight.dims();
        let first = kernel / 2 - self.taps / 2;
        let matrix = weight
            .slice([0..outputs, 0..inputs, first..first + self.taps])
            .permute([2, 1, 0])
            .reshape([self.taps * inputs, outputs]);
        [matrix.into_dispatch()]
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, Taps};
    use crate::testing::{assert_forms_agree, input};

    #[test]
    fn columns_and_taps_agree_with_the_composed_ones() {
        for (batch, sites, channels, taps, dilation) in [
            (1, 1, 1, 1, 1),
            (3, 4, 5, 7, 1),
            (40, 9, 3, 3, 4),
            (2, 5, 2, 9, 3),
        ] {
            let rows = [input([batch, sites, channels], 1)];
            assert_forms_agree(&Columns { taps, dilation }, &rows, 1e-6);
            assert_forms_agree(&Taps { taps }, &[input([19, channels, 9], 2)], 1e-6);
        }
    }
}
