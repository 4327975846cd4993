//! A convolution along sites as a matrix product: its two factors as matrices, and the way back of their gradients.

use burn::backend::TensorMetadata;

use super::layer::Operation;
use super::operation::{Host, tensor, values};
use super::parts::by_parts;

/// Examples of a task.
const EXAMPLES: usize = 16;
/// Outputs that are moved together: a line of the cache.
const OUTPUTS: usize = 16;

/// See [`super::layer::columns`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// Number of taps, odd; the middle one is the site itself.
    pub taps: usize,
    /// Sites from a tap to the next.
    pub dilation: usize,
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
    type Kept = ();

    fn value(&self, [input]: &[Host; 1]) -> (Host, ()) {
        let [batch, sites, channels] = input.shape().dims();
        let row = self.taps * channels;
        let input = values(input);
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
        (tensor(output, [batch * sites, row]), ())
    }

    fn gradients(
        &self,
        [input]: &[Host; 1],
        (): &(),
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let [batch, sites, channels] = input.shape().dims();
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
}

/// See [`super::layer::taps`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps {
    /// Number of taps, odd and at most the length of the kernel.
    pub taps: usize,
}

impl Operation<1> for Taps {
    type Kept = ();

    fn value(&self, [weight]: &[Host; 1]) -> (Host, ()) {
        let [outputs, inputs, kernel] = weight.shape().dims();
        let (weight, first) = (values(weight), kernel / 2 - self.taps / 2);
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
        (tensor(matrix, [self.taps * inputs, outputs]), ())
    }

    fn gradients(
        &self,
        [weight]: &[Host; 1],
        (): &(),
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let [outputs, inputs, kernel] = weight.shape().dims();
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
}
