//! What is asked of a fit: data, folder and recipe.

use std::path::PathBuf;

use anyhow::Result;
use segre::data::ReadOptions;
use segre::flow::PairwisePrior;
use segre::recipe::{
    ModelChoices, NetworkChoices, PathChoices, Recipe, RecipeError, SplitChoices, TrainingChoices,
};

use crate::args::{Common, Fit};

/// What is to be fitted, where to, and how.
#[derive(Default)]
pub struct Request {
    /// Built-in name or file.
    pub data: String,
    pub out: PathBuf,
    pub resume: bool,
    pub force: bool,
    /// Everything that is decided, the seed among it.
    pub recipe: Recipe,
    /// What is known before anything is learned.
    pub prior: Option<PairwisePrior>,
    pub test_data: Option<String>,
    pub labels: Option<PathBuf>,
    pub label_column: Option<String>,
    /// The seed of built-in distributions is the recipe's.
    pub reading: ReadOptions,
}

impl Request {
    /// What the arguments ask for.
    pub fn of(arguments: &Fit, common: &Common) -> Result<Self> {
        let recipe = recipe(arguments, common.seed);
        Ok(Self {
            data: arguments.data.clone(),
            out: arguments.out.clone(),
            resume: arguments.resume,
            force: arguments.force,
            prior: None,
            test_data: arguments.test_data.clone(),
            labels: arguments.shown.labels.clone(),
            label_column: arguments.shown.label_column.clone(),
            reading: arguments.reading.options(recipe.seed())?,
            recipe,
        })
    }
}

/// What the arguments decide.
fn recipe(arguments: &Fit, seed: Option<u64>) -> Recipe {
    let unet = &arguments.unet;
    Recipe {
        seed,
        training: TrainingChoices {
            steps: arguments.steps,
            time: arguments.time,
            batch_size: arguments.batch_size,
            learning_rate: arguments.learning_rate,
            weight_decay: arguments.weight_decay,
            conditional: arguments.conditional.map(Into::into),
            flip: arguments.shown.flip.then_some(true),
            precision: unet.precision.map(Into::into),
            validations: arguments.validations,
            validation_rows: None,
            patience: arguments.patience,
        },
        model: ModelChoices {
            head: arguments.head.map(Into::into),
            scanlines: unet.scanlines,
        },
        path: PathChoices {
            kind: arguments.path.map(Into::into),
            rate: arguments.rate,
            time_shape: arguments.time_shape,
            time_rate: arguments.time_rate,
            end_time: arguments.end_time,
        },
        network: NetworkChoices {
            kind: arguments.network.map(Into::into),
            hidden: arguments.hidden,
            blocks: arguments.blocks,
            components: arguments.components,
            affinity: arguments.affinity,
            dropout: arguments.dropout,
            preset: unet.preset.map(Into::into),
            channels: unet.channels,
            multipliers: unet.multipliers.clone(),
            // 0: none.
            attention: unet.attention.clone().map(|rates| match &rates[..] {
                [0] => vec![],
                _ => rates,
            }),
            heads: unet.heads,
        },
        split: SplitChoices {
            validation: arguments.validation,
            test: arguments.test,
        },
    }
}

/// The error with flags in place of settings: `` `batch_size = 8` `` becomes `--batch-size 8`.
pub fn in_flags(error: RecipeError) -> anyhow::Error {
    let text = error.to_string();
    let parts = text.split('`').enumerate().map(|(k, part)| match k % 2 {
        0 => part.to_owned(),
        _ => format!("--{}", part.replace('_', "-").replace(" = ", " ")),
    });
    anyhow::Error::msg(parts.collect::<String>())
}
