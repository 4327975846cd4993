//! Messages of a junction tree: up for `log Z`, down for all marginals at once.
//!
//! The tree has one clique for every variable: the variable and the separator it is joined to when it
//! is eliminated. Only messages are kept; a clique's table is formed block by block from what is
//! multiplied in it, so that the largest table exists once at most.
//!
//! Source: Shafer & Shenoy 1990 (up), Jensen, Lauritzen & Olesen 1990 (down, by division).

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::arithmetic::Arithmetic;
use super::domains::Reduced;
use super::layout::{Layout, Walk};
use super::order::Order;
use crate::energy::error::EnergyError;
use crate::energy::error::Result;
use crate::energy::factor::{Factor, offsets};
use crate::progress::{Observer, Progress};

/// Entries from which on a table is worth a second thread.
const PARALLEL: usize = 1 << 15;
/// Factors are multiplied beforehand up to this many entries.
const SMALL: usize = 1 << 11;

/// A table over places of the elimination order, ascending, the last fastest.
struct Table<A> {
    scope: Vec<usize>,
    strides: Vec<usize>,
    entries: Vec<f64>,
    /// The smallest entry that is not zero.
    smallest: f64,
    arithmetic: std::marker::PhantomData<A>,
}

impl<A: Arithmetic> Table<A> {
    fn new(scope: Vec<usize>, cardinalities: &[usize], entries: Vec<f64>) -> Self {
        let mut strides = vec![1; scope.len()];
        for place in (1..scope.len()).rev() {
            strides[place - 1] = strides[place] * cardinalities[scope[place]];
        }
        let smallest = entries
            .iter()
            .filter(|entry| **entry > A::ZERO)
            .fold(A::ONE, |least, entry| least.min(*entry));
        Self {
            scope,
            strides,
            entries,
            smallest,
            arithmetic: std::marker::PhantomData,
        }
    }
}

/// Why messages could not be sent.
pub(super) enum Stop {
    /// Weights span more than floating-point numbers can: logarithms are needed.
    Range,
    /// As the caller should see it.
    Error(EnergyError),
}

/// What one calibration gives, for the free variables.
pub(super) struct Calibration {
    /// Probabilities of the possible states.
    pub marginals: Vec<Vec<f64>>,
    /// `⟨Σ ln f⟩` of the factors.
    pub mean_log_weight: f64,
}

/// The tree with its messages sent up.
pub(super) struct JunctionTree<'a, A> {
    order: &'a Order,
    /// States of each place.
    cardinalities: Vec<usize>,
    /// Factors, and for the mean of the energy their logarithms, 0 where the factor is zero.
    factors: Vec<Table<A>>,
    logarithms: Vec<Vec<f64>>,
    /// Factors and earlier places whose messages are multiplied at each place.
    own_factors: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    messages: Vec<Table<A>>,
    /// Logarithm of the sum over the free variables of the product of the factors.
    pub log_z: f64,
}

impl<'a, A: Arithmetic> JunctionTree<'a, A> {
    /// Sends messages up to the roots.
    pub fn send_up(
        reduced: &Reduced,
        order: &'a Order,
        observer: &mut dyn Observer,
    ) -> Result<Self, Stop> {
        let mut tell = |done: f64| {
            let told = Progress::part("exact", done).tell(observer);
            told.map_err(|stop| Stop::Error(stop.into()))
        };
        tell(0.0)?;
        let mut tree = Self::prepare(reduced, order)?;
        let total = order.cost.entries;
        let mut done = 0.0;
        for place in 0..order.order.len() {
            let layout = tree.layout(place);
            done += (layout.states() * layout.separator()) as f64;
            tree.send(place, &layout)?;
            tell(done / total)?;
        }
        Ok(tree)
    }

