//! Recipes of fits to energy models: on their samples, without data, and the randomised flow.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Conditional, Recipe};
use crate::data::Schema;
use crate::learning::Budget;
use crate::randomized::{
    Coupling, Covariance, EntropyGradient, Objective, RandomizedConfig, TrainingConfig,
};

/// Samples whose training takes a few minutes.
const SAMPLES_TIME: Duration = Duration::from_secs(300);
/// Steps of a randomised flow, and of the published one.
const STEPS: u64 = 3000;
const PUBLISHED_STEPS: u64 = 5000;
/// Labels that samples of an energy model take by default at most: 48 MB.
const MOST_LABELS: usize = 24_000_000;
/// Numbers that the ends of all draws of a step may take: draws get fewer beyond.
const MOST_ENDS: usize = 1 << 20;

/// Samples of an energy model of so many variables to learn from, when no number is asked for.
#[must_use]
pub fn samples(variables: usize) -> usize {
    (MOST_LABELS / variables.max(1)).clamp(1000, 1_000_000)
}

impl Recipe {
    /// What is decided for a network on samples of an energy model; a network without data needs no decisions of its
    /// own, see [`Facts::of_schema`](super::Facts::of_schema).
    #[must_use]
    pub fn of_energy_samples() -> Self {
        Self::default()
            .conditional(Conditional::Any)
            .time(SAMPLES_TIME)
    }
}

/// What has been decided of a randomised assignment flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomizedRecipe {
    /// Seed of initial parameters and draws.
    pub seed: Option<u64>,
    /// Which flow.
    pub settings: RandomizedKind,
    /// What is minimised.
    pub objective: Option<ObjectiveKind>,
    /// Number of steps.
    pub steps: Option<u64>,
    /// Wall time.
    #[serde(with = "super::time")]
    pub time: Option<Duration>,
    /// Draws of the flow in a step.
    pub draws: Option<usize>,
    /// Rows of the factor that makes the numbers of `Ω` depend on each other, 0 for none.
    pub rank: Option<usize>,
    /// End of the flow.
    pub end_time: Option<f64>,
    /// Largest learning rate.
    pub learning_rate: Option<f64>,
}

/// Randomised flows by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RandomizedKind {
    /// [`RandomizedConfig::improved`].
    #[default]
    Improved,
    /// [`RandomizedConfig::published`].
    Published,
}

/// Objectives by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectiveKind {
    /// `KL(target : model)`: likelihood of samples.
    Forward,
    /// `KL(model : target)`: the energy alone, entropy by the logarithmic derivative.
    Reverse,
    /// `KL(model : target)` as published: entropy by the smoothed plug-in with Miller–Madow correction.
    ReversePlugIn,
    /// The sum of forward and reverse.
    Both,
}

impl From<ObjectiveKind> for Objective {
    fn from(kind: ObjectiveKind) -> Self {
        match kind {
            ObjectiveKind::Forward => Self::Forward,
            ObjectiveKind::Reverse => Self::Reverse {
                entropy: EntropyGradient::LogDerivative,
            },
            ObjectiveKind::ReversePlugIn => Self::Reverse {
                entropy: EntropyGradient::SmoothedPlugIn,
            },
            ObjectiveKind::Both => Self::Both,
        }
    }
}

impl RandomizedRecipe {
    /// Decides the number of steps.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Chooses by the variables what is not decided.
    #[must_use]
    pub fn resolve(&self, schema: &Schema) -> (RandomizedConfig, TrainingConfig) {
        let published = self.settings == RandomizedKind::Published;
        let mut model = match self.settings {
            RandomizedKind::Published => RandomizedConfig::published(),
            RandomizedKind::Improved => RandomizedConfig::improved(schema),
        };
        if let Some(rank) = self.rank {
            model.covariance = match rank {
                0 => Covariance::Diagonal,
                rank => Covariance::LowRank { rank },
            };
        }
        model.end_time = self.end_time.unwrap_or(model.end_time);
        let width: usize = schema.cardinalities().iter().sum();
        let convolution = matches!(model.coupling, Coupling::Convolution { .. });
        let draws = (MOST_ENDS / width).clamp(if convolution { 32 } else { 64 }, 512);
        let objective = self.objective.unwrap_or(match published {
            true => ObjectiveKind::Reverse,
            false => ObjectiveKind::Forward,
        });
        let mut training = TrainingConfig {
            seed: self.seed.unwrap_or(0),
            budget: match (self.steps, self.time) {
                (None, None) => Budget {
                    steps: Some(if published { PUBLISHED_STEPS } else { STEPS }),
                    seconds: None,
                },
                (steps, time) => Budget {
                    steps,
                    seconds: time.map(|time| time.as_secs_f64()),
                },
            },
            objective: objective.into(),
            draws: self.draws.unwrap_or(draws),
            batch_size: draws.max(128),
            ..TrainingConfig::default()
        };
        let optimizer = &mut training.optimizer;
        optimizer.learning_rate = self.learning_rate.unwrap_or(optimizer.learning_rate);
        (model, training)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Layout, Vocabulary};

    fn grid(height: usize, width: usize) -> Schema {
        let layout = Layout::Image {
            height,
            width,
            pad_to: None,
        };
        let names = (0..height * width).map(|site| format!("x{site}"));
        Schema::shared(layout, names.collect(), Vocabulary::Integers { count: 2 })
    }

    #[test]
    fn the_flow_and_its_draws_follow_from_the_variables() {
        let (model, training) = RandomizedRecipe::default().resolve(&grid(3, 8));
        assert_eq!(model, RandomizedConfig::improved(&grid(3, 8)));
        assert_eq!((training.draws, training.batch_size), (512, 512));
        assert_eq!(training.budget.steps, Some(3000));
        assert_eq!(training.objective, Objective::Forward);
        // 2^20 numbers are 64 draws of 128 × 64 variables with two states each.
        let (model, training) = RandomizedRecipe::default().resolve(&grid(128, 64));
        assert!(matches!(model.coupling, Coupling::Convolution { .. }));
        assert_eq!((training.draws, training.batch_size), (64, 128));
        let published = RandomizedRecipe {
            settings: RandomizedKind::Published,
            rank: Some(0),
            draws: Some(9),
            learning_rate: Some(0.1),
            time: Some(Duration::from_secs(60)),
            ..RandomizedRecipe::default()
        };
        let (model, training) = published.resolve(&grid(3, 8));
        assert_eq!(model.covariance, Covariance::Diagonal);
        assert_eq!(model.end_time, RandomizedConfig::published().end_time);
        assert_eq!(training.objective, ObjectiveKind::Reverse.into());
        // What samples a step takes does not hang on the draws that are decided.
        assert_eq!((training.draws, training.batch_size), (9, 512));
        assert_eq!(training.optimizer.learning_rate, 0.1);
        assert_eq!(
            (training.budget.steps, training.budget.seconds),
            (None, Some(60.0))
        );
    }

    #[test]
    fn an_objective_without_samples_is_that_of_the_published_flow() {
        let recipe = RandomizedRecipe {
            settings: RandomizedKind::Published,
            ..RandomizedRecipe::default()
        };
        let (_, training) = recipe.resolve(&grid(3, 8));
        assert!(!training.objective.needs_samples());
        assert_eq!(training.budget.steps, Some(5000));
    }
}
