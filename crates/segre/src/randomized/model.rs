//! The randomised assignment flow: settings, parameters, and the mixture of products that it stands for.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::coupling::{Coupling, Operator};
use super::distribution::{Covariance, Draw, Gaussian, Parametrisation, triangle};
use super::flow::{Flow, Line};
use crate::data::DataError;
use crate::data::Schema;
use crate::energy::EnergyModel;
use crate::random::{Purpose, generator};
use crate::randomized::error::Result;
use crate::setting::InvalidSetting;

/// Settings of a randomised assignment flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomizedConfig {
    /// The structure of `Ω`.
    pub coupling: Coupling,
    /// What `Ω` is of the free numbers.
    pub parametrisation: Parametrisation,
    /// How the random numbers depend on each other.
    pub covariance: Covariance,
    /// Whether the initial point is random too, by the same factor; else it is learned only.
    pub random_start: bool,
    /// End of the flow.
    pub end_time: f64,
    /// Step of Euler's method.
    pub step: f64,
}

/// Mean of `Z + Zᵀ` at the start: twice that of `Z`. Source: RAF section 5.
const PUBLISHED_MEAN: f32 = 0.1;
/// Variance of an entry of `Z` at the start. Source: RAF section 5.
const PUBLISHED_VARIANCE: f32 = 0.1;
/// Largest size of an initial `V_0`, from a site's own potential.
const LARGEST_START: f32 = 3.0;

impl RandomizedConfig {
    /// The published settings: `Ω = max(Z + Zᵀ, 0) + 10⁻³ I` of a multivariate normal `Z`, one learned initial
    /// point, end time 1 in steps of 0.1.
    ///
    /// Source: RAF section 5.
    pub fn published() -> Self {
        Self {
            coupling: Coupling::Sites,
            parametrisation: Parametrisation::Symmetric { epsilon: 1e-3 },
            covariance: Covariance::Full,
            random_start: false,
            end_time: 1.0,
            step: 0.1,
        }
    }

    /// Any `Ω`, random together with the initial point by a factor of 48 rows: what reaches the lowest
    /// divergence on the model of Table 1.
    pub fn improved(schema: &Schema) -> Self {
        let binary = schema.cardinalities().iter().all(|states| *states == 2);
        let coupling = match schema.layout {
            crate::data::Layout::Image { height, width, .. } if height * width > MANY_SITES => {
                Coupling::Convolution {
                    height,
                    width,
                    kernel: 7,
                }
            }
            // Two labels have one difference: a matrix of the sites says all but a constant drift.
            _ if binary => Coupling::Sites,
            _ => Coupling::Full,
        };
        Self {
            coupling,
            parametrisation: Parametrisation::General,
            covariance: Covariance::LowRank { rank: 48 },
            random_start: true,
            end_time: 2.0,
            step: 0.1,
        }
    }

    /// Checks the settings against the variables.
    ///
    /// # Errors
    /// [`InvalidSetting`] and [`DataError::SchemaMismatch`].
    pub fn validate(&self, schema: &Schema) -> Result<()> {
        schema.validate()?;
        for (name, value) in [("end time", self.end_time), ("step", self.step)] {
            if !(value > 0.0 && value <= 1e4) {
                let expected = "positive and at most 10000";
                return Err(InvalidSetting {
                    name,
                    value,
                    expected,
                }
                .into());
            }
        }
        let cardinalities = schema.cardinalities();
        let refuse = |what: &str, expected: &str, found: String| {
            Err(DataError::SchemaMismatch {
                what: what.into(),
                expected: expected.into(),
                found,
            }
            .into())
        };
        let equal = cardinalities.windows(2).all(|pair| pair[0] == pair[1]);
        if !equal && self.coupling != Coupling::Full {
            let expected = "equal numbers of labels; use the full coupling for others";
            return refuse("the coupling", expected, format!("{cardinalities:?}"));
        }
        if let Coupling::Convolution {
            height,
            width,
            kernel,
        } = self.coupling
        {
            if height * width != cardinalities.len() {
                let found = format!("{} variables", cardinalities.len());
                return refuse(
                    "the coupling",
                    &format!("a grid of {height}×{width}"),
                    found,
                );
            }
            if kernel % 2 == 0 || kernel > 2 * height.max(width) + 1 {
                return Err(InvalidSetting {
                    name: "kernel",
                    value: kernel as f64,
                    expected: "odd and at most twice the grid's side plus 1",
                }
                .into());
            }
        }
        if self.coupling != Coupling::Sites
            && matches!(self.parametrisation, Parametrisation::Symmetric { .. })
        {
            let expected = "a matrix of the sites (coupling sites)";
            return refuse(
                "the symmetric parametrisation",
                expected,
                "another coupling".into(),
            );
        }
        let operator = Operator::new(self.coupling, &cardinalities);
        let numbers = self.numbers(&operator);
        if numbers > MOST_NUMBERS {
            return Err(InvalidSetting {
                name: "the number of parameters",
                value: numbers as f64,
                expected: "at most 2^27; use a convolution on a grid, or a smaller rank",
            }
            .into());
        }
        Ok(())
    }

