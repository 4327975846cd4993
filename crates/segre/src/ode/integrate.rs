//! Integration of a vector field: the only loop over time steps.

use burn::tensor::{DType, Tensor};

use super::step_size::{AdaptiveOptions, PiController, Verdict, first_step, trial_step};
use super::{Method, Tableau, TimeGrid};
use crate::field::VectorField;
use crate::ode::error::{OdeError, Result};
use crate::setting::InvalidSetting;

/// How to step through time.
#[derive(Clone, Debug, PartialEq)]
pub enum Stepping {
    /// A method on a given grid of times.
    Fixed {
        /// The method.
        method: Method,
        /// The times; backward if decreasing.
        grid: TimeGrid,
    },
    /// Dormand–Prince 5(4) with steps chosen by the error; backward if `end < start`.
    Adaptive {
        /// Time of the start.
        start: f64,
        /// Time of the end.
        end: f64,
        /// Tolerances and limits.
        options: AdaptiveOptions,
    },
}

impl Stepping {
    /// Time of the start.
    pub fn start(&self) -> f64 {
        match self {
            Self::Fixed { grid, .. } => grid.times()[0],
            Self::Adaptive { start, .. } => *start,
        }
    }

    /// Time of the end.
    pub fn end(&self) -> f64 {
        match self {
            Self::Fixed { grid, .. } => grid.times()[grid.steps()],
            Self::Adaptive { end, .. } => *end,
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        match self {
            Self::Fixed { method, .. } => *method,
            Self::Adaptive { .. } => Method::DormandPrince,
        }
    }
}

/// Where an integration ended and what it cost.
#[derive(Clone, Debug)]
pub struct OdeSolution {
    /// State at the end, `[batch, sites, categories]`.
    pub state: Tensor<3>,
    /// Evaluations of the field (each on the whole batch).
    pub evaluations: usize,
    /// Steps taken.
    pub accepted: usize,
    /// Steps tried and repeated with a smaller size.
    pub rejected: usize,
}

/// Integrates `V̇ = F(V, t)` from `start`.
///
/// The adaptive method bounds its error estimate per example of the batch: the root mean square
/// over sites and categories of `error / (absolute + relative · |V|)` is at most 1 for the worst
/// example.
///
/// # Shapes
/// `start [batch, sites, categories]`; times are passed to the field as `[batch]` in the type of
/// the state.
///
/// # Errors
/// [`OdeError::NonFiniteState`], [`OdeError::StepSizeUnderflow`], [`OdeError::TooManySteps`], or
/// [`InvalidSetting`] for bad options.
///
/// Source: docs/mathematics.md §4; Zeilmann et al. 2020.
pub fn integrate(
    field: &dyn VectorField,
    start: Tensor<3>,
    stepping: &Stepping,
) -> Result<OdeSolution> {
    integrate_observed(field, start, stepping, &mut |_, _| {})
}

/// [`integrate`], showing time and state to `observe` at the start and after every accepted step.
///
/// # Errors
/// As [`integrate`].
pub fn integrate_observed(
    field: &dyn VectorField,
    start: Tensor<3>,
    stepping: &Stepping,
    observe: &mut dyn FnMut(f64, &Tensor<3>),
) -> Result<OdeSolution> {
    let tableau = stepping.method().tableau();
    let mut field = CountedField {
        field,
        evaluations: 0,
    };
    let (mut time, mut state) = (stepping.start(), start);
    let (mut accepted, mut rejected) = (0, 0);
    require_finite(&state, time)?;
    observe(time, &state);
    let (mut pace, mut first_stage) = Pace::begin(stepping, &mut field, &state)?;
    while let Some(next_time) = pace.next_time(time, accepted + rejected)? {
        let step = next_time - time;
        let first = first_stage.unwrap_or_else(|| field.velocity(&state, time));
        let attempt = Attempt::new(tableau, &mut field, &state, first.clone(), time, step);
        if pace.accepts(&state, &attempt, time, step)? {
            accepted += 1;
            time = next_time;
            state = attempt.state;
            first_stage = attempt.next_first_stage;
            observe(time, &state);
        } else {
            rejected += 1;
            first_stage = Some(first);
        }
    }
    Ok(OdeSolution {
        state,
        evaluations: field.evaluations,
        accepted,
        rejected,
    })
}

/// A field that counts its evaluations.
struct CountedField<'a> {
    field: &'a dyn VectorField,
    evaluations: usize,
}

