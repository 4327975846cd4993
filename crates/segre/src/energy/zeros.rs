//! What the zeros of the factors leave: states without support go, and a search finds a configuration or that there is none.

use std::collections::VecDeque;

use super::error::EnergyError;
use super::factor::Factor;
use super::model::EnergyModel;
use crate::energy::error::Result;

/// Entries of tables that all searches together may look at: a fraction of a second. Beyond, the answer stays open.
const MOST_WORK: usize = 1 << 26;

/// What a search for a configuration of positive weight has found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Search {
    /// One.
    Found(Vec<usize>),
    /// That there is none.
    Impossible,
    /// Nothing within [`MOST_WORK`].
    Open,
}

/// The states that are left, and what has been removed in which order.
pub(super) struct Zeros<'a> {
    model: &'a EnergyModel,
    /// Factors with a zero, by variable: no others can exclude anything.
    factors: Vec<Vec<usize>>,
    /// `[variables][states]`.
    left: Vec<Vec<bool>>,
    /// How many of them.
    counts: Vec<usize>,
    removed: Vec<(usize, usize)>,
    /// Scratch: which factors are in the queue.
    waiting: Vec<bool>,
    /// Entries of tables that have been looked at.
    work: usize,
}

impl<'a> Zeros<'a> {
    /// Deletes states without support (generalised arc consistency).
    ///
    /// # Errors
    /// [`EnergyError::NoConfiguration`] if a variable has no state left.
    pub fn of(model: &'a EnergyModel) -> Result<Self> {
        let mut factors = vec![Vec::new(); model.variables()];
        let mut all = VecDeque::new();
        for (number, factor) in model.factors().iter().enumerate() {
            if factor.is_zero() {
                let place = format!(": factor {number} is 0");
                return Err(EnergyError::NoConfiguration { place });
            }
            if factor.log_values().contains(&f64::NEG_INFINITY) {
                all.push_back(number);
                for &variable in factor.variables() {
                    factors[variable].push(number);
                }
            }
        }
        let states = model.cardinalities().iter().zip(model.observed());
        let left: Vec<Vec<bool>> = states
            .map(|(&count, observed)| {
                let is_left = |state| observed.is_none_or(|seen| seen == state);
                (0..count).map(is_left).collect()
            })
            .collect();
        let count = |states: &Vec<bool>| states.iter().filter(|left| **left).count();
        let mut zeros = Self {
            model,
            factors,
            counts: left.iter().map(count).collect(),
            left,
            removed: Vec::new(),
            waiting: vec![false; model.factors().len()],
            work: 0,
        };
        if let Err((factor, variable)) = zeros.propagate(all) {
            let place = format!(": factor {factor} leaves no state for variable {variable}");
            return Err(EnergyError::NoConfiguration { place });
        }
        zeros.removed.clear();
        zeros.work = 0;
        Ok(zeros)
    }

    /// The states of each variable that no single factor excludes, given those of the others.
    pub fn states(&self) -> Vec<Vec<usize>> {
        let of = |left: &Vec<bool>| (0..left.len()).filter(|state| left[*state]).collect();
        self.left.iter().map(of).collect()
    }

    /// Whether zeros may divide the states of a variable.
    pub fn concern(&self, variable: usize) -> bool {
        !self.factors[variable].is_empty() && self.counts[variable] > 1
    }

    /// Whether a state is left.
    pub fn is_left(&self, variable: usize, state: usize) -> bool {
        self.left[variable][state]
    }

    /// A configuration of positive weight; `None` if the search was given up.
    ///
    /// # Errors
    /// [`EnergyError::NoConfiguration`] if there is none.
    pub fn witness(&mut self) -> Result<Option<Vec<usize>>> {
        match self.search(None) {
            Search::Found(labels) => Ok(Some(labels)),
            Search::Open => Ok(None),
            Search::Impossible => Err(EnergyError::NoConfiguration {
                place: String::new(),
            }),
        }
    }

    /// Looks for a configuration, with one variable at some state if asked for.
    ///
    /// Depth first through the variables in their order, states without support deleted at every step.
    ///
    /// Source: Sabin & Freuder 1994.
    pub fn search(&mut self, wanted: Option<(usize, usize)>) -> Search {
        let found = match wanted.is_none_or(|(variable, state)| self.assign(variable, state)) {
            true => self.descend(),
            false => Search::Impossible,
        };
        self.undo(0);
        found
    }

    fn descend(&mut self) -> Search {
        struct Choice {
            variable: usize,
            next: usize,
            /// How many states had been removed before.
            removed: usize,
        }
        let mut choices: Vec<Choice> = Vec::new();
        let mut variable = 0;
        loop {
            while variable < self.counts.len() && !self.concern(variable) {
                variable += 1;
            }
            if variable == self.counts.len() {
                let first = |left: &Vec<bool>| left.iter().position(|left| *left).unwrap_or(0);
                return Search::Found(self.left.iter().map(first).collect());
            }
            choices.push(Choice {
                variable,
                next: 0,
                removed: self.removed.len(),
            });
            // The next state of the last choice that has one which contradicts nothing yet.
            loop {
                if self.work > MOST_WORK {
                    return Search::Open;
                }
                let Some(choice) = choices.last_mut() else {
                    return Search::Impossible;
                };
                self.undo(choice.removed);
                let states = &self.left[choice.variable];
                let Some(state) = (choice.next..states.len()).find(|state| states[*state]) else {
                    choices.pop();
                    continue;
                };
                choice.next = state + 1;
                variable = choice.variable;
                if self.assign(variable, state) {
                    break;
                }
            }
        }
    }