    /// Random numbers of a draw of `y`, and rows of the factor.
    fn spread_and_rank(&self, operator: &Operator) -> (usize, usize) {
        let free = self.parametrisation.free(operator);
        let spread = if self.random_start {
            free + operator.width()
        } else {
            free
        };
        let rank = match self.covariance {
            Covariance::Diagonal => 0,
            Covariance::LowRank { rank } => rank,
            Covariance::Full => spread,
        };
        (spread, rank)
    }

    fn numbers(&self, operator: &Operator) -> usize {
        let (spread, rank) = self.spread_and_rank(operator);
        spread
            .saturating_mul(rank)
            .saturating_add(2 * spread + operator.width())
    }

    fn steps(&self) -> usize {
        ((self.end_time / self.step).round() as usize).max(1)
    }
}

/// Grids with more sites get a convolution.
const MANY_SITES: usize = 64;
/// Most parameters: half a gigabyte.
const MOST_NUMBERS: usize = 1 << 27;

/// A randomised assignment flow: `P = E_Ω[T(S(end))]`, a mixture of products without end.
///
/// Labels are drawn site by site from `S(end)`; with a long flow that is rounding.
///
/// Source: RAF (6), (7).
#[derive(Clone, Debug)]
pub struct RandomizedFlow {
    pub(super) config: RandomizedConfig,
    pub(super) schema: Schema,
    pub(super) flow: Flow,
    pub(super) gaussian: Gaussian,
}

impl RandomizedFlow {
    /// A flow before training; where the target is known, its initial point follows the sites' own potentials.
    ///
    /// # Errors
    /// As [`RandomizedConfig::validate`].
    pub fn new(
        config: RandomizedConfig,
        schema: Schema,
        target: Option<&EnergyModel>,
        seed: u64,
    ) -> Result<Self> {
        let mut model = Self::empty(config, schema)?;
        let mut rng = generator(seed, Purpose::Initialise, 1);
        let (operator, config) = (&model.flow.operator, &model.config);
        let free = config.parametrisation.free(operator);
        let (spread, rank) = config.spread_and_rank(operator);
        let gaussian = &mut model.gaussian;
        let deviations: Vec<f32> = match config.parametrisation {
            Parametrisation::Symmetric { .. } => {
                gaussian.mean[..free].fill(PUBLISHED_MEAN);
                let of_pair = |(row, column)| {
                    // Z_ij + Z_ji of independent entries, and 2 Z_ii.
                    let terms = if row == column { 4.0 } else { 2.0 };
                    (terms * PUBLISHED_VARIANCE).sqrt()
                };
                triangle(operator.sites()).map(of_pair).collect()
            }
            Parametrisation::General => {
                // Of all sites together the flow moves by about its mean: the same for any number of them.
                let inputs = free as f32 / operator.width().min(free) as f32;
                gaussian.mean[..free].fill(1.0 / inputs.max(1.0));
                vec![0.1; free]
            }
        };
        if let Some(target) = target {
            start_of(target, operator.offsets(), &mut gaussian.mean[free..]);
        }
        let deviation = |place: usize| deviations.get(place).copied().unwrap_or(0.1);
        match config.covariance {
            Covariance::Full => {
                for place in 0..spread {
                    gaussian.factor[place * spread + place] = deviation(place);
                }
            }
            _ => {
                for (place, log_sigma) in gaussian.log_sigma.iter_mut().enumerate() {
                    *log_sigma = deviation(place).ln();
                }
                for value in &mut gaussian.factor {
                    let normal: f32 = StandardNormal.sample(&mut rng);
                    *value = 0.3 * normal / (rank as f32).sqrt();
                }
            }
        }
        Ok(model)
    }