impl CountedField<'_> {
    fn velocity(&mut self, state: &Tensor<3>, time: f64) -> Tensor<3> {
        self.evaluations += 1;
        let times = Tensor::full([state.dims()[0]], time, (&state.device(), state.dtype()));
        let velocity = self.field.velocity(state.clone(), times);
        assert_eq!(
            velocity.dims(),
            state.dims(),
            "a velocity must have the shape of its state"
        );
        velocity
    }
}

/// The outcome of one attempted step.
struct Attempt {
    state: Tensor<3>,
    /// Estimated error of the step, for methods with an embedded solution.
    error: Option<Tensor<3>>,
    /// The velocity at the new state where the method has it already.
    next_first_stage: Option<Tensor<3>>,
}

impl Attempt {
    fn new(
        tableau: &Tableau,
        field: &mut CountedField,
        state: &Tensor<3>,
        first: Tensor<3>,
        time: f64,
        step: f64,
    ) -> Self {
        let mut stages = vec![first];
        for (row, node) in tableau.coefficients.iter().zip(tableau.nodes).skip(1) {
            let point = combine(Some(state), row, &stages, step);
            stages.push(field.velocity(&point, time + node * step));
        }
        Self {
            state: combine(Some(state), tableau.weights, &stages, step),
            error: tableau
                .error_weights
                .map(|weights| combine(None, weights, &stages, step)),
            next_first_stage: stages.pop().filter(|_| tableau.first_same_as_last()),
        }
    }
}

/// `base + step Σ_i weight_i stage_i`, without the terms of weight 0.
fn combine(
    base: Option<&Tensor<3>>,
    weights: &[f64],
    stages: &[Tensor<3>],
    step: f64,
) -> Tensor<3> {
    let terms = weights
        .iter()
        .zip(stages)
        .filter(|(weight, _)| **weight != 0.0);
    let terms = terms.map(|(weight, stage)| stage.clone() * (step * weight));
    base.cloned()
        .into_iter()
        .chain(terms)
        .reduce(|sum, term| sum + term)
        .expect("a row of a tableau has a weight that is not 0")
}

/// Decides where the next step ends and whether an attempted one counts.
enum Pace<'a> {
    Fixed {
        times: std::slice::Iter<'a, f64>,
    },
    Adaptive {
        controller: PiController,
        options: &'a AdaptiveOptions,
        step: f64,
        end: f64,
    },
}

impl<'a> Pace<'a> {
    /// The pace at the start, with the velocity there if it was needed to find the first step.
    fn begin(
        stepping: &'a Stepping,
        field: &mut CountedField,
        state: &Tensor<3>,
    ) -> Result<(Self, Option<Tensor<3>>)> {
        let (start, end, options) = match stepping {
            Stepping::Fixed { grid, .. } => {
                return Ok((
                    Self::Fixed {
                        times: grid.times()[1..].iter(),
                    },
                    None,
                ));
            }
            Stepping::Adaptive {
                start,
                end,
                options,
            } => (*start, *end, options),
        };
        options.validate()?;
        for (name, value) in [("start time", start), ("end time", end)] {
            if !value.is_finite() {
                return Err(InvalidSetting {
                    name,
                    value,
                    expected: "finite",
                }
                .into());
            }
        }
        let order = stepping.method().tableau().order;
        let (span, controller) = (end - start, PiController::new(order));
        if span == 0.0 {
            return Ok((
                Self::Adaptive {
                    controller,
                    options,
                    step: 0.0,
                    end,
                },
                None,
            ));
        }
        let velocity = field.velocity(state, start);
        require_finite(&velocity, start)?;
        let norm = |value: &Tensor<3>| tolerance_norm(value, options, state, state);
        let velocity_norm = norm(&velocity);
        let trial = trial_step(norm(state), velocity_norm).min(span.abs());
        let trial_state = state.clone() + velocity.clone() * trial.copysign(span);
        let change = field.velocity(&trial_state, start + trial.copysign(span)) - velocity.clone();
        let step = first_step(trial, velocity_norm, norm(&change) / trial, order);
        let step = step.min(span.abs()).copysign(span);
        Ok((
            Self::Adaptive {
                controller,
                options,
                step,
                end,
            },
            Some(velocity),
        ))
    }

