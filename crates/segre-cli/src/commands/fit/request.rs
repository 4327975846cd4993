//! What is asked of a fit: data, folder and recipe.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use segre::data::ReadOptions;
use segre::flow::PairwisePrior;
use segre::recipe::{
    ModelChoices, NetworkChoices, PathChoices, Recipe, SplitChoices, TrainingChoices,
};

use super::args::Fit;
use crate::args::Common;

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
        let recipe = recipe(arguments, common.seed)?;
        let images = &arguments.images;
        Ok(Self {
            data: arguments.data.clone(),
            out: arguments.out.clone().unwrap_or_default(),
            resume: arguments.resume,
            force: arguments.force,
            prior: None,
            test_data: arguments.parts.test_data.clone(),
            labels: images.labels.clone(),
            label_column: images.label_column.clone(),
            reading: arguments.reading.options(recipe.seed())?,
            recipe,
        })
    }
}

/// What the arguments decide: the file, what is set beside it, and options, each before those that it follows.
fn recipe(arguments: &Fit, seed: Option<u64>) -> Result<Recipe> {
    let given = &arguments.recipe;
    let file = match &given.file {
        None => Recipe::default(),
        Some(path) => {
            let name = path.display().to_string();
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {name}; check --recipe"))?;
            Recipe::parse(&text, &name)?
        }
    };
    let set = Recipe::of_assignments(&given.set)?;
    Ok(file.and(set).and(options(arguments, seed)))
}

fn options(arguments: &Fit, seed: Option<u64>) -> Recipe {
    let Fit {
        training,
        model,
        images,
        parts,
        ..
    } = arguments;
    Recipe {
        seed,
        training: TrainingChoices {
            steps: training.steps,
            time: training.time,
            batch_size: training.batch_size,
            learning_rate: training.learning_rate,
            conditional: training.conditional.map(Into::into),
            flip: images.flip.then_some(true),
            precision: images.precision.map(Into::into),
            ..TrainingChoices::default()
        },
        model: ModelChoices {
            head: model.head.map(Into::into),
            ..ModelChoices::default()
        },
        path: PathChoices {
            kind: model.path.map(Into::into),
            ..PathChoices::default()
        },
        network: NetworkChoices {
            kind: model.network.map(Into::into),
            hidden: model.hidden,
            blocks: model.blocks,
            dropout: model.dropout,
            preset: images.preset.map(Into::into),
            channels: images.channels,
            ..NetworkChoices::default()
        },
        split: SplitChoices {
            validation: parts.validation,
            test: parts.test,
        },
    }
}