    /// With all parameters 0.
    pub(super) fn empty(config: RandomizedConfig, schema: Schema) -> Result<Self> {
        config.validate(&schema)?;
        let operator = Operator::new(config.coupling, &schema.cardinalities());
        let (spread, rank) = config.spread_and_rank(&operator);
        let free = config.parametrisation.free(&operator);
        let own = if config.covariance == Covariance::Full {
            0
        } else {
            spread
        };
        let gaussian = Gaussian {
            mean: vec![0.0; free + operator.width()],
            log_sigma: vec![0.0; own],
            factor: vec![0.0; rank * spread],
            rank,
        };
        let steps = config.steps();
        let flow = Flow {
            operator,
            steps,
            step: (config.end_time / steps as f64) as f32,
        };
        Ok(Self {
            config,
            schema,
            flow,
            gaussian,
        })
    }

    /// The settings.
    pub fn config(&self) -> &RandomizedConfig {
        &self.config
    }

    /// What the variables are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        let gaussian = &self.gaussian;
        gaussian.mean.len() + gaussian.log_sigma.len() + gaussian.factor.len()
    }

    /// The same flow to another end: a long one decides every site.
    ///
    /// # Errors
    /// As [`RandomizedConfig::validate`].
    pub fn with_end_time(&self, end_time: f64) -> Result<Self> {
        let config = RandomizedConfig {
            end_time,
            ..self.config.clone()
        };
        let mut model = Self::empty(config, self.schema.clone())?;
        model.gaussian = self.gaussian.clone();
        Ok(model)
    }

    /// A draw, its `Ω` and its flow line.
    pub(super) fn line(&self, base: &ChaCha8Rng, row: usize) -> (Draw, Vec<f32>, Line) {
        let draw = self.gaussian.draw(base, row);
        let (omega, start) = self.parts(&draw);
        let line = self.flow.run(&omega, start);
        (draw, omega, line)
    }

    /// `log S(end)` of a draw, `[K]`.
    pub(super) fn log_end(&self, base: &ChaCha8Rng, row: usize) -> Vec<f32> {
        let draw = self.gaussian.draw(base, row);
        let (omega, start) = self.parts(&draw);
        self.flow.end(&omega, start)
    }

    fn parts<'a>(&self, draw: &'a Draw) -> (Vec<f32>, &'a [f32]) {
        let operator = &self.flow.operator;
        let free = self.config.parametrisation.free(operator);
        let (numbers, start) = draw.values.split_at(free);
        (self.config.parametrisation.omega(operator, numbers), start)
    }

    /// The gradient with respect to a draw's `y`, given that with respect to `log S(end)`.
    pub(super) fn pull_back(
        &self,
        draw: &Draw,
        omega: &[f32],
        line: &Line,
        gradient: &[f32],
    ) -> Vec<f32> {
        let operator = &self.flow.operator;
        let parametrisation = &self.config.parametrisation;
        let mut of_omega = vec![0.0; omega.len()];
        let of_start = self.flow.adjoint(omega, line, gradient, &mut of_omega);
        let free = parametrisation.free(operator);
        let mut of_values = vec![0.0; free];
        parametrisation.pull_back(operator, &draw.values[..free], &of_omega, &mut of_values);
        of_values.extend(of_start);
        of_values
    }
}

/// `V_0 = −θ_i` of factors of one variable, within limits: an assignment flow starts at what the data of a site
/// say.
fn start_of(target: &EnergyModel, offsets: &[usize], start: &mut [f32]) {
    for factor in target.factors() {
        if let [site] = factor.variables() {
            let own = &mut start[offsets[*site]..offsets[*site + 1]];
            for (value, log) in own.iter_mut().zip(factor.log_values()) {
                let log = log.max(-f64::from(LARGEST_START) * 2.0) as f32;
                *value = (*value + log).clamp(-LARGEST_START, LARGEST_START);
            }
        }
    }
}