    /// Where the next step ends; `None` at the end.
    fn next_time(&mut self, time: f64, attempts: usize) -> Result<Option<f64>> {
        match self {
            Self::Fixed { times } => Ok(times.next().copied()),
            Self::Adaptive { end, .. } if time == *end => Ok(None),
            Self::Adaptive { options, .. } if attempts >= options.max_steps => {
                Err(OdeError::TooManySteps {
                    limit: options.max_steps,
                    time,
                })
            }
            // A last step may be one per cent longer, so that no crumb is left.
            Self::Adaptive { step, end, .. } if 1.01 * step.abs() >= (*end - time).abs() => {
                Ok(Some(*end))
            }
            Self::Adaptive { step, .. } => Ok(Some(time + *step)),
        }
    }

    /// Whether the attempt counts; adapts the step size.
    fn accepts(
        &mut self,
        from: &Tensor<3>,
        attempt: &Attempt,
        time: f64,
        step: f64,
    ) -> Result<bool> {
        let Self::Adaptive {
            controller,
            options,
            step: next_step,
            end,
        } = self
        else {
            require_finite(&attempt.state, time + step)?;
            return Ok(true);
        };
        let error = attempt
            .error
            .as_ref()
            .expect("the adaptive method estimates its error");
        let verdict = controller.judge(tolerance_norm(error, options, from, &attempt.state));
        let (Verdict::Accept(factor) | Verdict::Reject(factor)) = verdict;
        *next_step = step * factor;
        let accepted = matches!(verdict, Verdict::Accept(_));
        let resolution = match from.dtype() {
            DType::F64 => f64::EPSILON,
            _ => f64::from(f32::EPSILON),
        };
        if !accepted && next_step.abs() <= 4.0 * resolution * time.abs().max(end.abs()) {
            return Err(OdeError::StepSizeUnderflow {
                time,
                step: *next_step,
            });
        }
        Ok(accepted)
    }
}

/// Norm in units of the tolerance: root mean square over sites and categories, largest of the
/// batch. NaN if anything is.
///
/// Source: Hairer, Nørsett & Wanner, Solving ODEs I, (II.4.11), per example.
fn tolerance_norm(
    value: &Tensor<3>,
    options: &AdaptiveOptions,
    from: &Tensor<3>,
    to: &Tensor<3>,
) -> f64 {
    let size = from.clone().abs().max_pair(to.clone().abs());
    let scale = size * options.relative_tolerance + options.absolute_tolerance;
    let squares = (value.clone() / scale).square();
    let means: Vec<f64> = squares
        .mean_dims(&[1, 2])
        .into_data_as::<f64>()
        .iter()
        .collect();
    means
        .into_iter()
        .fold(0.0, |worst, mean| if mean <= worst { worst } else { mean })
        .sqrt()
}

/// Fails if a value is NaN or infinite: then the sum is, too.
fn require_finite(values: &Tensor<3>, time: f64) -> Result<()> {
    match values.clone().sum().into_scalar::<f64>().is_finite() {
        true => Ok(()),
        false => Err(OdeError::NonFiniteState { time }),
    }
}