    fn prepare(reduced: &Reduced, order: &'a Order) -> Result<Self, Stop> {
        let all = reduced.cardinalities();
        let cardinalities: Vec<usize> = order.order.iter().map(|v| all[*v]).collect();
        let count = cardinalities.len();
        let mut places = vec![0; count];
        for (place, &variable) in order.order.iter().enumerate() {
            places[variable] = place;
        }
        // The variable of a factor that is eliminated first takes the factor along.
        let mut at_places: Vec<Vec<Factor>> = vec![Vec::new(); count];
        for factor in &reduced.factors {
            let first = factor.variables().iter().map(|v| places[*v]).min();
            put(&mut at_places[first.unwrap_or(0)], factor);
        }
        let mut own_factors = vec![Vec::new(); count];
        let (mut factors, mut logarithms) = (Vec::new(), Vec::new());
        let mut log_z = 0.0;
        for (own, here) in own_factors.iter_mut().zip(at_places) {
            for factor in here {
                own.push(factors.len());
                let (scope, mut logs) = sorted_by_place(&factor, &places);
                // Messages rely on inputs of at most 1.
                let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                log_z += largest;
                let entries: Vec<f64> = logs.iter().map(|l| A::from_log(l - largest)).collect();
                let vanished = |(entry, log): (&f64, &f64)| {
                    *entry <= A::smallest_safe() && *log > f64::NEG_INFINITY
                };
                if entries.iter().zip(&logs).any(vanished) {
                    return Err(Stop::Range);
                }
                factors.push(Table::new(scope, &cardinalities, entries));
                // A zero entry has belief exactly zero: 0 · 0 instead of 0 · ∞.
                for log in &mut logs {
                    *log = if *log == f64::NEG_INFINITY { 0.0 } else { *log };
                }
                logarithms.push(logs);
            }
        }
        let mut children = vec![Vec::new(); count];
        for (place, separator) in order.separators.iter().enumerate() {
            if let Some(&parent) = separator.first() {
                children[parent].push(place);
            }
        }
        Ok(Self {
            order,
            cardinalities,
            factors,
            logarithms,
            own_factors,
            children,
            messages: Vec::with_capacity(count),
            log_z,
        })
    }

    fn layout(&self, place: usize) -> Layout {
        let scope: Vec<usize> = std::iter::once(place)
            .chain(self.order.separators[place].iter().copied())
            .collect();
        let cardinalities = scope
            .iter()
            .map(|place| self.cardinalities[*place])
            .collect();
        Layout::new(scope, cardinalities)
    }

    /// The tables that are multiplied at a place: its factors and the messages of its children.
    fn inputs(&self, place: usize) -> impl Iterator<Item = &Table<A>> {
        let own = self.own_factors[place].iter().map(|f| &self.factors[*f]);
        own.chain(self.children[place].iter().map(|c| &self.messages[*c]))
    }

    /// Sums a place out of the product of its inputs.
    fn send(&mut self, place: usize, layout: &Layout) -> Result<(), Stop> {
        let inputs: Vec<(&Table<A>, Walk)> = self
            .inputs(place)
            .map(|table| (table, layout.walk(&table.scope, &table.strides)))
            .collect();
        let smallest = inputs.iter().fold(A::ONE, |product, (table, _)| {
            A::times(product, table.smallest)
        });
        // Each input is at most 1, so only underflow can happen; mostly a bound excludes it.
        let safe = smallest > A::smallest_safe() || A::smallest_safe() == A::ZERO;
        let mut message = vec![A::ZERO; layout.separator()];
        let fill = |scratch: &mut Vec<f64>, high: usize, sums: &mut [f64]| {
            for state in 0..layout.states() {
                scratch.clear();
                scratch.resize(sums.len(), A::ONE);
                for (table, walk) in &inputs {
                    walk.multiply::<A>(scratch, &table.entries, state, high);
                }
                for (sum, entry) in sums.iter_mut().zip(scratch.iter()) {
                    *sum = A::plus(*sum, *entry);
                }
            }
            safe || sums
                .iter()
                .enumerate()
                .all(|(low, sum)| *sum > A::smallest_safe() || vanishes(&inputs, layout, high, low))
        };
        let blocks = message.par_chunks_mut(layout.low).enumerate();
        let fine = match layout.separator() * layout.states() >= PARALLEL {
            true => blocks
                .map_init(Vec::new, |scratch, (high, sums)| fill(scratch, high, sums))
                .reduce(|| true, |a, b| a && b),
            false => {
                let mut scratch = Vec::new();
                let mut blocks = message.chunks_mut(layout.low).enumerate();
                blocks.all(|(high, sums)| fill(&mut scratch, high, sums))
            }
        };
        if !fine {
            return Err(Stop::Range);
        }
        let largest = message.iter().copied().fold(A::ZERO, f64::max);
        if largest == A::ZERO {
            let place = String::new();
            return Err(Stop::Error(EnergyError::NoConfiguration { place }));
        }
        self.log_z += A::to_log(largest);
        message.iter_mut().for_each(|e| *e = A::over(*e, largest));
        let scope = self.order.separators[place].clone();
        self.messages
            .push(Table::new(scope, &self.cardinalities, message));
        Ok(())
    }

