//! Elimination orders by min-fill and min-weight with restarts, and what an order costs.
//!
//! Source: Koller & Friedman, Probabilistic Graphical Models (2009), section 9.4.3.

use std::collections::BTreeSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::random::{Purpose, generator};

/// An elimination order with its separators.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Variables in the order of their elimination.
    pub order: Vec<usize>,
    /// For each place in the order, the later places that its variable is joined to, ascending.
    pub separators: Vec<Vec<usize>>,
    /// What it costs.
    pub cost: Cost,
}

/// What inference along an order needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Most variables that a variable is joined to when eliminated: the width, an upper bound on the
    /// treewidth.
    pub width: usize,
    /// Binary logarithm of the size of the largest table, that of a variable and its separator.
    pub log2_table: f64,
    /// Bytes of all messages and of the largest table.
    pub bytes: f64,
    /// Table entries visited: the sum of the tables' sizes.
    pub entries: f64,
}

/// What is eliminated first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Criterion {
    /// The variable that adds the fewest edges.
    Fill,
    /// The same with scores blurred at random, which leaves greedy dead ends.
    BlurredFill,
    /// The variable with the smallest table.
    Weight,
    /// The variable with the smallest number: sweeps through what is numbered in space or time.
    Number,
}

/// Beyond this many steps a single elimination gives up; then nothing fits any memory.
const MOST_WORK: u64 = 1_000_000_000;
/// Tables smaller than this together need no better order.
const SMALL_BYTES: f64 = 1_048_576.0;
/// Neighbours from which on fill-ins are too dear to count.
const DENSE: usize = 400;
/// Restarts at a time as (bytes that the best order so far must need to be worth them, eliminations):
/// what search may take grows with what inference would.
const ROUNDS: [(f64, usize); 3] = [(SMALL_BYTES, 40_000), (1e8, 100_000), (1e9, 800_000)];

/// From so many bytes on no restart will help.
const HOPELESS_BYTES: f64 = 1e14;

/// The cheapest order that restarts with random ties find; the same for any number of threads.
///
/// `scopes` are those of the factors, over the variables `0..cardinalities.len()`.
pub(super) fn search(cardinalities: &[usize], scopes: &[&[usize]]) -> Order {
    use Criterion::{BlurredFill, Fill, Number, Weight};
    let neighbours = graph(cardinalities.len(), scopes);
    let dense = neighbours.iter().any(|list| list.len() > DENSE);
    let run = |criterion, restart, limit| {
        Elimination::new(cardinalities, neighbours.clone(), criterion, restart).run(limit)
    };
    let mut best = run(Weight, 0, f64::INFINITY).expect("without a limit nothing is given up");
    let limit = best.cost.bytes;
    let mut keep = |orders: Vec<Option<Order>>| {
        // Strictly cheaper: the first of equals wins, whatever the number of threads.
        for order in orders.into_iter().flatten() {
            if order.cost.bytes < best.cost.bytes {
                best = order;
            }
        }
        best.cost.bytes
    };
    if dense {
        return best;
    }
    let first = [Fill, Number].par_iter().map(|c| run(*c, 0, limit));
    let mut bytes = keep(first.collect());
    let mut done = 0;
    for (worth, eliminations) in ROUNDS {
        if (worth..HOPELESS_BYTES).contains(&bytes) {
            let restarts = (eliminations / cardinalities.len().max(1)).max(4) as u64;
            let criterion =
                |restart: u64| [Weight, Fill, BlurredFill, BlurredFill][restart as usize % 4];
            let numbers = done + 1..=done + restarts;
            let runs = numbers.into_par_iter().map(|r| run(criterion(r), r, bytes));
            bytes = keep(runs.collect());
            done += restarts;
        }
    }
    best
}

/// Neighbours of every variable: those it shares a factor with.
fn graph(variables: usize, scopes: &[&[usize]]) -> Vec<Vec<usize>> {
    let mut sets = vec![BTreeSet::new(); variables];
    for scope in scopes {
        for &a in *scope {
            sets[a].extend(scope.iter().copied().filter(|b| *b != a));
        }
    }
    sets.into_iter()
        .map(|set| set.into_iter().collect())
        .collect()
}

