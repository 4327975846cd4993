//! The S-flow in e-coordinates by Euler's method, and its adjoint.

use super::arithmetic::{add_multiple, dot, log_softmax, softmax};
use super::coupling::Operator;

/// `V_{k+1} = V_k + h Ω S_k`, `S_k = softmax V_k` site by site: the geometric Euler method of
/// `Ṡ = R_S(Ω S)`. It never leaves the manifold; `Π` may be left out, because softmax does not see it.
///
/// Source: RAF (2), (3); Zeilmann et al. 2020 (geometric integration); `docs/mathematics.md` §1.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub operator: Operator,
    pub steps: usize,
    pub step: f32,
}

/// A flow line.
pub(super) struct Line {
    /// `S_0 … S_{steps−1}`, `[steps, K]`.
    states: Vec<f32>,
    /// `log S` at the end, `[K]`.
    pub log_end: Vec<f32>,
}

impl Flow {
    /// Follows the flow from `V_0` and keeps what the adjoint needs.
    pub fn run(&self, omega: &[f32], start: &[f32]) -> Line {
        let mut states = Vec::with_capacity(self.steps * start.len());
        let log_end = self.follow(omega, start, |state| states.extend_from_slice(state));
        Line { states, log_end }
    }

    /// `log S` at the end, `[K]`.
    pub fn end(&self, omega: &[f32], start: &[f32]) -> Vec<f32> {
        self.follow(omega, start, |_| ())
    }

    fn follow(&self, omega: &[f32], start: &[f32], mut each: impl FnMut(&[f32])) -> Vec<f32> {
        let (mut place, mut state) = (start.to_vec(), start.to_vec());
        let mut move_by = vec![0.0; start.len()];
        for _ in 0..self.steps {
            state.copy_from_slice(&place);
            self.each_site(&mut state, softmax);
            each(&state);
            move_by.fill(0.0);
            self.operator.apply(omega, &state, &mut move_by);
            add_multiple(&mut place, self.step, &move_by);
        }
        self.each_site(&mut place, log_softmax);
        place
    }

    /// Adds the gradient with respect to `Ω` to `of_omega`, and returns that with respect to `V_0`.
    ///
    /// `gradient`: with respect to `log S` at the end, `[K]`.
    pub fn adjoint(
        &self,
        omega: &[f32],
        line: &Line,
        gradient: &[f32],
        of_omega: &mut [f32],
    ) -> Vec<f32> {
        let width = gradient.len();
        let mut of_place = gradient.to_vec();
        for pair in self.operator.offsets().windows(2) {
            let site = pair[0]..pair[1];
            let sum: f32 = gradient[site.clone()].iter().sum();
            let logs = &line.log_end[site.clone()];
            for (value, log) in of_place[site].iter_mut().zip(logs) {
                *value -= log.exp() * sum;
            }
        }
        let (mut scaled, mut of_state) = (vec![0.0; width], vec![0.0; width]);
        for state in line.states.chunks_exact(width).rev() {
            for (scaled, value) in scaled.iter_mut().zip(&of_place) {
                *scaled = self.step * value;
            }
            of_state.fill(0.0);
            self.operator
                .adjoint(omega, state, &scaled, of_omega, &mut of_state);
            for pair in self.operator.offsets().windows(2) {
                let (state, back) = (&state[pair[0]..pair[1]], &of_state[pair[0]..pair[1]]);
                let mean = dot(state, back);
                let own = &mut of_place[pair[0]..pair[1]];
                for ((value, state), back) in own.iter_mut().zip(state).zip(back) {
                    *value += state * (back - mean);
                }
            }
        }
        of_place
    }

    fn each_site(&self, values: &mut [f32], work: fn(&mut [f32])) {
        for pair in self.operator.offsets().windows(2) {
            work(&mut values[pair[0]..pair[1]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::coupling::Coupling;
    use super::*;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    fn numbers(count: usize, counter: u64) -> Vec<f32> {
        let mut rng = generator(3, Purpose::Randomized, counter);
        (0..count)
            .map(|_| 2.0 * rng.random::<f32>() - 1.0)
            .collect()
    }

    fn flows() -> Vec<Flow> {
        let grid = Coupling::Convolution {
            height: 2,
            width: 3,
            kernel: 3,
        };
        [
            (Coupling::Sites, vec![2; 5]),
            (Coupling::Sites, vec![3; 4]),
            (Coupling::Full, vec![2, 4, 3]),
            (grid, vec![2; 6]),
        ]
        .map(|(coupling, cardinalities)| Flow {
            operator: Operator::new(coupling, &cardinalities),
            steps: 8,
            step: 0.15,
        })
        .into()
    }

    #[test]
    fn the_adjoint_agrees_with_finite_differences() {
        for flow in flows() {
            let width = flow.operator.width();
            let (omega, start) = (numbers(flow.operator.parameters(), 1), numbers(width, 2));
            let gradient = numbers(width, 3);
            let value = |omega: &[f32], start: &[f32]| -> f64 {
                let end = flow.end(omega, start);
                end.iter()
                    .zip(&gradient)
                    .map(|(a, b)| f64::from(a * b))
                    .sum()
            };
            let mut of_omega = vec![0.0; omega.len()];
            let line = flow.run(&omega, &start);
            let of_start = flow.adjoint(&omega, &line, &gradient, &mut of_omega);
            let by = 1e-2;
            let check = |numbers: &[f32], found: &[f32], value: &dyn Fn(&[f32]) -> f64| {
                for place in 0..numbers.len() {
                    let moved = |by: f32| {
                        let mut moved = numbers.to_vec();
                        moved[place] += by;
                        value(&moved)
                    };
                    let expected = (moved(by) - moved(-by)) / f64::from(2.0 * by);
                    let error = (f64::from(found[place]) - expected).abs();
                    assert!(
                        error < 2e-3,
                        "{flow:?} {place}: {} {expected}",
                        found[place]
                    );
                }
            };
            check(&omega, &of_omega, &|omega| value(omega, &start));
            check(&start, &of_start, &|start| value(&omega, start));
        }
    }

    /// Theorem 1 of RAF: with `Ω` symmetric, non-negative and positive on the diagonal, the flow ends at
    /// a labeling from almost every start.
    #[test]
    fn the_flow_of_theorem_1_ends_at_a_labeling() {
        let flow = Flow {
            operator: Operator::new(Coupling::Sites, &[3; 6]),
            steps: 2000,
            step: 0.1,
        };
        for draw in 0..20 {
            let z = numbers(36, 10 + draw);
            let mut omega = vec![0.0; 36];
            for (i, j) in (0..36).map(|k| (k / 6, k % 6)) {
                // Larger than in use: a site without neighbours takes a time of 1/ε.
                let diagonal = if i == j { 0.2 } else { 0.0 };
                omega[i * 6 + j] = (z[i * 6 + j] + z[j * 6 + i]).max(0.0) + diagonal;
            }
            let end = flow.end(&omega, &numbers(18, 100 + draw));
            for site in end.chunks(3) {
                let largest = site.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!(largest > -0.01, "draw {draw}: {site:?}");
            }
        }
    }
}
