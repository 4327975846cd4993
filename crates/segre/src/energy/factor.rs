//! A factor: a table of log-weights over a few variables.

/// A non-negative function of some variables, stored as logarithms; `−∞` is an exact zero.
///
/// Configurations are in the order of the UAI format: the last variable runs fastest.
///
/// # Shapes
/// `log_values` has one entry per configuration, `∏ cardinalities`.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    variables: Vec<usize>,
    cardinalities: Vec<usize>,
    log_values: Vec<f64>,
}

impl Factor {
    /// A factor of its variables, their numbers of states, and the logarithms of its weights.
    ///
    /// # Panics
    /// If a variable occurs twice, a cardinality is 0, the table's size is not the product of the
    /// cardinalities, or a value is NaN or `+∞`.
    pub fn new(variables: Vec<usize>, cardinalities: Vec<usize>, log_values: Vec<f64>) -> Self {
        assert_eq!(
            variables.len(),
            cardinalities.len(),
            "one cardinality for every variable"
        );
        let mut sorted = variables.clone();
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            assert!(
                pair[0] != pair[1],
                "variable {} occurs twice in {variables:?}",
                pair[0]
            );
        }
        let size: usize = cardinalities.iter().product();
        assert!(
            size > 0 && size == log_values.len(),
            "{} values for cardinalities {cardinalities:?}",
            log_values.len()
        );
        assert!(
            log_values.iter().all(|value| *value < f64::INFINITY),
            "log-weights must be below +∞ and not NaN"
        );
        Self {
            variables,
            cardinalities,
            log_values,
        }
    }

    /// A factor without variables.
    pub fn constant(log_value: f64) -> Self {
        Self::new(Vec::new(), Vec::new(), vec![log_value])
    }

    /// The variables, slowest first.
    pub fn variables(&self) -> &[usize] {
        &self.variables
    }

    /// Numbers of states, in the order of the variables.
    pub fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    /// Logarithms of the weights, the last variable fastest.
    pub fn log_values(&self) -> &[f64] {
        &self.log_values
    }

    /// Distance in the table between neighbouring states of each variable.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.variables.len()];
        for place in (1..strides.len()).rev() {
            strides[place - 1] = strides[place] * self.cardinalities[place];
        }
        strides
    }

    /// The log-weight at a labeling of all variables of the model.
    ///
    /// # Panics
    /// If a variable has no label or a label is not a state.
    pub fn log_value(&self, labels: &[usize]) -> f64 {
        let mut index = 0;
        for (&variable, &states) in self.variables.iter().zip(&self.cardinalities) {
            let label = labels[variable];
            assert!(label < states, "label {label} of variable {variable}");
            index = index * states + label;
        }
        self.log_values[index]
    }

    /// `f(x) g(x)`, over the union of the variables.
    ///
    /// # Panics
    /// If the factors disagree about the number of states of a variable.
    pub fn product(&self, other: &Self) -> Self {
        let (mut variables, mut cardinalities) =
            (self.variables.clone(), self.cardinalities.clone());
        for (&variable, &states) in other.variables.iter().zip(&other.cardinalities) {
            match self.variables.iter().position(|own| *own == variable) {
                Some(place) => assert_eq!(
                    self.cardinalities[place], states,
                    "states of variable {variable}"
                ),
                None => {
                    variables.push(variable);
                    cardinalities.push(states);
                }
            }
        }
        let own = places(&variables, &cardinalities, self);
        let others = places(&variables, &cardinalities, other);
        let log_values = own
            .iter()
            .zip(&others)
            .map(|(&a, &b)| self.log_values[a] + other.log_values[b])
            .collect();
        Self::new(variables, cardinalities, log_values)
    }

    /// `Σ f` over all variables but `kept`, in the order of this factor.
    pub fn sum_to(&self, kept: &[usize]) -> Self {
        let maxima = self.max_to(kept);
        let target = places(&self.variables, &self.cardinalities, &maxima);
        let mut sums = vec![0.0; maxima.log_values.len()];
        for (&value, &place) in self.log_values.iter().zip(&target) {
            if value > f64::NEG_INFINITY {
                sums[place] += (value - maxima.log_values[place]).exp();
            }
        }
        let log_values = sums
            .iter()
            .zip(&maxima.log_values)
            .map(|(sum, maximum)| {
                if *sum > 0.0 {
                    sum.ln() + maximum
                } else {
                    *maximum
                }
            })
            .collect();
        Self::new(maxima.variables, maxima.cardinalities, log_values)
    }

    /// `max f` over all variables but `kept`, in the order of this factor.
    pub fn max_to(&self, kept: &[usize]) -> Self {
        let (variables, cardinalities): (Vec<usize>, Vec<usize>) = self
            .variables
            .iter()
            .zip(&self.cardinalities)
            .filter(|(variable, _)| kept.contains(variable))
            .unzip();
        let size = cardinalities.iter().product();
        let mut result = Self::new(variables, cardinalities, vec![f64::NEG_INFINITY; size]);
        let target = places(&self.variables, &self.cardinalities, &result);
        for (&value, place) in self.log_values.iter().zip(target) {
            let best = &mut result.log_values[place];
            *best = best.max(value);
        }
        result
    }

    /// The factor with observed variables fixed at their states and removed.
    ///
    /// `observed` is indexed by variable.
    pub fn restrict(&self, observed: &[Option<usize>]) -> Self {
        let (mut start, strides) = (0, self.strides());
        let (mut variables, mut cardinalities) = (Vec::new(), Vec::new());
        let mut steps = Vec::new();
        for (place, &variable) in self.variables.iter().enumerate() {
            match observed[variable] {
                Some(state) => start += state * strides[place],
                None => {
                    variables.push(variable);
                    cardinalities.push(self.cardinalities[place]);
                    steps.push(strides[place]);
                }
            }
        }
        let log_values = offsets(&cardinalities, &steps)
            .into_iter()
            .map(|offset| self.log_values[start + offset])
            .collect();
        Self::new(variables, cardinalities, log_values)
    }

    /// Logarithm of the sum of all entries.
    pub fn log_sum(&self) -> f64 {
        log_sum_exp(&self.log_values)
    }

    /// Whether every entry is zero.
    pub fn is_zero(&self) -> bool {
        self.log_values.iter().all(|v| *v == f64::NEG_INFINITY)
    }
}