/// One elimination under way.
struct Elimination {
    log2_states: Vec<f64>,
    neighbours: Vec<Vec<usize>>,
    criterion: Criterion,
    /// Among equals the smallest goes first.
    ties: Vec<u32>,
    rng: ChaCha8Rng,
    /// `(score, tie, variable)` of what is left.
    queue: BTreeSet<(u64, u32, usize)>,
    scores: Vec<u64>,
    /// Scratch: the last stamp that a variable was marked with.
    marks: Vec<u64>,
    stamp: u64,
    work: u64,
}

impl Elimination {
    fn new(
        cardinalities: &[usize],
        neighbours: Vec<Vec<usize>>,
        criterion: Criterion,
        restart: u64,
    ) -> Self {
        let count = cardinalities.len();
        let mut rng = generator(0, Purpose::Elimination, restart);
        // Without a restart ties go to the variable that comes first.
        let ties = (0..count).map(|_| if restart == 0 { 0 } else { rng.random() });
        let ties = ties.collect();
        Self {
            log2_states: cardinalities.iter().map(|c| (*c as f64).log2()).collect(),
            neighbours,
            criterion,
            ties,
            rng,
            queue: BTreeSet::new(),
            scores: vec![0; count],
            marks: vec![0; count],
            stamp: 0,
            work: 0,
        }
    }

    fn mark(&mut self, variables: &[usize]) {
        self.stamp += 1;
        for &variable in variables {
            self.marks[variable] = self.stamp;
        }
    }

    /// Edges that eliminating a variable would add, or its table's size.
    fn score(&mut self, variable: usize) -> u64 {
        let own = std::mem::take(&mut self.neighbours[variable]);
        let score = match self.criterion {
            Criterion::Weight => {
                let log2: f64 = own.iter().map(|u| self.log2_states[*u]).sum();
                ((log2 + self.log2_states[variable]) * 1e6) as u64
            }
            Criterion::Number => variable as u64,
            Criterion::Fill | Criterion::BlurredFill => {
                self.mark(&own);
                let mut joined = 0;
                for &u in &own {
                    self.work += self.neighbours[u].len() as u64;
                    let marked = |w: &&usize| self.marks[**w] == self.stamp;
                    joined += self.neighbours[u].iter().filter(marked).count();
                }
                // Every present edge was counted from both ends.
                let fill = ((own.len() * own.len().saturating_sub(1) - joined) / 2) as u64;
                match self.criterion {
                    Criterion::BlurredFill => 8 * fill + self.rng.random_range(0..=2 * fill + 6),
                    _ => fill,
                }
            }
        };
        self.neighbours[variable] = own;
        score
    }

    fn enter(&mut self, variable: usize) {
        self.scores[variable] = self.score(variable);
        let key = (self.scores[variable], self.ties[variable], variable);
        self.queue.insert(key);
    }

    /// Eliminates everything; `None` if that needs more than a limit of bytes.
    fn run(mut self, limit: f64) -> Option<Order> {
        let count = self.ties.len();
        (0..count).for_each(|variable| self.enter(variable));
        let mut bytes = 0.0;
        let (mut order, mut cliques) = (Vec::with_capacity(count), Vec::with_capacity(count));
        while let Some((_, _, variable)) = self.queue.pop_first() {
            let own = std::mem::take(&mut self.neighbours[variable]);
            bytes += 8.0 * own.iter().map(|u| self.log2_states[*u]).sum::<f64>().exp2();
            if bytes > limit {
                return None;
            }
            self.join(variable, &own);
            for changed in self.affected(&own) {
                let key = (self.scores[changed], self.ties[changed], changed);
                self.queue.remove(&key);
                self.enter(changed);
            }
            order.push(variable);
            cliques.push(own);
            if self.work > MOST_WORK {
                break;
            }
        }
        Some(self.finish(order, cliques))
    }

