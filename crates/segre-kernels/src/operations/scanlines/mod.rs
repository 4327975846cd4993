//! Messages along the rows and columns of images.

mod tables;

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, TensorData, activation};
use rayon::prelude::*;

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, scanlines as graphics};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::parts::by_parts;
pub use tables::Scanlines;

/// What the pixels of an image say of each other along rows and columns: the sum of the logarithms of the messages that come
/// to a pixel from the left, the right, above and below.
///
/// A message goes along its line and knows the pixels that it has passed: with `p_s ∝ e^{local_s} M_s` it is
/// `M_t(b) = Σ_a p_s(a) R(a, b) / S_t(b)`, and 1 at the beginning of a line.
///
/// # Shapes
/// `local [batch, height · width, categories]` → the same.
pub fn scanlines(local: Tensor<3>, lines: &Arc<Scanlines>) -> Tensor<3> {
    let lines = lines.clone();
    let [messages] = apply(Messages { lines }, [local.into_dispatch()]);
    Tensor::from_dispatch(messages)
}

/// See [`scanlines`].
#[derive(Clone, Debug)]
struct Messages {
    lines: Arc<Scanlines>,
}

/// What one message is made of: what the sender believes without the receiver, and the sum under it.
struct Cavity {
    beliefs: Vec<f32>,
    total: f32,
}

impl Messages {
    fn cavity(&self) -> Cavity {
        Cavity {
            beliefs: vec![0.0; self.lines.categories],
            total: 0.0,
        }
    }

    /// All messages in one direction, 1 where there is none.
    fn along(&self, direction: usize, weights: &[f32], messages: &mut [f32]) {
        let (lines, c) = (&*self.lines, self.lines.categories);
        let mut cavity = self.cavity();
        messages.fill(1.0);
        for &(sender, receiver) in &lines.steps[direction] {
            let from = sender * c..(sender + 1) * c;
            cavity.fill(&weights[from.clone()], &messages[from]);
            let to = receiver * c..(receiver + 1) * c;
            let message = &mut messages[to.clone()];
            lines.send(direction, &cavity.beliefs, message);
            for (value, silence) in message.iter_mut().zip(&lines.silence[direction][to]) {
                *value /= silence;
            }
        }
    }

    /// The gradient of `weights` through the messages of one direction, given that of their logarithms; it is added.
    fn back(
        &self,
        direction: usize,
        weights: &[f32],
        messages: &[f32],
        gradient: &[f32],
        result: &mut [f32],
    ) {
        let (lines, c) = (&*self.lines, self.lines.categories);
        let mut adjoint: Vec<f32> = gradient.iter().zip(messages).map(|(g, m)| g / m).collect();
        let (mut cavity, mut slopes) = (self.cavity(), vec![0.0; c]);
        for &(sender, receiver) in lines.steps[direction].iter().rev() {
            let from = sender * c..(sender + 1) * c;
            let to = receiver * c..(receiver + 1) * c;
            cavity.fill(&weights[from.clone()], &messages[from.clone()]);
            // Of the sender's normalised beliefs, and of their mean, which normalisation takes off.
            let mut mean = 0.0;
            let rows = lines.ratios[direction].chunks_exact(c);
            for ((slope, row), belief) in slopes.iter_mut().zip(rows).zip(&cavity.beliefs) {
                let silence = &lines.silence[direction][to.clone()];
                let terms = row.iter().zip(&adjoint[to.clone()]).zip(silence);
                *slope = terms.map(|((ratio, a), s)| ratio * a / s).sum();
                mean += *slope * belief;
            }
            for (k, site) in from.enumerate() {
                let slope = (slopes[k] - mean) / cavity.total;
                result[site] += slope * messages[site];
                adjoint[site] += slope * weights[site];
            }
        }
    }
}

impl Cavity {
    /// Products of a site's weights and the message to it, over their sum.
    fn fill(&mut self, weights: &[f32], messages: &[f32]) {
        self.total = 0.0;
        for ((belief, weight), message) in self.beliefs.iter_mut().zip(weights).zip(messages) {
            *belief = weight * message;
            self.total += *belief;
        }
        for belief in &mut self.beliefs {
            *belief /= self.total;
        }
    }
}

/// `e^x` of every site's logits over the largest one.
fn weights_of(logits: &[f32], categories: usize) -> Vec<f32> {
    let mut weights = logits.to_vec();
    for site in weights.chunks_exact_mut(categories) {
        let largest = site.iter().copied().fold(f32::MIN, f32::max);
        for weight in site {
            *weight = (*weight - largest).exp();
        }
    }
    weights
}

impl Operation<1> for Messages {
    /// The input.
    type Kept = Host;

