//! Swendsen–Wang sampling: whole clusters of equal labels are relabelled at once.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chains::{self, ChainOptions, Seen, draw};
use super::error::{EnergyError, NotPotts};
use super::factor::{Factor, normalise};
use super::inference::{Inference, Method};
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::progress::Observer;

/// A table may differ from a sum of fields and a coupling by this much, relative to its range.
const FORM_TOLERANCE: f64 = 1e-9;

/// An edge of a Potts model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bond {
    /// The variables it joins.
    pub variables: [usize; 2],
    /// Log-weight of equal labels, not negative.
    pub coupling: f64,
}

/// A ferromagnetic Potts model: `ln weight = Σ_i h_i(x_i) + Σ_{ij} J_ij [x_i = x_j]` with `J_ij ≥ 0`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ferromagnet {
    /// `h`, `[variables][states]`, up to a constant.
    pub fields: Vec<Vec<f64>>,
    /// Edges with a positive coupling.
    pub bonds: Vec<Bond>,
}

impl Ferromagnet {
    /// Reads the fields and couplings off a model's factors.
    ///
    /// # Errors
    /// [`EnergyError::NotFerromagnetic`] with the factor and the reason.
    pub fn of(model: &EnergyModel) -> Result<Self> {
        let mut fields: Vec<Vec<f64>> = model
            .cardinalities()
            .iter()
            .map(|c| vec![0.0; *c])
            .collect();
        let mut bonds = Vec::new();
        for (number, factor) in model.factors().iter().enumerate() {
            let refuse = |problem| EnergyError::NotFerromagnetic {
                factor: number,
                problem,
            };
            if factor.log_values().contains(&f64::NEG_INFINITY) {
                return Err(refuse(NotPotts::Zero));
            }
            match *factor.variables() {
                [] => {}
                [variable] => add(&mut fields[variable], factor.log_values()),
                [a, b] => {
                    let (first, second, coupling) = split(factor).map_err(refuse)?;
                    add(&mut fields[a], &first);
                    add(&mut fields[b], &second);
                    if coupling > 0.0 {
                        let variables = [a, b];
                        bonds.push(Bond {
                            variables,
                            coupling,
                        });
                    }
                }
                _ => return Err(refuse(NotPotts::Order(factor.variables().len()))),
            }
        }
        Ok(Self { fields, bonds })
    }
}

fn add(field: &mut [f64], values: &[f64]) {
    field
        .iter_mut()
        .zip(values)
        .for_each(|(sum, value)| *sum += value);
}

/// A table of two variables as `a(x) + b(y) + J [x = y]`.
///
/// Doubly centred, `[x = y]` becomes `[x = y] − 1/c`, onto which the centred table is projected.
fn split(factor: &Factor) -> std::result::Result<(Vec<f64>, Vec<f64>, f64), NotPotts> {
    let [rows, columns] = [factor.cardinalities()[0], factor.cardinalities()[1]];
    if rows != columns {
        return Err(NotPotts::Cardinalities(rows, columns));
    }
    let (states, table) = (rows, factor.log_values());
    let count = states as f64;
    let row = |x: usize| (0..states).map(|y| table[x * states + y]).sum::<f64>() / count;
    let column = |y: usize| (0..states).map(|x| table[x * states + y]).sum::<f64>() / count;
    let (first, second): (Vec<f64>, Vec<f64>) = (0..states).map(|s| (row(s), column(s))).unzip();
    let mean = first.iter().sum::<f64>() / count;
    let centred = |x: usize, y: usize| table[x * states + y] - first[x] - second[y] + mean;
    let diagonal: f64 = (0..states).map(|s| centred(s, s)).sum();
    // Σ_xy centred · ([x = y] − 1/c) = Σ_x centred(x, x), and the pattern has norm² c − 1.
    let coupling = if states > 1 {
        diagonal / (count - 1.0)
    } else {
        0.0
    };
    let range = table
        .iter()
        .fold(1.0_f64, |range, value| range.max(value.abs()));
    let mut off = 0.0_f64;
    for x in 0..states {
        for y in 0..states {
            let pattern = f64::from(u8::from(x == y)) - 1.0 / count;
            off = off.max((centred(x, y) - coupling * pattern).abs());
        }
    }
    if off > FORM_TOLERANCE * range {
        return Err(NotPotts::Form(off));
    }
    if coupling < -FORM_TOLERANCE * range {
        return Err(NotPotts::Antiferromagnetic(coupling));
    }
    Ok((first, second, coupling.max(0.0)))
}