    /// Makes neighbours of the variable neighbours of each other, and removes the variable.
    fn join(&mut self, variable: usize, own: &[usize]) {
        for &u in own {
            let mut list = std::mem::take(&mut self.neighbours[u]);
            list.retain(|w| *w != variable);
            self.mark(&list);
            list.extend(
                own.iter()
                    .filter(|w| **w != u && self.marks[**w] != self.stamp),
            );
            self.work += list.len() as u64;
            self.neighbours[u] = list;
        }
    }

    /// Variables whose score may have changed by an elimination.
    fn affected(&self, own: &[usize]) -> Vec<usize> {
        if self.criterion == Criterion::Number {
            return Vec::new();
        }
        let mut all: Vec<usize> = own.to_vec();
        if self.criterion != Criterion::Weight {
            all.extend(own.iter().flat_map(|u| &self.neighbours[*u]));
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Places instead of variables, and the cost.
    fn finish(&self, mut order: Vec<usize>, cliques: Vec<Vec<usize>>) -> Order {
        let complete = order.len() == self.ties.len();
        order.extend(self.queue.iter().map(|(_, _, variable)| *variable));
        let mut places = vec![0; order.len()];
        for (place, &variable) in order.iter().enumerate() {
            places[variable] = place;
        }
        let mut cost = Cost {
            width: 0,
            log2_table: 0.0,
            bytes: 0.0,
            entries: 0.0,
        };
        let mut largest_message = 0.0_f64;
        for (clique, &variable) in cliques.iter().zip(&order) {
            let log2: f64 = clique.iter().map(|u| self.log2_states[*u]).sum();
            let table = log2 + self.log2_states[variable];
            cost.width = cost.width.max(clique.len());
            cost.log2_table = cost.log2_table.max(table);
            cost.bytes += 8.0 * log2.exp2();
            cost.entries += table.exp2();
            largest_message = largest_message.max(8.0 * log2.exp2());
        }
        cost.bytes += 8.0 * cost.log2_table.exp2() + largest_message;
        if !complete {
            (cost.bytes, cost.entries) = (f64::INFINITY, f64::INFINITY);
        }
        let place = |clique: Vec<usize>| {
            let mut separator: Vec<usize> = clique.iter().map(|u| places[*u]).collect();
            separator.sort_unstable();
            separator
        };
        let separators = cliques.into_iter().map(place).collect();
        Order {
            order,
            separators,
            cost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(variables: usize, edges: &[[usize; 2]]) -> usize {
        let scopes: Vec<&[usize]> = edges.iter().map(|edge| edge.as_slice()).collect();
        search(&vec![2; variables], &scopes).cost.width
    }

    #[test]
    fn known_treewidths_are_found() {
        let chain: Vec<[usize; 2]> = (0..99).map(|i| [i, i + 1]).collect();
        assert_eq!(width(100, &chain), 1);
        let cycle: Vec<[usize; 2]> = (0..30).map(|i| [i, (i + 1) % 30]).collect();
        assert_eq!(width(30, &cycle), 2);
        let complete: Vec<[usize; 2]> = (0..8).flat_map(|i| (0..i).map(move |j| [i, j])).collect();
        assert_eq!(width(8, &complete), 7);
        assert_eq!(width(5, &[]), 0);
        let grid = crate::energy::grid::GridModel::table1(6, 9).edges();
        let grid: Vec<[usize; 2]> = grid.into_iter().map(|(a, b)| [a, b]).collect();
        assert_eq!(width(54, &grid), 6);
    }

    #[test]
    fn separators_hold_later_places_only() {
        let grid = crate::energy::grid::GridModel::table1(4, 4).edges();
        let edges: Vec<[usize; 2]> = grid.into_iter().map(|(a, b)| [a, b]).collect();
        let scopes: Vec<&[usize]> = edges.iter().map(|edge| edge.as_slice()).collect();
        let order = search(&[2; 16], &scopes);
        for (place, separator) in order.separators.iter().enumerate() {
            assert!(separator.is_sorted() && separator.iter().all(|later| *later > place));
        }
    }
}
