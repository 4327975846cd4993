//! Training: its budget, the rows of a step, validations, and the optimiser.

use std::time::Duration;

use super::choices::{Recipe, TrainingChoices};
use super::unet::LEAST_SITES;
use super::{Conditional, Facts, Settings};
use crate::data::Layout;
use crate::flow::training::TrainingConfig;
use crate::flow::{Head, ModelConfig};
use crate::learning::{Budget, OptimizerConfig};
use crate::network::NetworkConfig;
use crate::path::ProbabilityPath;

/// Seconds of a UNet's run without a budget of its own on images of [`LEAST_SITES`] pixels.
const LONG_RUN: f64 = 1800.0;
/// Seconds of a run in which rows are drawn as wanted.
const DRAWN_RUN: f64 = 300.0;
/// Validations of a UNet: each costs as much as a few steps.
const UNET_VALIDATIONS: u32 = 10;
/// Decay of the averaged parameters where rows are drawn from them: they must not lag behind by rounds.
const DRAWN_AVERAGE_DECAY: f64 = 0.99;

/// How often the network of tables sees every row: more, and it learns them by heart (Magic: best after 30 to 50 times).
const TABLE_EPOCHS: usize = 50;
/// Least steps of it.
const TABLE_STEPS: usize = 1000;
/// Learning rate of the network of tables: three times the usual one is as far in a third of the steps.
const TABLE_LEARNING_RATE: f64 = 3e-3;

pub(super) fn choose(recipe: &Recipe, facts: &Facts, model: &ModelConfig) -> TrainingConfig {
    let own = &recipe.training;
    let default = TrainingConfig::default();
    let sites = facts.sites;
    let is_unet = matches!(model.network, NetworkConfig::Unet(_));
    let is_table = matches!(model.network, NetworkConfig::Table(_));
    let batch_size = own.batch_size.unwrap_or(match is_unet {
        true => unet_batch_size(sites),
        false if is_table => 512,
        false => (8192 / sites).clamp(128, 512),
    });
    let most_steps = facts.rows.filter(|_| is_table).map(|rows| {
        let steps = TABLE_EPOCHS * rows / batch_size;
        steps.max(TABLE_STEPS) as u64
    });
    let learning_rate = match is_unet {
        true => unet_learning_rate(batch_size),
        false if is_table => TABLE_LEARNING_RATE,
        false => default.optimizer.learning_rate,
    };
    TrainingConfig {
        seed: recipe.seed(),
        budget: Budget {
            steps: own.steps.or(most_steps),
            ..budget(own, facts, is_unet)
        },
        conditional: match own.conditional {
            Some(which) => which == Conditional::Any,
            None => learns_conditionals(facts, model),
        },
        batch_size,
        flip: own.flip.unwrap_or(default.flip),
        precision: own.precision.unwrap_or(default.precision),
        optimizer: OptimizerConfig {
            learning_rate: own.learning_rate.unwrap_or(learning_rate),
            weight_decay: own.weight_decay.unwrap_or(default.optimizer.weight_decay),
            average_decay: match facts.rows {
                Some(_) => default.optimizer.average_decay,
                None => DRAWN_AVERAGE_DECAY,
            },
            ..default.optimizer
        },
        patience: own.patience.unwrap_or(default.patience),
        validations: own.validations.unwrap_or(match is_unet {
            true => UNET_VALIDATIONS,
            false => default.validations,
        }),
        // A row of few sites says little and costs little; one of many categories costs much.
        validation_rows: own.validation_rows.unwrap_or(match is_unet {
            true => unet_validation_rows(sites),
            false => validation_rows(sites, facts.categories),
        }),
    }
}

/// When training ends: what is decided of steps and time goes before any default of the other.
fn budget(own: &TrainingChoices, facts: &Facts, is_unet: bool) -> Budget {
    let seconds = |seconds| Budget {
        steps: None,
        seconds: Some(seconds),
    };
    match (own.steps, own.time) {
        (None, None) if facts.rows.is_none() => seconds(DRAWN_RUN),
        (None, None) if is_unet && facts.sites >= LEAST_SITES => seconds(LONG_RUN),
        (None, None) => TrainingConfig::default().budget,
        (steps, time) => Budget {
            steps,
            seconds: time.map(|time| time.as_secs_f64()),
        },
    }
}

/// On tables all conditionals cost the joint distribution nothing that can be measured.
fn learns_conditionals(facts: &Facts, model: &ModelConfig) -> bool {
    model.head == Head::Posterior
        && matches!(model.path, ProbabilityPath::Gaussian(_))
        && facts.layout == Layout::Table
}

/// Rows of a validation: what fits a cost, within limits.
fn validation_rows(sites: usize, categories: usize) -> usize {
    let by_sites = (16_384 / sites).clamp(512, 4096);
    let by_values = 1_048_576 / (sites * categories);
    by_values.clamp(256, by_sites)
}

/// Rows of a UNet's step: about as many pixels in each, 64 rows of 28 × 28 and 4 of 128 × 256.
fn unet_batch_size(sites: usize) -> usize {
    let rows = (65_536 / sites).clamp(4, 128);
    1 << rows.ilog2()
}

/// Rows of a UNet's validation: what fits a cost, within limits.
fn unet_validation_rows(sites: usize) -> usize {
    (65_536 / sites).clamp(16, 512)
}

/// A UNet's largest learning rate: lower for steps of few rows.
fn unet_learning_rate(batch_size: usize) -> f64 {
    match batch_size {
        0..16 => 2e-4,
        _ => 1e-3,
    }
}

/// What decides that training is as it is.
pub(super) fn choices(settings: &Settings, facts: &Facts) -> TrainingChoices {
    let training = &settings.training;
    let is_unet = matches!(settings.model.network, NetworkConfig::Unet(_));
    let is_masked = matches!(settings.model.path, ProbabilityPath::Discrete(_));
    let all = TrainingChoices {
        steps: training.budget.steps,
        time: training.budget.seconds.map(Duration::from_secs_f64),
        batch_size: Some(training.batch_size),
        learning_rate: Some(training.optimizer.learning_rate),
        weight_decay: Some(training.optimizer.weight_decay),
        conditional: match training.conditional {
            true => Some(Conditional::Any),
            false => (!is_masked).then_some(Conditional::None),
        },
        flip: Some(training.flip),
        precision: is_unet.then_some(training.precision),
        validations: Some(training.validations),
        validation_rows: Some(training.validation_rows),
        patience: Some(training.patience),
    };
    match facts.rows {
        Some(_) => all,
        None => TrainingChoices {
            conditional: None,
            validations: None,
            validation_rows: None,
            patience: None,
            ..all
        },
    }
}