    /// Leaves a variable one state; `false` if that leaves another none.
    fn assign(&mut self, variable: usize, state: usize) -> bool {
        if !self.left[variable][state] {
            return false;
        }
        for other in 0..self.left[variable].len() {
            if other != state {
                self.remove(variable, other);
            }
        }
        self.propagate(self.factors[variable].iter().copied().collect())
            .is_ok()
    }

    fn remove(&mut self, variable: usize, state: usize) {
        if std::mem::replace(&mut self.left[variable][state], false) {
            self.counts[variable] -= 1;
            self.removed.push((variable, state));
        }
    }

    fn undo(&mut self, removed: usize) {
        for (variable, state) in self.removed.drain(removed..) {
            self.left[variable][state] = true;
            self.counts[variable] += 1;
        }
    }

    /// Deletes what has no support in some factors, and what loses it by that; a factor and the variable that it leaves no
    /// state are the error.
    fn propagate(&mut self, mut queue: VecDeque<usize>) -> Result<(), (usize, usize)> {
        let model = self.model;
        queue.iter().for_each(|factor| self.waiting[*factor] = true);
        while let Some(number) = queue.pop_front() {
            self.waiting[number] = false;
            let factor = &model.factors()[number];
            self.work += factor.log_values().len();
            let supported = support(factor, &self.left);
            for (&variable, supported) in factor.variables().iter().zip(&supported) {
                let before = self.counts[variable];
                for (state, supported) in supported.iter().enumerate() {
                    if !supported {
                        self.remove(variable, state);
                    }
                }
                if self.counts[variable] == 0 {
                    queue
                        .iter()
                        .for_each(|factor| self.waiting[*factor] = false);
                    return Err((number, variable));
                }
                if self.counts[variable] < before {
                    for &other in &self.factors[variable] {
                        if !self.waiting[other] {
                            self.waiting[other] = true;
                            queue.push_back(other);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// For each variable of a factor, which states have a non-zero entry with states that are left.
fn support(factor: &Factor, left: &[Vec<bool>]) -> Vec<Vec<bool>> {
    let scope = factor.variables();
    let mut supported: Vec<Vec<bool>> = factor
        .cardinalities()
        .iter()
        .map(|count| vec![false; *count])
        .collect();
    let states: Vec<Vec<usize>> = scope
        .iter()
        .map(|variable| {
            let left = &left[*variable];
            (0..left.len()).filter(|state| left[*state]).collect()
        })
        .collect();
    if states.iter().any(Vec::is_empty) {
        return supported;
    }
    let strides = factor.strides();
    let mut digits = vec![0; scope.len()];
    loop {
        let label = |place: usize| states[place][digits[place]];
        let index: usize = (0..scope.len()).map(|p| label(p) * strides[p]).sum();
        if factor.log_values()[index] > f64::NEG_INFINITY {
            for place in 0..scope.len() {
                supported[place][label(place)] = true;
            }
        }
        // The next combination of states that are left, the last variable fastest.
        let Some(place) = (0..scope.len())
            .rev()
            .find(|place| digits[*place] + 1 < states[*place].len())
        else {
            return supported;
        };
        digits[place] += 1;
        digits[place + 1..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::exact::enumerate;

    /// Every third entry or so of random pairs over five variables is zero: possible or not, the search knows what enumeration does.
    #[test]
    fn the_search_finds_a_configuration_where_there_is_one() {
        let (mut state, mut possible) = (1_u64, 0);
        let mut dice = move |below: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for round in 0..300 {
            let factors = (0..9).map(|_| {
                let first = dice(5) as usize;
                let second = (first + 1 + dice(4) as usize) % 5;
                let table = (0..9).map(|_| match dice(20) < 9 {
                    true => f64::NEG_INFINITY,
                    false => 0.0,
                });
                Factor::new(vec![first, second], vec![3, 3], table.collect())
            });
            let model = EnergyModel::new(vec![3; 5], factors.collect());
            let exact = enumerate(&model).ok();
            possible += usize::from(exact.is_some());
            let Ok(mut zeros) = Zeros::of(&model) else {
                assert!(exact.is_none(), "round {round}");
                continue;
            };
            let whole = zeros.states();
            for variable in 0..5 {
                for state in 0..3 {
                    let positive = exact
                        .as_ref()
                        .is_some_and(|e| e.marginals[variable][state] > 0.0);
                    match zeros.search(Some((variable, state))) {
                        Search::Found(labels) => {
                            assert!(positive && labels[variable] == state, "round {round}");
                            assert_eq!(model.energy(&labels), 0.0);
                        }
                        Search::Impossible => assert!(!positive, "round {round}"),
                        Search::Open => panic!("round {round}: small"),
                    }
                    // A search leaves everything as it was.
                    assert_eq!(zeros.states(), whole);
                }
            }
            assert_eq!(zeros.witness().is_ok(), exact.is_some());
        }
        assert!((30..270).contains(&possible), "{possible} are possible");
    }
}
