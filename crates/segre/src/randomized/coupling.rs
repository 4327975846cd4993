//! How sites act on each other: the linear map `Ω` of the S-flow by its structure, and its adjoint.

use serde::{Deserialize, Serialize};

use super::arithmetic::{add_multiple, dot};

/// The structure of `Ω`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Coupling {
    /// `Ω ∈ R^{n×n}`, the same for every label: `Ω ⊗ I_c`. Sites must have equal numbers of labels.
    ///
    /// Source: RAF (2).
    Sites,
    /// `Ω ∈ R^{K×K}`, `K = Σ_i c_i`: every label of a site acts on every label of another.
    ///
    /// Source: RAF (3).
    Full,
    /// A convolution with `c` channels in and out over a grid of sites, zeros beyond the border.
    ///
    /// Source: RAF section 5 (Fig. 1).
    Convolution {
        /// Rows of the grid.
        height: usize,
        /// Columns of the grid.
        width: usize,
        /// Odd side of the window.
        kernel: usize,
    },
}

/// `Ω` without its numbers: structure, sites and labels.
///
/// States lie flat, site after site: `[K]`, `K = Σ_i c_i`.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    coupling: Coupling,
    /// Where the labels of each site begin, and `K` at the end.
    offsets: Vec<usize>,
}

impl Operator {
    /// # Panics
    /// If the sites do not suit the structure; [`super::RandomizedConfig::validate`] says so before.
    pub fn new(coupling: Coupling, cardinalities: &[usize]) -> Self {
        let mut offsets = vec![0];
        for states in cardinalities {
            offsets.push(offsets[offsets.len() - 1] + states);
        }
        let equal = cardinalities.windows(2).all(|pair| pair[0] == pair[1]);
        match coupling {
            Coupling::Full => {}
            Coupling::Sites => assert!(equal, "equal numbers of labels: {cardinalities:?}"),
            Coupling::Convolution { height, width, .. } => assert!(
                equal && height * width == cardinalities.len(),
                "a grid of {height}×{width} with equal numbers of labels"
            ),
        }
        Self { coupling, offsets }
    }

    pub fn sites(&self) -> usize {
        self.offsets.len() - 1
    }

    /// `K`.
    pub fn width(&self) -> usize {
        self.offsets[self.sites()]
    }

    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// Labels of the first site: of all, where they are equal.
    fn labels(&self) -> usize {
        self.offsets[1]
    }

    /// Numbers in `Ω`.
    pub fn parameters(&self) -> usize {
        match self.coupling {
            Coupling::Sites => self.sites().pow(2),
            Coupling::Full => self.width().pow(2),
            Coupling::Convolution { kernel, .. } => (kernel * self.labels()).pow(2),
        }
    }

    /// `out += Ω s`, up to what is the same for all labels of a site, which no flow sees.
    ///
    /// # Shapes
    /// `omega`: input-major, `[inputs, outputs]`, or `[kernel, kernel, c, c]`; `state`, `out`: `[K]`.
    pub fn apply(&self, omega: &[f32], state: &[f32], out: &mut [f32]) {
        match self.coupling {
            Coupling::Full => {
                for (row, value) in omega.chunks_exact(out.len()).zip(state) {
                    add_multiple(out, *value, row);
                }
            }
            Coupling::Sites => {
                let (sites, labels) = (self.sites(), self.labels());
                let mut result = vec![0.0; sites];
                // Relative to the last label: one product fewer, and the same flow.
                for label in 0..labels - 1 {
                    result.fill(0.0);
                    for (site, row) in omega.chunks_exact(sites).enumerate() {
                        let of_site = &state[site * labels..(site + 1) * labels];
                        add_multiple(&mut result, of_site[label] - of_site[labels - 1], row);
                    }
                    for (site, value) in result.iter().enumerate() {
                        out[site * labels + label] += value;
                    }
                }
            }
            Coupling::Convolution { .. } => {
                let planes = self.planes(state);
                let mut result = vec![0.0; out.len()];
                self.each_row(|weight, input, output| {
                    let row = &planes[input.clone()];
                    add_multiple(&mut result[output], omega[weight], row);
                });
                self.add_planes(&result, out);
            }
        }
    }

    /// Adds the gradients with respect to `Ω` and the state, given that with respect to `Ω s`.
    pub fn adjoint(
        &self,
        omega: &[f32],
        state: &[f32],
        gradient: &[f32],
        of_omega: &mut [f32],
        of_state: &mut [f32],
    ) {
        match self.coupling {
            Coupling::Full => {
                let width = gradient.len();
                let rows = omega
                    .chunks_exact(width)
                    .zip(of_omega.chunks_exact_mut(width));
                for ((row, of_row), (value, of_value)) in rows.zip(state.iter().zip(of_state)) {
                    add_multiple(of_row, *value, gradient);
                    *of_value += dot(row, gradient);
                }
            }
            Coupling::Sites => {
                let (sites, labels) = (self.sites(), self.labels());
                let mut own = vec![0.0; sites];
                for label in 0..labels - 1 {
                    for (site, value) in own.iter_mut().enumerate() {
                        *value = gradient[site * labels + label];
                    }
                    let rows = omega
                        .chunks_exact(sites)
                        .zip(of_omega.chunks_exact_mut(sites));
                    for (site, (row, of_row)) in rows.enumerate() {
                        let (first, last) = (site * labels + label, (site + 1) * labels - 1);
                        add_multiple(of_row, state[first] - state[last], &own);
                        let back = dot(row, &own);
                        of_state[first] += back;
                        of_state[last] -= back;
                    }
                }
            }
            Coupling::Convolution { .. } => {
                let (planes, outer) = (self.planes(state), self.planes(gradient));
                let mut back = vec![0.0; state.len()];
                self.each_row(|weight, input, output| {
                    let outer = &outer[output];
                    of_omega[weight] += dot(&planes[input.clone()], outer);
                    add_multiple(&mut back[input], omega[weight], outer);
                });
                self.add_planes(&back, of_state);
            }
        }
    }