    /// Sends messages down from the roots and takes the marginals on the way.
    pub fn send_down(mut self, observer: &mut dyn Observer) -> Result<Calibration> {
        let count = self.cardinalities.len();
        let mut marginals = vec![Vec::new(); count];
        let (mut mean_log_weight, mut done) = (0.0, 0.0);
        let total = self.order.cost.entries;
        let mut belief = Vec::new();
        for place in (0..count).rev() {
            let layout = self.layout(place);
            self.form(place, &layout, &mut belief);
            let slabs: Vec<f64> = belief
                .chunks(layout.separator())
                .map(|slab| sum::<A>(slab))
                .collect();
            let all = slabs.iter().copied().fold(A::ZERO, A::plus);
            marginals[self.order.order[place]] =
                slabs.iter().map(|slab| A::share(*slab, all)).collect();
            mean_log_weight += self.mean_logarithm(place, &layout, &belief, all);
            for child in self.children[place].clone() {
                self.pass_on(child, &layout, &belief, all);
            }
            done += belief.len() as f64;
            Progress::part("exact", done / total).tell(observer)?;
        }
        Ok(Calibration {
            marginals,
            mean_log_weight,
        })
    }

    /// The table of a clique, all messages multiplied in.
    fn form(&self, place: usize, layout: &Layout, belief: &mut Vec<f64>) {
        // The message down replaces the one sent up, so that it is an input like the others.
        let inputs: Vec<(&Table<A>, Walk)> = self
            .inputs(place)
            .chain(std::iter::once(&self.messages[place]))
            .map(|table| (table, layout.walk(&table.scope, &table.strides)))
            .collect();
        let root = self.order.separators[place].is_empty();
        belief.clear();
        belief.resize(layout.states() * layout.separator(), A::ONE);
        let used = inputs.len() - usize::from(root);
        let fill = |(number, block): (usize, &mut [f64])| {
            let (state, high) = (number / layout.high, number % layout.high);
            for (table, walk) in &inputs[..used] {
                walk.multiply::<A>(block, &table.entries, state, high);
            }
        };
        match belief.len() >= PARALLEL {
            true => belief.par_chunks_mut(layout.low).enumerate().for_each(fill),
            false => belief.chunks_mut(layout.low).enumerate().for_each(fill),
        }
    }

    /// `Σ p ln f` of the factors at a place.
    fn mean_logarithm(&self, place: usize, layout: &Layout, belief: &[f64], all: f64) -> f64 {
        let inputs: Vec<(&[f64], Walk)> = self.own_factors[place]
            .iter()
            .map(|&f| {
                let table = &self.factors[f];
                let walk = layout.walk(&table.scope, &table.strides);
                (self.logarithms[f].as_slice(), walk)
            })
            .collect();
        if inputs.is_empty() {
            return 0.0;
        }
        let mean = |scratch: &mut Vec<f64>, (number, block): (usize, &[f64])| -> f64 {
            let (state, high) = (number / layout.high, number % layout.high);
            scratch.clear();
            scratch.resize(block.len(), 0.0);
            for (logarithms, walk) in &inputs {
                // Sums of logarithms are what the other arithmetic calls a product.
                walk.multiply::<super::arithmetic::Logarithmic>(scratch, logarithms, state, high);
            }
            let terms = block.iter().zip(scratch.iter());
            terms
                .filter(|(entry, _)| **entry > A::ZERO)
                .map(|(entry, log)| A::share(*entry, all) * log)
                .sum()
        };
        // Collected and then added in order: threads change no digit.
        let parts: Vec<f64> = match belief.len() >= PARALLEL {
            true => belief
                .par_chunks(layout.low)
                .enumerate()
                .map_init(Vec::new, mean)
                .collect(),
            false => {
                let mut scratch = Vec::new();
                let blocks = belief.chunks(layout.low).enumerate();
                blocks.map(|block| mean(&mut scratch, block)).collect()
            }
        };
        parts.iter().sum()
    }

