//! The distribution of `Ω` and of the initial point: reparametrised Gaussians, and what they become.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::arithmetic::{add_multiple, dot};
use super::coupling::Operator;
use crate::random::row_generator;

/// How the numbers of `Ω` depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Covariance {
    /// Independent numbers.
    Diagonal,
    /// `FᵀF + diag σ²` with `F` of so many rows.
    LowRank {
        /// Rows of `F`.
        rank: usize,
    },
    /// `FᵀF` with a square `F`.
    Full,
}

/// The vector `y = μ + Fᵀ z + σ ⊙ ε` of standard normal `z`, `ε`: numbers of `Ω`, then the initial point `V_0`.
///
/// # Shapes
/// `mean [P + K]`, `log_sigma [spread]`, `factor [rank, spread]`, where `spread` is `P`, or `P + K` if the initial
/// point is random too; `P` are the free numbers of `Ω`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gaussian {
    pub mean: Vec<f32>,
    pub log_sigma: Vec<f32>,
    pub factor: Vec<f32>,
    pub rank: usize,
}

/// The random numbers of a draw and what they make of the mean.
pub(super) struct Draw {
    latent: Vec<f32>,
    noise: Vec<f32>,
    /// `y`.
    pub values: Vec<f32>,
}

impl Gaussian {
    /// Numbers that are random.
    pub fn spread(&self) -> usize {
        match self.rank {
            0 => self.log_sigma.len(),
            rank => self.factor.len() / rank,
        }
    }

    /// Draw number `row` of a stream.
    pub fn draw(&self, base: &ChaCha8Rng, row: usize) -> Draw {
        let mut rng = row_generator(base, row);
        let normals = |count, rng: &mut ChaCha8Rng| -> Vec<f32> {
            (0..count).map(|_| StandardNormal.sample(rng)).collect()
        };
        let latent = normals(self.rank, &mut rng);
        let noise = normals(self.log_sigma.len(), &mut rng);
        let mut values = self.mean.clone();
        let random = &mut values[..self.spread()];
        for (row, z) in self.factor.chunks_exact(random.len().max(1)).zip(&latent) {
            add_multiple(random, *z, row);
        }
        for ((value, noise), log_sigma) in random.iter_mut().zip(&noise).zip(&self.log_sigma) {
            *value += noise * log_sigma.exp();
        }
        Draw {
            latent,
            noise,
            values,
        }
    }

    /// The gradient with respect to all parameters, of the gradients with respect to the draws.
    ///
    /// `gradients`: `[draws][P + K]`. Sums run over the draws in their order.
    pub fn gradient(&self, draws: &[Draw], gradients: &[Vec<f32>]) -> Self {
        let spread = self.spread();
        let mut mean = vec![0.0; self.mean.len()];
        for gradient in gradients {
            add_multiple(&mut mean, 1.0, gradient);
        }
        let mut factor = vec![0.0; self.factor.len()];
        factor
            .par_chunks_mut(spread.max(1))
            .enumerate()
            .for_each(|(row, factor)| {
                for (draw, gradient) in draws.iter().zip(gradients) {
                    add_multiple(factor, draw.latent[row], &gradient[..spread]);
                }
            });
        let mut log_sigma = vec![0.0; self.log_sigma.len()];
        for (draw, gradient) in draws.iter().zip(gradients) {
            for ((out, noise), gradient) in log_sigma.iter_mut().zip(&draw.noise).zip(gradient) {
                *out += noise * gradient;
            }
        }
        for (out, own) in log_sigma.iter_mut().zip(&self.log_sigma) {
            *out *= own.exp();
        }
        Self {
            mean,
            log_sigma,
            factor,
            rank: self.rank,
        }
    }
}

/// What `Ω` is of the free numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Parametrisation {
    /// The numbers are those of `Ω`.
    General,
    /// `Ω = max(Z + Zᵀ, 0) + ε I`, of the upper triangle of `Z + Zᵀ`: from almost every initial point the flow
    /// ends at a labeling (Theorem 1 of RAF).
    Symmetric {
        /// `ε`.
        epsilon: f64,
    },
}

impl Parametrisation {
    /// Free numbers of `Ω`.
    pub(super) fn free(&self, operator: &Operator) -> usize {
        let sites = operator.sites();
        match self {
            Self::General => operator.parameters(),
            Self::Symmetric { .. } => sites * (sites + 1) / 2,
        }
    }

    /// `Ω` of the free numbers.
    pub(super) fn omega(&self, operator: &Operator, free: &[f32]) -> Vec<f32> {
        let Self::Symmetric { epsilon } = self else {
            return free.to_vec();
        };
        let sites = operator.sites();
        let mut omega = vec![0.0; sites * sites];
        for ((row, column), value) in triangle(sites).zip(free) {
            let value = value.max(0.0);
            omega[row * sites + column] = value;
            omega[column * sites + row] = value;
        }
        for site in 0..sites {
            omega[site * sites + site] += *epsilon as f32;
        }
        omega
    }

    /// The gradient with respect to the free numbers, added to `out`.
    pub(super) fn pull_back(
        &self,
        operator: &Operator,
        free: &[f32],
        of_omega: &[f32],
        out: &mut [f32],
    ) {
        let Self::Symmetric { .. } = self else {
            add_multiple(out, 1.0, of_omega);
            return;
        };
        let sites = operator.sites();
        for (((row, column), value), out) in triangle(sites).zip(free).zip(out) {
            if *value > 0.0 {
                *out += of_omega[row * sites + column];
                if row != column {
                    *out += of_omega[column * sites + row];
                }
            }
        }
    }
}

/// The places of an upper triangle, row after row.
pub(super) fn triangle(sites: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..sites).flat_map(move |row| (row..sites).map(move |column| (row, column)))
}

/// Norm of a gradient, for messages and clipping.
pub(super) fn norm(gradient: &Gaussian) -> f64 {
    let parts = [&gradient.mean, &gradient.log_sigma, &gradient.factor];
    let square: f64 = parts.iter().map(|part| f64::from(dot(part, part))).sum();
    square.sqrt()
}
