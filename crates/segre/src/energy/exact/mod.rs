//! Exact inference: enumeration of few configurations, junction tree for small treewidth.
//!
//! Exact inference in energy models keeps messages only. The tree has one clique for each variable; its table is formed
//! block by block from its factors and messages, so that the largest table exists once at most, and what is needed is known
//! before anything is allocated. Entries are weights scaled to at most 1. Where they would underflow, which is noticed and
//! never guessed, everything is done again with logarithms. So zeros are exact, and states that zeros exclude are gone
//! before the elimination order is sought.

mod arithmetic;
mod domains;
mod enumeration;
mod junction_tree;
mod layout;
mod order;

pub use enumeration::enumerate;
pub use order::Cost;

use rayon::prelude::*;
use serde::Serialize;

use super::error::EnergyError;
use super::inference::{Inference, LogZKind, Method, Report};
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::progress::{Observer, Part};
use crate::random::{Purpose, generator};
use arithmetic::{Linear, Logarithmic};
use domains::Reduced;
use junction_tree::{JunctionTree, Stop};
use order::Order;

/// What exact inference says of its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExactReport {
    /// Width of the elimination order, an upper bound on the treewidth.
    pub width: usize,
    /// Binary logarithm of the size of the largest table.
    pub log2_largest_table: f64,
    /// Bytes that were planned for tables.
    pub memory_bytes: f64,
    /// Whether tables of logarithms were needed because weights span too large a range.
    pub logarithmic: bool,
}

/// A model made ready for exact inference: what zeros exclude is gone, and the order is found.
///
/// Nothing is allocated yet that grows with the tables; [`ExactPlan::cost`] says what would be.
pub struct ExactPlan {
    reduced: Reduced,
    order: Order,
}

impl ExactPlan {
    /// Finds an elimination order.
    ///
    /// # Errors
    /// [`EnergyError::NoConfiguration`] if the zeros of the factors leave no configuration.
    pub fn new(model: &EnergyModel) -> Result<Self> {
        let reduced = Reduced::of(model)?;
        let scopes: Vec<&[usize]> = reduced.factors.iter().map(|f| f.variables()).collect();
        let order = order::search(&reduced.cardinalities(), &scopes);
        Ok(Self { reduced, order })
    }

    /// What inference would need.
    pub fn cost(&self) -> Cost {
        self.order.cost
    }

    /// Variables that are neither observed nor fixed by zeros.
    pub fn free_variables(&self) -> usize {
        self.reduced.free.len()
    }

    /// Refuses a plan that needs more than some bytes of memory.
    ///
    /// # Errors
    /// [`EnergyError::TooWide`].
    pub fn check(&self, budget_bytes: u64) -> Result<()> {
        let cost = self.cost();
        if cost.bytes <= budget_bytes as f64 {
            return Ok(());
        }
        Err(EnergyError::TooWide {
            needed: bytes_text(cost.bytes),
            budget: bytes_text(budget_bytes as f64),
            width: cost.width,
            log2_table: cost.log2_table,
        })
    }