    /// Replaces the message of a child by what its parent knows without it.
    fn pass_on(&mut self, child: usize, layout: &Layout, belief: &[f64], all: f64) {
        let table = &self.messages[child];
        let walk = layout.walk(&table.scope, &table.strides);
        let mut marginal = vec![A::ZERO; table.entries.len()];
        let part = table.entries.len() / layout.states();
        let slabs = marginal
            .chunks_mut(part)
            .zip(belief.chunks(layout.separator()));
        let add = |(part, slab): (&mut [f64], &[f64])| {
            for (high, block) in slab.chunks(layout.low).enumerate() {
                walk.add::<A>(block, part, high);
            }
        };
        match belief.len() >= PARALLEL {
            true => slabs.collect::<Vec<_>>().into_par_iter().for_each(add),
            false => slabs.for_each(add),
        }
        let entries = &mut self.messages[child].entries;
        let divide = |(entry, sum): (&mut f64, &f64)| *entry = A::over(A::over(*sum, all), *entry);
        entries.iter_mut().zip(&marginal).for_each(divide);
    }

    /// Draws one state for every free variable, as an index of its possible states.
    pub fn draw(&self, rng: &mut impl Rng) -> Vec<usize> {
        let count = self.cardinalities.len();
        let mut labels = vec![0; count];
        let mut weights = Vec::new();
        for place in (0..count).rev() {
            weights.clear();
            weights.resize(self.cardinalities[place], A::ONE);
            for table in self.inputs(place) {
                let later = table.scope[1..].iter().zip(&table.strides[1..]);
                let start: usize = later.map(|(p, stride)| labels[*p] * stride).sum();
                for (state, weight) in weights.iter_mut().enumerate() {
                    *weight = A::times(*weight, table.entries[start + state * table.strides[0]]);
                }
            }
            let largest = weights.iter().copied().fold(A::ZERO, f64::max);
            for weight in &mut weights {
                *weight = A::share(*weight, largest);
            }
            labels[place] = crate::energy::chains::draw(&weights, rng.random());
        }
        let mut of_variables = vec![0; count];
        for (place, &variable) in self.order.order.iter().enumerate() {
            of_variables[variable] = labels[place];
        }
        of_variables
    }
}

/// Whether the sum at one entry of the separator is zero exactly, not by underflow.
fn vanishes<A: Arithmetic>(
    inputs: &[(&Table<A>, Walk)],
    layout: &Layout,
    high: usize,
    low: usize,
) -> bool {
    (0..layout.states()).all(|state| {
        let zero = |(table, walk): &(&Table<A>, Walk)| {
            table.entries[walk.place(state, high, low)] == A::ZERO
        };
        inputs.iter().any(zero)
    })
}

/// Adds a factor to those of a place, multiplied into another if their common table is small: one walk
/// through a large table instead of several.
fn put(factors: &mut Vec<Factor>, factor: &Factor) {
    let size = |other: &Factor| -> usize {
        let further = factor.variables().iter().zip(factor.cardinalities());
        further
            .filter(|(variable, _)| !other.variables().contains(variable))
            .map(|(_, states)| states)
            .product::<usize>()
            .saturating_mul(other.log_values().len())
    };
    match factors.iter_mut().find(|other| size(other) <= SMALL) {
        Some(other) => *other = other.product(factor),
        None => factors.push(factor.clone()),
    }
}

/// Places of a factor's variables, ascending, and its log-weights in that order.
fn sorted_by_place(factor: &Factor, places: &[usize]) -> (Vec<usize>, Vec<f64>) {
    let strides = factor.strides();
    let mut columns: Vec<(usize, usize, usize)> = factor
        .variables()
        .iter()
        .zip(factor.cardinalities())
        .zip(strides)
        .map(|((variable, states), stride)| (places[*variable], *states, stride))
        .collect();
    columns.sort_unstable();
    let states: Vec<usize> = columns.iter().map(|column| column.1).collect();
    let strides: Vec<usize> = columns.iter().map(|column| column.2).collect();
    let entries = offsets(&states, &strides);
    (
        columns.iter().map(|column| column.0).collect(),
        entries
            .into_iter()
            .map(|at| factor.log_values()[at])
            .collect(),
    )
}

/// The sum of a table, by blocks: fewer roundings than one long chain.
fn sum<A: Arithmetic>(entries: &[f64]) -> f64 {
    entries
        .chunks(4096)
        .map(|block| block.iter().copied().fold(A::ZERO, A::plus))
        .fold(A::ZERO, A::plus)
}