    fn value(&self, [input]: [Host; 1], _: [bool; 1]) -> ([Host; 1], Host) {
        let shape: [usize; 3] = input.shape().dims();
        let (row, c) = (shape[1] * shape[2], self.lines.categories);
        let local = values(&input);
        let write = |index: usize, result: &mut [f32]| {
            let weights = weights_of(&local[index * row..(index + 1) * row], c);
            let mut messages = [vec![0.0; row], vec![0.0; row]];
            for axis in 0..2 {
                for (sense, messages) in messages.iter_mut().enumerate() {
                    self.along(2 * axis + sense, &weights, messages);
                }
                // The logarithm of two messages: the product of four might underflow.
                let pairs = messages[0].iter().zip(&messages[1]);
                for (sum, (one, other)) in result.iter_mut().zip(pairs) {
                    *sum += (one * other).ln();
                }
            }
        };
        let messages = by_parts(local.len(), row, write).0;
        ([tensor(messages, shape)], input)
    }

    fn gradients(&self, input: Host, gradient: Host, _: [bool; 1]) -> [Option<Host>; 1] {
        let shape: [usize; 3] = input.shape().dims();
        let (row, c) = (shape[1] * shape[2], self.lines.categories);
        let (local, gradient) = (values(&input), values(&gradient));
        let mut result = vec![0.0; local.len()];
        result
            .par_chunks_mut(row)
            .zip(local.par_chunks(row))
            .zip(gradient.par_chunks(row))
            .for_each(|((result, local), gradient)| {
                let weights = weights_of(local, c);
                let mut messages = vec![0.0; row];
                for direction in 0..4 {
                    self.along(direction, &weights, &mut messages);
                    self.back(direction, &weights, &messages, gradient, result);
                }
                for (slope, weight) in result.iter_mut().zip(&weights) {
                    *slope *= weight;
                }
            });
        [Some(tensor(result, shape))]
    }

    fn reference(&self, [local]: [Anywhere; 1]) -> [Anywhere; 1] {
        let lines = &*self.lines;
        let local = Tensor::<3>::from_dispatch(local);
        let ([batch, sites, c], device) = (local.dims(), local.device());
        let images = local.clone().reshape([batch, lines.height, lines.width, c]);
        let mut sum = Tensor::zeros([batch, sites, c], &device);
        for direction in 0..4 {
            let ratios = lines.ratios[direction].clone();
            let ratios =
                Tensor::<2>::from_data(TensorData::new(ratios, [c, c]), &device).unsqueeze();
            let silence = lines.silence[direction].clone();
            let silence = TensorData::new(silence, [1, lines.height, lines.width, c]);
            let silence = Tensor::<4>::from_data(silence, &device);
            // Lines of pixels across the direction, one after the other.
            let axis = 2 - direction / 2;
            let length = [lines.height, lines.width][axis - 1];
            let first = images.clone().narrow(axis, 0, 1).zeros_like();
            let mut messages = vec![first];
            for step in 1..length {
                let (sender, receiver) = match direction % 2 {
                    0 => (step - 1, step),
                    _ => (length - step, length - step - 1),
                };
                let said = messages[step - 1].clone();
                let beliefs = activation::softmax(images.clone().narrow(axis, sender, 1) + said, 3);
                let silence = silence.clone().narrow(axis, receiver, 1);
                messages.push((beliefs.matmul(ratios.clone()) / silence).log());
            }
            if direction % 2 == 1 {
                messages.reverse();
            }
            sum = sum + Tensor::cat(messages, axis).reshape([batch, sites, c]);
        }
        [sum.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<1, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<1, 1> for Messages {
    /// Where nobody asks for a gradient, as training and sampling do not.
    fn serves(&self, [local]: &[Anywhere; 1]) -> bool {
        !crate::graphics::is_tracked(local) && self.lines.categories <= graphics::MOST_LABELS
    }

    fn value(&self, [local]: [Resident; 1], _: [bool; 1]) -> ([Resident; 1], Vec<Resident>) {
        let [ratios, silence] = self.lines.resident(&local);
        let size = [self.lines.height, self.lines.width];
        ([graphics::value(local, ratios, silence, size)], vec![])
    }

    fn gradients(&self, _: Vec<Resident>, _: Resident, _: [bool; 1]) -> [Option<Resident>; 1] {
        unreachable!("tracked inputs take the composed form")
    }
}

#[cfg(test)]
mod tests {
    use super::{Messages, Scanlines};
    use crate::testing::{assert_forms_agree, input, numbers};
    use std::sync::Arc;

    #[test]
    fn messages_along_lines_agree_with_the_composed_ones() {
        for (batch, height, width, c) in [(1, 1, 2, 2), (2, 1, 7, 3), (3, 5, 4, 2), (2, 6, 9, 12)] {
            let sites = height * width;
            let positive = |count, seed| -> Vec<f32> {
                let exponents: Vec<f32> = numbers(count, seed);
                exponents.into_iter().map(|x| (2.0 * x).exp()).collect()
            };
            let (ratios, marginals) = (positive(2 * c * c, 10), positive(sites * c, 14));
            let lines = Arc::new(Scanlines::new([height, width], &ratios, &marginals));
            // Some sites are all but certain, as known ones are.
            let local =
                input([batch, sites, c], 1).with(2, |x, known| 4.0 * x + 80.0 * known.powi(9));
            assert_forms_agree(&Messages { lines }, &[local], 1e-4);
        }
    }
}
