//! What the arguments of a fit ask for: data and recipe.

use std::fs;

use anyhow::{Context, Result};
use segre::Device;
use segre::recipe::{
    ModelChoices, NetworkChoices, PathChoices, Recipe, SplitChoices, TrainingChoices,
};

use super::args::Fit;
use crate::args::Common;

/// The fit that the arguments ask for, still without a folder.
pub fn fit_of(arguments: &Fit, common: &Common, device: &Device) -> Result<segre::Fit<'static>> {
    let recipe = recipe(arguments, common.seed)?;
    let images = &arguments.images;
    // The seed of built-in distributions is the recipe's.
    let reading = arguments.reading.options(recipe.seed())?;
    Ok(segre::Fit::to_source(&arguments.data, &reading)
        .recipe(recipe)
        .test_data(arguments.parts.test_data.as_deref())
        .labels(images.labels.as_deref(), images.label_column.as_deref())
        .resume(arguments.resume)
        .force(arguments.force)
        .device(device))
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
