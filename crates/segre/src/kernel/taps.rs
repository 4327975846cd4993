//! A convolution along sites as a matrix product: its two factors as matrices, and the way back of their gradients.

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, tensor, values};

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
        let mut output = vec![0.0; batch * sites * row];
        output
            .par_chunks_mut(EXAMPLES * sites * row)
            .zip(values(input).par_chunks(EXAMPLES * sites * channels))
            .for_each(|(output, input)| {
                let examples = input.chunks_exact(sites * channels);
                for (output, input) in output.chunks_exact_mut(sites * row).zip(examples) {
                    for (site, output) in output.chunks_exact_mut(row).enumerate() {
                        for (tap, place) in self.seen(site, sites) {
                            output[tap * channels..][..channels]
                                .copy_from_slice(&input[place * channels..][..channels]);
                        }
                    }
                }
            });
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
        let mut result = vec![0.0; batch * sites * channels];
        result
            .par_chunks_mut(EXAMPLES * sites * channels)
            .zip(values(&gradient).par_chunks(EXAMPLES * sites * row))
            .for_each(|(result, gradient)| {
                let examples = result.chunks_exact_mut(sites * channels);
                for (result, gradient) in examples.zip(gradient.chunks_exact(sites * row)) {
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
            });
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
        let mut matrix = vec![0.0; self.taps * inputs * outputs];
        for block in (0..outputs).step_by(OUTPUTS) {
            for row in 0..self.taps * inputs {
                let from = row % inputs * kernel + first + row / inputs;
                let sources = weight[from..].iter().step_by(inputs * kernel).skip(block);
                let targets = &mut matrix[row * outputs..][..outputs];
                for (to, from) in targets[block..].iter_mut().take(OUTPUTS).zip(sources) {
                    *to = *from;
                }
            }
        }
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
        let mut result = vec![0.0; outputs * inputs * kernel];
        for block in (0..outputs).step_by(OUTPUTS) {
            for row in 0..self.taps * inputs {
                let to = row % inputs * kernel + first + row / inputs;
                let targets = result[to..].iter_mut().step_by(inputs * kernel).skip(block);
                let sources = &gradient[row * outputs..][..outputs];
                for (to, from) in targets.zip(sources[block..].iter().take(OUTPUTS)) {
                    *to = *from;
                }
            }
        }
        [Some(tensor(result, [outputs, inputs, kernel]))]
    }
}