/// Marginals and mean energy of a ferromagnetic Ising or Potts model with fields.
///
/// A sweep joins equal neighbours with probability `1 − exp(−J)` and gives each cluster a label `k` with
/// probability `∝ exp Σ_{i ∈ cluster} h_i(k)`.
///
/// Source: Swendsen & Wang 1987; with fields: Higdon 1998, section 2.
///
/// # Errors
/// [`EnergyError::NotFerromagnetic`], and as [`super::gibbs()`].
pub fn swendsen_wang(
    model: &EnergyModel,
    options: &ChainOptions,
    observer: &mut dyn Observer,
) -> Result<Inference> {
    let magnet = Ferromagnet::of(model)?;
    chains::run(
        model,
        Method::SwendsenWang,
        options,
        observer,
        &sweep(model, magnet),
    )
}

/// A sweep: bonds, then a label for every cluster.
pub(super) fn sweep(
    model: &EnergyModel,
    magnet: Ferromagnet,
) -> impl Fn(&mut [usize], &mut ChaCha8Rng, Seen) + Sync + '_ {
    let together: Vec<f64> = magnet
        .bonds
        .iter()
        .map(|b| -(-b.coupling).exp_m1())
        .collect();
    move |labels, rng, seen| {
        let count = labels.len();
        let mut parents: Vec<usize> = (0..count).collect();
        for (bond, probability) in magnet.bonds.iter().zip(&together) {
            let [a, b] = bond.variables;
            if labels[a] == labels[b] && rng.random::<f64>() < *probability {
                let (a, b) = (root(&mut parents, a), root(&mut parents, b));
                // The smaller number leads: the same clusters for any order of the bonds.
                parents[a.max(b)] = a.min(b);
            }
        }
        let mut weights: Vec<Vec<f64>> = vec![Vec::new(); count];
        for variable in 0..count {
            if model.observed()[variable].is_some() {
                continue;
            }
            let leader = root(&mut parents, variable);
            let field = &magnet.fields[variable];
            match weights[leader].is_empty() {
                true => weights[leader] = field.clone(),
                false => add(&mut weights[leader], field),
            }
        }
        for variable in 0..count {
            if model.observed()[variable].is_some() {
                continue;
            }
            // Leaders come before their followers.
            let leader = root(&mut parents, variable);
            if leader == variable {
                normalise(&mut weights[leader]);
                labels[variable] = draw(&weights[leader], rng.random());
            } else {
                labels[variable] = labels[leader];
            }
            seen(variable, &weights[leader]);
        }
    }
}

/// The leader of a cluster; the path to it is halved.
fn root(parents: &mut [usize], mut variable: usize) -> usize {
    while parents[variable] != variable {
        parents[variable] = parents[parents[variable]];
        variable = parents[variable];
    }
    variable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_couplings_are_read_off_the_tables() {
        let value = |x: usize, y: usize| {
            [0.3, -1.0, 2.0][x] + [1.0, 0.0, 0.5][y] + if x == y { 0.7 } else { 0.0 }
        };
        let table = (0..9).map(|i| value(i / 3, i % 3)).collect();
        let factor = Factor::new(vec![0, 1], vec![3, 3], table);
        let (first, second, coupling) = split(&factor).expect("Potts");
        assert!((coupling - 0.7).abs() < 1e-12);
        assert!((first[0] - first[1] - 1.3).abs() < 1e-12);
        assert!((second[0] - second[2] - 0.5).abs() < 1e-12);
    }

    #[test]
    fn other_models_are_refused_with_the_reason() {
        let refuse = |scope: Vec<usize>, states: Vec<usize>, table: Vec<f64>| {
            let factor = Factor::new(scope, states, table);
            let error = Ferromagnet::of(&EnergyModel::new(vec![2, 2, 3], vec![factor]));
            error.expect_err("no ferromagnet").to_string()
        };
        let anti = refuse(vec![0, 1], vec![2, 2], vec![0.0, 1.0, 1.0, 0.0]);
        assert!(anti.contains("antiferromagnetic coupling -1"), "{anti}");
        let mixed = refuse(vec![0, 2], vec![2, 3], vec![0.0; 6]);
        assert!(mixed.contains("2 and 3 states"), "{mixed}");
        let zero = vec![f64::NEG_INFINITY, 0.0];
        assert!(refuse(vec![0], vec![2], zero).contains("zero entry"));
        assert!(refuse(vec![0, 1, 2], vec![2, 2, 3], vec![0.0; 12]).contains("3 variables"));
    }
}