    /// `log Z`, all marginals, mean energy and entropy, by one calibration of the junction tree.
    ///
    /// Weights are used as they are; if they would underflow, all is done again with logarithms.
    ///
    /// # Errors
    /// [`EnergyError::NoConfiguration`], [`Interrupted`](crate::Interrupted).
    pub fn infer(&self, observer: &mut dyn Observer) -> Result<Inference> {
        // The way down is about twice as long as the way up.
        let down = |observer| Part::new(observer, "exact", 1.0 / 3.0..1.0);
        let mut up = Part::new(observer, "exact", 0.0..1.0 / 3.0);
        let (logarithmic, log_z, calibration) =
            match JunctionTree::<Linear>::send_up(&self.reduced, &self.order, &mut up) {
                Ok(tree) => (false, tree.log_z, tree.send_down(&mut down(observer))?),
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Range) => {
                    let tree = self.logarithmic(&mut up)?;
                    (true, tree.log_z, tree.send_down(&mut down(observer))?)
                }
            };
        let log_z = log_z + self.reduced.log_constant;
        let energy = -(calibration.mean_log_weight + self.reduced.log_constant);
        let cost = self.cost();
        Ok(Inference {
            method: Method::Exact,
            exact: true,
            log_z: Some(log_z),
            log_z_kind: Some(LogZKind::Exact),
            marginals: self.all_marginals(&calibration.marginals),
            energy: Some(energy),
            energy_std_error: None,
            entropy: Some(log_z + energy),
            report: Report::Exact(ExactReport {
                width: cost.width,
                log2_largest_table: cost.log2_table,
                memory_bytes: cost.bytes,
                logarithmic,
            }),
        })
    }

    /// Independent samples of the distribution, `[samples][variables]`; row `i` depends on `seed` and `i`.
    ///
    /// # Errors
    /// As [`ExactPlan::infer`].
    pub fn sample(
        &self,
        count: usize,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Vec<usize>>> {
        let mut observer = Part::new(observer, "exact samples", 0.0..1.0);
        match JunctionTree::<Linear>::send_up(&self.reduced, &self.order, &mut observer) {
            Ok(tree) => Ok(self.draw(&tree, count, seed).collect()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Range) => Ok(self
                .draw(&self.logarithmic(&mut observer)?, count, seed)
                .collect()),
        }
    }

    /// The samples of [`ExactPlan::sample`] as labels of a data set, `[samples, variables]`, flat.
    ///
    /// # Errors
    /// As [`ExactPlan::infer`].
    ///
    /// # Panics
    /// If a variable has more than 65 536 states.
    pub fn sample_labels(
        &self,
        count: usize,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Vec<u16>> {
        let mut observer = Part::new(observer, "exact samples", 0.0..1.0);
        match JunctionTree::<Linear>::send_up(&self.reduced, &self.order, &mut observer) {
            Ok(tree) => Ok(self
                .draw(&tree, count, seed)
                .flat_map_iter(narrow)
                .collect()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Range) => {
                let tree = self.logarithmic(&mut observer)?;
                Ok(self
                    .draw(&tree, count, seed)
                    .flat_map_iter(narrow)
                    .collect())
            }
        }
    }

    fn logarithmic(&self, observer: &mut dyn Observer) -> Result<JunctionTree<'_, Logarithmic>> {
        let tree = JunctionTree::send_up(&self.reduced, &self.order, observer);
        tree.map_err(|stop| match stop {
            Stop::Error(error) => error,
            Stop::Range => unreachable!("logarithms cannot underflow"),
        })
    }

    fn draw<A: arithmetic::Arithmetic>(
        &self,
        tree: &JunctionTree<A>,
        count: usize,
        seed: u64,
    ) -> impl IndexedParallelIterator<Item = Vec<usize>> {
        let draw = move |row: usize| {
            let mut rng = generator(seed, Purpose::EnergySample, row as u64);
            let drawn = tree.draw(&mut rng);
            let mut labels: Vec<usize> = self.reduced.states.iter().map(|s| s[0]).collect();
            for (&variable, index) in self.reduced.free.iter().zip(drawn) {
                labels[variable] = self.reduced.states[variable][index];
            }
            labels
        };
        (0..count).into_par_iter().map(draw)
    }

    /// From the possible states of the free variables to all states of all variables.
    fn all_marginals(&self, free: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut marginals: Vec<Vec<f64>> = self
            .reduced
            .all_states
            .iter()
            .zip(&self.reduced.states)
            .map(|(&count, possible)| {
                let mut marginal = vec![0.0; count];
                if possible.len() == 1 {
                    marginal[possible[0]] = 1.0;
                }
                marginal
            })
            .collect();
        for (&variable, probabilities) in self.reduced.free.iter().zip(free) {
            let states = &self.reduced.states[variable];
            for (&state, &probability) in states.iter().zip(probabilities) {
                marginals[variable][state] = probability;
            }
        }
        marginals
    }
}

/// States as labels of a data set.
pub(in crate::energy) fn narrow(states: Vec<usize>) -> impl Iterator<Item = u16> {
    let label = |state| u16::try_from(state).expect("at most 65536 states");
    states.into_iter().map(label)
}

/// Exact inference within a budget of memory.
///
/// # Errors
/// [`EnergyError::TooWide`], and what [`ExactPlan::infer`] returns.
pub fn infer(
    model: &EnergyModel,
    budget_bytes: u64,
    observer: &mut dyn Observer,
) -> Result<Inference> {
    let plan = ExactPlan::new(model)?;
    plan.check(budget_bytes)?;
    plan.infer(observer)
}

/// A number of bytes with a unit.
pub fn bytes_text(bytes: f64) -> String {
    if bytes == f64::INFINITY {
        return "more memory than can be said".into();
    }
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = ((bytes.max(1.0).log2() / 10.0) as usize).min(UNITS.len() - 1);
    let value = bytes / 1024_f64.powi(power as i32);
    match value < 1e4 {
        true => format!("{value:.1} {}", UNITS[power]),
        false => format!("{value:.1e} {}", UNITS[power]),
    }
}
