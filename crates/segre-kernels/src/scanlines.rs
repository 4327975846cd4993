//! Messages along the rows and columns of images, and their gradient.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use rayon::prelude::*;

use super::layer::Operation;
use super::operation::{Host, tensor, values};
use super::parts::by_parts;

/// Tables of the messages along the lines of an image, in four directions: right, left, down, up.
///
/// A pixel `s` that believes `p_s` says to the next one `M_t(b) = Σ_a p_s(a) R(a, b) / S_t(b)`.
#[derive(Debug)]
pub struct Scanlines {
    pub(crate) height: usize,
    pub(crate) width: usize,
    categories: usize,
    /// `R(a, b)` of every direction, `a` the sender's label, `[categories, categories]`; positive.
    pub(crate) ratios: [Vec<f32>; 4],
    /// `S_t(b)` of every direction, `[height · width, categories]`; positive.
    pub(crate) silence: [Vec<f32>; 4],
    /// Senders and receivers of every direction, every message after those that it depends on.
    steps: [Vec<(usize, usize)>; 4],
}

impl Scanlines {
    /// The tables of all directions from those along rows and columns, `[2, categories, categories]`, the left or upper
    /// pixel's label first. `S_t` is what comes of beliefs that are the `marginals [height · width, categories]`.
    pub fn new([height, width]: [usize; 2], ratios: &[f32], marginals: &[f32]) -> Self {
        let c = marginals.len() / (height * width);
        assert_eq!(marginals.len(), height * width * c);
        assert_eq!(ratios.len(), 2 * c * c);
        let table = |direction: usize| -> Vec<f32> {
            let along = &ratios[direction / 2 * c * c..][..c * c];
            match direction % 2 {
                0 => along.to_vec(),
                _ => (0..c * c).map(|k| along[k % c * c + k / c]).collect(),
            }
        };
        let directions = [0, 1, 2, 3];
        let mut lines = Self {
            height,
            width,
            categories: c,
            ratios: directions.map(table),
            silence: Default::default(),
            steps: directions.map(|direction| steps([height, width], direction)),
        };
        lines.silence = directions.map(|direction| {
            let mut said = vec![1.0; marginals.len()];
            for &(sender, receiver) in &lines.steps[direction] {
                let own = &marginals[sender * c..][..c];
                lines.send(direction, own, &mut said[receiver * c..][..c]);
            }
            said
        });
        lines
    }

    /// `Σ_a weights(a) R(a, ·)`.
    fn send(&self, direction: usize, weights: &[f32], sums: &mut [f32]) {
        sums.fill(0.0);
        let rows = self.ratios[direction].chunks_exact(self.categories);
        for (weight, row) in weights.iter().zip(rows) {
            for (sum, ratio) in sums.iter_mut().zip(row) {
                *sum += weight * ratio;
            }
        }
    }
}

fn steps([height, width]: [usize; 2], direction: usize) -> Vec<(usize, usize)> {
    let stride = [1, width][direction / 2];
    let has_next = |site: &usize| match direction / 2 {
        0 => site % width + 1 < width,
        _ => site / width + 1 < height,
    };
    let pairs = (0..height * width).filter(has_next);
    match direction % 2 {
        0 => pairs.map(|site| (site, site + stride)).collect(),
        _ => pairs.rev().map(|site| (site + stride, site)).collect(),
    }
}

/// See [`super::scanlines`].
#[derive(Clone, Debug)]
pub(super) struct Messages {
    pub lines: Arc<Scanlines>,
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
    type Kept = ();

    fn value(&self, [local]: &[Host; 1]) -> (Host, ()) {
        let shape: [usize; 3] = local.shape().dims();
        let (row, c) = (shape[1] * shape[2], self.lines.categories);
        let local = values(local);
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
        (tensor(by_parts(local.len(), row, write).0, shape), ())
    }

    fn gradients(
        &self,
        [local]: &[Host; 1],
        (): &(),
        gradient: Host,
        _: [bool; 1],
    ) -> [Option<Host>; 1] {
        let shape: [usize; 3] = local.shape().dims();
        let (row, c) = (shape[1] * shape[2], self.lines.categories);
        let (local, gradient) = (values(local), values(&gradient));
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
}