    /// A state with all sites of a label side by side.
    fn planes(&self, state: &[f32]) -> Vec<f32> {
        let (sites, labels) = (self.sites(), self.labels());
        let mut planes = vec![0.0; state.len()];
        for (site, values) in state.chunks_exact(labels).enumerate() {
            for (label, value) in values.iter().enumerate() {
                planes[label * sites + site] = *value;
            }
        }
        planes
    }

    fn add_planes(&self, planes: &[f32], state: &mut [f32]) {
        let (sites, labels) = (self.sites(), self.labels());
        for (site, values) in state.chunks_exact_mut(labels).enumerate() {
            for (label, value) in values.iter_mut().enumerate() {
                *value += planes[label * sites + site];
            }
        }
    }

    /// Calls with a weight's place, and the places of a row of inputs and of outputs that it joins.
    fn each_row(
        &self,
        mut call: impl FnMut(usize, std::ops::Range<usize>, std::ops::Range<usize>),
    ) {
        let Coupling::Convolution {
            height,
            width,
            kernel,
        } = self.coupling
        else {
            unreachable!("only convolutions have rows");
        };
        let (labels, sites, radius) = (self.labels(), self.sites(), kernel / 2);
        for (down, right) in
            (0..kernel).flat_map(|down| (0..kernel).map(move |right| (down, right)))
        {
            // Of the outputs, those whose input lies in the grid.
            let rows =
                radius.saturating_sub(down)..(height + radius).saturating_sub(down).min(height);
            let first = radius.saturating_sub(right);
            let last = (width + radius).saturating_sub(right).min(width);
            if first >= last {
                continue;
            }
            for (from, to) in (0..labels).flat_map(|from| (0..labels).map(move |to| (from, to))) {
                let weight = ((down * kernel + right) * labels + from) * labels + to;
                for row in rows.clone() {
                    let input =
                        from * sites + (row + down - radius) * width + first + right - radius;
                    let output = to * sites + row * width + first;
                    let length = last - first;
                    call(weight, input..input + length, output..output + length);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count)
            .map(|k| ((k * 7919 + seed * 104_729) % 1000) as f32 / 500.0 - 1.0)
            .collect()
    }

    fn operators() -> Vec<Operator> {
        let convolution = |kernel| Coupling::Convolution {
            height: 3,
            width: 4,
            kernel,
        };
        vec![
            Operator::new(Coupling::Sites, &[3; 5]),
            Operator::new(Coupling::Full, &[2, 3, 4]),
            Operator::new(convolution(3), &[2; 12]),
            Operator::new(convolution(7), &[3; 12]),
        ]
    }

    /// `⟨g, Ω s⟩` is linear in both: its derivatives are the adjoint's answers.
    #[test]
    fn the_adjoint_is_the_transpose() {
        for operator in operators() {
            let (width, count) = (operator.width(), operator.parameters());
            let (omega, state) = (numbers(count, 1), numbers(width, 2));
            let (gradient, mut out) = (numbers(width, 3), vec![0.0; width]);
            operator.apply(&omega, &state, &mut out);
            let value = dot(&out, &gradient);
            let (mut of_omega, mut of_state) = (vec![0.0; count], vec![0.0; width]);
            operator.adjoint(&omega, &state, &gradient, &mut of_omega, &mut of_state);
            for found in [dot(&of_omega, &omega), dot(&of_state, &state)] {
                assert!(
                    (found - value).abs() < 1e-3,
                    "{operator:?}: {found} {value}"
                );
            }
        }
    }

    #[test]
    fn a_convolution_is_the_sum_over_the_window() {
        let operator = operators().remove(2);
        let (omega, state) = (numbers(36, 4), numbers(24, 5));
        let mut out = vec![0.0; 24];
        operator.apply(&omega, &state, &mut out);
        for (row, column, label) in (0..24_usize).map(|k| (k / 8, k / 2 % 4, k % 2)) {
            let mut expected = 0.0;
            for (down, right, from) in (0..18_usize).map(|k| (k / 6, k / 2 % 3, k % 2)) {
                let (y, x) = (
                    (row + down).wrapping_sub(1),
                    (column + right).wrapping_sub(1),
                );
                if y < 3 && x < 4 {
                    let weight = omega[((down * 3 + right) * 2 + from) * 2 + label];
                    expected += weight * state[(y * 4 + x) * 2 + from];
                }
            }
            let found = out[(row * 4 + column) * 2 + label];
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }
}