/// `ln Σ exp(values)`; `−∞` for nothing.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    let maximum = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if maximum == f64::NEG_INFINITY {
        return maximum;
    }
    let sum: f64 = values.iter().map(|value| (value - maximum).exp()).sum();
    maximum + sum.ln()
}

/// Log-weights to probabilities, in place.
pub(crate) fn normalise(log_weights: &mut [f64]) {
    let log_sum = log_sum_exp(log_weights);
    for weight in log_weights {
        *weight = (*weight - log_sum).exp();
    }
}

/// Offsets of all configurations of some variables, the last fastest, in a table with these strides.
pub(crate) fn offsets(cardinalities: &[usize], strides: &[usize]) -> Vec<usize> {
    let mut all = Vec::with_capacity(cardinalities.iter().product());
    all.push(0);
    for (&states, &stride) in cardinalities.iter().zip(strides) {
        // Each offset so far becomes one offset for every state of the next variable.
        all = all
            .iter()
            .flat_map(|offset| (0..states).map(move |state| offset + state * stride))
            .collect();
    }
    all
}

/// For every configuration of the variables, its place in the table of a factor of some of them.
fn places(variables: &[usize], cardinalities: &[usize], factor: &Factor) -> Vec<usize> {
    let strides = factor.strides();
    let steps: Vec<usize> = variables
        .iter()
        .map(|variable| {
            let place = factor.variables.iter().position(|own| own == variable);
            place.map_or(0, |place| strides[place])
        })
        .collect();
    offsets(cardinalities, &steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        a == b || (a - b).abs() < 1e-12
    }

    /// Two factors that share variable 4, one entry exactly zero.
    fn pair() -> (Factor, Factor) {
        let f = Factor::new(
            vec![7, 4],
            vec![2, 3],
            [1.0, 2.0, 0.0, 4.0, 5.0, 6.0].map(f64::ln).to_vec(),
        );
        let g = Factor::new(vec![4, 1], vec![3, 2], (0..6).map(f64::from).collect());
        (f, g)
    }

    #[test]
    fn a_product_is_the_product_at_every_labeling() {
        let (f, g) = pair();
        let product = f.product(&g);
        assert_eq!(product.variables(), [7, 4, 1]);
        let mut labels = [0; 8];
        for (a, b, c) in (0..12).map(|i| (i / 6, i / 2 % 3, i % 2)) {
            (labels[7], labels[4], labels[1]) = (a, b, c);
            let expected = f.log_value(&labels) + g.log_value(&labels);
            assert!(close(product.log_value(&labels), expected), "{a} {b} {c}");
        }
    }

    #[test]
    fn sums_and_maxima_keep_the_total_and_the_zeros() {
        let (f, g) = pair();
        let product = f.product(&g);
        let sum = product.sum_to(&[4]);
        assert!(close(sum.log_sum(), product.log_sum()));
        assert!(close(f.sum_to(&[7]).log_values()[1], 15_f64.ln()));
        assert!(close(f.max_to(&[4]).log_values()[0], 4_f64.ln()));
        let zero = f.restrict(&{
            let mut observed = vec![None; 8];
            (observed[7], observed[4]) = (Some(0), Some(2));
            observed
        });
        assert!(zero.is_zero() && zero.variables().is_empty());
        assert_eq!(zero.sum_to(&[]).log_values(), [f64::NEG_INFINITY]);
    }

    #[test]
    fn a_restriction_is_a_slice() {
        let (_, g) = pair();
        let mut observed = vec![None; 8];
        observed[1] = Some(1);
        assert_eq!(g.restrict(&observed).log_values(), [1.0, 3.0, 5.0]);
    }

    #[test]
    fn sums_of_large_logarithms_do_not_overflow() {
        assert!(close(log_sum_exp(&[1e4, 1e4]), 1e4 + 2_f64.ln()));
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
    }
}
